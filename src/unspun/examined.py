"""A text made ready for the extractors: what every one of them asks about its words, found once."""

from __future__ import annotations

import ctypes
import re
from bisect import bisect_left
from functools import cached_property
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from unspun.compiled.lexicon import load_words
from unspun.compiled.library import CompiledText, address, load_library
from unspun.lexicon import FUNCTION_ZIPF, Lexicon
from unspun.text import Text

_BREAK: Final = re.compile(r"[^\s'’\-\u2010\u2011]|\n\s*\n")


def _find_address(letters: bytes) -> int:
    return ctypes.cast(ctypes.c_char_p(letters), ctypes.c_void_p).value or 0


class _LookedUp(NamedTuple):
    """Of n words: ``numbers`` int32[3, n] and ``flags`` bool[2, n], of which the others are the rows."""

    numbers: NDArray[np.int32]
    flags: NDArray[np.bool_]
    ids: NDArray[np.int32]
    zipf: NDArray[np.float32]
    quotation: NDArray[np.int32]
    content: NDArray[np.bool_]
    named: NDArray[np.bool_]


class Examined:
    """A :class:`Text` with arrays over its n words, each computed on first use.

    ``ids``, ``lemmas`` int32[n] (lexicon numbers, -1 unknown), ``neighbours`` int32[4, n] (ids of the two words
    before and the two after, -1 across punctuation), ``zipf`` float32[n], ``capital`` bool[n] (first letter),
    ``opens`` bool[n] (first word of a sentence), ``breaks`` bool[n + 1] (punctuation before the word),
    ``quotation`` int32[n] (number of the quotation that holds the word, -1 none), ``content`` bool[n]; ``starts`` and
    ``ends`` int32[n] (characters).
    """

    def __init__(self, text: Text, lexicon: Lexicon) -> None:
        self.text = text
        self.lexicon = lexicon

    def __len__(self) -> int:
        return self.text.count

    @cached_property
    def _looked_up(self) -> _LookedUp | None:
        """What compiled code says of the words."""
        library, split, count = load_library(), self.text.split, len(self)
        if library is None or split is None:
            return None
        numbers, flags = np.empty((3, count), np.int32), np.empty((2, count), np.bool_)
        found = _LookedUp(numbers, flags, numbers[0], numbers[1].view(np.float32), numbers[2], *flags)
        read = split.hash, split.capital, split.numeric, split.opens, split.sentence
        written = found.ids, found.zipf, found.content, found.named
        tables = load_words(self.lexicon)
        library.unspun_look_words_up(tables, *map(address, read), count, *map(address, written))
        library.unspun_number_quotations(
            self.text.letters, len(self.text.raw), address(split.start), count, address(found.quotation)
        )
        return found

    @cached_property
    def ids(self) -> NDArray[np.int32]:
        return self._looked_up.ids if self._looked_up else self.lexicon.ids(self.text.norms)

    @cached_property
    def lemmas(self) -> NDArray[np.int32]:
        return self.lexicon.lemmas(self.ids)

    @cached_property
    def neighbours(self) -> NDArray[np.int32]:
        ids, breaks = self.ids, self.breaks
        none = np.full(2, -1, np.int32)
        padded = np.concatenate([none, ids, none])
        closed = np.concatenate([[True], breaks, [True]])
        left = np.where(closed[1:-2], -1, padded[1:-3])
        right = np.where(closed[2:-1], -1, padded[3:-1])
        before_left = np.where(closed[1:-2] | closed[:-3], -1, padded[:-4])
        after_right = np.where(closed[2:-1] | closed[3:], -1, padded[4:])
        return np.stack([before_left, left, right, after_right]).astype(np.int32)

    @cached_property
    def zipf(self) -> NDArray[np.float32]:
        if self._looked_up:
            return self._looked_up.zipf
        zipf = self.lexicon.zipf_known(self.ids)
        [unknown] = np.nonzero(self.ids < 0)
        zipf[unknown] = self.lexicon.zipf([self.text.norms[place] for place in unknown.tolist()])
        return zipf

    @cached_property
    def starts(self) -> NDArray[np.int32]:
        return self.text.split.start if self.text.split else np.array(self.text.starts, np.int32)

    @cached_property
    def ends(self) -> NDArray[np.int32]:
        return self.text.split.end if self.text.split else np.array(self.text.ends, np.int32)

    @cached_property
    def compiled(self) -> CompiledText:
        """The arrays for compiled code; they live as long as this text."""
        split, looked, count = self.text.split, self._looked_up, len(self)
        if split is None or looked is None:
            names = [field[0] for field in CompiledText._fields_ if field[0] not in ("hash", "letters", "count")]
            renamed = {"start": "starts", "end": "ends", "sentence": "sentence_of"}
            pointers = {name: address(getattr(self, renamed.get(name, name))) for name in names}
            return CompiledText(**pointers, hash=None, letters=None, count=count)
        places, marks, numbers, flags = map(address, (split.places, split.marks, looked.numbers, looked.flags))
        row, marked = 4 * count, count + 1
        return CompiledText(
            numbers, places, places + row, places + 2 * row, numbers + 2 * row, address(split.hash), numbers + row,
            marks, marks + marked, flags + count, marks + 2 * marked, flags, marks + 3 * marked,
            _find_address(self._letters), count,
        )  # fmt: skip

    @cached_property
    def _letters(self) -> bytes:
        return self.text.letters

    def __getstate__(self) -> dict[str, object]:
        # Addresses mean nothing in another process.
        return {name: value for name, value in self.__dict__.items() if name not in ("compiled", "_letters")}

    @cached_property
    def _initials(self) -> str:
        """The first letter of each word."""
        raw = self.text.raw
        return "".join([raw[start] for start in self.text.starts])

    @cached_property
    def capital(self) -> NDArray[np.bool_]:
        if self.text.split:
            return self.text.split.capital
        return np.fromiter(map(str.isupper, self._initials), np.bool_, len(self))

    @cached_property
    def numeric(self) -> NDArray[np.bool_]:
        if self.text.split:
            return self.text.split.numeric
        return np.fromiter(map(str.isdigit, self._initials), np.bool_, len(self))

    @cached_property
    def opens(self) -> NDArray[np.bool_]:
        if self.text.split:
            return self.text.split.opens
        opens = np.zeros(len(self), np.bool_)
        opens[[first for first, _ in self.text.sentences]] = True
        return opens

    @cached_property
    def sentence_of(self) -> NDArray[np.int32]:
        if self.text.split:
            return self.text.split.sentence
        lengths = [last - first for first, last in self.text.sentences]
        return np.repeat(np.arange(len(lengths), dtype=np.int32), lengths)

    @cached_property
    def breaks(self) -> NDArray[np.bool_]:
        if self.text.split:
            return self.text.split.breaks
        raw, starts, ends = self.text.raw, self.starts, self.ends
        breaks = np.ones(len(self) + 1, np.bool_)
        # One character between two words breaks nothing: the word took what could belong to it.
        wide = starts[1:] - ends[:-1] > 1
        breaks[1:-1] = wide
        for place in np.flatnonzero(wide).tolist():
            breaks[place + 1] = _BREAK.search(raw, int(ends[place]), int(starts[place + 1])) is not None
        return breaks

    @cached_property
    def quotation(self) -> NDArray[np.int32]:
        if self._looked_up:
            return self._looked_up.quotation
        number = np.full(len(self), -1, np.int32)
        starts = self.text.starts
        for index, (start, end) in enumerate(self.text.quotations):
            number[bisect_left(starts, start) : bisect_left(starts, end)] = index
        return number

    @cached_property
    def content(self) -> NDArray[np.bool_]:
        return self._looked_up.content if self._looked_up else (self.zipf < FUNCTION_ZIPF) & ~self.numeric

    @cached_property
    def content_sums(self) -> NDArray[np.int32]:
        """int32[n + 1, 100]: sums of the vectors of the content words before each word, in the lexicon's steps."""
        library = load_library()
        if library is not None:
            vectors = self.lexicon.arrays().vectors
            sums = np.empty((len(self) + 1, vectors.shape[1]), np.int32)
            library.unspun_sum_vectors(
                address(vectors), address(self.ids), address(self.content), len(self), address(sums)
            )
            return sums
        vectors, _ = self.lexicon.whole_vectors(self.ids)
        sums = np.zeros((len(self) + 1, vectors.shape[1]), np.int32)
        np.cumsum(vectors * self.content[:, None], axis=0, out=sums[1:])
        return sums

    @cached_property
    def named(self) -> NDArray[np.bool_]:
        """Words with a capital that no sentence start, title or headline explains: bool[n].

        A line where most content words are capitalised is a headline, and says nothing.
        """
        if self._looked_up:
            return self._looked_up.named
        sentence = self.sentence_of
        content = np.bincount(sentence, self.content)
        capital = np.bincount(sentence, self.content & self.capital)
        headline = (content >= 3) & (capital / np.maximum(content, 1) > 0.7)
        named: NDArray[np.bool_] = self.capital & ~self.opens & ~headline[sentence]
        return named
