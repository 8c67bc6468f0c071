"""How good comparing is: the figures of an article among references, by rate, length, relation and direction.

Every article (100 words and more, from validation texts) is scored the way a user does it: the references are its
source, up to two reports of the same event and fifty or so of other events. Ten articles of ten events share
them, since making references ready costs more than scoring an article.
"""

from __future__ import annotations

import argparse
import multiprocessing
import random
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from unspun.article import RELATIONS, Article
from unspun.classifier import Model
from unspun.detector import Detector
from unspun.lexicon import Lexicon
from unspun.references import References
from unspun.text import Text
from unspun.training.corpora import Document
from unspun.training.dictionaries import FAMILIES, load_dictionaries
from unspun.training.edits import draw_kinds, edit
from unspun.training.markdown import show_figure, write_head, write_row
from unspun.training.measures import SpanCounts, bound_share, count_spans, measure_auc, measure_tpr, weigh_texts
from unspun.training.measuring.evaluation_set import RATES, REACHED
from unspun.training.pools import build_pools, read_documents
from unspun.training.progress import start_clock
from unspun.training.situations import Pool, cut
from unspun.training.spinner import SpunText, spin_whole, tighten_swaps

#: Spun with its source among the references, and with other reports of the event alone.
SPUN: Final = ("source", "event")
HONEST: Final = ("honest event", "copy", "edited")
#: Honest, and the very words of a reference: not compared with it, so judged as if alone.
VERBATIM: Final = "verbatim"
#: Articles of different events that share their references, and references of none of these events.
BATCH: Final = 10
STRANGERS: Final = 30
#: Words of an article: shorter ones are not measured here.
LENGTHS: Final = (100, 600)
#: Lower ends of the bands of length that are told apart, in words.
BANDS: Final = (100, 200, 400)
#: Edits that leave the words of the source as they are: what comes out is a copy still.
WORDLESS: Final = ("restyle_typography", "add_furniture")
#: Words of a shingle: two reports written apart share runs that long in quotations and names of offices only.
SHINGLE: Final = 8
#: Share of an article's shingles in another report below which it was written apart from it (so are 92 % of the
#: pairs of ECB+ reports of one event, and 73 % share none; 66 % and 45 % in FNC-1), and above which it copies it.
WRITTEN_APART: Final = 0.05
COPIES: Final = 0.4
#: Corpora with fewer honest articles are not listed apart, and how many of the worst are.
MIN_CORPUS: Final = 30
WORST: Final = 5


@dataclass(frozen=True, slots=True, eq=False)
class Case:
    """An article to score: ``source`` is the text that it was made from, None where it is not at hand, ``truth``
    its relation to references that have one, by their id (``source``, ``report-0``, ``report-1``)."""

    name: str
    rate: float
    document: Document
    article: str
    source: str | None
    reports: tuple[str, ...]
    truth: Mapping[str, str]
    spun: SpunText | None = None


@dataclass(frozen=True, slots=True)
class Trial:
    """One scored article: what it was, and what came out.

    ``relations``: the true and the named relation to each reference whose truth is known. ``original``: the
    label of the text that was spun, scored with the spun one as its reference; None where there is no such pair.
    ``document``: the id of the text that the article was made from.
    """

    case: str
    rate: float
    corpus: str
    words: int
    score: float
    label: str
    relations: tuple[tuple[str, str], ...]
    original: str | None = None
    spans: SpanCounts = field(default_factory=SpanCounts)
    document: str = ""


_pool: Pool
_detector: Detector


def share_shingles(article: str, reference: str) -> float:
    """Share of the article's runs of :data:`SHINGLE` words that stand in the reference too."""
    own, other = (_shingles(Text(text).norms) for text in (article, reference))
    return len(own & other) / max(1, len(own))


def _shingles(words: Sequence[str]) -> set[tuple[str, ...]]:
    return {tuple(words[i : i + SHINGLE]) for i in range(len(words) - SHINGLE + 1)}


def _judge_reports(article: str, reports: Sequence[str]) -> dict[str, str]:
    """The true relation of an honest article to every other report of its event, by id.

    The truth must not come from the aligner that is measured, so it is told by shared shingles: with hardly any,
    the two were written apart. Reports of ECB+ and FNC-1 that share more are ``shared`` (an agency's paragraphs,
    a long quotation: nobody can say which relation is right, so it is listed and not counted); those that copy
    each other outright are left out.
    """
    truth = {}
    for number, report in enumerate(reports):
        share = share_shingles(article, report)
        if share < COPIES:
            truth[f"report-{number}"] = "independent" if share < WRITTEN_APART else "shared"
    return truth


