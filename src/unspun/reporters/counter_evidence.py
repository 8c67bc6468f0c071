"""What speaks against a suspicion: quotations and whole sentences that references have word for word."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from unspun.text import Text

#: Fewest words of a quotation or sentence that say anything: "he said" stands everywhere.
MIN_WORDS: Final = 4


#: References by id, each with its words between single spaces.
Spelled: TypeAlias = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Verbatim:
    """``[start, end)`` of the article stands word for word in the references ``ids``."""

    start: int
    end: int
    ids: tuple[str, ...]


def spell_words(references: Iterable[tuple[str, Text]]) -> Spelled:
    """The words of each reference as one string, to look wordings up in."""
    return [(id, f" {' '.join(text.norms)} ") for id, text in references]


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
    for first, last, start, end in ranges:
        if last - first >= MIN_WORDS:
            words = f" {' '.join(article.norms[first:last])} "
            ids = tuple(id for id, spelled in references if words in spelled)
            if len(ids) >= least:
                found.append(Verbatim(start, end, ids))
    return found
