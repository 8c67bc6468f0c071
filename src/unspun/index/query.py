"""Asking an index: the references that share most with a text, and those that are copies of it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from unspun.article import Article
from unspun.index.keys import MOST_ASKED, MOST_KEYS, KeyMaker, Keys, hash_string, hash_words
from unspun.index.manifest import open_segments
from unspun.index.segment import Segment, read_all
from unspun.index.selection import Selection
from unspun.lexicon import Lexicon
from unspun.references import MAX_CANDIDATES
from unspun.text import Text

#: What a query leaves out: nothing; exact copies of the text; those and near ones.
LeaveOut = Literal["nothing", "copies", "near"]

#: Postings read for one query: the rarest keys first, until so many are read. This is what keeps a query as fast among
#: a million as among a thousand: the common keys, whose postings grow, are the ones left out. Among 100,000 as much is
#: found with 2,500 as with 40,000.
BUDGET: Final = 10_000
#: From this share of common keys on, a reference is a near copy. 99 % of articles reach it with 3 % of their words
#: replaced, 80 % with 5 %, 6 % with 10 %; the article next to another among 100,000 does in 1 %.
NEAR: Final = 0.75
#: Exact copies that a query gives: a wire story may stand in an archive a thousand times.
MOST_COPIES: Final = 32
#: References ranked beyond those asked for, since some may be left out.
_SPARE: Final = 24


@dataclass(frozen=True, slots=True)
class Hit:
    """A reference found for a text.

    ``score``: how much the two share, of 1 for everything; ``resemblance``: the share of the longer one's keys that
    both have; ``is_copy``: whether the words are the same.
    """

    article: Article
    score: float
    resemblance: float
    is_copy: bool

    @property
    def is_near(self) -> bool:
        """Whether it is a copy, or one with a few words changed."""
        return self.is_copy or self.resemblance >= NEAR


class Index:
    """An index that is open for reading. Pickled, it is opened anew where it arrives.

    >>> index = Index.open("archive.index")                          # doctest: +SKIP
    >>> [hit.article.id for hit in index.query(Text(text), 5)]       # doctest: +SKIP
    """

    def __init__(self, path: Path, segments: list[Segment], lexicon: Lexicon | None = None) -> None:
        self.path = path
        self.segments = segments
        self._bases = np.cumsum([0, *(segment.count for segment in segments)])
        self._lexicon = lexicon
        self._maker: KeyMaker | None = None
        self._lock = threading.Lock()

    @classmethod
    def open(cls, path: str | Path, lexicon: Lexicon | None = None) -> Index:
        """Open an index; only what is looked at will be read. ``lexicon``: the shipped one by default.

        Raises :class:`~unspun.index.segment.IndexDamagedError` when it cannot be used.
        """
        return cls(Path(path), open_segments(Path(path)), lexicon)

    def __reduce__(self) -> tuple[Any, ...]:
        return Index.open, (self.path.resolve(),)

    def __len__(self) -> int:
        return sum(segment.alive for segment in self.segments)

    def __iter__(self) -> Iterator[Article]:
        return read_all(self.segments)

    def get(self, identifier: str) -> Article | None:
        """The reference of that id, None when there is none."""
        hashed = hash_string(identifier)
        for segment in self.segments:
            for document in segment.find_id(hashed):
                article = segment.read_article(document)
                if article.id == identifier:
                    return article
        return None

    def __contains__(self, identifier: str) -> bool:
        hashed = hash_string(identifier)
        return any(
            segment.read_row(document)["id"] == identifier
            for segment in self.segments
            for document in segment.find_id(hashed)
        )

    def read_article(self, number: int) -> Article:
        """The reference of that number, counted through all segments."""
        segment, place = self._locate(number)
        return segment.read_article(place)

    def read_row(self, number: int) -> dict[str, Any]:
        """What is known of the reference of that number, without its text."""
        segment, place = self._locate(number)
        return segment.read_row(place)

    def make_keys(self, text: Text) -> Keys:
        """What the text is found by."""
        # Words are learned meanwhile, which two threads must not do at once.
        with self._lock:
            if self._maker is None:
                self._maker = KeyMaker(self._lexicon or Lexicon.load())
            self._maker.tidy()
            return self._maker.make([text.norms], MOST_ASKED)[0]

    def query(
        self,
        text: Text,
        limit: int = MAX_CANDIDATES,
        source: str | None = None,
        leave_out: LeaveOut = "nothing",
        selection: Selection | None = None,
    ) -> list[Hit]:
        """The ``limit`` references that share most with a text, best first, and after them its exact copies that are
        not among them.

        What has the same ``source`` is the text itself and left out, and so is what ``leave_out`` says and what is not
        of ``selection``. Copies are no part of the limit; of more than :data:`MOST_COPIES` the first ones.
        """
        copies = dict.fromkeys(self._find_copies(text, selection) if text.norms else ())
        ranked = self._rank(self.make_keys(text), limit + len(copies) + _SPARE, selection)
        hits, seen, copied = list[Hit](), 0, 0
        for document, score, resemblance in ranked:
            is_copy = document in copies
            if is_copy and (leave_out != "nothing" or copied == MOST_COPIES):
                continue
            if not is_copy and (seen == limit or (leave_out == "near" and resemblance >= NEAR)):
                continue
            segment, place = self._locate(document)
            if source is not None and segment.read_row(place).get("source") == source:
                continue
            seen += not is_copy
            copied += is_copy
            hits.append(Hit(segment.read_article(place), score, resemblance, is_copy))
        if leave_out == "nothing":
            ranks = {document for document, _, _ in ranked}
            for document in copies:
                segment, place = self._locate(document)
                if copied == MOST_COPIES:
                    break
                if document not in ranks and (source is None or segment.read_row(place).get("source") != source):
                    copied += 1
                    hits.append(Hit(segment.read_article(place), 1.0, 1.0, True))
        return hits

    def _locate(self, document: int) -> tuple[Segment, int]:
        number = int(np.searchsorted(self._bases, document, "right")) - 1
        return self.segments[number], document - int(self._bases[number])

    def _find_copies(self, text: Text, selection: Selection | None) -> list[int]:
        hashed = hash_words(text)
        bases = self._bases.tolist()
        return [
            base + document
            for base, segment in zip(bases, self.segments, strict=False)
            for document in segment.find_copies(hashed)
            if selection is None or segment.select(selection, [document])[0]
        ]

    def _rank(self, keys: Keys, count: int, selection: Selection | None) -> list[tuple[int, float, float]]:
        """The references that share most with these keys, at most ``count``: number, score, resemblance; best first."""
        if not self.segments or not len(keys):
            return []
        found = [segment.find_postings(keys) for segment in self.segments]
        spread = np.sum([counts for _, counts in found], axis=0)
        total = int(self._bases[-1])
        # The rarest keys first; of equally rare ones the lower, so that the answer never depends on the segments.
        order = np.argsort(spread, kind="stable")
        reached = np.cumsum(spread[order])
        asked = order[: int(np.searchsorted(reached, max(BUDGET, int(reached[0])), "right"))]
        weights = np.log1p(total / np.maximum(spread[asked], 1))
        documents, gained = list[NDArray[np.int64]](), list[NDArray[np.float64]]()
        for base, segment, (starts, counts) in zip(self._bases.tolist(), self.segments, found, strict=False):
            holders, gain = segment.read_documents(starts[asked], counts[asked]), np.repeat(weights, counts[asked])
            if segment.removed is not None:
                kept = ~segment.removed[holders]
                holders, gain = holders[kept], gain[kept]
            if selection is not None:
                kept = segment.select(selection, holders)
                holders, gain = holders[kept], gain[kept]
            documents.append(holders + base)
            gained.append(gain)
        holders, gain = np.concatenate(documents), np.concatenate(gained)
        best, scores = _find_best(holders, gain, count)
        if not len(best):
            return []
        whole = float(weights.sum())
        # How many keys each of the best shares: one more pass over few numbers.
        order = np.argsort(best)
        place = np.minimum(np.searchsorted(best[order], holders), len(best) - 1)
        shared = np.bincount(order[place[best[order][place] == holders]], minlength=len(best))
        sizes = [int(segment.sizes[at]) for segment, at in map(self._locate, best.tolist())]
        # Keys that were too common to be asked for are taken as shared as the others are.
        longer = np.maximum(min(len(keys), MOST_KEYS), sizes) * (len(asked) / len(keys))
        resemblance = np.minimum(shared / np.maximum(longer, 1), 1.0)
        return list(zip(best.tolist(), (scores / whole).tolist(), resemblance.tolist(), strict=True))


def _find_best(
    holders: NDArray[np.int64], gain: NDArray[np.float64], count: int
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """The ``count`` numbers that gain most, best first (of equals the lower), and what each gains."""
    if not len(holders):
        return holders, gain
    order = np.argsort(holders)
    ordered = holders[order]
    first = np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1]))
    # Sums of the same weights in another order differ in the last digits.
    numbers = ordered[first]
    scores: NDArray[np.float64] = np.add.reduceat(gain[order], first).round(6)
    if len(scores) > count:
        # Sorting is faster than partitioning where many are equal.
        kept = scores >= np.sort(scores)[-count]
        numbers, scores = numbers[kept], scores[kept]
    best = np.lexsort((numbers, -scores))[:count]
    return numbers[best], scores[best]
