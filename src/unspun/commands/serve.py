"""The command ``unspun serve``: a web service that a CMS asks."""

from __future__ import annotations

import os
import re
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from unspun.commands.console import calm_exit, heed_sigterm, open_model, refuse, say
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
)


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
        built, _ = read_references(references, Lexicon.load())
        ingest = IngestFilter(
            policy, text_field=text_field, id_field=id_field, url_field=url_field, references=built or (),
            references_field=references_field, suspect_at=suspect_at, spun_at=spun_at,
            decisions=read_decisions(decisions), model=model, context=context.value,
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
