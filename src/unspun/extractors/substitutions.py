"""Wordings that differ from a reference's in the same place: what only a comparison can show.

The alignment says which words of the article stand opposite which words of a reference. For every such pair
this file measures what tells a machine's swap from an honest difference: are the two wordings near in meaning,
does the sentence around them agree word for word, which of the two is the more fluent, do other references
agree with one of them. A scorer trained on the spinner's word-level truth turns that into a probability.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray
from rapidfuzz import fuzz

from unspun.alignment import Alignment, Pair, tabulate
from unspun.compiled.lexicon import load_tables
from unspun.compiled.library import address, load_library
from unspun.examined import Examined
from unspun.extractors.honest import find_honest, find_house_style, is_bracketed
from unspun.lexicon import MOBY, MOBY_BOTH, WORDNET
from unspun.ranges import count_in, lowest_in
from unspun.references import Reference

#: Matches to this many words on each side count for a pair's surroundings.
REACH: Final = 8
#: Longest run of matching words beside a pair that is counted.
MAX_RUN: Final = 12

FEATURES: Final = (
    "words", "reference_words", "similarity", "wordnet", "moby", "moby_both",
    "letters", "same_lemma", "zipf", "reference_zipf", "fluency", "fluency_mean",
    "left_run", "right_run", "density", "reference_density",
    "quoted", "capital", "reference_capital", "numeric", "reference_numeric",
    "supported", "reference_supported", "others", "identity",
    "content", "reference_content", "kindred_share", "opens",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Comparison:
    """An article aligned with one reference."""

    reference: Reference
    alignment: Alignment


@dataclass(frozen=True, eq=False)
class Substitutions:
    """All pairs of differing wordings: ``table`` int32[m, 4] (:class:`unspun.alignment.Pair`), row i from
    ``comparisons[owner[i]]``; ``features`` float32[m, len(FEATURES)]."""

    table: NDArray[np.int32]
    owner: NDArray[np.int32]
    features: NDArray[np.float32]

    @cached_property
    def pairs(self) -> tuple[Pair, ...]:
        """The rows of :attr:`table`."""
        return tuple(map(Pair._make, self.table.tolist()))


def _density(matched: NDArray[np.bool_], first: NDArray[np.int32], last: NDArray[np.int32]) -> NDArray[np.float64]:
    """Share of matching words among the ``REACH`` words before ``first`` and from ``last`` on."""
    total = np.append(0, np.cumsum(matched))
    low, high = np.maximum(first - REACH, 0), np.minimum(last + REACH, len(matched))
    hits = total[first] - total[low] + total[high] - total[last]
    density: NDArray[np.float64] = hits / np.maximum(first - low + high - last, 1)
    return density


def _runs(matched: NDArray[np.bool_]) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """For every boundary between words, how many words before it and after it match without a gap."""
    before = np.zeros(len(matched) + 1, np.int32)
    after = np.zeros(len(matched) + 1, np.int32)
    run = 0
    for index, hit in enumerate(matched.tolist()):
        run = run + 1 if hit else 0
        before[index + 1] = run
    run = 0
    for index in range(len(matched) - 1, -1, -1):
        run = run + 1 if matched[index] else 0
        after[index] = run
    return np.minimum(before, MAX_RUN), np.minimum(after, MAX_RUN)


def measure_sequences(
    text: Examined, first: NDArray[np.int32], last: NDArray[np.int32],
    other: Examined, other_first: NDArray[np.int32], other_last: NDArray[np.int32],
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:  # fmt: skip
    """Total and mean log10 P of the words ``other[other_first:other_last]`` set into ``text`` at
    ``[first, last)``, with the two words after them: float32[m] each."""
    chains = list[NDArray[np.int32]]()
    starts = np.concatenate([text.neighbours[:2, first], text.neighbours[2:, last - 1]]).T
    for around, r0, r1 in zip(starts, other_first.tolist(), other_last.tolist(), strict=True):
        chains.append(np.concatenate([around[:2], other.ids[r0:r1], around[2:]]))
    flat = np.concatenate(chains)
    lengths = np.array([len(chain) for chain in chains])
    ends = np.cumsum(lengths)
    scored = np.ones(len(flat), np.bool_)
    scored[ends - lengths] = scored[ends - lengths + 1] = False
    # Nothing is known of a neighbour across punctuation: such an end costs nothing.
    after = np.zeros(len(flat), np.bool_)
    after[ends - 1] = after[ends - 2] = True
    at = np.flatnonzero(scored)
    log = text.lexicon.log_prob(flat[at - 1], flat[at], flat[at - 2]).astype(np.float32)
    log[after[at] & (flat[at] < 0)] = 0
    total = np.add.reduceat(log, np.append(0, np.cumsum(lengths - 2)[:-1]))
    return total, (total / (lengths - 2)).astype(np.float32)


def _support(
    article: Examined, comparisons: Sequence[Comparison], table: NDArray[np.int32], owner: NDArray[np.int32]
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """How many other references have the article's own wording in that place, and how many references have
    the owner's wording: int32[m] each."""
    library, count = load_library(), len(table)
    if library is None:
        return _support_plainly(comparisons, table, owner)
    partners = np.array([address(comparison.alignment.partner) for comparison in comparisons], np.uintp)
    others = np.array([address(comparison.reference.ids) for comparison in comparisons], np.uintp)
    dense, seen = np.empty(len(article), np.bool_), np.zeros((1 << (2 * count).bit_length(), 2), np.uint64)
    own, agree = np.empty((2, count), np.int32)
    library.unspun_count_support(
        len(article), address(partners), address(others), len(comparisons), address(table), address(owner), count,
        address(dense), address(seen), len(seen) - 1, address(own), address(agree),
    )  # fmt: skip
    return own, agree


