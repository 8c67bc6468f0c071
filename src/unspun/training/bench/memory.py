"""What memory a process has taken."""

from __future__ import annotations

from pathlib import Path


def weigh_process() -> int:
    """The most memory that this process has had resident, in millions of bytes (Linux)."""
    # Not ru_maxrss, which counts what the parent had when it forked.
    [line] = [row for row in Path("/proc/self/status").read_text("utf-8").splitlines() if row.startswith("VmHWM")]
    return round(int(line.split()[1]) * 1024 / 1e6)
