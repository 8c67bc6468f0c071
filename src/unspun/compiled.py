"""The library that ``twin.c`` is compiled to: when unspun is built or installed, where there is a C compiler.

It goes with the wheel, needs no headers of Python and is called through ctypes. Where it is missing, numpy does the
same, slower; ``UNSPUN_COMPILED=0`` in the environment chooses that.
"""

from __future__ import annotations

import ctypes
import os
import sys
from functools import cache
from pathlib import Path
from typing import Final

#: Of ``twin.c``: a library of another version is not used.
VERSION: Final = 1
LIBRARY: Final = Path(__file__).with_name("_twin.dll" if sys.platform == "win32" else "_twin.so")


@cache
def load_library() -> ctypes.CDLL | None:
    """The library; None where it was not built, is of another version or another machine, or is not wanted."""
    if os.environ.get("UNSPUN_COMPILED") == "0" or not LIBRARY.exists():
        return None
    try:
        library = ctypes.CDLL(str(LIBRARY))
        return library if library.unspun_version() == VERSION else None
    except (OSError, AttributeError):
        return None
