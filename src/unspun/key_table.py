"""Numbers to be found among millions: a hash table over arrays, which looks many up at once."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

#: Fibonacci hashing (Knuth, The Art of Computer Programming 3, 6.4): 2**64 over the golden ratio.
_GOLDEN: Final = np.uint64(0x9E3779B97F4A7C15)
#: Four slots a key or more: most numbers are found, or known to be missing, at the first slot.
_ROOM: Final = 2
_EMPTY: Final = -1


class KeyTable:
    """Distinct unsigned numbers, each found by its place among them (open addressing with linear probing).

    A binary search among two million steps through memory twenty times, this once or twice.
    """

    def __init__(self, keys: NDArray[np.unsignedinteger]) -> None:
        self._keys = keys
        bits = max(1, len(keys)).bit_length() + _ROOM
        self._shift, self._mask = np.uint64(64 - bits), (1 << bits) - 1
        self._slots = np.full(1 << bits, _EMPTY, np.int32)
        self._probes = 0
        waiting, slot = np.arange(len(keys), dtype=np.int32), self._hash(keys)
        while len(waiting):
            free = self._slots[slot] == _EMPTY
            # Of several that want one slot the last gets it.
            self._slots[slot[free]] = waiting[free]
            left = self._slots[slot] != waiting
            waiting, slot = waiting[left], (slot[left] + 1) & self._mask
            self._probes += 1

    def _hash(self, numbers: NDArray[np.unsignedinteger]) -> NDArray[np.intp]:
        hashed: NDArray[np.intp] = ((numbers.astype(np.uint64) * _GOLDEN) >> self._shift).astype(np.intp)
        return hashed

    def find(self, wanted: NDArray[np.unsignedinteger]) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
        """Where each wanted number stands (0 where it does not), and whether it is there."""
        if not len(self._keys):
            return np.zeros(len(wanted), np.intp), np.zeros(len(wanted), np.bool_)
        slot = self._hash(wanted)
        place = self._slots[slot].astype(np.intp)
        found = (place != _EMPTY) & (self._keys[place] == wanted)
        [open_] = np.nonzero((place != _EMPTY) & ~found)
        for _ in range(self._probes - 1):
            if not len(open_):
                break
            slot[open_] = (slot[open_] + 1) & self._mask
            place[open_] = self._slots[slot[open_]]
            found[open_] = (place[open_] != _EMPTY) & (self._keys[place[open_]] == wanted[open_])
            open_ = open_[(place[open_] != _EMPTY) & ~found[open_]]
        place[~found] = 0
        return place, found


def number_pairs(first: NDArray[np.integer], second: NDArray[np.integer], size: int) -> NDArray[np.uint32]:
    """uint32[m]: one number for every pair of numbers below ``size``, which is at most 2**16; nonsense for -1, which
    callers mask."""
    return (first.astype(np.int64) * size + second).astype(np.uint32)
