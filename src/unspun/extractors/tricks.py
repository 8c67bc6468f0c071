"""Kind ``trick``: letters of other alphabets inside English words, and characters that show nothing.

Both hide a copied text from comparison while the reader sees no difference (Unicode TR 39, "confusables").
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Final

import numpy as np

from unspun.examined import Examined
from unspun.extractors import Finding
from unspun.letters import LOOKALIKES

#: Zero-width characters that no English word needs. The soft hyphen is left out: typesetting puts it there.
_HIDDEN: Final = re.compile("[\u200b\u200c\u200d\u2060\u2061\u2062\u2063\u2064\ufeff]")
_LATIN: Final = re.compile("[A-Za-z]")


@lru_cache(maxsize=4096)
def _is_lookalike(letter: str) -> bool:
    return ord(letter) in LOOKALIKES and not unicodedata.name(letter, "").startswith("LATIN")


def find_tricks(article: Examined) -> list[Finding]:
    """Words that mix Latin letters with look-alikes, or hold hidden characters; the suggestion is the plain word."""
    raw = article.text.raw
    if raw.isascii():
        return []
    # What compiled code could split has nothing hidden, and look-alikes in odd words only.
    split, findings = article.text.split, []
    for index in range(len(article)) if split is None else np.flatnonzero(split.odd).tolist():
        shown = raw[slice(*article.text.slice(index, index + 1))]
        if shown.isascii():
            continue
        mixed = _LATIN.search(shown) and any(_is_lookalike(letter) for letter in shown)
        if mixed or _HIDDEN.search(shown):
            plain = _HIDDEN.sub("", shown).translate(LOOKALIKES)
            findings.append(Finding(index, index + 1, "trick", 0.99, plain))
    return findings
