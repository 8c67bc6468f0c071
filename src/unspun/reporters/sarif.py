"""Verdicts as SARIF 2.1.0 (OASIS, 2020), for tools that review code and documentation: one result for each flagged
article and one for each of its spans."""

from __future__ import annotations

import hashlib
import json
from bisect import bisect_right
from collections.abc import Iterable
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, Final, TextIO
from urllib.parse import quote

from unspun import __version__
from unspun.article import KINDS, Article, Passage, Span, Unreadable, Verdict
from unspun.readers import TEXT_SUFFIXES, replace_surrogates
from unspun.reporters.explanation import BANNER, HEADLINES, KIND_WORDS, say_score, say_why

if TYPE_CHECKING:
    from unspun.references import References

_SCHEMA: Final = "https://json.schemastore.org/sarif-2.1.0.json"
_ARTICLE: Final = "unspun/article"
_RULES: Final = (_ARTICLE, *(f"unspun/{kind}" for kind in KINDS))
_LEVELS: Final = {"spun": "warning", "suspect": "note"}


def write_sarif(
    judged: Iterable[tuple[Article | Unreadable, Verdict]], stream: TextIO, references: References | None = None
) -> None:
    """Write one run, result by result: nothing is kept but what could not be read.

    ``references`` tell where the passages that spans cite are.
    """
    stream.write(f'{{"$schema": "{_SCHEMA}", "version": "2.1.0", "runs": [{{"tool": {_spell(_describe_tool())}, ')
    stream.write('"columnKind": "unicodeCodePoints", "results": [')
    notes, separator = [], ""
    for article, verdict in judged:
        if isinstance(article, Unreadable):
            notes.append(_describe_unreadable(article))
            continue
        for result in _describe(article, verdict, references):
            stream.write(separator + "\n" + _spell(result))
            separator = ","
    invocation = {"executionSuccessful": True, "toolExecutionNotifications": notes}
    stream.write(f'\n], "invocations": [{_spell(invocation)}]}}]}}\n')


def _spell(value: Any) -> str:
    return replace_surrogates(json.dumps(value, ensure_ascii=False, allow_nan=False))


def _describe_tool() -> dict[str, Any]:
    rules = [{"id": _ARTICLE, "shortDescription": {"text": "Article whose words were probably swapped by a machine"}}]
    rules += [{"id": f"unspun/{kind}", "shortDescription": {"text": KIND_WORDS[kind].capitalize()}} for kind in KINDS]
    return {"driver": {"name": "unspun", "semanticVersion": __version__, "rules": rules}}


def _describe(article: Article, verdict: Verdict, references: References | None) -> Iterable[dict[str, Any]]:
    level = _LEVELS.get(verdict.label, "none")
    lines, lines_there = _find_lines(article.text), dict[str, list[int]]()
    if verdict.label in _LEVELS:
        assert verdict.score is not None
        text = f"{HEADLINES[verdict.label]}. {say_score(verdict.score)} {BANNER}"
        yield _make_result(_ARTICLE, level, text, verdict.score, [_locate(article)])
    for span in verdict.spans:
        text = f"“{span.text}”: {KIND_WORDS[span.kind]}. {say_why(span, str)}"
        result = _make_result(f"unspun/{span.kind}", level, text, span.score, [_locate(article, span, lines)])
        if span.suggestion is not None:
            result["properties"] = {"suggestion": span.suggestion}
        if span.reference:
            passage = span.reference
            reference = (references.get(passage.id) if references else None) or Article(passage.id, "")
            if reference.text and passage.id not in lines_there:
                lines_there[passage.id] = _find_lines(reference.text)
            place = _locate(reference, passage, lines_there.get(passage.id)) | {"id": 1}
            result["relatedLocations"] = [place | {"message": {"text": f"“{passage.text}” in the reference"}}]
        before = article.text[max(0, span.start - 40) : span.start]
        words = "\0".join([span.kind, " ".join(before.split()), span.text])
        result["partialFingerprints"] = {"unspunSpan/v1": hashlib.sha256(words.encode("utf-8", "replace")).hexdigest()}
        if span.dismissed and span.decision:
            result["suppressions"] = [{"kind": "external", "justification": span.decision.reason or "dismissed"}]
        yield result


def _make_result(rule: str, level: str, text: str, score: float, locations: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "ruleId": rule,
        "ruleIndex": _RULES.index(rule),
        "level": level,
        "message": {"text": text},
        "rank": round(score * 100, 2),
        "locations": locations,
    }


def _locate(article: Article, span: Span | Passage | None = None, lines: list[int] | None = None) -> dict[str, Any]:
    """Where the article, or a span of it, is. Offsets are given only where they hold in the file itself: in plain
    text, not in a line of JSON or in the text of a web page."""
    source = article.source or article.id
    place: dict[str, Any] = {"artifactLocation": {"uri": _spell_uri(source)}}
    if span is not None and lines is not None and PurePath(source).suffix.lower() in TEXT_SUFFIXES:
        first, last = (bisect_right(lines, offset) for offset in (span.start, span.end))
        place["region"] = {
            "startLine": first,
            "startColumn": span.start - lines[first - 1] + 1,
            "endLine": last,
            "endColumn": span.end - lines[last - 1] + 1,
            "charOffset": span.start,
            "charLength": span.end - span.start,
        }
    return {"physicalLocation": place, "logicalLocations": [{"fullyQualifiedName": article.id}]}


def _find_lines(text: str) -> list[int]:
    """Where each line begins."""
    return [0, *(at + 1 for at, char in enumerate(text) if char == "\n")]


def _describe_unreadable(item: Unreadable) -> dict[str, Any]:
    place = {"physicalLocation": {"artifactLocation": {"uri": _spell_uri(item.source)}}}
    return {"level": "error", "message": {"text": item.error}, "locations": [place]}


def _spell_uri(source: str) -> str:
    if source.startswith(("http://", "https://")):
        return quote(source, safe=":/?#[]@!$&'()*+,;=%~", errors="replace")
    return quote(source.replace("\\", "/"), safe="/~", errors="replace")
