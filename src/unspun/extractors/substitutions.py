"""Wordings that differ from a reference's in the same place: what only a comparison can show.

The alignment says which words of the article stand opposite which words of a reference. For every such pair
this file measures what tells a machine's swap from an honest difference: are the two wordings near in meaning,
does the sentence around them agree word for word, which of the two is the more fluent, do other references
agree with one of them. A scorer trained on the spinner's word-level truth turns that into a probability.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray
from rapidfuzz import fuzz
from rapidfuzz.distance import OSA

from unspun.alignment import Alignment, Pair, tabulate
from unspun.compiled.lexicon import load_tables
from unspun.compiled.library import address, load_library
from unspun.examined import Examined
from unspun.lexicon import MOBY, MOBY_BOTH, WORDNET
from unspun.ranges import count_in, lowest_in
from unspun.references import Reference

#: Matches to this many words on each side count for a pair's surroundings.
REACH: Final = 8
#: Longest run of matching words beside a pair that is counted.
MAX_RUN: Final = 12

FEATURES: Final = (
    "words", "reference_words", "similarity", "wordnet", "moby", "moby_both",
    "letters", "same_lemma", "zipf", "reference_zipf", "fluency", "fluency_mean",
    "left_run", "right_run", "density", "reference_density",
    "quoted", "capital", "reference_capital", "numeric", "reference_numeric",
    "supported", "reference_supported", "others", "identity",
    "content", "reference_content", "kindred_share", "opens",
)  # fmt: skip

_CONTRACTIONS: Final = {
    "'ve": "have", "'re": "are", "'ll": "will", "'m": "am", "n't": "not", "'d": "would", "'s": "is",
}  # fmt: skip
_IRREGULAR: Final = {"won't": "will not", "can't": "can not", "cannot": "can not", "shan't": "shall not"}
_NUMBERS: Final = {
    word: str(number)
    for number, word in enumerate(
        "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
        "seventeen eighteen nineteen twenty".split()
    )
}
_HOUSE_STYLE: Final = {
    "percent": "per cent", "pct": "per cent", "%": "per cent", "programme": "program", "mr": "", "mrs": "", "ms": "",
    "dr": "", "us": "u s", "uk": "u k", "usa": "u s", "okay": "ok", "toward": "towards", "among": "amongst",
    "while": "whilst", "bn": "billion", "fall": "autumn", "gasoline": "petrol", "truck": "lorry", "trucks": "lorries",
    "elevator": "lift", "apartment": "flat", "apartments": "flats", "vacation": "holiday", "soccer": "football",
    "cellphone": "mobile", "sidewalk": "pavement", "airplane": "aeroplane", "math": "maths", "mom": "mum",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Comparison:
    """An article aligned with one reference."""

    reference: Reference
    alignment: Alignment


@dataclass(frozen=True, slots=True)
class Substitutions:
    """All pairs of differing wordings: ``pairs[i]`` comes from ``comparisons[owner[i]]``;
    ``features`` float32[m, len(FEATURES)]."""

    pairs: tuple[Pair, ...]
    owner: NDArray[np.int32]
    features: NDArray[np.float32]


def spell_out(norms: Sequence[str]) -> str:
    """Words in the form in which mere house style makes no difference: contractions and numbers spelt out."""
    return " ".join(filter(None, map(_spell_word_out, norms)))


@lru_cache(1 << 14)
def _spell_word_out(norm: str) -> str:
    """One word so: it may become several, or nothing."""
    norm = _IRREGULAR.get(norm, _HOUSE_STYLE.get(norm, _NUMBERS.get(norm, norm)))
    for ending, full in _CONTRACTIONS.items():
        if norm.endswith(ending) and len(norm) > len(ending):
            norm = f"{norm[: -len(ending)]} {full}"
            break
    return " ".join(norm.replace(",", "").split())


def is_house_style(article: Examined, reference: Examined, pair: Pair) -> bool:
    """Whether two wordings are one: spelling variant, misspelling, contraction, number style, title dropped, joined
    word, a name spelt otherwise or left out, an acronym."""
    return bool(_find_house_style(article, reference, [pair])[0])


def _find_house_style(article: Examined, reference: Examined, pairs: Sequence[Pair]) -> NDArray[np.bool_]:
    here, last, there, end = tabulate(pairs).T
    single = (last - here == 1) & (end - there == 1)
    a, b, lexicon = article.ids[here], reference.ids[there], article.lexicon
    own, other, certain = article.text.norms, reference.text.norms, single & lexicon.spelling_variants(a, b)
    # "E. P." or "X" for a name: courts and clinics leave names out so, spinners never do.
    for i in np.flatnonzero(article.capital[here] & reference.named[there]).tolist():
        words = range(here[i], last[i])
        certain[i] |= all(len(own[word]) == 1 and article.capital[word] for word in words)
    # No spinner puts in a misspelt word; a hurried writer does, and an editor mends it. Forms of one word and synonyms
    # are what a spinner may put for each other.
    misspelt = single & (np.abs(article.zipf[here] - reference.zipf[there]) >= MISSPELT)
    misspelt &= ~lexicon.is_inflection_of(a, b) & (lexicon.synonym_bits(a, b) == 0)
    named = single & article.named[here] & reference.named[there]
    told = zip(pairs, certain.tolist(), misspelt.tolist(), named.tolist(), strict=True)
    return np.array([
        sure or _is_one_wording(own[p.a0 : p.a1], other[p.r0 : p.r1], misspelling, name)
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
    return letters in ("".join(w[0] for w in long), "".join(w[0] for w in long if w not in _SMALL))


_SMALL: Final = frozenset("of the and for in on to a an at de".split())


def _find_honest(article: Examined, reference: Examined, pairs: Sequence[Pair]) -> NDArray[np.bool_]:
    """For which pairs no spinner is needed to explain the difference."""
    bracketed = np.zeros(len(pairs), np.bool_)
    if "[" in article.text.raw:
        bracketed = np.array([_is_bracketed(article, pair) for pair in pairs], np.bool_)
    return bracketed | _find_house_style(article, reference, pairs)


def _is_bracketed(article: Examined, pair: Pair) -> bool:
    """Whether the wording is an editor's own words in somebody's statement: "[the minister] will go"."""
    start, end = article.text.slice(pair.a0, pair.a1)
    return article.quotation[pair.a0] >= 0 and "[" in article.text.raw[max(0, start - 1) : end]


def _density(matched: NDArray[np.bool_], first: NDArray[np.int32], last: NDArray[np.int32]) -> NDArray[np.float64]:
    """Share of matching words among the ``REACH`` words before ``first`` and from ``last`` on."""
    total = np.append(0, np.cumsum(matched))
    low, high = np.maximum(first - REACH, 0), np.minimum(last + REACH, len(matched))
    hits = total[first] - total[low] + total[high] - total[last]
    density: NDArray[np.float64] = hits / np.maximum(first - low + high - last, 1)
    return density


def _runs(matched: NDArray[np.bool_]) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """For every boundary between words, how many words before it and after it match without a gap."""
    before = np.zeros(len(matched) + 1, np.int32)
    after = np.zeros(len(matched) + 1, np.int32)
    run = 0
    for index, hit in enumerate(matched.tolist()):
        run = run + 1 if hit else 0
        before[index + 1] = run
    run = 0
    for index in range(len(matched) - 1, -1, -1):
        run = run + 1 if matched[index] else 0
        after[index] = run
    return np.minimum(before, MAX_RUN), np.minimum(after, MAX_RUN)


def measure_sequences(
    text: Examined, first: NDArray[np.int32], last: NDArray[np.int32],
    other: Examined, other_first: NDArray[np.int32], other_last: NDArray[np.int32],
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:  # fmt: skip
    """Total and mean log10 P of the words ``other[other_first:other_last]`` set into ``text`` at
    ``[first, last)``, with the two words after them: float32[m] each."""
    chains = list[NDArray[np.int32]]()
    starts = np.concatenate([text.neighbours[:2, first], text.neighbours[2:, last - 1]]).T
    for around, r0, r1 in zip(starts, other_first.tolist(), other_last.tolist(), strict=True):
        chains.append(np.concatenate([around[:2], other.ids[r0:r1], around[2:]]))
    flat = np.concatenate(chains)
    lengths = np.array([len(chain) for chain in chains])
    ends = np.cumsum(lengths)
    scored = np.ones(len(flat), np.bool_)
    scored[ends - lengths] = scored[ends - lengths + 1] = False
    # Nothing is known of a neighbour across punctuation: such an end costs nothing.
    after = np.zeros(len(flat), np.bool_)
    after[ends - 1] = after[ends - 2] = True
    at = np.flatnonzero(scored)
    log = text.lexicon.log_prob(flat[at - 1], flat[at], flat[at - 2]).astype(np.float32)
    log[after[at] & (flat[at] < 0)] = 0
    total = np.add.reduceat(log, np.append(0, np.cumsum(lengths - 2)[:-1]))
    return total, (total / (lengths - 2)).astype(np.float32)


def _support(
    article: Examined, comparisons: Sequence[Comparison], pairs: Sequence[Pair], owner: NDArray[np.int32]
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """How many other references have the article's own wording in that place, and how many references have
    the owner's wording: int32[m] each."""
    dense = []
    for comparison in comparisons:
        matched = comparison.alignment.partner >= 0
        # A match counts when a neighbour matches too: a lone "the" is in place by chance.
        beside = np.zeros(len(matched) + 2, np.bool_)
        beside[1:-1] = matched
        dense.append(matched & (beside[:-2] | beside[2:]))
    wordings = [
        " ".join(comparisons[k].reference.examined.text.norms[p.r0 : p.r1])
        for k, p in zip(owner.tolist(), pairs, strict=True)
    ]
    agreeing = dict[tuple[int, int, str], set[int]]()
    for k, pair, wording in zip(owner.tolist(), pairs, wordings, strict=True):
        agreeing.setdefault((pair.a0, pair.a1, wording), set()).add(k)
    first, last = np.array([(pair.a0, pair.a1) for pair in pairs], np.int32).T
    own = np.zeros(len(pairs), np.int32)
    for k, hits in enumerate(dense):
        own += (owner != k) & (count_in(hits, first, last) == last - first)
    other = np.array([len(agreeing[p.a0, p.a1, w]) for p, w in zip(pairs, wordings, strict=True)], np.int32).reshape(-1)
    return own, other


