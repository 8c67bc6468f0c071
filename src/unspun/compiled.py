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
from typing import Any, Final

from numpy.typing import NDArray

#: Of ``twin.c``: a library of another version is not used.
VERSION: Final = 1
LIBRARY: Final = Path(__file__).with_name("_twin.dll" if sys.platform == "win32" else "_twin.so")


class CompiledNetworks(ctypes.Structure):
    """:class:`unspun.networks.Networks` as ``twin.c`` reads it; a margin is ``slope`` times their mean + ``offset``."""

    _fields_ = (
        *((name, ctypes.c_int32) for name in ("count", "inputs", "units", "padding")),
        *((n, ctypes.c_void_p) for n in ("mean", "steps", "hidden", "hidden_bias", "output", "step", "output_bias")),
        *((name, ctypes.c_double) for name in ("most", "slope", "offset")),
    )


_POINTER, _LONG, _INT = ctypes.c_void_p, ctypes.c_int64, ctypes.c_int32
#: What the functions take that others than :mod:`unspun.twin` call.
_TAKES: Final = {
    "unspun_fill_slots": (_POINTER, _INT, _INT, ctypes.c_uint64, _POINTER, _LONG),
    "unspun_fill_filter": (_POINTER, _LONG, _INT, _POINTER, _INT),
    "unspun_find_keys": (_POINTER, _INT, _INT, _POINTER, _LONG, _POINTER, _POINTER),
    "unspun_score_rows": (_POINTER, _POINTER, _LONG, _POINTER),
    "unspun_climb_trees": (_POINTER, _LONG, *[_POINTER] * 6, _LONG, _LONG, _POINTER),
    "unspun_compare_words": (*[_POINTER] * 4, _LONG, _POINTER),
}


@cache
def load_library() -> ctypes.CDLL | None:
    """The library; None where it was not built, is of another version or another machine, or is not wanted."""
    if os.environ.get("UNSPUN_COMPILED") == "0" or not LIBRARY.exists():
        return None
    try:
        library = ctypes.CDLL(str(LIBRARY))
        for name, takes in _TAKES.items():
            getattr(library, name).argtypes = takes
        return library if library.unspun_version() == VERSION else None
    except (OSError, AttributeError):
        return None


def address(array: NDArray[Any]) -> int:
    """Where an array lies, for a function that may read and write all of it: C order, and its type as that wants it."""
    assert array.flags.c_contiguous
    at: int = array.ctypes.data
    return at
