"""A lexicon as ``twin.c`` reads it, and what is worked out from one beforehand."""

from __future__ import annotations

import ctypes
from functools import cache
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from unspun.compiled.library import CompiledKeyTable, Tables, address, load_library
from unspun.compiled.text import hash_words, load_characters, write_letters
from unspun.frequencies import load_frequencies
from unspun.key_table import KeyTable
from unspun.lexicon import FUNCTION_ZIPF, GAIN_STEP, LOG_STEP, Lexicon
from unspun.word_lists import ARTICLES, AUXILIARIES, ENGLISH, HOUSE_STYLE, IRREGULAR, NUMBERS, SMALL

#: Words with a Zipf frequency above this are not examined: spinners hardly touch them, and they have
#: synonyms by the dozen.
MAX_ZIPF: Final = 6.6
#: Words of a stretch of text, at most: how often a word occurs is counted within one, since the classifiers were
#: trained on articles that are hardly longer. Counted in the whole text, log-odds fell from 2.0 at 2,000 words to -.6
#: at 100,000 with a fifth of the words swapped; within stretches they stay.
STRETCH: Final = 2000
#: Steps of log10 that shares in a sum are rounded to, and 10**-x for x from 0 in such steps, in 2**-30; beyond nine
#: powers of ten nothing is left.
SHARE_STEPS: Final = 256
SHARES: Final = np.rint(2.0**30 * 10.0 ** -(np.arange(9 * SHARE_STEPS + 2) / SHARE_STEPS)).astype(np.int64)


@cache
def log_out_degree(lexicon: Lexicon) -> NDArray[np.float32]:
    """float32[lexicon words]: log10 of how many words list each as a synonym, at least 0."""
    counts = np.bincount(lexicon.synonym_ids, minlength=lexicon.size)
    return np.log10(np.maximum(counts, 1)).astype(np.float32)


@cache
def number_words(lexicon: Lexicon) -> NDArray[np.int32]:
    """int32[slots]: of each slot of :func:`unspun.frequencies.load_frequencies` the word's id, -1 for none."""
    table = load_frequencies()
    ids = np.full(len(table), -1, np.int32)
    table.add(lexicon.words, ids=ids)
    return ids


@cache
def load_words(lexicon: Lexicon) -> int:
    """The address of tables that tell the ids and frequencies of words alone, without the rest of the lexicon. They
    live as long as the process, which must have a library."""
    tables = Tables(ids=address(number_words(lexicon)), function_zipf=FUNCTION_ZIPF)
    load_frequencies().point(tables)
    _kept.append((tables, lexicon))
    return ctypes.addressof(tables)


@cache
def load_tables(lexicon: Lexicon, compared: bool = True) -> int | None:
    """The address of the tables of a lexicon, which live as long as the process; ``compared``: with the pairs of
    synonyms, 40 MB, which only texts that are compared ask for. None where there is no library."""
    if load_library() is None:
        return None
    tables = Tables()
    fill_tables(tables, lexicon)
    if compared:
        keys, bits = lexicon.synonym_keys
        point_to(tables.synonyms, keys)
        tables.synonym_bits, tables.lemmas = address(bits), address(lexicon.arrays().lemmas)
        tables.kinds = address(_list_kinds(lexicon))
        point_to(tables.spellings, lexicon.spellings)
        _point_to_marks(tables)
        characters = load_characters()
        tables.classes, tables.folds = address(characters.classes), address(characters.folds)
    _kept.append((tables, lexicon))
    return ctypes.addressof(tables)


#: What addresses were given out of.
_kept: Final = list[object]()

#: Kinds of words, and what is known of marked ones, bits: enumerations of ``alignment.h`` and ``style.h``.
_ARTICLE, _AUXILIARY = 1, 2
_STYLED, _SMALL, _ENGLISH = 1, 2, 4


@cache
def _list_kinds(lexicon: Lexicon) -> NDArray[np.uint8]:
    """uint8[size]: which of them each word is."""
    kinds = np.zeros(lexicon.size, np.uint8)
    for kind, words in ((_ARTICLE, ARTICLES), (_AUXILIARY, AUXILIARIES)):
        kinds[[lexicon.words.index(word) for word in sorted(words)]] |= kind
    return kinds


@cache
def load_marks() -> int:
    """The address of tables that know the words of :mod:`unspun.word_lists` alone; they live as long as the process,
    which must have a library."""
    tables = Tables()
    _point_to_marks(tables)
    _kept.append(tables)
    return ctypes.addressof(tables)


def count_english(hashes: NDArray[np.uint64]) -> int:
    """How many of these words are of :data:`unspun.word_lists.ENGLISH`."""
    library = load_library()
    assert library is not None
    return int(library.unspun_count_marked(load_marks(), address(hashes), len(hashes), _ENGLISH))


def _point_to_marks(tables: Tables) -> None:
    marks = _mark_words()
    tables.marked_mask = len(marks.hashes) - 1
    tables.marked, tables.marks = address(marks.hashes), address(marks.bits)
    tables.spelt_at, tables.spelt = address(marks.begins), address(marks.letters)


class _Marks(NamedTuple):
    """Words by their ``hashes`` uint64[2**k], 0 where there is none; what is known of them, ``bits`` uint8[2**k]; where
    what they are spelt out as begins among the ``letters`` uint32, which a 0 ends, ``begins`` int32[2**k]."""

    hashes: NDArray[np.uint64]
    bits: NDArray[np.uint8]
    begins: NDArray[np.int32]
    letters: NDArray[np.uint32]


