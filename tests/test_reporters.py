"""Reporters: what a verdict looks like, and that no text in it can do harm there."""

from __future__ import annotations

import csv
import io
import json
import math
import re
from dataclasses import replace

import pytest
from rich.console import Console

from conftest import HOSTILE, hostile_verdict
from unspun.article import Span, Verdict
from unspun.reporters.comma_separated import COLUMNS, write_csv
from unspun.reporters.jsonl import write_jsonl
from unspun.reporters.table import make_console, write_table
from unspun.reporters.visible import make_visible


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
