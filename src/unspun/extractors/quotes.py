"""Kind ``quote``: a statement in quotation marks that a reference quotes in other words.

What somebody said has one wording: two quotations that agree but for swapped content words cannot both be
right. Trimming, brackets and ellipsis leave gaps, never other words, and are not marked.
"""

from __future__ import annotations

from unspun.alignment import Pair
from unspun.examined import Examined


def is_quote(article: Examined, reference: Examined, pair: Pair) -> bool:
    """Whether both wordings stand inside quotation marks."""
    return bool(
        (article.quotation[pair.a0 : pair.a1] >= 0).all() and (reference.quotation[pair.r0 : pair.r1] >= 0).all()
    )
