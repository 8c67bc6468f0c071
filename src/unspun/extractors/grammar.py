"""Kind ``grammar``: what a swap leaves behind, because the words around it were not changed along.

"an finish" (an end → finish), "lots of of" (hundreds of → lots of).
"""

from __future__ import annotations

import re
from typing import Final

import numpy as np

from unspun.examined import Examined
from unspun.extractors import Finding

#: Vowel letters that sound as consonants, and the silent h.
_CONSONANT_SOUND: Final = re.compile(
    r"(?:uni(?![dmn])|unanim|unary|us[aeiu]|ut[aeio]|eu|ew|one\b|once\b|one-|ur[aeio]|ubiq|ufo|u\b)"
)
_VOWEL_SOUND: Final = re.compile(r"(?:hour|honest|honou?r|heir|8|11\b|18\b)")
#: Words that take either article: an unstressed h ("an historic"), and the herb of either side of the Atlantic.
_EITHER: Final = re.compile("histor|hotel|hero|habit|hyster|horrif|herb|heredit")
#: Words that may stand twice in good English.
MAY_DOUBLE: Final = frozenset(
    "had that is was very so no ha bye blah long far many much there her you it do in on really".split()
)


def wrong_article(article: str, word: str) -> bool:
    """Whether "a" or "an" stands before a word that wants the other one; False when in doubt."""
    if not word[0].isalnum() or _EITHER.match(word):
        return False
    vowel = bool(_VOWEL_SOUND.match(word)) or (word[0] in "aeiou" and not _CONSONANT_SOUND.match(word))
    return vowel if article == "a" else not vowel


def find_broken_grammar(article: Examined, a_an: float, doubled: float) -> list[Finding]:
    """Wrong a/an and doubled words.

    ``a_an`` and ``doubled``: the scores of such findings, measured in training as the share of them that
    stands at a true swap.
    """
    findings, ids, text, raw = list[Finding](), article.ids, article.text, article.text.raw
    starts, ends = text.starts, text.ends
    a, an = map(article.lexicon.words.index, ("a", "an"))
    may_be = (ids[:-1] == ids[1:]) | (ids[:-1] == a) | (ids[:-1] == an)
    for index in np.flatnonzero(may_be & ~article.breaks[1:-1]).tolist():
        word, after = text.norm(index), text.norm(index + 1)
        if word != after and word not in ("a", "an"):  # two words that the lexicon does not know
            continue
        if word in ("a", "an"):
            shown = raw[starts[index + 1] : ends[index + 1]]
            # Acronyms and single letters are read by their letters' names; "A" may be a grade or a label.
            if len(shown) > 2 and not shown.isupper() and not shown[0].isdigit() and wrong_article(word, after):
                right = "a" if word == "an" else "an"
                right = right.capitalize() if raw[starts[index]].isupper() else right
                findings.append(Finding(index, index + 2, "grammar", a_an, f"{right} {shown}"))
        elif len(word) > 1 and word.isalpha() and word not in MAY_DOUBLE:
            # Names double ("Duran Duran", "New York, New York"): both capitalised is no evidence.
            named = article.capital[index] and article.capital[index + 1]
            if not named:
                once = raw[starts[index] : ends[index]]
                findings.append(Finding(index, index + 2, "grammar", doubled, once))
    return findings
