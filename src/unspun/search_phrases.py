"""Phrases of a restored text with which to search for its original."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from unspun.examined import Examined
from unspun.letters import INVISIBLE
from unspun.lexicon import FUNCTION_ZIPF, Lexicon
from unspun.text import Text

#: Words of a search phrase: fewer are found anywhere, more are rarely all right.
SHORTEST: Final = 6
LONGEST: Final = 12
#: Search phrases of one article.
MOST_PHRASES: Final = 3

# How often a word of the restored text is the original's, counted over the spun samples scored alone and beside
# other reports. Words that no span marks: names outside the lexicon 1.0 of 78 (a spinner swaps dictionary words
# in), numbers 0.78, function words 0.91-0.93, others 0.7 at Zipf 5-6, 0.5 at 3-5, 0.3 below: what is rare in a spun
# article was often swapped in, and missed. Names made of dictionary words count as those words do.
_NAME_TRUST: Final = 0.98
_NUMBER_TRUST: Final = 0.78
_FUNCTION_TRUST: Final = 0.93
_TRUST_PER_ZIPF: Final = 0.13
#: A word tells by the powers of ten that it is rarer than Zipf 7 ("the"); misprints and numbers, which no list
#: holds, count no more than a rare name.
_COMMONEST: Final = 7.0
_MOST_TELLING: Final = 4.0
#: Least probability that all words of a phrase are right: below it the search is wasted.
_LEAST_TRUST: Final = 0.02

#: What no search phrase runs across: quotation marks, brackets, stops inside a sentence, dashes.
_PAUSE: Final = re.compile(r"[!?\"“”„«»()\[\]{}:;–—…|/]|\s-+\s")
_HIDE: Final = str.maketrans(dict.fromkeys(INVISIBLE))


def find_phrases(text: str, trusts: Sequence[tuple[int, int, float]], lexicon: Lexicon) -> tuple[str, ...]:
    """The runs of words most worth searching for: how much they tell, by how probably every word is right.

    ``trusts``: ranges of the text with the probability that their wording is the original's. At most one run is
    taken between two pauses, so that one missed swap does not spoil all.
    """
    examined = Examined(Text(text), lexicon)
    runs = _number_runs(examined.text)
    telling = np.append(0, np.cumsum(np.clip(_COMMONEST - examined.zipf, 0, _MOST_TELLING)))
    trust = np.append(0, np.cumsum(np.log(_trust_words(examined, trusts))))
    found = list[tuple[float, int, int]]()
    for size in range(SHORTEST, min(LONGEST, len(runs)) + 1):
        firsts = np.flatnonzero(runs[: len(runs) - size + 1] == runs[size - 1 :])
        right = np.exp(trust[firsts + size] - trust[firsts])
        worth = (telling[firsts + size] - telling[firsts]) * right
        kept = right >= _LEAST_TRUST
        found += [(-value, at, size) for value, at in zip(worth[kept].tolist(), firsts[kept].tolist(), strict=True)]
    phrases, taken = dict[str, str](), set[int]()
    for _, first, size in sorted(found):
        if len(phrases) == MOST_PHRASES:
            break
        if runs[first] not in taken:
            taken.add(int(runs[first]))
            start, end = examined.text.slice(first, first + size)
            phrase = " ".join(text[start:end].translate(_HIDE).split())
            phrases.setdefault(phrase.lower(), f'"{phrase}"')
    return tuple(phrases.values())


def _number_runs(text: Text) -> NDArray[np.int64]:
    """int64[n]: a number for each word, the same for words that no pause and no end of a sentence parts."""
    pauses = np.zeros(len(text.words), np.int64)
    pauses[[first for first, _ in text.sentences]] = 1
    for index, (word, after) in enumerate(zip(text.words, text.words[1:], strict=False), 1):
        if after.start - word.end > 1 and _PAUSE.search(text.raw, word.end, after.start):
            pauses[index] = 1
    return np.cumsum(pauses)


def _trust_words(examined: Examined, trusts: Sequence[tuple[int, int, float]]) -> NDArray[np.float64]:
    """float64[n]: the probability that each word of a restored text is the original's."""
    trust = np.where(examined.zipf >= FUNCTION_ZIPF, _FUNCTION_TRUST, _TRUST_PER_ZIPF * examined.zipf)
    trust[examined.numeric] = _NUMBER_TRUST
    trust[examined.named & (examined.ids < 0)] = _NAME_TRUST
    starts = np.array([word.start for word in examined.text.words])
    ends = np.array([word.end for word in examined.text.words])
    for begin, end, probability in trusts:
        trust[np.searchsorted(ends, begin, "right") : np.searchsorted(starts, end)] = probability
    return np.maximum(trust, 0.01)
