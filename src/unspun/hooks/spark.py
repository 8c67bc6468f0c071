"""Spark: a callable for ``mapInArrow`` (extra ``spark``), which scores a DataFrame in one pass.

    tagged = df.mapInArrow(tag_spun(), extend_schema(df.schema))
    tagged.write.partitionBy("unspun_action").parquet("scored/")

The model is opened once a partition. This module imports nothing of ``pyspark``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Final

import pyarrow as pa

from unspun.ingest import IngestFilter, make_columns

if TYPE_CHECKING:
    from pyspark.sql.types import StructType

#: What is added, by type; Spark and Arrow call these types the same.
_TYPES: Final = {
    "unspun_score": "double",
    "unspun_label": "string",
    "unspun_reason": "string",
    "unspun_action": "string",
    "unspun": "string",
}


class tag_spun:  # noqa: N801 - a callable with state, used as a function
    """Batches in, the same out with the columns of :func:`extend_schema`: those of the datasets hook and
    ``unspun_action``, to split by; only rows to be dropped are left out, those for quarantine pass."""

    def __init__(self, decide: IngestFilter | None = None, detail: str = "score") -> None:
        self._decide, self._detail = decide or IngestFilter(), detail

    def __call__(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        fields = {field.partition(".")[0] for field in self._decide.fields.values() if field}
        for batch in batches:
            # Only what is read becomes Python's: not every value of Spark can, and other columns may be large.
            read = batch.select([name for name in batch.schema.names if name in fields])
            found = [self._decide(row) for row in read.to_pylist(maps_as_pydicts="lossy")]
            tags = make_columns([item.verdict for item in found], self._detail)
            tags["unspun_action"] = [item.action for item in found]
            tagged = batch.drop_columns([name for name in batch.schema.names if name in _TYPES])
            for name, type in _TYPES.items():
                tagged = tagged.append_column(name, pa.array(tags[name], type))
            yield tagged.filter(pa.array([item.action != "drop" for item in found], "bool"))


def extend_schema(schema: StructType) -> StructType:
    """The schema that comes out, from that of the DataFrame; the columns of an earlier run are replaced."""
    from pyspark.sql.types import StructType

    extended = StructType([field for field in schema if field.name not in _TYPES])
    for name, type in _TYPES.items():
        extended.add(name, type)
    return extended
