"""Words to be found among many by compiled code: a hash table, a third as large as a dictionary."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from unspun.compiled.library import Tables, address, load_library


class WordTable:
    """Words without line ends, each with a frequency. Their hashes alone are kept: of 64 bits, so that a stranger is
    taken for one of them once in a thousand million million times.

    Raises RuntimeError where there is no library.
    """

    def __init__(self, words: Sequence[str], zipf: NDArray[np.float32] | None = None) -> None:
        library = load_library()
        if library is None:
            raise RuntimeError("there is no compiled code here")
        self._library = library
        # Of each slot the hash of its word, and its frequency.
        self._entries = np.zeros((1 << (2 * len(words)).bit_length(), 2), np.uint64)
        self._mask = len(self._entries) - 1
        self.add(words, zipf)

    def __len__(self) -> int:
        """How many slots there are."""
        return len(self._entries)

    def add(
        self, words: Iterable[str], zipf: NDArray[np.float32] | None = None, ids: NDArray[np.int32] | None = None,
        flags: NDArray[np.uint8] | None = None, flag: int = 0,
    ) -> None:  # fmt: skip
        """Put words in, new ones with their ``zipf`` (0 where None). Where they stand, ``ids`` int32[slots] gets their
        numbers from 0, and ``flags`` uint8[slots] a bit."""
        letters = _join(words)
        written = (None if array is None else address(array) for array in (zipf, ids, flags))
        self._library.unspun_add_words(address(self._entries), self._mask, letters, len(letters) // 4, *written, flag)

    def find(self, words: Sequence[str]) -> NDArray[np.float32]:
        """float32[n]: the frequencies of words, 0 of those that are not there."""
        found = np.zeros(len(words), np.float32)
        if len(words):
            letters = _join(words)
            self._library.unspun_find_frequencies(
                address(self._entries), self._mask, letters, len(letters) // 4, address(found)
            )
        return found

    def point(self, tables: Tables) -> None:
        """Make ``tables`` look words up here; this must live as long."""
        tables.entries, tables.entry_mask = address(self._entries), self._mask


def _join(words: Iterable[str]) -> bytes:
    return "\n".join(words).encode("utf-32-le", "surrogatepass")
