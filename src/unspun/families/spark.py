"""Families beyond one machine: the same work as :mod:`unspun.families.find`, on Apache Spark (extra ``spark``).

As passim does (Smith, Cordell & Mullen 2015): postings exploded, banded by how many hold them, joined; the best
candidates are judged by the same :class:`~unspun.detector.Detector`. Each stage is kept as parquet and passed over when
it stands, so that a job that was killed goes on with the stage that it was killed in.

    python -m unspun.families articles.parquet --stages s3a://.../stages --out families.jsonl
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa

from unspun import __version__
from unspun.article import Article, Verdict
from unspun.detector import Detector
from unspun.families.candidates import (
    LEAST_SHARE,
    MOST_HOLDERS,
    NEIGHBOURS,
    SAMPLE,
    WEIGHTS,
    find_reach,
    is_sampled,
)
from unspun.families.find import LEAST_LIKE, judge
from unspun.families.groups import Family, group_families
from unspun.index.keys import KEYS, KeyMaker, gather_keys, hash_string, hash_words
from unspun.lexicon import Lexicon
from unspun.readers import replace_surrogates
from unspun.references import MAX_CANDIDATES
from unspun.reporters.families import write_families_jsonl
from unspun.saved_verdicts import parse_verdict
from unspun.text import Text

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

#: Spark's whole numbers have a sign; moved so, hashes keep their order.
_MIDDLE: Final = 1 << 63
_ARTICLE: Final = ("id", "source", "title", "text")


class StagesError(ValueError):
    """The stages of another job lie there; the message says what to do."""


def find_families(articles: DataFrame, stages: str, model: str | None = None) -> list[Family]:
    """The families among ``articles``: columns ``text`` and ``id``, where they have them ``url`` and ``title``.

    ``stages``: the folder that keeps the stages, on any file system of Spark's. ``model``: a model file that all
    workers can read, by default the shipped one. Articles without an id or a word are left out; one whose id another
    has gets ``#2`` and so on. Raises :class:`StagesError` where the folder holds the stages of other articles or
    settings.
    """
    from pyspark.sql import Window
    from pyspark.sql import functions as f

    job = _Job(articles.sparkSession, stages)
    job.check({
        "unspun": __version__, "model": Detector.load(model, "never").name, "keys": KEYS,
        "settings": [SAMPLE, MOST_HOLDERS, NEIGHBOURS, LEAST_SHARE, LEAST_LIKE, MAX_CANDIDATES],
        "input": sorted(articles.inputFiles()), "columns": articles.columns,
    })  # fmt: skip

    def prepare() -> DataFrame:
        schema = "id string, source string, title string, text string, copy bigint"
        read = _select(articles).mapInArrow(_read_articles, schema).dropDuplicates(["id", "source", "copy"])
        place = f.row_number().over(Window.partitionBy("id").orderBy("source", "copy"))
        same = read.withColumn("place", place)
        renamed = f.when(f.col("place") > 1, f.concat("id", f.lit("#"), "place")).otherwise(f.col("id"))
        named = same.withColumn("id", renamed).drop("place")
        noded = named.mapInArrow(_number_articles, schema + ", node bigint")
        return noded.withColumn("lead", f.min("node").over(Window.partitionBy("copy")))

    prepared = job.keep("articles", prepare)
    standing = prepared.where("node = lead")

    def post() -> DataFrame:
        return standing.select("node", "text").mapInArrow(_make_postings, "key bigint, node bigint")

    postings = job.keep("postings", post)

    def pair() -> DataFrame:
        weights = articles.sparkSession.createDataFrame(list(enumerate(WEIGHTS)), "holders int, weight int")
        held = postings.groupBy("key").agg(f.count("*").cast("int").alias("holders"))
        banded = postings.join(held.where(f.col("holders") <= MOST_HOLDERS), "key").join(
            f.broadcast(weights), "holders"
        )
        totals = banded.groupBy("node").agg(f.sum("weight").alias("total"))
        following = Window.partitionBy("key").orderBy("node").rowsBetween(1, NEIGHBOURS)
        shared = banded.where("holders > 1").withColumn("others", f.collect_list("node").over(following))
        pairs = shared.select("node", f.explode("others").alias("other"), "weight")
        scored = pairs.groupBy("node", "other").agg(f.sum("weight").alias("score"))
        lighter = scored.join(totals, "node").join(
            totals.select(f.col("node").alias("other"), f.col("total").alias("other_total")), "other"
        )
        enough = lighter.where(f.col("score") * LEAST_SHARE >= f.least("total", "other_total"))
        both = enough.select("node", "other", "score").unionAll(
            enough.select(f.col("other").alias("node"), f.col("node").alias("other"), "score")
        )
        place = f.row_number().over(Window.partitionBy("node").orderBy(f.desc("score"), "other"))
        return both.withColumn("place", place).where(f.col("place") <= MAX_CANDIDATES)

    pairs = job.keep("pairs", pair)

    def compare() -> DataFrame:
        others = standing.select(f.col("node").alias("other"), f.struct(*_ARTICLE).alias("found"))
        candidates = pairs.join(others, "other").groupBy("node")
        # The place comes first in the struct, so sorting the array sorts by it.
        gathered = candidates.agg(f.sort_array(f.collect_list(f.struct("place", "found"))).alias("candidates"))
        asked = standing.select("node", *_ARTICLE).join(gathered, "node")
        return asked.mapInArrow(_Judge(model), "node bigint, verdict string")

    judged = job.keep("verdicts", compare)
    copies = prepared.where("node != lead").select("id", "source", f.col("lead").alias("node")).join(judged, "node")
    verdicts = [parse_verdict(json.loads(row.verdict)) for row in judged.toLocalIterator()]
    return group_families(verdicts, (_rename(row) for row in copies.toLocalIterator()))


def _rename(row: Any) -> tuple[str, Verdict]:
    verdict = parse_verdict(json.loads(row.verdict))
    return verdict.id, replace(verdict, id=row.id, source=row.source)


class _Job:
    """Stages in a folder."""

    def __init__(self, spark: SparkSession, folder: str) -> None:
        self._spark, self._folder = spark, folder.rstrip("/")

    def check(self, settings: dict[str, Any]) -> None:
        """Begin the job, or go on with it where it was begun with these settings."""
        said = json.dumps(settings, sort_keys=True)
        about = self.keep("about", lambda: self._spark.createDataFrame([(said,)], "settings string"))
        if [row.settings for row in about.collect()] != [said]:
            raise StagesError(
                f"{self._folder}: holds the stages of other articles, or of another unspun: name another folder"
            )

    def keep(self, name: str, make: Callable[[], DataFrame]) -> DataFrame:
        """The stage of that name, made unless it stands whole: Spark's last act is to write ``_SUCCESS``."""
        path = f"{self._folder}/{name}"
        if not self._exists(f"{path}/_SUCCESS"):
            make().write.mode("overwrite").parquet(path)
        return self._spark.read.parquet(path)

    def _exists(self, path: str) -> bool:
        context: Any = self._spark.sparkContext
        place = context._jvm.org.apache.hadoop.fs.Path(path)
        return bool(place.getFileSystem(context._jsc.hadoopConfiguration()).exists(place))


