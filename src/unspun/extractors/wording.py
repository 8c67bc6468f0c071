"""Kind ``synonym`` (and ``name``) without a reference: words that a synonym would fit better.

A noisy channel run backwards. A spinner replaced a word u by its synonym w with probability about
1 / (number of synonyms of u); the words around were mostly left. So for every word w the *un-spinning gain*

    log10 [ sum over u in synonyms(w) of P(u | words around) / synonyms of u ]  -  log10 P(w | words around)

says how much likelier it is that some u stood there than that w was written. Probabilities of word sequences come
from the lexicon's trigrams. (The idea of a noisy channel is Shannon's; its use for spelling Kernighan, Church and
Gale's, 1990; for un-spinning it is ours.)
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Final

import numpy as np
from numpy.typing import NDArray

from unspun.compiled.lexicon import MAX_ZIPF, SHARE_STEPS, SHARES, STRETCH, load_tables, log_out_degree
from unspun.compiled.library import address, load_library
from unspun.examined import Examined
from unspun.habits import FEATURES as HABITS
from unspun.habits import Habits
from unspun.lexicon import MOBY, MOBY_BOTH, WORDNET

#: Synonyms tried for a word, best first: each more costs time on every word. Eight tell swapped words from others as
#: well as sixteen do (areas under the ROC curve .9008 and .9011).
MAX_SYNONYMS: Final = 8
FEATURES: Final = (
    "gain", "best_gain", "left_gain", "right_gain", "prior_gain",
    "fit_left", "fit_right", "best_fit_left", "best_fit_right",
    "zipf", "best_zipf", "similarity", "sources", "synonyms", "capital", "opens",
    "unknown_around", "relative_zipf", "context", "best_context", "times", "best_times", "synonym_times",
    *HABITS,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Wordings:
    """What was found for the m examined words: ``ids`` int32[m] (in the lexicon), ``places`` int32[m] (word
    index), ``left`` and ``right`` int32[m] (ids of their neighbours, -1 none), ``features``
    float32[m, len(FEATURES)], of which :func:`insert_habits` fills in the last."""

    ids: NDArray[np.int32]
    places: NDArray[np.int32]
    left: NDArray[np.int32]
    right: NDArray[np.int32]
    features: NDArray[np.float32]


def expand_ranges(starts: NDArray[np.int32], counts: NDArray[np.int32]) -> NDArray[np.intp]:
    """The indices of ranges ``starts[i] .. starts[i] + counts[i]``, one after another."""
    ends = np.cumsum(counts)
    indices: NDArray[np.intp] = np.arange(ends[-1] if len(ends) else 0) + np.repeat(starts - (ends - counts), counts)
    return indices


def measure_fit(
    article: Examined, places: NDArray[np.integer], owner: NDArray[np.intp], words: NDArray[np.int32]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """How much likelier than by its frequency alone a word is after the words before a place, and the words after the
    place are after it: log10, float32[n] each for the n ``words``, of which word i is tried at ``places[owner[i]]``; 0
    where nothing is known of a neighbour."""
    lexicon = article.lexicon
    around = article.neighbours[:, places]
    # What a place's candidates share is looked up once a place.
    before = lexicon.find_pairs(around[0], around[1])[owner]
    after = lexicon.find_pairs(around[2], around[3])
    usual = lexicon.log_after(after, around[2], around[3])[owner]
    after = after[owner]
    _, left, right, after_right = around[:, owner]
    follow, lead = lexicon.find_pairs(left, words), lexicon.find_pairs(words, right)
    follows = np.where(left >= 0, lexicon.log_after(follow, left, words, before) - lexicon.log_unigram(words), 0)
    leads = np.where(right >= 0, lexicon.log_after(lead, words, right, follow) - lexicon.log_unigram(right), 0)
    beyond = lexicon.log_after(after, right, after_right, lead) - usual
    leads += np.where((right >= 0) & (after_right >= 0), beyond, 0)
    return follows.astype(np.float32), leads.astype(np.float32)


def examine_wording(article: Examined, among: NDArray[np.bool_] | None = None) -> Wordings:
    """The un-spinning gain of every word that has synonyms, or of those ``among`` bool[words] only."""
    return _examine_compiled(article, among) or _examine_plainly(article, among)


def _examine_compiled(article: Examined, among: NDArray[np.bool_] | None) -> Wordings | None:
    library, tables, count = load_library(), load_tables(article.lexicon, compared=False), len(article)
    if library is None or tables is None:
        return None
    found, features = np.empty((4, count), np.int32), np.empty((count, len(FEATURES)), np.float32)
    size = library.unspun_examine_words(
        tables, ctypes.addressof(article.compiled), None if among is None else address(among), address(found),
        address(features),
    )  # fmt: skip
    if size < 0:
        return None
    ids, places, left, right = found[:, :size]
    return Wordings(ids, places, left, right, features[:size])


def _examine_plainly(article: Examined, among: NDArray[np.bool_] | None) -> Wordings:
    lexicon, ids = article.lexicon, article.ids
    starts = lexicon.synonym_starts
    known = np.maximum(ids, 0)
    counts_all = np.where(ids >= 0, starts[known + 1] - starts[known], 0)
    examined = (counts_all > 0) & (article.zipf < MAX_ZIPF) & ~article.numeric
    if among is not None:
        examined &= among
    places = np.flatnonzero(examined).astype(np.int32)
    if not len(places):
        return Wordings(places, places, places, places, np.zeros((0, len(FEATURES)), np.float32))
    counts = np.minimum(counts_all[places], MAX_SYNONYMS).astype(np.int32)
    flat = expand_ranges(starts[ids[places]], counts)
    owner = np.repeat(np.arange(len(places)), counts)
    candidates, sources = lexicon.synonym_ids[flat], lexicon.synonym_sources[flat]
    own = ids[places]

    around = article.neighbours[:, places]
    # The words and their candidates at once: half as many look-ups of twice the size take less time.
    size = len(places)
    left, right = measure_fit(article, places, np.append(np.arange(size), owner), np.append(own, candidates))
    own_left, own_right, cand_left, cand_right = left[:size], right[:size], left[size:], right[size:]
    unigram, own_unigram = lexicon.log_unigram(candidates), lexicon.log_unigram(own)
    channel = unigram - log_out_degree(lexicon)[candidates]
    posterior = cand_left + cand_right + channel

    first = np.append(0, np.cumsum(counts)[:-1])
    peak, total = _add_logs(posterior, first, owner)
    gain = total - (own_left + own_right + own_unigram)
    prior = _add_logs(channel, first, owner)[1] - own_unigram
    # The best candidate: the first one that reaches the peak.
    reached = np.flatnonzero(posterior == peak[owner])
    best_at = reached[np.unique(owner[reached], return_index=True)[1]]
    best = candidates[best_at]

    zipf = article.zipf
    content = zipf[article.content]
    usual = float(np.median(content)) if len(content) else 5.0
    unigram_zipf = own_unigram[:, None]
    around_unknown = (around[1] < 0).astype(np.float32) + (around[2] < 0)
    times = _count_times(article)
    stretch = times.find_stretch(places)
    bits = sources[best_at]
    context_own, context_best = _topic_fit(article, places, own, best)
    features = np.column_stack([
        gain,
        peak - (own_left + own_right + own_unigram),
        cand_left[best_at] + channel[best_at] - own_left - own_unigram,
        cand_right[best_at] + channel[best_at] - own_right - own_unigram,
        prior,
        own_left, own_right, cand_left[best_at], cand_right[best_at],
        zipf[places],
        unigram[best_at] - unigram_zipf[:, 0],
        lexicon.similarity(own, best),
        ((bits & WORDNET) > 0).astype(np.float32) + ((bits & MOBY) > 0) + ((bits & MOBY_BOTH) > 0),
        counts_all[places],
        article.capital[places], article.opens[places],
        around_unknown,
        zipf[places] - usual,
        context_own, context_best - context_own,
        np.log2(times.of(stretch, own)), np.log2(1 + times.of(stretch, best)),
        np.log2(1 + np.maximum.reduceat(times.of(stretch[owner], candidates), first)),
        np.zeros((len(places), len(HABITS))),
    ]).astype(np.float32)  # fmt: skip
    return Wordings(own, places, around[1], around[2], features)


@dataclass(frozen=True, slots=True)
class _Times:
    """How often words occur in the stretches of a text, which begin at the words ``edges``: ``keys`` int64[k], rising,
    stretch * ``size`` + id, and their ``counts`` int64[k]."""

    keys: NDArray[np.int64]
    counts: NDArray[np.int64]
    edges: NDArray[np.int64]
    size: int

    def find_stretch(self, places: NDArray[np.int32]) -> NDArray[np.int64]:
        return np.searchsorted(self.edges, places, "right") - 1

    def of(self, stretch: NDArray[np.int64], ids: NDArray[np.int32]) -> NDArray[np.int64]:
        wanted = stretch * self.size + ids
        place = np.minimum(np.searchsorted(self.keys, wanted), len(self.keys) - 1)
        return np.where(self.keys[place] == wanted, self.counts[place], 0)


def _count_times(article: Examined) -> _Times:
    count, size = len(article), article.lexicon.size
    stretches = -(-count // STRETCH)
    edges = count * np.arange(stretches) // stretches
    [known] = np.nonzero(article.ids >= 0)
    of_stretch = np.searchsorted(edges, known, "right") - 1
    keys, counts = np.unique(of_stretch * size + article.ids[known], return_counts=True)
    return _Times(keys, counts, edges, size)


def _add_logs(
    logs: NDArray[np.float32], first: NDArray[np.intp], owner: NDArray[np.intp]
) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """The highest of each range of log10s, and log10 of the sum of what they are logarithms of; ranges begin at
    ``first`` intp[m], ``owner`` tells whose each is.

    Summed in whole numbers, whose sum does not depend on the order (see :mod:`unspun.networks`)."""
    peak = np.maximum.reduceat(logs, first)
    below = np.minimum(np.rint((peak[owner] - logs) * np.float32(SHARE_STEPS)), len(SHARES) - 1).astype(np.intp)
    return peak, peak + np.log10(np.add.reduceat(SHARES[below], first) / float(SHARES[0]))


def join_wordings(parts: Sequence[Wordings]) -> Wordings:
    """The words of several texts as those of one."""
    if len(parts) == 1:
        return parts[0]
    return Wordings(*(np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(Wordings)))


def insert_habits(wordings: Wordings, habits: Habits) -> NDArray[np.float32]:
    """The features with what training knows of each word where it stands."""
    completed = wordings.features.copy()
    completed[:, -len(HABITS) :] = habits.look_up(wordings.ids, wordings.left, wordings.right)
    return completed


#: Words on each side whose meaning a word is held against.
WINDOW: Final = 6


def _topic_fit(
    article: Examined, places: NDArray[np.int32], own: NDArray[np.int32], best: NDArray[np.int32]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Mean cosine with the content words around, of the word and of its best candidate: float32[m] each."""
    around = sum_around(article, places)
    squares = np.einsum("ij,ij->i", around, around, dtype=np.int64)

    def compare(words: NDArray[np.int32]) -> NDArray[np.float32]:
        vectors, lengths = article.lexicon.whole_vectors(words)
        dot = np.einsum("ij,ij->i", around, vectors, dtype=np.int64)
        cosine: NDArray[np.float32] = (dot / np.sqrt(np.maximum(squares * lengths, 1))).astype(np.float32)
        return cosine

    return compare(own), compare(best)


def sum_around(article: Examined, places: NDArray[np.integer]) -> NDArray[np.int32]:
    """int32[n, 100]: the sum of the vectors of the content words around each place, without its own."""
    total = article.content_sums
    low = np.maximum(places - WINDOW, 0)
    high = np.minimum(places + WINDOW + 1, len(article))
    around: NDArray[np.int32] = total[high] - total[low] - (total[places + 1] - total[places])
    return around
