"""The relation of an article to each reference that it was compared with; a first version, by rule."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from unspun.alignment import Alignment, follows
from unspun.article import RELATIONS, Relation
from unspun.evidence import Evidence
from unspun.extractors.substitutions import Comparison

#: Share of an article that must follow a reference before it counts as made from it. A quotation that two
#: independent reports share is a quarter of an article at most (sample articles and seeds: 0.05-0.25).
MIN_DERIVED: Final = 0.4
#: Least number of swaps, and of swaps a word that follows, for an article to be spun from a reference.
MIN_SWAPS: Final = 3.0
MIN_SWAP_RATE: Final = 0.03
#: A copy follows nearly everywhere, holds nearly all of the reference, and changes hardly a word: what is
#: shortened, corrected or put into house style is edited.
MIN_COPIED: Final = 0.95
MAX_COPY_CHANGES: Final = 0.005


def relate(evidence: Evidence, pair_scores: NDArray[np.float64], flagged: bool) -> tuple[Relation, ...]:
    """The relation to every reference compared, the closest first, exact copies before all.

    ``pair_scores`` float64[pairs]: the probability that each pair is a swap; ``flagged``: whether the article
    was called spun or suspect. ``coverage`` counts words that stand in the reference too, and probable swaps.
    """
    relations = []
    for k, comparison in enumerate(evidence.comparisons):
        alignment = comparison.alignment
        mine = np.flatnonzero(evidence.substitutions.owner == k)
        likely = [evidence.substitutions.pairs[i] for i in mine if pair_scores[i] >= 0.5]
        following = follows(alignment.partner, likely)
        words, coverage = int(following.sum()), float(following.mean())
        swaps = float(pair_scores[mine].sum())
        if flagged and coverage >= MIN_DERIVED and swaps >= max(MIN_SWAPS, MIN_SWAP_RATE * words):
            relation = "spun"
        elif coverage >= MIN_COPIED and _is_whole(comparison) and _count_changes(alignment) <= MAX_COPY_CHANGES * words:
            relation = "copy"
        elif coverage >= MIN_DERIVED:
            relation = "edited"
        else:
            relation = "independent"
        relations.append((swaps, Relation(comparison.reference.article.id, relation, round(coverage, 4))))
    relations.sort(key=lambda item: (RELATIONS.index(item[1].relation), -item[1].coverage, -item[0]))
    copies = [Relation(copy.article.id, "copy", 1.0) for copy in evidence.copies]
    return (*copies, *(relation for _, relation in relations))


def _is_whole(comparison: Comparison) -> bool:
    """Whether nearly all of the reference stands in the article."""
    matched = int((comparison.alignment.partner >= 0).sum())
    return matched >= MIN_COPIED * len(comparison.reference.examined)


def _count_changes(alignment: Alignment) -> int:
    """Words changed, added or left out where the two texts correspond."""
    return alignment.inserted + alignment.deleted + sum(pair.a1 - pair.a0 for pair in alignment.pairs)
