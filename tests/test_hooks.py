"""The hooks inside their real frameworks; what is not installed is skipped, and says what to install."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from unspun.article import Article
from unspun.ingest import IngestFilter, Policy
from unspun.readers import read_articles

SAMPLES = Path(__file__).resolve().parents[1] / "data" / "samples"


def read_texts() -> dict[str, str]:
    found = [item for item in read_articles([SAMPLES / "articles"]) if isinstance(item, Article)]
    return {article.id: article.text for article in found if "-spun-blog" in article.id or "-fresh-" in article.id}


TEXTS = read_texts()
HONEST = sorted(name for name in TEXTS if "-fresh-" in name)
SPUN = sorted(name for name in TEXTS if "-spun-" in name)

SPIDER = """
import scrapy

class Article(scrapy.Item):
    name = scrapy.Field()
    text = scrapy.Field()
    {field}

class Spider(scrapy.Spider):
    name = "articles"
    start_urls = {urls!r}
    custom_settings = {settings!r}

    def parse(self, response):
        item = {item}
        yield item
"""


@pytest.mark.parametrize(
    ("item", "field", "tagged"),
    [
        ("dict(name=response.url.rsplit('/')[-1], text=response.text)", "", True),
        ("Article(name=response.url.rsplit('/')[-1], text=response.text)", "unspun = scrapy.Field()", True),
        ("Article(name=response.url.rsplit('/')[-1], text=response.text)", "", False),
    ],
)
def test_a_crawl_drops_and_tags(tmp_path: Path, item: str, field: str, tagged: bool) -> None:
    pytest.importorskip("scrapy", reason="pip install 'unspun[scrapy]'")
    site = tmp_path / "site"
    site.mkdir()
    for name, text in TEXTS.items():
        (site / name).write_text(text, encoding="utf-8")
    handler = partial(SimpleHTTPRequestHandler, directory=str(site))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        settings = {
            "ITEM_PIPELINES": {"unspun.hooks.scrapy.SpunPipeline": 300},
            "SPUN_ACTION": "drop",
            "STATS_DUMP": True,
            "TELNETCONSOLE_ENABLED": False,
        }
        urls = [f"http://127.0.0.1:{server.server_port}/{name}" for name in TEXTS]
        spider = tmp_path / "spider.py"
        spider.write_text(SPIDER.format(urls=urls, settings=settings, item=item, field=field))
        command = [sys.executable, "-m", "scrapy", "runspider", str(spider), "-O", str(tmp_path / "items.jsonl")]
        ended = subprocess.run(command, capture_output=True, text=True, timeout=120, cwd=tmp_path)
        server.shutdown()
    items = [json.loads(line) for line in (tmp_path / "items.jsonl").read_text().splitlines()]
    assert sorted(item["name"] for item in items) == HONEST
    assert all(("unspun" in item) == tagged for item in items)
    if tagged:
        assert {item["unspun"]["label"] for item in items} == {"clean"}
    for line in (
        f"'unspun/spun': {len(SPUN)}",
        f"'unspun/action/drop': {len(SPUN)}",
        f"'item_dropped_reasons_count/SpunArticle': {len(SPUN)}",
    ):
        assert line in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_datatrove_pipeline_filters(tmp_path: Path) -> None:
    pytest.importorskip("datatrove", reason="pip install 'unspun[datatrove]'")
    pytest.importorskip("regex", reason="pip install 'unspun[datatrove]'")
    from datatrove.executor import LocalPipelineExecutor
    from datatrove.pipeline.readers import JsonlReader
    from datatrove.pipeline.writers import JsonlWriter

    from unspun.hooks.datatrove import SpunFilter

    source = tmp_path / "in"
    source.mkdir()
    for part in range(2):
        names = sorted(TEXTS)[part::2]
        (source / f"{part}.jsonl").write_text(
            "".join(json.dumps({"id": n, "text": TEXTS[n], "url": f"http://x/{n}"}) + "\n" for n in names)
        )
    LocalPipelineExecutor(
        [
            JsonlReader(str(source)),
            SpunFilter(exclusion_writer=JsonlWriter(str(tmp_path / "removed"), compression=None)),
            JsonlWriter(str(tmp_path / "kept"), compression=None),
        ],
        tasks=2,
        workers=2,
        logging_dir=str(tmp_path / "logs"),
    ).run()

    def read(folder: str) -> list[dict[str, Any]]:
        lines = [line for path in (tmp_path / folder).glob("*.jsonl") for line in path.read_text().splitlines()]
        return sorted(map(json.loads, lines), key=lambda document: str(document["id"]))

    assert [document["id"] for document in read("kept")] == HONEST
    assert {document["metadata"]["unspun"]["label"] for document in read("kept")} == {"clean"}
    removed = read("removed")
    assert [document["id"] for document in removed] == SPUN
    assert {document["metadata"]["filter_reason"] for document in removed} <= {"synonyms_swapped", "quote_altered"}
    stats = json.loads((tmp_path / "logs" / "stats.json").read_text())
    (counts,) = [step["stats"] for step in stats if "Spun article" in step["name"]]
    assert counts["dropped"] == len(SPUN)
    assert counts["spun_score"]["n"] == len(TEXTS)


def test_a_dataset_is_tagged_and_filtered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_DATASETS_OFFLINE", "1")
    datasets = pytest.importorskip("datasets", reason="pip install 'unspun[datasets]'")
    from unspun.hooks.datasets import keep_honest, tag_spun

    given = datasets.Dataset.from_dict({"id": sorted(TEXTS), "text": [TEXTS[name] for name in sorted(TEXTS)]})
    tagged = given.map(tag_spun(), batched=True, batch_size=4)
    labels = dict.fromkeys(HONEST, "clean") | dict.fromkeys(SPUN, "spun")
    assert {row["id"]: row["unspun_label"] for row in tagged} == labels
    assert json.loads(tagged[0]["unspun"])["schema"] == 1
    kept = given.filter(keep_honest(), batched=True, batch_size=4, input_columns=["text"])
    assert sorted(kept["id"]) == HONEST
    streamed = given.to_iterable_dataset().filter(keep_honest(), batched=True, input_columns=["text"])
    assert sorted(row["id"] for row in streamed) == HONEST
    assert keep_honest(IngestFilter(Policy(spun="drop"), text_field="body"))([TEXTS[SPUN[0]]]) == [False]
    # The cache of datasets knows a callable again by what it pickles to, also once it was used.
    used = keep_honest()
    used([TEXTS[HONEST[0]]])
    assert pickle.dumps(used) == pickle.dumps(keep_honest())


def test_the_callable_is_the_same_everywhere() -> None:
    decide = IngestFilter(Policy(spun="drop"))
    assert [name for name in sorted(TEXTS) if decide({"text": TEXTS[name]}).action == "drop"] == SPUN
