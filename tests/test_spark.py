"""The hook for Spark, in a real local Spark with two worker processes."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from unspun.article import Article
from unspun.detector import Detector
from unspun.ingest import IngestFilter, Policy
from unspun.readers import read_articles

SAMPLES = Path(__file__).resolve().parents[1] / "data" / "samples"
COLUMNS = ["unspun_score", "unspun_label", "unspun_reason", "unspun_action", "unspun"]


def read_texts(folder: str) -> dict[str, str]:
    return {item.id: item.text for item in read_articles([SAMPLES / folder]) if isinstance(item, Article)}


TEXTS = {name: text for name, text in read_texts("articles").items() if "-spun-" in name or "-fresh-" in name}
#: Policies by which these texts come to every action.
POLICY = Policy(spun="drop", suspect="quarantine", clean="keep")
#: The fast model alone, where it makes no difference: it takes a tenth of the time.
FAST = IngestFilter(context="never")


def make_table(spark: Any, texts: dict[str, str] = TEXTS, partitions: int = 2) -> Any:
    return spark.createDataFrame(list(texts.items()), "id string, text string").repartition(partitions)


def tag(table: Any, decide: IngestFilter | None = FAST, detail: str = "score") -> Any:
    from unspun.hooks.spark import extend_schema, tag_spun

    return table.mapInArrow(tag_spun(decide, detail), extend_schema(table.schema))


def test_verdicts_are_those_of_the_filter(spark: Any) -> None:
    decide = IngestFilter(Policy(suspect="quarantine", clean="keep"))
    texts = dict(list(TEXTS.items())[::2])
    tagged = tag(make_table(spark, texts), decide)
    assert tagged.columns == ["id", "text", *COLUMNS]
    assert [tagged.schema[name].dataType.simpleString() for name in COLUMNS] == ["double"] + ["string"] * 4
    rows = {row.id: row for row in tagged.collect()}
    assert {name: row.text for name, row in rows.items()} == texts
    for name, row in rows.items():
        found = decide({"id": name, "text": texts[name]})
        assert (row.unspun_label, row.unspun_reason, row.unspun_action) == (
            found.verdict.label,
            found.reason,
            found.action,
        )
        assert row.unspun_score == pytest.approx(found.verdict.score, abs=1e-4)
        record = json.loads(row.unspun)
        assert (record["schema"], record["label"], record["model"]) == (1, row.unspun_label, found.verdict.model)
    assert {row.unspun_label for row in rows.values()} >= {"spun", "clean"}


def test_rows_are_dropped_and_the_others_written_by_their_action(spark: Any, tmp_path: Path) -> None:
    decide = IngestFilter(POLICY, context="never", suspect_at=0.1)
    expected = {name: decide({"text": text}).action for name, text in TEXTS.items()}
    assert set(expected.values()) == {"drop", "quarantine", "keep"}
    tag(make_table(spark), decide).write.partitionBy("unspun_action").parquet(str(tmp_path / "scored"))
    written = spark.read.parquet(str(tmp_path / "scored"))
    assert {row.id: row.unspun_action for row in written.collect()} == {
        name: action for name, action in expected.items() if action != "drop"
    }
    assert sorted(path.name for path in (tmp_path / "scored").glob("unspun_action=*")) == [
        "unspun_action=keep",
        "unspun_action=quarantine",
    ]


def test_other_columns_pass_as_they_are(spark: Any) -> None:
    schema = (
        "price decimal(9,2) not null, text string, raw binary, at timestamp, words array<string>, "
        "counts map<string,int>, place struct<x:double,y:double>, good boolean, id long"
    )
    text = next(iter(TEXTS.values()))
    at = datetime(2026, 1, 2, tzinfo=UTC)
    row = (Decimal("1.50"), text, b"\xff", at, ["a", None], {"k": 1}, (0.5, None), True, 7)
    # A date beyond those of Python: what is not read is not converted.
    table = spark.createDataFrame([row, (row[0], *[None] * 8)], schema).selectExpr("*", "date '+20000-01-01' as far")
    tagged = tag(table, detail="full")
    assert tagged.schema.fields[: len(table.columns)] == table.schema.fields
    assert tagged.drop("far", *COLUMNS).collect() == table.drop("far").collect()
    [full] = tagged.where("id = 7").select("unspun").collect()
    assert json.loads(full.unspun) == FAST({"id": 7, "text": text}).verdict.to_dict()


@pytest.mark.parametrize(
    ("schema", "values", "error"),
    [
        ("id string, text string", [None, "", " \n", "Too short."], None),
        ("id string, text long", [12, None], "no string 'text' in the record: name the text's field"),
        ("id string, body string", ["No such column."], "no string 'text' in the record: name the text's field"),
    ],
)
def test_what_has_no_text_is_unscored(spark: Any, schema: str, values: list[Any], error: str | None) -> None:
    table = spark.createDataFrame([(str(number), value) for number, value in enumerate(values)], schema)
    rows = sorted(tag(table).collect(), key=lambda row: str(row.id))
    assert [row[1] for row in rows] == values
    for row in rows:
        found = FAST(row.asDict())
        assert (row.unspun_score, row.unspun_label, row.unspun_action) == (None, "unscored", "tag")
        assert row.unspun_reason == found.reason
        assert json.loads(row.unspun)["error"] == found.verdict.error == (error or found.verdict.error)


def test_fields_may_be_nested_and_references_come_along(spark: Any) -> None:
    name = "cup-spun-light.txt"
    other, reference = next(item for item in read_texts("references").items() if item[0].startswith("cup-"))
    schema = (
        "meta map<string,string>, doc struct<text:string,n:int>, key string, "
        "others array<struct<id:string,text:string>>"
    )
    row = ({"address": "https://x.example/a"}, (TEXTS[name], 1), name, [(other, reference), None])
    decide = IngestFilter(
        text_field="doc.text", url_field="meta.address", id_field="key", references_field="others", context="never"
    )
    [row] = tag(spark.createDataFrame([row], schema), decide, "full").collect()
    article = Article(name, TEXTS[name], "https://x.example/a")
    expected = Detector.load(context="never").score(article, [Article(other, reference)]).to_dict()
    assert json.loads(row.unspun) == expected
    assert expected["references"]


def test_empty_partitions_and_tables(spark: Any) -> None:
    few = dict(list(TEXTS.items())[:2])
    table = make_table(spark, few, partitions=6)
    assert {row.id for row in tag(table).collect()} == set(few)
    nothing = tag(table.where("id = 'none'"))
    assert nothing.collect() == []
    assert nothing.columns == ["id", "text", *COLUMNS]
    everything = IngestFilter(Policy("drop", "drop", "drop", "drop"), context="never")
    assert tag(table, everything).count() == 0


def test_a_second_run_replaces_the_first(spark: Any) -> None:
    few = make_table(spark, dict(list(TEXTS.items())[:2]))
    first = tag(few, IngestFilter(Policy("keep", "keep", "keep", "keep"), context="never"))
    second = tag(first)
    assert second.columns == first.columns
    assert {row.unspun_action for row in second.select("unspun_action").collect()} == {"tag"}


def test_the_model_is_opened_once_a_partition(spark: Any, tmp_path: Path) -> None:
    log = tmp_path / "opened"

    # Inside of the test, so that it travels to the workers, which do not know this file.
    class Logged(IngestFilter):
        def open(self) -> Detector:
            if self._opened is None:
                with log.open("a") as file:
                    file.write(f"{os.getpid()}\n")
            return super().open()

    table = make_table(spark).repartition(2).cache()
    batches = [-(-rows // 2) for rows in table.rdd.glom().map(len).collect()]
    assert len(batches) == 2
    assert min(batches) > 1
    tag(table, Logged(context="never")).collect()
    pids = log.read_text().split()
    assert len(pids) == 2
    assert str(os.getpid()) not in pids


def test_nothing_heavy_travels_and_nothing_of_spark_is_imported() -> None:
    pytest.importorskip("pyarrow")
    from unspun.hooks.spark import tag_spun

    fresh, used = tag_spun(), tag_spun(IngestFilter())
    used._decide.open()
    assert pickle.dumps(fresh) == pickle.dumps(used)
    code = "import sys, unspun.hooks.spark; sys.exit('pyspark' in sys.modules or 'datasets' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