@dataclass(frozen=True, slots=True, eq=False)
class Nearness:
    """How near the two wordings of each of m pairs are: best cosine of their content words, the synonym sources
    that know a pair of them, best likeness of letters (0-1), whether any two have one lemma; arrays of m."""

    cosine: NDArray[np.float32]
    sources: NDArray[np.uint8]
    letters: NDArray[np.float64]
    lemma: NDArray[np.bool_]


#: Content words of a wording that are compared: a long stretch is new text, not a swap.
_MAX_COMPARED: Final = 4


def _compared_words(text: Examined, first: int, last: int) -> list[int]:
    words = [i for i in range(first, last) if text.content[i]] or list(range(first, last))
    return words[:_MAX_COMPARED]


def measure_nearness(article: Examined, other: Examined, pairs: Sequence[Pair]) -> Nearness:
    """Compare the wordings of all pairs at once."""
    left, right, starts = list[int](), list[int](), list[int]()
    for pair in pairs:
        starts.append(len(left))
        theirs = _compared_words(other, pair.r0, pair.r1)
        for i in _compared_words(article, pair.a0, pair.a1):
            left += [i] * len(theirs)
            right += theirs
    a, b, lexicon = article.ids[left], other.ids[right], article.lexicon
    own, norms = article.text.norms, other.text.norms
    letters = np.array([fuzz.ratio(own[i], norms[j]) / 100 for i, j in zip(left, right, strict=True)])
    return Nearness(
        np.maximum.reduceat(lexicon.similarity(a, b), starts),
        np.bitwise_or.reduceat(lexicon.synonym_bits(a, b), starts),
        np.maximum.reduceat(letters, starts),
        np.logical_or.reduceat(lexicon.is_inflection_of(a, b), starts),
    )


