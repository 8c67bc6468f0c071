"""JSON lines through an :class:`unspun.ingest.IngestFilter`: in order, on several cores, and no record is lost.

A worker that dies takes no record along: what it had is tried again, at last alone, and a record that kills its worker
every time comes out as ``unscored``.
"""

from __future__ import annotations

import json
import queue
import re
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from typing import Any, Final

from unspun.filtering.record_files import Page, Rest, extract_page
from unspun.ingest import Disposition, IngestFilter, trim_verdict
from unspun.processes import choose_context, obey_parent
from unspun.readers import MAX_BYTES

#: Lines, and about how many bytes, that a worker takes at once: sending them costs little then, and nobody waits long.
CHUNK: Final = 16
CHUNK_BYTES: Final = 1_000_000
#: Seconds after which finished work is looked for while no line comes.
TICK: Final = 0.05
#: Lines, and about how many bytes, read ahead of the work.
AHEAD: Final = 256
AHEAD_BYTES: Final = 50_000_000


@dataclass(frozen=True, slots=True)
class Filtered:
    """One line as it leaves: ``action`` as in :data:`unspun.ingest.ACTIONS`, ``line`` with its end, ``tag`` the part of
    it that says what was found, as JSON. What is no record, an empty line or the rest of one, has no ``label``."""

    action: str
    line: bytes
    label: str | None
    reason: str | None = None
    error: str | None = None
    stale: int = 0
    tag: bytes | None = None


@dataclass(frozen=True, slots=True)
class LineFilter:
    """A line in, a :class:`Filtered` out; pickles."""

    ingest: IngestFilter
    detail: str

    def __call__(self, line: bytes) -> Filtered:
        if isinstance(line, Rest):
            return Filtered(self._refuse("").action, bytes(line), None)
        if not line.strip():
            return Filtered("keep", line, None)
        if isinstance(line, Page):
            try:
                line = extract_page(line)
            except ImportError as error:
                return self.give_up(line, f"pages need another package ({error}): pip install 'unspun[warc]'")
        record = parse_line(line)
        return self._finish(line, record, self.ingest(record) if isinstance(record, dict) else self._refuse(record))

    def give_up(self, line: bytes, error: str) -> Filtered:
        """The line with why it was not scored; only a record gets a tag."""
        return self._finish(line, parse_line(line), self._refuse(error))

    def _refuse(self, error: str) -> Disposition:
        return self.ingest.give_up("", error)

    def _finish(self, line: bytes, record: dict[str, Any] | str, found: Disposition) -> Filtered:
        action, verdict, tag = found.action, found.verdict, None
        if action != "keep" and isinstance(record, dict):
            tag = json.dumps(trim_verdict(verdict, self.detail), ensure_ascii=True, allow_nan=False).encode()
            line = tag_line(line, record, tag)
        return Filtered(action, line, verdict.label, verdict.reason, verdict.error, verdict.stale, tag)


