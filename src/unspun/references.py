"""Finding what to compare with: the references most likely to tell of the same thing as an article.

Ranking counts what survives spinning: rare words (names, numbers) and word triples, each weighted by how
few references hold it. Counting shared rare sequences keeps its recall where Jaccard estimates (MinHash)
lose theirs, because a swap destroys three triples but leaves the others.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import count, repeat
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from unspun.article import Article
from unspun.examined import Examined
from unspun.lexicon import Lexicon
from unspun.text import Text

#: Words up to this Zipf frequency count for retrieval; commoner ones say nothing about the subject.
RARE_ZIPF: Final = 4.6
#: How many references an article is compared with at most. Same-event sets seldom hold more.
MAX_CANDIDATES: Final = 8
#: Share of an article's weight that a reference must hold to be compared. Among 2,000 articles, 95 % of the
#: pairs of ECB+ reports of one event share this much; so does the best stranger in half of the cases, which
#: costs an alignment but no accuracy.
MIN_SHARED: Final = 0.02

_P1: Final = np.uint64(0x9E3779B97F4A7C15)
_P2: Final = np.uint64(0xC2B2AE3D27D4EB4F)
_TRIPLE: Final = np.uint64(1 << 63)


def fingerprint(text: Text) -> bytes:
    """A digest of the words alone: equal for copies that differ in case, spacing or punctuation only."""
    return hashlib.blake2b(" ".join(text.norms).encode("utf-8", "surrogatepass"), digest_size=16).digest()


@dataclass(frozen=True, slots=True, eq=False)
class Reference:
    """A reference made ready for comparing; ``ids`` int32[words] numbers its words within the References."""

    article: Article
    examined: Examined
    ids: NDArray[np.int32]
    fingerprint: bytes


@dataclass(frozen=True, slots=True)
class Candidate:
    """A reference found for an article; ``shared`` is the share of the article's weight that it holds."""

    reference: Reference
    shared: float


class Looked(NamedTuple):
    """Words looked up in the lexicon: ``ids`` int32[n] and ``zipf`` float32[n]."""

    ids: NDArray[np.int32]
    zipf: NDArray[np.float32]


