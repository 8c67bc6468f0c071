"""Numbers to be found among millions: a hash table over arrays, which looks many up at once."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from unspun.compiled.library import address, load_library

#: Fibonacci hashing (Knuth, The Art of Computer Programming 3, 6.4): 2**64 over the golden ratio.
_GOLDEN: Final = np.uint64(0x9E3779B97F4A7C15)
#: Two slots a key or more.
_ROOM: Final = 1
_EMPTY: Final = np.uint64(2**64 - 1)


class KeyTable:
    """Distinct unsigned numbers, each found by its place among them (open addressing with linear probing).

    A binary search among two million steps through memory twenty times, this once or twice: ``slots`` uint64[2**k] hold
    a number and, in the lower ``place_bits``, its place; 2**64 - 1 is an empty one. A number's own slot is the upper k
    bits of its product with 2**64 over the golden ratio (``shift`` = 64 - k).

    Raises ValueError where numbers and places together are longer than 63 bits.
    """

    def __init__(self, keys: NDArray[np.unsignedinteger]) -> None:
        bits = max(1, len(keys)).bit_length() + _ROOM
        self.place_bits = max(1, len(keys)).bit_length()
        if len(keys) and int(keys.max()) >> (63 - self.place_bits):
            raise ValueError(f"{len(keys)} numbers up to {keys.max()} are too long for a table")
        self.shift, self._mask = 64 - bits, (1 << bits) - 1
        self.slots = np.full(1 << bits, _EMPTY, np.uint64)
        library = load_library()
        if library is not None:
            # The order in which numbers take their slots is another, which no one sees.
            numbers = np.ascontiguousarray(keys, np.uint64)
            library.unspun_fill_slots(
                address(self.slots), self.shift, self.place_bits, self._mask, address(numbers), len(numbers)
            )
            return
        waiting = (keys.astype(np.uint64) << np.uint64(self.place_bits)) | np.arange(len(keys), dtype=np.uint64)
        slot = self._hash(keys)
        while len(waiting):
            free = self.slots[slot] == _EMPTY
            # Of several that want one slot the last gets it.
            self.slots[slot[free]] = waiting[free]
            left = self.slots[slot] != waiting
            waiting, slot = waiting[left], (slot[left] + 1) & self._mask

    def _hash(self, numbers: NDArray[np.unsignedinteger]) -> NDArray[np.intp]:
        hashed: NDArray[np.intp] = ((numbers.astype(np.uint64) * _GOLDEN) >> np.uint64(self.shift)).astype(np.intp)
        return hashed

    def find(self, wanted: NDArray[np.unsignedinteger]) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
        """Where each wanted number stands (0 where it does not), and whether it is there."""
        library = load_library()
        if library is not None:
            numbers = np.ascontiguousarray(wanted, np.uint64)
            place, found = np.empty(len(numbers), np.int64), np.empty(len(numbers), np.bool_)
            library.unspun_find_keys(
                address(self.slots), self.shift, self.place_bits, address(numbers), len(numbers),
                address(place), address(found),
            )  # fmt: skip
            return place, found
        bits, slot = np.uint64(self.place_bits), self._hash(wanted)
        held = self.slots[slot]
        found = (held != _EMPTY) & (held >> bits == wanted)
        [open_] = np.nonzero((held != _EMPTY) & ~found)
        # An empty slot ends every search: half of them are.
        while len(open_):
            slot[open_] = (slot[open_] + 1) & self._mask
            held[open_] = self.slots[slot[open_]]
            found[open_] = (held[open_] != _EMPTY) & (held[open_] >> bits == wanted[open_])
            open_ = open_[(held[open_] != _EMPTY) & ~found[open_]]
        place = (held & ((np.uint64(1) << bits) - np.uint64(1))).astype(np.intp)
        place[~found] = 0
        return place, found


def number_pairs(first: NDArray[np.integer], second: NDArray[np.integer], size: int) -> NDArray[np.uint32]:
    """uint32[m]: one number for every pair of numbers below ``size``, which is at most 2**16; nonsense for -1, which
    callers mask."""
    return (first.astype(np.int64) * size + second).astype(np.uint32)
