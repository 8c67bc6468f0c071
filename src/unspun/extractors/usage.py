"""Words that the references would not use: kind ``synonym`` or ``name``, without an alignment.

Other reports of an event tell it in the event's own words. A swapped word stands in none of them, while one of
its synonyms stands in several, often beside the very same neighbour ("regulation enforcement" here, "law
enforcement" in every report). This needs no sentence to correspond, so it works when the source is absent.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from unspun.alignment import Alignment
from unspun.article import Passage
from unspun.compiled.lexicon import load_tables
from unspun.compiled.library import address, load_library
from unspun.examined import Examined
from unspun.extractors.wording import Wordings, expand_ranges
from unspun.references import Reference

FEATURES: Final = (
    "words",
    "own_references", "own_times", "own_sequences", "matched",
    "synonyms_used", "similarity", "sources", "sequences", "references", "rarer", "fluency",
    "neighbours", "related", "compared", "vocabulary",
)  # fmt: skip
#: A synonym beside the same neighbour as here outweighs any likeness of meaning.
_SEQUENCE_WEIGHT: Final = 1.0


@dataclass(frozen=True, slots=True, eq=False)
class Usage:
    """For the m examined words of a :class:`Wordings`: ``best`` int32[m], the synonym that the references use
    and that fits best (-1 for none), ``sequences`` int32[m], beside how many of the same neighbours; and
    ``features`` float32[m, len(FEATURES)], the first to be filled with the log-odds of the words' scorer."""

    best: NDArray[np.int32]
    sequences: NDArray[np.int32]
    features: NDArray[np.float32]


def _sequence_keys(article: Examined) -> NDArray[np.int64]:
    """The pairs of neighbouring lemmas of a text, as sorted distinct numbers."""
    lemmas = article.lemmas.astype(np.int64)
    left, right = lemmas[:-1], lemmas[1:]
    good = (left >= 0) & (right >= 0) & ~article.breaks[1:-1]
    return np.unique(left[good] * article.lexicon.size + right[good])


def _contains(
    keys: NDArray[np.int64], left: NDArray[np.int32], right: NDArray[np.int32], size: int
) -> NDArray[np.bool_]:
    if not len(keys):
        return np.zeros(len(left), np.bool_)
    wanted = left.astype(np.int64) * size + right
    place = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    found: NDArray[np.bool_] = (keys[place] == wanted) & (left >= 0) & (right >= 0)
    return found


def examine_usage(article: Examined, wordings: Wordings, compared: Sequence[tuple[Reference, Alignment]]) -> Usage:
    """How the references word what the article words so."""
    if not len(wordings.places):
        empty = np.zeros(0, np.int32)
        return Usage(empty, empty, np.zeros((0, len(FEATURES)), np.float32))
    return _examine_compiled(article, wordings, compared) or _examine_plainly(article, wordings, compared)


#: References that compiled code can count.
_MOST_REFERENCES: Final = 127


def _examine_compiled(
    article: Examined, wordings: Wordings, compared: Sequence[tuple[Reference, Alignment]]
) -> Usage | None:
    library, tables = load_library(), load_tables(article.lexicon)
    if library is None or tables is None or len(compared) > _MOST_REFERENCES:
        return None
    count = len(wordings.places)
    texts = [reference.examined for reference, _ in compared]
    others = np.array([
        [ctypes.addressof(text.compiled) for text in texts],
        [address(alignment.covered) for _, alignment in compared],
    ], np.uintp)  # fmt: skip
    coverage = max(alignment.coverage for _, alignment in compared)
    pairs = np.zeros(1 << (2 * sum(map(len, texts))).bit_length(), np.uint64)
    (best, sequences), features = np.empty((2, count), np.int32), np.empty((count, len(FEATURES)), np.float32)
    done = library.unspun_examine_usage(
        tables, ctypes.addressof(article.compiled), address(wordings.places), count,
        address(others), address(others) + others.strides[0], len(texts), coverage,
        address(pairs), len(pairs) - 1, address(best), address(sequences), address(features),
    )  # fmt: skip
    return Usage(best, sequences, features) if done else None


