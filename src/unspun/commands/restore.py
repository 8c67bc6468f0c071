"""The command ``unspun restore``: articles with what probably stood there put back."""

from __future__ import annotations

import sys
from enum import Enum
from itertools import chain, islice
from typing import TYPE_CHECKING, Annotated, TextIO

import typer

from unspun.article import Article, Unreadable
from unspun.commands.console import UNREADABLE, Leftovers, Meter, calm_exit, open_text, say
from unspun.commands.inputs import find_compared, load_detector, read_references
from unspun.commands.options import Context_, ContextChoice, Model_, Out_, Paths_, References_

if TYPE_CHECKING:
    from unspun.detector import Detector
    from unspun.references import References


class RestoreFormat(str, Enum):  # noqa: UP042
    text = "text"
    diff = "diff"
    json = "json"


def restore(
    paths: Paths_,
    references: References_ = None,
    context: Context_ = ContextChoice.auto,
    model: Model_ = None,
    out: Out_ = None,
    format: Annotated[
        RestoreFormat,
        typer.Option("--format", help="The text; a diff of the sentences that changed; one JSON line an article."),
    ] = RestoreFormat.text,
) -> None:
    """Put back what probably stood in an article before its words were swapped, and say what to search for.

    The search phrases for finding the original are in the diff and in the JSON; beside the text they go to stderr.

    Exit status: 0 done, 2 usage, 3 some inputs could not be read, 130 interrupted.
    """
    from unspun.readers import read_articles

    with calm_exit():
        detector = load_detector(model, context)
        built, lost = read_references(references, detector.lexicon)
        leftovers = Leftovers()
        meter = Meter("restored", quiet=out is None and sys.stdout.isatty())
        with open_text(out) as stream, meter:
            articles = read_articles(paths, leftovers.add)
            first_two = list(islice(articles, 2))
            for item in meter.count(chain(first_two, articles)):
                if isinstance(item, Unreadable):
                    lost += 1
                    say(f"{item.source}: {item.error}")
                else:
                    _restore_one(item, detector, built, format, stream, named=len(first_two) > 1)
        leftovers.tell()
        if lost:
            raise typer.Exit(UNREADABLE)


def _restore_one(
    article: Article,
    detector: Detector,
    built: References | None,
    format: RestoreFormat,
    stream: TextIO,
    named: bool,
) -> None:
    """Write the restored article, under its name where it is one of several, and say what there is to say."""
    from unspun.reporters.restored import explain, write_diff, write_json, write_text
    from unspun.restoration import restore

    verdict = detector.score(article, built)
    restored = restore(article, verdict, detector.lexicon, find_compared(verdict, built))
    if format is RestoreFormat.json:
        write_json(restored, stream)
    elif format is RestoreFormat.diff:
        write_diff(article, restored, stream)
    else:
        write_text(restored, stream, named)
    stream.flush()
    if format is RestoreFormat.text or not restored.replacements:
        for line in explain(restored, verdict):
            say(f"{article.source or article.id}: {line}")
