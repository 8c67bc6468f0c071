"""Which sentence of a reference stands opposite each sentence of an article: side-by-side views are laid out by it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from unspun.alignment import MIN_FOLLOWING, align
from unspun.article import Span
from unspun.examined import Examined
from unspun.references import Reference, References


@dataclass(frozen=True, slots=True)
class Correspondence:
    """An article beside one reference; each tuple has one entry a sentence of the article.

    ``partners``: the sentence of the reference that most of its words stand in, -1 for none. ``follows``: whether half
    of its words stand there too, or were swapped for words that do. ``same``: whether all of them stand there, in
    order and without others between.
    """

    partners: tuple[int, ...]
    follows: tuple[bool, ...]
    same: tuple[bool, ...]


def compare_sentences(
    article: Examined, reference: Reference, references: References, spans: Iterable[Span]
) -> Correspondence:
    """Compare ``article`` with one of ``references``; ``spans`` are the swaps found in it."""
    alignment = align(article, references.number_words(article.text), reference, references.weights)
    # A word without a match stands where its pair's first word does.
    opposite = alignment.partner.copy()
    for pair in alignment.pairs:
        places = opposite[pair.a0 : pair.a1]
        places[places < 0] = pair.r0
    accounted = alignment.partner >= 0
    starts = np.array([word.start for word in article.text.words])
    for span in spans:
        if span.reference and span.reference.id == reference.article.id and not span.dismissed:
            accounted[np.searchsorted(starts, span.start) : np.searchsorted(starts, span.end)] = True
    partners, follows, same = [], [], []
    for first, last in article.text.sentences:
        found = opposite[first:last]
        matched = alignment.partner[first:last]
        places = reference.examined.sentence_of[found[found >= 0]]
        partners.append(int(np.bincount(places).argmax()) if len(places) else -1)
        follows.append(bool(accounted[first:last].mean() >= MIN_FOLLOWING))
        same.append(bool((matched >= 0).all() and (np.diff(matched) == 1).all()))
    return Correspondence(tuple(partners), tuple(follows), tuple(same))
