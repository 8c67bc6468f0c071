"""The command ``unspun report``: a page for each article, for a folder an overview."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from unspun.article import Article
from unspun.commands.console import UNREADABLE, Leftovers, Meter, calm_exit, open_text, refuse, say
from unspun.commands.inputs import find_compared, load_detector, read_decisions, read_references, tell_unused
from unspun.commands.judging import Judged, judge, recall, watch
from unspun.commands.options import Context_, ContextChoice, Decisions_, Model_, Paths_, References_, Workers_

if TYPE_CHECKING:
    from unspun.lexicon import Lexicon
    from unspun.references import References


def report(
    paths: Paths_,
    out: Annotated[
        Path, typer.Option("--out", help="The .html file to write for one article, or a folder for the pages of all.")
    ],
    references: References_ = None,
    verdicts: Annotated[
        Path | None,
        typer.Option("--verdicts", help="Draw these verdicts, saved by score --format jsonl, and score nothing."),
    ] = None,
    decisions: Decisions_ = None,
    workers: Workers_ = 1,
    context: Context_ = ContextChoice.auto,
    model: Model_ = None,
) -> None:
    """Write a page for each article: beside its reference, every swap marked and explained; for a folder an overview.

    Exit status: 0 done, 2 usage, 3 some inputs could not be read, 130 interrupted.
    """
    from unspun.lexicon import Lexicon
    from unspun.readers import read_articles

    if verdicts and (decisions or model):
        refuse("--verdicts draws what was scored before; leave out --decisions and --model, or score again")
    with calm_exit():
        decided = read_decisions(decisions)
        detector = None if verdicts else load_detector(model, context)
        lexicon = detector.lexicon if detector else Lexicon.load()
        built, lost = read_references(references, lexicon)
        leftovers = Leftovers()
        articles = read_articles(paths, leftovers.add)
        labels = Counter[str]()
        with Meter("drawn") as meter:
            judged: Iterator[Judged]
            if detector:
                judged = judge(articles, detector, built, workers, decided)
            else:
                assert verdicts is not None
                judged = recall(articles, verdicts)
            judged = watch(meter.count(judged), labels)
            if out.suffix.lower() in (".html", ".htm") or (out.exists() and not out.is_dir()):
                _draw_one(judged, built, lexicon, out)
            else:
                _draw_all(judged, built, lexicon, out)
        leftovers.tell()
        tell_unused(decided)
        if lost or labels["unreadable"]:
            raise typer.Exit(UNREADABLE)


def _draw_one(judged: Iterator[Judged], built: References | None, lexicon: Lexicon, out: Path) -> None:
    from unspun.reporters.html import render_report

    found = list(islice(judged, 2))
    if len(found) != 1:
        refuse(f"--out {out}: is one page, and there are more articles; name a folder")
    article, verdict = found[0]
    if isinstance(article, Article):
        page = render_report(article, find_compared(verdict, built), verdict, lexicon)
        with open_text(out) as stream:
            stream.write(page)
        say(f"{out}: written")


def _draw_all(judged: Iterator[Judged], built: References | None, lexicon: Lexicon, out: Path) -> None:
    from unspun.reporters.html import render_report
    from unspun.reporters.overview import make_row, name_page, render_overview

    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        refuse(f"--out {out}: cannot be made ({error.strerror}); name another folder")
    rows, taken = [], {"index.html": 1}
    for article, verdict in judged:
        name = None
        if isinstance(article, Article):
            name = name_page(article.id, taken)
            with open_text(out / name) as stream:
                stream.write(render_report(article, find_compared(verdict, built), verdict, lexicon, "index.html"))
        rows.append(make_row(verdict, article.title if isinstance(article, Article) else None, name))
    with open_text(out / "index.html") as stream:
        stream.write(render_overview(rows))
    say(f"{out / 'index.html'}: written, with {len(taken) - 1} pages")