def _examine_plainly(article: Examined, wordings: Wordings, compared: Sequence[tuple[Reference, Alignment]]) -> Usage:
    lexicon, places = article.lexicon, wordings.places
    count = len(places)
    holding = np.zeros(lexicon.size, np.int32)
    times = np.zeros(lexicon.size, np.int32)
    keys = list[NDArray[np.int64]]()
    matched = np.zeros(len(article), np.int32)
    for reference, alignment in compared:
        lemmas = reference.examined.lemmas
        counts = np.bincount(lemmas[lemmas >= 0], minlength=lexicon.size)
        holding += counts > 0
        times += counts.astype(np.int32)
        keys.append(_sequence_keys(reference.examined))
        matched += alignment.covered
    sequences = np.unique(np.concatenate(keys))

    own = article.ids[places]
    lemma = lexicon.lemmas(own)
    around = lexicon.lemmas(article.neighbours[:, places].ravel()).reshape(4, -1)
    left, right = around[1], around[2]

    starts = lexicon.synonym_starts
    widths: NDArray[np.int32] = (starts[own + 1] - starts[own]).astype(np.int32)
    flat = expand_ranges(starts[own], widths)
    owner = np.repeat(np.arange(count), widths)
    candidates = lexicon.synonym_ids[flat]
    candidate_lemmas = lexicon.lemmas(candidates)
    used = (holding[candidate_lemmas] > 0) & (candidate_lemmas != lemma[owner])
    flat, owner, candidates, candidate_lemmas = flat[used], owner[used], candidates[used], candidate_lemmas[used]
    beside = (
        _contains(sequences, left[owner], candidate_lemmas, lexicon.size).astype(np.int32)
        + _contains(sequences, candidate_lemmas, right[owner], lexicon.size)
    )  # fmt: skip
    similarity = lexicon.similarity(own[owner], candidates)
    rank = similarity + _SEQUENCE_WEIGHT * beside + 0.1 * np.log2(1 + holding[candidate_lemmas])

    # The best candidate of every place: sorted by place, then by falling rank, the first of each.
    order = np.lexsort((-rank, owner))
    first = order[np.unique(owner[order], return_index=True)[1]]
    has = owner[first]
    best = np.full(count, -1, np.int32)
    best[has] = candidates[first]

    def spread(values: NDArray[np.generic], missing: float) -> NDArray[np.float32]:
        out = np.full(count, missing, np.float32)
        out[has] = values
        return out

    fluency = np.zeros(count, np.float32)
    raw_left, raw_right = article.neighbours[1:3, places]
    for i, word, sign in ((has, candidates[first], 1), (has, own[has], -1)):
        fluency[i] += sign * np.where(raw_left[i] >= 0, lexicon.log_prob(raw_left[i], word), lexicon.log_unigram(word))
        fluency[i] += sign * np.where(raw_right[i] >= 0, lexicon.log_prob(word, raw_right[i]), 0)
    own_sequences = (
        _contains(sequences, left, lemma, lexicon.size).astype(np.int32)
        + _contains(sequences, lemma, right, lexicon.size)
    )  # fmt: skip
    features = np.column_stack([
        np.zeros(count),
        holding[lemma],
        np.log2(1 + times[lemma]),
        own_sequences,
        matched[places],
        np.bincount(owner, minlength=count),
        spread(similarity[first], -1),
        spread(lexicon.synonym_sources[flat[first]], 0),
        spread(beside[first], 0),
        spread(holding[candidate_lemmas[first]], 0),
        spread(lexicon.log_unigram(candidates[first]) - lexicon.log_unigram(own[has]), -5),
        fluency,
        (holding[left] > 0).astype(np.int32) * (left >= 0) + (holding[right] > 0) * (right >= 0),
        np.full(count, max(alignment.coverage for _, alignment in compared)),
        np.full(count, len(compared)),
        np.full(count, np.log2(1 + int((holding > 0).sum()))),
    ]).astype(np.float32)  # fmt: skip
    return Usage(best, spread(beside[first], 0).astype(np.int32), features)


def find_passage(article: Examined, place: int, best: int, references: Sequence[Reference]) -> Passage | None:
    """Where a reference uses the synonym ``best`` beside the same neighbour as the article's word ``place``."""
    lexicon = article.lexicon
    around = lexicon.lemmas(article.neighbours[1:3, place])
    wanted = int(lexicon.lemmas(np.array([best], np.int32))[0])
    for reference in references:
        other = reference.examined
        lemmas = other.lemmas
        for at in np.flatnonzero(lemmas == wanted).tolist():
            before = at and not other.breaks[at] and around[0] >= 0 and lemmas[at - 1] == around[0]
            after = at + 1 < len(lemmas) and not other.breaks[at + 1] and around[1] >= 0 and lemmas[at + 1] == around[1]
            if before or after:
                start, end = other.text.slice(at, at + 1)
                return Passage(reference.article.id, start, end, other.text.raw[start:end])
    return None
