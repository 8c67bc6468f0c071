"""The arguments and options that several commands have."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Annotated

import typer


# typer shows a StrEnum's members the same, but older ones do not read them.
class Action(str, Enum):  # noqa: UP042
    keep = "keep"
    tag = "tag"
    quarantine = "quarantine"
    drop = "drop"


class Detail(str, Enum):  # noqa: UP042
    score = "score"
    spans = "spans"
    full = "full"


class TableFormat(str, Enum):  # noqa: UP042
    table = "table"
    jsonl = "jsonl"


class ContextChoice(str, Enum):  # noqa: UP042
    auto = "auto"
    always = "always"
    never = "never"


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
Out_ = Annotated[Path | None, typer.Option("--out", help="Write to this file instead of stdout.")]
Workers_ = Annotated[int, typer.Option("--workers", min=1, help="Processes that share the work.")]
Context_ = Annotated[
    ContextChoice,
    typer.Option(
        "--context",
        help="Which articles without references the contextual model reads (extra context): those in doubt; all; none.",
    ),
]
Model_ = Annotated[Path | None, typer.Option("--model", help="A model file instead of the shipped one.")]
