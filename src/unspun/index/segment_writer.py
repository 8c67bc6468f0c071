"""Writing a segment: its columns as the references come, its postings in sorted runs that are merged at the end.

Memory stays bounded whatever is read: the runs go to the disk, and are merged in slices of keys.
"""

from __future__ import annotations

import json
import os
import zlib
from array import array
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from unspun.article import Article
from unspun.index.keys import KEY_BITS, KeyMaker, Keys, hash_string
from unspun.index.manifest import sync_folder
from unspun.index.segment import COLUMNS, LEAST_BITS, MOST_BITS, Segment, cut_keys
from unspun.index.selection import describe
from unspun.text import Text

#: References of one sorted run: 600 keys of 8 bytes each, twice.
RUN: Final = 1 << 15
#: Texts whose keys are made at once.
_BATCH: Final = 128
#: References that a merge reads before it lets go of the memory that they are mapped to.
_RELEASE: Final = 10_000
#: Bytes of text packed together: 8 kB pack to 46 % of their size (news and web pages) and unpack in 0.03 ms, single
#: articles to 49 %, 32 kB to 44 % but in 0.14 ms, which a query pays for each article that it finds.
_BLOCK: Final = 1 << 13
#: zlib's level: 6 packs to 44 % instead and takes three times as long.
_LEVEL: Final = 3
#: Postings of a bucket, on average.
_FILL: Final = 8


class _Postings(Protocol):
    def read_slice(self, low: int, high: int) -> tuple[Keys, NDArray[np.int32]]: ...


class ColumnWriter:
    """A column being written, from beginning to end."""

    def __init__(self, folder: Path, name: str, kind: str | None = None) -> None:
        self._kind = np.dtype(kind or COLUMNS[name])
        self._file = (folder / name).open("wb")
        self._checksum = self._bytes = 0

    def write(self, items: bytes | NDArray[Any]) -> None:
        data = items if isinstance(items, bytes) else np.ascontiguousarray(items, self._kind).tobytes()
        self._file.write(data)
        self._checksum = zlib.crc32(data, self._checksum)
        self._bytes += len(data)

    @property
    def items(self) -> int:
        return self._bytes // self._kind.itemsize

    def finish(self) -> dict[str, Any]:
        """What ``unspun-index.json`` says of the column, once it is safe on the disk."""
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        return {"type": self._kind.str, "items": self.items, "crc32": self._checksum}

    def close(self) -> None:
        self._file.close()


class _Body:
    """The columns that hold texts and rows, written as they come."""

    def __init__(self, folder: Path) -> None:
        self.columns = {
            name: ColumnWriter(folder, name)
            for name in ("texts", "block_starts", "block_reach", "text_starts", "rows", "row_starts")
        }
        self._waiting, self._size, self._reach = list[bytes](), 0, 0
        self.columns["text_starts"].write(np.zeros(1, np.int64))
        self.columns["row_starts"].write(np.zeros(1, np.int64))

    def add(self, text: bytes, row: bytes) -> None:
        self._waiting.append(text)
        self._size += len(text)
        columns = self.columns
        columns["text_starts"].write((self._reach + self._size).to_bytes(8, "little"))
        columns["rows"].write(row)
        columns["row_starts"].write(columns["rows"].items.to_bytes(8, "little"))
        if self._size >= _BLOCK:
            self._pack()

    def _pack(self) -> None:
        columns = self.columns
        columns["block_starts"].write(columns["texts"].items.to_bytes(8, "little"))
        columns["block_reach"].write(self._reach.to_bytes(8, "little"))
        columns["texts"].write(zlib.compress(b"".join(self._waiting), _LEVEL))
        self._reach += self._size
        self._waiting, self._size = [], 0

    def finish(self) -> None:
        if self._waiting:
            self._pack()
        self.columns["block_starts"].write(self.columns["texts"].items.to_bytes(8, "little"))


class _Described:
    """What references are selected by, four bytes each."""

    COLUMNS: Final = ("days", "outlets", "languages")

    def __init__(self) -> None:
        self._columns = array("i"), array("I"), array("I")

    def append(self, described: tuple[int, int, int]) -> None:
        for column, value in zip(self._columns, described, strict=True):
            column.append(value)

    def finish(self) -> list[NDArray[Any]]:
        return [np.array(column) for column in self._columns]


