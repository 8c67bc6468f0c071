"""The commands: files in, verdicts out. Data goes to stdout or ``--out``, everything else to stderr.

Exit statuses: 0 done; 1 flagged and ``--fail-on`` asked for it (this goes before 3); 2 usage; 3 some inputs could
not be read, the others were scored; 130 interrupted; 143 terminated; 141 the reader of stdout went away; 70 an error of
unspun. Each command has its file in :mod:`unspun.commands`.
"""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from unspun import __version__
from unspun.commands.console import BROKEN
from unspun.commands.families import families
from unspun.commands.filter import filter
from unspun.commands.index import index_app
from unspun.commands.report import report
from unspun.commands.restore import restore
from unspun.commands.score import score
from unspun.commands.serve import serve

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Finds articles that a machine rewrote by swapping words for synonyms, and shows what stood there before.",
)
app.add_typer(index_app, name="index")
for command in (families, score, report, filter, restore, serve):
    app.command()(command)


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
