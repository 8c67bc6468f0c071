"""datatrove: a filter for its pipelines (extra ``datatrove``), after the extractor and the language filter.

SpunFilter(Policy(spun="drop"), exclusion_writer=JsonlWriter("removed/"))
"""

from __future__ import annotations

from typing import Any

from datatrove.data import Document
from datatrove.pipeline.filters.base_filter import BaseFilter
from datatrove.pipeline.writers.disk_base import DiskWriter

from unspun.ingest import IngestFilter, Policy, trim_verdict


class SpunFilter(BaseFilter):
    """Drops by ``policy`` (``quarantine`` means: to the ``exclusion_writer``), tags ``metadata["unspun"]`` else.

    ``options`` are those of :class:`unspun.ingest.IngestFilter`; a document's references may be in its metadata
    (``references_field="metadata.references"``).
    """

    name = "Spun article"

    def __init__(
        self,
        policy: Policy | None = None,
        exclusion_writer: DiskWriter | None = None,
        detail: str = "score",
        **options: Any,
    ) -> None:
        super().__init__(exclusion_writer)
        self._decide = IngestFilter(policy or Policy(spun="drop"), **{"url_field": "metadata.url"} | options)
        self._detail = detail

    def filter(self, doc: Document) -> bool | tuple[bool, str]:
        found = self._decide({"id": doc.id, "text": doc.text, "metadata": doc.metadata})
        if found.verdict.score is not None:
            self.stat_update("spun_score", value=found.verdict.score)
        if found.action != "keep":
            doc.metadata["unspun"] = trim_verdict(found.verdict, self._detail)
        return found.passes or (False, found.reason or found.verdict.label)
