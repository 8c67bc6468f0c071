"""Letters and words as they are compared: which characters hide, which look like others, what the form of a word is."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

#: Characters that show nothing: soft hyphen, zero-width space/joiners, directional marks, word joiner, BOM.
INVISIBLE: Final = "\u00ad\u200b\u200c\u200d\u200e\u200f\u2060\u2061\u2062\u2063\u2064\ufeff"
MARKS: Final = "\u0300-\u036f"
APOSTROPHES: Final = "'\u2019\u02bc\uff07"


#: Letters of other alphabets that look like Latin ones (Unicode TR 39 confusables, the single-letter part
#: that turns up in English text).
LOOKALIKES: Final = str.maketrans(
    "аеорсухіјѕԁһԛԝкмтвнАВЕЅНІЈКМОРСТХУΑΒΕΖΗΙΚΜΝΟΡΤΥΧαοριντυχɡ",
    "aeopcyxijsdhqwkmtbhABESHIJKMOPCTXYABEZHIKMNOPTYXaopivtuxg",
)
_STRIP_INVISIBLE: Final = re.compile(f"[{INVISIBLE}]")
_FOLD_APOSTROPHE: Final = str.maketrans(dict.fromkeys(APOSTROPHES, "'"))

#: Words whose full stop does not end a sentence; single letters (initials) are handled apart.
ABBREVIATIONS: Final = frozenset(
    "mr mrs ms dr prof st gen sen rep gov lt col capt cmdr sgt maj hon rev jr sr inc corp co ltd no vs etc al "
    "fig dept univ jan feb mar apr jun jul aug sep sept oct nov dec approx est ave blvd mt ft u.s u.k u.n a.m "
    "p.m e.g i.e".split()
)
#: Longest word, in characters, whose compatible letters are told apart: putting a row of combining marks in order takes
#: the square of its length, and no word is longer.
_LONGEST_FOLDED: Final = 200


def normalise_word(raw: str) -> str:
    """The form of a word that is compared: lower case, straight apostrophe, no hidden or look-alike letters."""
    if raw.isascii():
        return raw.lower()
    word = _STRIP_INVISIBLE.sub("", raw).translate(_FOLD_APOSTROPHE)
    if not word.isascii():
        if len(word) <= _LONGEST_FOLDED:
            word = unicodedata.normalize("NFKC", word)
        if any("a" <= letter <= "z" for letter in word.lower()):
            word = word.translate(LOOKALIKES)
    return word.lower()
