"""Where filtered records go: files of JSON lines, packed by their suffix, and parquet files.

A packed file is a row of members, each whole in itself, so that it can be cut back to where one ended and gone on with.
"""

from __future__ import annotations

import gzip
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Protocol

from unspun.filtering.record_files import PARQUET, read_batches, read_schema

if TYPE_CHECKING:
    import pyarrow

    from unspun.filtering.streams import Filtered


@dataclass(frozen=True, slots=True, eq=False)
class Row:
    """Row ``number`` of some rows of a parquet file."""

    batch: pyarrow.RecordBatch
    number: int


class Output(Protocol):
    """What records are written to; ``row`` is where a record came from, if from a parquet file."""

    def write(self, one: Filtered, row: Row | None) -> None: ...

    def flush(self) -> None:
        """What was written can be read from now on."""

    def close(self) -> None: ...


class LineOutput:
    """JSON lines to a binary ``file``: as they are, or packed where ``name`` ends in .gz or .zst."""

    def __init__(self, file: IO[bytes], name: str = "") -> None:
        self._file, self._suffix = file, Path(name.lower()).suffix
        self._member: Any = None
        self._written = False

    def write(self, one: Filtered, row: Row | None = None) -> None:
        self._written = True
        if self._suffix not in (".gz", ".zst"):
            self._file.write(one.line)
            return
        if self._member is None:
            self._member = _begin_member(self._file, self._suffix)
        self._member.write(one.line)

    def flush(self) -> None:
        if self._member and self._written:
            self._member.flush()
        self._file.flush()
        self._written = False

    def settle(self) -> int:
        """All that was written reaches the disk, whole in itself; returns its length in bytes."""
        self.close()
        os.fsync(self._file.fileno())
        return self._file.tell()

    def close(self) -> None:
        if self._member:
            self._member.close()
            self._member = None
        self._file.flush()


def _begin_member(file: IO[bytes], suffix: str) -> Any:
    if suffix == ".gz":
        # Without time and name, so that equal input gives equal bytes.
        return gzip.GzipFile("", "wb", 6, file, mtime=0)
    import zstandard

    return zstandard.ZstdCompressor().stream_writer(file, closefd=False)


class RowOutput:
    """Rows to a parquet ``file`` with the columns of ``schema``, as they came, and ``unspun``, the verdict as JSON."""

    def __init__(self, file: IO[bytes], schema: pyarrow.Schema) -> None:
        import pyarrow
        from pyarrow import parquet

        # A column of that name is of an earlier run.
        self._names = [name for name in schema.names if name != "unspun"]
        kept = pyarrow.schema([schema.field(name) for name in self._names])
        self._schema = kept.append(pyarrow.field("unspun", pyarrow.string()))
        self._writer = parquet.ParquetWriter(file, self._schema)
        self._batch: pyarrow.RecordBatch | None = None
        self._rows, self._tags = list[int](), list[str | None]()

    def write(self, one: Filtered, row: Row | None) -> None:
        assert row is not None
        if row.batch is not self._batch:
            self._write_batch()
            self._batch = row.batch
        self._rows.append(row.number)
        self._tags.append(one.tag.decode() if one.tag else None)

    def flush(self) -> None:
        """Rows are written a batch at once: a file of single rows would be of no use."""

    def _write_batch(self) -> None:
        import pyarrow

        if self._batch is None or not self._rows:
            return
        kept = self._batch.take(pyarrow.array(self._rows)).select(self._names)
        tags = pyarrow.array(self._tags, pyarrow.string())
        self._writer.write_batch(pyarrow.record_batch([*kept.columns, tags], schema=self._schema))
        self._rows, self._tags = [], []

    def close(self) -> None:
        self._write_batch()
        self._writer.close()


def open_output(file: IO[bytes], name: str, schema: pyarrow.Schema | None) -> Output:
    """The output of a file that is called ``name``; ``schema`` is that of the inputs, see :func:`choose_schema`."""
    return RowOutput(file, schema) if schema and is_parquet(name) else LineOutput(file, name)


def choose_schema(inputs: Sequence[Path], outputs: Sequence[Path]) -> pyarrow.Schema | None:
    """The columns that the inputs have in common, None where no output is parquet.

    Raises ValueError where the inputs cannot go to one parquet file, ModuleNotFoundError for what an output needs.
    """
    if any(path.suffix.lower() == ".zst" for path in outputs):
        import zstandard  # noqa: F401
    if not any(is_parquet(path.name) for path in outputs):
        return None
    others = [path for path in inputs if not is_parquet(path.name)]
    if others or not inputs:
        raise ValueError(f"parquet is written from parquet only, not from {others[0] if others else 'stdin'}")
    schemas = [read_schema(path) for path in inputs]
    for path, schema in zip(inputs, schemas, strict=True):
        if not schema.equals(schemas[0]):
            raise ValueError(f"{path}: has other columns than {inputs[0]}; filter it by itself, or write .jsonl")
    return schemas[0]


def is_parquet(name: str) -> bool:
    return name.lower().endswith(PARQUET)


def read_rows(paths: Iterable[Path]) -> Iterator[Row]:
    """The rows of parquet files, in step with the lines that :func:`unspun.filtering.record_files.read_lines` makes
    of them."""
    for path in paths:
        # What is wrong with a file is told where its lines are read.
        for batch in read_batches(path, lambda _: None):
            yield from (Row(batch, number) for number in range(batch.num_rows))
