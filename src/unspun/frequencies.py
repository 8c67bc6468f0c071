"""How often words occur, as wordfreq counted them (Speer 2022): 320,000 words."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from itertools import repeat

import numpy as np
from numpy.typing import NDArray

from unspun.compiled.library import load_library
from unspun.compiled.word_table import WordTable


def find_frequencies(words: Sequence[str]) -> NDArray[np.float32]:
    """float32[n]: log10 of the occurrences of normalised words in a thousand million, 0 for words never seen."""
    if load_library() is not None:
        return load_frequencies().find(words)
    found = np.fromiter(map(_read_dictionary().get, words, repeat(1e-9)), np.float64, len(words))
    return (np.log10(found) + 9).astype(np.float32)


@cache
def load_frequencies() -> WordTable:
    """All words that wordfreq knows, read once a process, where there is compiled code."""
    # Imported on first use: it takes as long as half of the lexicon.
    from wordfreq import cB_to_freq, get_frequency_list

    # Words of one frequency stand together, by hundredths of log10.
    levels = get_frequency_list("en", "best")
    zipf = (np.log10([cB_to_freq(-level) for level in range(len(levels))]) + 9).astype(np.float32)
    words = [word for level in levels for word in level]
    table = WordTable(words, np.repeat(zipf, [len(level) for level in levels]))
    # wordfreq would keep its tens of megabytes.
    get_frequency_list.cache_clear()
    return table


@cache
def _read_dictionary() -> dict[str, float]:
    from wordfreq import get_frequency_dict

    frequencies: dict[str, float] = get_frequency_dict("en", "best")
    return frequencies
