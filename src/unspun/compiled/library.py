"""The library that ``twin.c`` and its parts are compiled to, when unspun is built or installed, where there is a
C compiler.

It goes with the wheel, needs no headers of Python and is called through ctypes. Where it is missing, numpy does the
same, slower; ``UNSPUN_COMPILED=0`` in the environment chooses that.
"""

from __future__ import annotations

import ctypes
import os
from functools import cache
from pathlib import Path
from typing import Any, Final

from numpy.typing import NDArray

#: Of ``twin.c``: a library of another version is not used.
VERSION: Final = 13
#: Not called .so: Python would take it for one of its modules.
LIBRARY: Final = Path(__file__).with_name("_twin.bin")


class CompiledNetworks(ctypes.Structure):
    """:class:`unspun.networks.Networks` as ``twin.c`` reads it; a margin is ``slope`` times their mean + ``offset``."""

    _fields_ = (
        *((name, ctypes.c_int32) for name in ("count", "inputs", "units", "padding")),
        *((n, ctypes.c_void_p) for n in ("mean", "steps", "hidden", "hidden_bias", "output", "step", "output_bias")),
        *((name, ctypes.c_double) for name in ("most", "slope", "offset")),
    )


class CompiledKeyTable(ctypes.Structure):
    """:class:`unspun.key_table.KeyTable` as ``twin.c`` reads it."""

    _fields_ = (
        ("slots", ctypes.c_void_p), ("shift", ctypes.c_int32), ("place_bits", ctypes.c_int32),
        ("filter", ctypes.c_void_p), ("filter_shift", ctypes.c_int32), ("padding", ctypes.c_int32),
    )  # fmt: skip


class Tables(ctypes.Structure):
    """All that ``twin.c`` reads; whoever calls a function of it fills in what that asks for."""

    _fields_ = (
        ("classes", ctypes.c_void_p), ("folds", ctypes.c_void_p),
        ("entries", ctypes.c_void_p), ("ids", ctypes.c_void_p), ("flags", ctypes.c_void_p),
        ("entry_mask", ctypes.c_uint64),
        ("phrases", ctypes.c_void_p), ("phrase_mask", ctypes.c_uint64),
        ("longest_phrase", ctypes.c_int32), ("least_words", ctypes.c_int32), ("least_english", ctypes.c_double),
        ("size", ctypes.c_int64),
        ("logs", ctypes.c_void_p),
        ("pairs", CompiledKeyTable), ("triples", CompiledKeyTable),
        ("pair_logs", ctypes.c_void_p), ("gains", ctypes.c_void_p), ("triple_backoff", ctypes.c_void_p),
        ("log_step", ctypes.c_float), ("gain_step", ctypes.c_float),
        *((n, ctypes.c_void_p) for n in ("synonym_starts", "synonym_ids", "priors", "synonym_sources")),
        ("synonyms", CompiledKeyTable), ("spellings", CompiledKeyTable),
        *((name, ctypes.c_void_p) for name in ("synonym_bits", "kinds", "lemmas", "inflections", "out_degrees")),
        *((name, ctypes.c_void_p) for name in ("marked", "marks", "spelt_at", "spelt")),
        ("marked_mask", ctypes.c_uint64),
        ("vectors", ctypes.c_void_p), ("squares", ctypes.c_void_p),
        ("shares", ctypes.c_void_p), ("last_share", ctypes.c_int32),
        ("share_steps", ctypes.c_float), ("most_zipf", ctypes.c_float), ("function_zipf", ctypes.c_float),
        ("stretch", ctypes.c_int64),
        ("habits", ctypes.c_void_p), ("after_values", ctypes.c_void_p), ("before_values", ctypes.c_void_p),
        ("after", CompiledKeyTable), ("before", CompiledKeyTable),
        ("words", CompiledNetworks), ("strange", CompiledNetworks), ("alone", CompiledNetworks),
    )  # fmt: skip


class CompiledText(ctypes.Structure):
    """:class:`unspun.examined.Examined` as ``twin.c`` reads it."""

    _fields_ = (
        *((n, ctypes.c_void_p) for n in ("ids", "start", "end", "sentence", "quotation", "hash", "zipf")),
        *((n, ctypes.c_void_p) for n in ("breaks", "capital", "named", "numeric", "content", "opens", "letters")),
        ("count", ctypes.c_int64),
    )  # fmt: skip