def _edit(text: str, source: str, rng: random.Random) -> tuple[str, str]:
    """``text``, a part or all of ``source``, after drawn edits, and what that is to the source: a copy when no word
    was touched."""
    kinds = draw_kinds(rng)
    worded = edit(text, rng, [kind for kind in kinds if kind not in WORDLESS])
    relation = "copy" if Text(worded).norms == Text(source).norms else "edited"
    return edit(worded, rng, [kind for kind in kinds if kind in WORDLESS]), relation


def _draw_case(task: tuple[str, str, float]) -> Case | None:
    """The case of a task (seed, name, rate); None where the text drawn does not suit it."""
    seed, name, rate = task
    rng = random.Random(f"{seed}:{name}:{rate}")
    needs_reports = name in ("event", "honest event")
    if needs_reports:
        story = rng.choice(_pool.stories)
        document, *others = rng.sample(story, len(story))
    else:
        document = rng.choice(_pool.documents[rng.choice(sorted(_pool.documents))])
        others = [other for story in _pool.stories if story[0].group == document.group for other in story]
    reports = tuple(other.text for other in others if other.text != document.text)[:2]
    text = cut(document.text, rng.randint(*LENGTHS), rng)
    if len(text.split()) < LENGTHS[0] or (needs_reports and not reports):
        return None
    if name in SPUN:
        dictionary = _pool.dictionaries[rng.choice(sorted(_pool.dictionaries))]
        spun = spin_whole(text, dictionary, rate, rng)
        if spun.rate < REACHED * rate:
            return None
        if name == "event":
            return Case(name, rate, document, spun.text, None, reports, {}, spun)
        return Case(name, rate, document, spun.text, document.text, reports, {"source": "spun"}, spun)
    if name == "honest event":
        return Case(name, rate, document, text, None, reports, _judge_reports(text, reports))
    if name == "copy":
        # A line more: an exact copy would not be compared at all.
        article, relation = f"{document.text}\n\nCopyright 2024", "copy"
    else:
        article, relation = _edit(text, document.text, rng)
        if Text(article).norms == Text(document.text).norms:
            name = VERBATIM
    return Case(name, rate, document, article, document.text, reports, {"source": relation})


def _try_batch(tasks: Sequence[tuple[str, str, float]]) -> list[Trial]:
    """The trials of some tasks, scored with the same references."""
    cases = dict[str, Case]()
    for task in tasks:
        case = _draw_case(task)
        if case is not None:
            # One article an event, so that each other's references are those of other events.
            cases.setdefault(case.document.group, case)
    rng = random.Random(f"{tasks[0]}")
    chosen = [rng.choice(_pool.documents[rng.choice(sorted(_pool.documents))]) for _ in range(STRANGERS)]
    strangers = [Article(f"stranger-{n}", d.text) for n, d in enumerate(chosen) if d.group not in cases]
    for group, case in cases.items():
        strangers += [Article(f"{group} report-{n}", text) for n, text in enumerate(case.reports)]

    def build(sources: Mapping[str, str | None]) -> References:
        added = [Article(f"{group} source", text) for group, text in sources.items() if text is not None]
        return References.build([*strangers, *added], _detector.lexicon)

    references = build({group: case.source for group, case in cases.items()})
    # Direction: the same pairs the other way round.
    spun = {group: case.spun for group, case in cases.items() if case.spun and case.source is not None}
    mirrored = build({group: text.text for group, text in spun.items()}) if spun else None
    trials = []
    for group, case in cases.items():
        verdict = _detector.score(Article("article", case.article), references)
        if verdict.score is None:
            continue
        named = {r.id: r.relation for r in verdict.references}
        trials.append(
            Trial(
                case.name, case.rate, case.document.corpus, len(case.article.split()), verdict.score, verdict.label,
                # A reference that is not compared at all has nothing to do with the article.
                tuple((true, named.get(f"{group} {name}", "independent")) for name, true in case.truth.items()),
                _detector.score(spun[group].restore(), mirrored).label if group in spun else None,
                count_spans(case.article, verdict.spans, tighten_swaps(case.spun)) if case.spun else SpanCounts(),
                case.document.id,
            )
        )  # fmt: skip
    return trials


def run_trials(detector: Detector, pool: Pool, count: int, honest: int, seed: str) -> list[Trial]:
    """``count`` trials of every spun case and rate, and ``honest`` ones of every honest case."""
    global _pool, _detector
    _pool, _detector = pool, detector
    tasks = [(f"{seed}:{n}", case, rate) for case in SPUN for rate in RATES for n in range(count)]
    tasks += [(f"{seed}:{n}", case, 0.0) for case in HONEST for n in range(honest)]
    batches = [tasks[first : first + BATCH] for first in range(0, len(tasks), BATCH)]
    with multiprocessing.get_context("fork").Pool() as workers:
        return [trial for trials in workers.imap(_try_batch, batches) for trial in trials]


