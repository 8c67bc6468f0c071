"""Which texts get no score, and why."""

from __future__ import annotations

import re
from typing import Final

import numpy as np

from unspun.compiled.lexicon import count_english
from unspun.text import Text
from unspun.word_lists import ENGLISH

#: Fewer words are not judged: at 40 words one odd phrase would decide.
MIN_WORDS: Final = 40
_BEYOND_LATIN: Final = re.compile("[^\x00-\u024f]")
#: Least share of the words of :data:`unspun.word_lists.ENGLISH`. 99.6 % of the clean articles reach it (the median has
#: 0.37); the rest are lists of prices and freight rates, and some in other languages.
MIN_ENGLISH: Final = 0.15


def find_unscored_reason(text: Text) -> str | None:
    """Why a text gets no score: ``not_english``, ``too_short``, or None when it gets one."""
    raw, split = text.raw, text.split
    # Scripts without spaces have few "words": the letters tell them apart from a short English text.
    if not raw.isascii():
        foreign = sum(map(str.isalpha, _BEYOND_LATIN.findall(raw)))
        if foreign and foreign > 0.5 * sum(map(str.isalpha, raw)):
            return "not_english"
    if len(text) < MIN_WORDS:
        return "too_short"
    # Figures are left out of the count: a table of results is English too.
    if split:
        words, english = int(np.count_nonzero(split.alphabetic)), count_english(split.hash)
    else:
        words, english = sum(map(str.isalpha, text.norms)), sum(map(ENGLISH.__contains__, text.norms))
    return "not_english" if english < MIN_ENGLISH * words else None
