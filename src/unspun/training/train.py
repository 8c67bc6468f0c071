"""Training: situations into evidence, evidence into five scorers, scores into thresholds.

The scorers of words, pairs and usage learn from one half of the training texts, the two article heads from the
other half, so that a head sees word scores as they are on texts never seen. Thresholds are set, and figures
measured, on validation texts.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import random
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, Literal, TypeVar

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

import unspun
from unspun.article import Article
from unspun.classifier import PRIOR, Model, Scorer, Thresholds, to_probability
from unspun.detector import MIN_WORDS
from unspun.evidence import Evidence, gather_evidence
from unspun.extractors.substitutions import FEATURES as PAIR
from unspun.extractors.usage import FEATURES as USAGE
from unspun.extractors.wording import FEATURES as WORDING
from unspun.features import ALONE, COMPARED
from unspun.lexicon import Lexicon
from unspun.references import References
from unspun.scoring import measure
from unspun.text import Text
from unspun.training.card import write_card
from unspun.training.corpora import HARD, HUMAN, Document, hash_data, read_corpus, split
from unspun.training.dictionaries import Dictionary, load_dictionaries
from unspun.training.estimator import SpunClassifier
from unspun.training.situations import Pool, Situation, cut, draw_situation

Role = Literal["scorers", "heads", "validation"]
T = TypeVar("T")

#: Share of honest articles of any one kind that may be called spun, and suspect.
SPUN_COST: Final = 0.005
SUSPECT_COST: Final = 0.03
#: A corpus needs this many honest validation articles for its own quantile to mean something.
MIN_CORPUS: Final = 300
#: From the half of training situations that is spun to the share that scores are calibrated for, in log-odds.
BASE_RATE: Final = float(np.log(PRIOR / (1 - PRIOR)))
#: Corpora whose groups are events with several reports. Larger groups of FNC-1 mix stories.
STORY_CORPORA: Final = ("ecbplus_clusters", "fnc1", "samples")
MAX_STORY: Final = 16
#: Rules' scores before they are measured.
_UNMEASURED: Final = {"a_an": 0.5, "doubled": 0.5, "phrase": 0.5}


@dataclass(frozen=True, slots=True)
class Sizes:
    """How many situations of each role are drawn (half of them spun)."""

    scorers: int = 8000
    heads: int = 16000
    validation: int = 12000


@dataclass(frozen=True, slots=True)
class Row:
    """One situation as the article heads see it."""

    alone: NDArray[np.float64]
    compared: NDArray[np.float64] | None
    spun: bool
    case: str
    corpus: str
    group: str
    family: str | None
    rate: float
    words: int


def role_of(group: str) -> Role:
    """The role of a group of texts, by a stable hash."""
    if split(group) == "validation":
        return "validation"
    return "scorers" if split(group, seed=1) == "validation" else "heads"


def build_pools(documents: Iterable[Document], dictionaries: Iterable[Dictionary]) -> dict[Role, Pool]:
    """The documents by role, every role with all dictionaries."""
    by_role: dict[Role, dict[str, list[Document]]] = {r: defaultdict(list) for r in ("scorers", "heads", "validation")}
    stories: dict[Role, dict[str, list[Document]]] = {r: defaultdict(list) for r in by_role}
    for document in documents:
        role = role_of(document.group)
        by_role[role][document.corpus].append(document)
        stories[role][document.group].append(document)
    families = {d.family: d for d in dictionaries}
    return {
        role: Pool(
            dict(by_role[role]),
            [s for s in stories[role].values() if 2 <= len(s) <= MAX_STORY and s[0].corpus in STORY_CORPORA],
            families,
        )
        for role in by_role
    }


# --- workers: forked, so that pools and models are shared and only numbers travel

_pool: Pool
_model: Model | None = None
_lexicon: Lexicon


def _draw(seed: str, spun: bool) -> Situation:
    rng = random.Random(seed)
    while True:
        situation = draw_situation(_pool, rng, spun)
        if situation is not None:
            return situation


def _gather(situation: Situation) -> Evidence:
    references = None
    if situation.references:
        references = References.build((Article(f"r{n}", text) for n, text in enumerate(situation.references)), _lexicon)
    rules = _model.rules if _model else _UNMEASURED
    return gather_evidence(Text(situation.article), _lexicon, rules, references)


def swapped_words(situation: Situation, evidence: Evidence) -> NDArray[np.bool_]:
    """Which words of the article stand in a true swap: bool[words]. A disguised word is still the same word."""
    words = evidence.article.text.words
    swapped = np.zeros(len(words), np.bool_)
    index = 0
    for swap in situation.swaps:
        if swap.kind == "trick":
            continue
        while index < len(words) and words[index].end <= swap.start:
            index += 1
        at = index
        while at < len(words) and words[at].start < swap.end:
            swapped[at] = True
            at += 1
    return swapped


def label_pairs(situation: Situation, evidence: Evidence) -> NDArray[np.bool_]:
    """Which pairs show a true swap and what stood there: bool[pairs].

    True when the pair's words lie in a swap for half or more, and the reference's wording holds a word of the
    original's; a swapped word opposite something else shows nothing.
    """
    labels = np.zeros(len(evidence.substitutions.pairs), np.bool_)
    if not situation.swaps:
        return labels
    swapped = swapped_words(situation, evidence)
    words = evidence.article.text.words
    for i, pair in enumerate(evidence.substitutions.pairs):
        if swapped[pair.a0 : pair.a1].mean() < 0.5:
            continue
        start, end = words[pair.a0].start, words[pair.a1 - 1].end
        originals = {
            word
            for swap in situation.swaps
            if swap.start < end and swap.end > start
            for word in swap.original.lower().replace("’", "'").split()
        }
        other = evidence.comparisons[evidence.substitutions.owner[i]].reference.examined
        labels[i] = not originals.isdisjoint(other.text.norms[pair.r0 : pair.r1])
    return labels


def _learn_words_and_pairs(task: tuple[str, bool]) -> dict[str, Any]:
    """What the scorers of words and pairs learn from one situation."""
    situation = _draw(*task)
    evidence = _gather(situation)
    swapped = swapped_words(situation, evidence)
    # Beside its own spun copy an original shows the same pairs the other way round: which of two wordings is
    # the swap is for the article head to say, not for the scorer of pairs.
    mirrored = situation.case in ("own_copy", "event_copy")
    hits = defaultdict[str, list[bool]](list)
    if situation.spun:
        for finding in evidence.rules:
            if finding.kind == "trick":
                continue
            norms = evidence.article.text.norms
            rule = finding.kind
            if rule == "grammar":
                rule = "doubled" if norms[finding.first] == norms[finding.last - 1] else "a_an"
            hits[rule].append(bool(swapped[finding.first : finding.last].any()))
    return {
        "words": evidence.wordings.features,
        "swapped": swapped[evidence.wordings.places],
        "pairs": evidence.substitutions.features[: 0 if mirrored else None],
        "shown": label_pairs(situation, evidence)[: 0 if mirrored else None],
        "hits": dict(hits),
        "usage": evidence.usage.features if evidence.usage else None,
        "group": situation.group,
    }


def measure_row(situation: Situation, evidence: Evidence, scorers: Mapping[str, Scorer]) -> Row:
    """The situation as the article heads see it."""
    measured = measure(evidence, scorers)
    return Row(
        measured.alone, measured.compared, situation.spun, situation.case, situation.corpus, situation.group,
        situation.family, situation.rate, len(evidence.article),
    )  # fmt: skip


def _measure_heads(task: tuple[str, bool]) -> Row:
    assert _model is not None
    situation = _draw(*task)
    return measure_row(situation, _gather(situation), _model.scorers)


def _measure_honest(task: tuple[str, bool]) -> Row:
    """One honest document alone, cut to a drawn length; the task's name ends in the document's number."""
    assert _model is not None
    rng = random.Random(task[0])
    documents = [document for corpus in sorted(_pool.documents) for document in _pool.documents[corpus]]
    document = documents[int(task[0].rsplit(":", 1)[1]) % len(documents)]
    text = cut(document.text, rng.randint(*_pool.lengths), rng)
    situation = Situation(text, (), False, (), "alone", document.corpus, document.group)
    return measure_row(situation, _gather(situation), _model.scorers)


def run_tasks(
    function: Callable[[tuple[str, bool]], T],
    pool: Pool,
    tasks: Sequence[tuple[str, bool]],
    lexicon: Lexicon,
    model: Model | None,
) -> list[T]:
    """``function`` over the tasks (seed, spun), on all cores; the result does not depend on their number."""
    global _pool, _model, _lexicon
    _pool, _model, _lexicon = pool, model, lexicon
    context = multiprocessing.get_context("fork")
    with context.Pool() as workers:
        return list(workers.imap(function, tasks, chunksize=32))


def measure_situations(pool: Pool, tasks: Sequence[tuple[str, bool]], lexicon: Lexicon, model: Model) -> list[Row]:
    """The situations of the tasks as the article heads see them; the model needs the scorers below the heads."""
    return run_tasks(_measure_heads, pool, tasks, lexicon, model)


def name_tasks(seed: str, count: int) -> list[tuple[str, bool]]:
    """Tasks for drawn situations, every second one spun."""
    return [(f"{seed}:{n}", n % 2 == 0) for n in range(count)]


def name_honest_tasks(seed: str, pool: Pool, least: int) -> list[tuple[str, bool]]:
    """Every document of the pool once, those of small corpora so often that each corpus comes to ``least``."""
    tasks, first = list[tuple[str, bool]](), 0
    for corpus in sorted(pool.documents):
        size = len(pool.documents[corpus])
        for turn in range(-(-least // size)):
            tasks += [(f"{seed}:{turn}:{first + n}", False) for n in range(size)]
        first += size
    return tasks


# --- fitting


def fit_scorers(
    learnt: Sequence[Mapping[str, Any]], seed: int
) -> tuple[dict[str, Scorer], dict[str, float], dict[str, float]]:
    """The scorers of words, pairs and usage, the rules' precisions, and figures on folds not seen."""
    scorers, figures = dict[str, Scorer](), dict[str, float]()
    for name, labels, names in (("words", "swapped", WORDING), ("pairs", "shown", PAIR)):
        features = np.concatenate([one[name] for one in learnt])
        target = np.concatenate([one[labels] for one in learnt])
        groups = np.repeat([hash_group(one["group"]) for one in learnt], [len(one[labels]) for one in learnt])
        assert features.shape[1] == len(names)
        estimator = SpunClassifier(iterations=150, leaves=24, min_samples=60, folds=3, seed=seed)
        estimator.fit(features, target, groups)
        figures[f"{name}_auc"] = float(roc_auc_score(target, estimator.margins_))
        figures[f"{name}_rows"] = float(len(target))
        scorers[name] = estimator.export()
        if name == "words":
            word_margins = estimator.margins_
    scorers["usage"], figures["usage_auc"] = _fit_usage(learnt, word_margins, seed)
    rules = {}
    for rule in _UNMEASURED:
        hits = [hit for one in learnt for hit in one["hits"].get(rule, [])]
        # Two imaginary misses: a rule that seldom hits is not trusted blindly.
        rules[rule] = sum(hits) / (len(hits) + 2)
    return scorers, rules, figures


