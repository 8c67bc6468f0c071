"""Text of unknown origin made harmless to show: nothing in it may steer a terminal or hide."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

_SUSPECT: Final = re.compile(r"[^ -~]")
_SPACE: Final = re.compile(r"[ \t\r\n\v\f]+")


def is_hidden(char: str) -> bool:
    """Whether ``char`` shows nothing or steers what shows: controls, bidi, zero-width, surrogates."""
    return not char.isprintable() and unicodedata.category(char) != "Zs"


def make_visible(text: str) -> str:
    r"""``text`` on one line, white space as single spaces, hidden characters as ``\x1b`` or ``\u202e``."""
    return _SUSPECT.sub(lambda match: _escape(match.group()), _SPACE.sub(" ", text))


def shorten(shown: str, longest: int) -> str:
    return shown if len(shown) <= longest else shown[: longest - 1].rstrip() + "…"


def _escape(char: str) -> str:
    if not is_hidden(char):
        return char
    code = ord(char)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
