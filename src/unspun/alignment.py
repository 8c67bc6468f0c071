"""Comparing an article with one reference: which sentences correspond, then which words.

Sentences are paired by the weight of the words that they share; neighbouring pairs are joined to segments, so
that merged and split sentences stay together; inside a segment the words are aligned by Levenshtein edit
operations (rapidfuzz), and every stretch where both sides have other words is split into pairs of wordings.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from rapidfuzz.distance import LCSseq, Levenshtein

from unspun.compiled.lexicon import load_tables
from unspun.compiled.library import address, load_library
from unspun.examined import Examined
from unspun.references import Reference
from unspun.word_lists import ARTICLES, AUXILIARIES

#: Least cosine of shared word weights for two sentences to be paired. Chosen low: half the words of a
#: heavily spun sentence are other words, and the scorer of the swaps judges a weak pair again.
MIN_COSINE: Final = 0.22
#: Least weight that a pair of sentences shares: three content words or one rare name and two such.
MIN_WEIGHT: Final = 1.6
#: Least cosine for a sentence beside a pair to be paired with the next sentence of the reference. Low, since
#: the order is most of the evidence; a name or a few function words in common are the rest.
MIN_NEIGHBOUR: Final = 0.1
#: Else the least share of words that are the same in the same order, of the longer one's, in sentences of some words:
#: where half the words were swapped those left are "the" and "of". 19 of 20 spun sentences that hang on a pair have
#: 0.2 and more, 99 of 100 sentences of reports written apart less.
MIN_IN_ORDER: Final = 0.2
MIN_ORDERED_WORDS: Final = 6
#: Pairs of sentences that are looked at, and meetings of a word with itself in them, at most: two texts of 2,000
#: sentences. Of longer ones only the pairs that share a word, and the commonest words say nothing: what this takes
#: would grow with the product of the lengths.
MOST_CELLS: Final = 1 << 22
#: Longest segment in sentences, and in words of either side where it has more than one: bounds the cost of aligning,
#: which grows with the product of the lengths. Two sentences of the longest fit; of larger ones rapidfuzz would divide
#: the matrix (of 2**20 bytes), and find another edit of the same length than compiled code does.
MAX_SEGMENT: Final = 12
MAX_SEGMENT_WORDS: Final = 2000
#: Longest stretch, in words of either side, that is split into pairs of wordings; longer ones are new text.
MAX_STRETCH: Final = 12


class Pair(NamedTuple):
    """Words ``[a0, a1)`` of the article stand where the reference has its words ``[r0, r1)``."""

    a0: int
    a1: int
    r0: int
    r1: int


def tabulate(pairs: Sequence[Pair]) -> NDArray[np.int32]:
    """int32[pairs, 4]: a0, a1, r0, r1 of each."""
    return np.array(pairs, np.int32).reshape(-1, 4)


@dataclass(frozen=True, eq=False)
class Alignment:
    """An article compared with one reference.

    ``partner``: int32[article words], the reference word that is the same word in the same place, -1 for none.
    ``segment_of``: int32[article words], number of the segment that holds the word, -1 for none.
    ``ranges``: int32[segments, 4], word ranges a0, a1, r0, r1 of each segment.
    ``table``: int32[pairs, 4], other words in the same place, in article order (:class:`Pair`); a word that was padded
    is in its pair.
    ``covered``: bool[article words], the words that have a match among others that have one (:func:`follows`).
    ``deleted``, ``inserted``: words that only the reference or only the article has inside segments.
    """

    partner: NDArray[np.int32]
    segment_of: NDArray[np.int32]
    ranges: NDArray[np.int32]
    table: NDArray[np.int32]
    covered: NDArray[np.bool_]
    deleted: int
    inserted: int

    @cached_property
    def pairs(self) -> tuple[Pair, ...]:
        """The rows of :attr:`table`."""
        return tuple(map(Pair._make, self.table.tolist()))

    @cached_property
    def coverage(self) -> float:
        """Share of the article's words that follow the reference."""
        return np.count_nonzero(self.covered) / len(self.covered) if len(self.covered) else 0.0


