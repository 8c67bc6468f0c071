"""Which lemmas a word may be a form of, by WordNet's lists and Morphy's rules."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from unspun.lexicon import (
    ADJECTIVE_ER,
    ADJECTIVE_EST,
    BASE,
    PLURAL,
    POSSESSIVE,
    VERB_D,
    VERB_G,
    VERB_N,
    VERB_Z,
)
from unspun.training.lexicon.packages import WordNet

#: Morphy's rules of detachment (morphy(7WN)): class, part of speech, ending, what takes its place.
_DETACH: Final = (
    (PLURAL, "n", "s", ""),
    (PLURAL, "n", "ses", "s"),
    (PLURAL, "n", "xes", "x"),
    (PLURAL, "n", "zes", "z"),
    (PLURAL, "n", "ches", "ch"),
    (PLURAL, "n", "shes", "sh"),
    (PLURAL, "n", "men", "man"),
    (PLURAL, "n", "ies", "y"),
    (VERB_Z, "v", "s", ""),
    (VERB_Z, "v", "ies", "y"),
    (VERB_Z, "v", "es", "e"),
    (VERB_Z, "v", "es", ""),
    (VERB_D, "v", "ed", "e"),
    (VERB_D, "v", "ed", ""),
    (VERB_G, "v", "ing", "e"),
    (VERB_G, "v", "ing", ""),
    (ADJECTIVE_ER, "a", "er", ""),
    (ADJECTIVE_ER, "a", "er", "e"),
    (ADJECTIVE_EST, "a", "est", ""),
    (ADJECTIVE_EST, "a", "est", "e"),
)
#: A stem that doubles its last letter when it takes an ending ("hop", "hopping"): so "hoping" is of "hope".
_DOUBLES: Final = re.compile(r"(?:.*[^aeiou])?[^aeiou][aeiou][^aeiouwxy]")
#: The share of a lemma's uses that falls on an inflected form, roughly (Brown corpus: VBD/VBN/VBG/VBZ and
#: plurals lie between a tenth and a third).
_FORM_SHARE: Final = 0.25


@dataclass(frozen=True, slots=True)
class Reading:
    """A word as one form of a lemma: ``uses`` estimates how often it is meant that way."""

    lemma: str
    pos: str
    form: int
    uses: float


def read_forms(word: str, wordnet: WordNet, zipf: Mapping[str, float]) -> list[Reading]:
    """Every reading of a word, the most frequent first."""
    found: dict[tuple[str, str, int], float] = {}
    for pos in "nvar":
        if (word, pos) in wordnet.tags:
            found[word, pos, BASE] = wordnet.tags[word, pos] + 0.5
        for lemma in wordnet.irregular.get((pos, word), ()):
            if lemma != word and (lemma, pos) in wordnet.tags:
                form = _irregular_form(word, pos)
                found[lemma, pos, form] = _FORM_SHARE * wordnet.tags[lemma, pos] + 0.75
    regular: dict[tuple[int, str], list[str]] = defaultdict(list)
    for form, pos, ending, instead in _DETACH:
        stem = word[: len(word) - len(ending)]
        lemma = stem + instead
        if word.endswith(ending) and len(stem) > 1 and (lemma, pos) in wordnet.tags and lemma in zipf:
            if ending == "s" and word.endswith("ss"):
                continue
            regular[form, pos].append(lemma)
    for (form, pos), lemmas in regular.items():
        if any(key[1:] == (pos, form) for key in found):
            continue
        bare = [lemma for lemma in lemmas if not lemma.endswith("e")]
        if len(lemmas) > 1 and bare:
            lemmas = [le for le in lemmas if le.endswith("e")] if _DOUBLES.fullmatch(bare[0]) else bare
        lemma = max(lemmas, key=lambda le: (wordnet.tags[le, pos], le))
        found[lemma, pos, form] = _FORM_SHARE * wordnet.tags[lemma, pos] + 0.75
    readings = [Reading(*key, uses) for key, uses in found.items()]
    if word.endswith("'s") and not readings:
        readings = [Reading(word[:-2], "n", POSSESSIVE, 1.0)]
    return sorted(readings, key=lambda r: (-r.uses, r.form, r.pos, r.lemma))


def _irregular_form(word: str, pos: str) -> int:
    if pos == "n":
        return PLURAL
    if pos in "ar":
        return ADJECTIVE_EST if word.endswith("st") else ADJECTIVE_ER
    if word.endswith("ing"):
        return VERB_G
    if word.endswith("s"):
        return VERB_Z
    # The lists do not tell "took" from "taken"; participles of their own end in -n, -ne or have a bare u.
    return VERB_N if re.search(r"ne?$|u[nm][gk]?$", word) else VERB_D
