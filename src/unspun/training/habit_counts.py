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

#: Imaginary occurrences at the average rate: a word met twice has no habit yet. A pair starts at its word's rate.
_WORD_SMOOTHING: Final = 20.0
_PAIR_SMOOTHING: Final = 4.0
#: Pairs are kept that were met so often and whose log-odds differ so much from their word's. Keeping all of them
#: ranks words no better than .9055 against .9022 (area under the ROC curve) at eight times the size.
_LEAST_MET: Final = 3
_LEAST_DIFFERENCE: Final = 1.0

Floats = NDArray[np.float64]


def count_habits(texts: Sequence[SpunWords], size: int) -> tuple[Habits, list[Habits]]:
    """The habits over all texts, and over all but those of each fold; ``size``: words of the lexicon."""
    folds = np.repeat([fold_of(text.group) for text in texts], [len(text.ids) for text in texts])
    ids, left, right, swapped = (
        np.concatenate([getattr(text, name) for text in texts]) for name in ("ids", "left", "right", "swapped")
    )
    by_word = _Counts(ids, ids >= 0, swapped, folds)
    after = _Counts(number_pairs(left, ids, size), (ids >= 0) & (left >= 0), swapped, folds)
    before = _Counts(number_pairs(ids, right, size), (ids >= 0) & (right >= 0), swapped, folds)

    def summarise(without: int | None) -> Habits:
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

    return summarise(None), [summarise(fold) for fold in range(FOLDS)]


class _Counts:
    """How often each of the distinct ``keys`` was met and swapped in, by fold."""

    def __init__(
        self, keys: NDArray[np.integer], known: NDArray[np.bool_], swapped: NDArray[np.bool_], folds: NDArray[np.int64]
    ) -> None:
        self.keys, place = np.unique(keys[known], return_inverse=True)
        cell, shape = place * FOLDS + folds[known], (len(self.keys), FOLDS)
        self._times = np.bincount(cell, minlength=len(self.keys) * FOLDS).reshape(shape)
        self._hits = np.bincount(cell, swapped[known], minlength=len(self.keys) * FOLDS).reshape(shape)

    def count(self, without: int | None) -> tuple[Floats, Floats]:
        """Times met and times swapped in, without one fold."""
        kept = [fold for fold in range(FOLDS) if fold != without]
        return self._times[:, kept].sum(axis=1).astype(np.float64), self._hits[:, kept].sum(axis=1)


def _keep(counts: _Counts, without: int | None, of_word: Floats, words: NDArray[np.uint32]) -> Neighbouring:
    times, hits = counts.count(without)
    usual = of_word[words]
    values = _encode((hits + _PAIR_SMOOTHING * usual) / (times + _PAIR_SMOOTHING), times)
    kept = (times >= _LEAST_MET) & (np.abs(values[:, 0] - np.log(usual / (1 - usual))) >= _LEAST_DIFFERENCE)
    return Neighbouring(counts.keys[kept].astype(np.uint32), values[kept])


def _encode(share: Floats, times: Floats) -> NDArray[np.float32]:
    return np.column_stack([np.log(share / (1 - share)), np.log2(1 + times)]).astype(np.float32)