#: Longest insertion, in words, that is read as padding of the word beside it ("has actually" for "has", "brand
#: new" for "new").
MAX_PADDING: Final = 2

Similarity = Callable[[NDArray[np.intp], NDArray[np.intp]], NDArray[np.float32]]
Breaks = NDArray[np.bool_]


def pair_sentences(
    ids: NDArray[np.int32],
    sentence_of: NDArray[np.int32],
    reference: Reference,
    weights: NDArray[np.float32],
) -> NDArray[np.int32]:
    """For every article sentence the reference sentence that corresponds, -1 for none; int32[sentences]."""
    rows = int(sentence_of[-1]) + 1
    columns = int(reference.examined.sentence_of[-1]) + 1
    met, shared, left_weight, right_weight = _share_words(ids, sentence_of, reference, weights, (rows, columns))
    row_of, column_of = np.divmod(met, columns)
    cosine = shared / np.sqrt(np.maximum(left_weight[row_of] * right_weight[column_of], 1e-9))
    best = np.full(rows, -1, np.int32)
    likeliest = _find_first_peaks(cosine, row_of)
    likeliest = likeliest[(cosine[likeliest] >= MIN_COSINE) & (shared[likeliest] >= MIN_WEIGHT)]
    best[row_of[likeliest]] = column_of[likeliest]

    def is_alike(row: int, column: int) -> bool:
        cell = row * columns + column
        place = int(np.searchsorted(met, cell))
        if place < len(met) and met[place] == cell and cosine[place] >= MIN_NEIGHBOUR:
            return True
        own, other = (
            words[slice(*np.searchsorted(sentences, (sentence, sentence + 1)))]
            for words, sentences, sentence in (
                (ids, sentence_of, row),
                (reference.ids, reference.examined.sentence_of, column),
            )
        )
        if min(len(own), len(other)) < MIN_ORDERED_WORDS:
            return False
        return bool(LCSseq.normalized_similarity(own.tolist(), other.tolist()) >= MIN_IN_ORDER)

    return _fill_gaps(best.tolist(), columns, is_alike)


def _leave_out_commonest(
    weights: NDArray[np.float32], ids: NDArray[np.int32], counts: NDArray[np.int64]
) -> NDArray[np.float32]:
    """The weights, 0 for the words by which too many sentences would meet: ``counts`` int64[n] tells in how many
    sentences of the reference each of ``ids`` int32[n] stands. Texts of usual length keep all."""
    if counts.sum() <= MOST_CELLS:
        return weights
    meetings = np.bincount(ids, counts, minlength=len(weights))
    order = np.argsort(meetings, kind="stable")
    kept = weights.copy()
    kept[order[np.cumsum(meetings[order]) > MOST_CELLS]] = 0
    return kept


def _find_first_peaks(values: NDArray[np.float64], owner: NDArray[np.int64]) -> NDArray[np.intp]:
    """Where the highest value of each owner stands, the first of equals; owners rise."""
    if not len(values):
        return np.zeros(0, np.intp)
    begins = np.flatnonzero(np.diff(owner, prepend=-1))
    peaks = np.repeat(np.maximum.reduceat(values, begins), np.diff(begins, append=len(values)))
    reached = np.flatnonzero(values == peaks)
    return reached[np.unique(owner[reached], return_index=True)[1]]


#: Pairs of sentences as row * columns + column, rising, int64[p]; the weight of the words that each pair shares,
#: float64[p]; the weights of the sentences of the article and of the reference, float64[rows] and float64[columns].
_Shared = tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]


