"""How good comparing is: the figures of an article among references, by rate, relation and length.

Every article (100 words and more, from validation texts) is scored the way a user does it: its source, up to
two reports of the same event and fifty of other events are the references.
"""

from __future__ import annotations

import argparse
import multiprocessing
import random
import sys
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from unspun.article import Article, Verdict
from unspun.classifier import Model
from unspun.detector import Detector
from unspun.lexicon import Lexicon
from unspun.training.corpora import Document
from unspun.training.dictionaries import FAMILIES, Dictionary, load_dictionaries
from unspun.training.edits import edit
from unspun.training.pools import build_pools, read_documents
from unspun.training.situations import Pool, cut
from unspun.training.spinner import SpunText, draw_settings, spin

RATES: Final = (0.05, 0.10, 0.15, 0.25, 0.50)
#: Reports of other events among the references.
STRANGERS: Final = 50
#: Words of an article: shorter ones are not measured here.
LENGTHS: Final = (100, 600)


@dataclass(frozen=True, slots=True)
class Trial:
    """One scored article: what it was, what came out, and how well its spans fit the truth (characters)."""

    case: str
    rate: float
    words: int
    score: float
    label: str
    relation: str
    right: int = 0
    marked: int = 0
    true: int = 0
    suggested: int = 0
    suggested_right: int = 0


_pool: Pool
_detector: Detector


def _references(source: str | None, story: Sequence[Document], rng: random.Random) -> list[Article]:
    names = sorted(_pool.documents)
    strangers = [rng.choice(_pool.documents[rng.choice(names)]) for _ in range(STRANGERS)]
    articles = [Article(f"stranger-{n}", d.text) for n, d in enumerate(strangers)]
    articles += [Article(f"report-{n}", d.text) for n, d in enumerate(story)]
    if source is not None:
        articles.append(Article("source", source))
    rng.shuffle(articles)
    return articles


def _relation(verdict: Verdict) -> str:
    return next((r.relation for r in verdict.references if r.id == "source"), "independent")


def measure_spans(verdict: Verdict, spun: SpunText) -> tuple[int, int, int, int, int]:
    """Characters marked rightly, marked, truly swapped; spans with a suggestion, and with the right one."""
    true = {i for swap in spun.substitutions for i in range(swap.start, swap.end)}
    marked = {i for span in verdict.spans for i in range(span.start, span.end)}
    originals = {(swap.start, swap.end): swap.original for swap in spun.substitutions}
    exact = [s for s in verdict.spans if s.suggestion and (s.start, s.end) in originals]
    right = sum((s.suggestion or "").lower() == originals[s.start, s.end].lower() for s in exact)
    return len(true & marked), len(marked), len(true), len(exact), right


def _try_article(task: tuple[str, str, float]) -> Trial | None:
    seed, case, rate = task
    rng = random.Random(f"{seed}:{case}:{rate}")
    if case in ("event", "honest event"):
        story = list(rng.choice(_pool.stories))
        rng.shuffle(story)
        document, *others = story
    else:
        document = rng.choice(_pool.documents[rng.choice(sorted(_pool.documents))])
        others = [d for d in _stories().get(document.group, ()) if d.text != document.text]
    text = cut(document.text, rng.randint(*LENGTHS), rng)
    if len(text.split()) < LENGTHS[0]:
        return None
    others = others[:2]
    dictionary = _pool.dictionaries[rng.choice(sorted(_pool.dictionaries))]
    settings = replace(draw_settings(rng), rate=rate or 0.2, part="whole")
    spun = spin(text, dictionary, settings, rng)
    article, source = spun.text, document.text
    if case in ("source", "event"):
        if spun.rate < 0.7 * rate or not spun.substitutions:
            return None
        references = _references(source if case == "source" else None, others, rng)
    elif case == "honest event":
        article, references = text, _references(None, others, rng)
    elif case == "copy":
        # A cut or a headline more: an exact copy would not be compared at all.
        article, references = f"{document.text}\n\nCopyright 2024", _references(source, others, rng)
    elif case == "edited":
        article, references = edit(text, rng), _references(source, others, rng)
    elif case == "original":
        # Direction: the honest text beside its own spun copy.
        article, references = text, _references(spun.text, others, rng)
    else:
        raise ValueError(case)
    verdict = _detector.score(Article("article", article), references)
    if verdict.score is None:
        return None
    spans = measure_spans(verdict, spun) if case in ("source", "event") else (0, 0, 0, 0, 0)
    return Trial(case, rate, len(article.split()), verdict.score, verdict.label, _relation(verdict), *spans)


def _stories() -> Mapping[str, Sequence[Document]]:
    return {story[0].group: story for story in _pool.stories}


