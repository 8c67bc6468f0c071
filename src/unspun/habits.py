"""What training saw of spinners' wording: how often a word was swapped in, as such and beside a certain neighbour.

"point" is a common word, "point when" mostly a spinner's "when". Counts are kept for the words of the lexicon and
for pairs of neighbours that say clearly more than the word itself (target encoding: Micci-Barreca 2001).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from unspun.key_table import KeyTable, number_pairs
from unspun.networks import check_numbers

#: What is known of an examined word: the log-odds that it was swapped in and how often it was met, as log2(1 + times);
#: the same after the word before it, and before the word after it.
FEATURES: Final = ("habit", "habit_times", "after", "after_times", "before", "before_times")
#: Stored steps of log-odds and of log2(1 + times): finer ones mean nothing at such counts.
_STEP: Final = 1 / 8
_ARRAYS: Final = ("words", "after_keys", "after_values", "before_keys", "before_values")


@dataclass(frozen=True, slots=True, eq=False)
class Neighbouring:
    """Pairs of neighbours: ``keys`` uint32[k], rising, see
    :func:`unspun.key_table.number_pairs`, and ``values`` float32[k, 2], their
    log-odds and log2(1 + times)."""

    keys: NDArray[np.uint32]
    values: NDArray[np.float32]
    table: KeyTable = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "table", KeyTable(self.keys))

    def look_up(self, wanted: NDArray[np.uint32], known: NDArray[np.bool_], otherwise: NDArray[np.float32]) -> None:
        """Write the values of the ``wanted`` pairs, where they are ``known`` and kept, over ``otherwise``
        float32[m, 2]."""
        place, found = self.table.find(wanted)
        found &= known
        otherwise[found] = self.values[place[found]]


@dataclass(frozen=True, slots=True, eq=False)
class Habits:
    """``words`` float32[lexicon words, 2]: log-odds and log2(1 + times) of every word; ``after`` and ``before``: those
    of a word after, and before, a certain neighbour."""

    words: NDArray[np.float32]
    after: Neighbouring
    before: Neighbouring

    def look_up(self, ids: NDArray[np.int32], left: NDArray[np.int32], right: NDArray[np.int32]) -> NDArray[np.float32]:
        """float32[m, len(FEATURES)] of words between neighbours, all int32[m] lexicon numbers; of neighbours -1 where
        there is none. A pair that is not kept says what the word says."""
        found = np.zeros((len(ids), len(FEATURES)), np.float32)
        found[:, :2] = self.words[ids]
        found[:, 2] = found[:, 4] = found[:, 0]
        size = len(self.words)
        self.after.look_up(number_pairs(left, ids, size), left >= 0, found[:, 2:4])
        self.before.look_up(number_pairs(ids, right, size), right >= 0, found[:, 4:6])
        return found

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[np.generic]]) -> Self:
        """Read the arrays ``habits.<name>``; raises ValueError where they are not sound."""
        try:
            words, *pairs = (np.asarray(arrays[f"habits.{name}"]) for name in _ARRAYS)
        except KeyError as missing:
            raise ValueError(f"the array {missing} is missing") from None
        if words.ndim != 2 or words.shape[1] != 2:
            raise ValueError("the array habits.words has another shape")
        check_numbers(words, pairs[1], pairs[3])
        sides = []
        for keys, values in (pairs[:2], pairs[2:]):
            if keys.ndim != 1 or values.shape != (len(keys), 2):
                raise ValueError("the habits of neighbours are damaged")
            # Stored as steps from one key to the next, which compress better.
            sides.append(
                Neighbouring(np.cumsum(keys.astype(np.uint32), dtype=np.uint32), values.astype(np.float32) * _STEP)
            )
        return cls(words.astype(np.float32) * _STEP, *sides)

    def to_arrays(self) -> dict[str, NDArray[np.generic]]:
        """The arrays that :meth:`from_arrays` reads."""
        arrays: dict[str, NDArray[np.generic]] = {"habits.words": _round(self.words)}
        for name, side in (("after", self.after), ("before", self.before)):
            arrays[f"habits.{name}_keys"] = np.diff(side.keys, prepend=np.uint32(0))
            arrays[f"habits.{name}_values"] = _round(side.values)
        return arrays


def _round(values: NDArray[np.float32]) -> NDArray[np.int8]:
    """In whole steps; int8 holds log-odds to 15.9 and times to 2**15."""
    steps: NDArray[np.int8] = np.clip(np.rint(values / _STEP), -127, 127).astype(np.int8)
    return steps
