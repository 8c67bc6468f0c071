"""Words, sentences and quotations point back into the string as it was read, whatever it holds."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unspun.letters import normalise_word
from unspun.text import MAX_SENTENCE, Text

#: Text as the web has it: quotes of all kinds, no-break spaces, emoji, combining marks, hidden characters.
AWKWARD = st.text(
    st.sampled_from(list("aé e\u0301 B.9,!?-'’\"“”‘«»\u00a0\u200b\u00ad\u202e\ufeff\r\n\t🙂👩‍👧 аΑ中\x00")), max_size=80
)


@given(AWKWARD | st.text(max_size=60))
def test_words_and_sentences_point_into_the_text(raw: str) -> None:
    text = Text(raw)
    end = 0
    for word in text.words:
        assert end <= word.start < word.end
        assert normalise_word(raw[word.start : word.end]) == word.norm
        end = word.end
    covered = [index for first, last in text.sentences for index in range(first, last)]
    assert covered == list(range(len(text.words)))
    for start, stop in text.quotations:
        assert 0 <= start < stop <= len(raw)


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        ("Don’t stop", ["don't", "stop"]),
        ("a start-up", ["a", "start", "up"]),
        ("1,000.5 tonnes", ["1,000.5", "tonnes"]),
        ("cafe\u0301 au lait", ["café", "au", "lait"]),
        ("hid\u200bden", ["hidden"]),
        ("p\u0430ypal", ["paypal"]),
        ("Москва", ["москва"]),
        ("o\u00adclock", ["oclock"]),
    ],
)
def test_words_are_normalised(raw: str, words: list[str]) -> None:
    assert Text(raw).norms == words


@pytest.mark.parametrize(
    ("raw", "sentences"),
    [
        ("Mr. Roe came. He left.", 2),
        ("The U.S. Senate met. It voted.", 2),
        ("It cost $3.5 million. Too much!", 2),
        ("A headline\nThe story begins.", 2),
        ("“Go,” he said. “Now.” They went.", 3),
        ("J. K. Lund spoke.", 1),
        ("line one\r\nline two", 2),
    ],
)
def test_sentences(raw: str, sentences: int) -> None:
    assert len(Text(raw).sentences) == sentences


@pytest.mark.parametrize(
    ("raw", "quotations"),
    [
        ('He said "no" and "yes".', ["no", "yes"]),
        ("“We will,” she said, “go on.”", ["We will,", "go on."]),
        ("“Left open\n\nNext paragraph", ["Left open"]),
        ("It's the dogs' home", []),
        ("«Oui», dit-il", ["Oui"]),
    ],
)
def test_quotations(raw: str, quotations: list[str]) -> None:
    assert [raw[start:end] for start, end in Text(raw).quotations] == quotations


def test_a_range_is_widened_to_the_sentences_that_it_touches() -> None:
    text = Text("One is here. \u201cTwo is there!\u201d Three is gone.")
    assert [text.raw[slice(*part)] for part in text.sentence_slices] == [
        "One is here.",
        "\u201cTwo is there!\u201d",
        "Three is gone.",
    ]
    start = text.raw.index("there")
    assert text.raw[slice(*text.enclose(start, start + 5))] == "\u201cTwo is there!\u201d"
    assert text.enclose(8, start) == (0, text.raw.index(" Three"))
    assert text.enclose(12, 13) == (12, 13)


def test_what_goes_on_for_ever_is_cut() -> None:
    text = Text("word " * (2 * MAX_SENTENCE + 5) + "end. Next one here.")
    assert text.sentences[:2] == [(0, MAX_SENTENCE), (MAX_SENTENCE, 2 * MAX_SENTENCE)]
    assert [last - first for first, last in text.sentences[2:]] == [6, 3]
    assert text.enclose(*text.sentence_slices[1]) == text.sentence_slices[1]
