"""A second look at every pair of wordings: what the other pairs of the same reference say about it.

One odd pair in a text that follows its reference elsewhere word for word is an editor's; the same pair among
thirty swaps is one more swap, though neither meaning nor spelling connects its two wordings.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from unspun.classifier import to_probability
from unspun.extractors.substitutions import FEATURES as PAIR

FEATURES: Final = (*PAIR, "odds", "direction", "others_mean", "others_sum", "others_direction", "coverage")


def look_again(
    features: NDArray[np.float32], owner: NDArray[np.int32], coverage: NDArray[np.float64],
    odds: NDArray[np.float64], direction: NDArray[np.float64],
) -> NDArray[np.float64]:  # fmt: skip
    """float64[pairs, len(FEATURES)].

    ``features`` float32[pairs, k] and ``owner`` int32[pairs] as in
    :class:`unspun.extractors.substitutions.Substitutions`; ``odds``: log-odds that a pair is a swap one way or
    the other; ``direction``: log-odds that the article's wording is the swap; ``coverage``: share of the article
    that follows the pair's reference; float64[pairs] each.
    """
    size = int(owner.max()) + 1 if len(owner) else 0
    probability = to_probability(odds)
    pull = weigh_direction(probability, direction)
    # Sums over the other pairs of the reference: the pair itself is taken out.
    total = np.bincount(owner, probability, size)[owner] - probability
    count = np.bincount(owner, minlength=size)[owner] - 1
    pulls = np.bincount(owner, pull, size)[owner] - pull
    return np.column_stack([
        features, odds, direction,
        total / (count + 3.0), np.log1p(np.maximum(total, 0)), pulls / np.sqrt(np.maximum(total, 0) + 1.0), coverage,
    ])  # fmt: skip


#: No pair alone decides the direction of a text.
_MAX_PULL: Final = 3.0


def weigh_direction(probability: NDArray[np.float64], direction: NDArray[np.float64]) -> NDArray[np.float64]:
    """float64[pairs]: the log-odds of direction, each as far as the pair is a swap at all."""
    weighed: NDArray[np.float64] = probability * np.clip(direction, -_MAX_PULL, _MAX_PULL)
    return weighed