_POINTER, _LONG, _INT = ctypes.c_void_p, ctypes.c_int64, ctypes.c_int32
#: What the functions take that others than :mod:`unspun.compiled.twin` call.
_TAKES: Final = {
    "unspun_add_words": (_POINTER, ctypes.c_uint64, ctypes.c_char_p, _LONG, *[_POINTER] * 3, _INT),
    "unspun_find_frequencies": (_POINTER, ctypes.c_uint64, ctypes.c_char_p, _LONG, _POINTER),
    "unspun_fill_slots": (_POINTER, _INT, _INT, ctypes.c_uint64, _POINTER, _LONG),
    "unspun_fill_filter": (_POINTER, _LONG, _INT, _POINTER, _INT),
    "unspun_find_keys": (_POINTER, _INT, _INT, _POINTER, _LONG, _POINTER, _POINTER),
    "unspun_score_rows": (_POINTER, _POINTER, _LONG, _POINTER),
    "unspun_add_leaves": (*[_POINTER] * 4, _LONG, _POINTER, _LONG, _LONG, _POINTER, _POINTER),
    "unspun_compare_words": (*[_POINTER] * 4, _LONG, _POINTER),
    "unspun_split_text": (_POINTER, ctypes.c_char_p, _LONG, _LONG, *[_POINTER] * 3),
    "unspun_add_phrases": (_POINTER, ctypes.c_uint64, ctypes.c_char_p, _LONG),
    "unspun_holds_phrase": (*[_POINTER] * 3, _LONG),
    "unspun_fill_priors": (_POINTER,) * 2,
    "unspun_set_salt": (ctypes.c_uint64,),
    "unspun_hash_words": (ctypes.c_char_p, _LONG, _POINTER),
    "unspun_look_words_up": (*[_POINTER] * 6, _LONG, *[_POINTER] * 4),
    "unspun_number_words": (*[_POINTER] * 2, *[ctypes.c_uint64] * 2, _POINTER, _LONG, _POINTER),
    "unspun_find_numbers": (*[_POINTER] * 2, *[ctypes.c_uint64] * 2, _POINTER, _LONG, _POINTER),
    "unspun_weigh_references": (
        _POINTER, _LONG, *[_POINTER] * 2, _LONG, *[_POINTER] * 4, ctypes.c_uint64, *[_POINTER] * 2,
    ),
    "unspun_examine_words": (_POINTER,) * 5,
    "unspun_count_marked": (*[_POINTER] * 2, _LONG, _INT),
    "unspun_judge_pairs": (*[_POINTER] * 5, _LONG, ctypes.c_double, *[_POINTER] * 3),
    "unspun_count_support": (
        _LONG, *[_POINTER] * 2, _LONG, *[_POINTER] * 2, _LONG, *[_POINTER] * 2, ctypes.c_uint64, *[_POINTER] * 2,
    ),
    "unspun_measure_pairs": (*[_POINTER] * 7, _LONG, _POINTER, _POINTER),
    "unspun_measure_directions": (*[_POINTER] * 4, _LONG, _POINTER, _POINTER),
    "unspun_number_quotations": (ctypes.c_char_p, _LONG, _POINTER, _LONG, _POINTER),
    "unspun_align": (_POINTER,) * 12,
    "unspun_examine_usage": (
        *[_POINTER] * 3, _LONG, *[_POINTER] * 2, _LONG, ctypes.c_double, _POINTER, ctypes.c_uint64, *[_POINTER] * 3,
    ),
    "unspun_rank_originals": (*[_POINTER] * 3, _LONG, _POINTER, _INT, _POINTER),
    "unspun_score_words": (*[_POINTER] * 5, _LONG, *[_POINTER] * 2),
    "unspun_measure_wording": (_LONG, _POINTER, _LONG, *[_POINTER] * 2, _LONG, *[_POINTER] * 3),
    "unspun_score_compared": (_POINTER,) * 5,
    "unspun_sum_vectors": (*[_POINTER] * 3, _LONG, _POINTER),
}  # fmt: skip
#: What they give back, where that is not an int.
_GIVES: Final = {
    "unspun_size": _LONG,
    "unspun_split_text": _LONG,
    "unspun_examine_words": _LONG,
    "unspun_count_marked": _LONG,
}


def make_salt() -> int:
    """An odd number of 64 bits that nobody can guess, by which tables are laid out."""
    return int.from_bytes(os.urandom(8)) | 1


@cache
def load_library() -> ctypes.CDLL | None:
    """The library; None where it was not built, is of another version or another machine, or is not wanted."""
    if os.environ.get("UNSPUN_COMPILED") == "0" or not LIBRARY.exists():
        return None
    try:
        library = ctypes.CDLL(str(LIBRARY))
        for name, takes in _TAKES.items():
            getattr(library, name).argtypes = takes
        for name, gives in _GIVES.items():
            getattr(library, name).restype = gives
        # A library that was left over would read structures of another shape.
        library.unspun_set_salt(make_salt())
        fits = library.unspun_version() == VERSION and library.unspun_size(0) == ctypes.sizeof(Tables)
        return library if fits else None
    except (OSError, AttributeError):
        return None


_Byte: Final = ctypes.c_char


def address(array: NDArray[Any]) -> int:
    """Where an array lies, for a function that may read and write all of it: C order, and its type as that wants it."""
    try:
        # A tenth of what array.ctypes costs, and it refuses an array with gaps.
        return ctypes.addressof(_Byte.from_buffer(array))  # type: ignore[arg-type]
    except (TypeError, ValueError):  # read-only, or empty
        assert array.flags.c_contiguous
        at: int = array.ctypes.data
        return at
