"""What is known of English: frequencies, vectors, synonyms, forms of words, word sequences, tortured phrases.

Words are numbers here (*ids*, most frequent first, -1 for unknown), and questions are asked for whole arrays
of them. ``data/README.md`` is the specification of the files.
"""

from __future__ import annotations

import gzip
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import repeat
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from unspun.compiled.library import address, load_library
from unspun.frequencies import find_frequencies
from unspun.key_table import KeyTable, number_pairs
from unspun.resources import find_data

Ids = NDArray[np.int32]
Floats = NDArray[np.float32]
Bytes = NDArray[np.uint8]
Bools = NDArray[np.bool_]

#: Source bits of a synonym pair: one synset of WordNet; one lists the other in Moby's thesaurus; a neighbour
#: in WordNet (similar adjective, direct hypernym of a verb); each lists the other in Moby's.
WORDNET: Final = 1
MOBY: Final = 2
WORDNET_NEAR: Final = 4
MOBY_BOTH: Final = 8

#: Classes of inflection: what form of its lemma a word most often is.
UNKNOWN: Final = 0
BASE: Final = 1
PLURAL: Final = 2
POSSESSIVE: Final = 3
VERB_Z: Final = 4
VERB_D: Final = 5
VERB_N: Final = 6
VERB_G: Final = 7
ADJECTIVE_ER: Final = 8
ADJECTIVE_EST: Final = 9

#: Words at or above this Zipf frequency are function words or nearly so (said, new, people lie below it).
FUNCTION_ZIPF: Final = 6.2
#: Stored log10 probabilities are multiples of this: the error (at most half) is far below the model's own.
LOG_STEP: Final = 0.04
#: The same for triples: what a third word adds to log10 P, and the back-off of pairs.
GAIN_STEP: Final = 0.1
#: log10 probability of a word that is not in the vocabulary: about that of its rarest words.
UNKNOWN_LOG: Final = -7.5
#: Pairs of words whose vectors are compared at once: a kilobyte each.
_COMPARED: Final = 1 << 16


