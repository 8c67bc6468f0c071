"""Requests to the web service, as a server hands them to it, and what must hold of its answers.

A case is three bytes (which service, from 128 on below a path of its own; bytes of a piece of the body; how the body
ends) and then what a client sends: the line of the request, headers, an empty line, the body. Nothing in it needs to be
right: another server than uvicorn may check less.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, Final
from urllib.parse import unquote

from unspun.article import LABELS
from unspun.hooks.asgi import Message, SpunService
from unspun.ingest import ACTIONS, IngestFilter, Policy
from unspun.training.fuzz.checks import require

#: How a body ends: as it should; the client leaves before; it never does; the server says the request once more; the
#: client leaves after.
ENDS: Final = ("whole", "cut", "open", "again", "gone")
TOKEN: Final = "fuzz-token"
#: Where an application that has this one as its part has it.
_MOUNTED: Final = "/cms"
#: Seconds within which every request has its answer; those of processor time are counted elsewhere.
_MOST_SECONDS: Final = 20.0
#: Seconds that a service gives a request, and that the one for bodies without an end does.
_PATIENCE: Final = 15.0
_IMPATIENCE: Final = 0.001
#: What may be answered where nothing is wrong with the service itself.
_STATUSES: Final = (200, 400, 401, 404, 405, 413, 415, 422)


@dataclass(frozen=True, slots=True)
class Request:
    """What the server knows of a request, and the messages that it brings."""

    scope: Message
    messages: list[Message]
    end: str


@cache
def _get_services() -> list[SpunService]:
    """The usual one; one that asks for a token; one that takes little; one with references; last the one for bodies
    that never end."""
    plain = IngestFilter(Policy("quarantine", unscored="drop"), context="never")
    compared = IngestFilter(references_field="references", context="never")
    services = [
        SpunService(plain, timeout=_PATIENCE),
        SpunService(plain, timeout=_PATIENCE, detail="spans", token=TOKEN),
        SpunService(plain, timeout=_PATIENCE, max_bytes=200),
        SpunService(compared, timeout=_PATIENCE, detail="full"),
        SpunService(plain, timeout=_IMPATIENCE),
    ]
    for service in services:
        service.open()
    return services


@cache
def _get_runner() -> asyncio.Runner:
    """One loop for all: a service belongs to the first that it is asked in."""
    return asyncio.Runner()


def parse_request(case: bytes) -> Request:
    """The request of a case."""
    options, sent = case[:3].ljust(3, b"\0"), case[3:]
    head, _, body = sent.partition(b"\r\n\r\n")
    line, *lines = head.split(b"\r\n")
    method, _, rest = line.partition(b" ")
    target = rest.partition(b" ")[0]
    raw, _, query = target.partition(b"?")
    headers = []
    for one in lines:
        name, _, value = one.partition(b":")
        headers.append((name.strip().lower(), value.strip()))
    scope: Message = {
        "type": "http", "asgi": {"version": "3.0", "spec_version": "2.3"}, "http_version": "1.1", "scheme": "http",
        "method": method.decode("latin-1"), "path": unquote(raw.decode("latin-1")), "raw_path": raw,
        "root_path": _MOUNTED if options[0] >= 128 else "", "query_string": query, "headers": headers,
        "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 2),
    }  # fmt: skip
    end = ENDS[options[2] % len(ENDS)]
    return Request(scope, list(_cut_body(body, options[1], end)), end)


def _cut_body(body: bytes, size: int, end: str) -> Iterator[Message]:
    """The body in pieces of so many bytes, all of it at once for none."""
    pieces = [body[at : at + size] for at in range(0, len(body), size)] if size else [body]
    for number, piece in enumerate(pieces or [b""], 1):
        last = number >= len(pieces) and end in ("whole", "again", "gone")
        # A server may leave out what is false or empty.
        yield {"type": "http.request"} | ({"body": piece} if piece else {}) | ({} if last else {"more_body": True})
    if end == "again":
        yield {"type": "http.request", "body": b"{}"}
    if end in ("cut", "gone"):
        yield {"type": "http.disconnect"}


def ask(case: bytes) -> list[Message]:
    """What the service that the case names answers; raises TimeoutError where that takes too long."""
    request = parse_request(case)
    *patient, impatient = _get_services()
    service = impatient if request.end == "open" else patient[case[0] % len(patient) if case else 0]
    return _get_runner().run(_ask(service, request))


async def _ask(service: SpunService, request: Request) -> list[Message]:
    waiting, sent = iter(request.messages), list[Message]()

    async def receive() -> Message:
        message = next(waiting, None)
        if message is None:
            await asyncio.Event().wait()
        assert message is not None
        return message

    async def send(message: Message) -> None:
        sent.append(message)

    async with asyncio.timeout(_MOST_SECONDS):
        await service(request.scope, receive, send)
    return sent


def check_answer(request: Request, sent: list[Message]) -> None:
    """Whoever stays has one whole answer: a status that means something, and JSON of the length told."""
    if not sent:
        require(request.end in ("cut", "gone"), "no answer for who waits for one")
        return
    require([message["type"] for message in sent] == ["http.response.start", "http.response.body"], "half an answer")
    start, body = sent[0], sent[1].get("body", b"")
    status, headers = start["status"], dict(start["headers"])
    allowed = (*_STATUSES, 408, 503) if request.end == "open" else _STATUSES
    require(status in allowed, f"answered with {status}: {body[:200]!r}")
    require(len(headers) == len(start["headers"]), "a header twice")
    for name, value in headers.items():
        require(name == name.lower() and not set(name + value) & set(b"\r\n\0"), "a header that breaks the answer")
    require(headers[b"content-type"] == b"application/json", "an answer of another type")
    if request.scope["method"] == "HEAD":
        require(not body, "a body that nobody asked for")
        return
    require(int(headers[b"content-length"]) == len(body), "another length than the one told")
    answer = json.loads(body.decode("ascii"), parse_constant=_refuse_constant)
    _check_told(request.scope["path"].removeprefix(request.scope["root_path"]), status, answer)


def _refuse_constant(name: str) -> None:
    require(False, f"{name} is no JSON")


def _check_told(path: str, status: int, answer: Any) -> None:
    require(isinstance(answer, dict), "an answer that is no object")
    if path != "/decide" or status not in (200, 422):
        told = "status" if path == "/health" and status in (200, 503) else "error"
        require(list(answer) == [told] and isinstance(answer[told], str), "an answer that does not say what is wrong")
        return
    require((status == 422) == ("error" in answer), "an error that is none, or the reverse")
    decided = {"id", "action", "label", "score", "reason", "unspun"}
    require(answer.keys() - {"error"} == decided, "an answer without what was decided")
    require(answer["action"] in ACTIONS and answer["label"] in LABELS, "an unknown code")
    require(answer["score"] is None or 0 <= answer["score"] <= 1, "a score beyond 0 and 1")
    require(answer["unspun"]["label"] == answer["label"], "a verdict that says something else")


def make_seeds(text: str, other: str) -> list[bytes]:
    """Requests as they come, good and bad."""
    kind, length = b"Content-Type: application/json", b"Content-Length: %d"
    good = json.dumps({"id": "1", "url": "https://paper.example/1", "text": text}).encode()
    compared = json.dumps({"text": text, "references": [other, {"id": "\ud800", "text": other[:90]}, 3]}).encode()
    short = json.dumps({"id": 7, "text": "\ud800 short \x00"}).encode()

    def make(line: bytes, *headers: bytes, body: bytes = b"", options: bytes = b"\0\0\0") -> bytes:
        return options + b"\r\n".join([line + b" HTTP/1.1", *headers]) + b"\r\n\r\n" + body

    post, shown = b"POST /decide", b"Authorization: Bearer " + TOKEN.encode()
    return [
        make(post, kind, length % len(good), body=good),
        make(post, kind + b"; charset=utf-8", b"Transfer-Encoding: chunked", body=good, options=b"\0\x40\0"),
        make(post, kind, shown, body=good, options=b"\1\0\0"),
        make(post, kind, b"Authorization: Basic x", body=good, options=b"\1\0\0"),
        make(post, kind, length % len(short), body=short, options=b"\2\3\0"),
        make(post, kind, length % 3, body=good, options=b"\2\3\0"),
        make(post, kind, body=compared, options=b"\3\0\3"),
        make(post, kind, length % 10**12, body=short), make(post, kind, b"Content-Length: " + b"9" * 4000, body=short),
        make(post, kind, b"Content-Length: -1", body=short),
        make(post, kind, length % 900, body=short, options=b"\0\5\1"),
        make(post, kind, length % 900, body=short, options=b"\0\5\2"), make(post, kind, body=good, options=b"\0\0\4"),
        make(post, kind, b"Content-Encoding: gzip", body=b"\x1f\x8b"), make(post, kind, body=b'{"text": "\xff"}'),
        make(post, kind, body=b'["a"]'), make(post, kind, body=b'{"text": " ", "id": 1e999, "n": NaN}'),
        make(post, b"Content-Type: text/plain", body=good), make(post, kind, body=b"\xef\xbb\xbf{}"),
        make(b"POST /cms/decide", kind, body=short, options=b"\x80\0\0"), make(b"GET /cmsx", options=b"\x80\0\0"),
        make(b"GET /health?x=1"), make(b"HEAD /health"), make(b"DELETE /%64ecide"), make(b"GET /%ff%00../"), b"",
    ]  # fmt: skip
