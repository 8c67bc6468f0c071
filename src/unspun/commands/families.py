"""The command ``unspun families``: groups of articles that were spun from one another."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from unspun.commands.console import UNREADABLE, Meter, guard_index, open_text, refuse, say
from unspun.commands.inputs import Reading, load_detector, read_sources
from unspun.commands.options import ContextChoice, Model_, Out_, TableFormat, Workers_

if TYPE_CHECKING:
    from unspun.index.query import Index
    from unspun.lexicon import Lexicon


def families(
    sources: Annotated[list[Path], typer.Argument(metavar="SOURCE...", help="An index, or articles: files, folders.")],
    format: Annotated[
        TableFormat, typer.Option("--format", help="A table, or one JSON object a family with all verdicts.")
    ] = TableFormat.table,
    out: Out_ = None,
    workers: Workers_ = 1,
    model: Model_ = None,
) -> None:
    """Find families: articles spun from one another, with the probable original of each, no references given.

    Exit status: 0 done, 2 usage, 3 some articles could not be read, 130 interrupted.
    """
    from tempfile import gettempdir

    from unspun.families.find import find_families
    from unspun.reporters.families import write_families_jsonl, write_families_table

    with guard_index(Path(gettempdir())):
        detector = load_detector(model, ContextChoice.never)
        with _open_index(sources, detector.lexicon) as (index, lost), open_text(out) as stream:
            count = len(index)
            with Meter("compared") as meter:
                found = find_families(index, detector, workers, meter.count)
            if format is TableFormat.jsonl:
                write_families_jsonl(found, stream)
            else:
                write_families_table(found, stream)
        members = sum(len(family.members) for family in found)
        say(f"{len(found)} {'family' if len(found) == 1 else 'families'}, {members} of {count} articles")
        if lost:
            raise typer.Exit(UNREADABLE)


@contextmanager
def _open_index(sources: list[Path], lexicon: Lexicon) -> Iterator[tuple[Index, int]]:
    """The index named, or one made of the articles for the time of the command; and how many could not be read."""
    from tempfile import TemporaryDirectory

    from unspun.index.build import IndexRefusedError, build_index
    from unspun.index.manifest import is_index
    from unspun.index.query import Index

    if len(sources) == 1 and is_index(sources[0]):
        yield Index.open(sources[0], lexicon), 0
        return
    reading = Reading()
    articles = read_sources(sources, reading)
    with TemporaryDirectory(prefix="unspun-") as folder:
        place = Path(folder) / "index"
        try:
            written = build_index(place, articles, lexicon)
        except IndexRefusedError:
            refuse(f"{sources[0]}: holds no readable text; name another file or folder")
        reading.tell()
        if written.known:
            say(f"{written.known} read twice, counted once")
        if written.empty:
            say(f"{written.empty} without a word left out")
        yield Index.open(place, lexicon), reading.lost
