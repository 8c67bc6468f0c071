"""What becomes of memory that is not used any more."""

from __future__ import annotations

import contextlib
import ctypes
from typing import Final

#: glibc's number for the size from which a block is given back as soon as it is freed, and that size in bytes. Left to
#: itself it rises to the largest block freed so far, and tables and the weights of transformers lie in between.
_M_MMAP_THRESHOLD: Final = -3
_LARGE: Final = 1 << 20


def return_memory() -> None:
    """Have this process give large blocks back when they are freed: of a command with the contextual model 100 MB of
    335. For commands and their workers; who takes unspun into a process of their own decides for themselves."""
    with contextlib.suppress(OSError, AttributeError):  # other systems than Linux
        ctypes.CDLL(None).mallopt(_M_MMAP_THRESHOLD, _LARGE)
