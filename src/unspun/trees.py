"""Gradient-boosted trees read from arrays: scikit-learn trains them, numpy alone scores with them.

Loading scikit-learn takes two seconds, and its own files (pickle) can run code. Arrays of numbers can not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class Trees:
    """T trees as flat arrays over all their nodes.

    ``roots`` int32[T]; ``feature`` int32[nodes] (-1 for a leaf), ``threshold`` float64[nodes] (left when the
    value is not greater), ``left``, ``right`` int32[nodes], ``value`` float64[nodes] (of leaves); ``base``: the
    sum's start; ``depth``: steps from a root to the deepest leaf. The margin is the log-odds.
    """

    roots: NDArray[np.int32]
    feature: NDArray[np.int32]
    threshold: NDArray[np.float64]
    left: NDArray[np.int32]
    right: NDArray[np.int32]
    value: NDArray[np.float64]
    base: float
    depth: int

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[np.generic]], prefix: str) -> Trees:
        """Read the arrays ``<prefix>.<attribute>``; raises ValueError where they do not make sound trees."""
        try:
            nodes = {name: np.asarray(arrays[f"{prefix}.{name}"]) for name in cls.__slots__}
        except KeyError as missing:
            raise ValueError(f"the array {missing} is missing") from None
        count = len(nodes["feature"])
        inner = nodes["feature"] >= 0
        at = np.arange(count)
        for side in ("left", "right"):
            child = nodes[side]
            # A child after its parent and inside the array: the walk then ends, whatever the file says.
            if len(child) != count or ((child[inner] <= at[inner]) | (child[inner] >= count)).any():
                raise ValueError(f"the trees of {prefix} are damaged")
        if (nodes["roots"] < 0).any() or (nodes["roots"] >= count).any() or len(nodes["value"]) != count:
            raise ValueError(f"the trees of {prefix} are damaged")
        return cls(
            nodes["roots"].astype(np.int32),
            nodes["feature"].astype(np.int32),
            nodes["threshold"].astype(np.float64),
            nodes["left"].astype(np.int32),
            nodes["right"].astype(np.int32),
            nodes["value"].astype(np.float64),
            float(nodes["base"]),
            int(nodes["depth"]),
        )

    def to_arrays(self, prefix: str) -> dict[str, NDArray[np.generic]]:
        """The arrays that :meth:`from_arrays` reads."""
        return {f"{prefix}.{name}": np.asarray(getattr(self, name)) for name in self.__slots__}

    def margin(self, features: NDArray[np.floating]) -> NDArray[np.float64]:
        """float64[n]: the log-odds for float[n, k] features."""
        features = np.asarray(features, np.float64)
        count = len(features)
        node = np.broadcast_to(self.roots, (count, len(self.roots))).copy()
        row = np.arange(count)[:, None]
        for _ in range(self.depth):
            feature = self.feature[node]
            inner = feature >= 0
            goes_left = features[row, np.maximum(feature, 0)] <= self.threshold[node]
            node = np.where(inner, np.where(goes_left, self.left[node], self.right[node]), node)
        margin: NDArray[np.float64] = self.base + self.value[node].sum(axis=1)
        return margin
