"""Text with offsets: words, sentences and quotations of a string, each pointing back into it.

Nothing is normalised in place: offsets count code points of the string as it was read, and the normalised
form of a word is kept beside it.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from functools import cached_property, partial
from itertools import pairwise
from operator import itemgetter
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from unspun.compiled.text import Split, hash_words, split_text, write_letters
from unspun.letters import ABBREVIATIONS, APOSTROPHES, INVISIBLE, MARKS, normalise_word

#: A number with its separators, or a run of letters and digits joined by apostrophes, combining marks or
#: invisible characters. Hyphens separate words: spinners swap either half of "start-up".
WORD: Final = re.compile(rf"\d+(?:[.,]\d+)+|[^\W_]+(?:[{APOSTROPHES}{INVISIBLE}{MARKS}]+[^\W_]+)*[{MARKS}]*")

#: What can end a sentence is looked for first, and a row of stops only from its beginning and as a whole ("++" gives
#: nothing back): else a long row costs its length squared.
_SENTENCE_END: Final = re.compile(
    r"""(?=[.!?…\r\n\u2028\u2029\u0085\x0b\x0c])
        # A stop, closing marks, then a capital or a digit.
        (?:[.!?…](?<![.!?…]{2})[.!?…]*+["'”’)\]]*+(?=\s++["'“‘(\[]*+[^\Wa-z_])
        |[.!?…](?<![.!?…]{2})[.!?…]*+["”’)\]]*+(?=\s*+\Z)
        |[\r\n\u2028\u2029\u0085\x0b\x0c]+)""",
    re.VERBOSE,
)
_LAST_WORD: Final = re.compile(r"[\w.]+$")

_QUOTE_MARKS: Final = re.compile('["“”„«»]|\n[ \t\r]*\n')
#: Longest sentence in words: what is longer is a list, or made to take time, since sentences are compared as wholes.
MAX_SENTENCE: Final = 1000
#: Longest quotation in characters: a mark that is never closed must not turn half an article into a quote.
MAX_QUOTE: Final = 1500


class Word(NamedTuple):
    """One word: its place ``[start, end)``, and ``norm``, the form that is looked up and compared."""

    start: int
    end: int
    norm: str


_BEYOND_ASCII: Final = re.compile(r"[^\x00-\x7f]")
_START: Final = itemgetter(0)
_END: Final = itemgetter(1)
_make_word: Final = partial(tuple.__new__, Word)


class Text:
    """A string with its words, sentences and quotations, each found on first use.

    Attributes: ``raw`` (the string as read), ``words`` (list of :class:`Word`), ``norms`` (their normalised
    forms), ``sentences`` (half-open ranges of word indices), ``quotations`` (half-open character ranges of
    what stands between quotation marks).
    """

    def __init__(self, raw: str) -> None:
        self.raw = raw

    @cached_property
    def words(self) -> list[Word]:
        # As Word(start, end, norm) does, without a call into Python for each.
        return list(map(_make_word, zip(self.starts, self.ends, self.norms, strict=True)))

    def __len__(self) -> int:
        return self.count

    @cached_property
    def count(self) -> int:
        """How many words there are."""
        return len(self.split.start) if self.split else len(self._matches)

    @cached_property
    def norms(self) -> list[str]:
        # Lower case once for all; the few words that want more than that are taken one by one.
        raw, lower = self.raw, self.raw.lower()
        if len(lower) != len(raw):
            return [normalise_word(raw[start:end]) for start, end in zip(self.starts, self.ends, strict=True)]
        norms = [lower[start:end] for start, end in zip(self.starts, self.ends, strict=True)]
        if not lower.isascii():
            starts, ends, done = self.starts, self.ends, -1
            for match in _BEYOND_ASCII.finditer(lower):
                place = bisect_right(starts, match.start()) - 1
                if place > done and match.start() < ends[place]:
                    norms[place] = normalise_word(raw[starts[place] : ends[place]])
                    done = place
        return norms

    @cached_property
    def starts(self) -> list[int]:
        """Where each word begins."""
        return self.split.start.tolist() if self.split else [match.start() for match in self._matches]

    @cached_property
    def ends(self) -> list[int]:
        """Where each word ends."""
        return self.split.end.tolist() if self.split else [match.end() for match in self._matches]

    def norm(self, place: int) -> str:
        """One of the :attr:`norms`, for who asks for few."""
        norms = vars(self).get("norms")
        return norms[place] if norms else normalise_word(self.raw[self.starts[place] : self.ends[place]])

    def norms_in(self, first: int, last: int) -> list[str]:
        """Those of the words ``first`` to ``last`` (half-open)."""
        return [self.norm(place) for place in range(first, last)]

    @property
    def keys(self) -> Sequence[int | str]:
        """What tells the words apart: their hashes, else the norms."""
        return self.norms if self.hashes is None else self.hashes.tolist()

    @property
    def letters(self) -> bytes:
        """The string as compiled code reads it; not kept, since it takes four times as much."""
        return write_letters(self.raw)

    @cached_property
    def hashes(self) -> NDArray[np.uint64] | None:
        """uint64[n], of the norms, where there is compiled code (:func:`unspun.compiled.text.hash_words`)."""
        return self.split.hash if self.split else hash_words(self.norms)

    @cached_property
    def _matches(self) -> list[re.Match[str]]:
        return list(WORD.finditer(self.raw))

    @cached_property
    def split(self) -> Split | None:
        """The same as arrays, with more, where compiled code could tell; else None."""
        return split_text(self.raw)

    @cached_property
    def sentences(self) -> list[tuple[int, int]]:
        """Half-open ranges of word indices, one a sentence; together they hold every word once, in order. What goes on
        for more than :data:`MAX_SENTENCE` words is cut."""
        if self.split:
            firsts = self.split.opens.nonzero()[0].tolist()
            return list(pairwise([*firsts, len(self.starts)]))
        words, ranges, first = self.words, list[tuple[int, int]](), 0
        for end in (*self._sentence_ends(), len(self.raw)):
            last = bisect_left(words, end, first, key=_START)
            while last > first:
                ranges.append((first, min(last, first + MAX_SENTENCE)))
                first = ranges[-1][1]
        return ranges

    @cached_property
    def sentence_slices(self) -> list[tuple[int, int]]:
        """Half-open character ranges, one a sentence: its words with the marks and stops that touch them, white space
        and other sentences left out."""
        raw, slices, reached = self.raw, list[tuple[int, int]](), 0
        for number, (first, last) in enumerate(self.sentences):
            start, end = self.slice(first, last)
            following = self.starts[last] if number + 1 < len(self.sentences) else len(raw)
            while start > reached and not raw[start - 1].isspace():
                start -= 1
            while end < following and not raw[end].isspace():
                end += 1
            slices.append((start, end))
            reached = end
        return slices

    def enclose(self, start: int, end: int) -> tuple[int, int]:
        """The character range ``[start, end)`` widened to the whole sentences that it touches."""
        slices = self.sentence_slices
        touched = slices[bisect_right(slices, start, key=_END) : bisect_left(slices, end, key=_START)]
        return (min(start, touched[0][0]), max(end, touched[-1][1])) if touched else (start, end)

    def _sentence_ends(self) -> list[int]:
        ends = []
        for match in _SENTENCE_END.finditer(self.raw):
            mark = match.group()
            if mark[0] == ".":
                before = _LAST_WORD.search(self.raw, max(0, match.start() - 12), match.start())
                word = before.group().lower() if before else ""
                if word in ABBREVIATIONS or (len(word) == 1 and word.isalpha()):
                    continue
            ends.append(match.end())
        return ends

    @cached_property
    def quotations(self) -> list[tuple[int, int]]:
        """Half-open character ranges between quotation marks; a quotation left open ends with its paragraph."""
        found, opened = list[tuple[int, int]](), -1
        for match in _QUOTE_MARKS.finditer(self.raw):
            mark = match.group()
            if mark[0] == "\n" or mark in "”»":
                if opened >= 0:
                    found.append((opened, match.start()))
                opened = -1
            elif mark == '"' and opened >= 0:
                found.append((opened, match.start()))
                opened = -1
            else:
                opened = match.end()
        if opened >= 0:
            found.append((opened, len(self.raw)))
        return [(start, end) for start, end in found if 0 < end - start <= MAX_QUOTE]

    def slice(self, first: int, last: int) -> tuple[int, int]:
        """The character range ``[start, end)`` of the words ``first`` to ``last`` (half-open, not empty)."""
        return self.starts[first], self.ends[last - 1]
