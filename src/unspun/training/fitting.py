"""Fitting: what was learnt from situations into scorers, their scores into thresholds."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from unspun.classifier import BASE_RATE, NETWORKS, Scorer, Thresholds, to_probability
from unspun.extractors.direction import insert_odds, mirror
from unspun.extractors.wording import insert_habits
from unspun.features import insert_margins
from unspun.habits import Habits
from unspun.second_look import look_again
from unspun.training.estimator import SpunNetworks, SpunTrees
from unspun.training.folds import hash_group
from unspun.training.measures import find_limit, join_small, weigh_texts
from unspun.training.situations import QUOTES
from unspun.training.tasks import UNMEASURED, ExcerptWords, Row
from unspun.training.unseen_habits import UnseenHabits

#: Share of the honest articles of any one corpus that may be called spun, and suspect.
SPUN_COST: Final = 0.005
SUSPECT_COST: Final = 0.03
#: The same of those in any one case (a report among others of its event, an edited copy, ...) beside references.
SPUN_CASE_COST: Final = 0.002
SUSPECT_CASE_COST: Final = 0.02
#: However few honest articles score high: what is more probably honest is not called spun, and what is hardly likelier
#: spun than any other article is not suspect.
LEAST_SPUN: Final = 0.5
LEAST_SUSPECT: Final = 0.2
#: Honest validation articles drawn of every corpus, at least.
MIN_CORPUS: Final = 300
#: How many situations the excerpts count for, as a share of those drawn. With a sixth, 76 % of the excerpts held out
#: were above what the worst honest corpus allows, 44 % where no excerpt had taught the scorers of words.
EXCERPTS_SHARE: Final = 0.2


@dataclass(frozen=True, slots=True, eq=False)
class Fitted:
    """``scorers`` without the article heads; ``rules``: their precisions; ``figures`` on folds not seen;
    ``excerpts``: for each excerpt, by its group, the scorers of words that had not seen it."""

    scorers: dict[str, Scorer]
    rules: dict[str, float]
    figures: dict[str, float]
    excerpts: dict[str, dict[str, Scorer]]


def fit_scorers(
    learnt: Sequence[Mapping[str, Any]],
    excerpts: Sequence[ExcerptWords],
    habits: Habits,
    unseen: UnseenHabits,
    seed: int,
) -> Fitted:
    """Fit all scorers but the article heads. ``unseen``: ``habits`` without what the situations ``learnt`` were counted
    for."""
    estimators, figures = dict[str, SpunTrees | SpunNetworks](), dict[str, float]()

    def fit(
        name: str, features: NDArray[Any], target: NDArray[np.bool_], groups: NDArray[Any]
    ) -> SpunTrees | SpunNetworks:
        estimator = (
            SpunNetworks(units=32, decay=1e-3, epochs=25, batch=1000, folds=3, seed=seed)
            if name in NETWORKS
            else SpunTrees(iterations=150, leaves=24, min_samples=60, folds=3, seed=seed)
        )
        estimators[name] = estimator.fit(features, target, groups)
        figures[f"{name}_auc"] = float(roc_auc_score(target, estimator.margins_))
        figures[f"{name}_rows"] = float(len(target))
        return estimator

    def gather(name: str) -> NDArray[Any]:
        return np.concatenate([one[name] for one in learnt])

    # Really spun excerpts teach the scorers of words beside the situations, several times since they are few.
    real = [one for one in excerpts for _ in range(round(EXCERPTS_SHARE * len(learnt) / len(excerpts)))]
    real_features = [insert_habits(one.words, habits) for one in real]
    swapped = np.concatenate([gather("swapped"), *(one.swapped for one in real)])
    word_groups = np.concatenate(
        [
            _repeat_groups(learnt, "swapped"),
            np.repeat([hash_group(one.group) for one in real], [len(one.swapped) for one in real]).astype(np.int64),
        ]
    )
    known = [insert_habits(one["words"], unseen.find(one["group"])) for one in learnt]
    words = fit("words", np.concatenate([*known, *real_features]), swapped, word_groups)
    strange = [insert_habits(one["words"], unseen.find_strange(one["group"], one["family"])) for one in learnt]
    fit("strange", np.concatenate([*strange, *real_features]), swapped, word_groups)
    margins = words.margins_[: sum(len(one["swapped"]) for one in learnt)]
    shown, groups = gather("shown"), _repeat_groups(learnt, "shown")
    mirrored = np.repeat([one["mirrored"] for one in learnt], [len(one["shown"]) for one in learnt])
    features = gather("pairs")
    pairs = fit("pairs", features[~mirrored], shown[~mirrored], groups[~mirrored])
    directed = _insert_unseen_odds(learnt, margins, words, unseen)
    true = directed[shown]
    directions = fit(
        "directions",
        np.concatenate([true, mirror(true)]),
        np.arange(2 * len(true)) < len(true),
        np.tile(groups[shown], 2),
    )
    odds, direction = pairs.margins_unseen(features, groups), directions.margins_unseen(directed, groups)
    # Numbers of references that no two situations share.
    references = np.cumsum([0, *(len(one["directions"].opposite) for one in learnt)])
    owner = np.concatenate([one["directions"].owner + first for one, first in zip(learnt, references, strict=False)])
    again = look_again(features, owner, gather("coverage"), odds, direction)
    fit("swaps", again, shown & ~mirrored, groups)
    usage = _gather_usage(learnt, margins)
    fit("usage", *usage)
    rules = {}
    for rule in UNMEASURED:
        hits = [hit for one in learnt for hit in one["hits"].get(rule, [])]
        # Two imaginary misses: a rule that seldom hits is not trusted blindly.
        rules[rule] = sum(hits) / (len(hits) + 2)
    return Fitted(
        {name: estimator.export() for name, estimator in estimators.items()},
        rules,
        figures,
        {
            one.group: {name: estimators[name].export_unseen(hash_group(one.group)) for name in ("words", "strange")}
            for one in excerpts
        },
    )


def _repeat_groups(learnt: Sequence[Mapping[str, Any]], name: str) -> NDArray[np.int64]:
    """The group of every row of ``name``."""
    return np.repeat([hash_group(one["group"]) for one in learnt], [len(one[name]) for one in learnt])


def _insert_unseen_odds(
    learnt: Sequence[Mapping[str, Any]],
    margins: NDArray[np.float64],
    words: SpunTrees | SpunNetworks,
    unseen: UnseenHabits,
) -> NDArray[np.float32]:
    """The features of the pairs' directions; the words' log-odds, ``margins`` float64[all examined words] and those of
    the opposite words, come from folds that had not seen the text."""
    opposite = [
        insert_habits(wordings, unseen.find(one["group"])) for one in learnt for wordings in one["directions"].opposite
    ]
    counts = [[len(wordings.features) for wordings in one["directions"].opposite] for one in learnt]
    groups = np.repeat([hash_group(one["group"]) for one in learnt], [sum(count) for count in counts])
    theirs = np.split(words.margins_unseen(np.concatenate(opposite), groups), np.cumsum([n for c in counts for n in c]))
    blocks, at, reference = list[NDArray[np.float32]](), 0, 0
    for one, count in zip(learnt, counts, strict=True):
        own = margins[at : at + len(one["swapped"])]
        blocks.append(insert_odds(one["directions"], own, theirs[reference : reference + len(count)]))
        at += len(own)
        reference += len(count)
    return np.concatenate(blocks)


def _gather_usage(
    learnt: Sequence[Mapping[str, Any]], margins: NDArray[np.float64]
) -> tuple[NDArray[np.float32], NDArray[np.bool_], NDArray[np.int64]]:
    """Features, labels and groups of words beside the references' usage; ``margins`` float64[all examined words]
    come from folds of the words' scorer that had not seen them."""
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
    return np.concatenate(features), np.concatenate(target), np.array(groups)


