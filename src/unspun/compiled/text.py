"""Words, sentences and breaks of a text found by ``twin.c``, as :mod:`unspun.text` and :mod:`unspun.examined` find them
with regular expressions, in a twentieth of the time.

A text that holds what the compiled code does not know (hidden characters, combining marks) is left to those; letters
whose normal form is more than one letter, or one of elsewhere, are normalised here.
"""

from __future__ import annotations

import ctypes
import re
from collections.abc import Sequence
from functools import cache
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from unspun.compiled.library import Tables, address, load_library
from unspun.compiled.word_table import WordTable
from unspun.letters import ABBREVIATIONS, INVISIBLE, LOOKALIKES, MARKS, normalise_word

# What a character is: an enumeration of twin.c.
_ALNUM, _DECIMAL, _SPACE, _UPPER, _CASED, _DIGIT, _ALPHA, _HARD = (1 << bit for bit in range(8))
#: What is known of a word: that a full stop behind it ends no sentence.
ABBREVIATION: Final = 2
_PAGE, _PAGES = 256, 0x1100
#: Pages of characters that nearly every text needs: Latin.
_FIRST_PAGES: Final = 3
#: Letters whose lower case and compatible form (NFKC) are one letter, whatever stands beside them: Latin ones. Others
#: are left to numpy's path.
_SIMPLE: Final = re.compile("[0-9A-Za-z\u00c0-\u024f\u1e00-\u1eff]")


class Characters:
    """What every character is and its folded form, in pages of 256 that are made when a text asks for them: uint8[256]
    and uint32[256]. ``classes`` and ``folds`` hold the pages' addresses, 0 for those not made."""

    def __init__(self) -> None:
        self.classes = np.zeros(_PAGES, np.uintp)
        self.folds = np.zeros(_PAGES, np.uintp)
        #: What the addresses point to.
        self._pages = list[NDArray[np.unsignedinteger]]()
        for page in range(_FIRST_PAGES):
            self.add_page(page)

    def add_page(self, page: int) -> None:
        """Make a page."""
        classes, folds = np.zeros(_PAGE, np.uint8), np.zeros(_PAGE, np.uint32)
        for at in range(_PAGE):
            letter = chr(page * _PAGE + at)
            fold, class_ = letter, 0
            for bit, holds in (
                (_ALNUM, letter.isalnum()), (_DECIMAL, letter.isdecimal()), (_SPACE, letter.isspace()),
                (_UPPER, letter.isupper()), (_CASED, letter.islower() or letter.istitle()), (_DIGIT, letter.isdigit()),
                (_ALPHA, letter.isalpha()),
            ):  # fmt: skip
                class_ |= bit * holds
            if letter.isalnum():
                fold = normalise_word(letter)
                simple = _SIMPLE.match(letter) and fold == letter.lower() and len(fold) == 1 and _SIMPLE.match(fold)
                if not simple or ord(letter) in LOOKALIKES:
                    fold, class_ = letter, class_ | _HARD
            elif letter in INVISIBLE or MARKS[0] <= letter <= MARKS[-1]:
                class_ |= _HARD
            elif letter not in "'\u2019" and normalise_word(letter) == "'":
                class_ |= _HARD  # a rare apostrophe, which may join two parts of a word
            classes[at], folds[at] = class_, ord(fold)
        self._pages += [classes, folds]
        # The folds first: whoever sees the classes, from any thread, goes on.
        self.folds[page] = address(folds)
        self.classes[page] = address(classes)


@cache
def load_characters() -> Characters:
    """Those of this process."""
    return Characters()


class Split(NamedTuple):
    """Where the n words of a text are: ``start`` and ``end`` int32[n], characters; ``sentence`` int32[n], numbers of
    their sentences; ``hash`` uint64[n], of their norms (see :func:`hash_words`); ``breaks`` bool[n + 1], ``capital``,
    ``numeric`` and ``opens`` bool[n] as in :class:`unspun.examined.Examined`; ``alphabetic`` bool[n], whether they are
    letters alone; ``odd`` bool[n], whether they have letters that are more than one, or another, when normalised. The
    first three are the rows of ``places``, the last six those of ``marks`` bool[6, n + 1]."""

    places: NDArray[np.int32]
    marks: NDArray[np.bool_]
    start: NDArray[np.int32]
    end: NDArray[np.int32]
    sentence: NDArray[np.int32]
    hash: NDArray[np.uint64]
    breaks: NDArray[np.bool_]
    capital: NDArray[np.bool_]
    numeric: NDArray[np.bool_]
    opens: NDArray[np.bool_]
    alphabetic: NDArray[np.bool_]
    odd: NDArray[np.bool_]


def hash_words(norms: Sequence[str]) -> NDArray[np.uint64] | None:
    """uint64[n]: what normalised words are known by in compiled code; None where there is none. Two words have the same
    once in a thousand million million times."""
    library = load_library()
    if library is None:
        return None
    hashes = np.empty(len(norms), np.uint64)
    if len(norms):
        letters = write_letters("\n".join(norms))
        library.unspun_hash_words(letters, len(letters) // 4, address(hashes))
    return hashes


def write_letters(raw: str) -> bytes:
    """A text as compiled code reads it: UTF-32."""
    return raw.encode("utf-32-le", "surrogatepass")


def split_text(raw: str) -> Split | None:
    """None where the library is missing or the text is too hard for it."""
    splitter = _load_splitter()
    return splitter.split(raw) if splitter else None


class _Splitter:
    def __init__(self, library: ctypes.CDLL) -> None:
        self._characters = load_characters()
        self._tables = Tables(classes=address(self._characters.classes), folds=address(self._characters.folds))
        self._at = ctypes.addressof(self._tables)
        # Of all words the abbreviations alone are known.
        self._words = WordTable(sorted(ABBREVIATIONS))
        self._flags = np.zeros(len(self._words), np.uint8)
        self._words.add(ABBREVIATIONS, flags=self._flags, flag=ABBREVIATION)
        self._words.point(self._tables)
        self._tables.flags = address(self._flags)
        self._split = library.unspun_split_text

    def split(self, raw: str) -> Split | None:
        length = len(raw)
        letters = write_letters(raw)
        # Between two words stands a character; the last array ends with one more.
        most = length // 2 + 1
        places, hashes = np.empty((3, most), np.int32), np.empty(most, np.uint64)
        marks = np.empty((6, most + 1), np.bool_)
        at = address(places), address(hashes), address(marks)
        while (count := self._split(self._at, letters, length, most, *at)) < -1:
            self._characters.add_page(-2 - count)
        if count < 0:
            return None
        # Copied, so that what is kept of a text is no longer than it needs to be.
        places, marks = places[:, :count].copy(), marks[:, : count + 1].copy()
        start, end, sentence = places
        breaks, capital, numeric, opens, alphabetic, odd = marks
        own = capital[:-1], numeric[:-1], opens[:-1], alphabetic[:-1], odd[:-1]
        split = Split(places, marks, start, end, sentence, hashes[:count].copy(), breaks, *own)
        if split.odd.any():
            _normalise_odd(raw, split)
        return split


def _normalise_odd(raw: str, split: Split) -> None:
    """Write down what the odd words are when normalised."""
    [odd] = np.nonzero(split.odd)
    norms = [normalise_word(raw[start:end]) for start, end in split.places[:2, odd].T.tolist()]
    hashes = hash_words(norms)
    assert hashes is not None
    split.hash[odd], split.alphabetic[odd] = hashes, [norm.isalpha() for norm in norms]


@cache
def _load_splitter() -> _Splitter | None:
    library = load_library()
    return _Splitter(library) if library is not None else None