def _share_words(
    ids: NDArray[np.int32], sentence_of: NDArray[np.int32], reference: Reference, weights: NDArray[np.float32],
    shape: tuple[int, int],
) -> _Shared:  # fmt: skip
    """What sentences share, where a word counts once a sentence: all pairs of them, of long texts those that share a
    word.

    Words of no reference weigh 1: spun wording must not make a short remnant look like a full match."""
    (rows, columns), words = shape, len(weights)
    left = np.unique(sentence_of.astype(np.int64) * words + ids, return_index=True)[1] if words else []
    left = np.asarray(left)[ids[left] >= 0]
    right = np.unique(reference.examined.sentence_of.astype(np.int64) * words + reference.ids, return_index=True)[1]
    left_ids, left_sentences = ids[left], sentence_of[left]
    right_ids, right_sentences = reference.ids[right], reference.examined.sentence_of[right]
    order = np.argsort(right_ids, kind="stable")
    right_ids, right_sentences = right_ids[order], right_sentences[order]
    low, high = np.searchsorted(right_ids, left_ids, "left"), np.searchsorted(right_ids, left_ids, "right")
    counts = high - low
    weights = _leave_out_commonest(weights, left_ids, counts)
    counts[weights[left_ids] == 0] = 0
    opposite = np.repeat(low - np.append(0, np.cumsum(counts)[:-1]), counts) + np.arange(counts.sum())
    cells = np.repeat(left_sentences, counts).astype(np.int64) * columns + right_sentences[opposite]
    if rows * columns <= MOST_CELLS:
        met, at = np.arange(rows * columns), cells
    else:
        met = np.sort(cells)
        met = met[np.diff(met, prepend=-1) > 0]
        at = np.searchsorted(met, cells)
    shared = np.bincount(at, np.repeat(weights[left_ids], counts), minlength=len(met))
    unknown = np.bincount(sentence_of[ids < 0], minlength=rows)
    left_weight = np.bincount(left_sentences, weights[left_ids], minlength=rows) + unknown
    right_weight = np.bincount(right_sentences, weights[right_ids], minlength=columns)
    return met, shared.astype(np.float64), left_weight.astype(np.float64), right_weight.astype(np.float64)


def _fill_gaps(matched: list[int], columns: int, is_alike: Callable[[int, int], bool]) -> NDArray[np.int32]:
    """Pair sentences without a partner with what follows, or precedes, their neighbours' partners.

    Where as many sentences of both texts lie between two pairs, they correspond in order, even if every
    content word of them was swapped. Beside one pair alone, the next sentences must be alike still.
    """
    rows = len(matched)
    row = 0
    while row < rows:
        end = row
        while end < rows and matched[end] < 0:
            end += 1
        before = matched[row - 1] if row else -1
        after = matched[end] if end < rows else columns
        bracketed = row > 0 and end < rows
        if bracketed and after - before == end - row + 1:
            matched[row:end] = range(before + 1, after)
        elif end > row:
            low, high = row, end
            while row and low < high and before + 1 < columns and is_alike(low, before + 1):
                before += 1
                matched[low] = before
                low += 1
            while end < rows and high > low and after > 0 and is_alike(high - 1, after - 1):
                after -= 1
                high -= 1
                matched[high] = after
        row = end + 1
    return np.array(matched, np.int32)


def join_segments(
    matched: NDArray[np.int32], article: list[tuple[int, int]], reference: list[tuple[int, int]]
) -> NDArray[np.int32]:
    """Neighbouring sentence pairs joined: int32[segments, 4] of word ranges a0, a1, r0, r1."""
    ranges = list[tuple[int, int, int, int]]()
    row = 0
    while row < len(matched):
        if matched[row] < 0:
            row += 1
            continue
        first, last = row, row + 1
        low = high = int(matched[row])
        while last < len(matched) and last - first < MAX_SEGMENT and 0 <= matched[last] - high <= 2:
            words = article[last][1] - article[first][0], reference[matched[last]][1] - reference[low][0]
            if max(words) > MAX_SEGMENT_WORDS:
                break
            high = int(matched[last])
            last += 1
        ranges.append((article[first][0], article[last - 1][1], reference[low][0], reference[high][1]))
        row = last
    return np.array(ranges, dtype=np.int32).reshape(-1, 4)


