"""What an index was found to hold for an article: as a table for people, as records for programs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TextIO

from rich.table import Table
from rich.text import Text

from unspun.article import Article
from unspun.index.query import Hit
from unspun.reporters.table import make_console, print_table
from unspun.reporters.visible import make_visible


def describe_hit(article: Article, place: int, hit: Hit) -> dict[str, Any]:
    """One hit as a record; ``likeness``: ``copy``, ``near`` or null."""
    found = hit.article
    likeness = "copy" if hit.is_copy else "near" if hit.is_near else None
    return {
        "article": article.id, "place": place, "id": found.id,
        "score": round(hit.score, 4), "resemblance": round(hit.resemblance, 4), "likeness": likeness,
        "source": found.source, "title": found.title, "date": found.date, "language": found.language,
    }  # fmt: skip


def write_hits_table(rows: Sequence[dict[str, Any]], stream: TextIO) -> None:
    """One hit a line, in the order given."""
    console = make_console(stream)
    table = Table(box=None, padding=(0, 1, 0, 0), pad_edge=False)
    for name in ("article", "score", "likeness", "reference", "date", "title"):
        table.add_column(name, overflow="fold", justify="right" if name == "score" else "left")
    for row in rows:
        cells = (row["article"], f"{row['score']:.3f}", row["likeness"], row["id"], row["date"], row["title"])
        table.add_row(*(Text(make_visible(cell or "")) for cell in cells))
    if rows:
        print_table(table, console)
