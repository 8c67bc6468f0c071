"""Comparing with one reference: against a naive twin, and on cases that a reader can check."""

from __future__ import annotations

import math
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unspun.alignment import MIN_COSINE, MIN_WEIGHT, Alignment, align, pair_sentences
from unspun.article import Article
from unspun.examined import Examined
from unspun.lexicon import Lexicon
from unspun.references import References
from unspun.text import Text


def compare(article: str, reference: str) -> tuple[Examined, Examined, Alignment]:
    lexicon = Lexicon.load()
    references = References.build([Article("r", reference)], lexicon)
    (stored,) = references._references
    examined = Examined(Text(article), lexicon)
    ids = references.number_words(examined.text)
    return examined, stored.examined, align(examined, ids, stored, references.weights)


def show_pairs(article: str, reference: str) -> list[tuple[str, str]]:
    own, other, alignment = compare(article, reference)
    return [
        (own.text.raw[slice(*own.text.slice(p.a0, p.a1))], other.text.raw[slice(*other.text.slice(p.r0, p.r1))])
        for p in alignment.pairs
    ]


REFERENCE = (
    "The council said on Monday that stronger regulations should govern the ethical use of cameras. "
    "Residents of Harbour Street had complained for many years about the noise at night. "
    "Mayor Ada Lindqvist will visit the International Center for Missing Boats in March."
)


@pytest.mark.parametrize(
    ("article", "pairs"),
    [
        (REFERENCE, []),
        (REFERENCE.replace("regulations", "laws"), [("laws", "regulations")]),
        (
            REFERENCE.replace("regulations should govern", "laws ought to control"),
            [("laws", "regulations"), ("ought to", "should"), ("control", "govern")],
        ),
        (
            REFERENCE.replace("International Center for Missing", "Worldwide Heart for Lacking"),
            [("Worldwide", "International"), ("Heart", "Center"), ("Lacking", "Missing")],
        ),
        (REFERENCE.replace("had complained", "had actually complained"), [("had actually", "had")]),
        # Sentences moved, merged and split: nothing was swapped.
        (" ".join(reversed(REFERENCE.split(". "))) + ".", []),
        (REFERENCE.replace("cameras. Residents", "cameras, and residents").replace(" and ", " "), []),
    ],
)
def test_pairs_are_what_was_swapped(article: str, pairs: list[tuple[str, str]]) -> None:
    assert show_pairs(article, REFERENCE) == pairs


def test_new_text_behind_punctuation_joins_no_pair() -> None:
    article = "“Congress appears able to take on this problem,” wrote the company on its blog today."
    reference = "“Congress appears able to take on this challenge,” Harbour Street said on its blog today."
    assert ("problem", "challenge") in show_pairs(article, reference)


WORDS = st.sampled_from("the of harbour council boats ferry said mayor engine old cold quarter zebra".split())
TEXTS = st.lists(WORDS, min_size=1, max_size=40).map(
    lambda words: " ".join(w.capitalize() + "." if i % 7 == 6 else w for i, w in enumerate(words))
)


def pair_naively(own: Examined, other: Examined, weight: dict[str, float]) -> list[int]:
    """The twin of pair_sentences in plain Python, sentence by sentence, without the filling of gaps."""
    matched = []
    for first, last in own.text.sentences:
        words = set(own.text.norms[first:last])
        unknown = sum(w not in weight for w in own.text.norms[first:last])
        own_weight = sum(weight.get(w, 0.0) for w in words) + unknown
        best, best_cosine, best_shared = -1, -1.0, 0.0
        for number, (start, end) in enumerate(other.text.sentences):
            others = set(other.text.norms[start:end])
            shared = sum(weight[w] for w in words & others)
            cosine = shared / math.sqrt(max(own_weight * sum(weight[w] for w in others), 1e-9))
            if cosine > best_cosine + 1e-9:
                best, best_cosine, best_shared = number, cosine, shared
        matched.append(best if best_cosine >= MIN_COSINE and best_shared >= MIN_WEIGHT else -1)
    return matched