class SegmentWriter:
    """A segment being written."""

    def __init__(self, folder: Path, maker: KeyMaker, stack: ExitStack) -> None:
        self._folder, self._maker = folder, maker
        self._body = _Body(folder)
        for column in self._body.columns.values():
            stack.callback(column.close)
        self._texts = list[list[str]]()
        self._sizes = list[NDArray[np.uint16]]()
        self._described = _Described()
        # Eight bytes each, where a list of numbers takes forty.
        self._ids, self._copies, self._identities = array("Q"), array("Q"), array("Q")
        self._keys, self._run_from = list[Keys](), 0
        self._runs = list[_Run]()
        self.count = self._made = 0

    def add(self, article: Article, text: Text, identifier: str, copy: int, identity: int) -> None:
        row: dict[str, Any] = {"id": identifier}
        if identifier != article.id:
            row["was"] = article.id
        for name in ("source", "title", "date", "language"):
            value = getattr(article, name)
            if value is not None:
                row[name] = value
        encoded = json.dumps(row, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")
        self._body.add(article.text.encode("utf-8", "surrogatepass"), encoded)
        self._described.append(describe(article))
        self._ids.append(hash_string(identifier))
        self._copies.append(copy)
        self._identities.append(identity)
        self._texts.append(text.norms)
        self.count += 1
        if len(self._texts) == _BATCH:
            self._make_keys()

    def _make_keys(self) -> None:
        keys, starts = self._maker.make(self._texts)
        sizes = np.diff(starts)
        within = np.arange(len(sizes)) + (self._made - self._run_from)
        # The number within the run fits below the key, so that one sort of plain numbers sorts both.
        self._keys.append(keys << np.uint64(64 - KEY_BITS) | np.repeat(within, sizes).astype(np.uint64))
        self._sizes.append(sizes.astype(np.uint16))
        self._made += len(sizes)
        self._texts = []
        self._maker.tidy()
        if self._made - self._run_from >= RUN:
            self._write_run()

    def _write_run(self) -> None:
        if self._keys:
            run = np.concatenate(self._keys)
            run.sort()
            self._runs.append(_Run(self._folder / f"run-{len(self._runs)}", run, self._run_from))
        self._keys, self._run_from = [], self._made

    def finish(self) -> dict[str, Any]:
        """The segment as ``unspun-index.json`` tells of it, once it is safe on the disk."""
        if self._texts:
            self._make_keys()
        self._write_run()
        self._body.finish()
        numbers = np.arange(self.count, dtype=np.int32)
        sizes = np.concatenate(self._sizes)
        about = _finish_segment(
            self._folder, self._body, sizes, self._described.finish(), (np.array(self._ids, np.uint64), numbers),
            (np.array(self._copies, np.uint64), numbers), np.array(self._identities, np.uint64), self._runs,
        )  # fmt: skip
        for run in self._runs:
            run.path.unlink()
        return about


class _Run:
    """Sorted postings of some references that follow each other, on the disk.

    Read, not mapped: what is mapped counts as this process's memory.
    """

    def __init__(self, path: Path, packed: Keys, first: int) -> None:
        self.path, self._first = path, first
        packed.astype("<u8", copy=False).tofile(path)
        edges = np.arange(1 << LEAST_BITS, dtype=np.uint64) << np.uint64(64 - LEAST_BITS)
        self._starts = np.append(np.searchsorted(packed, edges), len(packed)).astype(np.uint32)

    def read_slice(self, low: int, high: int) -> tuple[Keys, NDArray[np.int32]]:
        first, last = int(self._starts[low]), int(self._starts[high])
        packed: Keys = np.fromfile(self.path, "<u8", last - first, offset=8 * first).astype(np.uint64, copy=False)
        below = np.uint64((1 << (64 - KEY_BITS)) - 1)
        return packed >> np.uint64(64 - KEY_BITS), (packed & below).astype(np.int32) + np.int32(self._first)


class _Renumbered:
    """The postings of a segment under new numbers, without those of removed references (number -1)."""

    def __init__(self, segment: Segment, numbers: NDArray[np.int32]) -> None:
        self._segment, self._numbers = segment, numbers

    def read_slice(self, low: int, high: int) -> tuple[Keys, NDArray[np.int32]]:
        keys, documents = self._segment.read_slice(low, high)
        self._segment.release()
        numbers = self._numbers[documents]
        return keys[numbers >= 0], numbers[numbers >= 0]


def _finish_segment(
    folder: Path, body: _Body, sizes: NDArray[np.uint16], described: Sequence[NDArray[Any]],
    ids: tuple[Keys, NDArray[np.int32]], copies: tuple[Keys, NDArray[np.int32]],
    identities: Keys, postings: Sequence[_Postings],
) -> dict[str, Any]:  # fmt: skip
    """Write the other columns; ``ids`` and ``copies`` are hashes with the references that they belong to."""
    columns = dict(body.columns)
    bits = _write_postings(folder, columns, postings, int(sizes.sum(dtype=np.int64)))

    def write(name: str, items: NDArray[Any]) -> None:
        columns[name] = ColumnWriter(folder, name)
        columns[name].write(items)

    by_id, by_copy = np.argsort(ids[0], kind="stable"), np.argsort(copies[0], kind="stable")
    write("ids", ids[0][by_id])
    write("id_documents", ids[1][by_id])
    write("copies", copies[0][by_copy])
    write("copy_documents", copies[1][by_copy])
    write("identities", np.sort(identities))
    write("sizes", sizes)
    for name, column in zip(_Described.COLUMNS, described, strict=True):
        write(name, column)
    told = {name: columns[name].finish() for name in COLUMNS}
    sync_folder(folder)
    return {"name": folder.name, "bits": bits, "columns": told, "removed": None}


def _write_postings(folder: Path, columns: dict[str, ColumnWriter], postings: Sequence[_Postings], total: int) -> int:
    """Merge sorted postings, slice of keys by slice; the bits that number the buckets."""
    bits = _choose_bits(total)
    for name in ("buckets", "tags", "documents"):
        columns[name] = ColumnWriter(folder, name, "<u8" if name == "buckets" and total >> 32 else None)
    columns["buckets"].write(np.zeros(1, np.int64))
    written = 0
    for low, high in cut_keys(total):
        slices = [part.read_slice(low, high) for part in postings]
        keys = np.concatenate([part[0] for part in slices])
        # Each part is sorted and the parts follow each other, so a stable sort keeps the references in order.
        order = np.argsort(keys, kind="stable")
        keys, documents = keys[order], np.concatenate([part[1] for part in slices])[order]
        columns["tags"].write(keys.astype(np.uint32))
        columns["documents"].write(documents)
        first = low << (bits - LEAST_BITS)
        places = (keys >> np.uint64(KEY_BITS - bits)).astype(np.int64) - first
        held = np.bincount(places, minlength=(high - low) << (bits - LEAST_BITS))
        columns["buckets"].write(written + np.cumsum(held))
        written += len(keys)
    return bits


def merge_segments(folder: Path, present: Sequence[Segment]) -> dict[str, Any]:
    """One segment of the references of several, removed ones left out."""
    body = _Body(folder)
    numbers, count = list[NDArray[np.int32]](), 0
    for segment in present:
        kept = np.ones(segment.count, np.bool_) if segment.removed is None else ~segment.removed
        new = np.where(kept, np.cumsum(kept) - 1 + count, -1).astype(np.int32)
        numbers.append(new)
        count += int(kept.sum())
        for document in np.flatnonzero(kept).tolist():
            if document % _RELEASE == 0:
                segment.release()
            row = json.dumps(segment.read_row(document), ensure_ascii=False, separators=(",", ":"))
            text = segment.read_text(document).encode("utf-8", "surrogatepass")
            body.add(text, row.encode("utf-8", "surrogatepass"))
    body.finish()

    def gather(parts: Iterable[tuple[Keys, NDArray[np.int32]]]) -> tuple[Keys, NDArray[np.int32]]:
        found = [(hashes, new[documents]) for (hashes, documents), new in zip(parts, numbers, strict=True)]
        hashed = np.concatenate([part[0] for part in found])
        owners = np.concatenate([part[1] for part in found])
        # In the order of the references, as a build writes them: equal hashes then stand in that order.
        order = np.argsort(owners, kind="stable")
        order = order[owners[order] >= 0]
        return hashed[order], owners[order]

    sizes = [segment.sizes[new >= 0] for segment, new in zip(present, numbers, strict=True)]
    columns = [
        np.concatenate([segment.selected_by[place][new >= 0] for segment, new in zip(present, numbers, strict=True)])
        for place in range(len(_Described.COLUMNS))
    ]
    return _finish_segment(
        folder, body, np.concatenate(sizes), columns, gather(s.named for s in present),
        gather(s.copies for s in present), np.concatenate([s.identities for s in present]),
        [_Renumbered(segment, new) for segment, new in zip(present, numbers, strict=True)],
    )  # fmt: skip


def write_removed(segment: Segment, documents: list[int]) -> dict[str, Any]:
    """Write which references of a segment are gone; what ``unspun-index.json`` says of it."""
    number = 1 + max((int(path.name.rpartition("-")[2]) for path in segment.folder.glob("removed-*")), default=0)
    name = f"removed-{number}"
    column = ColumnWriter(segment.folder, name, "<i4")
    column.write(np.array(documents, np.int32))
    about = {"file": name, **column.finish()}
    sync_folder(segment.folder)
    return about


def _choose_bits(postings: int) -> int:
    """How many bits number the buckets of so many postings."""
    return min(MOST_BITS, max(LEAST_BITS, (postings // _FILL).bit_length()))