def split_stretch(
    a0: int, a1: int, r0: int, r1: int, similarity: Similarity, breaks: Breaks, reference_breaks: Breaks
) -> list[Pair]:
    """Split a stretch with other words on both sides into pairs of wordings, by dynamic programming.

    A word pairs with one word (gain: their similarity). A word left over joins the pair beside it, because a
    phrase may stand for a word, unless punctuation lies between: then it is new text.
    """
    m, n = a1 - a0, r1 - r0
    if m == n == 1:
        return [Pair(a0, a1, r0, r1)]
    left, right = np.arange(a0, a1), np.arange(r0, r1)
    gain = similarity(np.repeat(left, n), np.tile(right, m)).reshape(m, n).tolist()
    best = [[0.0] * (n + 1) for _ in range(m + 1)]
    for i in range(m - 1, -1, -1):
        for j in range(n - 1, -1, -1):
            best[i][j] = max(best[i + 1][j], best[i][j + 1], best[i + 1][j + 1] + gain[i][j])
    anchors, i, j = list[tuple[int, int]](), 0, 0
    while i < m and j < n:
        if gain[i][j] > 0 and best[i][j] <= best[i + 1][j + 1] + gain[i][j] + 1e-9:
            anchors.append((i, j))
            i, j = i + 1, j + 1
        elif best[i + 1][j] >= best[i][j + 1]:
            i += 1
        else:
            j += 1
    if not anchors:
        # Nothing is alike: word by word when the numbers agree, else the stretch as a whole.
        anchors = [(k, k) for k in range(m)] if m == n else [(0, 0)]
    anchors = [(a0 + i, r0 + j) for i, j in anchors]
    return _grow(anchors, a0, a1, r0, r1, breaks, reference_breaks)


def _grow(
    anchors: list[tuple[int, int]],
    a0: int,
    a1: int,
    r0: int,
    r1: int,
    breaks: Breaks,
    reference_breaks: Breaks,
) -> list[Pair]:
    """Pairs around the anchors, each grown over the words left over beside it up to the next punctuation."""
    pairs = list[Pair]()
    for index, (a, r) in enumerate(anchors):
        next_a, next_r = anchors[index + 1] if index + 1 < len(anchors) else (a1, r1)
        # In front of the first anchor only: what lies between two anchors belongs to the earlier one.
        first_a, first_r = (a0, r0) if index == 0 else (a, r)
        pairs.append(Pair(*_grow_one(a, first_a, next_a, breaks), *_grow_one(r, first_r, next_r, reference_breaks)))
    return pairs


#: Words left over beside an anchor that may belong to its phrase ("on the off chance that" for "if"): more of
#: them are text that the other side does not have.
MAX_GROWTH: Final = 4


def _grow_one(anchor: int, low: int, high: int, breaks: Breaks) -> tuple[int, int]:
    """The range around an anchor, up to the next punctuation on both sides, within ``[low, high)``."""
    start, end = anchor, anchor + 1
    while start > low and not breaks[start]:
        start -= 1
    while end < high and not breaks[end]:
        end += 1
    return (start if anchor - start <= MAX_GROWTH else anchor), (end if end - anchor - 1 <= MAX_GROWTH else anchor + 1)


def _tighten(pair: Pair, own: Sequence[str], theirs: Sequence[str]) -> Pair:
    """Without the article ("the") that only one of the two wordings has in front."""
    a0, r0 = pair.a0, pair.r0
    if pair.a1 - a0 == pair.r1 - r0 == 1:
        return pair
    if pair.a1 - a0 > 1 and own[a0] in ARTICLES and theirs[r0] not in ARTICLES:
        a0 += 1
    elif pair.r1 - r0 > 1 and theirs[r0] in ARTICLES and own[a0] not in ARTICLES:
        r0 += 1
    return Pair(a0, pair.a1, r0, pair.r1)


