"""Scrapy: an item pipeline (extra ``scrapy``).

    ITEM_PIPELINES = {"unspun.hooks.scrapy.SpunPipeline": 300}

Settings: ``SPUN_ENABLED`` (true), ``SPUN_ACTION`` (``tag``: what becomes of spun items), ``SPUN_SUSPECT_ACTION``
(``tag``), ``SPUN_TEXT_FIELD`` (``text``), ``SPUN_RESULT_FIELD`` (``unspun``), ``SPUN_DETAIL`` (``score``),
``SPUN_REFERENCES`` (files and folders), ``SPUN_MODEL``, ``SPUN_CONTEXT`` (``auto``). Counters: ``unspun/LABEL``,
``unspun/action/ACTION``.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from itemadapter import ItemAdapter
from scrapy.crawler import Crawler
from scrapy.exceptions import DropItem, NotConfigured

from unspun.article import Article
from unspun.ingest import IngestFilter, Policy, trim_verdict


class SpunArticle(DropItem):
    """An item that was dropped, by its reason code: Scrapy counts it under this name."""


class SpunPipeline:
    """Scores each item in a thread, so that the crawl goes on meanwhile."""

    def __init__(self, crawler: Crawler) -> None:
        settings = crawler.settings
        if not settings.getbool("SPUN_ENABLED", True):
            raise NotConfigured
        self._crawler = crawler
        self._result_field = settings.get("SPUN_RESULT_FIELD", "unspun")
        self._detail = settings.get("SPUN_DETAIL", "score")
        self._decide = IngestFilter(
            Policy(spun=settings.get("SPUN_ACTION", "tag"), suspect=settings.get("SPUN_SUSPECT_ACTION", "tag")),
            text_field=settings.get("SPUN_TEXT_FIELD", "text"),
            references=_read_references(settings.getlist("SPUN_REFERENCES")),
            model=settings.get("SPUN_MODEL"),
            context=settings.get("SPUN_CONTEXT", "auto"),
        )
        # One thread: scoring holds the interpreter's lock, more would only wait for it.
        self._thread = ThreadPoolExecutor(1)

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> SpunPipeline:
        return cls(crawler)

    def open_spider(self) -> None:
        self._decide.open()

    def close_spider(self) -> None:
        self._thread.shutdown()

    async def process_item(self, item: Any) -> Any:
        adapter = ItemAdapter(item)
        found = await asyncio.get_running_loop().run_in_executor(self._thread, self._decide, adapter.asdict())
        self._crawler.stats.inc_value(f"unspun/{found.verdict.label}")
        self._crawler.stats.inc_value(f"unspun/action/{found.action}")
        if not found.passes:
            raise SpunArticle(found.reason or found.verdict.label)
        # An item class without the field keeps its items as they are.
        if found.action == "tag" and (isinstance(item, dict) or self._result_field in adapter.field_names()):
            adapter[self._result_field] = trim_verdict(found.verdict, self._detail)
        return item


def _read_references(paths: list[str]) -> list[Article]:
    from unspun.readers import make_ids_unique, read_articles

    found = read_articles(map(Path, paths))
    return list(make_ids_unique(item for item in found if isinstance(item, Article)))