def _fit_usage(learnt: Sequence[Mapping[str, Any]], margins: NDArray[np.float64], seed: int) -> tuple[Scorer, float]:
    """The scorer of words beside the references' usage; ``margins`` float64[all examined words] come from folds
    of the words' scorer that had not seen them."""
    features, target, groups, at = list[NDArray[np.float32]](), list[NDArray[np.bool_]](), list[int](), 0
    for one in learnt:
        count = len(one["swapped"])
        if one["usage"] is not None:
            block = one["usage"].copy()
            block[:, 0] = margins[at : at + count]
            features.append(block)
            target.append(one["swapped"])
            groups += [hash_group(one["group"])] * count
        at += count
    assert features[0].shape[1] == len(USAGE)
    estimator = SpunClassifier(iterations=150, leaves=24, min_samples=60, folds=3, seed=seed)
    labels = np.concatenate(target)
    estimator.fit(np.concatenate(features), labels, np.array(groups))
    return estimator.export(), float(roc_auc_score(labels, estimator.margins_))


def hash_group(group: str) -> int:
    """A stable number for a group of texts."""
    return int.from_bytes(group.encode()[-6:].rjust(6, b"\0"), "big") ^ (len(group) << 48)


def fit_heads(rows: Sequence[Row], seed: int) -> tuple[dict[str, Scorer], dict[str, float]]:
    """The two article heads; the compared one sees margins of the other from folds not seen."""
    groups = np.array([hash_group(row.group) for row in rows])
    target = np.array([row.spun for row in rows])
    # An altered quotation is three or four words in five hundred: without a reference it does not show.
    fair = np.array([row.case != "quote" for row in rows])
    alone = SpunClassifier(list(ALONE.values()), iterations=150, seed=seed)
    features = np.array([row.alone for row in rows])
    alone.fit(features[fair], target[fair], groups[fair])
    alone.offset_ += BASE_RATE
    margins = alone.decision_function(features)
    margins[fair] = alone.margins_ + BASE_RATE
    has = np.array([row.compared is not None for row in rows])
    compared_features = np.array([row.compared for row in rows if row.compared is not None])
    compared_features[:, 0] = margins[has]
    compared = SpunClassifier(list(COMPARED.values()), iterations=150, seed=seed)
    compared.fit(compared_features, target[has], groups[has])
    compared.offset_ += BASE_RATE
    figures = {
        "alone_auc": float(roc_auc_score(target[fair], alone.margins_)),
        "compared_auc": float(roc_auc_score(target[has], compared.margins_)),
    }
    return {"alone": alone.export(), "compared": compared.export()}, figures


