"""Fitting: what was learnt from situations into the five scorers, their scores into thresholds."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from unspun.classifier import PRIOR, Scorer, Thresholds, to_probability
from unspun.extractors.substitutions import FEATURES as PAIR
from unspun.extractors.usage import FEATURES as USAGE
from unspun.extractors.wording import FEATURES as WORDING
from unspun.features import ALONE, COMPARED
from unspun.training.estimator import SpunClassifier
from unspun.training.tasks import UNMEASURED, Row

#: Share of honest articles of any one kind that may be called spun, and suspect.
SPUN_COST: Final = 0.005
SUSPECT_COST: Final = 0.03
#: A corpus needs this many honest validation articles for its own quantile to mean something.
MIN_CORPUS: Final = 300
#: From the half of training situations that is spun to the share that scores are calibrated for, in log-odds.
BASE_RATE: Final = float(np.log(PRIOR / (1 - PRIOR)))


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
    for rule in UNMEASURED:
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
