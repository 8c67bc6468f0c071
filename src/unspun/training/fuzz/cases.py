"""What a case is: bytes that stand for an input, so that one engine can vary inputs of every kind.

A case of a text is its UTF-8. A case of a file with parts (an archive of arrays, the folder of an index) begins with
two bytes that say which part is changed and how, so that all around the part stays valid: checksums are made anew, and
what is varied reaches the code behind them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

#: How a part is changed: the rest of the case stands in its place; the rest are edits of it.
REPLACE: Final = 0
EDIT: Final = 1
#: Bytes of an edit: where (three, modulo the length), and what stands there then.
_EDIT_SIZE: Final = 4
#: Longest part whose content is a seed as it stands; of a longer one only edits are.
_LONGEST_SEED: Final = 20_000


def decode_text(case: bytes) -> str:
    """The text of a case, lone surrogates too: every string that Python can hold has a case."""
    return case.decode("utf-8", "surrogatepass") if _is_text(case) else case.decode("utf-8", "replace")


def _is_text(case: bytes) -> bool:
    try:
        case.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return False
    return True


def change_part(case: bytes, parts: Mapping[str, bytes]) -> tuple[str, bytes]:
    """Which of the parts the case changes, and what it is then."""
    names = list(parts)
    name = names[case[0] % len(names)] if case else names[0]
    how, rest = (case[1] % 2, case[2:]) if len(case) > 1 else (EDIT, b"")
    if how == REPLACE:
        return name, rest
    content = bytearray(parts[name])
    for at in range(0, len(rest) - _EDIT_SIZE + 1, _EDIT_SIZE):
        if content:
            content[int.from_bytes(rest[at : at + 3], "little") % len(content)] = rest[at + 3]
    return name, bytes(content)


def make_part_seeds(parts: Mapping[str, bytes]) -> list[bytes]:
    """A case for every part: the part as it is, or where it is long an edit of its beginning."""
    seeds = []
    for number, content in enumerate(parts.values()):
        if len(content) <= _LONGEST_SEED:
            seeds.append(bytes([number, REPLACE]) + content)
        seeds.append(bytes([number, EDIT]) + bytes([1, 0, 0, 255]))
    return seeds


def join_fields(fields: Sequence[str]) -> bytes:
    """A case of several texts, see :func:`split_fields`."""
    return "\0".join(fields).encode("utf-8", "surrogatepass")


def split_fields(case: bytes, count: int) -> list[str]:
    """So many texts, parted by NUL; the last one keeps the others."""
    fields = decode_text(case).split("\0", count - 1)
    return [*fields, *[""] * (count - len(fields))]
