"""The evidence in a terminal: both sides of every swap, at any width, in colour only where colour is wanted."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from rich.console import Console

from conftest import Terminal, hostile_verdict
from unspun.article import Article, Decision, Verdict
from unspun.reporters.side_by_side import make_wide_console, write_evidence


def write(article: Article, references: list[Article], verdict: Verdict, width: int = 120) -> str:
    stream = io.StringIO()
    console = Console(file=stream, width=width, highlight=False, color_system=None)
    write_evidence(article, references, verdict, console)
    return stream.getvalue()


def test_both_sides_are_shown_with_their_numbers(article: Article, reference: Article, verdict: Verdict) -> None:
    printed = " ".join(write(article, [reference], verdict, 240).split())
    for said in (
        "Boy found Spun: words were probably swapped by a machine. A signal, not a verdict: a person decides.",
        "Of 100 articles with such a score about 97 are spun",
        "Police thanked the [1: Worldwide Heart for Lacking] and Exploited Children. archive/cnn.txt: "
        "Police thanked the [1: International Center for Missing] and Exploited Children.",
        "[2: An finish] to the search came on Monday, and the [3: household] was relieved. probably: "
        "[2: ?] to the search came on Monday, and the [3: family] was relieved.",
        "1 Worldwide Heart for Lacking: name or title altered, 99 % sure. archive/cnn.txt has this name",
        "3 household: swapped word or phrase, 80 % sure. The word does not fit the words around it; a better fit is",
    ):
        assert said in printed


@pytest.mark.parametrize("width", [40, 80, 120])
def test_no_line_is_wider_than_the_terminal(article: Article, reference: Article, verdict: Verdict, width: int) -> None:
    lines = write(article, [reference], verdict, width).splitlines()
    assert max(map(len, lines)) <= width
    squeezed = "".join("".join(lines).split())
    assert "Exploited" in squeezed


def test_a_clean_article_has_nothing_to_show(article: Article) -> None:
    assert write(article, [], Verdict(article.id, None, 0.01, "clean")) == ""


def test_a_dismissed_swap_says_so(article: Article, verdict: Verdict) -> None:
    spans = (*verdict.spans[:2], replace(verdict.spans[2], decision=Decision("dismissed")))
    assert "(dismissed by a reviewer)" in " ".join(write(article, [], replace(verdict, spans=spans)).split())


def test_hostile_text_steers_nothing() -> None:
    article, verdict = hostile_verdict()
    printed = write(article, [article], verdict)
    assert not set("\x1b\x00\u202e\u2028\x85\ud800") & set(printed)
    assert "[bold]x[/bold]" in "".join(printed.split())


def test_colour_is_for_terminals_that_want_it(
    article: Article, verdict: Verdict, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    for terminal, no_color, coloured in ((True, None, True), (True, "1", False), (False, None, False)):
        if no_color:
            monkeypatch.setenv("NO_COLOR", no_color)
        stream = Terminal() if terminal else io.StringIO()
        write_evidence(article, [], verdict, make_wide_console(stream))
        # 33 to 36 are the colours of the kinds; bold is no colour.
        assert any(f";{code}m" in stream.getvalue() for code in range(31, 37)) == coloured
        monkeypatch.delenv("NO_COLOR", raising=False)


def test_a_file_is_as_wide_as_columns_says(article: Article, verdict: Verdict, monkeypatch: pytest.MonkeyPatch) -> None:
    for columns, width in (("60", 60), ("", 100), ("x", 100), ("3", 100)):
        monkeypatch.setenv("COLUMNS", columns)
        assert make_wide_console(io.StringIO()).width == width