def fit_heads(rows: Sequence[Row], seed: int) -> tuple[dict[str, Scorer], NDArray[np.float64], dict[str, float]]:
    """The two article heads, the rows' scores by folds that had not seen them, figures on those; the compared head sees
    margins of the other from folds not seen."""
    groups = np.array([hash_group(row.group) for row in rows])
    target = np.array([row.spun for row in rows])
    # An altered quotation is three or four words in five hundred: without a reference it does not show.
    fair = np.array([row.case not in QUOTES for row in rows])
    alone = SpunNetworks(seed=seed)
    features = np.array([row.alone for row in rows])
    alone.fit(features[fair], target[fair], groups[fair])
    alone.offset_ += BASE_RATE
    margins = alone.decision_function(features)
    margins[fair] = alone.margins_ + BASE_RATE
    has = np.array([row.compared is not None for row in rows])
    compared_features = insert_margins(
        np.array([row.compared for row in rows if row.compared is not None]), margins[has]
    )
    compared = SpunNetworks(seed=seed)
    compared.fit(compared_features, target[has], groups[has])
    compared.offset_ += BASE_RATE
    figures = {
        "alone_auc": float(roc_auc_score(target[fair], alone.margins_)),
        "compared_auc": float(roc_auc_score(target[has], compared.margins_)),
    }
    margins[has] = compared.margins_ + BASE_RATE
    return {"alone": alone.export(), "compared": compared.export()}, to_probability(margins), figures


