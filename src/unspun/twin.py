"""The compiled twin of the path without references: what scores most articles, some ten times as fast as numpy.

It measures a text as :mod:`unspun.scoring` does, in one call of ``twin.c`` (see :mod:`unspun.compiled`). Where the
library is missing, or a text holds what the twin does not know, the numpy path gives the same numbers.
"""

from __future__ import annotations

import ctypes
import re
from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from unspun.classifier import Model
from unspun.compiled import CompiledNetworks, address, load_library
from unspun.examined import FUNCTION_ZIPF
from unspun.extractors.grammar import MAY_DOUBLE
from unspun.extractors.wording import FEATURES, MAX_SYNONYMS, MAX_ZIPF, SHARE_STEPS, SHARES, WINDOW, log_out_degree
from unspun.features import ALONE
from unspun.key_table import KeyTable
from unspun.lexicon import GAIN_STEP, LOG_STEP, Lexicon
from unspun.networks import Networks
from unspun.text import ABBREVIATIONS, INVISIBLE, LOOKALIKES, MARKS, normalise_word

# What a character is, and what is known of a word: the enumerations of twin.c.
_ALNUM, _DECIMAL, _SPACE, _UPPER, _CASED, _DIGIT, _ALPHA, _HARD = (1 << bit for bit in range(8))
_ENGLISH, _ABBREVIATION, _MAY_DOUBLE, _BEGINS_PHRASE = (1 << bit for bit in range(4))
_SCORED, _TOO_SHORT, _NOT_ENGLISH, _HARD_TEXT, _NEW_PAGE, _NO_MEMORY = range(6)
_REASONS: Final = {_TOO_SHORT: "too_short", _NOT_ENGLISH: "not_english"}
_PAGE, _PAGES = 256, 0x1100
_NETWORKS: Final = ("words", "strange", "alone")
#: Pages of characters that nearly every text needs: Latin.
_FIRST_PAGES: Final = 3
#: Letters whose lower case and compatible form (NFKC) are one letter, whatever stands beside them: Latin ones. Others
#: are left to numpy's path.
_SIMPLE: Final = re.compile("[0-9A-Za-z\u00c0-\u024f\u1e00-\u1eff]")


class Measured(NamedTuple):
    """What the twin says of a text: ``reason`` why it gets no score, or None; its calibrated log-odds ``odds`` and
    ``score``; how many ``words`` it has; the ``features`` float64[len(ALONE)] that they come from."""

    reason: str | None
    odds: float
    score: float
    words: int
    features: Sequence[float]


class _KeyTable(ctypes.Structure):
    _fields_ = (
        ("slots", ctypes.c_void_p), ("shift", ctypes.c_int32), ("place_bits", ctypes.c_int32),
        ("filter", ctypes.c_void_p), ("filter_shift", ctypes.c_int32), ("padding", ctypes.c_int32),
    )  # fmt: skip


class _Tables(ctypes.Structure):
    _fields_ = (
        ("classes", ctypes.c_void_p), ("folds", ctypes.c_void_p),
        ("entries", ctypes.c_void_p), ("flags", ctypes.c_void_p), ("entry_mask", ctypes.c_uint64),
        ("phrases", ctypes.c_void_p), ("phrase_mask", ctypes.c_uint64),
        ("longest_phrase", ctypes.c_int32), ("least_words", ctypes.c_int32), ("least_english", ctypes.c_double),
        ("size", ctypes.c_int64),
        ("logs", ctypes.c_void_p),
        ("pairs", _KeyTable), ("triples", _KeyTable),
        ("pair_logs", ctypes.c_void_p), ("gains", ctypes.c_void_p), ("triple_backoff", ctypes.c_void_p),
        ("log_step", ctypes.c_float), ("gain_step", ctypes.c_float),
        ("synonym_starts", ctypes.c_void_p), ("synonym_ids", ctypes.c_void_p), ("synonym_sources", ctypes.c_void_p),
        ("vectors", ctypes.c_void_p), ("squares", ctypes.c_void_p),
        ("shares", ctypes.c_void_p), ("last_share", ctypes.c_int32),
        ("share_steps", ctypes.c_float), ("most_zipf", ctypes.c_float), ("function_zipf", ctypes.c_float),
        ("habits", ctypes.c_void_p), ("after_values", ctypes.c_void_p), ("before_values", ctypes.c_void_p),
        ("after", _KeyTable), ("before", _KeyTable),
        ("words", CompiledNetworks), ("strange", CompiledNetworks), ("alone", CompiledNetworks),
    )  # fmt: skip


