"""Decisions: read from files, found by the text they were made on, and honoured by the detector."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from unspun.article import Article, Decision, Span, Verdict
from unspun.decisions import Decisions, DecisionsError, digest_text
from unspun.detector import Detector
from unspun.readers import read_articles

SAMPLES = Path(__file__).resolve().parents[1] / "data" / "samples"


def spell(article: Article, place: tuple[int, int] | None, decision: str, **others: Any) -> dict[str, Any]:
    return {
        "digest": digest_text(article.text),
        "article": article.id,
        "source": article.source,
        "span": None if place is None else {"start": place[0], "end": place[1]},
        "decision": decision,
        "reason": "looked at",
        "by": "Ada",
        "at": "2026-01-01T00:00:00Z",
        **others,
    }


def write(path: Path, *decisions: dict[str, Any], **others: Any) -> Path:
    path.write_text(json.dumps({"format": "unspun-decisions", "version": 1, "decisions": decisions, **others}))
    return path


def read(path: Path, *decisions: dict[str, Any]) -> Decisions:
    return Decisions.read([write(path / "d.json", *decisions)])


TEXT = Article("a.txt", "one two three", "in/a.txt")


def test_decisions_belong_to_the_text_whatever_its_name(tmp_path: Path) -> None:
    decisions = read(tmp_path, spell(TEXT, (4, 7), "dismissed"), spell(TEXT, None, "confirmed"))
    found = decisions.find(Article("other.txt", TEXT.text))
    assert found.dismissed == [(4, 7)]
    assert found.whole == Decision("confirmed", "looked at", "Ada", "2026-01-01T00:00:00Z")
    assert found.stale == 0


@pytest.mark.parametrize("name", [{"id": "a.txt"}, {"id": "b", "source": "in/a.txt"}])
def test_decisions_on_another_version_are_counted_not_applied(tmp_path: Path, name: dict[str, str]) -> None:
    decisions = read(tmp_path, spell(TEXT, (4, 7), "dismissed"), spell(TEXT, None, "confirmed"))
    found = decisions.find(Article(text="one two threes", **name))
    assert (found.whole, found.spans, found.stale) == (None, (), 2)


def test_a_decision_on_the_version_at_hand_goes_before_older_ones(tmp_path: Path) -> None:
    now = Article("a.txt", "one two threes", "in/a.txt")
    old = spell(TEXT, None, "confirmed", at="2026-01-01T00:00:00Z")
    assert read(tmp_path, old).find(now).stale == 1
    assert read(tmp_path, old, spell(now, None, "dismissed", at="2026-02-01T00:00:00Z")).find(now).stale == 0


def test_an_article_of_another_source_is_another(tmp_path: Path) -> None:
    decisions = read(tmp_path, spell(TEXT, None, "confirmed"))
    assert decisions.find(Article("a.txt", "another text", "elsewhere/a.txt")).stale == 0


def test_the_last_decision_holds(tmp_path: Path) -> None:
    late = spell(TEXT, (4, 7), "confirmed", at="2026-02-01T00:00:00Z")
    decisions = read(tmp_path, late, spell(TEXT, (4, 7), "dismissed"))
    assert [made.decision.decision for made in decisions.find(TEXT).spans] == ["confirmed"]


def test_a_span_takes_the_decision_that_shares_most_with_it(tmp_path: Path) -> None:
    found = read(tmp_path, spell(TEXT, (0, 5), "dismissed"), spell(TEXT, (5, 13), "confirmed")).find(TEXT)
    marked = found.mark([Span(0, 3, "one", "synonym", 0.9), Span(4, 13, "two three", "synonym", 0.9)])
    assert [span.decision.decision for span in marked if span.decision] == ["dismissed", "confirmed"]


def test_decisions_on_texts_that_were_not_there_are_counted(tmp_path: Path) -> None:
    decisions = read(tmp_path, spell(TEXT, None, "confirmed"), spell(Article("b", "gone"), None, "dismissed"))
    assert decisions.unused == 2
    decisions.tick_off(TEXT)
    assert decisions.unused == 1
    decisions.tick_off(Article("b", "changed"))
    assert decisions.unused == 0


GOOD = spell(TEXT, (4, 7), "dismissed")


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"\xff", "no JSON"),
        (b"{", "no JSON"),
        (b"[" * 100_000, "no JSON"),
        (b"1" * 5_000, "no JSON"),
        (b"[]", "no decisions file"),
        (b'{"format": "unspun-decisions", "version": 1}', "no decisions file"),
        (b'{"format": "unspun-decisions", "version": 2, "decisions": []}', "version 2 is not known here"),
    ],
)
def test_a_file_that_holds_no_decisions_is_refused(tmp_path: Path, content: bytes, says: str) -> None:
    (tmp_path / "d.json").write_bytes(content)
    with pytest.raises(DecisionsError, match=f"d.json: .*{says}"):
        Decisions.read([tmp_path / "d.json"])


@pytest.mark.parametrize(
    ("record", "says"),
    [
        ("x", "no object"),
        ({**GOOD, "decision": "maybe"}, "'decision' is neither dismissed nor confirmed"),
        ({**GOOD, "digest": 7}, "'digest' is no text"),
        ({**GOOD, "by": None}, "'by' is no text"),
        ({**GOOD, "span": {"start": 3, "end": 3}}, "'span' has no start below its end"),
        ({**GOOD, "span": [0, 1]}, "'span' has no start below its end"),
        ({**GOOD, "span": {"start": True, "end": 3}}, "'span' has no start below its end"),
    ],
)
def test_a_decision_that_is_none_is_refused(tmp_path: Path, record: Any, says: str) -> None:
    with pytest.raises(DecisionsError, match=f"decision 2: {says}"):
        read(tmp_path, GOOD, record)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DecisionsError, match=r"gone\.json: cannot be read"):
        Decisions.read([tmp_path / "gone.json"])


# --- honoured by the detector


@pytest.fixture(scope="module")
def detector() -> Detector:
    return Detector.load()


@pytest.fixture(scope="module")
def references() -> list[Article]:
    return [item for item in read_articles([SAMPLES / "references"]) if isinstance(item, Article)]


def read_sample(name: str) -> Article:
    (article,) = read_articles([SAMPLES / "articles" / name])
    assert isinstance(article, Article)
    return article


def test_dismissed_spans_no_longer_count(detector: Detector, references: list[Article], tmp_path: Path) -> None:
    article = read_sample("cup-spun-light.txt")
    before = detector.score(article, references)
    assert before.label == "spun"
    assert before.score is not None
    some = [spell(article, (span.start, span.end), "dismissed") for span in before.spans[:5]]
    after = detector.score(article, references, read(tmp_path, *some))
    assert after.score is not None
    assert after.score < before.score
    assert [span.dismissed for span in after.spans[:5]] == [True] * 5
    assert all(span.text not in {s.text for s in before.spans[:5]} for span in after.strongest(9))
    record = after.to_dict()
    assert record["spans"][0]["decision"] == {
        "decision": "dismissed", "reason": "looked at", "by": "Ada", "at": "2026-01-01T00:00:00Z",
    }  # fmt: skip


@pytest.mark.parametrize("compared", [True, False])
def test_an_article_whose_swaps_are_all_dismissed_is_clean(
    detector: Detector, references: list[Article], tmp_path: Path, compared: bool
) -> None:
    article = read_sample("storm-spun-blog.txt")
    chosen = references if compared else []
    verdict, made = detector.score(article, chosen), list[dict[str, Any]]()
    assert verdict.label == "spun"
    # Each time the strongest are gone, weaker ones can come up.
    while verdict.label != "clean" and len(made) < 300:
        found = [s for s in verdict.spans if not s.dismissed]
        assert found
        made += [spell(article, (span.start, span.end), "dismissed") for span in found]
        verdict = detector.score(article, chosen, read(tmp_path, *made))
    assert verdict.label == "clean"
    assert verdict.reason is None
    # Also what came up only after others were dismissed.
    assert [(span.start, span.end) for span in verdict.spans] == sorted(
        (m["span"]["start"], m["span"]["end"]) for m in made
    )
    assert all(span.dismissed for span in verdict.spans)


def test_confirmed_spans_count_as_before(detector: Detector, references: list[Article], tmp_path: Path) -> None:
    article = read_sample("cup-spun-light.txt")
    before = detector.score(article, references)
    span = before.spans[0]
    after = detector.score(article, references, read(tmp_path, spell(article, (span.start, span.end), "confirmed")))
    assert after.score == before.score
    assert after.spans[0].decision
    assert after.spans[1:] == before.spans[1:]


@pytest.mark.parametrize(
    ("name", "decision", "label", "reason"),
    [
        ("cup-spun-light.txt", "dismissed", "clean", None),
        ("cup-spun-light.txt", "confirmed", "spun", "synonyms_swapped"),
        ("fever-copy-verbatim.txt", "confirmed", "spun", "reviewer_confirmed"),
        ("fever-copy-verbatim.txt", "dismissed", "clean", None),
    ],
)
def test_a_decision_on_the_article_sets_its_label(
    detector: Detector, references: list[Article], tmp_path: Path, name: str, decision: str, label: str, reason: str
) -> None:
    article = read_sample(name)
    before = detector.score(article, references)
    after = detector.score(article, references, read(tmp_path, spell(article, None, decision)))
    assert (after.label, after.reason, after.score) == (label, reason, before.score)
    assert after.to_dict()["decision"]["decision"] == decision


def test_an_unscored_article_stays_unscored(detector: Detector, tmp_path: Path) -> None:
    article = Article("a", "Too short.")
    verdict = detector.score(article, decisions=read(tmp_path, spell(article, None, "confirmed")))
    assert (verdict.label, verdict.score) == ("unscored", None)


def test_workers_honour_decisions(detector: Detector, references: list[Article], tmp_path: Path) -> None:
    articles = [read_sample(name) for name in ("cup-spun-light.txt", "fever-copy-verbatim.txt")]
    decisions = read(tmp_path, *(spell(article, None, "confirmed") for article in articles))
    verdicts = list(detector.score_many(articles, references, 2, decisions))
    assert [verdict.label for verdict in verdicts] == ["spun", "spun"]


def test_a_verdict_without_decisions_is_schema_1_as_ever() -> None:
    assert "decision" not in Verdict("a", None, 0.5, "clean").to_dict()
    assert "stale_decisions" not in Verdict("a", None, 0.5, "clean").to_dict()
    assert Verdict("a", None, 0.5, "clean", stale=2).to_dict()["stale_decisions"] == 2
