"""SARIF: valid by the schema (pydantic-sarif is generated from it, and knows nothing beside it), and to the point."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from typing import Any

from pydantic_sarif.model import StaticAnalysisResultsFormatSarifVersion210JsonSchema as Schema

from conftest import hostile_verdict
from unspun.article import Article, Decision, Unreadable, Verdict
from unspun.references import References
from unspun.reporters.sarif import write_sarif


def write(*judged: tuple[Article | Unreadable, Verdict]) -> dict[str, Any]:
    stream = io.StringIO()
    write_sarif(judged, stream)
    record = json.loads(stream.getvalue())
    Schema.model_validate(record)
    (run,) = record["runs"]
    assert isinstance(run, dict)
    return run


def test_each_span_is_a_result_where_it_stands(article: Article, verdict: Verdict) -> None:
    run = write((article, verdict))
    whole, name, grammar, word = run["results"]
    assert run["columnKind"] == "unicodeCodePoints"
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert [rules[result["ruleIndex"]] for result in run["results"]] == [
        "unspun/article", "unspun/name", "unspun/grammar", "unspun/synonym",
    ]  # fmt: skip
    assert "about 97 are spun" in whole["message"]["text"]
    assert whole["rank"] == 97.3
    place = word["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "inbox/heart.txt"
    region = place["region"]
    start = region["charOffset"]
    assert article.text[start : start + region["charLength"]] == "household"
    line = article.text.split("\n")[region["startLine"] - 1]
    assert line[region["startColumn"] - 1 : region["endColumn"] - 1] == "household"
    assert word["properties"] == {"suggestion": "family"}
    related = name["relatedLocations"][0]["physicalLocation"]
    assert "region" not in related
    assert related["artifactLocation"]["uri"] == "archive/cnn.txt"
    assert len({result["partialFingerprints"]["unspunSpan/v1"] for result in (name, grammar, word)}) == 3


def test_a_fingerprint_stays_when_text_before_it_grows(article: Article, verdict: Verdict) -> None:
    before = write((article, verdict))["results"][3]
    shift = len("A line. ")
    moved = tuple(replace(span, start=span.start + shift, end=span.end + shift) for span in verdict.spans)
    after = write((replace(article, text="A line. " + article.text), replace(verdict, spans=moved)))["results"][3]
    assert after["partialFingerprints"] == before["partialFingerprints"]
    assert after["locations"] != before["locations"]


def test_offsets_are_left_out_where_the_file_is_not_the_text(article: Article, verdict: Verdict) -> None:
    for source in ("inbox/heart.html", "inbox/all.jsonl:3", "https://example.org/a b?x=1"):
        results = write((replace(article, source=source), verdict))["results"]
        assert all("region" not in result["locations"][0]["physicalLocation"] for result in results)
    assert results[0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "https://example.org/a%20b?x=1"


def test_a_passage_is_where_its_reference_is(article: Article, reference: Article, verdict: Verdict) -> None:
    stored = replace(reference, source="archive/2026/cnn.txt")
    stream = io.StringIO()
    write_sarif([(article, verdict)], stream, References.build([stored]))
    place = json.loads(stream.getvalue())["runs"][0]["results"][1]["relatedLocations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "archive/2026/cnn.txt"
    region = place["region"]
    passage = stored.text[region["charOffset"] : region["charOffset"] + region["charLength"]]
    assert passage == "International Center for Missing"


def test_odd_addresses_are_written_too(article: Article, verdict: Verdict) -> None:
    for source in ("http://[", "http://a\u2100b/", "c:\\x y\\a.txt", "\ud800"):
        assert len(write((replace(article, source=source), verdict))["results"]) == 4


def test_clean_articles_have_no_results_and_unreadable_ones_are_told(article: Article) -> None:
    lost = Unreadable("gone.txt", "gone.txt", "no such file")
    run = write(
        (article, Verdict(article.id, article.source, 0.01, "clean")),
        (lost, Verdict("gone.txt", "gone.txt", None, "unscored", "unreadable", error="no such file")),
    )
    assert run["results"] == []
    (note,) = run["invocations"][0]["toolExecutionNotifications"]
    assert note["message"]["text"] == "no such file"


def test_a_dismissed_span_is_suppressed(article: Article, verdict: Verdict) -> None:
    spans = (replace(verdict.spans[0], decision=Decision("dismissed", "a house name")), *verdict.spans[1:])
    results = write((article, replace(verdict, spans=spans)))["results"]
    assert results[1]["suppressions"] == [{"kind": "external", "justification": "a house name"}]
    assert all("suppressions" not in result for result in (results[0], *results[2:]))


def test_nothing_gives_an_empty_run() -> None:
    assert write()["results"] == []


def test_hostile_text_stays_valid() -> None:
    article, verdict = hostile_verdict()
    assert len(write((article, verdict))["results"]) == 2