class Lexicon:
    """The tables of ``data/lexicon``, read on first use; :meth:`load` gives the one shared instance.

    Attributes: ``size`` (words in the vocabulary), ``sentence_start`` and ``sentence_end`` (ids that
    :meth:`log_prob` takes beside those of words), ``synonym_starts`` (int32[size + 1]), ``synonym_ids``
    (int32) and ``synonym_sources`` (uint8): the synonyms of word ``i``, best first, are
    ``synonym_ids[synonym_starts[i]:synonym_starts[i + 1]]``.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        words = gzip.decompress((folder / "words.txt.gz").read_bytes()).decode().split()
        self._words = words
        self.size = len(words)
        self.sentence_start = self.size
        self.sentence_end = self.size + 1
        with _open(folder, "vectors.npz") as table:
            self._vectors: NDArray[np.int8] = np.ascontiguousarray(table["vectors"])
        with _open(folder, "forms.npz") as table:
            self._lemmas = table["lemmas"].astype(np.int32)
            self._inflections: Bytes = table["inflections"]
            pairs = table["spellings"].astype(np.int64)
        #: Pairs of British and American spellings, either way.
        self.spellings = KeyTable(np.unique(self._keys(pairs.ravel(), pairs[:, ::-1].ravel())))
        with _open(folder, "synonyms.npz") as table:
            self.synonym_starts: Ids = _starts(table["counts"]).astype(np.int32)
            self.synonym_ids: Ids = _join(table["ids_low"], table["ids_high"]).astype(np.int32)
            self.synonym_sources: Bytes = table["bits"]
        with _open(folder, "sequences.npz") as table:
            self._unigram: Floats = np.append(table["unigram"], np.float32(UNKNOWN_LOG))
            self._backoff: Floats = np.append(table["backoff"], np.float32(0))
            self._pair_logs: Bytes = table["logs"]
            lengths = table["row_lengths"]
            columns = _decode_rows(lengths, _join(table["steps_low"], table["steps_high"]))
            self._pair_keys = KeyTable(self._keys(np.repeat(np.arange(len(lengths)), lengths), columns))

    @classmethod
    def load(cls) -> Lexicon:
        """The lexicon that is shipped, read once a process. Raises FileNotFoundError when it is missing."""
        return _load_shipped()

    # --- words

    def ids(self, words: Sequence[str]) -> Ids:
        """int32[n]: the ids of normalised words, -1 for those outside the vocabulary."""
        return np.fromiter(map(self._ids.get, words, repeat(-1)), np.int32, len(words))

    @cached_property
    def _ids(self) -> dict[str, int]:
        # Compiled code has a table of its own; this one takes eight megabytes.
        return {word: i for i, word in enumerate(self._words)}

    @property
    def words(self) -> list[str]:
        """All words, the most frequent first: a word's id is its place."""
        return self._words

    def word(self, id: int) -> str:
        """The word of an id; raises IndexError when there is none."""
        if id < 0:
            raise IndexError(f"{id} is no word's id")
        return self._words[id]

    def zipf(self, words: Sequence[str]) -> Floats:
        """float32[n]: log10 of the occurrences in a thousand million words, 0 for words never seen."""
        return find_frequencies(words)

    def zipf_known(self, ids: Ids) -> Floats:
        """float32[n]: :meth:`zipf` of words of the vocabulary, any value for -1."""
        found: Floats = self._zipf[ids]
        return found

    @cached_property
    def _zipf(self) -> Floats:
        return self.zipf(self._words)

    # --- meaning

    def whole_vectors(self, ids: Ids) -> tuple[NDArray[np.int8], Ids]:
        """int8[n, 100]: the vectors of words as they are stored, nearly all some 64 steps long, zeros where a word has
        none; and int32[n], the squares of their lengths. What is summed of these does not depend on the order."""
        found, squares = self._vectors[ids], self._squares[ids]
        found[ids < 0] = 0
        squares[ids < 0] = 0
        return found, squares

    @cached_property
    def _squares(self) -> Ids:
        squares: Ids = np.einsum("ij,ij->i", self._vectors, self._vectors, dtype=np.int32)
        return squares

    def similarity(self, a: Ids, b: Ids) -> Floats:
        """float32[n]: cosine of the vectors of two words, 0 where either has none."""
        library = load_library()
        if library is not None:
            pairs = np.array([a, b], np.int32)
            cosines = np.empty(len(a), np.float32)
            tables = address(self._vectors), address(self._squares)
            library.unspun_compare_words(*tables, *map(address, pairs), len(a), address(cosines))
            return cosines
        if len(a) > _COMPARED:
            parts = (slice(at, at + _COMPARED) for at in range(0, len(a), _COMPARED))
            return np.concatenate([self.similarity(a[part], b[part]) for part in parts])
        (one, squares), (two, others) = self.whole_vectors(a), self.whole_vectors(b)
        dot = np.einsum("ij,ij->i", one, two, dtype=np.int32)
        cosine: Floats = (dot / np.sqrt(np.maximum(squares.astype(np.int64) * others, 1))).astype(np.float32)
        return cosine

    def synonyms(self, id: int) -> Ids:
        """int32[k]: the synonyms of a word, best first; empty for -1."""
        if id < 0:
            return self.synonym_ids[:0]
        return self.synonym_ids[self.synonym_starts[id] : self.synonym_starts[id + 1]]

    def synonym_bits(self, a: Ids, b: Ids) -> Bytes:
        """uint8[n]: which sources know two words as synonyms (bits of this module), 0 for none."""
        known = (a >= 0) & (b >= 0)
        keys, bits = self.synonym_keys
        place, found = keys.find(self._keys(a, b))
        return np.where(known & found, bits[place], 0).astype(np.uint8)

    @cached_property
    def synonym_keys(self) -> tuple[KeyTable, Bytes]:
        """The pairs of synonyms, either way, and which sources know each."""
        # Both directions, since a long list of synonyms is cut in one direction only.
        here = np.repeat(np.arange(self.size), np.diff(self.synonym_starts))
        keys = np.concatenate([self._keys(here, self.synonym_ids), self._keys(self.synonym_ids, here)])
        order = np.argsort(keys)
        keys = keys[order]
        # A pair listed both ways stands once, with the bits of the first.
        first = np.append(True, keys[1:] != keys[:-1])
        return KeyTable(keys[first]), np.tile(self.synonym_sources, 2)[order][first]

    # --- forms

    def lemmas(self, ids: Ids) -> Ids:
        """int32[n]: the id of each word's lemma, itself where it has no other, -1 for -1."""
        return np.where(ids >= 0, self._lemmas[ids], np.int32(-1))

    def inflections(self, ids: Ids) -> Bytes:
        """uint8[n]: the class of inflection of each word (constants of this module), 0 for unknown."""
        return np.where(ids >= 0, self._inflections[ids], np.uint8(UNKNOWN))

    def is_inflection_of(self, a: Ids, b: Ids) -> Bools:
        """bool[n]: whether two words have one lemma."""
        result: Bools = (a >= 0) & (b >= 0) & (self._lemmas[a] == self._lemmas[b])
        return result

    def spelling_variants(self, a: Ids, b: Ids) -> Bools:
        """bool[n]: whether two words are the British and the American spelling of one."""
        found = self.spellings.find(self._keys(a, b))[1]
        result: Bools = (a >= 0) & (b >= 0) & found
        return result

    # --- sequences

    def log_unigram(self, ids: Ids) -> Floats:
        """float32[n]: log10 P(word); :data:`UNKNOWN_LOG` for -1."""
        logs: Floats = self._unigram[ids]
        return logs

    def log_prob(self, previous: Ids, word: Ids, before: Ids | None = None) -> Floats:
        """float32[n]: log10 P(word | before previous) with Katz back-off (Katz 1987); without ``before``,
        log10 P(word | previous).

        ``before`` and ``previous`` may be :attr:`sentence_start`, ``word`` may be :attr:`sentence_end`. After
        an unknown word it is P(word); an unknown word has :data:`UNKNOWN_LOG` and the back-off before it.
        """
        context = None if before is None else self.find_pairs(before, previous)
        return self.log_after(self.find_pairs(previous, word), previous, word, context)

    def log_after(self, pair: Pairs, previous: Ids, word: Ids, context: Pairs | None = None) -> Floats:
        """:meth:`log_prob` from pairs that were found before: (previous, word) and, as ``context``, (before,
        previous)."""
        stored = self._pair_logs[pair.place].astype(np.float32) * np.float32(-LOG_STEP)
        estimate: Floats = np.where(pair.found, stored, self._backoff[previous] + self._unigram[word])
        if context is None:
            return estimate
        triples = self._triples
        [known] = np.nonzero(context.found)
        places, words = context.place[known], word[known]
        wanted = places.astype(np.uint64) * np.uint64(self.size + 2) + words.astype(np.uint64)
        place, found = triples.keys.find(wanted)
        gain = np.where(found & (words >= 0), triples.gains[place], 0)
        estimate[known] += (triples.backoff[places] + gain).astype(np.float32) * np.float32(GAIN_STEP)
        return estimate

    def find_pairs(self, previous: Ids, word: Ids) -> Pairs:
        """Which of n pairs of words in sequence the language model has seen, and where it keeps them."""
        place, found = self._pair_keys.find(self._keys(previous, word))
        return Pairs(place, found & (previous >= 0) & (word >= 0))

    @cached_property
    def _triples(self) -> _Triples:
        with _open(self.folder, "triples.npz") as table:
            lengths = table["row_lengths"]
            columns = _decode_rows(lengths, _join(table["steps_low"], table["steps_high"]))
            rows = np.repeat(np.arange(len(lengths), dtype=np.uint64), lengths)
            # The wide type keeps the sum of two int8 from running over.
            return _Triples(
                KeyTable(rows * np.uint64(self.size + 2) + columns.astype(np.uint64)),
                table["gains"].astype(np.int16),
                table["backoff"],
            )

    def arrays(self) -> Arrays:
        """What stands behind the questions, for :mod:`unspun.compiled`."""
        triples = self._triples
        return Arrays(
            self._unigram, self._backoff, self._pair_keys, self._pair_logs, triples.keys, triples.gains,
            triples.backoff, self._vectors, self._squares, self._lemmas,
            self._inflections,
        )  # fmt: skip

    def _keys(self, a: NDArray[np.integer], b: NDArray[np.integer]) -> NDArray[np.uint32]:
        return number_pairs(a, b, self.size + 2)

    # --- phrases

    @cached_property
    def phrases(self) -> Mapping[tuple[str, ...], str]:
        """Tortured phrase, as normalised words -> the expected wording (Problematic Paper Screener)."""
        text = gzip.decompress((self.folder / "tortured_phrases.tsv.gz").read_bytes()).decode()
        rows = (line.split("\t") for line in text.splitlines())
        return {tuple(tortured.split()): expected for tortured, expected, _ in rows}


