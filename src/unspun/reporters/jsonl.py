"""A verdict as one JSON line: schema 1, for programs."""

from __future__ import annotations

import json
from typing import Final, TextIO

from unspun.article import Verdict
from unspun.readers import replace_surrogates

#: Characters that JSON allows raw and that some readers take for the end of a line.
_LINE_ENDS: Final = {"\x85": "\\u0085", "\u2028": "\\u2028", "\u2029": "\\u2029"}


def write_jsonl(verdict: Verdict, stream: TextIO) -> None:
    """Write one line. Raises ValueError for a score that is not a finite number: JSON has no NaN."""
    write_line(json.dumps(verdict.to_dict(), ensure_ascii=False, allow_nan=False), stream)


def write_line(line: str, stream: TextIO) -> None:
    """Write JSON so that every reader takes it for one line."""
    for char, escaped in _LINE_ENDS.items():
        line = line.replace(char, escaped)
    stream.write(replace_surrogates(line) + "\n")
