"""Which of two wordings is the swap: for every pair, what tells the article's from the reference's.

A spun article and its source differ in the same places whichever of the two is asked about. What has a
direction is how the wordings fit: a swap is the odder word in either text, rarer, further from the subject,
and the word that it replaced often stands elsewhere in the article still.
"""

from __future__ import annotations

import ctypes
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from unspun.compiled.lexicon import load_tables
from unspun.compiled.library import address, load_library
from unspun.examined import Examined
from unspun.extractors.substitutions import FEATURES as PAIR
from unspun.extractors.substitutions import LONGEST, Comparison, Substitutions, measure_sequences
from unspun.extractors.wording import WINDOW, Wordings, examine_wording
from unspun.ranges import count_in, lowest_in

#: Measured on the article's wording less the same on the reference's. ``odds``: log-odds of being swapped in,
#: without reference, filled in by the scorer of words; ``here``: among the article's words, ``there``: among
#: the reference's; ``repeats``: times that the article's wording stands in the reference too, less times that
#: the reference's stands in the article.
FEATURES: Final = (
    "odds", "sequence_here", "sequence_there", "topic_here", "topic_there",
    "zipf", "letters", "words", "synonyms", "unknown", "repeats",
    "similarity", "named",
)  # fmt: skip
#: The last features are the same from both sides.
_SYMMETRIC: Final = 2
#: Log-odds of words that are not examined: function words are seldom swapped.
UNEXAMINED: Final = -4.0


@dataclass(frozen=True, slots=True, eq=False)
class Directions:
    """``features`` float32[pairs, len(FEATURES)], the first left 0; ``places`` int32[examined words of the
    article]; ``opposite``: the wording, as seen without a reference, of those words of each compared reference
    that stand in a pair; ``ranges`` int32[pairs, 4] and ``owner`` int32[pairs]: the pairs' words a0, a1, r0, r1
    and references."""

    features: NDArray[np.float32]
    places: NDArray[np.int32]
    opposite: tuple[Wordings, ...]
    ranges: NDArray[np.int32]
    owner: NDArray[np.int32]


def insert_odds(
    directions: Directions, own: NDArray[np.float64], opposite: Sequence[NDArray[np.float64]]
) -> NDArray[np.float32]:
    """The features with the log-odds that each wording was swapped in: ``own`` of the article's examined words,
    ``opposite[k]`` of those of reference k."""
    completed, ranges = directions.features.copy(), directions.ranges
    odds = _find_highest(ranges[:, 0], ranges[:, 1], directions.places, own)
    for k, (wordings, theirs) in enumerate(zip(directions.opposite, opposite, strict=True)):
        mine = directions.owner == k
        odds[mine] -= _find_highest(ranges[mine, 2], ranges[mine, 3], wordings.places, theirs)
    completed[:, 0] = odds
    return completed


def mirror(features: NDArray[np.float32]) -> NDArray[np.float32]:
    """The features of the same pairs as seen from the reference."""
    mirrored = -features
    column = FEATURES.index
    for name in ("sequence", "topic"):
        here, there = column(f"{name}_here"), column(f"{name}_there")
        mirrored[:, [here, there]] = -features[:, [there, here]]
    mirrored[:, -_SYMMETRIC:] = features[:, -_SYMMETRIC:]
    return mirrored


def _find_highest(
    first: NDArray[np.int32], last: NDArray[np.int32], places: NDArray[np.int32], log_odds: NDArray[np.float64]
) -> NDArray[np.float64]:
    """float64[m]: of each wording ``[first, last)`` the highest of the log-odds of its words; ``log_odds[i]``
    is that of the word ``places[i]``."""
    highest = np.full(len(first), UNEXAMINED)
    low, high = np.searchsorted(places, first), np.searchsorted(places, last)
    [held] = np.nonzero(high > low)
    if len(held):
        highest[held] = -lowest_in(-log_odds, low[held], high[held])
    return highest


def examine_directions(
    article: Examined, wordings: Wordings, comparisons: Sequence[Comparison], found: Substitutions
) -> Directions:
    """Measure every pair from both sides."""
    blocks, opposite = [np.zeros((0, len(FEATURES)), np.float32)], list[Wordings]()
    ranges = found.table
    for k, comparison in enumerate(comparisons):
        other = comparison.reference.examined
        mine = np.flatnonzero(found.owner == k)
        among = np.zeros(len(other), np.bool_)
        for first, last in ranges[mine, 2:].tolist():
            among[first:last] = True
        opposite.append(examine_wording(other, among))
        if len(mine):
            # How much better the reference's wording runs in the article was measured with the pairs.
            sides = article, other, ranges[mine], found.features[mine, PAIR.index("fluency")]
            block = _measure_compiled(*sides)
            blocks.append(_measure_plainly(*sides) if block is None else block)
    return Directions(np.concatenate(blocks), wordings.places, tuple(opposite), ranges, found.owner)