def _find_padded(article: Examined, partner: NDArray[np.int32], first: int, last: int, at: int) -> list[Pair]:
    """The pair of the word that the inserted words ``[first, last)`` pad: the neighbour that they go with more
    often, if it has its match beside ``at``, where the reference has nothing, and no punctuation between."""
    if article.breaks[first + 1 : last].any():
        return []
    before = first > 0 and at > 0 and partner[first - 1] == at - 1 and not article.breaks[first]
    after = last < len(partner) and partner[last] == at and not article.breaks[last]
    if before and after:
        previous, following = article.ids[[first - 1, last - 1]], article.ids[[first, last]]
        pull = article.lexicon.log_prob(previous, following) - article.lexicon.log_unigram(following)
        norms = article.text.norms
        # An adverb after an auxiliary pads that, and not the participle behind.
        adverb = norms[first - 1] in AUXILIARIES and norms[last - 1].endswith("ly")
        before = adverb or bool(pull[0] > pull[1])
        after = not before
    if before:
        return [Pair(first - 1, last, at - 1, at)]
    return [Pair(first, last + 1, at, at + 1)] if after else []


#: Cosine from which two words are alike when no thesaurus says so: 1.5 % of random pairs of frequent words
#: reach it.
MIN_SIMILARITY: Final = 0.3


def _compare_words(article: Examined, other: Examined) -> Similarity:
    lexicon = article.lexicon

    def similarity(i: NDArray[np.intp], j: NDArray[np.intp]) -> NDArray[np.float32]:
        a, b = article.ids[i], other.ids[j]
        cosine, listed = lexicon.similarity(a, b), lexicon.synonym_bits(a, b) > 0
        near = listed | (cosine > MIN_SIMILARITY) | lexicon.is_inflection_of(a, b)
        return np.where(near, np.maximum(cosine, 0.1) + 0.3 * listed, 0).astype(np.float32)

    return similarity


#: A word follows the reference when this share of the COVER words around it, itself included, has its match.
#: Between ECB+ reports of one event nine in ten paired segments match in fewer than half of their words.
MIN_FOLLOWING: Final = 0.5
COVER: Final = 11


