"""A web service for a CMS, as an ASGI application: ``unspun serve``, or any ASGI server (extra ``serve``: uvicorn).

    app = SpunService(IngestFilter(Policy(spun="quarantine")), token="...")

``POST /decide`` with a JSON object (``text``, and ``id`` and ``url`` where there are any) answers ``{"id", "action",
"label", "score", "reason", "unspun"}``, the last one the verdict by ``detail``. ``GET /health`` answers 200 once the
model is loaded, 503 before. What goes wrong is answered as ``{"error": ...}``; nothing of an article is ever logged.
"""

from __future__ import annotations

import asyncio
import hmac
import json
import logging
import math
import multiprocessing
import socket
from collections.abc import Awaitable, Callable, MutableMapping
from concurrent.futures import BrokenExecutor, Executor, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import suppress
from ipaddress import ip_address
from typing import Any, Final

from unspun.article import Unreadable
from unspun.ingest import DETAILS, Disposition, IngestFilter, trim_verdict
from unspun.processes import obey_parent

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

#: Some 40,000 words, which the fast model scores in half a second.
MAX_BYTES: Final = 262_144
#: Seconds from a request's first line to its answer.
TIMEOUT: Final = 10.0
#: Requests that are held at once: read, waiting for their turn, and being scored.
WAITING: Final = 128
#: When to come again, in seconds, if there was no room or no time.
_RETRY: Final = "1"
#: Seconds that an idle connection is kept: longer than clients and proxies keep theirs (a minute, mostly), so that none
#: is closed just as a request is sent.
_KEEP_ALIVE: Final = 75
#: Connections that may wait to be accepted.
_BACKLOG: Final = 2048
#: Digits that a length may be told in: more are not even read.
_MOST_DIGITS: Final = 20
_METHODS: Final = {"/decide": ("POST",), "/health": ("GET", "HEAD")}
_log = logging.getLogger("unspun")


class _RefusedError(Exception):
    """A request that is answered with an error."""

    def __init__(self, status: int, error: str, headers: dict[str, str] | None = None) -> None:
        self.status, self.error, self.headers = status, error, headers or {}


class _DisconnectedError(Exception):
    """Nobody waits for the answer any more."""


