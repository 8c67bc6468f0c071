"""One input, one verdict: whoever shares the work, in whatever order, beside whatever else, in whatever process."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from unspun import Article, Detector, Verdict
from unspun.detector import is_installed
from unspun.index.build import add_articles, build_index
from unspun.index.compared import IndexedReferences
from unspun.index.query import Index
from unspun.ingest import IngestFilter, Policy
from unspun.readers import read_articles
from unspun.references import References
from unspun.resources import find_data
from unspun.training.measuring.fingerprint import (
    LAST_DIGIT,
    READ,
    Fingerprint,
    FingerprintError,
    Print,
    compare,
    read_fingerprint,
    take_fingerprint,
    write_fingerprint,
)

SAMPLES = find_data("samples")
TEXTS = [path for path in sorted((SAMPLES / "references").iterdir()) if path.suffix != ".html"]


def read(*paths: Path) -> list[Article]:
    return [item for item in read_articles(paths) if isinstance(item, Article)]


def make_hostile(spun: Article, report: Article) -> list[Article]:
    """Texts at which something is cut off, hidden, repeated, strange or missing."""
    texts = {
        "empty": "",
        "short": "Too short to judge.",
        "one word": "finish " * 300,
        "controls": spun.text.replace(" ", "\x00\u200b ").replace("e", "е", 20),
        "surrogates": "\ud800" + spun.text + "\udfff",
        "capitals": spun.text.upper(),
        "one line": " ".join(spun.text.split()),
        "twice": f"{spun.text}\r\n\r\n{spun.text}",
        "mixed": f"{report.text}\n\n{spun.text}\n\n{report.text}",
        "long": f"{spun.text}\n\n" * 5,
        "foreign": "Пожарные спасли из реки трёх человек и собаку. " * 20,
        "scraped": f"<p>{spun.text}</p> &amp; \u202e{report.text[:300]}",
    }
    return [Article(f"hostile/{name}", text) for name, text in texts.items()]


@pytest.fixture(scope="module")
def detector() -> Detector:
    return Detector.load(context="never")


@pytest.fixture(scope="module")
def references(detector: Detector) -> References:
    built = detector.build_references(read(*TEXTS))
    assert built is not None
    return built


@pytest.fixture(scope="module")
def articles() -> list[Article]:
    samples = read(SAMPLES / "articles")
    by_id = {article.id: article for article in samples}
    hostile = make_hostile(by_id["council-spun-blog.txt"], by_id["council-edited-syndicated.txt"])
    copy = replace(by_id["cup-spun-light.txt"], id="again", source=None)
    return [*samples, *hostile, copy]


def tell(verdict: Verdict) -> str:
    """All that a verdict says, as the bytes of its JSON line, and the alternatives, which schema 1 leaves out."""
    return json.dumps([verdict.to_dict(), [span.alternatives for span in verdict.spans]])


def tell_all(verdicts: Iterable[Verdict]) -> dict[str, str]:
    return {verdict.id: tell(verdict) for verdict in verdicts}


def shuffle(articles: list[Article], seed: int) -> list[Article]:
    return random.Random(seed).sample(articles, len(articles))


def stream(articles: list[Article]) -> Iterator[Article]:
    yield from articles


@pytest.fixture(scope="module")
def one_by_one(detector: Detector, references: References, articles: list[Article]) -> dict[str, str]:
    told = tell_all(detector.score(article, references) for article in articles)
    assert len(told) == len(articles) > 45
    assert sum('"relation": "spun"' in one for one in told.values()) > 15
    return told


def test_order_workers_and_streams_change_nothing(
    detector: Detector, references: References, articles: list[Article], one_by_one: dict[str, str]
) -> None:
    assert tell_all(detector.score_many(shuffle(articles, 1), references)) == one_by_one
    mixed = shuffle(articles, 2)
    shared = list(detector.score_many(stream(mixed), references, workers=2))
    assert [verdict.id for verdict in shared] == [article.id for article in mixed]
    assert tell_all(shared) == one_by_one


def test_the_same_holds_alone_and_for_a_detector_that_has_seen_nothing(
    detector: Detector, articles: list[Article]
) -> None:
    told = tell_all(detector.score_many(stream(articles), workers=2))
    assert sum('"label": "spun"' in one for one in told.values()) > 10
    assert tell_all(detector.score(article) for article in shuffle(articles, 3)) == told
    fresh = Detector.load(context="never")
    assert tell_all(fresh.score_many(reversed(articles))) == told


def test_the_order_of_references_changes_nothing(
    detector: Detector, articles: list[Article], one_by_one: dict[str, str]
) -> None:
    found = detector.score_many(articles, shuffle(read(*TEXTS), 4), workers=2)
    assert tell_all(found) == one_by_one


def test_an_index_gives_the_same_however_it_was_built(
    detector: Detector, articles: list[Article], tmp_path: Path
) -> None:
    texts, lexicon = read(*TEXTS), detector.lexicon
    build_index(tmp_path / "whole", texts, lexicon)
    build_index(tmp_path / "grown", texts[10:][::-1], lexicon)
    add_articles(tmp_path / "grown", texts[:10], lexicon)
    whole, grown = (IndexedReferences([Index.open(tmp_path / name, lexicon)]) for name in ("whole", "grown"))
    some = articles[::2]
    told = tell_all(detector.score(article, whole) for article in some)
    assert sum('"relation": "spun"' in one for one in told.values()) > 5
    assert tell_all(detector.score_many(shuffle(some, 5), whole, workers=2)) == told
    assert tell_all(detector.score_many(shuffle(some, 6), grown, workers=2)) == told


def test_the_filter_says_what_the_detector_says(detector: Detector, articles: list[Article]) -> None:
    decide = IngestFilter(policy=Policy(spun="drop"), context="never")
    for article in articles[::4]:
        verdict = decide({"id": article.id, "text": article.text}).verdict
        assert replace(verdict, source=None) == replace(detector.score(article), source=None)


@pytest.mark.skipif(not is_installed(), reason="pip install 'unspun[context]'")
def test_the_contextual_model_reads_alike_on_any_worker(articles: list[Article]) -> None:
    reading = Detector.load(context="always")
    some = articles[1::3]
    told = tell_all(reading.score(article) for article in some)
    assert tell_all(reading.score_many(shuffle(some, 7), workers=2)) == told


def test_processes_agree_whatever_their_seed_and_threads(tmp_path: Path) -> None:
    """Sets of words come in another order in each process, and BLAS divides its sums among threads."""
    (tmp_path / "in").mkdir()
    for path in sorted((SAMPLES / "articles").iterdir())[::3]:
        (tmp_path / "in" / path.name).write_bytes(path.read_bytes())
    written = []
    for seed, threads, workers in (("1", "1", "1"), ("2", "2", "2")):
        out = tmp_path / f"{seed}.jsonl"
        command = [sys.executable, "-c", "from unspun.cli import main; main()", "score", tmp_path / "in"]
        command += [part for path in TEXTS for part in ("--references", path)]
        command += ["--context", "never", "--format", "jsonl", "--workers", workers, "--out", out]
        variables = {"PYTHONHASHSEED": seed, "OPENBLAS_NUM_THREADS": threads, "OMP_NUM_THREADS": threads}
        subprocess.run([str(part) for part in command], env={**os.environ, **variables}, check=True)
        written.append(out.read_bytes())
    assert written[0].count(b"\n") == len(list((tmp_path / "in").iterdir()))
    assert written[0] == written[1]


def test_the_verdicts_are_those_of_the_repository() -> None:
    """On any supported Python, numpy and processor: see CONTRIBUTING.md on what may differ."""
    taken = take_fingerprint(SAMPLES)
    assert (READ in taken) == is_installed()
    assert compare(read_fingerprint(find_data("fingerprint.json")), taken).failures == ()


def make_print(*figures: float, rest: str = "0" * 16) -> Fingerprint:
    return {"alone": {"a.txt": Print(rest, figures)}}


def test_a_fingerprint_tells_what_differs() -> None:
    kept = make_print(0.5, 0.25)
    assert compare(kept, make_print(0.5, 0.25)).failures == ()
    moved = compare(kept, make_print(0.5001, 0.25))
    assert (moved.failures, moved.moved, moved.figures) == ((), 1, 2)
    assert "0.0002" in compare(kept, make_print(0.5, 0.2502)).failures[0]
    assert "another verdict" in compare(kept, make_print(0.5, 0.25, rest="1" * 16)).failures[0]
    assert "another verdict" in compare(kept, make_print(0.5)).failures[0]
    assert "one of the two" in compare(kept, {"alone": {"b.txt": Print("", ())}}).failures[0]
    # Where the extra is missing, its part is not taken; a part that was never kept fails.
    assert compare({**kept, READ: kept["alone"]}, kept).failures == ()
    assert len(compare(kept, {READ: kept["alone"]}).failures) == 1


def test_a_print_holds_all_of_a_verdict(verdict: Verdict) -> None:
    plain = Print.of(verdict)
    assert plain.figures == (0.973, 0.99, 0.9, 0.8, 0.41)
    span = verdict.spans[0]
    for changed in (
        replace(verdict, label="suspect"),
        replace(verdict, reason=None),
        replace(verdict, spans=(replace(span, end=span.end - 1), *verdict.spans[1:])),
        replace(verdict, spans=(replace(span, alternatives=("Center",)), *verdict.spans[1:])),
        replace(verdict, references=()),
    ):
        assert Print.of(changed).rest != plain.rest
    shifted = Print.of(replace(verdict, score=verdict.score and verdict.score + 2 * LAST_DIGIT))
    assert shifted.rest == plain.rest
    assert shifted.figures != plain.figures


def test_fingerprints_are_written_and_read(tmp_path: Path) -> None:
    path = tmp_path / "fingerprint.json"
    kept = {"alone": {"b.txt": Print("ab", (0.5, 1.0)), "a.txt": Print("cd", ())}, READ: {"a.txt": Print("ef", (0.1,))}}
    write_fingerprint(path, kept)
    assert read_fingerprint(path) == kept
    path.write_text('{"alone": 3}', "utf-8")
    with pytest.raises(FingerprintError, match="restore it"):
        read_fingerprint(path)
