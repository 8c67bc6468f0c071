"""Finding what to compare with: the references most likely to tell of the same thing as an article.

Ranking counts what survives spinning: rare words (names, numbers) and word triples, each weighted by how
few references hold it. Counting shared rare sequences keeps its recall where Jaccard estimates (MinHash)
lose theirs, because a swap destroys three triples but leaves the others.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from unspun.article import Article
from unspun.compiled.library import address, load_library
from unspun.examined import Examined
from unspun.lexicon import Lexicon
from unspun.text import Text
from unspun.word_numbers import WordNumbers, number_words

#: Words up to this Zipf frequency count for retrieval; commoner ones say nothing about the subject.
RARE_ZIPF: Final = 4.6
#: How many references an article is compared with at most. Same-event sets seldom hold more.
MAX_CANDIDATES: Final = 8
#: Share of an article's weight that a reference must hold to be compared. Among 2,000 articles, 95 % of the
#: pairs of ECB+ reports of one event share this much; so does the best stranger in half of the cases, which
#: costs an alignment but no accuracy.
MIN_SHARED: Final = 0.02

#: Steps of weights: sums of whole numbers do not depend on the order (see :mod:`unspun.networks`).
_STEPS: Final = 2.0**24
#: Words of all references up to which these are read through for every text. At 20,000 that takes 0.28 ms, looking up
#: who holds what 0.12, and making the tables for it 3: too long for references that serve one text.
_FEW_WORDS: Final = 20_000

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


@dataclass(frozen=True, slots=True)
class Candidate:
    """A reference found for an article; ``shared`` is the share of the article's weight that it holds."""

    reference: Reference
    shared: float


@lru_cache(64)
def _share_weights(total: int) -> NDArray[np.float64]:
    """float64[total + 1]: the share of its weight that counts of what so many of all references hold, in steps. What is
    in every reference still counts a little: a folder may hold one event only."""
    held = np.maximum(np.arange(total + 1), 1)
    shares: NDArray[np.float64] = _STEPS * (0.15 + 0.85 * np.log1p(total / held) / np.log1p(max(total, 1)))
    return shares


#: The weight that each reference shares with a text, int64[references], in steps; that of all that any reference
#: shares; how many features none has.
_Weighed = tuple[NDArray[np.int64], int, int]


