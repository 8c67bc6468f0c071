"""Fitting: what was learnt from situations into scorers, their scores into thresholds."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from unspun.classifier import BASE_RATE, NETWORKS, Scorer, Thresholds, to_probability
from unspun.extractors.direction import insert_odds, mirror
from unspun.extractors.wording import insert_habits
from unspun.features import COMPARED, insert_margins
from unspun.habits import Habits
from unspun.second_look import look_again
from unspun.training.estimator import SpunNetworks, SpunTrees
from unspun.training.folds import fold_of, hash_group
from unspun.training.measures import find_limit, join_small, weigh_texts
from unspun.training.situations import QUOTES
from unspun.training.tasks import UNMEASURED, Row

#: Share of honest articles of any one kind that may be called spun, and suspect.
SPUN_COST: Final = 0.005
SUSPECT_COST: Final = 0.03
#: Honest validation articles drawn of every corpus, at least.
MIN_CORPUS: Final = 300


def fit_scorers(
    learnt: Sequence[Mapping[str, Any]], unseen: Sequence[Habits], seed: int
) -> tuple[dict[str, Scorer], dict[str, float], dict[str, float]]:
    """All scorers but the article heads, the rules' precisions, and figures on folds not seen. ``unseen``: the words'
    habits without the texts of each fold."""
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

    completed = [insert_habits(one["words"], unseen[fold_of(one["group"])]) for one in learnt]
    words = fit("words", np.concatenate(completed), gather("swapped"), _repeat_groups(learnt, "swapped"))
    shown, groups = gather("shown"), _repeat_groups(learnt, "shown")
    mirrored = np.repeat([one["mirrored"] for one in learnt], [len(one["shown"]) for one in learnt])
    features = gather("pairs")
    pairs = fit("pairs", features[~mirrored], shown[~mirrored], groups[~mirrored])
    directed = _insert_unseen_odds(learnt, words, unseen)
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
    usage = _gather_usage(learnt, words.margins_)
    fit("usage", *usage)
    rules = {}
    for rule in UNMEASURED:
        hits = [hit for one in learnt for hit in one["hits"].get(rule, [])]
        # Two imaginary misses: a rule that seldom hits is not trusted blindly.
        rules[rule] = sum(hits) / (len(hits) + 2)
    return {name: estimator.export() for name, estimator in estimators.items()}, rules, figures


def _repeat_groups(learnt: Sequence[Mapping[str, Any]], name: str) -> NDArray[np.int64]:
    """The group of every row of ``name``."""
    return np.repeat([hash_group(one["group"]) for one in learnt], [len(one[name]) for one in learnt])


def _insert_unseen_odds(
    learnt: Sequence[Mapping[str, Any]], words: SpunTrees | SpunNetworks, unseen: Sequence[Habits]
) -> NDArray[np.float32]:
    """The features of the pairs' directions; the words' log-odds come from folds that had not seen the text."""
    opposite = [
        insert_habits(wordings, unseen[fold_of(one["group"])])
        for one in learnt
        for wordings in one["directions"].opposite
    ]
    counts = [[len(wordings.features) for wordings in one["directions"].opposite] for one in learnt]
    groups = np.repeat([hash_group(one["group"]) for one in learnt], [sum(count) for count in counts])
    theirs = np.split(words.margins_unseen(np.concatenate(opposite), groups), np.cumsum([n for c in counts for n in c]))
    blocks, at, reference = list[NDArray[np.float32]](), 0, 0
    for one, count in zip(learnt, counts, strict=True):
        own = words.margins_[at : at + len(one["swapped"])]
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
    compared = SpunTrees(list(COMPARED.values()), iterations=150, seed=seed)
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
    spun, or suspect, more often than allowed.

    A document counts once however often it was drawn: each drawing of it counts for its share. Corpora with too few
    documents for the cost to be one of them are taken together.
    """
    limits = {SUSPECT_COST: list[float](), SPUN_COST: list[float]()}
    for rows, scores in sets:
        by_corpus = defaultdict[str, list[tuple[str, float]]](list)
        for row, score in zip(rows, scores.tolist(), strict=True):
            if not row.spun:
                by_corpus[row.corpus].append((row.document, score))
        for cost, found in limits.items():
            for drawn in join_small(by_corpus.values(), cost, lambda drawn: len({text for text, _ in drawn})):
                texts, values = zip(*drawn, strict=True)
                found.append(find_limit(np.array(values), weigh_texts(texts), cost))
    suspect, spun = (round(max(found) + 1e-6, 6) for found in limits.values())
    return Thresholds(suspect, spun)