class References:
    """References held in memory, searchable by what an article shares with them.

    Built by :meth:`build`; read-only afterwards.
    """

    def __init__(self, lexicon: Lexicon) -> None:
        self._lexicon = lexicon
        self._numbers: dict[str, int] = {}
        self._references: list[Reference] = []
        self._by_id: dict[str, Reference] = {}

    @classmethod
    def build(cls, articles: Iterable[Article], lexicon: Lexicon | None = None) -> References:
        """Take in every article that holds a word; the texts stay in memory."""
        self = cls(lexicon or Lexicon.load())
        # A word asked for the first time gets the next number.
        numbers = defaultdict[str, int](count().__next__)
        for article in articles:
            text = Text(article.text)
            if not text.norms:
                continue
            ids = np.fromiter(map(numbers.__getitem__, text.norms), np.int32, len(text.norms))
            reference = Reference(article, Examined(text, self._lexicon), ids, fingerprint(text))
            self._references.append(reference)
            self._by_id.setdefault(article.id, reference)
        self._numbers = dict(numbers)
        return self

    def __len__(self) -> int:
        return len(self._references)

    def __iter__(self) -> Iterator[Article]:
        return (reference.article for reference in self._references)

    def find(self, identifier: str) -> Reference | None:
        """The first reference of that id, ready for comparing, None when there is none."""
        return self._by_id.get(identifier)

    def get(self, identifier: str) -> Article | None:
        """The text of :meth:`find`."""
        found = self.find(identifier)
        return found.article if found else None

    def number_words(self, words: Sequence[str]) -> NDArray[np.int32]:
        """The words as the numbers used in every :attr:`Reference.ids`; -1 for words in no reference."""
        return np.fromiter(map(self._numbers.get, words, repeat(-1)), np.int32, len(words))

    @cached_property
    def _words(self) -> Looked:
        """What the lexicon knows of each word."""
        words = list(self._numbers)
        ids = self._lexicon.ids(words)
        zipf = self._lexicon.zipf_known(ids)
        [unknown] = np.nonzero(ids < 0)
        zipf[unknown] = self._lexicon.zipf([words[number] for number in unknown.tolist()])
        return Looked(ids, zipf)

    @cached_property
    def weights(self) -> NDArray[np.float32]:
        """How much a shared word says, float32 by word number: 0.05 for "the", 1.25 for a word never seen."""
        weights: NDArray[np.float32] = np.clip((7.0 - self._words.zipf) / 4.0, 0.05, 1.25).astype(np.float32)
        return weights

    def prepare(self) -> None:
        """Build the search tables now, so that forked workers share them."""
        _ = self._postings, self.weights

    def _features(self, ids: NDArray[np.int32]) -> tuple[NDArray[np.int32], NDArray[np.uint64], NDArray[np.intp]]:
        """What is counted for retrieval: distinct rare words, distinct word triples, and where each triple begins."""
        known = np.unique(ids[ids >= 0])
        words = known[self.weights[known] > (7.0 - RARE_ZIPF) / 4.0]
        numbers = ids.astype(np.uint64)
        a, b, c = (numbers[i : max(0, len(ids) - 2) + i] for i in range(3))
        keys = ((a * _P1 + b) * _P2 + c * _P1) | _TRIPLE
        unknown = np.flatnonzero(ids < 0)
        if len(unknown):
            whole = np.ones(len(ids), np.bool_)
            whole[unknown] = whole[unknown - 1] = whole[unknown - 2] = False
            [at] = np.nonzero(whole[: len(keys)])
            triples, first = np.unique(keys[at], return_index=True)
            return words, triples, at[first]
        return words, *np.unique(keys, return_index=True)

    @cached_property
    def _postings(self) -> tuple[NDArray[np.int32], NDArray[np.uint64], NDArray[np.int64]]:
        """The reference of each posting, the distinct features (sorted), and where the postings of each begin."""
        found = [self._features(reference.ids) for reference in self._references]
        features = [np.append(words.astype(np.uint64), triples) for words, triples, _ in found]
        flat = np.concatenate(features) if features else np.zeros(0, np.uint64)
        owner = np.repeat(np.arange(len(features), dtype=np.int32), [len(f) for f in features])
        order = np.argsort(flat, kind="stable")
        flat, owner = flat[order], owner[order]
        distinct, starts = np.unique(flat, return_index=True)
        return owner, distinct, np.append(starts, len(flat))

    def query(
        self, text: Text, source: str | None = None, limit: int = MAX_CANDIDATES
    ) -> tuple[list[Candidate], list[Reference]]:
        """The references to compare a text with, best first, and those that are exact copies of it.

        What has the same ``source`` is the text itself and in neither list.
        """
        ids = self.number_words(text.norms)
        words, triples, at = self._features(ids)
        features = np.append(words.astype(np.uint64), triples)
        weight = self.weights
        weights = np.append(weight[words], (weight[ids[at]] + weight[ids[at + 1]] + weight[ids[at + 2]]) / 2)
        if not len(features) or not self._references:
            return [], []
        owner, distinct, starts = self._postings
        at = np.minimum(np.searchsorted(distinct, features), len(distinct) - 1)
        found = distinct[at] == features
        at, weights = at[found], weights[found]
        counts = starts[at + 1] - starts[at]
        total = len(self._references)
        # A feature in every reference still counts a little: a folder may hold one event only.
        weights = weights * (0.15 + 0.85 * np.log1p(total / counts) / np.log1p(total))
        postings = np.repeat(starts[at] - np.append(0, np.cumsum(counts)[:-1]), counts) + np.arange(counts.sum())
        scores = np.bincount(owner[postings], np.repeat(weights, counts), minlength=total)
        # What is found in no reference weighs as much as the rarest word does when every reference holds it.
        whole = weights.sum() + 1.25 * 0.15 * float((~found).sum() + (ids < 0).sum())
        shared = scores / whole if whole > 0 else scores
        own, candidates, copies = fingerprint(text), list[Candidate](), list[Reference]()
        for index in np.argsort(-shared, kind="stable"):
            if shared[index] < MIN_SHARED or len(candidates) == limit:
                break
            reference = self._references[index]
            if source is not None and reference.article.source == source:
                continue
            if reference.fingerprint == own:
                copies.append(reference)
            else:
                reference.examined.take(self._words.ids[reference.ids], self._words.zipf[reference.ids])
                candidates.append(Candidate(reference, float(shared[index])))
        return candidates, copies
