"""Character tricks for training: letters exchanged for look-alikes, hidden characters put into words."""

from __future__ import annotations

import random
from typing import Final

from unspun.letters import LOOKALIKES
from unspun.text import Text
from unspun.training.spinner import Swap

#: Latin letter -> letters of other alphabets that look like it.
DISGUISES: Final = {
    chr(latin): [chr(other) for other, same in LOOKALIKES.items() if same == latin] for latin in LOOKALIKES.values()
}
_HIDDEN: Final = "\u200b\u200c\u2060"
#: What honest pages carry along: typesetters' soft hyphens, a stray zero-width space from a paste.
_RESIDUE: Final = "\u00ad\u00ad\u00ad\u200b\ufeff"


def tamper(text: str, rate: float, rng: random.Random) -> tuple[str, tuple[Swap, ...]]:
    """``text`` with the share ``rate`` of its words disguised, and the disguises as swaps of kind ``trick``."""
    pieces, swaps, at, grown = list[str](), list[Swap](), 0, 0
    disguise = rng.random() < 0.6
    for word in Text(text).words:
        if rng.random() >= rate or word.end - word.start < 2:
            continue
        old = text[word.start : word.end]
        letter = rng.randrange(1, len(old))
        if disguise and old[letter] in DISGUISES:
            new = old[:letter] + rng.choice(DISGUISES[old[letter]]) + old[letter + 1 :]
        else:
            new = old[:letter] + rng.choice(_HIDDEN) + old[letter:]
        start = word.start + grown
        swaps.append(Swap(start, start + len(new), word.start, word.end, old, new, "trick"))
        pieces += [text[at : word.start], new]
        grown += len(new) - len(old)
        at = word.end
    return "".join([*pieces, text[at:]]), tuple(swaps)


def leave_residue(text: str, rng: random.Random) -> str:
    """``text`` with one to four invisible characters in places where honest pages have them."""
    for _ in range(rng.randint(1, 4)):
        at = rng.randrange(len(text) + 1)
        text = text[:at] + rng.choice(_RESIDUE) + text[at:]
    return text
