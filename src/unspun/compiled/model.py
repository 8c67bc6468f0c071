"""The scorers of a model as ``twin.c`` reads them, and articles beside references scored by them in a few calls."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from typing import Any, Final, NamedTuple
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from unspun.classifier import Model, Scorer
from unspun.compiled.lexicon import point_to
from unspun.compiled.library import Tables, address, load_library
from unspun.evidence import Evidence
from unspun.extractors.direction import FEATURES as DIRECTION
from unspun.extractors.substitutions import FEATURES as PAIR
from unspun.extractors.usage import FEATURES as USAGE
from unspun.extractors.wording import Wordings
from unspun.features import COMPARED, SUMMARY
from unspun.networks import Networks
from unspun.second_look import FEATURES as SECOND_LOOK
from unspun.trees import VALUE_STEP, Trees, sort_leaves

_NETWORKS: Final = ("words", "strange")
#: In the order of ``unspun_score_compared``.
_TREES: Final = {"pairs": len(PAIR), "directions": len(DIRECTION), "swaps": len(SECOND_LOOK), "usage": len(USAGE)}


class _Forest(ctypes.Structure):
    _fields_ = (
        *((n, ctypes.c_void_p) for n in ("nodes", "node_starts", "leaves", "leaf_starts")),
        *((n, ctypes.c_int64) for n in ("trees", "width")),
        *((n, ctypes.c_double) for n in ("base", "step", "slope", "offset")),
    )  # fmt: skip


class _Compared(ctypes.Structure):
    _fields_ = (
        *((n, ctypes.c_void_p) for n in ("table", "owner", "features", "directions")), ("pairs", ctypes.c_int64),
        *((n, ctypes.c_void_p) for n in ("places", "odds")), ("examined", ctypes.c_int64),
        *((n, ctypes.c_void_p) for n in ("opposite", "opposite_odds", "opposites", "usage")),
        *((n, ctypes.c_void_p) for n in ("partners", "segments", "covered", "coverage", "changed")),
        ("comparisons", ctypes.c_int64), ("words", ctypes.c_int64),
    )  # fmt: skip


class ScoredWords(NamedTuple):
    """``features`` float32[n, k] of examined words with what training knows of them, and the log-odds ``words`` and
    ``strange`` float64[n] that they were swapped in, ``strange`` None where it was not asked for."""

    features: NDArray[np.float32]
    words: NDArray[np.float64]
    strange: NDArray[np.float64] | None


class CompiledModel:
    """Scorers with the habits of words. Any number of threads may use it."""

    def __init__(self, library: ctypes.CDLL, model: Model, scorers: Sequence[Scorer]) -> None:
        self._library = library
        #: What was compiled; what addresses point to must live as long as they do.
        self.scorers = scorers
        self._kept: list[Any] = [model.habits]
        tables = self._tables = Tables(size=len(model.habits.words))
        self._kept += fill_model(tables, model, _NETWORKS)
        self._forests = [self._compile(model.scorers[name], width) for name, width in _TREES.items()]
        self._at = ctypes.addressof(tables)
        self._forests_at = (ctypes.c_void_p * len(self._forests))(*map(ctypes.addressof, self._forests))

    def _compile(self, scorer: Scorer, width: int) -> _Forest:
        trees = scorer.ranker
        assert isinstance(trees, Trees)
        leaves = sort_leaves(trees)
        assert leaves is not None
        self._kept.append(leaves)
        return _Forest(
            *map(address, leaves), len(trees.roots), width, trees.base, VALUE_STEP, scorer.slope, scorer.offset
        )

    def score_words(self, wordings: Wordings, strange: bool) -> ScoredWords:
        """What the scorers of words say of examined words."""
        count = len(wordings.places)
        features, odds = wordings.features.copy(), np.empty((2, count))
        at = address(odds)
        read = map(address, (wordings.ids, wordings.left, wordings.right))
        self._library.unspun_score_words(
            self._at, *read, address(features), count, at, at + odds.strides[0] if strange else None
        )
        return ScoredWords(features, odds[0], odds[1] if strange else None)

    def summarise_words(self, evidence: Evidence, scored: ScoredWords) -> NDArray[np.float64]:
        """float64[len(SUMMARY)]: as :func:`unspun.features.summarise_wording`."""
        article, count = evidence.article, len(scored.words)
        assert scored.strange is not None
        # Room for one word where there is none; the log-odds are taken apart.
        places, odds = np.zeros(count + 1, np.int32), np.empty((2, count + 1))
        places[:count] = evidence.wordings.places
        odds[:, :count] = scored.words, scored.strange
        summary, at = np.empty(len(SUMMARY)), address(odds)
        self._library.unspun_measure_wording(
            len(article), address(article.sentence_of), int(article.sentence_of[-1]) + 1, address(places),
            address(scored.features), count, at, at + odds.strides[0], address(summary),
        )  # fmt: skip
        return summary

    def score_compared(
        self, evidence: Evidence, own: ScoredWords, opposite: Sequence[ScoredWords]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]] | None:
        """The probabilities of swaps by usage float64[examined words] and of pairs float64[pairs], and the article's
        features float64[len(COMPARED)] but for what comes from it alone; None where there is no memory."""
        found, directions, comparisons = evidence.substitutions, evidence.directions, evidence.comparisons
        assert evidence.usage is not None
        examined, pairs = len(own.words), len(found.table)
        alignments = [comparison.alignment for comparison in comparisons]
        pointers = np.array([
            [address(wordings.places) for wordings in directions.opposite],
            [address(scored.words) for scored in opposite],
            [address(alignment.partner) for alignment in alignments],
            [address(alignment.segment_of) for alignment in alignments],
            [address(alignment.covered) for alignment in alignments],
        ], np.uintp)  # fmt: skip
        numbers = np.array([
            [len(scored.words) for scored in opposite],
            [alignment.inserted + alignment.deleted for alignment in alignments],
        ])  # fmt: skip
        coverage = np.array([alignment.coverage for alignment in alignments])
        at, numbers_at, row = address(pointers), address(numbers), 8 * len(alignments)
        compared = _Compared(
            *map(address, (found.table, found.owner, found.features, directions.features)), pairs,
            address(evidence.wordings.places), address(own.words), examined,
            at, at + row, numbers_at, address(evidence.usage.features),
            at + 2 * row, at + 3 * row, at + 4 * row, address(coverage), numbers_at + row,
            len(alignments), len(evidence.article),
        )  # fmt: skip
        usage, swaps, features = np.empty(examined), np.empty(pairs), np.empty(len(COMPARED))
        done = self._library.unspun_score_compared(
            self._forests_at, ctypes.byref(compared), *map(address, (usage, swaps, features))
        )
        return (usage, swaps, features) if done else None


def fill_model(tables: Tables, model: Model, networks: Sequence[str]) -> list[NDArray[Any]]:
    """Point ``tables`` to the habits and the networks of a model, which must live as long, as must what this gives."""
    kept, habits = [np.ascontiguousarray(model.habits.words, np.float32)], model.habits
    tables.habits = address(kept[0])
    for name, side in (("after", habits.after), ("before", habits.before)):
        kept.append(np.ascontiguousarray(side.values, np.float32))
        setattr(tables, f"{name}_values", address(kept[-1]))
        point_to(getattr(tables, name), side.table)
    for name in networks:
        scorer = model.scorers[name]
        assert isinstance(scorer.ranker, Networks)
        setattr(tables, name, scorer.ranker.compiled)
        network = getattr(tables, name)
        network.slope, network.offset = scorer.slope, scorer.offset
    return kept


_compiled: Final = WeakKeyDictionary[Model, CompiledModel]()


def compile_model(model: Model) -> CompiledModel | None:
    """The scorers of a model compiled, once; None where there is no library, or not all of them are there yet, as in
    training, or one is too large."""
    library, names = load_library(), (*_NETWORKS, *_TREES)
    if library is None or not all(name in model.scorers for name in names):
        return None
    scorers = [model.scorers[name] for name in names]
    known = _compiled.get(model)
    if known is not None and known.scorers == scorers:
        return known
    rankers = [scorer.ranker for scorer in scorers]
    if any(r.compiled is None if isinstance(r, Networks) else sort_leaves(r) is None for r in rankers):
        return None
    if [library.unspun_size(which) for which in _SIZES] != list(_SIZES.values()):
        return None
    known = _compiled[model] = CompiledModel(library, model, scorers)
    return known


#: What ``unspun_size`` must say of what is shared.
_SIZES: Final = {
    8: ctypes.sizeof(_Forest), 9: ctypes.sizeof(_Compared), 10: len(PAIR), 11: len(DIRECTION), 12: len(USAGE),
    13: len(SECOND_LOOK), 14: len(COMPARED), 15: len(SUMMARY),
}  # fmt: skip