class _Result(ctypes.Structure):
    _fields_ = (
        ("odds", ctypes.c_double), ("score", ctypes.c_double), ("words", ctypes.c_int64), ("page", ctypes.c_int64),
        ("features", ctypes.c_double * len(ALONE)),
    )  # fmt: skip


class Twin:
    """The twin with the tables of one lexicon and one model. Any number of threads may use it."""

    @classmethod
    def build(
        cls, model: Model, lexicon: Lexicon, least_words: int, english: frozenset[str], least_english: float
    ) -> Twin | None:
        """A twin where there is a library for it. Texts of fewer than ``least_words`` words, or with less than a share
        of ``least_english`` of ``english`` words, get no score."""
        library = load_library()
        if library is None:
            return None
        library.unspun_measure.argtypes = (ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int64, ctypes.c_void_p)
        library.unspun_size.restype = ctypes.c_int64
        structures = [ctypes.sizeof(kind) for kind in (_Tables, _Result, CompiledNetworks)]
        expected = [*structures, len(FEATURES), len(ALONE), MAX_SYNONYMS, WINDOW, lexicon.arrays().vectors.shape[1]]
        if [library.unspun_size(which) for which in range(len(expected))] != expected:
            return None
        rankers = [model.scorers[name].ranker for name in _NETWORKS]
        if not all(isinstance(ranker, Networks) and ranker.compiled is not None for ranker in rankers):
            return None
        return cls(library, model, lexicon, least_words, english, least_english)

    def __init__(
        self, library: ctypes.CDLL, model: Model, lexicon: Lexicon, least_words: int, english: frozenset[str],
        least_english: float,
    ) -> None:  # fmt: skip
        self._library = library
        #: What the tables point to must live as long as they do.
        self._kept: list[Any] = [lexicon, model]
        self._classes = np.zeros(_PAGES, np.uintp)
        self._folds = np.zeros(_PAGES, np.uintp)
        for page in range(_FIRST_PAGES):
            self._add_page(page)
        tables = self._tables = _Tables()
        tables.classes, tables.folds = self._keep(self._classes), self._keep(self._folds)
        tables.least_words, tables.least_english = least_words, least_english
        self._fill_words(lexicon, english)
        self._fill_lexicon(lexicon)
        habits = model.habits
        tables.habits = self._keep(habits.words.astype(np.float32))
        for name, side in (("after", habits.after), ("before", habits.before)):
            setattr(tables, f"{name}_values", self._keep(side.values.astype(np.float32)))
            self._point(getattr(tables, name), side.table)
        for name in _NETWORKS:
            scorer = model.scorers[name]
            assert isinstance(scorer.ranker, Networks)
            setattr(tables, name, scorer.ranker.compiled)
            network = getattr(tables, name)
            network.slope, network.offset = scorer.slope, scorer.offset
        self._measure = library.unspun_measure
        self._at = ctypes.addressof(tables)

    def measure(self, text: str) -> Measured | None:
        """What :func:`unspun.scoring.measure` and :func:`unspun.scoring.score_article` say of a text without
        references; None where the twin cannot tell."""
        letters = text.encode("utf-32-le", "surrogatepass")
        result = _Result()
        while (code := self._measure(self._at, letters, len(text), ctypes.byref(result))) == _NEW_PAGE:
            self._add_page(result.page)
        if code in (_HARD_TEXT, _NO_MEMORY):
            return None
        return Measured(_REASONS.get(code), result.odds, result.score, result.words, result.features)

    def _keep(self, array: NDArray[Any]) -> int:
        array = np.ascontiguousarray(array)
        self._kept.append(array)
        return address(array)

    def _point(self, at: Any, table: KeyTable) -> None:
        at.slots, at.shift, at.place_bits = self._keep(table.slots), table.shift, table.place_bits

    def _put_filter_before(self, at: Any, table: KeyTable) -> None:
        # Eight to sixteen bits a key, in words of 64.
        bits = max(table.slots.size >> 3, 1).bit_length() - 1
        words = np.zeros(1 << bits, np.uint64)
        at.filter, at.filter_shift = self._keep(words), 64 - bits
        self._library.unspun_fill_filter(at.slots, table.slots.size, table.place_bits, at.filter, at.filter_shift)

    def _add_page(self, page: int) -> None:
        """Make the classes and the folded forms of 256 characters."""
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
                if not (_SIMPLE.match(letter) and len(fold) == 1 and _SIMPLE.match(fold)) or ord(letter) in LOOKALIKES:
                    fold, class_ = letter, class_ | _HARD
            elif letter in INVISIBLE or MARKS[0] <= letter <= MARKS[-1]:
                class_ |= _HARD
            classes[at], folds[at] = class_, ord(fold)
        # The folds first: whoever sees the classes, from any thread, goes on.
        self._folds[page] = self._keep(folds)
        self._classes[page] = self._keep(classes)

    def _fill_words(self, lexicon: Lexicon, english: frozenset[str]) -> None:
        tables = self._tables
        others, zipf = lexicon.list_frequencies()
        bits = (2 * (lexicon.size + len(others))).bit_length()
        entries, flags = np.zeros((1 << bits, 2), np.uint64), np.zeros(1 << bits, np.uint8)
        mask = ctypes.c_uint64(len(flags) - 1)
        tables.entries, tables.flags, tables.entry_mask = self._keep(entries), self._keep(flags), mask

        def add(words: Iterable[str], zipf: NDArray[np.float32] | None = None, flag: int = 0, ids: int = 0) -> None:
            letters = "\n".join(words).encode("utf-32-le")
            self._library.unspun_add_words(
                *map(ctypes.c_void_p, (entries.ctypes.data, flags.ctypes.data)), mask, letters,
                ctypes.c_int64(len(letters) // 4),
                None if zipf is None else ctypes.c_void_p(zipf.ctypes.data), ids, flag,
            )  # fmt: skip

        add(others, zipf)
        add(lexicon.words, ids=1)
        phrases = list(lexicon.phrases)
        for words, flag in (
            (english, _ENGLISH), (ABBREVIATIONS, _ABBREVIATION), (MAY_DOUBLE, _MAY_DOUBLE),
            ({phrase[0] for phrase in phrases}, _BEGINS_PHRASE),
        ):  # fmt: skip
            add(sorted(words), flag=flag)
        known = np.zeros(1 << (4 * len(phrases)).bit_length(), np.uint64)
        tables.phrases, tables.phrase_mask = self._keep(known), len(known) - 1
        tables.longest_phrase = max(map(len, phrases), default=0)
        letters = "\n".join(map(" ".join, phrases)).encode("utf-32-le")
        self._library.unspun_add_phrases(
            ctypes.c_void_p(known.ctypes.data), ctypes.c_uint64(len(known) - 1), letters,
            ctypes.c_int64(len(letters) // 4),
        )  # fmt: skip

    def _fill_lexicon(self, lexicon: Lexicon) -> None:
        tables, parts = self._tables, lexicon.arrays()
        tables.size = lexicon.size
        logs = np.zeros((len(parts.unigram), 4), np.float32)
        logs[:, 0], logs[:, 1] = parts.unigram, parts.backoff
        logs[: lexicon.size, 2] = parts.unigram[: lexicon.size] - log_out_degree(lexicon)
        tables.logs = self._keep(logs)
        for at, table in ((tables.pairs, parts.pairs), (tables.triples, parts.triples)):
            self._point(at, table)
            self._put_filter_before(at, table)
        tables.pair_logs, tables.gains = self._keep(parts.pair_logs), self._keep(parts.gains)
        tables.triple_backoff = self._keep(parts.triple_backoff)
        tables.log_step, tables.gain_step = -LOG_STEP, GAIN_STEP
        tables.synonym_starts, tables.synonym_ids = map(self._keep, (lexicon.synonym_starts, lexicon.synonym_ids))
        tables.synonym_sources = self._keep(lexicon.synonym_sources)
        tables.vectors, tables.squares = self._keep(parts.vectors), self._keep(parts.squares)
        tables.shares, tables.last_share = self._keep(SHARES), len(SHARES) - 1
        tables.share_steps, tables.most_zipf, tables.function_zipf = SHARE_STEPS, MAX_ZIPF, FUNCTION_ZIPF
