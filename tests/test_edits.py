from __future__ import annotations

import random
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unspun.training.edits import EDITS, LEAST_KEPT, draw_kinds, edit

ARTICLE = """Harbour works to begin

The harbour at Winsford will be dredged for the first time in nine years, the council said on \
Wednesday. It is expected to cost 1.2 million pounds, which is 15% more than the organisers had \
planned.

Mr Tom Ellis, who runs the ferry, said he was pleased. "We have waited a very long time for this and \
we cannot wait any longer, because every winter the channel has become a little narrower," he said.

The work was delayed by a storm, and it will also close the centre for three days. But the council \
says the programme is on time. People in the town have not complained, although some want the the \
work to finish sooner.

The council did not say who would pay. It has recieved two offers - one from a local firm and one \
from abroad. They are being examined now.

A meeting will be held on Friday, according to the council.
"""


def words(text: str) -> list[str]:
    return re.findall(r"\w+", text.lower())


@pytest.mark.parametrize("kind", EDITS)
def test_every_edit_changes_something_and_keeps_most_words(kind: str) -> None:
    drawn = [EDITS[kind](ARTICLE, random.Random(seed)) for seed in range(20)]
    assert any(text != ARTICLE for text in drawn)
    for text in drawn:
        kept = len(set(words(text)) & set(words(ARTICLE))) / len(set(words(ARTICLE)))
        assert kept >= LEAST_KEPT


@pytest.mark.parametrize("kind", EDITS)
def test_equal_seeds_give_equal_edits(kind: str) -> None:
    assert EDITS[kind](ARTICLE, random.Random(7)) == EDITS[kind](ARTICLE, random.Random(7))


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=300), st.integers(0, 99))
def test_no_text_breaks_an_edit(text: str, seed: int) -> None:
    for kind in EDITS:
        assert isinstance(edit(text, random.Random(seed), [kind]), str)


def test_drawn_edits_leave_an_article() -> None:
    for seed in range(60):
        text = edit(ARTICLE, random.Random(seed))
        assert len(words(text)) >= LEAST_KEPT * len(words(ARTICLE)) - 5
        assert 2 <= len(draw_kinds(random.Random(seed))) <= 5


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(KeyError):
        edit(ARTICLE, random.Random(1), ["nonsense"])


@pytest.mark.parametrize(
    ("kind", "wording"),
    [
        ("respell", "The harbor at Winsford"),
        ("respell", "the center for three days"),
        ("contract", "We've waited"),
        ("contract", "did not say"),
        ("restyle_numbers", "in 9 years"),
        ("restyle_numbers", "15 per cent more"),
        ("restyle_attribution", "the council said Wednesday"),
        ("restyle_attribution", "Tom Ellis, who"),
        ("restyle_typography", "“We have waited"),
        ("restyle_typography", "two offers—one"),
        ("correct_typos", "has received two"),
        ("correct_typos", "want the work to"),
        ("split_sentences", "delayed by a storm. It will"),
        ("merge_sentences", "who would pay, and it has"),
        ("trim_clauses", "1.2 million pounds."),
        ("shorten", "harbour at Winsford"),
        ("trim_quotes", "..."),
        ("add_furniture", "Read more"),
        ("reword", "However, the council"),
    ],
)
def test_what_an_edit_writes(kind: str, wording: str) -> None:
    assert any(wording in EDITS[kind](ARTICLE, random.Random(seed)) for seed in range(300))


def test_moved_paragraphs_are_all_still_there() -> None:
    moved = [EDITS["reorder_paragraphs"](ARTICLE, random.Random(seed)) for seed in range(5)]
    for text in moved:
        assert sorted(words(text)) == sorted(words(ARTICLE))
        assert text.startswith("Harbour works to begin\n")
        assert text != ARTICLE
