"""What probably stood where a word was swapped in: its synonyms, ranked by how well each would have fitted there."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from unspun.examined import Examined
from unspun.extractors.wording import log_out_degree, measure_fit, sum_around
from unspun.lexicon import MOBY, MOBY_BOTH, WORDNET

#: What is known of a candidate: how well it fits the words before and after, how common it is and how many synonyms
#: it could have been swapped for (logarithms); likeness to the word that stands there and to the words around; whether
#: it has the same ending; its place in the list of synonyms; who lists it.
FEATURES: Final = (
    "fit_left", "fit_right", "log_unigram", "log_out_degree", "similarity", "context", "inflection", "log_rank",
    "wordnet", "moby", "moby_both",
)  # fmt: skip


def measure_originals(article: Examined, place: int) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
    """The synonyms of the word at ``place``, int32[c] lexicon numbers, and float64[c, len(FEATURES)]."""
    lexicon = article.lexicon
    own = article.ids[place]
    candidates = lexicon.synonyms(int(own))
    count = len(candidates)
    listed = slice(lexicon.synonym_starts[own], lexicon.synonym_starts[own + 1]) if count else slice(0)
    bits = lexicon.synonym_sources[listed]
    here, itself = np.array([place]), np.full(count, own, np.int32)
    left, right = measure_fit(article, here, np.zeros(count, np.intp), candidates)
    around = sum_around(article, here)[0]
    context = lexicon.vectors(candidates) @ (around / max(float(np.linalg.norm(around)), 1e-6))
    return candidates, np.column_stack([
        left, right, lexicon.log_unigram(candidates), log_out_degree(lexicon)[candidates],
        lexicon.similarity(itself, candidates), context,
        lexicon.inflections(candidates) == lexicon.inflections(itself),
        np.log(np.arange(count) + 1.0),
        (bits & WORDNET) > 0, (bits & MOBY) > 0, (bits & MOBY_BOTH) > 0,
    ]).astype(np.float64)  # fmt: skip


def rank_originals(article: Examined, place: int, weights: NDArray[np.float64], count: int) -> list[str]:
    """The ``count`` likeliest originals of a word, best first; ``weights`` float64[len(FEATURES)] as trained."""
    candidates, features = measure_originals(article, place)
    best = np.argsort(-(features @ weights), kind="stable")[:count]
    return [article.lexicon.word(int(id)) for id in candidates[best]]
