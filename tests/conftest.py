"""What several test files use."""

from __future__ import annotations

import io
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from unspun.article import Article, Passage, Relation, Span, Verdict
from unspun.context.transformer import keep_quiet

keep_quiet()  # Some tests import onnxruntime themselves.

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


def clock(action: Callable[[], object]) -> float:
    """Seconds of processor time: what else runs on the machine must not make a test fail."""
    started = time.process_time()
    action()
    return time.process_time() - started


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


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


@pytest.fixture(scope="session")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A real local Spark with two worker processes; what needs it is skipped without pyspark or Java."""
    pytest.importorskip("pyspark", reason="pip install 'unspun[spark]'")
    if not shutil.which("java") and "JAVA_HOME" not in os.environ:
        pytest.skip("Spark needs Java: apt-get install default-jre-headless")
    from pyspark.sql import SparkSession

    place = tmp_path_factory.mktemp("spark")
    settings = {
        "spark.driver.memory": "512m",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.local.dir": str(place),
        "spark.sql.shuffle.partitions": "2",
        "spark.sql.execution.arrow.maxRecordsPerBatch": "2",
    }
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYSPARK_PYTHON", sys.executable)
        patch.chdir(place)  # Spark 4.0 leaves a folder where it is started.
        session = SparkSession.builder.master("local[2]").config(map=settings).getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    yield session
    session.stop()
