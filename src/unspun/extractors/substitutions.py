"""Wordings that differ from a reference's in the same place: what only a comparison can show.

The alignment says which words of the article stand opposite which words of a reference. For every such pair
this file measures what tells a machine's swap from an honest difference: are the two wordings near in meaning,
does the sentence around them agree word for word, which of the two is the more fluent, do other references
agree with one of them. A scorer trained on the spinner's word-level truth turns that into a probability.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from rapidfuzz import fuzz
from rapidfuzz.distance import OSA

from unspun.alignment import Alignment, Pair
from unspun.examined import Examined
from unspun.lexicon import MOBY, MOBY_BOTH, WORDNET, Lexicon
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
    out = list[str]()
    for norm in norms:
        norm = _IRREGULAR.get(norm, _HOUSE_STYLE.get(norm, _NUMBERS.get(norm, norm)))
        for ending, full in _CONTRACTIONS.items():
            if norm.endswith(ending) and len(norm) > len(ending):
                norm = f"{norm[: -len(ending)]} {full}"
                break
        out.extend(norm.replace(",", "").split())
    return " ".join(out)


def is_house_style(article: Examined, reference: Examined, pair: Pair) -> bool:
    """Whether two wordings are one: spelling variant, misspelling, contraction, number style, title dropped, joined
    word, a name spelt otherwise, an acronym."""
    own, other = article.text.norms[pair.a0 : pair.a1], reference.text.norms[pair.r0 : pair.r1]
    if len(own) == len(other) == 1:
        a, b = article.ids[pair.a0 : pair.a1], reference.ids[pair.r0 : pair.r1]
        if bool(article.lexicon.spelling_variants(a, b)[0]):
            return True
        # No spinner puts in a misspelt word; a hurried writer does, and an editor mends it.
        rarer = abs(float(article.zipf[pair.a0]) - float(reference.zipf[pair.r0])) >= MISSPELT
        if rarer and _is_slip(own[0], other[0]) and not _are_kin(article.lexicon, a, b):
            return True
        names = bool(article.named[pair.a0]) and bool(reference.named[pair.r0])
        if names and fuzz.ratio(own[0], other[0]) >= RESPELT:
            return True
    if _are_initials(own, other) or _are_initials(other, own):
        return True
    one, two = spell_out(own), spell_out(other)
    return one == two or one.replace(" ", "").replace("'s", "") == two.replace(" ", "").replace("'s", "")


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


def _are_kin(lexicon: Lexicon, a: NDArray[np.int32], b: NDArray[np.int32]) -> bool:
    """Whether two words are forms of one, or synonyms: what a spinner may put for each other."""
    return bool(lexicon.is_inflection_of(a, b)[0]) or bool(lexicon.synonym_bits(a, b)[0])


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


def _is_honest(article: Examined, reference: Examined, pair: Pair) -> bool:
    """Whether no spinner is needed to explain the difference."""
    return _is_bracketed(article, pair) or is_house_style(article, reference, pair)


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
    own = np.zeros(len(pairs), np.int32)
    for i, pair in enumerate(pairs):
        for k, hits in enumerate(dense):
            own[i] += k != owner[i] and bool(hits[pair.a0 : pair.a1].all())
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
    table = np.array([(p.a0, p.a1, p.r0, p.r1) for p in alignment.pairs], np.int32)
    density = _density(matched, table[:, 0], table[:, 1])
    other_density = _density(other_matched, table[:, 2], table[:, 3])
    kept = np.flatnonzero(np.minimum(density, other_density) >= MIN_DENSITY)
    kept = np.array([i for i in kept if not _is_honest(article, other, alignment.pairs[i])], np.int64)
    if not len(kept):
        return [], np.zeros((0, len(FEATURES)))
    pairs = [alignment.pairs[i] for i in kept]
    a0, a1, r0, r1 = table[kept].T
    before, after = _runs(matched)
    own_total, own_mean = measure_sequences(article, a0, a1, article, a0, a1)
    total, mean = measure_sequences(article, a0, a1, other, r0, r1)
    near = measure_nearness(article, other, pairs)
    segment = alignment.segment_of[a0]
    ranges = alignment.ranges[segment]
    sums = np.append(0, np.cumsum(matched))
    identity = (sums[ranges[:, 1]] - sums[ranges[:, 0]]) / np.maximum(ranges[:, 1] - ranges[:, 0], 1)
    kindred = (near.sources > 0) | (near.cosine > KINDRED)
    content, other_content = np.append(0, np.cumsum(article.content)), np.append(0, np.cumsum(other.content))
    features = np.array([
        (
            p.a1 - p.a0, p.r1 - p.r0, near.cosine[i],
            near.sources[i] & WORDNET > 0, near.sources[i] & MOBY > 0, near.sources[i] & MOBY_BOTH > 0,
            near.letters[i], near.lemma[i],
            article.zipf[p.a0 : p.a1].min(), other.zipf[p.r0 : p.r1].min(),
            total[i] - own_total[i], mean[i] - own_mean[i],
            before[p.a0], after[p.a1], density[kept[i]], other_density[kept[i]],
            article.quotation[p.a0] >= 0 and other.quotation[p.r0] >= 0,
            article.named[p.a0 : p.a1].any(), other.named[p.r0 : p.r1].any(),
            article.numeric[p.a0 : p.a1].any(), other.numeric[p.r0 : p.r1].any(),
            0, 0, 0, identity[i],
            content[p.a1] - content[p.a0], other_content[p.r1] - other_content[p.r0],
            kindred.mean(), article.opens[p.a0],
        )
        for i, p in enumerate(pairs)
    ], np.float64)  # fmt: skip
    return pairs, features
