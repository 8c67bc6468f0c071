"""Which of two wordings is the swap, and what the other pairs of a text say about a pair."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from unspun.alignment import align
from unspun.article import Article
from unspun.evidence import Evidence, gather_evidence
from unspun.extractors.direction import FEATURES, insert_odds, mirror
from unspun.extractors.wording import insert_habits
from unspun.features import COMPARED, insert_margins
from unspun.habits import Habits, Neighbouring
from unspun.key_table import number_pairs
from unspun.lexicon import Lexicon
from unspun.references import References
from unspun.second_look import FEATURES as SECOND
from unspun.second_look import look_again
from unspun.text import Text

ORIGINAL = (
    "The harbour council of Brimworth approved the new ferry line on Tuesday. Two boats will carry passengers and "
    "cars to the island of Saltholm every hour. The council hopes that more visitors will come in the summer."
)
SPUN = (
    "The harbour chamber of Brimworth authorised the new ferry line on Tuesday. Two vessels will carry travellers and "
    "cars to the island of Saltholm every hour. The council hopes that more guests will come in the summertime."
)
RULES = {"a_an": 0.9, "doubled": 0.5, "phrase": 0.9}


def compare(article: str, reference: str) -> Evidence:
    lexicon = Lexicon.load()
    return gather_evidence(Text(article), lexicon, RULES, References.build([Article("reference", reference)], lexicon))


def test_directions_from_the_other_side_are_the_mirror_image() -> None:
    forward, backward = compare(SPUN, ORIGINAL), compare(ORIGINAL, SPUN)
    assert len(forward.substitutions.pairs) >= 5
    np.testing.assert_allclose(mirror(forward.directions.features), backward.directions.features, rtol=1e-4, atol=1e-4)


def test_a_mirror_image_of_a_mirror_image_is_the_image() -> None:
    features = np.random.default_rng(0).normal(size=(7, len(FEATURES))).astype(np.float32)
    np.testing.assert_array_equal(mirror(mirror(features)), features)
    assert (mirror(features) != features).any()


def test_the_replaced_word_that_still_stands_elsewhere_tells_the_direction() -> None:
    evidence = compare(SPUN, ORIGINAL)
    norms = evidence.article.text.norms
    (pair,) = [i for i, p in enumerate(evidence.substitutions.pairs) if norms[p.a0] == "chamber"]
    # "council" was swapped once and left once: the spun text has both words, the original one of them.
    assert evidence.directions.features[pair, FEATURES.index("repeats")] < 0


def test_odds_of_the_words_are_compared_wording_by_wording() -> None:
    evidence = compare(SPUN, ORIGINAL)
    own = np.zeros(len(evidence.wordings.places))
    norms = evidence.article.text.norms
    own[[norms[place] == "vessels" for place in evidence.wordings.places]] = 2.0
    opposite = [np.full(len(other.places), -1.0) for other in evidence.directions.opposite]
    odds = insert_odds(evidence.directions, own, opposite)[:, 0]
    for pair, difference in zip(evidence.substitutions.pairs, odds, strict=True):
        expected = 3.0 if norms[pair.a0] == "vessels" else 1.0
        assert difference == pytest.approx(expected)


def look(odds: list[float], owner: list[int]) -> np.ndarray:
    count = len(odds)
    features = np.zeros((count, len(SECOND) - 6), np.float32)
    return look_again(
        features, np.array(owner, np.int32), np.full(count, 0.9), np.array(odds), np.array([1.0, 2.0] * count)[:count]
    )


def test_a_pair_is_not_counted_among_the_others() -> None:
    alone, among = look([2.0], [0]), look([2.0, 4.0, 4.0], [0, 0, 0])
    column = SECOND.index("others_mean")
    assert alone[0, column] == alone[0, SECOND.index("others_direction")] == 0
    assert among[0, column] > among[1, column] > 0


def test_pairs_of_another_reference_say_nothing() -> None:
    together, apart = look([2.0, 4.0], [0, 0]), look([2.0, 4.0], [0, 1])
    assert together[0, SECOND.index("others_sum")] > 0
    assert apart[0, SECOND.index("others_sum")] == 0


def test_nothing_compared_is_nothing_to_look_at() -> None:
    assert look([], []).shape == (0, len(SECOND))


def test_a_reference_vouches_for_the_words_that_it_holds() -> None:
    compared = np.zeros((2, len(COMPARED)))
    compared[:, 0] = [1.0, 0.0]
    margins = insert_margins(compared, np.array([5.0, 5.0]))[:, 0]
    assert margins[0] > 5.0 > margins[1] == 0.0


def know_nothing(size: int) -> Habits:
    """Habits of a lexicon of ``size`` words before any training."""
    none = Neighbouring(np.zeros(0, np.uint32), np.zeros((0, 2), np.float32))
    return Habits(np.zeros((size, 2), np.float32), none, none)


def test_habits_stand_beside_the_words_that_have_them() -> None:
    evidence, lexicon = compare(SPUN, ORIGINAL), Lexicon.load()
    habits = know_nothing(lexicon.size)
    (vessels,) = lexicon.ids(["vessels"])
    habits.words[vessels] = 1.5, 6.0
    completed = insert_habits(evidence.wordings, habits)
    norms = evidence.article.text.norms
    for place, row in zip(evidence.wordings.places, completed, strict=True):
        expected = (1.5, 6.0, 1.5, 0.0, 1.5, 0.0) if norms[place] == "vessels" else (0.0,) * 6
        assert tuple(row[-6:]) == expected


def test_a_pair_of_neighbours_has_a_habit_of_its_own() -> None:
    evidence, lexicon = compare(SPUN, ORIGINAL), Lexicon.load()
    wordings = evidence.wordings
    at = int(np.flatnonzero(wordings.left >= 0)[0])
    key = number_pairs(wordings.left[at : at + 1], wordings.ids[at : at + 1], lexicon.size)
    known = Neighbouring(key, np.array([[2.5, 4.0]], np.float32))
    habits = replace(know_nothing(lexicon.size), after=known)
    completed = insert_habits(wordings, habits)[:, -6:]
    here = (wordings.left == wordings.left[at]) & (wordings.ids == wordings.ids[at])
    assert (completed[here, 2] == 2.5).all()
    assert (completed[~here] == 0).all()


def test_an_insertion_at_the_start_of_the_reference_pads_what_follows() -> None:
    lexicon = Lexicon.load()
    evidence = compare("Weather\nVery " + ORIGINAL, ORIGINAL)
    reference = evidence.comparisons[0].reference
    references = References.build([Article("reference", ORIGINAL)], lexicon)
    alignment = align(evidence.article, references.number_words(evidence.article.text), reference, references.weights)
    assert all(pair.r0 < pair.r1 and pair.a0 < pair.a1 for pair in alignment.pairs)
