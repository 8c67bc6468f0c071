"""Reporters: what a verdict looks like, and that no text in it can do harm there."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import json
import math
import re
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from conftest import mark
from unspun.article import KINDS, LABELS, REASONS, Article, Passage, Relation, Span, Verdict
from unspun.reporters.comma_separated import COLUMNS, write_csv
from unspun.reporters.html import render_report
from unspun.reporters.jsonl import write_jsonl
from unspun.reporters.table import make_console, write_table
from unspun.reporters.visible import make_visible

HOSTILE = "=[bold]x[/bold] :smile: \x1b[31m\x00\u202e\u2028\x85<script>alert(1)</script>\"'&\ud800"


def hostile_verdict() -> tuple[Article, Verdict]:
    article = Article(HOSTILE, HOSTILE, HOSTILE, HOSTILE)
    span = Span(0, len(HOSTILE), HOSTILE, "trick", 0.5, HOSTILE, Passage(HOSTILE, 0, 5, HOSTILE), (HOSTILE,))
    relation = Relation(HOSTILE, "spun", 0.5)
    return article, Verdict(
        HOSTILE, HOSTILE, 0.5, "suspect", "characters_tampered", (span,), (relation,), HOSTILE, HOSTILE
    )


def print_table(*verdicts: Verdict, width: int | None = None) -> str:
    stream = io.StringIO()
    console = make_console(stream)
    if width:
        console = Console(file=stream, width=width, force_terminal=True, color_system=None, highlight=False)
    write_table(verdicts, console)
    return stream.getvalue()


def print_jsonl(verdict: Verdict) -> str:
    stream = io.StringIO()
    write_jsonl(verdict, stream)
    return stream.getvalue()


def print_csv(*verdicts: Verdict) -> str:
    stream = io.StringIO()
    write_csv(verdicts, stream)
    return stream.getvalue()


# --- visible text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain – “café” 漢字 \u00a0.", "plain – “café” 漢字 \u00a0."),
        ("a\r\n\tb", "a b"),
        ("\x1b\x00\x9b\u202e\u200b\ud800\U000e0041", "\\x1b\\x00\\x9b\\u202e\\u200b\\ud800\\U000e0041"),
    ],
)
def test_hidden_characters_are_spelled_out(text: str, shown: str) -> None:
    assert make_visible(text) == shown


# --- table


def test_rows_fall_by_score_and_those_without_come_last(verdict: Verdict) -> None:
    unread = Verdict("gone.txt", "gone.txt", None, "unscored", "unreadable", error="no such file")
    clean = Verdict("clean.txt", None, 0.01, "clean")
    lines = print_table(unread, clean, verdict).splitlines()
    assert lines[0].split() == ["score", "label", "article", "reason", "spans", "strongest", "swaps"]
    assert lines[1].split()[:5] == ["0.973", "spun", "inbox/heart.txt", "name", "altered"]
    assert lines[1].endswith("3 Worldwide Heart for Lacking ← International Center for Missing; household ← family")
    assert lines[2].split() == ["0.010", "clean", "clean.txt", "0"]
    assert lines[3].split() == ["–", "unscored", "gone.txt", "unreadable", "no", "such", "file"]


@pytest.mark.parametrize("width", [80, 120])
def test_a_terminal_of_usual_width_shows_every_word(verdict: Verdict, width: int) -> None:
    printed = print_table(replace(verdict, id="a/rather/long/path/to/an/article.txt"), width=width)
    assert max(map(len, printed.splitlines())) <= width
    for word in (
        "0.973",
        "altered",
        "Worldwide",
        "Lacking",
        "International",
        "Missing",
        "household",
        "family",
    ):
        assert word in printed


def test_nothing_prints_no_table() -> None:
    assert print_table() == ""


def test_a_long_wording_is_cut(verdict: Verdict) -> None:
    long = "word " * 40
    printed = print_table(replace(verdict, spans=(Span(0, len(long), long, "quote", 0.9, "short"),)))
    assert re.search(r" (word ){11}word… ← short$", printed, re.MULTILINE)


@pytest.mark.parametrize("width", [None, 80])
def test_a_table_shows_hostile_text_literally(width: int | None) -> None:
    printed = print_table(hostile_verdict()[1], width=width)
    squeezed = re.sub(r"\s", "", printed)
    assert "[bold]x[/bold]" in squeezed
    assert ":smile:" in squeezed
    assert "\\x1b[31m\\x00\\u202e" in squeezed
    assert not set("\x1b\x00\u202e\u2028\x85\ud800") & set(printed)


# --- JSON lines


def test_a_json_line_is_schema_1(verdict: Verdict) -> None:
    line = print_jsonl(verdict)
    record = json.loads(line)
    assert line.endswith("}\n")
    assert record == verdict.to_dict()
    assert list(record) == [
        "schema",
        "id",
        "source",
        "score",
        "label",
        "reason",
        "spans",
        "references",
        "model",
        "error",
    ]


def test_a_json_line_stays_one_line_of_utf8() -> None:
    article, verdict = hostile_verdict()
    line = print_jsonl(verdict)
    assert len(line.splitlines()) == 1
    assert json.loads(line.encode())["id"] == article.id.replace("\ud800", "\ufffd")
    assert "é" in print_jsonl(replace(verdict, id="é"))


@pytest.mark.parametrize("score", [math.nan, math.inf])
def test_no_json_line_holds_a_score_that_is_no_number(verdict: Verdict, score: float) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        print_jsonl(replace(verdict, score=score))


# --- CSV


def read_csv(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_a_row_holds_the_whole_verdict(verdict: Verdict) -> None:
    (row,) = read_csv(print_csv(verdict))
    assert tuple(row) == COLUMNS
    assert json.loads(row["spans"]) == [span.to_dict() for span in verdict.spans]
    assert row["top_swaps"] == "Worldwide Heart for Lacking ← International Center for Missing; household ← family"
    assert row["references"] == "archive/cnn.txt:spun:0.41"
    assert [row[name] for name in ("schema", "score", "label", "reason", "span_count", "model", "error")] == [
        "1", "0.973", "spun", "name_altered", "3", "default@1", "",
    ]  # fmt: skip


@pytest.mark.parametrize("first", [*"=+-@\t\r\n＝"])
def test_no_cell_runs_as_a_formula(verdict: Verdict, first: str) -> None:
    text = first + 'cmd|"/c calc"!A1'
    (row,) = read_csv(print_csv(replace(verdict, id=text, source=text, model=text, error=text)))
    for name in ("id", "source", "model", "error"):
        assert row[name] == "'" + text


def test_hostile_text_stays_in_its_cell() -> None:
    (row,) = read_csv(print_csv(hostile_verdict()[1]))
    assert row["id"] == "'" + HOSTILE.replace("\ud800", "\ufffd")


def test_no_verdicts_leave_the_header() -> None:
    assert print_csv() == ",".join(COLUMNS) + "\n"


# --- HTML


class Page(HTMLParser):
    """The page as a browser would see it: its elements, and the article's text with its marks put back."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, Any]]] = []
        self.text = ""
        self.marked: list[str] = []
        self._depth = self._mark = 0
        self.words = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self.tags.append((tag, values))
        if values.get("id") == "text":
            self._depth = 1
        elif self._depth and tag == "div":
            raise AssertionError("a block inside the article's text")
        elif self._depth and tag == "mark":
            self._mark = 1
            self.marked.append("")
        elif tag == "i":
            self.handle_data(chr(int(str(values["data-c"]), 16)))

    def handle_endtag(self, tag: str) -> None:
        if tag == "div":
            self._depth = 0
        elif tag == "mark":
            self._mark = 0

    def handle_data(self, data: str) -> None:
        self.words += data
        if self._depth:
            self.text += data
            if self._mark:
                self.marked[-1] += data