# --- figures


def tabulate_trials(trials: Sequence[Trial]) -> list[str]:
    """The figures as lines of Markdown, one table a question."""
    spun = [t for t in trials if t.case in SPUN]
    by_rate = _group((t.case, f"{t.rate:.0%}", t) for t in spun)
    by_length = _group((t.case, _band(t.words), t) for t in spun)
    honest = [t for t in trials if t.case in (*HONEST, VERBATIM)]
    compared = [t for t in honest if t.case != VERBATIM]
    scores, weights = np.array([t.score for t in compared]), weigh_texts([t.document for t in compared])
    return [
        "",
        "`source`: the text that was spun is among the references; `event`: only other reports of its event are.",
        f"AUC and the shares found at 0.1 % and 0.5 % of false alarms are against all {len(scores)} honest articles",
        f"that are compared, cut from {weights.sum():.0f} texts; for the shares each text counts once however often it",
        "was drawn;",
        "`spun` and `suspect`+ are the labels. Precision and recall of spans count characters that are not space;",
        "suggestion: the share of the spans more than half swapped whose suggestion is, case apart, exactly what stood",
        "there.",
        *("", "## Found, by share of words swapped", *_tabulate_found("rate", by_rate, scores, weights)),
        *("", "## Found, by length", *_tabulate_found("words", by_length, scores, weights)),
        *("", "## Honest articles called spun", *_tabulate_honest(honest)),
        *("", "## Relations", *_tabulate_relations(trials)),
        *("", "## Which of two is the spun one", *_tabulate_direction(trials)),
    ]


def _group(keyed: Iterable[tuple[str, str, Trial]]) -> dict[tuple[str, str], list[Trial]]:
    """By case and key, in order of appearance."""
    groups = defaultdict[tuple[str, str], list[Trial]](list)
    for case, key, trial in keyed:
        groups[case, key].append(trial)
    return dict(groups)


def _band(words: int) -> str:
    """The band of length that holds ``words``."""
    return next((f"{low}-{high}" for low, high in pairwise(BANDS) if words < high), f"{BANDS[-1]}+")


def _tabulate_found(
    key: str,
    groups: Mapping[tuple[str, str], Sequence[Trial]],
    honest: NDArray[np.float64],
    weights: NDArray[np.float64],
) -> list[str]:
    names = "n", "AUC", "at 0.1 %", "at 0.5 %", "`spun`", "`suspect`+", "precision", "recall", "suggestion"
    lines = ["", *write_head("case", key, *names)]
    order = sorted(groups, key=lambda group: (SPUN.index(group[0]), float(group[1].strip("%+").split("-")[0])))
    for case, name in order:
        group = groups[case, name]
        scores = np.array([t.score for t in group])
        spans = sum((t.spans for t in group), SpanCounts())
        figures = [
            measure_tpr(honest, scores, 0.001, weights),
            measure_tpr(honest, scores, 0.005, weights),
            float(np.mean([t.label == "spun" for t in group])),
            float(np.mean([t.label != "clean" for t in group])),
            spans.precision,
            spans.recall,
            spans.suggestion,
        ]
        auc = f"{measure_auc(honest, scores):.4f}"
        lines.append(write_row(case, name, len(group), auc, *map(show_figure, figures)))
    return lines


def _tabulate_honest(honest: Sequence[Trial]) -> list[str]:
    by_case, by_corpus = defaultdict[str, list[Trial]](list), defaultdict[str, list[Trial]](list)
    for trial in honest:
        by_case[trial.case].append(trial)
        by_corpus[trial.corpus].append(trial)
    large = [(f"corpus {name}", group) for name, group in by_corpus.items() if len(group) >= MIN_CORPUS]
    large.sort(key=lambda item: -float(np.mean([(t.label == "spun") + 1e-3 * (t.label != "clean") for t in item[1]])))
    rows = [*by_case.items(), ("all", list(honest)), *large[:WORST]]
    lines = [
        f"`{VERBATIM}`: the very words of a reference, typography apart; such a reference says nothing, so these are",
        "judged as if it were not there, most of them as if they had no reference at all.",
        "Each text counts once however often it was drawn: a cut of it for its share. In brackets the 95 % interval",
        f"(Wilson) for that number of texts; below the cases the worst of the {len(large)} corpora that have",
        f"{MIN_CORPUS} articles and more.",
        "",
        *write_head("articles", "n", "texts", "`spun`", "`suspect`+"),
    ]  # fmt: skip
    for name, group in rows:
        weights = weigh_texts([t.document for t in group])
        texts, cells = round(weights.sum()), []
        for called in ([t.label == "spun" for t in group], [t.label != "clean" for t in group]):
            hits = float(weights[called].sum())
            low, high = bound_share(hits, texts)
            cells.append(f"{hits / max(1, texts):.2%} ({low:.2%}-{high:.2%})")
        lines.append(write_row(name, len(group), texts, *cells))
    return lines