@dataclass(frozen=True, slots=True)
class Pairs:
    """Pairs of words in sequence: ``found`` bool[n], and ``place`` intp[n] of those found."""

    place: NDArray[np.intp]
    found: Bools

    def __getitem__(self, rows: NDArray[np.intp]) -> Pairs:
        return Pairs(self.place[rows], self.found[rows])


@dataclass(frozen=True, slots=True)
class Arrays:
    """The tables of a :class:`Lexicon`: ``unigram`` and ``backoff`` float32[size + 3], the last for unknown words;
    ``pairs`` and their logarithms ``pair_logs`` uint8 in steps; ``triples``, their ``gains`` int16, and every pair's
    ``triple_backoff`` int8; ``vectors`` int8[size, 100] and the ``squares`` int32[size] of their lengths; ``lemmas``
    int32[size] and ``inflections`` uint8[size]."""

    unigram: Floats
    backoff: Floats
    pairs: KeyTable
    pair_logs: Bytes
    triples: KeyTable
    gains: NDArray[np.int16]
    triple_backoff: NDArray[np.int8]
    vectors: NDArray[np.int8]
    squares: Ids
    lemmas: Ids
    inflections: Bytes


@dataclass(frozen=True, slots=True)
class _Triples:
    """Keys (index of the pair before * width + word), their gains, every pair's back-off."""

    keys: KeyTable
    gains: NDArray[np.int16]
    backoff: NDArray[np.int8]