#: Cosine from which two wordings count as kindred without a thesaurus: one random pair of frequent words in 500
#: reaches it.
KINDRED: Final = 0.45
#: Pairs in places where fewer of the surrounding words match are different sentences, not other words.
MIN_DENSITY: Final = 0.25


def find_substitutions(article: Examined, comparisons: Sequence[Comparison]) -> Substitutions:
    """Every pair of differing wordings over all comparisons, with its features."""
    pairs, owners, blocks = list[Pair](), list[int](), list[NDArray[np.float64]]()
    for k, comparison in enumerate(comparisons):
        found, block = _measure(article, comparison)
        pairs += found
        owners += [k] * len(found)
        blocks.append(block)
    if not pairs:
        empty = np.zeros(0, np.int32)
        return Substitutions((), empty, np.zeros((0, len(FEATURES)), np.float32))
    owner = np.array(owners, np.int32)
    own, agree = _support(article, comparisons, pairs, owner)
    features = np.concatenate(blocks)
    column = FEATURES.index
    features[:, column("supported")] = own
    features[:, column("reference_supported")] = agree
    features[:, column("others")] = len(comparisons) - 1
    return Substitutions(tuple(pairs), owner, features.astype(np.float32))


def _measure(article: Examined, comparison: Comparison) -> tuple[list[Pair], NDArray[np.float64]]:
    other, alignment = comparison.reference.examined, comparison.alignment
    if not alignment.pairs:
        return [], np.zeros((0, len(FEATURES)))
    matched = alignment.partner >= 0
    other_matched = np.zeros(len(other), np.bool_)
    other_matched[alignment.partner[matched]] = True
    table = tabulate(alignment.pairs)
    densities = _measure_densities(matched, other_matched, table)
    kept = np.flatnonzero(densities.min(axis=0) >= MIN_DENSITY)
    kept = kept[~_find_honest(article, other, [alignment.pairs[i] for i in kept.tolist()])]
    if not len(kept):
        return [], np.zeros((0, len(FEATURES)))
    pairs = [alignment.pairs[i] for i in kept.tolist()]
    near_pairs = article, comparison, pairs, matched, densities[:, kept]
    features = _measure_compiled(*near_pairs)
    return pairs, _measure_plainly(*near_pairs) if features is None else features