class References:
    """References held in memory, searchable by what an article shares with them.

    Built by :meth:`build`; read-only afterwards.
    """

    def __init__(self, lexicon: Lexicon) -> None:
        self._lexicon = lexicon
        self._numbers = WordNumbers(0, {})
        self._ids = np.zeros(0, np.int32)
        self._references: list[Reference] = []
        self._by_id: dict[str, Reference] = {}

    @classmethod
    def build(cls, articles: Iterable[Article], lexicon: Lexicon | None = None) -> References:
        """Take in every article that holds a word; the texts stay in memory."""
        self = cls(lexicon or Lexicon.load())
        taken = [(article, text) for article in articles if len(text := Text(article.text))]
        self._numbers, self._ids = number_words([text for _, text in taken])
        end = 0
        for article, text in taken:
            first, end = end, end + len(text)
            reference = Reference(article, Examined(text, self._lexicon), self._ids[first:end])
            self._references.append(reference)
            self._by_id.setdefault(article.id, reference)
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

    def number_words(self, text: Text) -> NDArray[np.int32]:
        """The words of a text as the numbers used in every :attr:`Reference.ids`; -1 for words in no reference."""
        return self._numbers.find(text)

    @cached_property
    def weights(self) -> NDArray[np.float32]:
        """How much a shared word says, float32 by word number: 0.05 for "the", 1.25 for a word never seen."""
        zipf = np.empty(self._numbers.size, np.float32)
        for reference in self._references:
            # What is looked up of many is not kept: few of them will be compared.
            examined = reference.examined if self._is_few else Examined(reference.examined.text, self._lexicon)
            zipf[reference.ids] = examined.zipf
        weights: NDArray[np.float32] = np.clip((7.0 - zipf) / 4.0, 0.05, 1.25).astype(np.float32)
        return weights

    @cached_property
    def _rare(self) -> NDArray[np.bool_]:
        """Which words count for retrieval, by number."""
        rare: NDArray[np.bool_] = self.weights > (7.0 - RARE_ZIPF) / 4.0
        return rare

    @cached_property
    def _shares(self) -> NDArray[np.float64]:
        return _share_weights(len(self))

    def prepare(self) -> None:
        """Build the search tables now, so that forked workers share them."""
        _ = self._rare, self._shares
        if not self._is_few:
            _ = self._postings

    def _features(self, ids: NDArray[np.int32]) -> tuple[NDArray[np.int32], NDArray[np.uint64], NDArray[np.intp]]:
        """What is counted for retrieval: distinct rare words, distinct word triples, and where each triple begins."""
        known = np.unique(ids[ids >= 0])
        words = known[self._rare[known]]
        numbers = ids.astype(np.uint64)
        a, b, c = (numbers[i : max(0, len(ids) - 2) + i] for i in range(3))
        keys = ((a * _P1 + b) * _P2 + c * _P1) | _TRIPLE
        unknown = np.flatnonzero(ids < 0)
        if len(unknown):
            whole = np.ones(len(ids), np.bool_)
            whole[unknown] = whole[np.maximum(unknown - 1, 0)] = whole[np.maximum(unknown - 2, 0)] = False
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
        ids = self.number_words(text)
        if not len(ids) or not self._references:
            return [], []
        scores, found, missing = (self._weigh_few if self._is_few else self._weigh_many)(ids)
        # What is found in no reference weighs as much as the rarest word does when every reference holds it.
        whole = found / _STEPS + 1.25 * 0.15 * (missing + np.count_nonzero(ids < 0))
        shared = scores / _STEPS / whole if whole > 0 else scores.astype(np.float64)
        candidates, copies = list[Candidate](), list[Reference]()
        for index in np.argsort(-shared, kind="stable").tolist():
            if shared[index] < MIN_SHARED or len(candidates) == limit:
                break
            reference = self._references[index]
            if source is not None and reference.article.source == source:
                continue
            if len(ids) == len(reference.ids) and (ids == reference.ids).all():
                copies.append(reference)
            else:
                candidates.append(Candidate(reference, float(shared[index])))
        return candidates, copies

    @cached_property
    def _is_few(self) -> bool:
        return load_library() is not None and len(self._ids) <= _FEW_WORDS

    @cached_property
    def _ends(self) -> NDArray[np.int64]:
        return np.cumsum([len(reference.ids) for reference in self._references])

    def _weigh_few(self, ids: NDArray[np.int32]) -> _Weighed:
        """By compiled code, which reads all of the references."""
        library, total = load_library(), len(self)
        assert library is not None
        # Of a word: what it is, its weight, the references that hold it.
        table = np.zeros((1 << (4 * len(ids)).bit_length(), 3), np.uint64)
        scores, found = np.zeros(total, np.int64), np.zeros(2, np.int64)
        library.unspun_weigh_references(
            address(ids), len(ids), address(self._ids), address(self._ends), total, address(self.weights),
            address(self._rare), address(self._shares), address(table), len(table) - 1, address(scores), address(found),
        )  # fmt: skip
        known, missing = found.tolist()
        return scores, known, missing

    def _weigh_many(self, ids: NDArray[np.int32]) -> _Weighed:
        """By looking up who holds each."""
        words, triples, at = self._features(ids)
        features = np.append(words.astype(np.uint64), triples)
        weight = self.weights
        weights = np.append(weight[words], (weight[ids[at]] + weight[ids[at + 1]] + weight[ids[at + 2]]) / 2)
        owner, distinct, starts = self._postings
        at = np.minimum(np.searchsorted(distinct, features), len(distinct) - 1)
        known = distinct[at] == features if len(distinct) else np.zeros(len(at), np.bool_)
        at, weights = at[known], weights[known]
        counts = starts[at + 1] - starts[at]
        steps = np.rint(weights * self._shares[counts])
        postings = np.repeat(starts[at] - np.append(0, np.cumsum(counts)[:-1]), counts) + np.arange(counts.sum())
        scores = np.bincount(owner[postings], np.repeat(steps, counts), minlength=len(self))
        return scores.astype(np.int64), int(steps.sum()), int((~known).sum())
