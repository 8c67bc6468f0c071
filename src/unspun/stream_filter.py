"""JSON lines through an :class:`unspun.ingest.IngestFilter`: in order, on several cores, and no record is lost.

A worker that dies takes no record along: what it had is tried again, at last alone, and a record that kills its worker
every time comes out as ``unscored``.
"""

from __future__ import annotations

import json
import multiprocessing
import queue
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from typing import Any, Final

from unspun.article import Verdict
from unspun.ingest import IngestFilter, trim_verdict
from unspun.readers import MAX_BYTES

#: Lines that a worker takes at once: sending them costs little then, and nobody waits long.
CHUNK: Final = 16
#: Lines read ahead of the work.
AHEAD: Final = 256


@dataclass(frozen=True, slots=True)
class Filtered:
    """One line as it leaves: ``action`` as in :data:`unspun.ingest.ACTIONS`, ``line`` with its end."""

    action: str
    line: bytes
    label: str
    reason: str | None
    error: str | None


@dataclass(frozen=True, slots=True)
class LineFilter:
    """A line in, a :class:`Filtered` out; pickles."""

    ingest: IngestFilter
    detail: str

    def __call__(self, line: bytes) -> Filtered:
        if not line.strip():
            return Filtered("keep", line, "unscored", None, None)
        if len(line) > MAX_BYTES:
            return self.give_up(line, f"line larger than {MAX_BYTES // 1_000_000} MB: split it")
        try:
            record = json.loads(line)
        except (ValueError, RecursionError) as error:
            return self.give_up(line, f"broken JSON ({error}): write one object a line")
        if not isinstance(record, dict):
            return self.give_up(line, "no JSON object: write one object a line")
        found = self.ingest(record)
        return self._finish(line, record, found.action, found.verdict)

    def give_up(self, line: bytes, error: str) -> Filtered:
        """The line as it is, with why it was not scored."""
        found = self.ingest.give_up("", error)
        return Filtered(found.action, line, "unscored", "unreadable", error)

    def _finish(self, line: bytes, record: dict[str, Any], action: str, verdict: Verdict) -> Filtered:
        shown = line if action == "keep" else tag_line(line, record, trim_verdict(verdict, self.detail))
        return Filtered(action, shown, verdict.label, verdict.reason, verdict.error)


def tag_line(line: bytes, record: dict[str, Any], verdict: dict[str, Any]) -> bytes:
    """``line`` with ``"unspun": verdict`` as its last field, and all else byte for byte as it was.

    A record that was tagged before loses that tag, for which it has to be written anew.
    """
    tag = json.dumps(verdict, ensure_ascii=True, allow_nan=False).encode()
    if "unspun" in record:
        kept = {name: value for name, value in record.items() if name != "unspun"}
        return json.dumps(kept | {"unspun": verdict}, ensure_ascii=True).encode() + _find_end(line)
    body = line.rstrip()
    inner = body[:-1].rstrip()
    comma = b"" if inner.endswith(b"{") and not record else b", "
    return inner + comma + b'"unspun": ' + tag + b"}" + _find_end(line)


def _find_end(line: bytes) -> bytes:
    return line[len(line.rstrip(b"\r\n")) :]


def read_ahead(lines: Iterable[bytes], on_idle: Callable[[], None]) -> Iterator[list[bytes]]:
    """Lines in chunks: as many as have come, CHUNK at most; ``on_idle`` is called before it has to wait for more.

    A thread reads, so that a slow source makes nobody wait for what it sent before.
    """
    waiting: queue.Queue[bytes | BaseException | None] = queue.Queue(AHEAD)
    stopped = threading.Event()

    def put(item: bytes | BaseException | None) -> bool:
        while not stopped.is_set():
            try:
                waiting.put(item, timeout=0.5)
            except queue.Full:
                continue
            return True
        return False

    def read() -> None:
        try:
            for line in lines:
                if not put(line):
                    return
            put(None)
        except BaseException as error:
            put(error)

    threading.Thread(target=read, daemon=True).start()
    try:
        while True:
            if waiting.empty():
                on_idle()
            chunk, item = list[bytes](), waiting.get()
            while isinstance(item, bytes):
                chunk.append(item)
                if len(chunk) == CHUNK:
                    break
                try:
                    item = waiting.get_nowait()
                except queue.Empty:
                    break
            if chunk:
                yield chunk
            if isinstance(item, BaseException):
                raise item
            if item is None:
                return
    finally:
        stopped.set()


