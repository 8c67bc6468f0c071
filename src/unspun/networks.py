"""Small neural networks read from arrays: scikit-learn trains them, numpy alone scores with them.

An article's score rises smoothly with its evidence, and goes on rising past what training saw: ensembles of trees
level off there (at half of the words swapped they found fewer articles than at a quarter). Words are ranked as well as
by trees, in a tenth of the time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

_STORED: Final = ("mean", "scale", "hidden", "hidden_bias", "output", "output_bias")
#: Standard deviations from the mean at which a feature is cut off: an odd text must not run away with the score.
REACH: Final = 5.0
#: Largest number of a model, either way: sums of products of such are numbers still.
_LARGEST: Final = 1e9


def check_numbers(*arrays: NDArray[Any]) -> None:
    """Raises ValueError where an array holds what is no number or leads to none: scores would be none either."""
    if not all((np.abs(array) <= _LARGEST).all() for array in arrays):
        raise ValueError("it holds what is no number, or too large a one")


@dataclass(frozen=True, slots=True, eq=False)
class Networks:
    """N networks of one hidden layer of h rectified units over the same k features; their margins are averaged.

    ``mean``, ``scale`` float64[k] standardise the features; ``hidden`` float64[N, k, h], ``hidden_bias`` float64[N, h];
    ``output`` float64[N, h], ``output_bias`` float64[N]. The margin is the log-odds.
    """

    mean: NDArray[np.float64]
    scale: NDArray[np.float64]
    hidden: NDArray[np.float64]
    hidden_bias: NDArray[np.float64]
    output: NDArray[np.float64]
    output_bias: NDArray[np.float64]

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[np.generic]], prefix: str) -> Networks:
        """Read the arrays ``<prefix>.<attribute>``; raises ValueError where they do not make sound networks."""
        try:
            stored = [np.asarray(arrays[f"{prefix}.{name}"]).astype(np.float64) for name in _STORED]
        except KeyError as missing:
            raise ValueError(f"the array {missing} is missing") from None
        mean, scale, hidden, hidden_bias, output, output_bias = stored
        count, features, units = hidden.shape if hidden.ndim == 3 else (-1, -1, -1)
        shapes = ((features,), (features,), (count, features, units), (count, units), (count, units), (count,))
        check_numbers(*stored)
        if tuple(array.shape for array in stored) != shapes or not (scale > 0).all() or not count or not features:
            raise ValueError(f"the networks of {prefix} are damaged")
        return cls(mean, scale, hidden, hidden_bias, output, output_bias)

    def to_arrays(self, prefix: str) -> dict[str, NDArray[np.generic]]:
        """The arrays that :meth:`from_arrays` reads."""
        return {f"{prefix}.{name}": getattr(self, name) for name in _STORED}

    def fits(self, width: int) -> bool:
        """Whether it is made for so many features."""
        return len(self.mean) == width

    def margin(self, features: NDArray[np.floating]) -> NDArray[np.float64]:
        """float64[n]: the log-odds for float[n, k] features."""
        standard = np.clip((features - self.mean) / self.scale, -REACH, REACH)
        units = np.maximum(standard @ self.hidden + self.hidden_bias[:, None, :], 0)
        margins = (units @ self.output[:, :, None])[:, :, 0] + self.output_bias[:, None]
        mean: NDArray[np.float64] = margins.mean(axis=0)
        return mean
