"""Verdicts read back from JSON lines: the same again, and nothing else."""

from __future__ import annotations

import gzip
import io
import json
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conftest import hostile_verdict
from unspun.article import Decision, Verdict
from unspun.reporters.jsonl import write_jsonl
from unspun.saved_verdicts import VerdictError, parse_verdict, read_verdicts


def test_a_verdict_comes_back_as_it_was(verdict: Verdict, tmp_path: Path) -> None:
    made = Decision("dismissed", "odd", "Ada", "2026")
    spans = (replace(verdict.spans[0], decision=made), *verdict.spans[1:])
    saved = [
        replace(verdict, spans=spans, decision=made, stale=3),
        Verdict("b", None, None, "unscored", "unreadable", error="no such file"),
    ]
    lines = io.StringIO()
    for item in saved:
        write_jsonl(item, lines)
    (tmp_path / "v.jsonl").write_text(lines.getvalue(), encoding="utf-8")
    (tmp_path / "v.jsonl.gz").write_bytes(gzip.compress(lines.getvalue().encode()))
    assert list(read_verdicts(tmp_path / "v.jsonl")) == saved
    assert list(read_verdicts(tmp_path / "v.jsonl.gz")) == saved


@pytest.mark.parametrize("line", ["{", "[]", "{}", '{"schema": 2}', "[" * 100_000])
def test_a_line_that_is_no_verdict_is_named(tmp_path: Path, verdict: Verdict, line: str) -> None:
    (tmp_path / "v.jsonl").write_text(f"{json.dumps(verdict.to_dict())}\n\n{line}\n")
    with pytest.raises(VerdictError, match=r"v\.jsonl, line 3: no (JSON|verdict)"):
        list(read_verdicts(tmp_path / "v.jsonl"))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (["id"], None),
        (["label"], "guilty"),
        (["reason"], "because"),
        (["score"], 1.5),
        (["score"], True),
        (["score"], float("nan")),
        (["spans"], None),
        (["spans"], ["x"]),
        (["spans", 0, "kind"], '"><script>'),
        (["spans", 0, "start"], 1.0),
        (["spans", 0, "end"], 0),
        (["spans", 0, "score"], "high"),
        (["spans", 0, "reference"], "x"),
        (["spans", 0, "reference", "start"], -1),
        (["spans", 0, "decision"], {"decision": "maybe", "reason": "", "by": "", "at": ""}),
        (["spans", 0, "decision"], "x"),
        (["references", 0, "relation"], "cousin"),
        (["references", 0, "coverage"], None),
        (["stale_decisions"], -1),
        (["decision"], {}),
    ],
)
def test_a_verdict_that_is_none_is_refused(verdict: Verdict, path: list[Any], value: Any) -> None:
    record = json.loads(json.dumps(verdict.to_dict()))
    inner = record
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = value
    with pytest.raises(VerdictError):
        parse_verdict(record)


def test_hostile_words_are_words() -> None:
    verdict = hostile_verdict()[1]
    # No part of schema 1.
    spans = tuple(replace(span, alternatives=()) for span in verdict.spans)
    assert parse_verdict(verdict.to_dict()) == replace(verdict, spans=spans)


json_values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
)


@given(st.dictionaries(st.sampled_from(sorted(Verdict("a", None, None, "clean").to_dict())), json_values))
def test_whatever_the_record_the_answer_is_a_verdict_or_a_refusal(record: dict[str, Any]) -> None:
    with suppress(VerdictError):
        parse_verdict({**record, "schema": 1})
