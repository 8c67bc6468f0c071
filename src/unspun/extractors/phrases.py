"""Kind ``phrase``: known tortured phrases ("malignant growth" for "cancer") and set phrases of spinners.

The list is the Problematic Paper Screener's (Cabanac, Labbé, Magazinov 2021), less the entries that are
ordinary English; see data/README.md.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from unspun.examined import Examined
from unspun.extractors import Finding
from unspun.lexicon import Lexicon


@cache
def _lengths_by_first_word(lexicon: Lexicon) -> dict[str, list[int]]:
    lengths = dict[str, set[int]]()
    for phrase in lexicon.phrases:
        lengths.setdefault(phrase[0], set()).add(len(phrase))
    return {first: sorted(found, reverse=True) for first, found in lengths.items()}


@cache
def _list_first_words(lexicon: Lexicon) -> NDArray[np.bool_]:
    """bool[2, words + 1]: which words of the lexicon are the first of a phrase, and which the second; and last that
    other words may be."""
    begins = np.zeros((2, lexicon.size + 1), np.bool_)
    for place, marked in enumerate(begins):
        marked[lexicon.ids([phrase[place] for phrase in lexicon.phrases])] = True
    begins[:, -1] = True
    return begins


def find_phrases(article: Examined, score: float) -> list[Finding]:
    """Every known phrase, longest first; ``score`` is the list's precision as measured in training."""
    table = article.lexicon.phrases
    lengths = _lengths_by_first_word(article.lexicon)
    norms, findings, end = article.text.norms, list[Finding](), 0
    first, second = _list_first_words(article.lexicon)
    # A word that is not in the vocabulary has the last place. The shortest phrases have two words.
    for index in np.flatnonzero(first[article.ids[:-1]] & second[article.ids[1:]]).tolist():
        for length in lengths.get(norms[index], ()) if index >= end else ():
            expected = table.get(tuple(norms[index : index + length]))
            if expected is not None and not article.breaks[index + 1 : index + length].any():
                end = index + length
                findings.append(Finding(index, end, "phrase", score, expected))
                break
    return findings
