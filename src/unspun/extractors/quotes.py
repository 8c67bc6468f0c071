"""Kind ``quote``: a statement in quotation marks that a reference quotes in other words.

What somebody said has one wording: two quotations that agree but for swapped content words cannot both be
right. Trimming, brackets and ellipsis leave gaps, never other words, and are not marked.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from unspun.examined import Examined
from unspun.ranges import count_in


def are_quotes(article: Examined, reference: Examined, ranges: NDArray[np.int32]) -> NDArray[np.bool_]:
    """Whether both wordings stand inside quotation marks; bool[pairs], of pairs int32[pairs, 4] as
    :func:`unspun.alignment.tabulate` makes them."""
    a0, a1, r0, r1 = ranges.T
    quoted, other_quoted = article.quotation >= 0, reference.quotation >= 0
    inside: NDArray[np.bool_] = (count_in(quoted, a0, a1) == a1 - a0) & (count_in(other_quoted, r0, r1) == r1 - r0)
    return inside
