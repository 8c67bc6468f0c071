"""The compiled twin of the path without references: what scores most articles, some ten times as fast as numpy.

It measures a text as :mod:`unspun.scoring` does, in one call of ``twin.c`` (see :mod:`unspun.compiled.library`).
Where the library is missing, or a text holds what the twin does not know, the numpy path gives the same numbers.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from unspun.classifier import Model
from unspun.compiled.lexicon import fill_tables, number_words
from unspun.compiled.library import CompiledNetworks, Tables, address, load_library
from unspun.compiled.model import fill_model
from unspun.compiled.text import ABBREVIATION, load_characters
from unspun.extractors.grammar import MAY_DOUBLE
from unspun.extractors.wording import FEATURES, MAX_SYNONYMS, WINDOW
from unspun.features import ALONE
from unspun.frequencies import load_frequencies
from unspun.letters import ABBREVIATIONS
from unspun.lexicon import Lexicon
from unspun.networks import Networks
from unspun.word_lists import ENGLISH

# What is known of a word, beside :data:`unspun.compiled.text.ABBREVIATION`: an enumeration of twin.c.
_ENGLISH, _MAY_DOUBLE, _BEGINS_PHRASE = 1, 4, 8
_SCORED, _TOO_SHORT, _NOT_ENGLISH, _HARD_TEXT, _NEW_PAGE, _NO_MEMORY = range(6)
_REASONS: Final = {_TOO_SHORT: "too_short", _NOT_ENGLISH: "not_english"}
_NETWORKS: Final = ("words", "strange", "alone")


class Measured(NamedTuple):
    """What the twin says of a text: ``reason`` why it gets no score, or None; its calibrated log-odds ``odds`` and
    ``score``; how many ``words`` it has; the ``features`` float64[len(ALONE)] that they come from."""

    reason: str | None
    odds: float
    score: float
    words: int
    features: Sequence[float]


class _Result(ctypes.Structure):
    _fields_ = (
        ("odds", ctypes.c_double), ("score", ctypes.c_double), ("words", ctypes.c_int64), ("page", ctypes.c_int64),
        ("features", ctypes.c_double * len(ALONE)),
    )  # fmt: skip


class Twin:
    """The twin with the tables of one lexicon and one model. Any number of threads may use it."""

    @classmethod
    def build(cls, model: Model, lexicon: Lexicon, least_words: int, least_english: float) -> Twin | None:
        """A twin where there is a library for it. Texts of fewer than ``least_words`` words, or with less than a share
        of ``least_english`` of English words, get no score."""
        library = load_library()
        if library is None:
            return None
        library.unspun_measure.argtypes = (ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int64, ctypes.c_void_p)
        structures = [ctypes.sizeof(kind) for kind in (Tables, _Result, CompiledNetworks)]
        expected = [*structures, len(FEATURES), len(ALONE), MAX_SYNONYMS, WINDOW, lexicon.arrays().vectors.shape[1]]
        if [library.unspun_size(which) for which in range(len(expected))] != expected:
            return None
        rankers = [model.scorers[name].ranker for name in _NETWORKS]
        if not all(isinstance(ranker, Networks) and ranker.compiled is not None for ranker in rankers):
            return None
        return cls(library, model, lexicon, least_words, least_english)

    def __init__(
        self, library: ctypes.CDLL, model: Model, lexicon: Lexicon, least_words: int, least_english: float
    ) -> None:
        self._library = library
        #: What the tables point to must live as long as they do.
        self._kept: list[Any] = [lexicon, model]
        self._characters = load_characters()
        tables = self._tables = Tables()
        tables.classes, tables.folds = map(address, (self._characters.classes, self._characters.folds))
        tables.least_words, tables.least_english = least_words, least_english
        self._fill_words(lexicon)
        fill_tables(tables, lexicon)
        self._kept += fill_model(tables, model, _NETWORKS)
        self._measure = library.unspun_measure
        self._at = ctypes.addressof(tables)

    def measure(self, text: str) -> Measured | None:
        """What :func:`unspun.scoring.measure` and :func:`unspun.scoring.score_article` say of a text without
        references; None where the twin cannot tell."""
        letters = text.encode("utf-32-le", "surrogatepass")
        result = _Result()
        while (code := self._measure(self._at, letters, len(text), ctypes.byref(result))) == _NEW_PAGE:
            self._characters.add_page(result.page)
        if code in (_HARD_TEXT, _NO_MEMORY):
            return None
        return Measured(_REASONS.get(code), result.odds, result.score, result.words, result.features)

    def _keep(self, array: NDArray[Any]) -> int:
        array = np.ascontiguousarray(array)
        self._kept.append(array)
        return address(array)

    def _fill_words(self, lexicon: Lexicon) -> None:
        tables, table = self._tables, load_frequencies()
        flags = np.zeros(len(table), np.uint8)
        table.point(tables)
        tables.ids, tables.flags = self._keep(number_words(lexicon)), self._keep(flags)
        for words, flag in (
            (ENGLISH, _ENGLISH), (ABBREVIATIONS, ABBREVIATION), (MAY_DOUBLE, _MAY_DOUBLE),
            ({phrase[0] for phrase in lexicon.phrases}, _BEGINS_PHRASE),
        ):  # fmt: skip
            table.add(sorted(words), flags=flags, flag=flag)