def parse_line(line: bytes) -> dict[str, Any] | str:
    """The record of a line, or why it holds none."""
    if len(line) > MAX_BYTES:
        return f"line larger than {MAX_BYTES // 1_000_000} MB: split it"
    try:
        # As UTF-8, whatever the bytes look like: what is added to the line is UTF-8 too.
        record = json.loads(line.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        return f"broken JSON ({error}): write one object a line"
    return record if isinstance(record, dict) else "no JSON object: write one object a line"


def tag_line(line: bytes, record: Mapping[str, Any], tag: bytes) -> bytes:
    """``line``, which holds ``record``, with ``"unspun": tag`` as its last field in place of any that it has; all else
    is byte for byte as it was."""
    body = line.rstrip()
    if "unspun" in record:
        body = _remove_field(body.decode(), "unspun").encode()
    inner = body[:-1].rstrip()
    comma = b"" if record.keys() <= {"unspun"} else b", "
    return inner + comma + b'"unspun": ' + tag + b"}" + _find_end(line)


def _remove_field(body: str, unwanted: str) -> str:
    """A JSON object without a field, wherever it stands and however often."""
    fields, kept, reached = _find_fields(body), list[str](), 0
    follows = False
    for number, (name, start, end) in enumerate(fields):
        if name != unwanted:
            follows = True
            continue
        # With the comma before it, or with the one after where nothing is kept before it.
        if follows:
            start = fields[number - 1][2]
        elif number + 1 < len(fields):
            end = fields[number + 1][1]
        kept.append(body[reached:start])
        reached = end
    return "".join([*kept, body[reached:]])


def _find_fields(body: str) -> list[tuple[str, int, int]]:
    """Name, start and end of each field of a JSON object, in order."""
    fields, at = list[tuple[str, int, int]](), body.index("{") + 1
    while True:
        at = _SPACE.match(body, at).end()  # type: ignore[union-attr]
        if body[at] == "}":
            return fields
        if body[at] == ",":
            at = _SPACE.match(body, at + 1).end()  # type: ignore[union-attr]
        start = at
        name, at = _DECODER.raw_decode(body, at)
        at = _COLON.match(body, at).end()  # type: ignore[union-attr]
        _, at = _DECODER.raw_decode(body, at)
        fields.append((name, start, at))


_DECODER: Final = json.JSONDecoder()
_SPACE: Final = re.compile(r"[ \t\r\n]*")
_COLON: Final = re.compile(r"[ \t\r\n]*:[ \t\r\n]*")


def _find_end(line: bytes) -> bytes:
    return line[len(line.rstrip(b"\r\n")) :]


def read_ahead(lines: Iterable[bytes], on_idle: Callable[[], None]) -> Iterator[list[bytes]]:
    """Lines in chunks: as many as have come, CHUNK at most; ``on_idle`` is called before it has to wait for more.

    A thread reads, so that a slow source makes nobody wait for what it sent before; while nothing comes, empty chunks
    do, so that what is finished meanwhile can be given out.
    """
    waiting: queue.SimpleQueue[bytes | BaseException | None] = queue.SimpleQueue()
    room = _Room()

    def read() -> None:
        try:
            for line in lines:
                if not room.take(len(line)):
                    return
                waiting.put(line)
            waiting.put(None)
        except BaseException as error:
            waiting.put(error)

    threading.Thread(target=read, daemon=True).start()
    try:
        while True:
            if waiting.empty():
                on_idle()
            chunk, size = list[bytes](), 0
            try:
                item = waiting.get(timeout=TICK)
            except queue.Empty:
                yield []
                continue
            while isinstance(item, bytes):
                chunk.append(item)
                size += len(item)
                room.give(len(item))
                if len(chunk) == CHUNK or size >= CHUNK_BYTES:
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
        room.shut()


class _Room:
    """What may be read ahead: AHEAD lines of AHEAD_BYTES together, one line in any case."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._lines = self._bytes = 0
        self._is_shut = False

    def take(self, size: int) -> bool:
        """Wait for room; False when it is shut."""
        with self._changed:
            self._changed.wait_for(lambda: self._is_shut or (self._lines < AHEAD and self._bytes < AHEAD_BYTES))
            self._lines += 1
            self._bytes += size
            return not self._is_shut

    def give(self, size: int) -> None:
        with self._changed:
            self._lines -= 1
            self._bytes -= size
            self._changed.notify()

    def shut(self) -> None:
        with self._changed:
            self._is_shut = True
            self._changed.notify()


def filter_chunks(chunks: Iterable[list[bytes]], work: LineFilter, workers: int) -> Iterator[list[Filtered]]:
    """The chunks filtered, in order; with more than one worker, processes share them."""
    if workers <= 1:
        work.ingest.open()
        yield from ([work(line) for line in chunk] for chunk in chunks)
        return
    with _Pool(work, workers) as pool:
        failed: Exception | None = None
        try:
            for chunk in chunks:
                if chunk:
                    pool.submit(chunk)
                while pool.is_full() or pool.is_next_done():
                    yield pool.take()
        except Exception as error:
            # What came before is still to be given out.
            failed = error
        while pool:
            yield pool.take()
        if failed:
            raise failed


class _Pool:
    """Worker processes behind a queue of chunks, which survives their death."""

    def __init__(self, work: LineFilter, workers: int) -> None:
        self._work, self._workers = work, workers
        self._waiting = deque[tuple[list[bytes], Future[list[Filtered]]]]()
        self._start()

    def _start(self) -> None:
        # Before the workers are forked, so that they share the model and the references.
        self._work.ingest.open()
        self._executor = ProcessPoolExecutor(self._workers, choose_context(), _start_worker, (self._work,))

    def __enter__(self) -> _Pool:
        return self

    def __exit__(self, *_: object) -> None:
        self._executor.shutdown(wait=False, cancel_futures=True)

    def __len__(self) -> int:
        return len(self._waiting)

    def submit(self, chunk: list[bytes]) -> None:
        self._waiting.append((chunk, self._hand_out(chunk)))

    def _hand_out(self, chunk: list[bytes]) -> Future[list[Filtered]]:
        try:
            return self._executor.submit(_filter_chunk, chunk)
        except BrokenProcessPool as error:
            # As if it had died with the workers: it is tried again when its turn comes.
            future: Future[list[Filtered]] = Future()
            future.set_exception(error)
            return future

    def is_full(self) -> bool:
        return len(self._waiting) > 2 * self._workers

    def is_next_done(self) -> bool:
        return bool(self._waiting) and self._waiting[0][1].done()

    def take(self) -> list[Filtered]:
        chunk, future = self._waiting[0]
        try:
            found = future.result()
        except BrokenProcessPool:
            self._restart()
            found = [one for line in chunk for one in self._try_alone(line)]
        self._waiting.popleft()
        return found

    def _try_alone(self, line: bytes) -> list[Filtered]:
        """One line in a process of its own, so that what kills it harms no other."""
        with ProcessPoolExecutor(1, choose_context(), _start_worker, (self._work,)) as alone:
            try:
                return alone.submit(_filter_chunk, [line]).result()
            except BrokenProcessPool:
                return [self._work.give_up(line, "its worker died: score it alone to see why")]

    def _restart(self) -> None:
        """New workers, who get all that was not done but the first chunk, which may be the one that kills."""
        self._executor.shutdown(wait=False, cancel_futures=True)
        self._start()
        waiting, self._waiting = self._waiting, deque()
        for number, (chunk, future) in enumerate(waiting):
            done = future.done() and not future.cancelled() and future.exception() is None
            self._waiting.append((chunk, future if done or number == 0 else self._hand_out(chunk)))


_worker: LineFilter


def _start_worker(work: LineFilter) -> None:
    global _worker
    obey_parent()
    _worker = work
    work.ingest.open()


def _filter_chunk(chunk: list[bytes]) -> list[Filtered]:
    return [_worker(line) for line in chunk]
