"""Kind ``name``: a name, title or fixed expression that was taken apart word by word.

No list of names is needed: a capital in mid-sentence on both sides, with another word behind it, is enough.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from unspun.examined import Examined
from unspun.ranges import count_in


def are_names(article: Examined, reference: Examined, ranges: NDArray[np.int32]) -> NDArray[np.bool_]:
    """Whether both wordings are part of a name, capitalised where grammar asks for no capital; bool[pairs], of pairs
    int32[pairs, 4] as :func:`unspun.alignment.tabulate` makes them."""
    a0, a1, r0, r1 = ranges.T
    named: NDArray[np.bool_] = (count_in(article.named, a0, a1) > 0) & (count_in(reference.named, r0, r1) > 0)
    return named


def bridges_name(article: Examined, first: int, last: int) -> bool:
    """Whether the words between two swapped parts of a name belong to it ("Heart *for* Lacking")."""
    between = range(first, last)
    return (
        len(between) <= 2
        and not article.breaks[first : last + 1].any()
        and all(article.named[i] or article.zipf[i] > 6.0 for i in between)
    )