def _measure_densities(
    matched: NDArray[np.bool_], other_matched: NDArray[np.bool_], table: NDArray[np.int32]
) -> NDArray[np.float64]:
    """float64[2, m]: for the pairs int32[m, 4] the share of matching words around, in the article and the reference."""
    library = load_library()
    if library is None:
        both = (matched, table[:, 0], table[:, 1]), (other_matched, table[:, 2], table[:, 3])
        return np.array([_density(*side) for side in both])
    densities = np.empty((2, len(table)))
    library.unspun_measure_density(
        address(matched), len(matched), address(other_matched), len(other_matched), address(table), len(table),
        address(densities),
    )  # fmt: skip
    return densities


#: Words of a wording that compiled code can sum up over.
LONGEST: Final = 100


def _measure_compiled(
    article: Examined, comparison: Comparison, pairs: Sequence[Pair], matched: NDArray[np.bool_],
    densities: NDArray[np.float64],
) -> NDArray[np.float64] | None:  # fmt: skip
    library, tables = load_library(), load_tables(article.lexicon)
    table = tabulate(pairs)
    if library is None or tables is None or (table[:, 1::2] - table[:, ::2]).max() > LONGEST:
        return None
    other, alignment = comparison.reference.examined, comparison.alignment
    features = np.empty((len(table), len(FEATURES)))
    read = matched, alignment.segment_of, alignment.ranges, table, np.ascontiguousarray(densities)
    matches, segments, ranges, rows, around = map(address, read)
    library.unspun_measure_pairs(
        tables, ctypes.addressof(article.compiled), ctypes.addressof(other.compiled), matches, segments, ranges, rows,
        len(table), around, address(features),
    )  # fmt: skip
    features[:, FEATURES.index("letters")] = [_compare_letters(article, other, pair) for pair in pairs]
    return features


def _compare_letters(article: Examined, other: Examined, pair: Pair) -> float:
    """The best likeness of letters (0-1) of any two words that are compared."""
    own, norms = article.text.norms, other.text.norms
    if pair.a1 - pair.a0 == pair.r1 - pair.r0 == 1:
        return fuzz.ratio(own[pair.a0], norms[pair.r0]) / 100
    words, theirs = _compared_words(article, pair.a0, pair.a1), _compared_words(other, pair.r0, pair.r1)
    return max(fuzz.ratio(own[i], norms[j]) for i in words for j in theirs) / 100


def _measure_plainly(
    article: Examined, comparison: Comparison, pairs: Sequence[Pair], matched: NDArray[np.bool_],
    densities: NDArray[np.float64],
) -> NDArray[np.float64]:  # fmt: skip
    other, alignment = comparison.reference.examined, comparison.alignment
    a0, a1, r0, r1 = tabulate(pairs).T
    before, after = _runs(matched)
    own_total, own_mean = measure_sequences(article, a0, a1, article, a0, a1)
    total, mean = measure_sequences(article, a0, a1, other, r0, r1)
    near = measure_nearness(article, other, pairs)
    segment = alignment.segment_of[a0]
    ranges = alignment.ranges[segment]
    sums = np.append(0, np.cumsum(matched))
    identity = (sums[ranges[:, 1]] - sums[ranges[:, 0]]) / np.maximum(ranges[:, 1] - ranges[:, 0], 1)
    kindred = (near.sources > 0) | (near.cosine > KINDRED)
    nothing = np.zeros(len(pairs))
    columns = (
        a1 - a0, r1 - r0, near.cosine,
        near.sources & WORDNET > 0, near.sources & MOBY > 0, near.sources & MOBY_BOTH > 0,
        near.letters, near.lemma,
        lowest_in(article.zipf, a0, a1), lowest_in(other.zipf, r0, r1),
        total - own_total, mean - own_mean,
        before[a0], after[a1], densities[0], densities[1],
        (article.quotation[a0] >= 0) & (other.quotation[r0] >= 0),
        count_in(article.named, a0, a1) > 0, count_in(other.named, r0, r1) > 0,
        count_in(article.numeric, a0, a1) > 0, count_in(other.numeric, r0, r1) > 0,
        nothing, nothing, nothing, identity,
        count_in(article.content, a0, a1), count_in(other.content, r0, r1),
        np.full(len(pairs), kindred.mean()), article.opens[a0],
    )  # fmt: skip
    return np.column_stack([column.astype(np.float64) for column in columns])