@cache
def _mark_words() -> _Marks:
    styled = {**NUMBERS, **HOUSE_STYLE, **IRREGULAR}
    words = sorted({*styled, *SMALL, *ENGLISH})
    hashes = hash_words(words)
    assert hashes is not None
    slots = 1 << (2 * len(words)).bit_length()
    known, bits, begins = np.zeros(slots, np.uint64), np.zeros(slots, np.uint8), np.zeros(slots, np.int32)
    letters = list[int]()
    for word, hash in zip(words, hashes.tolist(), strict=True):
        slot = hash % slots
        while known[slot]:
            slot = (slot + 1) % slots
        known[slot], begins[slot] = hash, len(letters)
        bits[slot] = _STYLED * (word in styled) + _SMALL * (word in SMALL) + _ENGLISH * (word in ENGLISH)
        letters += [*map(ord, styled.get(word, "").replace(" ", "")), 0]
    return _Marks(known, bits, begins, np.array(letters, np.uint32))


def fill_tables(tables: Tables, lexicon: Lexicon) -> None:
    """Point ``tables`` to the arrays of a lexicon, which must live as long."""
    parts = lexicon.arrays()
    tables.size = lexicon.size
    tables.logs = address(_stack_logs(lexicon))
    for at, table in ((tables.pairs, parts.pairs), (tables.triples, parts.triples)):
        point_to(at, table)
        words = _make_filter(table)
        at.filter, at.filter_shift = address(words), 65 - words.size.bit_length()
    tables.pair_logs, tables.gains = address(parts.pair_logs), address(parts.gains)
    tables.triple_backoff = address(parts.triple_backoff)
    tables.log_step, tables.gain_step = -LOG_STEP, GAIN_STEP
    tables.synonym_starts, tables.synonym_ids = map(address, (lexicon.synonym_starts, lexicon.synonym_ids))
    tables.synonym_sources = address(lexicon.synonym_sources)
    tables.vectors, tables.squares = address(parts.vectors), address(parts.squares)
    tables.shares, tables.last_share = address(SHARES), len(SHARES) - 1
    tables.share_steps, tables.most_zipf, tables.function_zipf = SHARE_STEPS, MAX_ZIPF, FUNCTION_ZIPF
    tables.stretch = STRETCH
    tables.inflections, tables.out_degrees = address(parts.inflections), address(log_out_degree(lexicon))
    phrases = _hash_phrases(lexicon)
    tables.phrases, tables.phrase_mask = address(phrases), len(phrases) - 1
    tables.longest_phrase = max(map(len, lexicon.phrases), default=0)
    tables.priors = address(_sum_priors(lexicon))


@cache
def _sum_priors(lexicon: Lexicon) -> NDArray[np.float32]:
    """float32[size]: of every word the ``prior_gain`` of :mod:`unspun.extractors.wording`, wherever it stands."""
    library, priors = load_library(), np.empty(lexicon.size, np.float32)
    assert library is not None
    tables = Tables(
        size=lexicon.size, logs=address(_stack_logs(lexicon)), synonym_starts=address(lexicon.synonym_starts),
        synonym_ids=address(lexicon.synonym_ids), shares=address(SHARES), last_share=len(SHARES) - 1,
        share_steps=SHARE_STEPS,
    )  # fmt: skip
    library.unspun_fill_priors(ctypes.addressof(tables), address(priors))
    return priors


@cache
def _hash_phrases(lexicon: Lexicon) -> NDArray[np.uint64]:
    """The hashes of phrases, uint64[2**k], 0 where there is none."""
    library, phrases = load_library(), list(lexicon.phrases)
    assert library is not None
    known = np.zeros(1 << (4 * len(phrases)).bit_length(), np.uint64)
    letters = write_letters("\n".join(map(" ".join, phrases)))
    library.unspun_add_phrases(address(known), len(known) - 1, letters, len(letters) // 4)
    return known


def point_to(at: CompiledKeyTable, table: KeyTable) -> None:
    """Make a compiled table of keys the same as ``table``, which must live as long."""
    at.slots, at.shift, at.place_bits = address(table.slots), table.shift, table.place_bits


@cache
def _make_filter(table: KeyTable) -> NDArray[np.uint64]:
    """What ``twin.c`` asks before a large table, uint64[2**k]: eight to sixteen bits a key."""
    library = load_library()
    assert library is not None
    bits = max(table.slots.size >> 3, 1).bit_length() - 1
    words = np.zeros(1 << bits, np.uint64)
    library.unspun_fill_filter(address(table.slots), table.slots.size, table.place_bits, address(words), 64 - bits)
    return words


@cache
def _stack_logs(lexicon: Lexicon) -> NDArray[np.float32]:
    """float32[words, 4], the words those of the lexicon and three that stand for what is none: log10 of a word's
    probability, of its back-off, of its probability less how many words it is a synonym of; and nothing."""
    parts = lexicon.arrays()
    logs = np.zeros((len(parts.unigram), 4), np.float32)
    logs[:, 0], logs[:, 1] = parts.unigram, parts.backoff
    logs[: lexicon.size, 2] = parts.unigram[: lexicon.size] - log_out_degree(lexicon)
    return logs
