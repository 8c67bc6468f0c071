"""Everything that the extractors find in one article, gathered once for scoring, for training and for spans."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from unspun.alignment import align
from unspun.examined import Examined
from unspun.extractors import Finding
from unspun.extractors.direction import Directions, examine_directions
from unspun.extractors.grammar import find_broken_grammar
from unspun.extractors.phrases import find_phrases
from unspun.extractors.substitutions import Comparison, Substitutions, find_substitutions
from unspun.extractors.tricks import find_tricks
from unspun.extractors.usage import Usage, examine_usage
from unspun.extractors.wording import Wordings, examine_wording
from unspun.lexicon import Lexicon
from unspun.references import Reference, References
from unspun.text import Text


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """What was found in one article: wording without a reference, rules that hit, comparisons with
    references, the substitutions that they show with what tells their direction, how the references word things
    (None without comparisons), references that are exact copies. ``dismissed`` bool[words]: the words that a
    reviewer vouched for, which are no evidence."""

    article: Examined
    wordings: Wordings
    rules: tuple[Finding, ...]
    comparisons: tuple[Comparison, ...]
    substitutions: Substitutions
    directions: Directions
    usage: Usage | None
    copies: tuple[Reference, ...]
    dismissed: NDArray[np.bool_]

    def dismiss(self, ranges: Iterable[tuple[int, int]]) -> Evidence:
        """The same evidence without what lies in these ranges of the text."""
        dismissed = self.dismissed.copy()
        starts = np.array([word.start for word in self.article.text.words])
        ends = np.array([word.end for word in self.article.text.words])
        for start, end in ranges:
            dismissed[np.searchsorted(ends, start, "right") : np.searchsorted(starts, end)] = True
        rules = tuple(finding for finding in self.rules if not dismissed[finding.first : finding.last].any())
        return replace(self, rules=rules, dismissed=dismissed)


def gather_evidence(
    text: Text,
    lexicon: Lexicon,
    rules: Mapping[str, float],
    references: References | None = None,
    source: str | None = None,
) -> Evidence:
    """Run every extractor over a text.

    ``rules``: the scores of the findings that follow a rule, see :class:`unspun.classifier.Model`; ``source``:
    where the text came from, so that it is never compared with itself.
    """
    article = Examined(text, lexicon)
    comparisons, copies = list[Comparison](), list[Reference]()
    if references is not None and len(article):
        candidates, copies = references.query(article.text, source)
        ids = references.number_words(article.text)
        for candidate in candidates:
            alignment = align(article, ids, candidate.reference, references.weights)
            if len(alignment.ranges):
                comparisons.append(Comparison(candidate.reference, alignment))
    found = [
        *find_tricks(article),
        *find_phrases(article, rules["phrase"]),
        *find_broken_grammar(article, rules["a_an"], rules["doubled"]),
    ]
    wordings = examine_wording(article)
    usage = None
    if comparisons:
        usage = examine_usage(article, wordings, [(c.reference, c.alignment) for c in comparisons])
    substitutions = find_substitutions(article, comparisons)
    return Evidence(
        article,
        wordings,
        tuple(found),
        tuple(comparisons),
        substitutions,
        examine_directions(article, wordings, comparisons, substitutions),
        usage,
        tuple(copies),
        np.zeros(len(article), np.bool_),
    )
