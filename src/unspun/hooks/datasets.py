"""Hugging Face datasets: callables for ``map`` and ``filter`` (extra ``datasets``), each with ``batched=True``.

    dataset.map(tag_spun(), batched=True)
    dataset.filter(keep_honest(), batched=True, input_columns=["text"])

They pickle alike every time, so that the cache of ``datasets`` knows them again. This module imports nothing of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from unspun.ingest import IngestFilter, Policy, make_columns

Batch = Mapping[str, Sequence[Any]]


class tag_spun:  # noqa: N801 - a callable with state, used as a function
    """A batch in, the same with the columns ``unspun_score``, ``unspun_label``, ``unspun_reason`` and, as JSON,
    ``unspun`` (by ``detail``)."""

    def __init__(self, decide: IngestFilter | None = None, detail: str = "score") -> None:
        self._decide, self._detail = decide or IngestFilter(), detail

    def __call__(self, batch: Batch) -> dict[str, list[Any]]:
        records = (dict(zip(batch, row, strict=True)) for row in zip(*batch.values(), strict=True))
        return make_columns([self._decide(record).verdict for record in records], self._detail)


class keep_honest:  # noqa: N801
    """The texts of a batch in, for each whether it is kept: by default all but the spun."""

    def __init__(self, decide: IngestFilter | None = None) -> None:
        self._decide = decide or IngestFilter(Policy(spun="drop"))

    def __call__(self, texts: Sequence[str]) -> list[bool]:
        return [self._decide.judge_text(text).passes for text in texts]