def filter_chunks(chunks: Iterable[list[bytes]], work: LineFilter, workers: int) -> Iterator[list[Filtered]]:
    """The chunks filtered, in order; with more than one worker, processes share them."""
    if workers <= 1:
        work.ingest.open()
        yield from ([work(line) for line in chunk] for chunk in chunks)
        return
    with _Pool(work, workers) as pool:
        for chunk in chunks:
            pool.submit(chunk)
            while pool.is_full() or pool.is_next_done():
                yield pool.take()
        while pool:
            yield pool.take()


class _Pool:
    """Worker processes behind a queue of chunks, which survives their death."""

    def __init__(self, work: LineFilter, workers: int) -> None:
        self._work, self._workers = work, workers
        self._waiting = deque[tuple[list[bytes], Future[list[Filtered]]]]()
        self._start()

    def _start(self) -> None:
        method = "fork" if "fork" in multiprocessing.get_all_start_methods() else "spawn"
        if method == "fork":
            # Forked workers share the model and the references.
            self._work.ingest.open()
        context = multiprocessing.get_context(method)
        self._executor = ProcessPoolExecutor(self._workers, context, _start_worker, (self._work,))

    def __enter__(self) -> _Pool:
        return self

    def __exit__(self, *_: object) -> None:
        self._executor.shutdown(wait=False, cancel_futures=True)

    def __len__(self) -> int:
        return len(self._waiting)

    def submit(self, chunk: list[bytes]) -> None:
        try:
            future = self._executor.submit(_filter_chunk, chunk)
        except BrokenProcessPool:
            self._restart()
            future = self._executor.submit(_filter_chunk, chunk)
        self._waiting.append((chunk, future))

    def is_full(self) -> bool:
        return len(self._waiting) > 2 * self._workers

    def is_next_done(self) -> bool:
        return bool(self._waiting) and self._waiting[0][1].done()

    def take(self) -> list[Filtered]:
        chunk, future = self._waiting[0]
        try:
            found = future.result()
        except BrokenProcessPool:
            self._restart(skip_first=True)
            found = [one for line in chunk for one in self._try_alone(line)]
        self._waiting.popleft()
        return found

    def _try_alone(self, line: bytes) -> list[Filtered]:
        """One line in a process of its own, so that what kills it harms no other."""
        context = multiprocessing.get_context("fork" if "fork" in multiprocessing.get_all_start_methods() else "spawn")
        with ProcessPoolExecutor(1, context, _start_worker, (self._work,)) as alone:
            try:
                return alone.submit(_filter_chunk, [line]).result()
            except BrokenProcessPool:
                return [self._work.give_up(line, "its worker died: score it alone to see why")]

    def _restart(self, skip_first: bool = False) -> None:
        """New workers, who get all that was not done; the first chunk may be one that kills."""
        self._executor.shutdown(wait=False, cancel_futures=True)
        self._start()
        waiting, self._waiting = self._waiting, deque()
        for number, (chunk, future) in enumerate(waiting):
            done = future.done() and not future.cancelled() and future.exception() is None
            again = not done and not (skip_first and number == 0)
            self._waiting.append((chunk, self._executor.submit(_filter_chunk, chunk) if again else future))


_worker: LineFilter


def _start_worker(work: LineFilter) -> None:
    import signal

    global _worker
    # The parent is told to stop, and stops its workers.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _worker = work
    work.ingest.open()


def _filter_chunk(chunk: list[bytes]) -> list[Filtered]:
    return [_worker(line) for line in chunk]
