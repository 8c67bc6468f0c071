"""Articles and verdicts that several test files use."""

from __future__ import annotations

import pytest

from unspun.article import Article, Passage, Relation, Span, Verdict

ARTICLE = (
    "Police thanked the Worldwide Heart for Lacking and Exploited Children.\r\n\r\n"
    "An finish to the search came on Monday, and the household was relieved."
)
REFERENCE = (
    "The boy was found on Monday. Police thanked the International Center for Missing and Exploited "
    "Children. The family was relieved."
)

HOSTILE = "=[bold]x[/bold] :smile: \x1b[31m\x00\u202e\u2028\x85<script>alert(1)</script>\"'&\ud800"


def hostile_verdict() -> tuple[Article, Verdict]:
    article = Article(HOSTILE, HOSTILE, HOSTILE, HOSTILE)
    span = Span(0, len(HOSTILE), HOSTILE, "trick", 0.5, HOSTILE, Passage(HOSTILE, 0, 5, HOSTILE), (HOSTILE,))
    relation = Relation(HOSTILE, "spun", 0.5)
    return article, Verdict(
        HOSTILE, HOSTILE, 0.5, "suspect", "characters_tampered", (span,), (relation,), HOSTILE, HOSTILE
    )


def mark(text: str, words: str, kind: str, score: float, suggestion: str | None = None) -> Span:
    """The span of the first ``words`` in ``text``."""
    start = text.index(words)
    return Span(start, start + len(words), words, kind, score, suggestion)


@pytest.fixture
def article() -> Article:
    return Article("inbox/heart.txt", ARTICLE, "inbox/heart.txt", "Boy found")


@pytest.fixture
def reference() -> Article:
    return Article("archive/cnn.txt", REFERENCE, "archive/cnn.txt")


@pytest.fixture
def verdict(article: Article, reference: Article) -> Verdict:
    """A spun verdict with a span that a reference shows, one with a suggestion alone, and one without."""
    original = "International Center for Missing"
    start = reference.text.index(original)
    span = mark(article.text, "Worldwide Heart for Lacking", "name", 0.99, original)
    shown = Span(
        span.start,
        span.end,
        span.text,
        span.kind,
        span.score,
        span.suggestion,
        Passage(reference.id, start, start + len(original), original),
    )
    return Verdict(
        id=article.id,
        source=article.source,
        score=0.973,
        label="spun",
        reason="name_altered",
        spans=(
            shown,
            mark(article.text, "An finish", "grammar", 0.9),
            mark(article.text, "household", "synonym", 0.8, "family"),
        ),
        references=(Relation(reference.id, "spun", 0.41),),
        model="default@1",
    )
