"""Kind ``phrase``: known tortured phrases ("malignant growth" for "cancer") and set phrases of spinners.

The list is the Problematic Paper Screener's (Cabanac, Labbé, Magazinov 2021), less the entries that are
ordinary English; see data/README.md.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from unspun.compiled.lexicon import load_tables
from unspun.compiled.library import address, load_library
from unspun.examined import Examined
from unspun.extractors import Finding
from unspun.lexicon import Lexicon


@cache
def _list_by_start(lexicon: Lexicon) -> dict[tuple[int, int], list[tuple[str, ...]]]:
    """The phrases that begin with two words, by the ids of these (-1 for words outside the lexicon), longest first."""
    found = dict[tuple[int, int], list[tuple[str, ...]]]()
    phrases = sorted(lexicon.phrases, key=len, reverse=True)
    starts = zip(*(lexicon.ids([phrase[place] for phrase in phrases]).tolist() for place in (0, 1)), strict=True)
    for phrase, start in zip(phrases, starts, strict=True):
        found.setdefault(start, []).append(phrase)
    return found


@cache
def _list_first_words(lexicon: Lexicon) -> NDArray[np.bool_]:
    """bool[2, words + 1]: which words of the lexicon are the first of a phrase, and which the second; and last whether
    other words are."""
    begins = np.zeros((2, lexicon.size + 1), np.bool_)
    for first, second in _list_by_start(lexicon):
        begins[0, first] = begins[1, second] = True
    return begins


def _may_hold_phrase(article: Examined) -> bool:
    """False where compiled code says that there is none, as in most articles."""
    library, tables, hashes = load_library(), load_tables(article.lexicon, compared=False), article.text.hashes
    if library is None or tables is None or hashes is None:
        return True
    return bool(library.unspun_holds_phrase(tables, address(hashes), address(article.breaks), len(article)))


def find_phrases(article: Examined, score: float) -> list[Finding]:
    """Every known phrase, longest first; ``score`` is the list's precision as measured in training."""
    if not _may_hold_phrase(article):
        return []
    expected, by_start = article.lexicon.phrases, _list_by_start(article.lexicon)
    text, ids, findings, end = article.text, article.ids, list[Finding](), 0
    first, second = _list_first_words(article.lexicon)
    # Few pairs of words pass; a word that is not in the lexicon has the last place.
    for index in np.flatnonzero(first[ids[:-1]] & second[ids[1:]]).tolist():
        phrases = by_start.get((int(ids[index]), int(ids[index + 1]))) if index >= end else None
        if not phrases:
            continue
        words = tuple(map(text.norm, range(index, min(index + len(phrases[0]), len(text)))))
        for phrase in phrases:
            last = index + len(phrase)
            if words[: len(phrase)] == phrase and not article.breaks[index + 1 : last].any():
                end = last
                findings.append(Finding(index, end, "phrase", score, expected[phrase]))
                break
    return findings
