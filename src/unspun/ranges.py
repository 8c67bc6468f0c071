"""Sums and extremes over many short ranges ``[first, last)`` of one array at once, none of them empty."""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

Places = NDArray[np.integer[Any]]
Number = TypeVar("Number", np.float32, np.float64)


def count_in(mask: NDArray[np.bool_], first: Places, last: Places) -> NDArray[np.int64]:
    """How many of each range are true: int64[ranges]."""
    sums = np.append(0, np.cumsum(mask))
    counts: NDArray[np.int64] = sums[last] - sums[first]
    return counts


def lowest_in(values: NDArray[Number], first: Places, last: Places) -> NDArray[Number]:
    """The lowest of each range."""
    # The one behind the end is there so that a range may end there.
    more = np.append(values, values.dtype.type(np.inf))
    lowest: NDArray[Number] = np.minimum.reduceat(more, _interleave(first, last))
    return lowest[::2]


def _interleave(first: Places, last: Places) -> NDArray[np.int64]:
    edges = np.empty(2 * len(first), np.int64)
    edges[::2], edges[1::2] = first, last
    return edges
