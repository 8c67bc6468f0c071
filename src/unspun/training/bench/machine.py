"""What a measurement ran on: processor, memory and how fast that is read, versions; never the name of a host."""

from __future__ import annotations

import os
import platform
import time
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final

import numpy as np

_PEERS: Final = ("numpy", "rapidfuzz", "scikit-learn", "datatrove", "spacy", "fasttext-community", "datasketch")
#: Bytes that bandwidth is measured over: more than any cache holds.
_BYTES: Final = 1 << 30
_ROUNDS: Final = 5


def describe_machine() -> dict[str, Any]:
    """The machine as it is while nothing else is measured. Bandwidth in 10^9 bytes a second, of one core."""
    return {
        "processor": _read_value("/proc/cpuinfo", "model name") or platform.processor() or platform.machine(),
        "architecture": platform.machine(),
        "cores": os.cpu_count(),
        "memory (10^9 bytes)": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9, 1),
        "caches": _list_caches(),
        "bandwidth": measure_bandwidth(),
        "system": _name_system(),
        "python": platform.python_version(),
        "versions": _list_versions(),
    }


def measure_bandwidth(size: int = _BYTES) -> dict[str, float]:
    """10^9 bytes a second of one core: ``read`` (the largest of an array) and ``copy`` (reading and writing counted).
    The fastest of some rounds, since whatever else runs can only slow it down."""
    source = np.ones(size // 8, np.int64)
    target = np.empty_like(source)
    best = {"read": float("inf"), "copy": float("inf")}
    for _ in range(_ROUNDS):
        began = time.perf_counter()
        source.max()
        between = time.perf_counter()
        np.copyto(target, source)
        ended = time.perf_counter()
        best = {"read": min(best["read"], between - began), "copy": min(best["copy"], ended - between)}
    return {
        "read": round(source.nbytes / best["read"] / 1e9, 1),
        "copy": round(2 * source.nbytes / best["copy"] / 1e9, 1),
    }


def _read_value(path: str, key: str) -> str | None:
    try:
        lines = Path(path).read_text("utf-8").splitlines()
    except OSError:
        return None
    return next((line.partition(":")[2].strip() for line in lines if line.partition(":")[0].strip() == key), None)


def _list_caches() -> dict[str, str]:
    """The sizes of the first core's caches (Linux; else none)."""
    found = {}
    for cache in sorted(Path("/sys/devices/system/cpu/cpu0/cache").glob("index*")):
        level, kind, size = ((cache / name).read_text().strip() for name in ("level", "type", "size"))
        found[f"L{level} {kind.lower()}"] = size
    return found


def _name_system() -> str:
    try:
        name = platform.freedesktop_os_release()["PRETTY_NAME"]
    except (OSError, KeyError):
        name = platform.system()
    return f"{name}, {platform.system()} {platform.release()}"


def _list_versions() -> dict[str, str]:
    found = {}
    for name in _PEERS:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
