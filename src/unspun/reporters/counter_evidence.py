"""What speaks against a suspicion: quotations and whole sentences that references have word for word."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from unspun.text import Text

#: Fewest words of a quotation or sentence that say anything: "he said" stands everywhere.
MIN_WORDS: Final = 4
#: Tables of one length of row that are kept: 16 bytes for each word of the reference.
_KEPT: Final = 8
#: Odd, so that it has an inverse: rows of words are numbered as polynomials of it (Karp & Rabin 1987).
_BASE: Final = 0x9E3779B97F4A7C15
_INVERSE: Final = pow(_BASE, -1, 1 << 64)


class Wording:
    """The words of a reference, to look rows of words up in: after the first row of a length, the next take no longer
    however long the reference is."""

    def __init__(self, words: Sequence[str]) -> None:
        self._words = words
        self._numbers = dict[str, np.uint64]()
        values = np.array([self._numbers.setdefault(word, self._draw()) for word in words], np.uint64)
        with np.errstate(over="ignore"):
            self._sums = np.append(np.uint64(0), np.cumsum(values * _raise(_BASE, len(words)), dtype=np.uint64))
        self._find_rows = lru_cache(_KEPT)(self._number_rows)

    def _draw(self) -> np.uint64:
        """A number for the next word, spread over all 64 bits."""
        return np.uint64((len(self._numbers) + 1) * 0xBF58476D1CE4E5B9 % (1 << 64))

    def _number_rows(self, length: int) -> tuple[NDArray[np.uint64], NDArray[np.intp]]:
        """The numbers of all rows of so many words, sorted, and where each row begins."""
        with np.errstate(over="ignore"):
            rows = self._sums[length:] - self._sums[: len(self._sums) - length]
            rows = rows * _raise(_INVERSE, len(rows))
        order = np.argsort(rows, kind="stable")
        return rows[order], order

    def holds(self, words: Sequence[str]) -> bool:
        """Whether these words stand in it, in a row."""
        values = [self._numbers.get(word) for word in words]
        if None in values or not values or len(values) > len(self._words):
            return False
        with np.errstate(over="ignore"):
            wanted = (np.array(values, np.uint64) * _raise(_BASE, len(values))).sum(dtype=np.uint64)
        rows, begins = self._find_rows(len(values))
        place = int(np.searchsorted(rows, wanted))
        first = int(begins[min(place, len(begins) - 1)])
        return list(self._words[first : first + len(values)]) == list(words)


def _raise(base: int, count: int) -> NDArray[np.uint64]:
    """The powers of a number from the zeroth on, so many, modulo 2**64."""
    powers = np.full(count, base, np.uint64)
    powers[:1] = 1
    with np.errstate(over="ignore"):
        return np.cumprod(powers, dtype=np.uint64)


#: References by id.
Spelled: TypeAlias = Sequence[tuple[str, Wording]]


@dataclass(frozen=True, slots=True)
class Verbatim:
    """``[start, end)`` of the article stands word for word in the references ``ids``."""

    start: int
    end: int
    ids: tuple[str, ...]


def spell_words(references: Iterable[tuple[str, Text]]) -> Spelled:
    """The words of each reference, to look wordings up in."""
    return [(id, Wording(text.norms)) for id, text in references]


def find_verbatim_quotations(article: Text, references: Spelled) -> list[Verbatim]:
    """The quotations of the article that stand word for word in a reference."""
    starts = [word.start for word in article.words]
    ranges = []
    for start, end in article.quotations:
        ranges.append((bisect_left(starts, start), bisect_left(starts, end), start, end))
    return _look_up(article, ranges, references, least=1)


def find_boilerplate(article: Text, references: Spelled) -> list[Verbatim]:
    """The sentences of the article that stand word for word in two references or more: what everybody prints."""
    slices = zip(article.sentences, article.sentence_slices, strict=True)
    return _look_up(article, [(*words, *place) for words, place in slices], references, least=2)


def _look_up(
    article: Text,
    ranges: Sequence[tuple[int, int, int, int]],
    references: Spelled,
    least: int,
) -> list[Verbatim]:
    """Those of ``ranges`` (first and last word, start and end in the text) that at least so many references have."""
    found = []
    # By length, since that is how they are looked up.
    for first, last, start, end in sorted(ranges, key=lambda place: place[1] - place[0]):
        if last - first >= MIN_WORDS:
            words = article.norms[first:last]
            ids = tuple(id for id, wording in references if wording.holds(words))
            if len(ids) >= least:
                found.append(Verbatim(start, end, ids))
    return sorted(found, key=lambda one: one.start)
