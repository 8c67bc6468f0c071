"""The command ``unspun filter``: records decided on before they are stored."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from unspun.commands.console import (
    NAMED,
    UNREADABLE,
    Leftovers,
    calm_exit,
    give_up_writing,
    heed_sigterm,
    open_bytes,
    open_model,
    open_text,
    refuse,
    say,
)
from unspun.commands.inputs import read_decisions, read_references
from unspun.commands.options import (
    Action,
    Clean_,
    Context_,
    ContextChoice,
    Decisions_,
    Detail,
    Detail_,
    IdField_,
    Model_,
    OnError_,
    References_,
    ReferencesField_,
    Spun_,
    SpunAt_,
    Suspect_,
    SuspectAt_,
    TextField_,
    Unscored_,
    UrlField_,
    Workers_,
)

if TYPE_CHECKING:
    import pyarrow

    from unspun.filtering.record_outputs import Output
    from unspun.filtering.runs import Checkpoint, Routes


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
    from unspun.filtering.record_files import read_lines, read_stream
    from unspun.filtering.runs import Checkpoint, ResumeError, Summary, run_filter
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
    inputs, schema = _choose_files(files or (), [path for path in (out, quarantine) if path], summary)
    if checkpoint and schema:
        refuse("--checkpoint: a parquet file cannot be gone on with; write .jsonl, .jsonl.gz or .jsonl.zst")
    with calm_exit(), heed_sigterm():
        built, lost = read_references(references, Lexicon.load())
        ingest = IngestFilter(
            policy, text_field=text_field, id_field=id_field, url_field=url_field, references=built or (),
            references_field=references_field, suspect_at=suspect_at, spun_at=spun_at,
            decisions=read_decisions(decisions), model=model, context=context.value,
        )  # fmt: skip
        detector = open_model(model, ingest.open)
        work, counts, resumed = LineFilter(ingest, detail.value), Summary(), None

        def tell(message: str) -> None:
            nonlocal lost
            lost += 1
            say(message)

        try:
            if checkpoint:
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
            with ExitStack() as stack:
                routes = _open_routes(stack, out, quarantine, inputs, schema, resumed)
                lines = read_lines(inputs, tell) if files else read_stream(sys.stdin.buffer)
                told = 0
                for number, one in enumerate(run_filter(lines, work, routes, workers, counts, resumed), 1):
                    if one.error is not None and told < NAMED:
                        told += 1
                        say(f"record {number}: {one.error}")
        except ResumeError as error:
            refuse(f"--checkpoint {error}")
        except BrokenPipeError:
            raise
        except OSError as error:
            give_up_writing(error)
        finally:
            if counts.records:
                say(counts.explain())
        if summary:
            with open_text(summary) as note:
                note.write(json.dumps(counts.to_dict()) + "\n")
        if lost or counts.unreadable:
            raise typer.Exit(UNREADABLE)


def _choose_files(
    files: Sequence[Path], outputs: Sequence[Path], summary: Path | None
) -> tuple[list[Path], pyarrow.Schema | None]:
    """The files to read, and the columns that they have in common where an output is parquet."""
    from unspun.filtering.record_files import list_files
    from unspun.filtering.record_outputs import choose_schema

    leftovers = Leftovers()
    try:
        inputs = list_files(files, leftovers.add)
        schema = choose_schema(inputs, outputs)
    except ValueError as error:
        refuse(str(error))
    except ModuleNotFoundError as error:
        refuse(f"--out and --quarantine need another package ({error.name}): pip install 'unspun[files]'")
    taken = [path.resolve() for path in (*inputs, *outputs, summary) if path]
    if len(set(taken)) < len(taken):
        refuse("the inputs, --out, --quarantine and --summary are files of their own; name each another")
    leftovers.tell()
    return inputs, schema


def _open_routes(
    stack: ExitStack, out: Path | None, quarantine: Path | None, inputs: Sequence[Path],
    schema: pyarrow.Schema | None, resumed: Checkpoint | None,
) -> Routes:  # fmt: skip
    """Where records go, open until the end of ``stack``; on from where they were if the run is ``resumed``."""
    from unspun.filtering.record_outputs import open_output, read_rows
    from unspun.filtering.runs import Routes

    def open_as(path: Path | None, place: int) -> Output:
        file = resumed.open(path, place) if resumed and path else open_bytes(path)
        return open_output(stack.enter_context(file), path.name if path else "", schema)

    aside = open_as(quarantine, 1) if quarantine else None
    return Routes(open_as(out, 0), aside, read_rows(inputs) if schema else None)
