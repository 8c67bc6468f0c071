"""Gradient-boosted trees read from arrays: scikit-learn trains them, numpy alone scores with them.

Loading scikit-learn takes two seconds, and its own files (pickle) can run code. Arrays of numbers can not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from unspun.compiled.library import address, load_library
from unspun.networks import check_numbers

#: Steps that the values of leaves are rounded to, and what these stay below: a thousand add up to less than 2**63.
VALUE_STEP: Final = 2.0**-30
_MOST_VALUE: Final = 2.0**22
#: Of ``twin.c``: a node; how many rows it takes at a time; leaves that it can tell apart in a tree.
_NODE: Final = np.dtype([("threshold", "f8"), ("gone", "u8"), ("feature", "i8")])
_ABREAST: Final = 16
_MOST_LEAVES: Final = 64
_STORED: Final = ("roots", "feature", "threshold", "left", "right", "value", "base", "depth")
#: Deepest trees that are read, in steps: those of 31 leaves that scikit-learn grows have 30 at most, and every step
#: costs time on every row.
MAX_DEPTH: Final = 100


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
    # For scoring: a leaf tests the first feature and leads back to itself whatever the answer, so that all rows
    # walk all trees in step; the children of node i are _children[2 * i] and _children[2 * i + 1].
    _tested: NDArray[np.int32] = field(init=False, repr=False)
    _children: NDArray[np.intp] = field(init=False, repr=False)
    # The values in steps: sums of whole numbers do not depend on their order (see :mod:`unspun.networks`).
    _values: NDArray[np.int64] = field(init=False, repr=False)
    # What :func:`sort_leaves` found, once it was asked.
    _sorted: list[SortedLeaves | None] = field(init=False, repr=False, default_factory=list)

    def __post_init__(self) -> None:
        leaf, at = self.feature < 0, np.arange(len(self.feature), dtype=np.int32)
        children = np.stack([np.where(leaf, at, self.left), np.where(leaf, at, self.right)], axis=1)
        object.__setattr__(self, "_tested", np.maximum(self.feature, 0).astype(np.int32))
        object.__setattr__(self, "_children", children.astype(np.intp).ravel())
        object.__setattr__(self, "_values", np.rint(self.value / VALUE_STEP).astype(np.int64))

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[np.generic]], prefix: str) -> Trees:
        """Read the arrays ``<prefix>.<attribute>``; raises ValueError where they do not make sound trees."""
        try:
            nodes = {name: np.asarray(arrays[f"{prefix}.{name}"]) for name in _STORED}
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
        sized = len(nodes["value"]) == len(nodes["threshold"]) == count and 0 <= int(nodes["depth"]) <= MAX_DEPTH
        flat = all(nodes[name].ndim == 1 for name in ("roots", "feature", "threshold", "left", "right", "value"))
        check_numbers(nodes["value"], nodes["base"])
        small = np.abs(nodes["value"]).max(initial=0) < _MOST_VALUE
        if not (sized and flat and small) or (nodes["roots"] < 0).any() or (nodes["roots"] >= count).any():
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
        return {f"{prefix}.{name}": np.asarray(getattr(self, name)) for name in _STORED}

    def fits(self, width: int) -> bool:
        """Whether no question is about a feature beyond so many."""
        return bool((self.feature < width).all())

    def margin(self, features: NDArray[np.floating]) -> NDArray[np.float64]:
        """float64[n]: the log-odds for float[n, k] features."""
        rows: NDArray[np.float64] = np.ascontiguousarray(features, np.float64)
        count, width = rows.shape
        if width <= self.feature.max(initial=-1):
            raise ValueError(f"these trees ask for {self.feature.max() + 1} features, {width} were given")
        library, sorted_ = load_library(), sort_leaves(self)
        if library is not None and sorted_ is not None:
            sums = np.empty(count, np.int64)
            work = np.empty(width * _ABREAST)
            library.unspun_add_leaves(
                *map(address, sorted_), len(self.roots), address(rows), count, width, address(work), address(sums)
            )
        else:
            node = np.tile(self.roots.astype(np.intp), (count, 1))
            first = np.arange(0, count * width, width)[:, None]
            flat = rows.ravel()
            for _ in range(self.depth):
                goes_right = flat.take(first + self._tested.take(node)) > self.threshold.take(node)
                node = self._children.take(2 * node + goes_right)
            sums = self._values.take(node).sum(axis=1)
        margin: NDArray[np.float64] = np.asarray(self.base + sums * VALUE_STEP, np.float64)
        return margin


class SortedLeaves(NamedTuple):
    """Trees as ``twin.c`` reads them: all inner ``nodes``, tree by tree, each with the leaves on its left as bits, and
    the values of the ``leaves`` int64 of each tree from left to right; where each tree's begin, and the end, int64."""

    nodes: NDArray[np.void]
    node_starts: NDArray[np.int64]
    leaves: NDArray[np.int64]
    leaf_starts: NDArray[np.int64]


def sort_leaves(trees: Trees) -> SortedLeaves | None:
    """The trees as compiled code reads them; None where one has too many leaves."""
    if not trees._sorted:
        trees._sorted.append(_sort_leaves(trees))
    return trees._sorted[0]


def _sort_leaves(trees: Trees) -> SortedLeaves | None:
    feature, threshold = trees.feature.tolist(), trees.threshold.tolist()
    left, right, values = trees.left.tolist(), trees.right.tolist(), trees._values.tolist()
    nodes, leaves = list[tuple[float, int, int]](), list[int]()
    node_starts, leaf_starts = [0], [0]

    def walk(at: int, number: int) -> int:
        """Take in what is below a node, whose first leaf has that number; the number behind its last leaf."""
        if feature[at] < 0:
            leaves.append(values[at])
            return number + 1
        middle = walk(left[at], number)
        nodes.append((threshold[at], (1 << middle) - (1 << number), feature[at]))
        return walk(right[at], middle)

    if trees.depth > _MOST_LEAVES:
        return None
    for root in trees.roots.tolist():
        if walk(root, 0) > _MOST_LEAVES:
            return None
        node_starts.append(len(nodes))
        leaf_starts.append(len(leaves))
    starts = np.array([node_starts, leaf_starts], np.int64)
    return SortedLeaves(np.array(nodes, _NODE), starts[0], np.array(leaves, np.int64), starts[1])