def _measure_compiled(
    article: Examined, other: Examined, ranges: NDArray[np.int32], fluency: NDArray[np.float32]
) -> NDArray[np.float32] | None:
    library, tables = load_library(), load_tables(article.lexicon)
    if library is None or tables is None or (ranges[:, 1::2] - ranges[:, ::2]).max() > LONGEST:
        return None
    features = np.empty((len(ranges), len(FEATURES)), np.float32)
    done = library.unspun_measure_directions(
        tables, ctypes.addressof(article.compiled), ctypes.addressof(other.compiled), address(ranges), len(ranges),
        address(fluency), address(features),
    )  # fmt: skip
    return features if done else None


def _measure_plainly(
    article: Examined, other: Examined, ranges: NDArray[np.int32], fluency: NDArray[np.float32]
) -> NDArray[np.float32]:
    a0, a1, r0, r1 = ranges.T
    there = measure_sequences(other, r0, r1, article, a0, a1)[0] - measure_sequences(other, r0, r1, other, r0, r1)[0]
    own, theirs = _mean_vectors(article, a0, a1), _mean_vectors(other, r0, r1)
    topic, other_topic = _vectors_around(article, a0, a1), _vectors_around(other, r0, r1)
    rarest, other_rarest = _find_rarest(article, a0, a1), _find_rarest(other, r0, r1)
    times, other_times = _count_times(rarest, other), _count_times(other_rarest, article)
    return np.column_stack([
        np.zeros(len(ranges)),
        -fluency, there,
        ((own - theirs) * topic).sum(axis=1), ((own - theirs) * other_topic).sum(axis=1),
        lowest_in(article.zipf, a0, a1) - lowest_in(other.zipf, r0, r1),
        _count_letters(article, a0, a1) - _count_letters(other, r0, r1),
        (a1 - a0) - (r1 - r0),
        _count_synonyms(article, rarest) - _count_synonyms(other, other_rarest),
        (count_in(article.ids < 0, a0, a1) > 0).astype(np.float64) - (count_in(other.ids < 0, r0, r1) > 0),
        np.log2(1 + times) - np.log2(1 + other_times),
        (own * theirs).sum(axis=1),
        (count_in(article.named, a0, a1) > 0) & (count_in(other.named, r0, r1) > 0),
    ]).astype(np.float32)  # fmt: skip


def _find_rarest(text: Examined, first: NDArray[np.int32], last: NDArray[np.int32]) -> NDArray[np.int32]:
    """The id of the rarest word of each wording: the one that was chosen for its meaning; int32[m]."""
    zipf = text.zipf.tolist()
    places = [min(range(a, b), key=zipf.__getitem__) for a, b in zip(first.tolist(), last.tolist(), strict=True)]
    return text.ids[places]


def _count_times(ids: NDArray[np.int32], text: Examined) -> NDArray[np.int64]:
    """How often the text has each of these words, 0 for unknown ones."""
    times = Counter(text.ids.tolist())
    return np.array([times[id] if id >= 0 else 0 for id in ids.tolist()], np.int64)


def _count_synonyms(text: Examined, ids: NDArray[np.int32]) -> NDArray[np.int64]:
    starts = text.lexicon.synonym_starts
    return np.where(ids >= 0, starts[ids + 1].astype(np.int64) - starts[ids], 0)


def _count_letters(text: Examined, first: NDArray[np.int32], last: NDArray[np.int32]) -> NDArray[np.int64]:
    """From the first letter of each wording to its last, spaces included."""
    starts, ends = text.text.starts, text.text.ends
    lengths = [ends[b - 1] - starts[a] for a, b in zip(first.tolist(), last.tolist(), strict=True)]
    return np.array(lengths, np.int64)


def _mean_vectors(text: Examined, first: NDArray[np.int32], last: NDArray[np.int32]) -> NDArray[np.float32]:
    """The unit vector of the content words of each wording, zeros where there are none: float32[m, d]."""
    return _unit(text.content_sums[last] - text.content_sums[first])


def _vectors_around(text: Examined, first: NDArray[np.int32], last: NDArray[np.int32]) -> NDArray[np.float32]:
    """The unit vector of the content words beside each wording: float32[m, d]."""
    total = text.content_sums
    low, high = np.maximum(first - WINDOW, 0), np.minimum(last + WINDOW, len(text))
    return _unit(total[first] - total[low] + total[high] - total[last])


def _unit(vectors: NDArray[np.signedinteger]) -> NDArray[np.float32]:
    lengths = np.sqrt(np.einsum("ij,ij->i", vectors, vectors, dtype=np.int64))
    unit: NDArray[np.float32] = (vectors / np.maximum(lengths, 1)[:, None]).astype(np.float32)
    return unit