def _select(articles: DataFrame) -> DataFrame:
    """The columns that an article has, under their names here."""
    from pyspark.sql import functions as f

    missing = {"id", "text"} - set(articles.columns)
    if missing:
        raise ValueError(f"the articles have no column {' nor '.join(sorted(missing))}: name them so")
    kept = [name for name in ("url", "title") if name in articles.columns]
    names = {"url": "source"}
    return articles.select(*(f.col(name).cast("string").alias(names.get(name, name)) for name in ("id", "text", *kept)))


def _read_articles(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Articles with what exact copies have in common; those without a word go."""
    for batch in batches:
        rows = list[dict[str, Any]]()
        for row in batch.to_pylist():
            text = Text(replace_surrogates(row["text"] or ""))
            if text.norms and row["id"]:
                copy = hash_words(text) - _MIDDLE
                rows.append({name: row.get(name) for name in _ARTICLE} | {"text": text.raw, "copy": copy})
        yield _pack(rows, [*((name, pa.string()) for name in _ARTICLE), ("copy", pa.int64())])


def _number_articles(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        nodes = [hash_string(identifier) - _MIDDLE for identifier in batch.column("id").to_pylist()]
        yield batch.append_column("node", pa.array(nodes, pa.int64()))


def _make_postings(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    maker = KeyMaker(Lexicon.load())
    for batch in batches:
        nodes = batch.column("node").to_pylist()
        texts = [Text(text).norms for text in batch.column("text").to_pylist()]
        keys, starts = maker.make(texts)
        maker.tidy()
        sizes, hashes = np.diff(starts), gather_keys(keys)
        highest = [int(part.max(initial=0)) for part in np.split(hashes, starts[1:-1])]
        reaches = np.array([find_reach(size, high) for size, high in zip(sizes.tolist(), highest, strict=True)])
        kept = is_sampled(hashes, np.repeat(sizes, sizes), np.repeat(reaches, sizes))
        owners = np.repeat(np.array(nodes, np.int64), sizes)[kept]
        yield pa.record_batch([pa.array(keys[kept].astype(np.int64)), pa.array(owners)], ["key", "node"])


class _Judge:
    """Judges articles beside their candidates; the model is opened once in a worker process."""

    def __init__(self, model: str | None) -> None:
        self._model = model

    def __call__(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        detector = _open_detector(self._model)
        for batch in batches:
            rows = list[dict[str, Any]]()
            for row in batch.to_pylist():
                others = [_to_article(candidate["found"]) for candidate in row["candidates"]]
                verdict = judge(_to_article(row), others, detector)
                if verdict:
                    said = json.dumps(verdict.to_dict(), ensure_ascii=False)
                    rows.append({"node": row["node"], "verdict": said})
            yield _pack(rows, [("node", pa.int64()), ("verdict", pa.string())])


@lru_cache(1)
def _open_detector(model: str | None) -> Detector:
    return Detector.load(model, "never")


def _to_article(row: dict[str, Any]) -> Article:
    return Article(row["id"], row["text"], row["source"], row["title"])


def _pack(rows: list[dict[str, Any]], fields: Sequence[tuple[str, pa.DataType]]) -> pa.RecordBatch:
    return pa.RecordBatch.from_pylist(rows, pa.schema(fields))


def main(arguments: Sequence[str] | None = None) -> int:
    """``python -m unspun.families``; master and settings come from Spark's own configuration."""
    from pyspark.sql import SparkSession

    parser = argparse.ArgumentParser(prog="python -m unspun.families", description=__doc__)
    parser.add_argument("articles", help="parquet or .jsonl files: id, text, url, title")
    parser.add_argument("--stages", required=True, help="the folder that keeps the stages")
    parser.add_argument("--out", type=Path, required=True, help="the file to write: one family a line")
    parser.add_argument("--model", help="a model file instead of the shipped one")
    given = parser.parse_args(arguments)
    spark = SparkSession.builder.appName("unspun families").getOrCreate()
    lines = given.articles.rstrip("*").endswith((".jsonl", ".jsonl.gz", ".json"))
    articles = spark.read.json(given.articles) if lines else spark.read.parquet(given.articles)
    families = find_families(articles, given.stages, given.model)
    with given.out.open("w", encoding="utf-8") as file:
        write_families_jsonl(families, file)
    return 0
