"""Verdicts read back from JSON lines: whatever is no verdict of schema 1 is refused, since pages are drawn of them."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from unspun.article import (
    DECISIONS,
    KINDS,
    LABELS,
    REASONS,
    RELATIONS,
    SCHEMA,
    Decision,
    Passage,
    Relation,
    Span,
    Verdict,
)

#: Longest line in bytes: a verdict on the largest article that is read, every word of it a span.
MAX_BYTES: Final = 500_000_000
_MISSING: Final = object()


class VerdictError(ValueError):
    """A record that is no verdict; the message says what is wrong with it."""


def read_verdicts(path: Path) -> Iterator[Verdict]:
    """The verdicts of a file that ``unspun score --format jsonl`` wrote, also gzipped.

    Raises :class:`VerdictError`, naming file and line, for the first line that is none, and OSError.
    """
    number = 0

    def refuse(why: str, what_to_do: str = "give a file that unspun score --format jsonl wrote") -> VerdictError:
        return VerdictError(f"{path}, line {number}: {why}; {what_to_do}")

    with gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb") as file:
        while True:
            number += 1
            try:
                line = file.readline(MAX_BYTES + 1)
            except (EOFError, zlib.error, gzip.BadGzipFile):
                raise refuse("gzip is damaged or cut off", "get an undamaged copy") from None
            if not line:
                return
            # A packed file can hold a line that fills any memory.
            if len(line) > MAX_BYTES:
                raise refuse(f"larger than {MAX_BYTES // 1_000_000} MB")
            if line.strip():
                try:
                    verdict = parse_verdict(json.loads(line))
                except (ValueError, RecursionError) as error:
                    raise refuse(str(error) if isinstance(error, VerdictError) else "no JSON") from None
                yield verdict


def parse_verdict(record: Any) -> Verdict:
    """The verdict of which :meth:`Verdict.to_dict` gave ``record``. Raises :class:`VerdictError`."""
    if not isinstance(record, dict) or record.get("schema") != SCHEMA:
        raise VerdictError(f"no verdict of schema {SCHEMA}")
    stale = record.get("stale_decisions", 0)
    if type(stale) is not int or stale < 0:
        raise VerdictError("'stale_decisions' is no number")
    return Verdict(
        _text(record, "id"),
        _text_or_none(record, "source"),
        None if record.get("score") is None else _share(record, "score"),
        _one_of(record, "label", LABELS),
        None if record.get("reason") is None else _one_of(record, "reason", tuple(REASONS)),
        tuple(_parse_span(item) for item in _list(record, "spans")),
        tuple(
            Relation(_text(item, "id"), _one_of(item, "relation", RELATIONS), _share(item, "coverage"))
            for item in _list(record, "references")
        ),
        _text_or_none(record, "model"),
        _text_or_none(record, "error"),
        _parse_decision(record),
        stale,
    )


def _parse_span(record: dict[str, Any]) -> Span:
    passage = record.get("reference")
    if passage is not None and not isinstance(passage, dict):
        raise VerdictError("'reference' is no object")
    return Span(
        *_range(record),
        _text(record, "text"),
        _one_of(record, "kind", KINDS),
        _share(record, "score"),
        _text_or_none(record, "suggestion"),
        None if passage is None else Passage(_text(passage, "id"), *_range(passage), _text(passage, "text")),
        decision=_parse_decision(record),
    )


def _parse_decision(record: dict[str, Any]) -> Decision | None:
    made = record.get("decision")
    if made is None:
        return None
    if not isinstance(made, dict):
        raise VerdictError("'decision' is no object")
    return Decision(_one_of(made, "decision", DECISIONS), _text(made, "reason"), _text(made, "by"), _text(made, "at"))


def _text(record: dict[str, Any], name: str) -> str:
    value = record.get(name, _MISSING)
    if not isinstance(value, str):
        raise VerdictError(f"{name!r} is no text")
    return value


def _text_or_none(record: dict[str, Any], name: str) -> str | None:
    return None if record.get(name) is None else _text(record, name)


def _one_of(record: dict[str, Any], name: str, known: tuple[str, ...]) -> str:
    value = _text(record, name)
    if value not in known:
        raise VerdictError(f"{name!r} is none of {', '.join(known)}")
    return value


def _share(record: dict[str, Any], name: str) -> float:
    value = record.get(name)
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1:
        return float(value)
    raise VerdictError(f"{name!r} is no number from 0 to 1")


def _range(record: dict[str, Any]) -> tuple[int, int]:
    start, end = record.get("start"), record.get("end")
    if type(start) is not int or type(end) is not int or not 0 <= start < end:
        raise VerdictError("'start' is not below 'end'")
    return start, end


def _list(record: dict[str, Any], name: str) -> list[dict[str, Any]]:
    value = record.get(name)
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise VerdictError(f"{name!r} is no list of objects")
    return value
