"""The commands ``unspun index ...``: references on disk, built, changed, looked at."""

from __future__ import annotations

import json
import sys
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from unspun.commands.console import NAMED, UNREADABLE, guard_index, refuse, say
from unspun.commands.inputs import Reading, read_sources
from unspun.commands.options import TableFormat

if TYPE_CHECKING:
    from datetime import date

    from unspun.index.build import Written


class InfoFormat(str, Enum):  # noqa: UP042
    text = "text"
    json = "json"


class Leaving(str, Enum):  # noqa: UP042
    nothing = "nothing"
    copies = "copies"
    near = "near"


index_app = typer.Typer(
    no_args_is_help=True,
    help="An index of references on disk: --references takes it wherever it takes a folder.",
)

Sources_ = Annotated[
    list[Path], typer.Argument(metavar="SOURCE...", help="References: .txt .md .html .jsonl .jsonl.gz, or folders.")
]
Index_ = Annotated[Path, typer.Argument(metavar="INDEX", help="The index.")]


@index_app.command()
def build(
    sources: Sources_,
    out: Annotated[
        Path, typer.Option("--out", help="The folder to make; an index there is replaced once all is read.")
    ],
) -> None:
    """Make an index of references.

    Exit status: 0 done, 2 usage, 3 some sources could not be read, 130 interrupted, 143 terminated.
    """
    from unspun.index.build import build_index
    from unspun.lexicon import Lexicon

    with guard_index(out):
        reading = Reading()
        written = build_index(out, read_sources(sources, reading), Lexicon.load())
        _finish(out, written, reading)


@index_app.command()
def add(index: Index_, sources: Sources_) -> None:
    """Add references to an index; those that it holds already are passed over.

    Exit status: 0 done, 2 usage, 3 some sources could not be read, 130 interrupted, 143 terminated.
    """
    from unspun.index.build import add_articles
    from unspun.lexicon import Lexicon

    with guard_index(index):
        reading = Reading()
        written = add_articles(index, read_sources(sources, reading), Lexicon.load())
        _finish(index, written, reading)


@index_app.command()
def remove(
    index: Index_,
    ids: Annotated[list[str] | None, typer.Argument(metavar="ID...", help="The references' ids.")] = None,
    file: Annotated[
        Path | None, typer.Option("--ids", help="A file with more of them, one a line.", exists=True, dir_okay=False)
    ] = None,
) -> None:
    """Take references out of an index; merge frees their place.

    Exit status: 0 done, 2 usage, 3 some ids are not in the index, 130 interrupted, 143 terminated.
    """
    from unspun.index.build import remove_articles

    wanted = list(ids or ())
    if file:
        try:
            wanted += [line for line in file.read_text("utf-8").split("\n") if line]
        except (OSError, UnicodeDecodeError) as error:
            refuse(f"--ids {file}: cannot be read ({getattr(error, 'strerror', None) or 'no text'}); check the file")
    if not wanted:
        refuse("name the ids of the references to remove, or a file of them with --ids")
    with guard_index(index):
        written, missing = remove_articles(index, wanted)
        for identifier in missing[:NAMED]:
            say(f"{index}: holds no reference {identifier}")
        if len(missing) > NAMED:
            say(f"{index}: nor {len(missing) - NAMED} more")
        say(f"{index}: {written.removed} removed")
        if missing:
            raise typer.Exit(UNREADABLE)


@index_app.command()
def merge(index: Index_) -> None:
    """Rewrite an index as one piece, without what was removed: smaller and faster to ask.

    Exit status: 0 done, 2 usage, 130 interrupted, 143 terminated.
    """
    from unspun.index.build import merge_index

    with guard_index(index):
        merge_index(index)
        say(f"{index}: merged")