def score_rows(rows: Sequence[Row], scorers: Mapping[str, Scorer]) -> NDArray[np.float64]:
    """The article score of every row, by the head that applies: float64[rows]."""
    margins = scorers["alone"].log_odds(np.array([row.alone for row in rows]))
    scores = to_probability(margins)
    has = [i for i, row in enumerate(rows) if row.compared is not None]
    if has:
        features = np.array([rows[i].compared for i in has])
        features[:, 0] = margins[has]
        scores[has] = scorers["compared"].score(features)
    return scores


def choose_thresholds(rows: Sequence[Row], scores: NDArray[np.float64]) -> Thresholds:
    """The lowest scores at which no clean corpus apart is called spun, or suspect, more often than allowed."""
    by_corpus = defaultdict[str, list[float]](list)
    for row, score in zip(rows, scores, strict=True):
        if not row.spun:
            by_corpus[row.corpus].append(score)
    large = [np.array(v) for v in by_corpus.values() if len(v) >= MIN_CORPUS]
    large.append(np.concatenate([np.array(v) for v in by_corpus.values()]))

    def lowest(cost: float) -> float:
        return float(max(np.quantile(v, 1 - cost, method="higher") for v in large)) + 1e-6

    return Thresholds(round(lowest(SUSPECT_COST), 6), round(lowest(SPUN_COST), 6))


