"""The words of some texts by number, the same for all of them: what is compared is numbers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count, repeat
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from unspun.compiled.library import address, load_library, make_salt
from unspun.text import Text


@dataclass(frozen=True, slots=True, eq=False)
class WordNumbers:
    """Words numbered from 0 in the order of their first occurrence, ``size`` of them: by compiled code their hashes in
    a table, else a dictionary."""

    size: int
    _known: dict[str, int] | _Table

    def find(self, text: Text) -> NDArray[np.int32]:
        """int32[words]: their numbers, -1 for words that have none."""
        known = self._known
        if isinstance(known, dict):
            return np.fromiter(map(known.get, text.norms, repeat(-1)), np.int32, len(text))
        library, found = load_library(), np.empty(len(text), np.int32)
        assert library is not None
        assert text.hashes is not None
        library.unspun_find_numbers(
            address(known.held), address(known.numbers), len(known.held) - 1, known.salt, address(text.hashes),
            len(text), address(found),
        )  # fmt: skip
        return found


class _Table(NamedTuple):
    """Of each slot the hash of its word, uint64[2**k], 0 for none, and the word's number, int32[2**k]; the salt by
    which they are laid out."""

    held: NDArray[np.uint64]
    numbers: NDArray[np.int32]
    salt: int


def number_words(texts: Sequence[Text]) -> tuple[WordNumbers, NDArray[np.int32]]:
    """The words of ``texts`` numbered, and the numbers of all of them, one text after another."""
    library = load_library()
    if library is None:
        # A word asked for the first time gets the next number.
        numbers = defaultdict[str, int](count().__next__)
        words = [norm for text in texts for norm in text.norms]
        ids = np.fromiter(map(numbers.__getitem__, words), np.int32, len(words))
        return WordNumbers(len(numbers), dict(numbers)), ids
    hashes = np.concatenate([text.hashes for text in texts if text.hashes is not None] or [np.zeros(0, np.uint64)])
    slots = 1 << (2 * len(hashes)).bit_length()
    table = _Table(np.zeros(slots, np.uint64), np.empty(slots, np.int32), make_salt())
    ids = np.empty(len(hashes), np.int32)
    size = library.unspun_number_words(
        address(table.held), address(table.numbers), slots - 1, table.salt, address(hashes), len(hashes), address(ids)
    )
    return WordNumbers(size, table), ids
