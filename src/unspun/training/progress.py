"""What long runs say of how far they have come."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable


def start_clock() -> Callable[[str], None]:
    """A function that writes a message on stderr, with the seconds since now."""
    started = time.monotonic()

    def say(message: str) -> None:
        print(f"[{time.monotonic() - started:4.0f} s] {message}", file=sys.stderr, flush=True)

    return say