def run_trials(detector: Detector, pool: Pool, count: int, seed: str) -> list[Trial]:
    """``count`` trials of every spun case and rate, four times as many honest ones of every case."""
    global _pool, _detector
    _pool, _detector = pool, detector
    tasks = [(f"{seed}:{n}", case, rate) for case in ("source", "event") for rate in RATES for n in range(count)]
    tasks += [
        (f"{seed}:{n}", case, 0.0) for case in ("honest event", "copy", "edited", "original") for n in range(4 * count)
    ]
    with multiprocessing.get_context("fork").Pool() as workers:
        return [trial for trial in workers.imap(_try_article, tasks, chunksize=16) if trial]


def find_rate_at(scores: NDArray[np.float64], honest: NDArray[np.float64], cost: float) -> float:
    """Share of ``scores`` above the threshold that at most the share ``cost`` of ``honest`` reaches."""
    threshold = np.quantile(honest, 1 - cost, method="higher")
    return float((scores > threshold).mean())


def tabulate_trials(trials: Sequence[Trial]) -> list[str]:
    """The figures as lines of Markdown."""
    groups = defaultdict[tuple[str, float], list[Trial]](list)
    for trial in trials:
        groups[trial.case, trial.rate].append(trial)
    honest = np.array([t.score for t in trials if t.case in ("honest event", "copy", "edited")])
    lines = [
        f"Honest articles: {len(honest)} (reports of one event, copies, edited copies), each compared with them all.",
        "",
        "| case | rate | n | AUC | found at 0.1 % | at 0.5 % | `spun` | `suspect`+ | precision | recall | suggestion |",
        "|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for (case, rate), group in sorted(groups.items()):
        scores = np.array([t.score for t in group])
        called = [
            float(np.mean([t.label == "spun" for t in group])),
            float(np.mean([t.label != "clean" for t in group])),
        ]
        if case in ("source", "event"):
            auc = roc_auc_score(np.r_[np.ones(len(scores)), np.zeros(len(honest))], np.r_[scores, honest])
            total = {
                k: sum(getattr(t, k) for t in group)
                for k in ("right", "marked", "true", "suggested", "suggested_right")
            }
            figures = [
                find_rate_at(scores, honest, 0.001),
                find_rate_at(scores, honest, 0.005),
                *called,
                total["right"] / max(1, total["marked"]),
                total["right"] / max(1, total["true"]),
                total["suggested_right"] / max(1, total["suggested"]),
            ]
            cells = [f"{auc:.4f}", *(f"{figure:.3f}" for figure in figures)]
        else:
            cells = ["", "", "", *(f"{share:.3f}" for share in called), "", "", ""]
        lines.append(f"| {case} | {rate or '':} | {len(group)} | " + " | ".join(cells) + " |")
    lines += ["", "| true relation | called so | n |", "|---|---|---|"]
    for name, case, relation in (
        ("spun", "source", "spun"), ("copy", "copy", "copy"), ("edited", "edited", "edited"),
    ):  # fmt: skip
        mine = [t for t in trials if t.case == case]
        lines.append(f"| {name} | {np.mean([t.relation == relation for t in mine]):.3f} | {len(mine)} |")
    return lines


def main(arguments: Sequence[str] | None = None) -> int:
    """``scripts/evaluate_compared``: figures of articles among references; writes a Markdown table."""
    parser = argparse.ArgumentParser(prog="scripts/evaluate_compared", description=main.__doc__)
    parser.add_argument("--shared", type=Path, required=True, help="the folder with corpora/, lexicons/, real/")
    parser.add_argument("--models", type=Path, help="folder of without-FAMILY.npz (scripts/leave_one_out --models)")
    parser.add_argument("--count", type=int, default=60, help="trials of each case, rate and family")
    parser.add_argument("--out", type=Path, help="the file to write instead of stdout")
    options = parser.parse_args(arguments)
    lexicon = Lexicon.load()
    documents = read_documents(options.shared)
    trials = list[Trial]()
    for dictionary in load_dictionaries(lexicon, options.shared):
        model = Model.load(options.models / f"without-{dictionary.family}.npz" if options.models else None)
        trials += run_trials(
            Detector(model, lexicon), _pool_of(documents, [dictionary]), options.count, dictionary.family
        )
        print(f"{dictionary.family}: done", file=sys.stderr, flush=True)
    how = "a family that its model was not trained on" if options.models else "families that the model was trained on"
    heading = [
        "# Articles among references",
        f"Spun by {how}: {', '.join(FAMILIES)}. Written by `scripts/evaluate_compared`, count {options.count}.",
    ]
    text = "\n".join([*heading, *tabulate_trials(trials)])
    if options.out:
        options.out.write_text(text + "\n", "utf-8")
    else:
        print(text)
    return 0


def _pool_of(documents: Sequence[Document], dictionaries: Iterable[Dictionary]) -> Pool:
    return build_pools(documents, dictionaries)["validation"]
