"""Verdicts as CSV: one row each, for spreadsheets."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable
from typing import Final, TextIO

from unspun.article import SCHEMA, Verdict
from unspun.readers import replace_surrogates

COLUMNS: Final = (
    "schema",
    "id",
    "source",
    "score",
    "label",
    "reason",
    "span_count",
    "top_swaps",
    "references",
    "spans",
    "model",
    "error",
)
#: A cell that begins so can run as a formula in a spreadsheet (the full-width forms in East Asian ones).
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def write_csv(verdicts: Iterable[Verdict], stream: TextIO) -> None:
    """Write a header and one row a verdict, in the order given and as they come.

    ``top_swaps`` are the three strongest, ``references`` is ``id:relation:coverage`` joined by ``;``, and
    ``spans`` is the JSON of schema 1. Text that a spreadsheet would run as a formula gets an apostrophe
    before.
    """
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(COLUMNS)
    for verdict in verdicts:
        swaps = (f"{s.text} ← {s.suggestion}" for s in verdict.strongest(3) if s.suggestion is not None)
        spans = [span.to_dict() for span in verdict.spans]
        writer.writerow(
            (
                SCHEMA,
                _guard(verdict.id),
                _guard(verdict.source),
                verdict.score,
                verdict.label,
                verdict.reason,
                len(verdict.spans),
                _guard("; ".join(swaps)),
                _guard(";".join(f"{r.id}:{r.relation}:{r.coverage:.3g}" for r in verdict.references)),
                replace_surrogates(json.dumps(spans, ensure_ascii=False, allow_nan=False)),
                _guard(verdict.model),
                _guard(verdict.error),
            )
        )


def _guard(cell: str | None) -> str:
    text = replace_surrogates(cell or "")
    return "'" + text if text.startswith(_FORMULA) else text