def test_the_page_offers_alternatives_where_there_are_any(
    article: Article, reference: Article, verdict: Verdict
) -> None:
    spans = tuple(replace(span, alternatives=("kin", "clan")) for span in verdict.spans if span.suggestion == "family")
    page = Page(render_report(article, [reference], replace(verdict, spans=spans)))
    titles = [values["title"] for tag, values in page.tags if "stood" in values.get("title", "")]
    assert any(title.endswith("Probably stood there: family (or: kin, clan).") for title in titles)


def test_the_page_says_what_the_verdict_says(article: Article, reference: Article, verdict: Verdict) -> None:
    page = Page(render_report(article, [reference], verdict))
    assert page.text == article.text
    assert page.marked == [span.text for span in verdict.spans]
    words = " ".join(page.words.split())
    assert "Spun: words were probably swapped by a machine" in words
    assert "Estimated probability: 97 %. A signal, not a verdict." in words
    assert REASONS["name_altered"] in words
    assert "Police thanked the International Center for Missing and Exploited Children. (archive/cnn.txt)" in words
    assert "The boy was found" not in words
    assert "archive/cnn.txt spun 41 %" in words
    assert [values["title"] for tag, values in page.tags if tag == "mark" and "stood" in values.get("title", "")] == [
        "1: name or title altered, 99 % sure. Probably stood there: International Center for Missing. "
        "Shown by: archive/cnn.txt.",
        "3: swapped word or phrase, 80 % sure. Probably stood there: family.",
    ]


