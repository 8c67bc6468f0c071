"""Evidence: what each extractor finds in an article, in one shape.

Every extractor is a function from an examined article (and, for those that compare, its alignments with the
references) to a list of :class:`Finding`. A finding's ``score`` is the probability that its words were
swapped in, given that the article is spun.
"""

from __future__ import annotations

from dataclasses import dataclass

from unspun.article import Passage


@dataclass(frozen=True, slots=True)
class Finding:
    """Words ``[first, last)`` of the article that were probably swapped in.

    ``kind`` as in :data:`unspun.article.KINDS`; ``suggestion`` the wording that probably stood there,
    ``alternatives`` the next likeliest; ``reference`` where a reference shows it.
    """

    first: int
    last: int
    kind: str
    score: float
    suggestion: str | None = None
    reference: Passage | None = None
    alternatives: tuple[str, ...] = ()
