"""The commands: files in, verdicts out. Data goes to stdout or ``--out``, everything else to stderr.

Exit statuses: 0 done; 1 flagged and ``--fail-on`` asked for it (this goes before 3); 2 usage; 3 some inputs could
not be read, the others were scored; 130 interrupted; 143 terminated; 141 the reader of stdout went away; 70 an error of
unspun.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from enum import Enum
from importlib.util import find_spec
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TextIO, TypeAlias, TypeVar

import typer

from unspun import __version__
from unspun.article import Article, Unreadable, Verdict, check_spans
from unspun.commands.console import (
    BROKEN,
    FLAGGED,
    NAMED,
    UNREADABLE,
    Leftovers,
    Meter,
    calm_exit,
    heed_sigterm,
    open_bytes,
    open_model,
    open_text,
    refuse,
    say,
)
from unspun.commands.families import families
from unspun.commands.index import index_app

if TYPE_CHECKING:
    from unspun.decisions import Decisions
    from unspun.detector import Detector
    from unspun.lexicon import Lexicon
    from unspun.references import References

T = TypeVar("T")


class Format(str, Enum):  # noqa: UP042 - typer shows a StrEnum's members the same, but older ones do not read them
    table = "table"
    jsonl = "jsonl"
    csv = "csv"
    sarif = "sarif"


class RestoreFormat(str, Enum):  # noqa: UP042
    text = "text"
    diff = "diff"
    json = "json"


class Action(str, Enum):  # noqa: UP042
    keep = "keep"
    tag = "tag"
    quarantine = "quarantine"
    drop = "drop"


class Detail(str, Enum):  # noqa: UP042
    score = "score"
    spans = "spans"
    full = "full"


class ContextChoice(str, Enum):  # noqa: UP042
    auto = "auto"
    always = "always"
    never = "never"


class FailOn(str, Enum):  # noqa: UP042
    spun = "spun"
    suspect = "suspect"


app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Finds articles that a machine rewrote by swapping words for synonyms, and shows what stood there before.",
)
app.add_typer(index_app, name="index")
app.command()(families)

Paths_ = Annotated[
    list[Path], typer.Argument(metavar="PATH", help="Articles: .txt .md .html .jsonl .jsonl.gz, or folders.")
]
References_ = Annotated[
    list[Path] | None,
    typer.Option("--references", help="Texts to compare with: a file, folder or index. May be given more than once."),
]
# What the filter and the web service read of a record, call it by, and answer.
Spun_ = Annotated[Action, typer.Option("--spun", help="What becomes of spun records.")]
Suspect_ = Annotated[Action, typer.Option("--suspect", help="... of suspect ones.")]
Clean_ = Annotated[Action, typer.Option("--clean", help="... of clean ones.")]
Unscored_ = Annotated[Action, typer.Option("--unscored", help="... of those without a score.")]
OnError_ = Annotated[
    Action | None,
    typer.Option("--on-error", help="... of records that hold nothing to score. Default: that of --unscored."),
]
Detail_ = Annotated[Detail, typer.Option("--detail", help="How much of the verdict a tagged record gets.")]
TextField_ = Annotated[str, typer.Option("--text-field", help="Where a record has its text; dots for nested.")]
IdField_ = Annotated[str, typer.Option("--id-field")]
UrlField_ = Annotated[str, typer.Option("--url-field")]
ReferencesField_ = Annotated[
    str | None, typer.Option("--references-field", help="Where a record brings references of its own.")
]
SuspectAt_ = Annotated[
    float | None, typer.Option("--suspect-at", min=0, max=1, help="Call suspect from this score on.")
]
SpunAt_ = Annotated[float | None, typer.Option("--spun-at", min=0, max=1, help="Call spun from this score on.")]
Decisions_ = Annotated[
    list[Path] | None,
    typer.Option("--decisions", help="A file of decisions that a report downloaded. May be given more than once."),
]
Workers_ = Annotated[int, typer.Option("--workers", min=1, help="Processes that share the work.")]
Context_ = Annotated[
    ContextChoice,
    typer.Option(
        "--context",
        help="Which articles without references the contextual model reads (extra context): those in doubt; all; none.",
    ),
]
Model_ = Annotated[Path | None, typer.Option("--model", help="A model file instead of the shipped one.")]

#: What was read, and the verdict on it.
Judged: TypeAlias = tuple[Article | Unreadable, Verdict]


def main() -> None:
    """What the console script runs."""
    try:
        app()
    except Exception:
        # Python's own status for this is 1, which here means "flagged".
        import traceback

        traceback.print_exc()
        sys.exit(BROKEN)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"unspun {__version__}")
        raise typer.Exit


@app.callback()
def _begin(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    pass


@app.command()
def score(
    paths: Paths_,
    references: References_ = None,
    format: Annotated[
        Format,
        typer.Option("--format", help="Table sorted by score; jsonl, csv and sarif in the order read."),
    ] = Format.table,
    out: Annotated[Path | None, typer.Option("--out", help="Write to this file instead of stdout.")] = None,
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
        decided = _read_decisions(decisions)
        detector = _load(model, context)
        built, lost = _read_references(references, detector.lexicon)
        labels = Counter[str]()
        # Progress would fight with lines that stream to the same terminal.
        meter = Meter("scored", quiet=out is None and format is not Format.table and sys.stdout.isatty())
        with ExitStack() as stack:
            stream = stack.enter_context(open_text(out))
            stack.enter_context(meter)
            leftovers = Leftovers()
            articles = read_articles(paths, leftovers.add)
            judged = _watch(meter.count(_judge(articles, detector, built, workers, decided)), labels)
            if verbose:
                _write_verbosely(list(judged), built, stream)
            else:
                _write(judged, format, stream, built)
        leftovers.tell()
        _tell_unused(decided)
        if fail_on and (labels["spun"] or (fail_on is FailOn.suspect and labels["suspect"])):
            raise typer.Exit(FLAGGED)
        if lost or labels["unreadable"]:
            raise typer.Exit(UNREADABLE)


@app.command()
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
        decided = _read_decisions(decisions)
        detector = None if verdicts else _load(model, context)
        lexicon = detector.lexicon if detector else Lexicon.load()
        built, lost = _read_references(references, lexicon)
        leftovers = Leftovers()
        articles = read_articles(paths, leftovers.add)
        labels = Counter[str]()
        with Meter("drawn") as meter:
            judged: Iterator[Judged]
            if detector:
                judged = _judge(articles, detector, built, workers, decided)
            else:
                assert verdicts is not None
                judged = _recall(articles, verdicts)
            judged = _watch(meter.count(judged), labels)
            if out.suffix.lower() in (".html", ".htm") or (out.exists() and not out.is_dir()):
                _draw_one(judged, built, lexicon, out)
            else:
                _draw_all(judged, built, lexicon, out)
        leftovers.tell()
        _tell_unused(decided)
        if lost or labels["unreadable"]:
            raise typer.Exit(UNREADABLE)


def _draw_one(judged: Iterator[Judged], built: References | None, lexicon: Lexicon, out: Path) -> None:
    from unspun.reporters.html import render_report

    found = list(_first(judged, 2))
    if len(found) != 1:
        refuse(f"--out {out}: is one page, and there are more articles; name a folder")
    article, verdict = found[0]
    if isinstance(article, Article):
        page = render_report(article, _find_compared(verdict, built), verdict, lexicon)
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
                stream.write(render_report(article, _find_compared(verdict, built), verdict, lexicon, "index.html"))
        rows.append(make_row(verdict, article.title if isinstance(article, Article) else None, name))
    with open_text(out / "index.html") as stream:
        stream.write(render_overview(rows))
    say(f"{out / 'index.html'}: written, with {len(taken) - 1} pages")


@app.command()
def filter(
    files: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="[PATH]...",
            help="JSON lines (also .gz, .zst), .parquet, .warc or .wet (also .gz), folders of these. Without: stdin.",
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", help="Write what passes to this file, not to stdout; .gz, .zst, .parquet by its suffix."),
    ] = None,
    spun: Spun_ = Action.tag,
    suspect: Suspect_ = Action.tag,
    clean: Clean_ = Action.tag,
    unscored: Unscored_ = Action.tag,
    on_error: OnError_ = None,
    quarantine: Annotated[
        Path | None, typer.Option("--quarantine", help="Where records go whose action is quarantine.")
    ] = None,
    detail: Detail_ = Detail.score,
    text_field: TextField_ = "text",
    id_field: IdField_ = "id",
    url_field: UrlField_ = "url",
    references: References_ = None,
    references_field: ReferencesField_ = None,
    suspect_at: SuspectAt_ = None,
    spun_at: SpunAt_ = None,
    decisions: Decisions_ = None,
    workers: Workers_ = 1,
    checkpoint: Annotated[
        Path | None, typer.Option("--checkpoint", help="A folder that makes a run over files resumable.")
    ] = None,
    summary: Annotated[Path | None, typer.Option("--summary", help="Write the counts to this JSON file.")] = None,
    context: Context_ = ContextChoice.auto,
    model: Model_ = None,
) -> None:
    """Filter records before they are stored: keep, tag, quarantine or drop each, in order, losing none.

    keep: as it is; tag: with the verdict as its field "unspun". Lines that are no record pass as unscored ones do.

    Exit status: 0 done, 2 usage, 3 some lines held nothing to score, 130 interrupted, 143 terminated.
    """
    from unspun.filtering.record_files import list_files, read_lines, read_stream
    from unspun.filtering.record_outputs import Output, choose_schema, open_output, read_rows
    from unspun.filtering.runs import Checkpoint, ResumeError, Routes, Summary, run_filter
    from unspun.filtering.streams import LineFilter
    from unspun.ingest import IngestFilter, Policy
    from unspun.lexicon import Lexicon

    actions = [spun, suspect, clean, unscored, on_error or unscored]
    policy = Policy(*(action.value for action in actions))
    wanted = Action.quarantine in actions
    if wanted != (quarantine is not None):
        refuse("--quarantine FILE and an action quarantine (such as --spun quarantine) go together")
    if checkpoint and not (files and out):
        refuse("--checkpoint needs files to read and --out: a stream cannot be begun again")
    leftovers = Leftovers()
    try:
        inputs = list_files(files or (), leftovers.add)
        schema = choose_schema(inputs, [path for path in (out, quarantine) if path])
    except ValueError as error:
        refuse(str(error))
    except ModuleNotFoundError as error:
        refuse(f"--out and --quarantine need another package ({error.name}): pip install 'unspun[files]'")
    if checkpoint and schema:
        refuse("--checkpoint: a parquet file cannot be gone on with; write .jsonl, .jsonl.gz or .jsonl.zst")
    taken = [path.resolve() for path in (*inputs, out, quarantine, summary) if path]
    if len(set(taken)) < len(taken):
        refuse("the inputs, --out, --quarantine and --summary are files of their own; name each another")
    leftovers.tell()
    with calm_exit(), heed_sigterm():
        built, lost = _read_references(references, Lexicon.load())
        ingest = IngestFilter(
            policy, text_field=text_field, id_field=id_field, url_field=url_field, references=built or (),
            references_field=references_field, suspect_at=suspect_at, spun_at=spun_at,
            decisions=_read_decisions(decisions), model=model, context=context.value,
        )  # fmt: skip
        detector = open_model(model, ingest.open)
        work, counts, resumed = LineFilter(ingest, detail.value), Summary(), None
        try:
            with ExitStack() as stack:
                if checkpoint:
                    assert out
                    # What decides on the output has to be the same when the run is begun again.
                    options = {
                        "policy": actions,
                        "detail": detail,
                        "model": [detector.name, detector.model.card.get("data_sha256"), detector.read_all],
                        "fields": [text_field, id_field, url_field, references_field],
                        "thresholds": [suspect_at, spun_at],
                        "others": [str(path) for path in (*(references or ()), *(decisions or ()))],
                        "outputs": [str(out), str(quarantine)],
                    }
                    resumed = Checkpoint(checkpoint, inputs, options)
                    counts = resumed.summary

                def open_as(path: Path | None, place: int) -> Output:
                    name = path.name if path else ""
                    file = resumed.open(path, place) if resumed and path else open_bytes(path)
                    return open_output(stack.enter_context(file), name, schema)

                aside = open_as(quarantine, 1) if quarantine else None
                routes = Routes(open_as(out, 0), aside, read_rows(inputs) if schema else None)
                told = broken = 0

                def tell(message: str) -> None:
                    nonlocal broken
                    broken += 1
                    say(message)

                lines = read_lines(inputs, tell) if files else read_stream(sys.stdin.buffer)
                for number, one in enumerate(run_filter(lines, work, routes, workers, counts, resumed), 1):
                    if one.error is not None and told < NAMED:
                        told += 1
                        say(f"record {number}: {one.error}")
            lost += broken
        except ResumeError as error:
            refuse(f"--checkpoint {error}")
        except BrokenPipeError:
            raise
        except OSError as error:
            where = f"{error.filename}: " if error.filename else ""
            say(f"{where}cannot be written ({error.strerror}); make room, or name another place")
            raise typer.Exit(BROKEN) from None
        finally:
            if counts.records:
                say(counts.explain())
        if summary:
            with open_text(summary) as note:
                note.write(json.dumps(counts.to_dict()) + "\n")
        if lost or counts.unreadable:
            raise typer.Exit(UNREADABLE)


@app.command()
def restore(
    paths: Paths_,
    references: References_ = None,
    context: Context_ = ContextChoice.auto,
    model: Model_ = None,
    out: Annotated[Path | None, typer.Option("--out", help="Write to this file instead of stdout.")] = None,
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
        detector = _load(model, context)
        built, lost = _read_references(references, detector.lexicon)
        leftovers = Leftovers()
        meter = Meter("restored", quiet=out is None and sys.stdout.isatty())
        with open_text(out) as stream, meter:
            articles = read_articles(paths, leftovers.add)
            first_two = list(_first(articles, 2))
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
    restored = restore(article, verdict, detector.lexicon, _find_compared(verdict, built))
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


@app.command()
def serve(
    host: Annotated[str, typer.Option("--host", help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="0: any that is free.")] = 8000,
    workers: Annotated[int, typer.Option("--workers", min=1, help="Processes that score.")] = 1,
    token_file: Annotated[
        Path | None,
        typer.Option("--token-file", help="Holds a token that requests must show. Or set UNSPUN_TOKEN to the token."),
    ] = None,
    max_bytes: Annotated[int, typer.Option("--max-bytes", min=1, help="Of a request's body.")] = 262_144,
    timeout: Annotated[float, typer.Option("--timeout", min=0.1, help="Seconds for a request.")] = 10.0,
    waiting: Annotated[
        int, typer.Option("--waiting", min=1, help="Requests that are held at once; more are told to come again.")
    ] = 128,
    spun: Spun_ = Action.tag,
    suspect: Suspect_ = Action.tag,
    clean: Clean_ = Action.tag,
    unscored: Unscored_ = Action.tag,
    on_error: OnError_ = None,
    detail: Detail_ = Detail.score,
    text_field: TextField_ = "text",
    id_field: IdField_ = "id",
    url_field: UrlField_ = "url",
    references: References_ = None,
    references_field: ReferencesField_ = None,
    suspect_at: SuspectAt_ = None,
    spun_at: SpunAt_ = None,
    decisions: Decisions_ = None,
    context: Context_ = ContextChoice.auto,
    model: Model_ = None,
) -> None:
    """Answer a CMS: POST an article as JSON to /decide and get what is to become of it; GET /health.

    Exit status: 2 usage, 130 interrupted, 143 terminated.
    """
    from unspun.hooks.asgi import SpunService, listen, run_server
    from unspun.ingest import IngestFilter, Policy
    from unspun.lexicon import Lexicon

    if find_spec("uvicorn") is None:
        refuse("serve needs uvicorn: pip install 'unspun[serve]'")
    policy = Policy(*(action.value for action in (spun, suspect, clean, unscored, on_error or unscored)))
    token = _read_token(token_file)
    with calm_exit(), heed_sigterm():
        built, _ = _read_references(references, Lexicon.load())
        ingest = IngestFilter(
            policy, text_field=text_field, id_field=id_field, url_field=url_field, references=built or (),
            references_field=references_field, suspect_at=suspect_at, spun_at=spun_at,
            decisions=_read_decisions(decisions), model=model, context=context.value,
        )  # fmt: skip
        service = SpunService(
            ingest, detail=detail.value, max_bytes=max_bytes, timeout=timeout, waiting=waiting, token=token,
            workers=workers,
        )  # fmt: skip
        open_model(model, service.open)
        try:
            listener, address, is_open = listen(host, port)
        except OSError as error:
            refuse(f"{host}, port {port}: {error.strerror}; name another --host or --port")
        if is_open and token is None:
            say("warning: whoever reaches this address can use it; give it a --token-file")
        say(f"serving on {address}")
        run_server(service, listener, timeout)


def _read_token(path: Path | None) -> str | None:
    """The token that requests must show, None for none; never taken from the command line, which others can see."""
    try:
        token = path.read_text("utf-8") if path else os.environ.get("UNSPUN_TOKEN")
    except (OSError, UnicodeDecodeError) as error:
        refuse(f"--token-file {path}: cannot be read ({getattr(error, 'strerror', None) or 'no text'})")
    if token is not None and not re.fullmatch("[!-~]+", token.strip()):
        refuse(f"{path or 'UNSPUN_TOKEN'}: holds no token: one line of ASCII characters, without spaces")
    return token and token.strip()


def _find_compared(verdict: Verdict, references: References | None) -> list[Article]:
    """The references that the verdict names."""
    found = [references.get(relation.id) for relation in verdict.references] if references else []
    return [reference for reference in found if reference]


def _load(model: Path | None, context: ContextChoice) -> Detector:
    from unspun.detector import Detector

    return open_model(model, lambda: Detector.load(model, context.value))


def _read_references(paths: list[Path] | None, lexicon: Lexicon) -> tuple[References | None, int]:
    """The references below ``paths`` (None when none were asked for) and how many could not be read."""
    from unspun.index.compared import IndexedReferences
    from unspun.index.manifest import is_index
    from unspun.index.query import Index
    from unspun.index.segment import IndexDamagedError
    from unspun.readers import make_ids_unique, read_articles
    from unspun.references import References

    if not paths:
        return None, 0
    indexes = list[Index]()
    articles = list[Article]()
    lost = 0
    leftovers = Leftovers()
    with Meter("references read") as meter:
        for path in paths:
            if not path.exists():
                refuse(f"--references {path}: no such file or folder; check the path")
            if is_index(path):
                try:
                    indexes.append(Index.open(path, lexicon))
                except IndexDamagedError as error:
                    refuse(f"--references {error}")
                if not len(indexes[-1]):
                    refuse(f"--references {path}: is an index without references; name another, or add some")
                continue
            before = len(articles)
            for item in meter.count(read_articles([path], leftovers.add)):
                if isinstance(item, Article):
                    articles.append(item)
                else:
                    lost += 1
                    say(f"{item.source}: {item.error}")
            if len(articles) == before:
                refuse(f"--references {path}: holds no readable text; name another file or folder")
    leftovers.tell()
    unique = make_ids_unique(articles)
    return IndexedReferences(indexes, unique, lexicon) if indexes else References.build(unique, lexicon), lost


def _read_decisions(paths: list[Path] | None) -> Decisions | None:
    from unspun.decisions import Decisions, DecisionsError

    try:
        return Decisions.read(paths) if paths else None
    except DecisionsError as error:
        refuse(f"--decisions {error}")


def _tell_unused(decided: Decisions | None) -> None:
    if decided and decided.unused:
        many = "one decision is" if decided.unused == 1 else f"{decided.unused} decisions are"
        say(f"{many} about texts that are not among the articles")


def _judge(
    articles: Iterable[Article | Unreadable],
    detector: Detector,
    built: References | None,
    workers: int,
    decided: Decisions | None,
) -> Iterator[Judged]:
    """Each input with its verdict, in order."""
    waiting = deque[Article | Unreadable]()

    def watch() -> Iterator[Article | Unreadable]:
        for article in articles:
            waiting.append(article)
            yield article

    for verdict in detector.score_many(watch(), built, workers, decided):
        article = waiting.popleft()
        if decided and isinstance(article, Article):
            decided.tick_off(article)
        yield article, verdict


def _recall(articles: Iterable[Article | Unreadable], path: Path) -> Iterator[Judged]:
    """Each input with the verdict that was saved for it in the file ``path``."""
    from unspun.saved_verdicts import VerdictError, read_verdicts

    try:
        saved = {(verdict.id, verdict.source): verdict for verdict in read_verdicts(path)}
    except VerdictError as error:
        refuse(f"--verdicts {error}")
    except OSError as error:
        refuse(f"--verdicts {path}: cannot be read ({error.strerror or error}); check the file")
    written = path.stat().st_mtime
    for article in articles:
        if isinstance(article, Unreadable):
            yield article, _give_up(article)
            continue
        source = Path(article.source or "")
        if source.is_file() and source.stat().st_mtime > written:
            say(f"{source}: is newer than {path}; if its text has changed since, score it again")
        verdict = saved.get((article.id, article.source))
        try:
            if verdict is None:
                raise ValueError("no verdict on it is saved: score it again")
            check_spans(article, verdict.spans)
        except ValueError as error:
            lost = Unreadable(article.id, article.source or article.id, str(error))
            yield lost, _give_up(lost)
        else:
            yield article, verdict


def _give_up(item: Unreadable) -> Verdict:
    return Verdict(item.id, item.source, None, "unscored", "unreadable", error=item.error)


def _watch(judged: Iterable[Judged], labels: Counter[str]) -> Iterator[Judged]:
    """The same; counts their labels, and tells of each input that could not be read or was decided on otherwise."""
    for article, verdict in judged:
        labels[verdict.label] += 1
        if verdict.error is not None:
            labels["unreadable"] += 1
            say(f"{verdict.source or verdict.id}: {verdict.error}")
        if verdict.stale:
            many = "a decision on it was" if verdict.stale == 1 else f"{verdict.stale} decisions on it were"
            say(f"{verdict.source or verdict.id}: has changed since {many} made: not applied, look again")
        yield article, verdict


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
            write_evidence(article, _find_compared(verdict, built), verdict, console)


def _first(items: Iterator[T], count: int) -> Iterator[T]:
    for _, item in zip(range(count), items, strict=False):
        yield item
