"""What probably stood where a word was swapped in: its synonyms, ranked by how well each would have fitted there."""

from __future__ import annotations

import ctypes
from typing import Final

import numpy as np
from numpy.typing import NDArray

from unspun.compiled.lexicon import load_tables, log_out_degree
from unspun.compiled.library import address, load_library
from unspun.examined import Examined
from unspun.extractors.wording import expand_ranges, measure_fit, sum_around
from unspun.lexicon import MOBY, MOBY_BOTH, WORDNET

#: What is known of a candidate: how well it fits the words before and after, how common it is and how many synonyms
#: it could have been swapped for (logarithms); likeness to the word that stands there and to the words around; whether
#: it has the same ending; its place in the list of synonyms; who lists it.
FEATURES: Final = (
    "fit_left", "fit_right", "log_unigram", "log_out_degree", "similarity", "context", "inflection", "log_rank",
    "wordnet", "moby", "moby_both",
)  # fmt: skip


def measure_originals(
    article: Examined, places: NDArray[np.integer]
) -> tuple[NDArray[np.intp], NDArray[np.int32], NDArray[np.float64]]:
    """The synonyms of the words at ``places``, one place after another: to which of the places each belongs, intp[c];
    their lexicon numbers, int32[c]; and float64[c, len(FEATURES)]."""
    lexicon = article.lexicon
    own = article.ids[places]
    known = np.maximum(own, 0)
    starts = lexicon.synonym_starts[known]
    counts: NDArray[np.int32] = np.where(own >= 0, lexicon.synonym_starts[known + 1] - starts, 0).astype(np.int32)
    flat = expand_ranges(starts, counts)
    owner = np.repeat(np.arange(len(places)), counts)
    candidates, bits = lexicon.synonym_ids[flat], lexicon.synonym_sources[flat]
    replaced = own[owner]
    left, right = measure_fit(article, places, owner, candidates)
    around = sum_around(article, places)
    lengths = np.einsum("ij,ij->i", around, around, dtype=np.int64)[owner]
    vectors, squares = lexicon.whole_vectors(candidates)
    dot = np.einsum("ij,ij->i", around[owner], vectors, dtype=np.int64)
    rank = np.arange(len(flat)) - np.repeat(np.cumsum(counts) - counts, counts)
    return owner, candidates, np.column_stack([
        left, right, lexicon.log_unigram(candidates), log_out_degree(lexicon)[candidates],
        lexicon.similarity(replaced, candidates),
        dot / np.sqrt(np.maximum(lengths * squares, 1)),
        lexicon.inflections(candidates) == lexicon.inflections(replaced),
        np.log(rank + 1.0),
        (bits & WORDNET) > 0, (bits & MOBY) > 0, (bits & MOBY_BOTH) > 0,
    ]).astype(np.float64)  # fmt: skip


def rank_originals(
    article: Examined, places: NDArray[np.integer], weights: NDArray[np.float64], count: int
) -> list[list[str]]:
    """For each of the words at ``places`` its ``count`` likeliest originals, best first; ``weights``
    float64[len(FEATURES)] as trained."""
    likeliest = _rank_compiled(article, places, weights, count)
    if likeliest is None:
        owner, candidates, features = measure_originals(article, places)
        return choose_likeliest(article, len(places), owner, candidates, features @ weights, count)
    words = article.lexicon.words
    return [[words[id] for id in ids if id >= 0] for ids in likeliest.tolist()]


#: Originals of a word that compiled code can rank.
_MOST: Final = 8


def _rank_compiled(
    article: Examined, places: NDArray[np.integer], weights: NDArray[np.float64], count: int
) -> NDArray[np.int32] | None:
    """int32[places, count]: the words, -1 where there are no more."""
    library, tables = load_library(), load_tables(article.lexicon, compared=False)
    if library is None or tables is None or count > _MOST:
        return None
    asked, likeliest = places.astype(np.int32), np.empty((len(places), count), np.int32)
    library.unspun_rank_originals(
        tables, ctypes.addressof(article.compiled), address(asked), len(places), address(weights), count,
        address(likeliest),
    )  # fmt: skip
    return likeliest


def choose_likeliest(
    article: Examined, places: int, owner: NDArray[np.intp], candidates: NDArray[np.int32],
    scores: NDArray[np.float64], count: int,
) -> list[list[str]]:  # fmt: skip
    """For each of so many ``places`` the ``count`` candidates of the highest ``scores`` float64[c], best first;
    ``owner`` and ``candidates`` as in :func:`measure_originals`."""
    ranked = [list[str]() for _ in range(places)]
    for at in np.lexsort((-scores, owner)).tolist():
        likeliest = ranked[owner[at]]
        if len(likeliest) < count:
            likeliest.append(article.lexicon.word(int(candidates[at])))
    return ranked
