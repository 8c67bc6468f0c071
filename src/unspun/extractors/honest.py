"""Differences between an article and a reference that need no spinner: house style, misspellings, acronyms, names in
another spelling or left out, an editor's own words in brackets."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray
from rapidfuzz import fuzz
from rapidfuzz.distance import OSA

from unspun.alignment import Pair, tabulate
from unspun.examined import Examined
from unspun.word_lists import CONTRACTIONS, HOUSE_STYLE, IRREGULAR, NUMBERS, SMALL


def spell_out(norms: Sequence[str]) -> str:
    """Words in the form in which mere house style makes no difference: contractions and numbers spelt out."""
    return " ".join(filter(None, map(_spell_word_out, norms)))


@lru_cache(1 << 14)
def _spell_word_out(norm: str) -> str:
    """One word so: it may become several, or nothing."""
    norm = IRREGULAR.get(norm, HOUSE_STYLE.get(norm, NUMBERS.get(norm, norm)))
    for ending, full in CONTRACTIONS.items():
        if norm.endswith(ending) and len(norm) > len(ending):
            norm = f"{norm[: -len(ending)]} {full}"
            break
    return " ".join(norm.replace(",", "").split())


def find_house_style(article: Examined, reference: Examined, pairs: Sequence[Pair]) -> NDArray[np.bool_]:
    """bool[pairs]: whether two wordings are one: spelling variant, misspelling, contraction, number style, title
    dropped, joined word, a name spelt otherwise or left out, an acronym."""
    here, last, there, end = tabulate(pairs).T
    single = (last - here == 1) & (end - there == 1)
    a, b, lexicon = article.ids[here], reference.ids[there], article.lexicon
    own, other, certain = article.text, reference.text, single & lexicon.spelling_variants(a, b)
    # "E. P." or "X" for a name: courts and clinics leave names out so, spinners never do.
    for i in np.flatnonzero(article.capital[here] & reference.named[there]).tolist():
        words = range(here[i], last[i])
        certain[i] |= all(len(own.norm(word)) == 1 and article.capital[word] for word in words)
    # No spinner puts in a misspelt word; a hurried writer does, and an editor mends it. Forms of one word and synonyms
    # are what a spinner may put for each other.
    misspelt = single & (np.abs(article.zipf[here] - reference.zipf[there]) >= MISSPELT)
    misspelt &= ~lexicon.is_inflection_of(a, b) & (lexicon.synonym_bits(a, b) == 0)
    named = single & article.named[here] & reference.named[there]
    told = zip(pairs, certain.tolist(), misspelt.tolist(), named.tolist(), strict=True)
    return np.array([
        sure or _is_one_wording(own.norms_in(p.a0, p.a1), other.norms_in(p.r0, p.r1), misspelling, name)
        for p, sure, misspelling, name in told
    ], np.bool_)  # fmt: skip


def _is_one_wording(own: Sequence[str], other: Sequence[str], misspelt: bool, named: bool) -> bool:
    if misspelt and _is_slip(own[0], other[0]):
        return True
    if named and fuzz.ratio(own[0], other[0]) >= RESPELT:
        return True
    if len(own) + len(other) > 2 and (_are_initials(own, other) or _are_initials(other, own)):
        return True
    if len(own) == len(other) == 1:
        return _press_together(own[0]) == _press_together(other[0])
    one, two = spell_out(own), spell_out(other)
    return one == two or one.replace(" ", "").replace("'s", "") == two.replace(" ", "").replace("'s", "")


@lru_cache(1 << 14)
def _press_together(norm: str) -> str:
    """A word spelt out, without spaces and the possessive."""
    return _spell_word_out(norm).replace(" ", "").replace("'s", "")


#: How much rarer (Zipf frequencies) a word is than the one of which it is a misspelling: "recieved" by 2.4, "goverment"
#: by 2.9, "seperate" by 2.0; words that are none by more.
MISSPELT: Final = 1.5
#: Letters of a word from which two slips are allowed in it, one in shorter ones.
LONG_WORD: Final = 8


def _is_slip(one: str, other: str) -> bool:
    """Whether words differ by a letter too many, too few or another, or by two neighbours exchanged."""
    most = 2 if max(len(one), len(other)) >= LONG_WORD else 1
    alike = one[0] == other[0] and one.isalpha() and other.isalpha()
    return alike and OSA.distance(one, other, score_cutoff=most) <= most


#: Likeness of letters (0-100) from which two names are one name with a typo or in another transliteration:
#: Gebru and Gebry have 80, Zelensky and Zelinsky 88.
RESPELT: Final = 80


def _are_initials(short: Sequence[str], long: Sequence[str]) -> bool:
    """Whether a single word is an acronym of the words of the other wording, with or without its small words."""
    if len(short) != 1 or len(short[0]) < 2 or len(long) < 2:
        return False
    letters = short[0].replace(".", "")
    return letters in ("".join(w[0] for w in long), "".join(w[0] for w in long if w not in SMALL))


def find_honest(article: Examined, reference: Examined, pairs: Sequence[Pair]) -> NDArray[np.bool_]:
    """bool[pairs]: for which no spinner is needed to explain the difference."""
    bracketed = np.zeros(len(pairs), np.bool_)
    if "[" in article.text.raw:
        bracketed = np.array([is_bracketed(article, pair) for pair in pairs], np.bool_)
    return bracketed | find_house_style(article, reference, pairs)


def is_bracketed(article: Examined, pair: Pair) -> bool:
    """Whether the wording is an editor's own words in somebody's statement: "[the minister] will go"."""
    start, end = article.text.slice(pair.a0, pair.a1)
    return article.quotation[pair.a0] >= 0 and "[" in article.text.raw[max(0, start - 1) : end]
