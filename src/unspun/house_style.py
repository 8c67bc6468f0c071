"""What one house style writes and another does not: contractions, numbers, titles, British and American words."""

from __future__ import annotations

from typing import Final

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
