"""Measures against answers worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import auc

from unspun.article import Span
from unspun.training.measures import (
    SpanCounts,
    bin_scores,
    bound_share,
    count_spans,
    find_threshold,
    join_small,
    measure_auc,
    measure_ece,
    measure_tpr,
    trace_roc,
    weigh_classes,
    weigh_texts,
)
from unspun.training.spinner import SpunText, Swap, tighten_swaps


def test_auc_counts_pairs_in_the_right_order() -> None:
    # Of the six pairs of an honest and a spun score four are in order and one is level.
    assert measure_auc(np.array([0.1, 0.4, 0.6]), np.array([0.4, 0.9])) == pytest.approx(4.5 / 6)


def test_a_threshold_costs_no_set_more_than_allowed() -> None:
    easy, hard = np.linspace(0, 0.1, 1000), np.linspace(0, 0.7, 1000)
    threshold = find_threshold([easy, hard], 0.01)
    assert (hard >= threshold).mean() == pytest.approx(0.009, abs=0.0011)
    assert (easy >= threshold).sum() == 0


def test_tpr_at_a_false_positive_rate() -> None:
    honest = np.arange(100) / 100
    spun = np.array([0.2, 0.51, 0.97, 0.999])
    assert [measure_tpr(honest, spun, cost) for cost in (0.01, 0.05, 0.5)] == [0.25, 0.5, 0.75]


def test_a_roc_curve_holds_its_area() -> None:
    rng = np.random.default_rng(0)
    honest, spun = rng.integers(0, 8, 300).astype(float), rng.integers(2, 10, 200).astype(float)
    costs = np.linspace(0, 1, 2001)
    curve = trace_roc(honest, spun, costs.tolist())
    assert curve == sorted(curve)
    assert curve[-1] == 1.0
    assert auc(costs, curve) == pytest.approx(measure_auc(honest, spun), abs=1e-3)


def test_wilson_interval() -> None:
    # Textbook values for 0 of 10 and 5 of 10.
    assert bound_share(0, 10) == pytest.approx((0.0, 0.2775), abs=1e-4)
    assert bound_share(5, 10) == pytest.approx((0.2366, 0.7634), abs=1e-4)
    assert bound_share(10, 10)[1] == pytest.approx(1.0)
    assert bound_share(0, 0) == (0.0, 1.0)
    for hits, count in ((1, 10), (3, 1000), (2.5, 7)):
        low, high = bound_share(hits, count)
        assert 0 < low < hits / count < high < 1


def test_a_text_drawn_often_counts_once() -> None:
    # One odd text drawn three times, nine others: a tenth of the texts, a quarter of the draws.
    weights = weigh_texts(["odd"] * 3 + [str(n) for n in range(9)])
    assert weights.sum() == pytest.approx(10)
    honest, spun = np.array([0.9] * 3 + [0.1] * 9), np.array([0.5, 0.95])
    assert measure_tpr(honest, spun, 0.1, weights) == 1.0
    assert measure_tpr(honest, spun, 0.1) == measure_tpr(honest, spun, 0.05, weights) == 0.5


def test_small_corpora_are_joined() -> None:
    assert join_small([[1, 2], [3], [4]], 0.5) == [[1, 2], [3, 4], [1, 2, 3, 4]]
    assert join_small([[1, 2]], 0.5) == [[1, 2], [1, 2]]
    # Two draws of one text are one.
    assert join_small([["a", "a"], ["b", "c"]], 0.5, lambda texts: len(set(texts)))[0] == ["b", "c"]


def test_classes_weigh_as_the_prior_says() -> None:
    spun = np.array([True, False, False, True, True])
    weights = weigh_classes(spun, 0.1)
    assert weights[spun].sum() == pytest.approx(0.1)
    assert weights.sum() == pytest.approx(1.0)


def test_calibration_is_measured_for_the_prior() -> None:
    # Half spun in the sample, a tenth in the world: a score of 0.1 for everything is right, one of 0.5 is not.
    spun = np.arange(100) % 2 == 0
    assert measure_ece(bin_scores(np.full(100, 0.1), spun, 0.1)) == pytest.approx(0.0)
    assert measure_ece(bin_scores(np.full(100, 0.5), spun, 0.1)) == pytest.approx(0.4)
    bins = bin_scores(np.where(spun, 1.0, 0.0), spun, 0.1)
    assert [weight for weight, _, _ in bins] == pytest.approx([0.9, 0.1])
    assert measure_ece(bins) == pytest.approx(0.0)


#: "The big home of the household" was "The White House of the family".
TEXT = "The big home of the household"
SWAPS = [Swap(4, 7, 4, 9, "White", "big", "name"), Swap(8, 12, 10, 15, "House", "home", "name"),
         Swap(20, 29, 23, 29, "family", "household", "synonym")]  # fmt: skip


def mark(start: int, end: int, suggestion: str | None, *others: str) -> Span:
    return Span(start, end, TEXT[start:end], "synonym", 0.9, suggestion, alternatives=others)


def test_spans_are_counted_by_characters() -> None:
    counts = count_spans(TEXT, [mark(4, 12, "white house"), mark(16, 29, "his family")], SWAPS)
    # Of "big home" all is swapped, of "the household" nine letters; its suggestion restores nothing ("the family").
    assert counts == SpanCounts(right=7 + 9, marked=7 + 12, true=3 + 4 + 9, hit=2, restored=1, offered=1)
    assert counts.precision == pytest.approx(16 / 19)
    assert counts.recall == 1.0
    assert counts.suggestion == counts.in_three == 0.5


def test_what_stood_there_may_be_among_the_alternatives() -> None:
    counts = count_spans(TEXT, [mark(20, 29, "home", "Family"), mark(8, 12, None)], SWAPS)
    assert (counts.hit, counts.restored, counts.offered) == (2, 0, 1)


def test_a_span_that_cuts_a_swap_restores_nothing() -> None:
    counts = count_spans(TEXT, [mark(20, 25, "family"), mark(0, 3, "A")], SWAPS)
    assert (counts.hit, counts.restored, counts.offered, counts.right) == (1, 0, 0, 5)


def test_nothing_marked_gives_no_precision() -> None:
    counts = count_spans(TEXT, [], SWAPS) + SpanCounts()
    assert (counts.precision, counts.recall, counts.suggestion) == (None, 0.0, None)


ORIGINAL = "The clear rules of deep learning help a large town."
SPUN = "The plain laws of profound learning assist a big city hall."


def swap(original: str, replacement: str) -> Swap:
    start, old = SPUN.index(replacement), ORIGINAL.index(original)
    return Swap(start, start + len(replacement), old, old + len(original), original, replacement, "synonym")


PHRASES = SpunText(
    SPUN,
    (swap("clear", "plain"), swap("rules", "laws"), swap("deep learning", "profound learning"), swap("help", "assist"),
     swap("large", "big"), swap("town", "city hall")),
    0.5,
)  # fmt: skip


def test_a_phrase_that_keeps_a_word_is_as_tight_as_what_changed() -> None:
    assert PHRASES.restore() == ORIGINAL
    tight = tighten_swaps(PHRASES)
    assert [(s.replacement, s.original) for s in tight] == [
        ("plain", "clear"), ("laws", "rules"), ("profound", "deep"), ("assist", "help"), ("big", "large"),
        ("city hall", "town"),
    ]  # fmt: skip
    for one in tight:
        assert SPUN[one.start : one.end] == one.replacement
        assert ORIGINAL[one.original_start : one.original_end] == one.original


@pytest.mark.parametrize(
    ("words", "suggestion", "hit", "restored"),
    [
        ("plain laws", "Clear rules", 1, 1),
        ("plain laws", "clear rule", 1, 0),
        ("laws of profound", "rules of deep", 1, 1),
        ("laws of profound learning", "rules of deep learning", 1, 1),
        # Half is not more than half.
        ("profound learning", "deep learning", 0, 0),
        ("a big", "a large", 1, 1),
        ("big", None, 1, 0),
        # Half a swap: whatever is suggested, nothing stood exactly there.
        ("city", "town", 1, 0),
        ("city hall", "town", 1, 1),
        # The word that the phrase kept was not swapped.
        ("learning", "learning", 0, 0),
    ],
)
def test_a_suggestion_is_right_when_it_is_what_stood_there(
    words: str, suggestion: str | None, hit: int, restored: int
) -> None:
    start = SPUN.index(words)
    span = Span(start, start + len(words), words, "synonym", 0.9, suggestion)
    counts = count_spans(SPUN, [span], tighten_swaps(PHRASES))
    assert (counts.hit, counts.restored) == (hit, restored)
    assert counts.true == len("plainlawsprofoundassistbigcityhall")