@cache
def _load_shipped() -> Lexicon:
    return Lexicon(find_data("lexicon"))


def _open(folder: Path, name: str) -> np.lib.npyio.NpzFile:
    path = folder / name
    if not path.exists():
        raise FileNotFoundError(f"{path} is missing: run scripts/build_lexicon, or reinstall unspun")
    table: np.lib.npyio.NpzFile = np.load(path, allow_pickle=False)
    return table


def _join(low: Bytes, high: Bytes) -> NDArray[np.uint32]:
    # Stored apart because the halves of a number compress better on their own.
    joined: NDArray[np.uint32] = high.astype(np.uint32) * np.uint32(256) + low
    return joined


def _starts(counts: NDArray[np.unsignedinteger]) -> NDArray[np.int64]:
    starts = np.zeros(len(counts) + 1, np.int64)
    np.cumsum(counts, out=starts[1:])
    return starts


def _decode_rows(lengths: NDArray[np.uint16], steps: NDArray[np.uint32]) -> NDArray[np.int64]:
    """The columns of rows stored as steps: a row's first stands for itself, each other adds to the last."""
    starts = _starts(lengths)
    total = np.concatenate([[0], np.cumsum(steps, dtype=np.int64)])
    columns: NDArray[np.int64] = total[1:] - np.repeat(total[starts[:-1]], lengths)
    return columns
