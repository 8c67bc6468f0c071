"""Runs cases under limits and keeps those that break something, the smallest for each way of breaking it."""

from __future__ import annotations

import hashlib
import json
import resource
import time
import traceback
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from unspun.training.fuzz.targets import Target

#: Seconds of processor time that a case may take: what else runs on the machine is no case's fault.
MOST_SECONDS: Final = 5.0
#: Bytes that the process may have beyond those that it has once everything is loaded.
MOST_MEMORY: Final = 2_000_000_000
#: Seconds spent to make one case smaller.
_SHRINKING: Final = 20.0


def limit_memory() -> None:
    """From now on, asking for much more memory is a MemoryError: a case that needs it is found out."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    limit = pages * resource.getpagesize() + MOST_MEMORY
    resource.setrlimit(resource.RLIMIT_AS, (limit, resource.getrlimit(resource.RLIMIT_AS)[1]))


def run_case(target: Target, case: bytes) -> str | None:
    """How the case breaks the target: the error and where it was raised, or that it took too long; None if it does
    not."""
    began = time.process_time()
    try:
        target.run(case)
    except Exception as error:
        return describe(error)
    return "too slow" if time.process_time() - began > MOST_SECONDS else None


def describe(error: BaseException) -> str:
    """The error's type and the innermost line of the package that it came through: one bug, one name."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if "/unspun/" in frame.filename and "/training/fuzz/" not in frame.filename]
    last = (own or frames)[-1]
    what = str(error)[:60] if isinstance(error, AssertionError) else ""
    return f"{type(error).__name__} {what} in {Path(last.filename).name}:{last.lineno} {last.name}"


@dataclass
class Watch:
    """What came of the cases of one target; findings are written to ``folder`` as they come. ``bounded``: whether the
    memory of this process is limited."""

    target: Target
    folder: Path
    bounded: bool = False
    cases: int = 0
    findings: dict[str, bytes] = field(default_factory=dict)

    def __call__(self, case: bytes) -> None:
        """Runs a case and never raises."""
        self.cases += 1
        self.note(case, run_case(self.target, case))
        if self.cases % 100 == 0:
            self.save()
            if self.bounded:
                # What atheris itself loses a case is no case's fault.
                limit_memory()

    def note(self, case: bytes, how: str | None) -> None:
        known = self.findings.get(how) if how else None
        if how and (known is None or len(case) < len(known)):
            self.findings[how] = case
            self.write(how, case)

    def write(self, how: str, case: bytes) -> None:
        name = hashlib.sha256(how.encode()).hexdigest()[:12]
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / name).write_bytes(case)
        (self.folder / f"{name}.txt").write_text(f"{how}\n", "utf-8")

    def save(self) -> None:
        """How far it is, for who started this process: libFuzzer ends it without further ado."""
        self.folder.mkdir(parents=True, exist_ok=True)
        told: dict[str, Any] = {"cases": self.cases, "cpu_seconds": round(time.process_time(), 1)}
        (self.folder / "progress.json").write_text(json.dumps(told), "utf-8")


def shrink_case(target: Target, case: bytes) -> bytes:
    """The case without the stretches that it breaks the same without; as it is if it breaks nothing any more."""
    how = run_case(target, case)
    until, size = time.monotonic() + _SHRINKING, len(case) // 2 if how else 0
    while size and time.monotonic() < until:
        at = 0
        while at < len(case) and time.monotonic() < until:
            shorter = case[:at] + case[at + size :]
            if run_case(target, shorter) == how:
                case = shorter
            else:
                at += size
        size //= 2
    return case
