"""The relation of an article to each reference that it was compared with, by rule."""

from __future__ import annotations

from collections.abc import Iterable, Set
from typing import Final

import numpy as np
from numpy.typing import NDArray

from unspun.alignment import follows
from unspun.article import RELATIONS, Relation
from unspun.evidence import Evidence
from unspun.text import Text

#: Share of an article that must follow a reference before it counts as made from it: outside quotations, which
#: independent reports share (of 564 pairs of ECB+ and FNC-1 reports of one event with hardly a run of eight words
#: in common, none has more than 0.23), or in all, for articles that are little else than quotations.
MIN_UNQUOTED: Final = 0.25
MIN_QUOTED: Final = 0.6
#: Fewest swaps to be expected for an article to be spun from a reference: one other word can be a correction.
MIN_SWAPS: Final = 2
#: Least share of swaps to be expected among the places that have other words, in a spun article. 19 of 20 articles of
#: spinners that were not trained on have 0.8 and more, from 5 to 50 % of their words swapped; edited ones have next to
#: none.
MIN_SWAPPED: Final = 0.4
#: What the log-odds of a swap gain beside a reference that the article was spun from. Found on spinners that were not
#: trained on: there 9 in 10 of the pairs that are scored 0.1 to 0.3 are swaps, 8 in 10 if the source was edited since.
SPUN_SHIFT: Final = 3.0
#: Most words that may stand around a copy: headline, byline, date, copyright line, a link or two come to 40.
MAX_FURNITURE: Final = 60


def relate(evidence: Evidence, pair_scores: NDArray[np.float64], flagged: bool) -> tuple[Relation, ...]:
    """The relation to every reference compared, the closest first, exact copies before all.

    ``pair_scores`` float64[pairs]: the probability that each pair is a swap; ``flagged``: whether the article
    was called spun or suspect. ``coverage`` counts words that stand in the reference too, and probable swaps.
    """
    relations, known = list[tuple[float, Relation]](), frozenset[object](evidence.article.text.keys)
    for k, comparison in enumerate(evidence.comparisons):
        mine = np.flatnonzero(evidence.substitutions.owner == k)
        swaps = [evidence.substitutions.pairs[i] for i in mine[pair_scores[mine] >= 0.5].tolist()]
        alignment = comparison.alignment
        following = follows(alignment.partner, swaps) if swaps else alignment.covered
        coverage = int(np.count_nonzero(following)) / len(following)
        strength = float(pair_scores[mine].sum())
        unquoted = np.count_nonzero(following & (evidence.article.quotation < 0)) / len(following)
        if _is_copied(evidence.article.text, known, comparison.reference.examined.text):
            relation = "copy"
        elif unquoted < MIN_UNQUOTED and coverage < MIN_QUOTED:
            relation = "independent"
        elif flagged and strength >= max(MIN_SWAPS, MIN_SWAPPED * len(mine)):
            relation = "spun"
        else:
            relation = "edited"
        relations.append((strength, Relation(comparison.reference.article.id, relation, round(coverage, 4))))
    relations.sort(key=lambda item: (RELATIONS.index(item[1].relation), -item[1].coverage, -item[0]))
    copies = [Relation(copy.article.id, "copy", 1.0) for copy in evidence.copies]
    return (*copies, *(relation for _, relation in relations))


def reconsider_swaps(
    evidence: Evidence, pair_scores: NDArray[np.float64], relations: Iterable[Relation]
) -> NDArray[np.float64]:
    """``pair_scores`` float64[pairs] once it is known from which references the article was spun."""
    spun = {relation.id for relation in relations if relation.relation == "spun"}
    from_spun = np.array([c.reference.article.id in spun for c in evidence.comparisons], np.bool_)
    if not from_spun.any():
        return pair_scores
    scores = np.clip(pair_scores, 1e-6, 1 - 1e-6)
    log_odds = np.log(scores / (1 - scores)) + SPUN_SHIFT * from_spun[evidence.substitutions.owner]
    reconsidered: NDArray[np.float64] = 1 / (1 + np.exp(-log_odds))
    return reconsidered


def _is_copied(article: Text, known: Set[object], reference: Text) -> bool:
    """Whether all of the reference stands in the article word for word, with nothing but furniture around it or
    on lines of its own in between. ``known``: the words of the article."""
    added = len(article) - len(reference)
    if not 0 <= added <= min(MAX_FURNITURE, len(reference)):
        return False
    own, words = article.keys, reference.keys
    if not all(map(known.__contains__, words)):
        return False
    if any(own[first] == words[0] and own[first : first + len(words)] == words for first in range(added + 1)):
        return True
    at = 0
    for line in article.raw.splitlines():
        keys = Text(line).keys
        if words[at : at + len(keys)] == keys:
            at += len(keys)
    return at == len(words)
