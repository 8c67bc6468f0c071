"""One run of the filter: lines from files or a stream to where they belong, counted, and resumable.

A checkpoint says how many lines are done and how long the outputs were then. A run that was killed is begun again
with the outputs cut back to that length, so that every record is there exactly once.
"""

from __future__ import annotations

import gzip
import json
import os
import time
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Final

from unspun.stream_filter import Filtered, LineFilter, filter_chunks, read_ahead

#: Seconds between two checkpoints: what a killed run has to do again at most.
CHECKPOINT_EVERY: Final = 5.0
_CHECKPOINT: Final = "checkpoint.json"
_VERSION: Final = 1


class ResumeError(ValueError):
    """A run that cannot be resumed; the message says why and what to do."""


@dataclass
class Summary:
    """What became of the records: ``labels``, ``actions`` and ``reasons`` count them, ``unreadable`` those that held
    no text to score, ``stale`` those whose text has changed since decisions on it."""

    records: int = 0
    unreadable: int = 0
    labels: Counter[str] = field(default_factory=Counter)
    actions: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    stale: int = 0

    def add(self, found: Filtered) -> None:
        self.records += 1
        self.unreadable += found.error is not None
        self.stale += found.stale > 0
        self.labels[found.label] += 1
        self.actions[found.action] += 1
        if found.reason:
            self.reasons[found.reason] += 1

    def to_dict(self) -> dict[str, Any]:
        return {
            "records": self.records,
            "unreadable": self.unreadable,
            "stale": self.stale,
            "labels": dict(sorted(self.labels.items())),
            "actions": dict(sorted(self.actions.items())),
            "reasons": dict(sorted(self.reasons.items())),
        }

    def explain(self) -> str:
        """In one line, for people."""

        def spell(counts: Counter[str]) -> str:
            return ", ".join(f"{count:,} {name.replace('_', ' ')}" for name, count in counts.most_common()) or "none"

        reasons = f"; reasons: {spell(self.reasons)}" if self.reasons else ""
        stale = f"; {self.stale:,} changed since decisions on them: look again" if self.stale else ""
        many = "" if self.records == 1 else "s"
        return f"{self.records:,} record{many}: {spell(self.labels)}; {spell(self.actions)}{reasons}{stale}"


def read_lines(paths: Iterable[Path], tell: Callable[[str], None]) -> Iterator[bytes]:
    """The lines of files, gzipped ones too, one file after the other; a file's last line gets an end if it has none.

    Of a file that cannot be read (further) ``tell`` is told, and the next one follows.
    """
    for path in paths:
        try:
            with gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb") as file:
                for line in file:
                    yield line if line.endswith(b"\n") else line + b"\n"
        except (EOFError, zlib.error, gzip.BadGzipFile):
            tell(f"{path}: gzip is damaged or cut off: get an undamaged copy")
        except OSError as error:
            tell(f"{path}: cannot be read ({error.strerror}): check the file")


def read_stream(stream: IO[bytes]) -> Iterator[bytes]:
    """The lines of a stream as they come.

    Read by its descriptor: a thread that waits inside Python's buffer at the end of the program aborts it.
    """
    try:
        descriptor = stream.fileno()
    except OSError:
        yield from stream
        return
    rest = list[bytes]()
    while block := os.read(descriptor, 1 << 16):
        first, *others = block.split(b"\n")
        rest.append(first)
        for other in others:
            yield b"".join(rest) + b"\n"
            rest = [other]
    if any(rest):
        yield b"".join(rest)


def run_filter(
    lines: Iterable[bytes],
    work: LineFilter,
    out: IO[bytes],
    quarantine: IO[bytes] | None,
    workers: int,
    summary: Summary,
    checkpoint: Checkpoint | None = None,
) -> Iterator[Filtered]:
    """Write each line where its action says, and give what was found of it. ``summary`` is added to.

    With a ``checkpoint``, the lines that it has done are passed over.
    """

    def flush() -> None:
        out.flush()
        if quarantine:
            quarantine.flush()

    done = checkpoint.done if checkpoint else 0
    chunks = read_ahead((line for number, line in enumerate(lines) if number >= done), flush)
    try:
        for found in filter_chunks(chunks, work, workers):
            for one in found:
                if one.action == "quarantine":
                    assert quarantine is not None
                    quarantine.write(one.line)
                elif one.action != "drop":
                    out.write(one.line)
                # An empty line is no record.
                if one.line.strip():
                    summary.add(one)
                    yield one
            done += len(found)
            if checkpoint:
                checkpoint.save_sometimes(done, summary, out, quarantine)
        if checkpoint:
            checkpoint.save(done, summary, out, quarantine)
    finally:
        flush()


class Checkpoint:
    """The state of a run in a folder; ``inputs`` are the files, which must be the same when it is resumed."""

    def __init__(self, folder: Path, inputs: list[Path], options: dict[str, Any]) -> None:
        self._path = folder / _CHECKPOINT
        self._about = {
            "version": _VERSION,
            "inputs": [[str(path), path.stat().st_size] for path in inputs],
            "options": options,
        }
        self._saved = time.monotonic()
        self.done, self._sizes = 0, (0, 0)
        self.summary = Summary()
        folder.mkdir(parents=True, exist_ok=True)
        if self._path.exists():
            self._resume()

    def _resume(self) -> None:
        try:
            state = json.loads(self._path.read_text("utf-8"))
            about = {name: state[name] for name in self._about}
            counts = state["summary"]
            self.done, self._sizes = int(state["done"]), (int(state["sizes"][0]), int(state["sizes"][1]))
            labels, actions, reasons = (Counter[str](counts[name]) for name in ("labels", "actions", "reasons"))
            records, unreadable, stale = (int(counts[name]) for name in ("records", "unreadable", "stale"))
            self.summary = Summary(records, unreadable, labels, actions, reasons, stale)
        except (ValueError, KeyError, TypeError, IndexError) as error:
            raise ResumeError(f"{self._path}: damaged ({error}); remove it to begin anew") from None
        if about != self._about:
            raise ResumeError(f"{self._path}: is of another run; remove it to begin anew, or name another folder")

    def open(self, path: Path, place: int) -> IO[bytes]:
        """The output file ``path`` (number ``place``: 0 out, 1 quarantine) as long as it was at the checkpoint."""
        file = path.open("r+b" if path.exists() else "w+b")
        size = self._sizes[place]
        if file.seek(0, os.SEEK_END) < size:
            file.close()
            raise ResumeError(f"{path}: is shorter than at the checkpoint in {self._path}; remove both to begin anew")
        file.truncate(size)
        file.seek(size)
        return file

    def save_sometimes(self, done: int, summary: Summary, out: IO[bytes], quarantine: IO[bytes] | None) -> None:
        if time.monotonic() - self._saved >= CHECKPOINT_EVERY:
            self.save(done, summary, out, quarantine)

    def save(self, done: int, summary: Summary, out: IO[bytes], quarantine: IO[bytes] | None) -> None:
        """First the outputs reach the disk, then the note that they did."""
        sizes = []
        for file in (out, quarantine):
            if file:
                file.flush()
                os.fsync(file.fileno())
            sizes.append(file.tell() if file else 0)
        state = self._about | {"done": done, "sizes": sizes, "summary": summary.to_dict()}
        written = self._path.with_suffix(".tmp")
        with written.open("w", encoding="utf-8") as note:
            json.dump(state, note)
            note.flush()
            os.fsync(note.fileno())
        written.replace(self._path)
        self._saved = time.monotonic()