@index_app.command()
def info(
    index: Index_,
    check: Annotated[bool, typer.Option("--check", help="Read every file and compare checksums.")] = False,
    format: Annotated[
        InfoFormat, typer.Option("--format", help="Lines to read, or one JSON object.")
    ] = InfoFormat.text,
) -> None:
    """Say what an index holds, and whether it is whole.

    Exit status: 0 done, 2 it cannot be used.
    """
    from unspun.index.query import Index

    with guard_index(index):
        opened = Index.open(index)
        if check:
            for segment in opened.segments:
                segment.check()
        measured = [segment.measure() for segment in opened.segments]
        held = sum(segment.count for segment in opened.segments)
        about: dict[str, Any] = {
            "references": len(opened),
            "removed": held - len(opened),
            "segments": len(opened.segments),
            "keys": sum(segment.postings for segment in opened.segments),
            "text_bytes": sum(texts for texts, _ in measured),
            "index_bytes": sum(beside for _, beside in measured),
            "checked": check,
        }
        if format is InfoFormat.json:
            typer.echo(json.dumps(about))
        else:
            for name, value in about.items():
                shown = ("no", "yes")[value] if isinstance(value, bool) else f"{value:,}"
                typer.echo(f"{name.replace('_', ' '):12} {shown}")


@index_app.command()
def find(
    index: Index_,
    articles: Annotated[list[Path], typer.Argument(metavar="ARTICLE...", help="Articles: files or folders.")],
    limit: Annotated[int, typer.Option("--limit", min=1, help="References for each, copies not counted.")] = 5,
    after: Annotated[
        str | None, typer.Option("--after", metavar="DATE", help="Only references from this day on.")
    ] = None,
    before: Annotated[str | None, typer.Option("--before", metavar="DATE", help="... up to this day.")] = None,
    outlet: Annotated[
        list[str] | None, typer.Option("--outlet", metavar="HOST", help="... with a URL there. May be given again.")
    ] = None,
    language: Annotated[
        list[str] | None, typer.Option("--language", help='... given as of this language ("en"). May be given again.')
    ] = None,
    leave_out: Annotated[
        Leaving, typer.Option("--leave-out", help="Nothing; exact copies of the article; near ones too.")
    ] = Leaving.nothing,
    format: Annotated[
        TableFormat, typer.Option("--format", help="A table, or one JSON object a hit.")
    ] = TableFormat.table,
) -> None:
    """Find what articles were probably made from, or tells of the same, and score nothing.

    Exit status: 0 done, 2 usage, 3 some articles could not be read, 130 interrupted.
    """
    from unspun.index.query import Index
    from unspun.index.selection import Selection
    from unspun.reporters.hits import describe_hit, write_hits_table
    from unspun.reporters.jsonl import write_record
    from unspun.text import Text

    selection = Selection(
        _read_day("--after", after), _read_day("--before", before), tuple(outlet or ()), tuple(language or ())
    )
    with guard_index(index):
        opened, reading = Index.open(index), Reading()
        found = list[dict[str, Any]]()
        for article in reading.read(articles):
            hits = opened.query(Text(article.text), limit, article.source, leave_out.value, selection)
            described = [describe_hit(article, place, hit) for place, hit in enumerate(hits, 1)]
            if format is TableFormat.jsonl:
                for row in described:
                    write_record(row, sys.stdout)
            found += described
            if not hits:
                say(f"{article.id}: nothing found")
        reading.tell()
        if format is TableFormat.table:
            write_hits_table(found, sys.stdout)
        if reading.lost:
            raise typer.Exit(UNREADABLE)


def _read_day(option: str, written: str | None) -> date | None:
    from unspun.index.selection import parse_date

    day = parse_date(written) if written else None
    if written and day is None:
        refuse(f"{option} {written}: is no date; write it as 2026-11-22")
    return day


def _finish(index: Path, written: Written, reading: Reading) -> None:
    """Tell what came of it; exit with 3 when something could not be read."""
    reading.tell()
    parts = [f"{written.added} added"]
    if written.known:
        parts.append(f"{written.known} there already")
    if written.empty:
        parts.append(f"{written.empty} without a word left out")
    say(f"{index}: {', '.join(parts)}")
    if reading.lost:
        raise typer.Exit(UNREADABLE)
