"""The command ``unspun score``: verdicts as a table or as lines."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from enum import Enum
from typing import TYPE_CHECKING, Annotated, TextIO

import typer

from unspun.article import Article
from unspun.commands.console import FLAGGED, UNREADABLE, Leftovers, Meter, calm_exit, open_text, refuse
from unspun.commands.inputs import find_compared, load_detector, read_decisions, read_references, tell_unused
from unspun.commands.judging import Judged, judge, watch
from unspun.commands.options import Context_, ContextChoice, Decisions_, Model_, Out_, Paths_, References_, Workers_

if TYPE_CHECKING:
    from unspun.references import References


class Format(str, Enum):  # noqa: UP042
    table = "table"
    jsonl = "jsonl"
    csv = "csv"
    sarif = "sarif"


class FailOn(str, Enum):  # noqa: UP042
    spun = "spun"
    suspect = "suspect"


def score(
    paths: Paths_,
    references: References_ = None,
    format: Annotated[
        Format,
        typer.Option("--format", help="Table sorted by score; jsonl, csv and sarif in the order read."),
    ] = Format.table,
    out: Out_ = None,
    verbose: Annotated[
        bool, typer.Option("--verbose", help="After the table, every swap beside what the reference says.")
    ] = False,
    decisions: Decisions_ = None,
    workers: Workers_ = 1,
    fail_on: Annotated[
        FailOn | None, typer.Option("--fail-on", help="Exit with 1 when an article is labelled so, or worse.")
    ] = None,
    context: Context_ = ContextChoice.auto,
    model: Model_ = None,
) -> None:
    """Score articles: how probably each was spun, why, and the strongest swaps.

    Exit status: 0 done, 1 flagged and --fail-on asked, 2 usage, 3 some inputs could not be read, 130 interrupted.
    """
    from unspun.readers import read_articles

    if verbose and format is not Format.table:
        refuse(f"--verbose goes with --format table; --format {format.value} holds every swap anyway")
    with calm_exit():
        decided = read_decisions(decisions)
        detector = load_detector(model, context)
        built, lost = read_references(references, detector.lexicon)
        labels = Counter[str]()
        # Progress would fight with lines that stream to the same terminal.
        meter = Meter("scored", quiet=out is None and format is not Format.table and sys.stdout.isatty())
        leftovers = Leftovers()
        with open_text(out) as stream, meter:
            articles = read_articles(paths, leftovers.add)
            judged = watch(meter.count(judge(articles, detector, built, workers, decided)), labels)
            if verbose:
                _write_verbosely(list(judged), built, stream)
            else:
                _write(judged, format, stream, built)
        leftovers.tell()
        tell_unused(decided)
        if fail_on and (labels["spun"] or (fail_on is FailOn.suspect and labels["suspect"])):
            raise typer.Exit(FLAGGED)
        if lost or labels["unreadable"]:
            raise typer.Exit(UNREADABLE)


def _write(judged: Iterator[Judged], format: Format, stream: TextIO, built: References | None) -> None:
    verdicts = (verdict for _, verdict in judged)
    if format is Format.sarif:
        from unspun.reporters.sarif import write_sarif

        write_sarif(judged, stream, built)
    elif format is Format.jsonl:
        from unspun.reporters.jsonl import write_jsonl

        for verdict in verdicts:
            write_jsonl(verdict, stream)
            stream.flush()
    elif format is Format.csv:
        from unspun.reporters.comma_separated import write_csv

        write_csv(verdicts, stream)
    else:
        from unspun.reporters.table import make_console, write_table

        write_table(list(verdicts), make_console(stream))


def _write_verbosely(judged: Sequence[Judged], built: References | None, stream: TextIO) -> None:
    from unspun.reporters.side_by_side import make_wide_console, write_evidence
    from unspun.reporters.table import make_console, rank_verdict, write_table

    write_table([verdict for _, verdict in judged], make_console(stream))
    console = make_wide_console(stream)
    for article, verdict in sorted(judged, key=lambda pair: rank_verdict(pair[1])):
        if isinstance(article, Article):
            write_evidence(article, find_compared(verdict, built), verdict, console)
