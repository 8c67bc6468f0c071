"""One run of the filter: lines from files or a stream to where they belong, counted, and resumable.

A checkpoint says how many lines are done and how long the outputs were then. A run that was killed is begun again
with the outputs cut back to that length, so that every record is there exactly once.
"""

from __future__ import annotations

import json
import os
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import IO, Any, Final

from unspun.filtering.record_outputs import LineOutput, Output, Row
from unspun.filtering.streams import Filtered, LineFilter, filter_chunks, read_ahead

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
        assert found.label is not None
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


@dataclass(frozen=True, slots=True)
class Routes:
    """Where records go; ``rows`` are those of the parquet files that the lines came from, in step with them."""

    out: Output
    quarantine: Output | None = None
    rows: Iterator[Row] | None = None

    def send(self, one: Filtered) -> None:
        row = next(self.rows) if self.rows else None
        if one.action == "quarantine":
            assert self.quarantine is not None
            self.quarantine.write(one, row)
        elif one.action != "drop":
            self.out.write(one, row)

    def flush(self) -> None:
        for output in self._list():
            output.flush()

    def close(self) -> None:
        for output in self._list():
            output.close()

    def settle(self) -> list[int]:
        """The lengths of what is on the disk now."""
        return [output.settle() for output in self._list() if isinstance(output, LineOutput)]

    def _list(self) -> list[Output]:
        return [self.out, self.quarantine] if self.quarantine else [self.out]


def run_filter(
    lines: Iterable[bytes],
    work: LineFilter,
    routes: Routes,
    workers: int,
    summary: Summary,
    checkpoint: Checkpoint | None = None,
) -> Iterator[Filtered]:
    """Send each line where its action says, and give what was found of it. ``summary`` is added to.

    With a ``checkpoint``, the lines that it has done are passed over.
    """
    done = checkpoint.done if checkpoint else 0
    chunks = read_ahead(islice(lines, done, None), routes.flush)
    try:
        for found in filter_chunks(chunks, work, workers):
            for one in found:
                routes.send(one)
                if one.label is not None:
                    summary.add(one)
                    yield one
            done += len(found)
            if checkpoint:
                checkpoint.save_sometimes(done, summary, routes)
        if checkpoint:
            checkpoint.save(done, summary, routes)
    finally:
        routes.close()


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
            self.done = _count(state["done"])
            self._sizes = _count(state["sizes"][0]), _count(state["sizes"][1])
            labels, actions, reasons = (
                Counter[str]({name: _count(value) for name, value in counts[names].items()})
                for names in ("labels", "actions", "reasons")
            )
            records, unreadable, stale = (_count(counts[name]) for name in ("records", "unreadable", "stale"))
            self.summary = Summary(records, unreadable, labels, actions, reasons, stale)
        except (ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError) as error:
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

    def save_sometimes(self, done: int, summary: Summary, routes: Routes) -> None:
        if time.monotonic() - self._saved >= CHECKPOINT_EVERY:
            self.save(done, summary, routes)

    def save(self, done: int, summary: Summary, routes: Routes) -> None:
        """First the outputs reach the disk, then the note that they did."""
        sizes = [*routes.settle(), 0][:2]
        state = self._about | {"done": done, "sizes": sizes, "summary": summary.to_dict()}
        written = self._path.with_suffix(".tmp")
        with written.open("w", encoding="utf-8") as note:
            json.dump(state, note)
            note.flush()
            os.fsync(note.fileno())
        written.replace(self._path)
        self._saved = time.monotonic()


def _count(value: Any) -> int:
    """The value, a whole number from 0 on that a file's length can be; raises ValueError for any other."""
    if type(value) is not int or not 0 <= value < 1 << 63:
        raise ValueError(f"{value!r} is no count")
    return value