def score_rows(rows: Sequence[Row], scorers: Mapping[str, Scorer]) -> NDArray[np.float64]:
    """The article score of every row, by the head that applies: float64[rows]."""
    margins = scorers["alone"].log_odds(np.array([row.alone for row in rows]))
    scores = to_probability(margins)
    has = [i for i, row in enumerate(rows) if row.compared is not None]
    if has:
        features = insert_margins(np.array([rows[i].compared for i in has]), margins[has])
        scores[has] = scorers["compared"].score(features)
    return scores


def choose_thresholds(sets: Iterable[tuple[Sequence[Row], NDArray[np.float64]]]) -> Thresholds:
    """The lowest scores at which, in every one of the sets of rows with their scores, no clean corpus apart is called
    spun, or suspect, more often than allowed, and no case beside references.

    A document counts once however often it was drawn: each drawing of it counts for its share. Corpora, and cases, with
    too few documents for the cost to be one of them are taken together.
    """
    suspect, spun = [LEAST_SUSPECT], [LEAST_SPUN]
    for rows, scores in sets:
        by_corpus, by_case = defaultdict[str, list[_Drawn]](list), defaultdict[str, list[_Drawn]](list)
        for row, score in zip(rows, scores.tolist(), strict=True):
            if not row.spun:
                by_corpus[row.corpus].append((row.document, score))
                if row.compared is not None:
                    by_case[row.case].append((row.document, score))
        for limits, cost, case_cost in (
            (suspect, SUSPECT_COST, SUSPECT_CASE_COST),
            (spun, SPUN_COST, SPUN_CASE_COST),
        ):
            limits += [*_find_limits(by_corpus.values(), cost), *_find_limits(by_case.values(), case_cost)]
    return Thresholds(*(round(max(limits) + 1e-6, 6) for limits in (suspect, spun)))


#: A document and the score that a drawing of it got.
_Drawn = tuple[str, float]


def _find_limits(kinds: Iterable[Sequence[_Drawn]], cost: float) -> Iterator[float]:
    """The scores above which each kind of honest article costs too much."""
    for drawn in join_small(kinds, cost, lambda drawn: len({text for text, _ in drawn})):
        texts, values = zip(*drawn, strict=True)
        yield find_limit(np.array(values), weigh_texts(texts), cost)
