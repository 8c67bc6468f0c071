"""Families found by a real local Spark: the same as on one machine, whatever kills the job on its way."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from test_families import make_set
from unspun.article import Article
from unspun.detector import Detector
from unspun.families.find import find_families
from unspun.families.groups import Family
from unspun.index.build import build_index
from unspun.index.query import Index
from unspun.lexicon import Lexicon

STAGES = ("articles", "postings", "pairs", "verdicts")


@pytest.fixture(scope="module")
def articles() -> list[Article]:
    """With families, strangers, exact copies, an id that two have and texts that nothing can be made of."""
    made = make_set(4, 3, 20)
    spun = next(article for article in made if "/spun-" in article.id)
    odd = [Article("again", spun.text.upper()), Article("none", "…", None, "Nothing"), Article("none", "Too short.")]
    return [*made, *odd]


@pytest.fixture(scope="module")
def expected(articles: list[Article], tmp_path_factory: pytest.TempPathFactory) -> list[Family]:
    path = tmp_path_factory.mktemp("families") / "index"
    build_index(path, articles, Lexicon.load())
    return find_families(Index.open(path), Detector.load(context="never"))


def make_table(spark: Any, articles: Sequence[Article], path: Path) -> Any:
    rows = [(article.id, article.text, article.source, article.title) for article in articles]
    table = spark.createDataFrame(rows, "id string, text string, url string, title string")
    table.repartition(3).write.parquet(str(path))
    return spark.read.parquet(str(path))


def find(table: Any, stages: Path) -> list[dict[str, Any]]:
    from unspun.families.spark import find_families as find_on_spark

    return [family.to_dict() for family in find_on_spark(table, str(stages))]


@pytest.fixture(scope="module")
def done(spark: Any, articles: list[Article], tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Path]:
    """The articles as a table, and the stages of a job that ran through."""
    place = tmp_path_factory.mktemp("done")
    table = make_table(spark, articles, place / "articles")
    find(table, place / "stages")
    return table, place / "stages"


def test_the_answer_is_that_of_one_machine(done: tuple[Any, Path], expected: list[Family]) -> None:
    table, stages = done
    assert find(table, stages) == [family.to_dict() for family in expected]
    assert len(expected) == 4
    assert {path.name for path in stages.iterdir()} == {"about", *STAGES}


@pytest.mark.parametrize("killed", STAGES)
def test_a_job_killed_in_a_stage_goes_on_with_it(
    killed: str,
    done: tuple[Any, Path],
    expected: list[Family],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from unspun.families import spark as families_spark

    table, whole = done
    stages = tmp_path / "stages"
    shutil.copytree(whole, stages)
    # What a kill leaves of a stage: some of its files, no _SUCCESS; of later ones nothing.
    (stages / killed / "_SUCCESS").unlink()
    next((stages / killed).glob("part-*")).unlink()
    for later in STAGES[STAGES.index(killed) + 1 :]:
        shutil.rmtree(stages / later)
    before = {name: (stages / name / "_SUCCESS").stat().st_mtime_ns for name in STAGES[: STAGES.index(killed)]}
    assert find(table, stages) == [family.to_dict() for family in expected]
    assert {name: (stages / name / "_SUCCESS").stat().st_mtime_ns for name in before} == before
    # And where all stand, nothing is made again.
    monkeypatch.setattr(families_spark, "_select", None)
    assert find(table, stages) == [family.to_dict() for family in expected]


def test_stages_of_other_articles_are_not_mixed_in(
    spark: Any, done: tuple[Any, Path], articles: list[Article], tmp_path: Path
) -> None:
    from unspun.families.spark import StagesError

    other = make_table(spark, articles[:3], tmp_path / "other")
    with pytest.raises(StagesError, match="name another folder"):
        find(other, done[1])


def test_columns_that_are_missing_are_named(spark: Any, tmp_path: Path) -> None:
    table = spark.createDataFrame([("a", "b")], "key string, text string")
    with pytest.raises(ValueError, match="no column id"):
        find(table, tmp_path / "stages")


def run_job(articles: Path, stages: Path, out: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "unspun.families", str(articles), "--stages", str(stages), "--out", str(out)]
    settings = {"SPARK_LOCAL_IP": "127.0.0.1", "PYSPARK_PYTHON": sys.executable}
    submit = (
        "--master local[2] --driver-memory 512m --conf spark.ui.enabled=false --conf spark.sql.shuffle.partitions=2 "
        "pyspark-shell"
    )
    return subprocess.Popen(
        command, env=os.environ | settings | {"PYSPARK_SUBMIT_ARGS": submit}, start_new_session=True,
        cwd=out.parent, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip


def test_a_job_that_is_really_killed_goes_on(
    spark: Any, articles: list[Article], expected: list[Family], tmp_path: Path
) -> None:
    make_table(spark, articles, tmp_path / "articles")
    stages, out = tmp_path / "stages", tmp_path / "families.jsonl"
    job = run_job(tmp_path / "articles", stages, out)
    deadline = time.monotonic() + 180
    while not (stages / "pairs").exists() and time.monotonic() < deadline:
        assert job.poll() is None
        time.sleep(0.005)
    os.killpg(job.pid, signal.SIGKILL)
    job.wait()
    assert (stages / "postings" / "_SUCCESS").exists()
    assert not (stages / "pairs" / "_SUCCESS").exists()
    assert not out.exists()
    stood = (stages / "postings" / "_SUCCESS").stat().st_mtime_ns
    assert run_job(tmp_path / "articles", stages, out).wait(timeout=180) == 0
    assert (stages / "postings" / "_SUCCESS").stat().st_mtime_ns == stood
    assert [json.loads(line) for line in out.read_text("utf-8").splitlines()] == [f.to_dict() for f in expected]