def train(
    documents: Sequence[Document], dictionaries: Sequence[Dictionary], lexicon: Lexicon, sizes: Sizes, seed: int,
    name: str, data_hash: str,
) -> tuple[Model, list[Row]]:  # fmt: skip
    """The whole training; returns the model and the validation rows that its figures come from."""
    started = time.monotonic()

    def say(message: str) -> None:
        print(f"[{time.monotonic() - started:5.0f} s] {message}", file=sys.stderr, flush=True)

    pools = build_pools(documents, dictionaries)
    say(f"{len(documents)} documents, families {', '.join(d.family for d in dictionaries)}")
    learnt = run_tasks(
        _learn_words_and_pairs, pools["scorers"], name_tasks(f"{seed}:scorers", sizes.scorers), lexicon, None
    )
    scorers, rules, figures = fit_scorers(learnt, seed)
    say(f"words and pairs: {figures}, rules {rules}")
    half = Model(name, scorers, {}, rules, {})
    rows = measure_situations(pools["heads"], name_tasks(f"{seed}:heads", sizes.heads), lexicon, half)
    heads, more = fit_heads(rows, seed)
    scorers |= heads
    say(f"heads: {more}")
    validation = measure_situations(
        pools["validation"], name_tasks(f"{seed}:validation", sizes.validation), lexicon, half
    )
    honest = name_honest_tasks(f"{seed}:honest", pools["validation"], MIN_CORPUS)
    validation += run_tasks(_measure_honest, pools["validation"], honest, lexicon, half)
    scores = score_rows(validation, scorers)
    thresholds = {}
    for head in ("alone", "compared"):
        mine = [i for i, row in enumerate(validation) if (row.compared is None) == (head == "alone")]
        thresholds[head] = choose_thresholds([validation[i] for i in mine], scores[mine])
    say(f"thresholds: {thresholds}")
    card = {
        "unspun": unspun.__version__,
        "data_sha256": data_hash,
        "seed": seed,
        "families": sorted(d.family for d in dictionaries),
        "corpora": sorted({d.corpus for d in documents}),
        "situations": [sizes.scorers, sizes.heads, sizes.validation],
        "figures": {k: round(v, 4) for k, v in (figures | more).items()},
    }
    return Model(name, scorers, thresholds, rules, card), validation