def _support_plainly(
    comparisons: Sequence[Comparison], table: NDArray[np.int32], owner: NDArray[np.int32]
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    first, last = table[:, 0], table[:, 1]
    own = np.zeros(len(table), np.int32)
    for k, comparison in enumerate(comparisons):
        matched = comparison.alignment.partner >= 0
        # A match counts when a neighbour matches too: a lone "the" is in place by chance.
        beside = np.zeros(len(matched) + 2, np.bool_)
        beside[1:-1] = matched
        dense = matched & (beside[:-2] | beside[2:])
        own += (owner != k) & (count_in(dense, first, last) == last - first)
    wordings = [
        (a0, a1, *comparisons[k].reference.ids[r0:r1].tolist())
        for k, (a0, a1, r0, r1) in zip(owner.tolist(), table.tolist(), strict=True)
    ]
    agreeing = dict[tuple[int, ...], set[int]]()
    for k, wording in zip(owner.tolist(), wordings, strict=True):
        agreeing.setdefault(wording, set()).add(k)
    return own, np.array([len(agreeing[wording]) for wording in wordings], np.int32)


@dataclass(frozen=True, slots=True, eq=False)
class Nearness:
    """How near the two wordings of each of m pairs are: best cosine of their content words, the synonym sources
    that know a pair of them, best likeness of letters (0-1), whether any two have one lemma; arrays of m."""

    cosine: NDArray[np.float32]
    sources: NDArray[np.uint8]
    letters: NDArray[np.float64]
    lemma: NDArray[np.bool_]


#: Content words of a wording that are compared: a long stretch is new text, not a swap.
_MAX_COMPARED: Final = 4


def _compared_words(text: Examined, first: int, last: int) -> list[int]:
    words = [i for i in range(first, last) if text.content[i]] or list(range(first, last))
    return words[:_MAX_COMPARED]


def measure_nearness(article: Examined, other: Examined, pairs: Sequence[Pair]) -> Nearness:
    """Compare the wordings of all pairs at once."""
    left, right, starts = list[int](), list[int](), list[int]()
    for pair in pairs:
        starts.append(len(left))
        theirs = _compared_words(other, pair.r0, pair.r1)
        for i in _compared_words(article, pair.a0, pair.a1):
            left += [i] * len(theirs)
            right += theirs
    a, b, lexicon = article.ids[left], other.ids[right], article.lexicon
    own, norms = article.text.norms, other.text.norms
    letters = np.array([fuzz.ratio(own[i], norms[j]) / 100 for i, j in zip(left, right, strict=True)])
    return Nearness(
        np.maximum.reduceat(lexicon.similarity(a, b), starts),
        np.bitwise_or.reduceat(lexicon.synonym_bits(a, b), starts),
        np.maximum.reduceat(letters, starts),
        np.logical_or.reduceat(lexicon.is_inflection_of(a, b), starts),
    )


#: Cosine from which two wordings count as kindred without a thesaurus: one random pair of frequent words in 500
#: reaches it.
KINDRED: Final = 0.45
#: Pairs in places where fewer of the surrounding words match are different sentences, not other words.
MIN_DENSITY: Final = 0.25


def find_substitutions(article: Examined, comparisons: Sequence[Comparison]) -> Substitutions:
    """Every pair of differing wordings over all comparisons, with its features."""
    found = [_measure(article, comparison) for comparison in comparisons]
    if not any(len(table) for table, _ in found):
        return Substitutions(tabulate(()), np.zeros(0, np.int32), np.zeros((0, len(FEATURES)), np.float32))
    table, features = np.concatenate([table for table, _ in found]), np.concatenate([block for _, block in found])
    owner = np.repeat(np.arange(len(found), dtype=np.int32), [len(table) for table, _ in found])
    own, agree = _support(article, comparisons, table, owner)
    column = FEATURES.index
    features[:, column("supported")] = own
    features[:, column("reference_supported")] = agree
    features[:, column("others")] = len(comparisons) - 1
    return Substitutions(table, owner, features.astype(np.float32))


def _measure(article: Examined, comparison: Comparison) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
    """The pairs of one comparison that are no mere house style, int32[m, 4], and their features."""
    table = comparison.alignment.table
    if not len(table):
        return table, np.zeros((0, len(FEATURES)))
    judge = _judge_compiled if article.text.split and comparison.reference.examined.text.split else _judge_plainly
    kept, matched, densities = judge(article, comparison)
    table = table[kept]
    if not len(kept):
        return table, np.zeros((0, len(FEATURES)))
    near = article, comparison, table, matched, np.ascontiguousarray(densities[:, kept])
    features = _measure_compiled(*near)
    return table, _measure_plainly(*near) if features is None else features


#: Which pairs are kept, int32[k]; which words of the article have a match, bool[words]; of every pair the share of
#: matching words around it, in the article and in the reference, float64[2, pairs].
_Judged = tuple[NDArray[np.intp], NDArray[np.bool_], NDArray[np.float64]]
#: What ``style.h`` says of a pair: another wording; an honest one; or that it cannot tell.
_ANOTHER, _ASK = 0, 2


def _judge_compiled(article: Examined, comparison: Comparison) -> _Judged:
    other, alignment = comparison.reference.examined, comparison.alignment
    library, tables, table = load_library(), load_tables(article.lexicon), alignment.table
    assert library is not None
    marks = np.empty(len(article) + len(other), np.bool_)
    densities, told = np.empty((2, len(table))), np.empty(len(table), np.uint8)
    library.unspun_judge_pairs(
        tables, ctypes.addressof(article.compiled), ctypes.addressof(other.compiled), address(alignment.partner),
        address(table), len(table), MIN_DENSITY, address(marks), address(densities), address(told),
    )  # fmt: skip
    [asked] = np.nonzero(told == _ASK)
    if len(asked):
        told[asked] = find_house_style(article, other, [alignment.pairs[i] for i in asked.tolist()])
    [kept] = np.nonzero(told == _ANOTHER)
    if "[" in article.text.raw:
        kept = kept[[not is_bracketed(article, alignment.pairs[i]) for i in kept.tolist()]]
    return kept, marks[: len(article)], densities


def _judge_plainly(article: Examined, comparison: Comparison) -> _Judged:
    other, alignment = comparison.reference.examined, comparison.alignment
    matched, other_matched, table = alignment.partner >= 0, np.zeros(len(other), np.bool_), alignment.table
    other_matched[alignment.partner[matched]] = True
    sides = (matched, table[:, 0], table[:, 1]), (other_matched, table[:, 2], table[:, 3])
    densities = np.array([_density(*side) for side in sides])
    [kept] = np.nonzero(densities.min(axis=0) >= MIN_DENSITY)
    kept = kept[~find_honest(article, other, [alignment.pairs[i] for i in kept.tolist()])]
    return kept, matched, densities


#: Words of a wording that compiled code can sum up over.
LONGEST: Final = 100


def _measure_compiled(
    article: Examined, comparison: Comparison, table: NDArray[np.int32], matched: NDArray[np.bool_],
    densities: NDArray[np.float64],
) -> NDArray[np.float64] | None:  # fmt: skip
    library, tables = load_library(), load_tables(article.lexicon)
    if library is None or tables is None or (table[:, 1::2] - table[:, ::2]).max() > LONGEST:
        return None
    other, alignment = comparison.reference.examined, comparison.alignment
    features = np.empty((len(table), len(FEATURES)))
    read = map(address, (matched, alignment.segment_of, alignment.ranges, table))
    library.unspun_measure_pairs(
        tables, ctypes.addressof(article.compiled), ctypes.addressof(other.compiled), *read, len(table),
        address(densities), address(features),
    )  # fmt: skip
    letters = features[:, FEATURES.index("letters")]
    for i in np.flatnonzero(letters < 0).tolist():
        letters[i] = _compare_letters(article, other, Pair(*table[i].tolist()))
    return features


def _compare_letters(article: Examined, other: Examined, pair: Pair) -> float:
    """The best likeness of letters (0-1) of any two words that are compared."""
    words, theirs = _compared_words(article, pair.a0, pair.a1), _compared_words(other, pair.r0, pair.r1)
    return max(fuzz.ratio(article.text.norm(i), other.text.norm(j)) for i in words for j in theirs) / 100


def _measure_plainly(
    article: Examined, comparison: Comparison, table: NDArray[np.int32], matched: NDArray[np.bool_],
    densities: NDArray[np.float64],
) -> NDArray[np.float64]:  # fmt: skip
    other, alignment = comparison.reference.examined, comparison.alignment
    a0, a1, r0, r1 = table.T
    before, after = _runs(matched)
    own_total, own_mean = measure_sequences(article, a0, a1, article, a0, a1)
    total, mean = measure_sequences(article, a0, a1, other, r0, r1)
    near = measure_nearness(article, other, [Pair(*row) for row in table.tolist()])
    segment = alignment.segment_of[a0]
    ranges = alignment.ranges[segment]
    sums = np.append(0, np.cumsum(matched))
    identity = (sums[ranges[:, 1]] - sums[ranges[:, 0]]) / np.maximum(ranges[:, 1] - ranges[:, 0], 1)
    kindred = (near.sources > 0) | (near.cosine > KINDRED)
    nothing = np.zeros(len(table))
    columns = (
        a1 - a0, r1 - r0, near.cosine,
        near.sources & WORDNET > 0, near.sources & MOBY > 0, near.sources & MOBY_BOTH > 0,
        near.letters, near.lemma,
        lowest_in(article.zipf, a0, a1), lowest_in(other.zipf, r0, r1),
        total - own_total, mean - own_mean,
        before[a0], after[a1], densities[0], densities[1],
        (article.quotation[a0] >= 0) & (other.quotation[r0] >= 0),
        count_in(article.named, a0, a1) > 0, count_in(other.named, r0, r1) > 0,
        count_in(article.numeric, a0, a1) > 0, count_in(other.numeric, r0, r1) > 0,
        nothing, nothing, nothing, identity,
        count_in(article.content, a0, a1), count_in(other.content, r0, r1),
        np.full(len(table), kindred.mean()), article.opens[a0],
    )  # fmt: skip
    return np.column_stack([column.astype(np.float64) for column in columns])