def follows(partner: NDArray[np.int32], swaps: Iterable[Pair] = ()) -> NDArray[np.bool_]:
    """Which words follow the reference: those with a match, or in one of the ``swaps``, among others such."""
    opposite = partner >= 0
    for pair in swaps:
        opposite[pair.a0 : pair.a1] = True
    total = np.append(0, np.cumsum(opposite))
    at = np.arange(len(opposite))
    low, high = np.maximum(at - COVER // 2, 0), np.minimum(at + COVER // 2 + 1, len(opposite))
    following: NDArray[np.bool_] = opposite & (total[high] - total[low] >= MIN_FOLLOWING * (high - low))
    return following


def align(
    article: Examined,
    ids: NDArray[np.int32],
    reference: Reference,
    weights: NDArray[np.float32],
) -> Alignment:
    """Align an article with one reference.

    ``ids``: int32[article words], numbered by :meth:`References.number_words`; ``weights``: float32 by word
    number.
    """
    return _align_compiled(article, ids, reference, weights) or _align_plainly(article, ids, reference, weights)


def _align_compiled(
    article: Examined, ids: NDArray[np.int32], reference: Reference, weights: NDArray[np.float32]
) -> Alignment | None:
    library, tables, other, count = load_library(), load_tables(article.lexicon), reference.examined, len(ids)
    if library is None or tables is None or not count or article.text.split is None or other.text.split is None:
        return None
    # Of each word the one opposite and the segment; of each sentence or fewer a segment; of each word or fewer a pair.
    rows = int(article.sentence_of[-1]) + 1
    words, covered = np.empty((2, count), np.int32), np.empty(count, np.bool_)
    ranges, pairs, found = np.empty((rows, 4), np.int32), np.empty((count, 4), np.int32), np.empty(4, np.int64)
    at = address(words)
    done = library.unspun_align(
        tables, ctypes.addressof(article.compiled), address(ids), ctypes.addressof(other.compiled),
        address(reference.ids), address(weights), at, at + words.strides[0],
        *map(address, (covered, ranges, pairs, found)),
    )  # fmt: skip
    if not done:
        return None
    segments, number, deleted, inserted = found.tolist()
    partner, segment_of = words
    return Alignment(partner, segment_of, ranges[:segments], pairs[:number].copy(), covered, deleted, inserted)


def _align_plainly(
    article: Examined, ids: NDArray[np.int32], reference: Reference, weights: NDArray[np.float32]
) -> Alignment:
    partner = np.full(len(ids), -1, np.int32)
    segment_of = np.full(len(ids), -1, np.int32)
    if not len(ids) or not len(reference.ids):
        nothing = np.zeros((0, 4), np.int32)
        return Alignment(partner, segment_of, nothing, nothing, partner >= 0, 0, 0)
    matched = pair_sentences(ids, article.sentence_of, reference, weights)
    ranges = join_segments(matched, article.text.sentences, reference.examined.text.sentences)
    # What stands where the reference has other words: a stretch to be split, or a pair that is found at once.
    found, deleted, inserted = list[Pair | tuple[int, int, int, int]](), 0, 0
    for number, (a0, a1, r0, r1) in enumerate(ranges.tolist()):
        segment_of[a0:a1] = number
        stretch: tuple[int, int, int, int] | None = None
        operations = Levenshtein.opcodes(ids[a0:a1].tolist(), reference.ids[r0:r1].tolist())
        stretches = list[tuple[int, int, int, int]]()
        for tag, i0, i1, j0, j1 in operations:
            if tag == "equal":
                partner[a0 + i0 : a0 + i1] = np.arange(r0 + j0, r0 + j1)
                stretch = None
            elif stretch is None:
                stretch = (a0 + i0, a0 + i1, r0 + j0, r0 + j1)
                stretches.append(stretch)
            else:
                stretch = (stretch[0], a0 + i1, stretch[2], r0 + j1)
                stretches[-1] = stretch
        for b0, b1, s0, s1 in stretches:
            if b1 == b0:
                deleted += s1 - s0
            elif s1 == s0:
                inserted += b1 - b0
                if b1 - b0 <= MAX_PADDING:
                    found += _find_padded(article, partner, b0, b1, s0)
            elif max(b1 - b0, s1 - s0) <= MAX_STRETCH:
                found.append((b0, b1, s0, s1))
            else:
                deleted += s1 - s0
                inserted += b1 - b0
    pairs = _gather_pairs(article, reference.examined, found)
    return Alignment(partner, segment_of, ranges, tabulate(pairs), follows(partner), deleted, inserted)


def _gather_pairs(article: Examined, other: Examined, found: Sequence[Pair | tuple[int, int, int, int]]) -> list[Pair]:
    """The pairs of padded words as they are, and those that stretches are split into."""
    pairs, own, theirs = list[Pair](), article.text.norms, other.text.norms
    similarity = _compare_words(article, other)
    for one in found:
        if isinstance(one, Pair):
            # A word padded on both sides is one pair.
            both = bool(pairs) and pairs[-1].a1 > one.a0
            last = pairs.pop() if both else one
            pairs.append(Pair(last.a0, one.a1, last.r0, one.r1))
        else:
            split = split_stretch(*one, similarity, article.breaks, other.breaks)
            pairs.extend(_tighten(pair, own, theirs) for pair in split)
    return pairs
