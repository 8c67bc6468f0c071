"""Kind ``name``: a name, title or fixed expression that was taken apart word by word.

No list of names is needed: a capital in mid-sentence on both sides, with another word behind it, is enough.
"""

from __future__ import annotations

from unspun.alignment import Pair
from unspun.examined import Examined


def is_name(article: Examined, reference: Examined, pair: Pair) -> bool:
    """Whether both wordings are part of a name: capitalised where grammar asks for no capital."""
    return bool(article.named[pair.a0 : pair.a1].any()) and bool(reference.named[pair.r0 : pair.r1].any())


def bridges_name(article: Examined, first: int, last: int) -> bool:
    """Whether the words between two swapped parts of a name belong to it ("Heart *for* Lacking")."""
    between = range(first, last)
    return (
        len(between) <= 2
        and not article.breaks[first : last + 1].any()
        and all(article.named[i] or article.zipf[i] > 6.0 for i in between)
    )
