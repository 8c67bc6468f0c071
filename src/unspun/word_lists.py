"""Closed lists of words: those of all English text, of grammar, and what one house style writes otherwise."""

from __future__ import annotations

from typing import Final

#: Words that no English text of some length goes without.
ENGLISH: Final = frozenset(
    "the of and to in that is was for it with as his he be on by at i this had not are but from or have an "
    "they which you were her all she there would their we him been has when who will more no if out so what "
    "its a".split()
)
ARTICLES: Final = frozenset(("the", "a", "an"))
AUXILIARIES: Final = frozenset(
    "be is are was were been being has have had having do does did will would can could may might must should".split()
)
CONTRACTIONS: Final = {
    "'ve": "have", "'re": "are", "'ll": "will", "'m": "am", "n't": "not", "'d": "would", "'s": "is",
}  # fmt: skip
IRREGULAR: Final = {"won't": "will not", "can't": "can not", "cannot": "can not", "shan't": "shall not"}
NUMBERS: Final = {
    word: str(number)
    for number, word in enumerate(
        "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
        "seventeen eighteen nineteen twenty".split()
    )
}
HOUSE_STYLE: Final = {
    "percent": "per cent", "pct": "per cent", "%": "per cent", "programme": "program", "mr": "", "mrs": "", "ms": "",
    "dr": "", "us": "u s", "uk": "u k", "usa": "u s", "okay": "ok", "toward": "towards", "among": "amongst",
    "while": "whilst", "bn": "billion", "fall": "autumn", "gasoline": "petrol", "truck": "lorry", "trucks": "lorries",
    "elevator": "lift", "apartment": "flat", "apartments": "flats", "vacation": "holiday", "soccer": "football",
    "cellphone": "mobile", "sidewalk": "pavement", "airplane": "aeroplane", "math": "maths", "mom": "mum",
}  # fmt: skip
#: Words that acronyms may leave out.
SMALL: Final = frozenset("of the and for in on to a an at de".split())
