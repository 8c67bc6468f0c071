"""How comparing is measured: the truth about relations, and the tables."""

from __future__ import annotations

import random

import pytest

from unspun.training.measures import SpanCounts
from unspun.training.measuring.evaluate_compared import Trial, _edit, share_shingles, tabulate_trials

TEXT = "The clear rules of deep learning help a large town."


def test_shared_shingles_are_counted_in_runs_of_eight_words() -> None:
    words = [f"w{n}" for n in range(20)]
    assert share_shingles(" ".join(words), " ".join(words).upper()) == 1.0
    assert share_shingles(" ".join(words), " ".join(words[:8])) == pytest.approx(1 / 13)
    assert share_shingles(" ".join(words), " ".join(words[:7])) == 0.0


def test_an_edit_that_touches_no_word_leaves_a_copy() -> None:
    found = set()
    for seed in range(200):
        article, relation = _edit(TEXT, TEXT, random.Random(seed))
        found.add(relation)
        if relation == "copy":
            assert "clear rules of deep learning help" in article
    assert found == {"copy", "edited"}


def test_tables_count_what_they_say() -> None:
    found = (("spun", "spun"), ("independent", "independent"))
    trials = [
        Trial("source", 0.25, "bbc", 150, 0.9, "spun", found, "clean", SpanCounts(5, 6, 12, 3, 1)),
        Trial("source", 0.25, "bbc", 500, 0.2, "suspect", (("spun", "edited"),), "spun", SpanCounts(1, 2, 12, 1, 1)),
        Trial("event", 0.05, "bbc", 150, 0.1, "clean", ()),
        Trial("copy", 0.0, "bbc", 150, 0.1, "clean", (("copy", "copy"),), document="a"),
        Trial("honest event", 0.0, "bbc", 150, 0.3, "suspect", (("shared", "edited"),), document="b"),
        Trial("honest event", 0.0, "bbc", 150, 0.1, "clean", (), document="b"),
    ]
    lines = tabulate_trials(trials)
    for row in (
        # Spans of both articles together: 6 of 8 letters right, of 24; of 4 spans on a swap 2 restored.
        "| source | 25% | 2 | 0.8333 | 0.500 | 0.500 | 0.500 | 1.000 | 0.750 | 0.250 | 0.500 |",
        "| source | 400+ | 1 | 0.6667 | 0.000 | 0.000 | 0.000 | 1.000 | 0.500 | 0.083 | 1.000 |",
        "| event | 5% | 1 | 0.3333 | 0.000 | 0.000 | 0.000 | 0.000 | – | – | – |",
        # One of the two cuts of one of the two texts.
        "| all | 3 | 2 | 0.00% (0.00%-65.76%) | 25.00% (2.67%-80.21%) |",
        "| spun | 2 | 0.500 | 0.000 | 0.500 | 0.000 |",
        "| (shared) | 1 | 0.000 | 0.000 | 1.000 | 0.000 |",
        "Right over the four classes together: 0.7500; mean of the classes: 0.8333.",
        "| 25% | 2 | 0.500 | 0.500 | 0.500 |",
    ):
        assert row in lines
