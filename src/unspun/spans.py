"""Scored evidence into the spans that a reader sees: as tight as the swap, joined where one name was taken
apart, never overlapping."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from unspun.alignment import Pair
from unspun.article import Passage, Span
from unspun.evidence import Evidence
from unspun.examined import Examined
from unspun.extractors import Finding
from unspun.extractors.names import are_names, bridges_name
from unspun.extractors.quotes import are_quotes
from unspun.extractors.set_phrases import find_set_phrases
from unspun.extractors.usage import find_passage
from unspun.features import MIN_DERIVED, choose_strongest

#: Findings below this probability are no spans.
MIN_SCORE: Final = 0.5
#: Part of a name beside another part that is above MIN_SCORE: the neighbour makes up for the doubt.
MIN_NAME_PART: Final = 0.1
#: Without a reference the bar is higher: nobody can look the wording up.
MIN_WORDING_SCORE: Final = 0.6
#: Wordings that may have stood there, the suggestion and its alternatives: more are no help to a reader.
SUGGESTIONS: Final = 3

#: Gives for each of the words at some places its likeliest originals, best first.
Ranker = Callable[[NDArray[np.int32]], list[list[str]]]


def build_spans(
    evidence: Evidence, pair_scores: NDArray[np.float64], places: NDArray[np.int32], word_scores: NDArray[np.float64],
    rank: Ranker,
) -> tuple[Span, ...]:  # fmt: skip
    """The spans of a flagged article, in text order.

    ``pair_scores`` float64[pairs] and ``word_scores`` float64[n] are probabilities of a swap, these of the words at
    ``places`` int32[n]; beside references those are the examined words, scored beside their usage; ``rank`` names the
    likeliest originals of words. A word that stands in a reference too was not swapped. What a reference shows goes
    before what the wording alone suggests.
    """
    article = evidence.article
    compared = _find_swaps(evidence, pair_scores)
    alone = _find_odd_words(evidence, places, word_scores, rank)
    taken, chosen = set[int](), list[Finding]()
    tricks = [f for f in evidence.rules if f.kind == "trick"]
    others = [f for f in evidence.rules if f.kind != "trick" and f.score >= MIN_SCORE]
    for finding in [*tricks, *compared, *others, *alone]:
        covered = range(finding.first, finding.last)
        if taken.isdisjoint(covered):
            taken.update(covered)
            chosen.append(finding)
    chosen.sort(key=lambda finding: finding.first)
    return tuple(_to_span(article, finding) for finding in chosen)


def _to_span(article: Examined, finding: Finding) -> Span:
    start, end = article.text.slice(finding.first, finding.last)
    return Span(
        start,
        end,
        article.text.raw[start:end],
        finding.kind,
        round(finding.score, 4),
        finding.suggestion,
        finding.reference,
        finding.alternatives,
    )


def _find_swaps(evidence: Evidence, scores: NDArray[np.float64]) -> list[Finding]:
    """Substitutions that are probably swaps, adjacent ones of one kind and reference joined."""
    article, found = evidence.article, evidence.substitutions
    # Where several references show a swap, the one that shows the most is named: an article mostly has one source.
    total = np.bincount(found.owner, scores, len(evidence.comparisons))
    rank = np.argsort(np.argsort(total, kind="stable"), kind="stable") + 1
    ranking = scores + (scores >= MIN_SCORE) * rank[found.owner]
    strongest = choose_strongest(found.pairs, ranking)
    chosen = [i for i in strongest if scores[i] >= MIN_SCORE]
    kinds = _find_kinds(evidence)
    chosen = _add_name_parts(evidence, kinds, strongest, chosen, scores)
    groups = list[list[int]]()
    for i in chosen:
        if groups and _belongs_together(evidence, kinds, groups[-1][-1], i):
            groups[-1].append(i)
        else:
            groups.append([i])
    return [_make_finding(article, evidence, kinds[group[0]], group, scores) for group in groups]


def _add_name_parts(
    evidence: Evidence, kinds: Sequence[str], ordered: Sequence[int], chosen: Sequence[int], scores: NDArray[np.float64]
) -> list[int]:
    """``chosen`` with the weaker parts of names that were taken apart: "Worldwide" beside "Heart for Lacking".

    ``ordered``: all pairs that may be shown, in text order.
    """
    kept = set(chosen)
    for walk in (ordered, ordered[::-1]):
        for before, after in zip(walk, walk[1:], strict=False):
            left, right = (before, after) if walk is ordered else (after, before)
            if (
                before in kept
                and scores[after] >= MIN_NAME_PART
                and kinds[after] == "name"
                and _belongs_together(evidence, kinds, left, right)
            ):
                kept.add(after)
    return [i for i in ordered if i in kept]


def _find_kinds(evidence: Evidence) -> list[str]:
    """The kind of every substitution, if it is a swap."""
    found, ranges = evidence.substitutions, evidence.directions.ranges
    kinds = np.full(len(ranges), "synonym")
    for owner, comparison in enumerate(evidence.comparisons):
        [mine] = np.nonzero(found.owner == owner)
        sides = evidence.article, comparison.reference.examined, ranges[mine]
        kinds[mine[are_quotes(*sides)]] = "quote"
        kinds[mine[are_names(*sides)]] = "name"
    listed: list[str] = kinds.tolist()
    return listed


def _belongs_together(evidence: Evidence, kinds: Sequence[str], left: int, right: int) -> bool:
    """Whether two swaps are one to the reader: side by side, or two parts of one name."""
    found, article = evidence.substitutions, evidence.article
    a, b = found.pairs[left], found.pairs[right]
    if found.owner[left] != found.owner[right]:
        return False
    kind = kinds[left]
    gap, other_gap = b.a0 - a.a1, b.r0 - a.r1
    if kind != kinds[right] or gap != other_gap:
        return False
    if gap == 0:
        return not article.breaks[b.a0]
    return kind == "name" and bridges_name(article, a.a1, b.a0)


def _make_finding(
    article: Examined, evidence: Evidence, kind: str, group: Sequence[int], scores: NDArray[np.float64]
) -> Finding:
    found = evidence.substitutions
    reference = evidence.comparisons[found.owner[group[0]]].reference
    first, last = found.pairs[group[0]], found.pairs[group[-1]]
    pair = Pair(first.a0, last.a1, first.r0, last.r1)
    start, end = reference.examined.text.slice(pair.r0, pair.r1)
    wording = reference.article.text[start:end]
    return Finding(
        pair.a0,
        pair.a1,
        kind,
        float(max(scores[i] for i in group)),
        wording,
        Passage(reference.article.id, start, end, wording),
    )


def _find_odd_words(
    evidence: Evidence, places: NDArray[np.int32], scores: NDArray[np.float64], rank: Ranker
) -> list[Finding]:
    """Words that another would fit better, or that the references would not use, the surest first."""
    article, usage = evidence.article, evidence.usage
    # What stands in the same place of a reference was not swapped; what stands opposite other words of a
    # reference that the article was made from has been judged as a pair.
    settled = np.zeros(len(article), np.bool_)
    for comparison in evidence.comparisons:
        settled |= comparison.alignment.partner >= 0
    for pair, owner in zip(evidence.substitutions.pairs, evidence.substitutions.owner.tolist(), strict=True):
        if evidence.comparisons[owner].alignment.coverage >= MIN_DERIVED:
            settled[pair.a0 : pair.a1] = True
    order = np.argsort(-scores, kind="stable")
    order = order[(scores[order] >= MIN_WORDING_SCORE) & ~settled[places[order]]]
    if not len(order):
        return []
    phrases = find_set_phrases(article)
    findings = list[Finding]()
    for i, likeliest in zip(order.tolist(), _rank_in_parts(rank, places[order]), strict=True):
        place = int(places[i])
        first, last, passage = place, place + 1, None
        if usage is not None and usage.sequences[i] > 0:
            best = int(usage.best[i])
            passage = find_passage(article, place, best, [c.reference for c in evidence.comparisons])
            originals = [article.lexicon.word(best)]
        elif place in phrases:
            first, last, original = phrases[place]
            originals = [original]
        else:
            originals = likeliest
        start, end = article.text.slice(first, last)
        shown = [_match_case(article.text.raw[start:end], original) for original in originals]
        kind = "name" if article.named[place] else "synonym"
        suggestion = shown[0] if shown else None
        findings.append(Finding(first, last, kind, float(scores[i]), suggestion, passage, tuple(shown[1:])))
    return _join_phrases(evidence, findings)


#: Words whose likely originals are ranked at once: a common word has a hundred synonyms, with a vector each.
_RANKED: Final = 1000


def _rank_in_parts(rank: Ranker, places: NDArray[np.int32]) -> Iterator[list[str]]:
    for at in range(0, len(places), _RANKED):
        yield from rank(places[at : at + _RANKED])


#: Words in a row from which marked words are one phrase, where small ones are among them.
_PHRASE: Final = 3


def _join_phrases(evidence: Evidence, findings: Sequence[Finding]) -> list[Finding]:
    """The findings, single words joined that stand in a row, where only the contextual model judges one of every two
    neighbours, as it does small words: swapped in together, they are a phrase ("in opposition to") that nobody can say
    the original of."""
    article, examined = evidence.article, np.zeros(len(evidence.article), np.bool_)
    examined[evidence.wordings.places] = True
    runs = list[list[Finding]]()
    for part in sorted(findings, key=lambda finding: finding.first):
        before = runs[-1][-1] if runs else None
        if (
            before
            and before.last - before.first == part.last - part.first == 1
            and before.last == part.first
            and not article.breaks[part.first]
            and not (examined[before.first] and examined[part.first])
        ):
            runs[-1].append(part)
        else:
            runs.append([part])
    joined = list[Finding]()
    for run in runs:
        if len(run) < _PHRASE:
            joined += run
        else:
            joined.append(Finding(run[0].first, run[-1].last, run[0].kind, max(part.score for part in run)))
    return sorted(joined, key=lambda finding: -finding.score)


def _match_case(shown: str, word: str) -> str:
    """``word`` with the capitals of ``shown``."""
    if len(shown) > 1 and shown.isupper():
        return word.upper()
    return word.capitalize() if shown[0].isupper() else word