class SpunService:
    """The application. It scores in one thread, so that health is answered meanwhile, or with ``workers`` above one in
    so many processes.

    ``max_bytes``: of a request's body; ``timeout``: seconds for a request; ``waiting``: requests that are held at once,
    more are told to come again; ``token``: what they have to show as ``Authorization: Bearer TOKEN``.
    """

    def __init__(
        self,
        decide: IngestFilter | None = None,
        *,
        detail: str = "score",
        max_bytes: int = MAX_BYTES,
        timeout: float = TIMEOUT,
        waiting: int = WAITING,
        token: str | None = None,
        workers: int = 1,
    ) -> None:
        if detail not in DETAILS:
            raise ValueError(f"detail: {detail!r} is none of {', '.join(DETAILS)}")
        if token is not None and not token:
            raise ValueError("token: is empty; None asks for none")
        self._judge = _Judge(decide or IngestFilter(), detail)
        self._max_bytes, self._timeout, self._waiting, self._workers = max_bytes, timeout, waiting, workers
        self._token = None if token is None else token.encode()
        self._loaded, self._held = False, 0
        # Bodies wait for their turn here, where they can be given up, and not in the executor; but processes are handed
        # one each ahead, so that none is idle until it is handed the next.
        self._turns = asyncio.Semaphore(1 if workers == 1 else 2 * workers)
        self._scoring = set[asyncio.Task[Any]]()
        self._executor = self._start()

    def _start(self) -> Executor:
        if self._workers == 1:
            # One thread: scoring holds the interpreter's lock, more would only wait for it.
            return ThreadPoolExecutor(1)
        # Spawned: forked processes would hold the connections of the server open.
        context = multiprocessing.get_context("spawn")
        return ProcessPoolExecutor(self._workers, context, _start_worker, (self._judge,))

    def open(self) -> None:
        """Load the model; raises :class:`unspun.classifier.ModelError`. Called at the start where the server tells of
        it (lifespan); an application that mounts this one calls it itself, or the first article waits."""
        opening = self._judge.open if self._workers == 1 else _open_in_worker
        for future in [self._executor.submit(opening) for _ in range(self._workers)]:
            future.result()
        self._loaded = True

    def close(self) -> None:
        """Begin no more work."""
        self._executor.shutdown(wait=False, cancel_futures=True)

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "http":
            with suppress(_DisconnectedError):
                await self._answer(scope, receive, send)
        else:
            raise ValueError(f"{scope['type']}: this application speaks HTTP only")

    async def _live(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                try:
                    await asyncio.to_thread(self.open)
                except Exception as error:
                    await send({"type": "lifespan.startup.failed", "message": str(error)})
                    return
                await send({"type": "lifespan.startup.complete"})
            else:
                self.close()
                await send({"type": "lifespan.shutdown.complete"})
                return

    async def _answer(self, scope: Message, receive: Receive, send: Send) -> None:
        headers = {}
        try:
            status, body = await self._find_answer(scope, receive)
        except _RefusedError as refused:
            status, body, headers = refused.status, _encode({"error": refused.error}), refused.headers
        except _DisconnectedError:
            raise
        except Exception as error:
            # The message could hold words of the article.
            _log.error("a request failed (%s)", type(error).__name__)
            status, body = 500, _encode({"error": f"failed ({type(error).__name__}): report it"})
        headers |= {"Content-Type": "application/json", "Content-Length": str(len(body))}
        lines = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": status, "headers": lines})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})

    async def _find_answer(self, scope: Message, receive: Receive) -> tuple[int, bytes]:
        path = scope["path"].removeprefix(scope.get("root_path", ""))
        allowed = _METHODS.get(path)
        if allowed is None:
            raise _RefusedError(404, "no such path: there are POST /decide and GET /health")
        if scope["method"] not in allowed:
            raise _RefusedError(405, f"{path} takes {' and '.join(allowed)}", {"Allow": ", ".join(allowed)})
        if path == "/health":
            return (200, _encode({"status": "ready"})) if self._loaded else (503, _encode({"status": "loading"}))
        headers = {name.decode("latin-1"): value for name, value in scope["headers"]}
        self._check(headers)
        if self._held >= self._waiting:
            raise _RefusedError(503, f"{self._waiting} requests are waiting: come again", {"Retry-After": _RETRY})
        self._held += 1
        try:
            return await self._decide(receive)
        finally:
            self._held -= 1

    def _check(self, headers: dict[str, bytes]) -> None:
        """What can be refused before the body is read."""
        if self._token is not None:
            scheme, _, shown = headers.get("authorization", b"").partition(b" ")
            if not hmac.compare_digest(shown.strip(), self._token) or scheme.lower() != b"bearer":
                wanted = {"WWW-Authenticate": 'Bearer realm="unspun"'}
                raise _RefusedError(401, "show the token: Authorization: Bearer TOKEN", wanted)
        kind, *parameters = headers.get("content-type", b"").lower().replace(b'"', b"").split(b";")
        charsets = [one.strip() for one in parameters if one.strip().startswith(b"charset=")]
        if kind.strip() != b"application/json" or charsets not in ([], [b"charset=utf-8"]):
            raise _RefusedError(415, "send Content-Type: application/json, in UTF-8")
        if headers.get("content-encoding", b"identity").lower() != b"identity":
            raise _RefusedError(415, "send it uncompressed", {"Accept-Encoding": "identity"})
        length = headers.get("content-length", b"0")
        # Python reads no number of thousands of digits, and not every server keeps one off.
        if length.isdigit() and (len(length) > _MOST_DIGITS or int(length) > self._max_bytes):
            raise self._too_large()

    def _too_large(self) -> _RefusedError:
        return _RefusedError(413, f"larger than {self._max_bytes:,} bytes")

    async def _decide(self, receive: Receive) -> tuple[int, bytes]:
        try:
            async with asyncio.timeout(self._timeout) as limit:
                body = await self._read(receive)
        except TimeoutError:
            # What may still come must not be taken for another request.
            raise _RefusedError(
                408, f"was not sent within {self._timeout:g} seconds", {"Connection": "close"}
            ) from None
        begun = asyncio.Event()
        scoring = asyncio.ensure_future(self._score(body, begun))
        self._scoring.add(scoring)
        scoring.add_done_callback(self._forget)
        gone = asyncio.ensure_future(_wait_until_gone(receive))
        try:
            left = (limit.when() or 0) - asyncio.get_running_loop().time()
            await asyncio.wait({scoring, gone}, timeout=left, return_when=asyncio.FIRST_COMPLETED)
            if scoring.done():
                return scoring.result()
            if gone.done():
                raise _DisconnectedError
            raise _RefusedError(503, f"found no time within {self._timeout:g} seconds", {"Retry-After": _RETRY})
        finally:
            gone.cancel()
            # Once begun it cannot be stopped, and has its turn until it is done, whoever waits for it.
            if not begun.is_set():
                scoring.cancel()

    async def _read(self, receive: Receive) -> bytes:
        body = bytearray()
        while True:
            message = await receive()
            if message["type"] != "http.request":
                raise _DisconnectedError
            body += message.get("body", b"")
            if len(body) > self._max_bytes:
                raise self._too_large()
            if not message.get("more_body", False):
                return bytes(body)

    async def _score(self, body: bytes, begun: asyncio.Event) -> tuple[int, bytes]:
        async with self._turns:
            begun.set()
            executor, work = self._executor, self._judge if self._workers == 1 else _work
            try:
                answer = await asyncio.get_running_loop().run_in_executor(executor, work, body)
            except BrokenExecutor:
                if executor is self._executor:
                    _log.error("a worker died: others are started")
                    self._loaded, self._executor = False, self._start()
                    await asyncio.to_thread(self.open)
                raise _RefusedError(503, "a worker died: come again", {"Retry-After": _RETRY}) from None
            self._loaded = True
            if answer[0] == 500:
                _log.error("%s", json.loads(answer[1])["error"])
            return answer

    def _forget(self, scoring: asyncio.Task[Any]) -> None:
        self._scoring.discard(scoring)
        if not scoring.cancelled():
            # Asked for, so that asyncio does not complain where nobody waits any more.
            scoring.exception()


async def _wait_until_gone(receive: Receive) -> None:
    if (await receive())["type"] != "http.disconnect":
        # Something between the server and here says the request once more, and would do so for ever.
        await asyncio.Event().wait()


def _encode(answer: dict[str, Any]) -> bytes:
    # ASCII, so that no lone surrogate can be in the way.
    return json.dumps(answer).encode("ascii")


class _Judge:
    """From a request's body to the answer, in whatever thread or process."""

    def __init__(self, decide: IngestFilter, detail: str) -> None:
        self._decide, self._detail = decide, detail

    def open(self) -> None:
        self._decide.open()

    def __call__(self, body: bytes) -> tuple[int, bytes]:
        try:
            # A byte order mark is no error.
            record = json.loads(body.decode("utf-8-sig"))
        except UnicodeDecodeError:
            return 400, _encode({"error": "is not UTF-8"})
        except json.JSONDecodeError as error:
            return 400, _encode({"error": f"broken JSON at character {error.pos}: {error.msg}"})
        except (RecursionError, ValueError):
            return 400, _encode({"error": "broken JSON: nested too deep, or a number too long"})
        if not isinstance(record, dict):
            return 400, _encode({"error": "no JSON object"})
        article = self._decide.read(record)
        if isinstance(article, Unreadable):
            return 422, self._explain(self._decide.give_up(article.id, article.error))
        found = self._decide(record)
        if found.reason != "unreadable":
            return 200, self._explain(found)
        # The message of what failed could hold words of the article.
        failure = (found.verdict.error or "").partition(":")[0] + "): report it"
        return 500, self._explain(self._decide.give_up(article.id, failure))

    def _explain(self, found: Disposition) -> bytes:
        verdict = found.verdict
        error = {} if verdict.error is None else {"error": verdict.error}
        return _encode(
            {
                **error,
                "id": verdict.id,
                "action": found.action,
                "label": verdict.label,
                "score": verdict.score,
                "reason": verdict.reason,
                "unspun": trim_verdict(verdict, self._detail),
            }
        )


_judge: _Judge


def _start_worker(judge: _Judge) -> None:
    global _judge
    obey_parent()
    _judge = judge
    # What is wrong with a model is told by whoever asks for it.
    with suppress(Exception):
        judge.open()


def _open_in_worker() -> None:
    _judge.open()


def _work(body: bytes) -> tuple[int, bytes]:
    return _judge(body)


def listen(host: str, port: int) -> tuple[socket.socket, str, bool]:
    """A socket that listens (port 0: any that is free), its URL, and whether other machines may reach it; raises
    OSError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.create_server((host, port), family=family, backlog=_BACKLOG)
    name, port = listener.getsockname()[:2]
    return listener, f"http://{f'[{name}]' if ':' in name else name}:{port}", not ip_address(name).is_loopback


def run_server(service: SpunService, listener: socket.socket, timeout: float) -> None:
    """Run ``service`` in uvicorn until a signal, which is raised again once the requests under way are answered."""
    from uvicorn import Config, Server

    logging.basicConfig(format="unspun: %(message)s")
    config = Config(
        service, lifespan="on", ws="none", log_config=None, log_level="error", access_log=False, server_header=False,
        backlog=_BACKLOG, timeout_keep_alive=_KEEP_ALIVE, timeout_graceful_shutdown=math.ceil(timeout) + 1,
    )  # fmt: skip
    Server(config).run([listener])