@settings(max_examples=150, deadline=None)
@given(TEXTS, TEXTS)
def test_sentences_are_paired_as_the_naive_twin_pairs_them(article: str, reference: str) -> None:
    lexicon = Lexicon.load()
    references = References.build([Article("r", reference)], lexicon)
    (stored,) = references._references
    own = Examined(Text(article), lexicon)
    ids = references.number_words(own.text)
    weight = dict(zip(stored.examined.text.norms, references.weights[stored.ids].tolist(), strict=True))
    naive = pair_naively(own, stored.examined, weight)
    found = pair_sentences(ids, own.sentence_of, stored, references.weights)
    # Gaps are filled on top: where the twin finds a partner, it is the same one.
    assert all(fast == slow for fast, slow in zip(found.tolist(), naive, strict=True) if slow >= 0)


def test_a_sentence_between_two_pairs_is_paired_though_every_content_word_was_swapped() -> None:
    article = REFERENCE.replace(
        "Residents of Harbour Street had complained for many years about the noise at night.",
        "Inhabitants of Haven Road had grumbled for numerous seasons concerning the racket at dusk.",
    )
    assert ("Inhabitants", "Residents") in show_pairs(article, REFERENCE)
    assert ("racket", "noise") in show_pairs(article, REFERENCE)


def test_a_last_sentence_that_kept_only_its_small_words_is_paired_by_their_order() -> None:
    end = " It is not known when the boats of the harbour will be able to go out to the banks again."
    spun = " It is not clear once the vessels of the port shall be fit to head out to the shoals anew."
    assert ("vessels", "boats") in show_pairs(REFERENCE + spun, REFERENCE + end)
    # The same small words in another order are no such evidence.
    other = " Vessels of that port, to the surprise of it all, will head for shoals once fit."
    assert ("Vessels", "boats") not in show_pairs(REFERENCE + other, REFERENCE + end)


@settings(max_examples=150, deadline=None)
@given(TEXTS, TEXTS)
def test_an_alignment_is_consistent(article: str, reference: str) -> None:
    own, other, alignment = compare(article, reference)
    for index, partner in enumerate(alignment.partner.tolist()):
        if partner >= 0:
            assert own.text.norms[index] == other.text.norms[partner]
    end = 0
    for pair in alignment.pairs:
        assert end <= pair.a0 < pair.a1 <= len(own)
        assert 0 <= pair.r0 < pair.r1 <= len(other)
        # One word at most has a match: the word that was padded.
        assert (alignment.partner[pair.a0 : pair.a1] >= 0).sum() <= 1
        end = pair.a1


@pytest.mark.parametrize(
    ("article", "padded", "original"),
    [
        ("The fisheries minister has actually signed the harbour treaty in Brimworth.", "has actually", "has"),
        ("The Brimworth council moved to a brand new house beside the harbour.", "brand new", "new"),
        ("The fisherman crossed Brimworth harbour on his very own trawler.", "very own", "own"),
    ],
)
def test_padding_goes_with_the_word_that_it_pads(article: str, padded: str, original: str) -> None:
    own, other, alignment = compare(article, article.replace(padded, original))
    (pair,) = alignment.pairs
    assert " ".join(own.text.norms[pair.a0 : pair.a1]) == padded
    assert " ".join(other.text.norms[pair.r0 : pair.r1]) == original


def test_a_text_follows_itself() -> None:
    _, _, alignment = compare(REFERENCE, REFERENCE)
    assert alignment.coverage == 1.0
    assert np.array_equal(alignment.partner, np.arange(len(alignment.partner)))


def test_one_word_repeated_50_000_times_ends_soon() -> None:
    started = time.perf_counter()
    compare("spam " * 50_000, "spam " * 50_000 + REFERENCE)
    assert time.perf_counter() - started < 5