def test_the_page_is_closed_to_the_outside(article: Article, verdict: Verdict) -> None:
    page = render_report(article, [], verdict)
    style = re.search(r"<style>(.*?)</style>", page, re.DOTALL)
    assert style
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    assert f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'" in page
    tags = Page(page).tags
    assert not {"script", "link", "img", "iframe", "form", "object"} & {tag for tag, _ in tags}
    for _, values in tags:
        assert not {"style", "src"} & set(values)
        assert values.get("href", "#").startswith("#")


def test_hostile_text_is_inert_on_the_page() -> None:
    article, verdict = hostile_verdict()
    page = render_report(article, [article], verdict)
    page.encode()  # fails on surrogates
    assert not set("\x1b\x00\u202e\x85") & set(page)
    parsed = Page(page)
    assert "script" not in {tag for tag, _ in parsed.tags}
    assert parsed.text == HOSTILE
    assert parsed.marked == [HOSTILE]


@st.composite
def marked_articles(draw: st.DrawFn) -> tuple[Article, Verdict]:
    text = draw(st.text(st.characters(exclude_categories=[]), min_size=1, max_size=60))
    cuts = sorted(draw(st.sets(st.integers(0, len(text)), max_size=8)))
    pairs = list(zip(cuts[::2], cuts[1::2], strict=False))
    spans = tuple(
        Span(
            start,
            end,
            text[start:end],
            draw(st.sampled_from(KINDS)),
            0.5,
            draw(st.none() | st.text(max_size=9)),
        )
        for start, end in pairs
    )
    return Article("a", text), Verdict("a", None, 0.5, draw(st.sampled_from(LABELS)), None, spans)


@given(marked_articles())
def test_marks_strip_back_to_the_text(given_pair: tuple[Article, Verdict]) -> None:
    article, verdict = given_pair
    source = render_report(article, [], verdict)
    # What a browser would change before it parses: it must not stand in the page raw.
    assert not set("\r\0") & set(source)
    page = Page(source)
    assert page.text == article.text
    assert page.marked == [span.text for span in verdict.spans]


@pytest.mark.parametrize(
    "spans",
    [
        [Span(0, 6, "Policy", "synonym", 0.5)],
        [Span(0, 6, "Police", "synonym", 0.5), Span(3, 6, "ice", "synonym", 0.5)],
        [Span(900, 904, "more", "synonym", 0.5)],
    ],
)
def test_a_verdict_of_another_text_is_refused(article: Article, verdict: Verdict, spans: list[Span]) -> None:
    with pytest.raises(ValueError, match=r"inbox/heart\.txt: span \d of the verdict does not fit the text"):
        render_report(article, [], replace(verdict, spans=tuple(spans)))


def test_a_passage_without_its_reference_is_shown_alone(article: Article, verdict: Verdict) -> None:
    words = Page(render_report(article, [], verdict)).words
    assert "International Center for Missing (archive/cnn.txt)" in words


def test_references_that_agree_are_named() -> None:
    article = Article("a", "He said that the squad won.")
    said = "He said that the side won."
    passage = Passage("one", 17, 21, "side")
    verdict = Verdict("a", None, 0.9, "spun", "quote_altered", (Span(17, 22, "squad", "quote", 0.9, "side", passage),))
    others = [Article("one", said), Article("two", f"On Monday: {said}"), Article("three", "Another side won.")]
    words = Page(render_report(article, others, verdict)).words
    assert "(one; the same in two)" in words


def test_a_long_sentence_is_cut_around_the_passage(article: Article) -> None:
    text = "before " * 60 + "“the original words” " + "after " * 60
    start = text.index("the original")
    passage = Passage("r", start, start + 18, "the original words")
    span = replace(mark(article.text, "household", "synonym", 0.8), reference=passage)
    verdict = Verdict("a", None, 0.5, "suspect", "synonyms_swapped", (span,), (Relation("r", "spun", 0.2),))
    words = Page(render_report(article, [Article("r", text)], verdict)).words
    quoted = re.search(r"…([^…]*)the original words([^…]*)…", words)
    assert quoted
    assert [len(part) for part in quoted.groups()] == [200, 200]


@pytest.mark.parametrize(
    ("verdict", "says"),
    [
        (Verdict("a", None, None, "unscored", "too_short"), "Reason: fewer words than a judgement needs."),
        (Verdict("a", None, 0.001, "clean"), "Estimated probability: under 1 %."),
        (Verdict("a", None, 1.0, "spun"), "Estimated probability: over 99 %."),
        (Verdict("a", None, None, "unscored", "unreadable", error="looks binary"), "looks binary"),
    ],
)
def test_every_label_has_its_page(verdict: Verdict, says: str) -> None:
    words = Page(render_report(Article("a", "words"), [], verdict)).words
    assert says in words
    assert ("A signal, not a verdict." in words) == (verdict.score is not None)
