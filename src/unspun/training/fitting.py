"""Fitting: what was learnt from situations into the five scorers, their scores into thresholds."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from unspun.classifier import BASE_RATE, Scorer, Thresholds, to_probability
from unspun.extractors.direction import insert_odds, mirror
from unspun.extractors.wording import insert_habits
from unspun.features import ALONE, COMPARED, insert_margins
from unspun.second_look import look_again
from unspun.training.estimator import SpunClassifier
from unspun.training.situations import QUOTES
from unspun.training.tasks import UNMEASURED, Row

#: Share of honest articles of any one kind that may be called spun, and suspect.
SPUN_COST: Final = 0.005
SUSPECT_COST: Final = 0.03
#: A corpus needs this many honest validation articles for its own quantile to mean something.
MIN_CORPUS: Final = 300


def fit_scorers(
    learnt: Sequence[Mapping[str, Any]], size: int, seed: int
) -> tuple[dict[str, Scorer], NDArray[np.float32], dict[str, float], dict[str, float]]:
    """All scorers but the article heads, the words' habits, the rules' precisions, and figures on folds not seen.
    ``size``: words of the lexicon."""
    estimators, figures = dict[str, SpunClassifier](), dict[str, float]()

    def fit(name: str, features: NDArray[Any], target: NDArray[np.bool_], groups: NDArray[Any]) -> SpunClassifier:
        estimator = SpunClassifier(iterations=150, leaves=24, min_samples=60, folds=3, seed=seed)
        estimators[name] = estimator.fit(features, target, groups)
        figures[f"{name}_auc"] = float(roc_auc_score(target, estimator.margins_))
        figures[f"{name}_rows"] = float(len(target))
        return estimator

    def gather(name: str) -> NDArray[Any]:
        return np.concatenate([one[name] for one in learnt])

    habits, unseen = count_habits(learnt, size)
    completed = [insert_habits(one["words"], unseen[_fold(one)]) for one in learnt]
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
    return {name: estimator.export() for name, estimator in estimators.items()}, habits, rules, figures


#: Folds for habits: a text's own words are not counted in what is known of them.
_FOLDS: Final = 4
#: Imaginary occurrences at the average rate: a word met twice has no habit yet.
_SMOOTHING: Final = 20.0


def _fold(one: Mapping[str, Any]) -> int:
    return hash_group(one["group"]) % _FOLDS


def count_habits(
    learnt: Sequence[Mapping[str, Any]], size: int
) -> tuple[NDArray[np.float32], list[NDArray[np.float32]]]:
    """How often each word was swapped in where it stood (float32[size, 2] for ``insert_habits``), from all texts
    and from all but those of each fold (target encoding: Micci-Barreca 2001)."""
    times, swapped = np.zeros((_FOLDS, size)), np.zeros((_FOLDS, size))
    for one in learnt:
        np.add.at(times[_fold(one)], one["words"].ids, 1)
        np.add.at(swapped[_fold(one)], one["words"].ids, one["swapped"])
    average = swapped.sum() / max(times.sum(), 1)

    def encode(times: NDArray[np.float64], swapped: NDArray[np.float64]) -> NDArray[np.float32]:
        share = (swapped + _SMOOTHING * average) / (times + _SMOOTHING)
        return np.column_stack([np.log(share / (1 - share)), np.log2(1 + times)]).astype(np.float32)

    everything = times.sum(axis=0), swapped.sum(axis=0)
    return encode(*everything), [encode(everything[0] - times[k], everything[1] - swapped[k]) for k in range(_FOLDS)]


def _repeat_groups(learnt: Sequence[Mapping[str, Any]], name: str) -> NDArray[np.int64]:
    """The group of every row of ``name``."""
    return np.repeat([hash_group(one["group"]) for one in learnt], [len(one[name]) for one in learnt])


def _insert_unseen_odds(
    learnt: Sequence[Mapping[str, Any]], words: SpunClassifier, unseen: Sequence[NDArray[np.float32]]
) -> NDArray[np.float32]:
    """The features of the pairs' directions; the words' log-odds come from folds that had not seen the text."""
    opposite = [insert_habits(other, unseen[_fold(one)]) for one in learnt for other in one["directions"].opposite]
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


def hash_group(group: str) -> int:
    """A stable number for a group of texts."""
    return int.from_bytes(hashlib.blake2b(group.encode(), digest_size=7).digest(), "big")


def fit_heads(rows: Sequence[Row], seed: int) -> tuple[dict[str, Scorer], dict[str, float]]:
    """The two article heads; the compared one sees margins of the other from folds not seen."""
    groups = np.array([hash_group(row.group) for row in rows])
    target = np.array([row.spun for row in rows])
    # An altered quotation is three or four words in five hundred: without a reference it does not show.
    fair = np.array([row.case not in QUOTES for row in rows])
    alone = SpunClassifier(list(ALONE.values()), iterations=150, seed=seed)
    features = np.array([row.alone for row in rows])
    alone.fit(features[fair], target[fair], groups[fair])
    alone.offset_ += BASE_RATE
    margins = alone.decision_function(features)
    margins[fair] = alone.margins_ + BASE_RATE
    has = np.array([row.compared is not None for row in rows])
    compared_features = insert_margins(
        np.array([row.compared for row in rows if row.compared is not None]), margins[has]
    )
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
        features = insert_margins(np.array([rows[i].compared for i in has]), margins[has])
        scores[has] = scorers["compared"].score(features)
    return scores


def choose_thresholds(rows: Sequence[Row], scores: NDArray[np.float64]) -> Thresholds:
    """The lowest scores at which no clean corpus apart is called spun, or suspect, more often than allowed.

    A document counts once however often it was drawn: each drawing of it counts for its share.
    """
    by_corpus = defaultdict[str, list[tuple[str, float]]](list)
    for row, score in zip(rows, scores, strict=True):
        if not row.spun:
            by_corpus[row.corpus].append((row.document, score))
    large = [drawn for drawn in by_corpus.values() if len(drawn) >= MIN_CORPUS]
    large.append([one for drawn in by_corpus.values() for one in drawn])

    def lowest(cost: float) -> float:
        return max(_find_quantile(drawn, cost) for drawn in large) + 1e-6

    return Thresholds(round(lowest(SUSPECT_COST), 6), round(lowest(SPUN_COST), 6))


def _find_quantile(drawn: Sequence[tuple[str, float]], cost: float) -> float:
    """The lowest of the scores that documents reach by a share of ``cost`` at most above it."""
    times = Counter(document for document, _ in drawn)
    ranked = sorted(((score, 1 / times[document]) for document, score in drawn), reverse=True)
    above = 0.0
    for score, weight in ranked:
        above += weight
        if above > cost * len(times):
            return float(score)
    return float(ranked[-1][0])
