"""Habits of spinners, counted: how often the training texts' words were swapped in, in all and without each fold.

Spinning a text and looking up its words costs a tenth of examining it, so habits are counted over many more texts than
the scorers learn from: each spun several times, by every family.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from unspun.habits import Habits, Neighbouring
from unspun.key_table import number_pairs
from unspun.training.folds import FOLDS, fold_of
from unspun.training.tasks import SpunWords
from unspun.training.unseen_habits import UnseenHabits

#: Imaginary occurrences at the average rate: a word met twice has no habit yet. A pair starts at its word's rate.
_WORD_SMOOTHING: Final = 20.0
_PAIR_SMOOTHING: Final = 4.0
#: Pairs are kept that were met so often and whose log-odds differ so much from their word's. Keeping all of them
#: ranks words no better than .9055 against .9022 (area under the ROC curve) at eight times the size.
_LEAST_MET: Final = 3
_LEAST_DIFFERENCE: Final = 1.0

Floats = NDArray[np.float64]


def count_habits(texts: Sequence[SpunWords], size: int) -> tuple[Habits, UnseenHabits]:
    """The habits over all texts, and those that do not know a text, or its family; ``size``: words of the lexicon."""
    lengths = [len(text.ids) for text in texts]
    families = tuple(sorted({text.family for text in texts if text.family}))
    parts = {None: len(families)} | {family: number for number, family in enumerate(families)}
    cells = np.repeat([fold_of(text.group) * len(parts) + parts[text.family] for text in texts], lengths)
    ids, left, right, swapped = (
        np.concatenate([getattr(text, name) for text in texts]) for name in ("ids", "left", "right", "swapped")
    )
    by_word = _Counts(ids, ids >= 0, swapped, cells, len(parts), 1)
    after, before = (
        _Counts(number_pairs(one, other, size), (one >= 0) & (other >= 0), swapped, cells, len(parts), _LEAST_MET)
        for one, other in ((left, ids), (ids, right))
    )

    def summarise(without: tuple[int | None, int | None]) -> Habits:
        times, hits = by_word.count(without)
        known_times, known_hits = np.zeros(size), np.zeros(size)
        known_times[by_word.keys], known_hits[by_word.keys] = times, hits
        share = (known_hits + _WORD_SMOOTHING * hits.sum() / max(times.sum(), 1)) / (known_times + _WORD_SMOOTHING)
        habits = Habits(
            _encode(share, known_times),
            _keep(after, without, share, after.keys % np.uint32(size)),
            _keep(before, without, share, before.keys // np.uint32(size)),
        )
        # As the model file will hold them.
        return Habits.from_arrays(habits.to_arrays())

    # Of one family alone nothing would be left.
    left_out = families if len(families) > 1 else ()
    tables = {
        (fold, family): summarise((fold, None if family is None else parts[family]))
        for fold in range(FOLDS)
        for family in (None, *left_out)
    }
    return summarise((None, None)), UnseenHabits(tables, left_out)


class _Counts:
    """How often each of the distinct ``keys`` met ``least`` times was met and swapped in, by fold and by family: of a
    text's fold and family ``cells`` tells, fold * ``parts`` + family."""

    def __init__(
        self,
        keys: NDArray[np.integer],
        known: NDArray[np.bool_],
        swapped: NDArray[np.bool_],
        cells: NDArray[np.int64],
        parts: int,
        least: int,
    ) -> None:
        distinct, place, times = np.unique(keys[known], return_inverse=True, return_counts=True)
        kept = times >= least
        self.keys = distinct[kept]
        inside = kept[place]
        size, shape = len(self.keys) * FOLDS * parts, (len(self.keys), FOLDS, parts)
        cell = (np.cumsum(kept) - 1)[place[inside]] * FOLDS * parts + cells[known][inside]
        self._times = np.bincount(cell, minlength=size).reshape(shape).astype(np.int32)
        self._hits = np.bincount(cell, swapped[known][inside], minlength=size).reshape(shape).astype(np.int32)

    def count(self, without: tuple[int | None, int | None]) -> tuple[Floats, Floats]:
        """Times met and times swapped in, without one fold and without one family."""
        fold, part = without
        kept = [number for number in range(FOLDS) if number != fold]

        def total(counts: NDArray[np.int32]) -> Floats:
            by_part = counts[:, kept].sum(axis=1)
            found: Floats = by_part.sum(axis=1, dtype=np.float64) - (0 if part is None else by_part[:, part])
            return found

        return total(self._times), total(self._hits)


def _keep(
    counts: _Counts, without: tuple[int | None, int | None], of_word: Floats, words: NDArray[np.uint32]
) -> Neighbouring:
    times, hits = counts.count(without)
    usual = of_word[words]
    values = _encode((hits + _PAIR_SMOOTHING * usual) / (times + _PAIR_SMOOTHING), times)
    kept = (times >= _LEAST_MET) & (np.abs(values[:, 0] - np.log(usual / (1 - usual))) >= _LEAST_DIFFERENCE)
    return Neighbouring(counts.keys[kept].astype(np.uint32), values[kept])


def _encode(share: Floats, times: Floats) -> NDArray[np.float32]:
    return np.column_stack([np.log(share / (1 - share)), np.log2(1 + times)]).astype(np.float32)