def tabulate(
    rows: Sequence[Row], scores: NDArray[np.float64], thresholds: Mapping[str, Thresholds]
) -> dict[str, dict[str, list[float]]]:
    """Figures by case, corpus, family and rate: share called spun, share called suspect or spun, count."""
    cells = defaultdict[str, dict[str, list[tuple[bool, bool]]]](lambda: defaultdict(list))
    for row, score in zip(rows, scores, strict=True):
        label = thresholds["alone" if row.compared is None else "compared"].label(score)
        hit = (label == "spun", label != "clean")
        side = "spun" if row.spun else "honest"
        cells[f"{side} by case"][row.case].append(hit)
        cells[f"{side} by length"][f"{min(row.words // 100, 4) * 100}+ words"].append(hit)
        if row.spun:
            with_references = (
                "with source"
                if row.case == "source"
                else "same event"
                if row.case == "event"
                else "alone"
                if row.compared is None
                else None
            )
            if with_references and row.case != "quote":
                cells[f"spun by family, {with_references}"][str(row.family)].append(hit)
                bucket = next(r for r in (0.07, 0.12, 0.2, 0.35, 1.0) if row.rate <= r)
                cells[f"spun by rate, {with_references}"][f"up to {bucket:.0%}"].append(hit)
        else:
            head = "alone" if row.compared is None else "compared"
            cells[f"honest by corpus, {head}"][row.corpus].append(hit)
    return {
        table: {key: [*(float(v) for v in np.mean(hits, axis=0)), len(hits)] for key, hits in sorted(cell.items())}
        for table, cell in sorted(cells.items())
    }


def print_tables(tables: Mapping[str, Mapping[str, Sequence[float]]]) -> None:
    for table, cell in tables.items():
        print(f"\n{table:40} spun  suspect+   n")
        for key, (spun, suspect, count) in cell.items():
            print(f"  {key:36} {spun:6.3f}  {suspect:6.3f}  {int(count):5}")


def read_documents(shared: Path) -> list[Document]:
    """All clean documents of the shared corpora that are long enough to be judged."""
    documents = (document for name in (*HUMAN, *HARD) for document in read_corpus(shared, name))
    return [document for document in documents if len(Text(document.text).words) >= MIN_WORDS]


def main(arguments: Sequence[str] | None = None) -> int:
    """``scripts/train``: train on the shared corpora, write the model file and print the figures."""
    parser = argparse.ArgumentParser(prog="scripts/train", description=main.__doc__)
    parser.add_argument("--shared", type=Path, required=True, help="the folder with corpora/, lexicons/, real/")
    parser.add_argument("--out", type=Path, required=True, help="the model file to write")
    parser.add_argument("--card", type=Path, help="the model card to write (Markdown)")
    parser.add_argument("--name", default="default@1", help="the model's name and version")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--scale", type=float, default=1.0, help="share of the usual number of situations")
    options = parser.parse_args(arguments)
    if not options.shared.is_dir():
        print(
            f"scripts/train: {options.shared}: no such folder; it holds the corpora to train on",
            file=sys.stderr,
        )
        return 2
    lexicon = Lexicon.load()
    dictionaries = load_dictionaries(lexicon, options.shared)
    usual = Sizes()
    sizes = Sizes(*(max(200, int(n * options.scale)) for n in (usual.scorers, usual.heads, usual.validation)))
    documents = read_documents(options.shared)
    model, validation = train(
        documents, dictionaries, lexicon, sizes, options.seed, options.name, hash_data(options.shared)
    )
    tables = tabulate(validation, score_rows(validation, model.scorers), model.thresholds)
    print_tables(tables)
    card = model.card | {"tables": tables}
    model = replace(model, card=card)
    model.save(options.out)
    if options.card:
        options.card.write_text(write_card(model, tables, MIN_CORPUS), "utf-8")
    print(json.dumps(model.card["figures"]), file=sys.stderr)
    return 0
