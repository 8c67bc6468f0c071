"""Weights by which the likely originals of a swapped word are ranked: a conditional logit (McFadden 1974), in which the
true original competes with the other synonyms of the word that replaced it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize  # type: ignore[import-untyped]

from unspun.training.folds import fold_of

#: The features of the candidates, float64[c, k], and the true one's place.
Choice = tuple[NDArray[np.float64], int]

#: Weight of the squared weights, for features in standard deviations.
_PENALTY: Final = 1e-3


def fit_originals(learnt: Sequence[Mapping[str, Any]]) -> tuple[NDArray[np.float64], dict[str, float]]:
    """float64[k]: the weights; and how often the true original is ranked first, and among the first three, in a fold
    that a first fit had not seen."""
    seen = [choice for one in learnt if fold_of(one["group"]) for choice in one["choices"]]
    unseen = [choice for one in learnt if not fold_of(one["group"]) for choice in one["choices"]]
    return fit_choices([*seen, *unseen]), measure_ranking(unseen, fit_choices(seen))


def measure_ranking(choices: Sequence[Choice], weights: NDArray[np.float64]) -> dict[str, float]:
    """How often the weights rank the true original first, and among the first three."""
    scores = [(features @ weights, true) for features, true in choices]
    ranks = np.array([(found > found[true]).sum() for found, true in scores])
    return {"original_first": float((ranks == 0).mean()), "original_in_three": float((ranks < 3).mean())}


def fit_choices(choices: Sequence[Choice]) -> NDArray[np.float64]:
    """float64[k]: the weights under which the true originals are likeliest."""
    counts = [len(features) for features, _ in choices]
    first = np.append(0, np.cumsum(counts)[:-1])
    owner = np.repeat(np.arange(len(choices)), counts)
    features = np.concatenate([features for features, _ in choices])
    scale = features.std(axis=0) + 1e-9
    features = features / scale
    at = first + np.array([place for _, place in choices])
    true = features[at].sum(axis=0)

    def lose(weights: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        scores = features @ weights
        scores -= np.maximum.reduceat(scores, first)[owner]
        odds = np.exp(scores)
        total = np.add.reduceat(odds, first)
        shares = odds / total[owner]
        loss = float(-np.log(odds[at] / total).mean() + _PENALTY * weights @ weights)
        return loss, (shares @ features - true) / len(choices) + 2 * _PENALTY * weights

    found = minimize(lose, np.zeros(features.shape[1]), jac=True, method="L-BFGS-B").x
    weights: NDArray[np.float64] = found / scale
    return weights
