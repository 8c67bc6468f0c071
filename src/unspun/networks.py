"""Small neural networks read from arrays: scikit-learn trains them, numpy alone scores with them.

An article's score rises smoothly with its evidence, and goes on rising past what training saw: ensembles of trees
level off there (at half of the words swapped they found fewer articles than at a quarter). Words are ranked as well as
by trees, in a tenth of the time.

Scoring is done in whole numbers, so that a score is the same on every machine: sums of whole numbers do not depend on
their order, which libraries and processors choose as they like (integer networks: Jacob et al. 2018).
"""

from __future__ import annotations

import ctypes
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from unspun.compiled.library import CompiledNetworks, address, load_library

_STORED: Final = ("mean", "scale", "hidden", "hidden_bias", "output", "output_bias")
#: Standard deviations from the mean at which a feature is cut off: an odd text must not run away with the score.
REACH: Final = 5.0
#: Steps of a standard deviation that features are rounded to: far finer than any of them is known.
FEATURE_STEPS: Final = 4096
#: Most that the weights of a unit may add up to, in steps: its sum then stays below 2**31.
_MOST_WEIGHTS: Final = 90_000
#: Largest weight, in steps: sixteen bits, of which compiled code multiplies many at a time.
_LARGEST_WEIGHT: Final = 32_767
#: The widest that ``twin.c`` has room for.
_MOST_INPUTS: Final = 32
_MOST_UNITS: Final = 64
#: Most that the output weights of a network may add up to, in steps: what they weigh then adds up to below 2**53, so
#: that float64 holds it exactly.
_MOST_OUTPUTS: Final = 1_000_000
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
    # The same in whole numbers, kept as float64, which multiplies them exactly.
    whole: WholeNetworks = field(init=False, repr=False)
    #: The same for compiled code; None where they are too wide for that.
    compiled: CompiledNetworks | None = field(init=False, repr=False)
    _kept: tuple[NDArray[np.generic], ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        for name in _STORED:
            object.__setattr__(self, name, np.asarray(getattr(self, name), np.float64))
        object.__setattr__(self, "whole", _round_networks(self))
        compiled, kept = _compile_networks(self)
        object.__setattr__(self, "compiled", compiled)
        object.__setattr__(self, "_kept", kept)

    def __reduce__(self) -> tuple[type[Networks], tuple[NDArray[np.float64], ...]]:
        # Addresses mean nothing in another process.
        return Networks, tuple(getattr(self, name) for name in _STORED)

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
        library = load_library()
        if library is not None and self.compiled is not None:
            rows = np.ascontiguousarray(features, np.float64)
            if rows.shape[1] != len(self.mean):
                raise ValueError(f"these networks take {len(self.mean)} features, {rows.shape[1]} were given")
            found = np.empty(len(rows), np.float64)
            library.unspun_score_rows(ctypes.addressof(self.compiled), address(rows), len(rows), address(found))
            return found
        whole = self.whole
        most = REACH * FEATURE_STEPS
        standard = np.rint(np.clip((features - self.mean) * whole.steps, -most, most))
        units = np.maximum(standard @ whole.hidden + whole.hidden_bias[:, None, :], 0)
        totals = (units @ whole.output[:, :, None])[:, :, 0]
        margins = totals * whole.step[:, None] + self.output_bias[:, None]
        mean: NDArray[np.float64] = margins.sum(axis=0) / len(margins)
        return mean


@dataclass(frozen=True, slots=True, eq=False)
class WholeNetworks:
    """:class:`Networks` in whole numbers: ``hidden`` float64[N, k, h], ``hidden_bias`` float64[N, h] and ``output``
    float64[N, h] hold no fractions; a feature has ``steps`` float64[k] a unit; ``step`` float64[N] is what one of a
    network's total is worth."""

    steps: NDArray[np.float64]
    hidden: NDArray[np.float64]
    hidden_bias: NDArray[np.float64]
    output: NDArray[np.float64]
    step: NDArray[np.float64]


def _round_networks(networks: Networks) -> WholeNetworks:
    # A bias is a weight of a feature that always is one standard deviation.
    sums = np.abs(networks.hidden).sum(axis=1) * REACH + np.abs(networks.hidden_bias)
    largest = np.abs(networks.hidden).max(axis=(1, 2))
    hidden_steps = np.minimum(
        _MOST_WEIGHTS * REACH / np.maximum(sums.max(axis=1), 1e-9), _LARGEST_WEIGHT / np.maximum(largest, 1e-9)
    )
    hidden = np.rint(networks.hidden * hidden_steps[:, None, None])
    hidden_bias = np.rint(networks.hidden_bias * hidden_steps[:, None] * FEATURE_STEPS)
    output_steps = _MOST_OUTPUTS / np.maximum(np.abs(networks.output).sum(axis=1), 1e-9)
    output = np.rint(networks.output * output_steps[:, None])
    return WholeNetworks(
        FEATURE_STEPS / networks.scale, hidden, hidden_bias, output, 1.0 / (hidden_steps * FEATURE_STEPS * output_steps)
    )


def _compile_networks(
    networks: Networks,
) -> tuple[CompiledNetworks | None, tuple[NDArray[np.generic], ...]]:
    """The structure and the arrays that it points to."""
    whole = networks.whole
    count, inputs, units = whole.hidden.shape
    if inputs > _MOST_INPUTS or units > _MOST_UNITS:
        return None, ()
    # Inputs in twos, beside one another for every unit.
    hidden = np.zeros((count, inputs + inputs % 2, units), np.int16)
    hidden[:, :inputs] = whole.hidden
    hidden = hidden.reshape(count, -1, 2, units).swapaxes(2, 3)
    arrays: tuple[tuple[NDArray[np.generic], type[np.generic]], ...] = (
        (networks.mean, np.float64), (whole.steps, np.float64), (hidden, np.int16), (whole.hidden_bias, np.int32),
        (whole.output, np.float64), (whole.step, np.float64), (networks.output_bias, np.float64),
    )  # fmt: skip
    kept = tuple(np.ascontiguousarray(array, kind) for array, kind in arrays)
    most = REACH * FEATURE_STEPS
    return CompiledNetworks(count, inputs, units, 0, *map(address, kept), most, 1.0, 0.0), kept
