"""Families as a table for people, and as JSON lines for programs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, TextIO

from rich.table import Table
from rich.text import Text

from unspun.families.groups import Family
from unspun.reporters.jsonl import write_record
from unspun.reporters.table import make_console, print_table
from unspun.reporters.visible import make_visible

_STYLES: Final = {"original": "bold green", "spun": "bold red", "copy": "cyan", "edited": "yellow"}


def write_families_jsonl(families: Sequence[Family], stream: TextIO) -> None:
    """One family a line, each member with its verdict (schema 1)."""
    for family in families:
        write_record(family.to_dict(), stream)


def write_families_table(families: Sequence[Family], stream: TextIO) -> None:
    """One member a line, families by size; without a terminal every line stands for itself."""
    console = make_console(stream)
    table = Table(box=None, padding=(0, 1, 0, 0), pad_edge=False)
    table.add_column("family", justify="right", no_wrap=True)
    table.add_column("member", no_wrap=True)
    table.add_column("score", justify="right", no_wrap=True)
    table.add_column("article", overflow="fold", ratio=2)
    table.add_column("beside", overflow="fold", ratio=2)
    table.add_column("follows", justify="right", no_wrap=True)
    for number, family in enumerate(families, 1):
        for member in family.members:
            verdict = member.verdict
            table.add_row(
                Text(str(number)),
                Text(member.role, style=_STYLES[member.role]),
                Text("–" if verdict.score is None else f"{verdict.score:.3f}"),
                Text(make_visible(verdict.id)),
                Text(make_visible(member.beside or "")),
                Text(f"{member.coverage:.0%}" if member.beside else ""),
            )
        if console.is_terminal and number < len(families):
            table.add_section()
    if families:
        print_table(table, console)
