"""Verdicts as a table: for people, the most suspicious first."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, TextIO

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from unspun.article import Span, Verdict
from unspun.reporters.visible import make_visible, shorten

_STYLES: Final = {"spun": "bold red", "suspect": "yellow", "clean": "green", "unscored": "dim"}
#: Width where no terminal sets one: no row is ever wrapped or cut.
_UNBOUNDED: Final = 10_000
#: Longest wording shown, in characters: a swapped quotation must not fill the screen.
_LONGEST: Final = 60
_SWAPS: Final = 2


def make_console(stream: TextIO, width: int = _UNBOUNDED) -> Console:
    """A console on ``stream``: as wide as its terminal, or plain and of this ``width`` where it is none."""
    if stream.isatty():
        return Console(file=stream, highlight=False)
    return Console(file=stream, highlight=False, width=width, color_system=None, force_terminal=False)


def write_table(verdicts: Iterable[Verdict], console: Console) -> None:
    """Print the verdicts by falling score, those without a score last with the reason that they have none."""
    head = box.SIMPLE_HEAD if console.is_terminal else None
    table = Table(box=head, padding=(0, 1, 0, 0), pad_edge=False, show_edge=False)
    table.add_column("score", justify="right", no_wrap=True)
    table.add_column("label", no_wrap=True)
    table.add_column("article", overflow="fold", ratio=1)
    table.add_column("reason", max_width=10 if console.is_terminal else None)
    table.add_column("spans", justify="right", no_wrap=True)
    table.add_column("strongest swaps", overflow="fold", ratio=2)
    # Without a terminal one row is one line, so that grep and cut work.
    joint = "\n" if console.is_terminal else "; "
    rows = 0
    for verdict in sorted(verdicts, key=rank_verdict):
        rows += 1
        last = make_visible(verdict.error) if verdict.error else joint.join(map(_spell, _swaps(verdict)))
        # Text objects, never strings: rich would obey "[bold]" in the name of an article.
        table.add_row(
            Text("–" if verdict.score is None else f"{verdict.score:.3f}"),
            Text(verdict.label, style=_STYLES.get(verdict.label, "")),
            Text(make_visible(verdict.id)),
            Text((verdict.reason or "").replace("_", " ")),
            Text(str(len(verdict.spans)) if verdict.score is not None else ""),
            Text(last),
        )
    if console.is_terminal or rows:
        print_table(table, console)


def print_table(table: Table, console: Console) -> None:
    """Print it; without a terminal, without the blanks that rich fills every row with to the width of the longest."""
    if console.is_terminal:
        console.print(table)
        return
    with console.capture() as printed:
        console.print(table)
    for line in printed.get().splitlines():
        console.file.write(line.rstrip() + "\n")


def rank_verdict(verdict: Verdict) -> tuple[bool, float, str]:
    """Sorts verdicts for people."""
    return verdict.score is None, -(verdict.score or 0.0), verdict.id


def _swaps(verdict: Verdict) -> list[Span]:
    return [span for span in verdict.strongest(_SWAPS) if span.suggestion is not None] or verdict.strongest(1)


def _spell(span: Span) -> str:
    words = shorten(make_visible(span.text), _LONGEST)
    if span.suggestion is None:
        return words
    return f"{words} ← {shorten(make_visible(span.suggestion), _LONGEST)}"
