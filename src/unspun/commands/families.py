"""The command ``unspun families``: groups of articles that were spun from one another."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from unspun.commands.console import UNREADABLE, Meter, open_model, open_text, refuse, say
from unspun.commands.index import Reading, begin

if TYPE_CHECKING:
    from unspun.index.query import Index
    from unspun.lexicon import Lexicon


class FamiliesFormat(str, Enum):  # noqa: UP042 - see cli.Format
    table = "table"
    jsonl = "jsonl"


def families(
    sources: Annotated[list[Path], typer.Argument(metavar="SOURCE...", help="An index, or articles: files, folders.")],
    format: Annotated[
        FamiliesFormat, typer.Option("--format", help="A table, or one JSON object a family with all verdicts.")
    ] = FamiliesFormat.table,
    out: Annotated[Path | None, typer.Option("--out", help="Write to this file instead of stdout.")] = None,
    workers: Annotated[int, typer.Option("--workers", min=1, help="Processes that share the work.")] = 1,
    model: Annotated[Path | None, typer.Option("--model", help="A model file instead of the shipped one.")] = None,
) -> None:
    """Find families: articles spun from one another, with the probable original of each, no references given.

    Exit status: 0 done, 2 usage, 3 some articles could not be read, 130 interrupted.
    """
    from tempfile import gettempdir

    from unspun.detector import Detector
    from unspun.families.find import find_families
    from unspun.reporters.families import write_families_jsonl, write_families_table

    with begin(Path(gettempdir())):
        detector = open_model(model, lambda: Detector.load(model, "never"))
        with _open_index(sources, detector.lexicon) as (index, lost), open_text(out) as stream:
            count = len(index)
            with Meter("compared") as meter:
                found = find_families(index, detector, workers, meter.count)
            if format is FamiliesFormat.jsonl:
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
    from unspun.index.segment import IndexDamagedError

    if len(sources) == 1 and is_index(sources[0]):
        try:
            yield Index.open(sources[0], lexicon), 0
        except IndexDamagedError as error:
            refuse(str(error))
        return
    reading = Reading(sources)
    with TemporaryDirectory(prefix="unspun-") as folder:
        place = Path(folder) / "index"
        try:
            written = build_index(place, reading, lexicon)
        except IndexRefusedError:
            refuse(f"{sources[0]}: holds no readable text; name another file or folder")
        reading.tell()
        if written.known:
            say(f"{written.known} read twice, counted once")
        if written.empty:
            say(f"{written.empty} without a word left out")
        yield Index.open(place, lexicon), reading.lost