def _tabulate_relations(trials: Sequence[Trial]) -> list[str]:
    counts = Counter(pair for trial in trials for pair in trial.relations)
    lines = [
        "Rows are the truth, columns what was named, in shares of the row. Truth: `spun`, `copy` and `edited` as made",
        "(an edit that touches no word leaves a copy); `independent`: a report of the event that shares less than",
        f"{WRITTEN_APART:.0%} of its runs of {SHINGLE} words. Reports that share more are `(shared)` and not counted;",
        f"those that share above {COPIES:.0%} copy, and are left out.",
        "",
        *write_head("truth", "n", *RELATIONS),
    ]  # fmt: skip
    right = []
    for true in (*RELATIONS, "shared"):
        total = sum(counts[true, named] for named in RELATIONS)
        shares = [counts[true, named] / max(1, total) for named in RELATIONS]
        lines.append(write_row(f"({true})" if true == "shared" else true, total, *(f"{s:.3f}" for s in shares)))
        if true in RELATIONS and total:
            right.append((counts[true, true], total))
    together = sum(hits for hits, _ in right) / max(1, sum(total for _, total in right))
    mean = float(np.mean([hits / total for hits, total in right])) if right else 0.0
    return [*lines, "", f"Right over the four classes together: {together:.4f}; mean of the classes: {mean:.4f}."]


def _tabulate_direction(trials: Sequence[Trial]) -> list[str]:
    lines = [
        "Each pair is scored both ways round: the spun article beside its original, the original beside its spun copy.",
        "",
        *write_head("rate", "pairs", "original `clean`, spun not", "original `clean`", "original `spun`"),
    ]
    pairs = [t for t in trials if t.original is not None]
    rows = [(f"{rate:.0%}", [t for t in pairs if t.rate == rate]) for rate in RATES]
    rows.append(("10% and above", [t for t in pairs if t.rate >= 0.1]))
    for name, group in rows:
        if not group:
            continue
        shares = [
            np.mean([t.original == "clean" and t.label != "clean" for t in group]),
            np.mean([t.original == "clean" for t in group]),
            np.mean([t.original == "spun" for t in group]),
        ]
        lines.append(write_row(name, len(group), *(f"{share:.3f}" for share in shares)))
    return lines


def main(arguments: Sequence[str] | None = None) -> int:
    """``scripts/evaluate_compared``: figures of articles among references; writes Markdown tables."""
    parser = argparse.ArgumentParser(prog="scripts/evaluate_compared", description=main.__doc__)
    parser.add_argument("--shared", type=Path, required=True, help="the folder with corpora/, lexicons/, real/")
    parser.add_argument("--models", type=Path, help="folder of without-FAMILY.npz (scripts/leave_one_out --models)")
    parser.add_argument("--count", type=int, default=20, help="spun trials of each case, rate and family")
    parser.add_argument("--honest", type=int, help="honest trials of each case and family (ten times --count)")
    parser.add_argument("--only", nargs="+", choices=FAMILIES, default=FAMILIES, help="spin by these families alone")
    parser.add_argument("--out", type=Path, help="the file to write instead of stdout")
    options = parser.parse_args(arguments)
    lexicon, say = Lexicon.load(), start_clock()
    documents = read_documents(options.shared)
    honest = 10 * options.count if options.honest is None else options.honest
    trials = list[Trial]()
    for dictionary in load_dictionaries(lexicon, options.shared):
        if dictionary.family not in options.only:
            continue
        model = Model.load(options.models / f"without-{dictionary.family}.npz" if options.models else None)
        pool = build_pools(documents, [dictionary])["validation"]
        trials += run_trials(Detector(model, lexicon), pool, options.count, honest, dictionary.family)
        say(f"{dictionary.family}: done")
    how = "a family that its model was not trained on" if options.models else "families that the model was trained on"
    heading = [
        "# Articles among references",
        f"Spun by {how}: {', '.join(options.only)}.",
        f"Written by `scripts/evaluate_compared`, count {options.count}, honest {honest}.",
    ]
    text = "\n".join([*heading, *tabulate_trials(trials)])
    if options.out:
        options.out.write_text(text + "\n", "utf-8")
    else:
        print(text)
    return 0
