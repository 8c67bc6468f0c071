"""JSON lines, for programs: a verdict (schema 1), or another record."""

from __future__ import annotations

import json
from typing import Any, Final, TextIO

from unspun.article import Verdict
from unspun.readers import replace_surrogates

#: Characters that JSON allows raw and that some readers take for the end of a line.
_LINE_ENDS: Final = {"\x85": "\\u0085", "\u2028": "\\u2028", "\u2029": "\\u2029"}


def write_jsonl(verdict: Verdict, stream: TextIO) -> None:
    write_record(verdict.to_dict(), stream)


def write_record(record: dict[str, Any], stream: TextIO) -> None:
    """Write it so that every reader takes it for one line. Raises ValueError for a number that is not finite: JSON has
    no NaN."""
    line = json.dumps(record, ensure_ascii=False, allow_nan=False)
    for char, escaped in _LINE_ENDS.items():
        line = line.replace(char, escaped)
    stream.write(replace_surrogates(line) + "\n")
