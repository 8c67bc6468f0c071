"""A segment: the files of some references of an index, written once and mapped into memory to be read.

A segment is a folder of columns, each a file of little-endian numbers or of bytes:

| column | items | what |
|---|---|---|
| ``buckets`` | 2**bits + 1 | where the postings of the keys begin that have these upper bits |
| ``tags``, ``documents`` | one a posting | the lower 32 bits of its key; the reference that has the key |
| ``sizes`` | one a reference | how many keys it has |
| ``texts`` | bytes | texts in blocks, each packed by zlib |
| ``block_starts``, ``block_reach`` | one a block | where it begins; how many bytes of text stand before it |
| ``text_starts`` | one a reference, and one | where its text begins among the bytes of all texts |
| ``rows``, ``row_starts`` | bytes; one a reference, and one | what else is known of it, as JSON |
| ``days``, ``outlets``, ``languages`` | one a reference | what a query can select by |
| ``ids``, ``id_documents`` | one a reference | hashes of the ids, sorted, and whose they are |
| ``copies``, ``copy_documents`` | one a reference | the same for what exact copies have in common |
| ``identities`` | one a reference | sorted hashes of id, source and words: what is in the index already |

References are numbered from 0 in the order in which they were read; the postings of a key stand in that order.
"""

from __future__ import annotations

import json
import mmap
import zlib
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from unspun.article import Article
from unspun.index.keys import KEY_BITS, Keys, hash_identity
from unspun.index.selection import Selection

Numbers = NDArray[np.int64]

#: The columns with the type of their items; ``buckets`` has eight bytes where four cannot count the postings.
COLUMNS: Final[Mapping[str, str]] = {
    "buckets": "<u4", "tags": "<u4", "documents": "<i4", "sizes": "<u2",
    "texts": "|u1", "block_starts": "<i8", "block_reach": "<i8", "text_starts": "<i8",
    "rows": "|u1", "row_starts": "<i8",
    "days": "<i4", "outlets": "<u4", "languages": "<u4",
    "ids": "<u8", "id_documents": "<i4", "copies": "<u8", "copy_documents": "<i4", "identities": "<u8",
}  # fmt: skip
#: Bits that number a bucket: the upper ones of a key. At least 16, so that a tag holds all the others.
LEAST_BITS: Final = 16
MOST_BITS: Final = 28
#: A bucket of more postings holds a common key, and is searched by halves.
_LARGE: Final = 64
#: Postings sorted at once, about 60 bytes each.
_SLICE: Final = 4_000_000
#: Longest block of texts in bytes, unpacked: fifty texts of the largest size that is read.
MAX_BLOCK: Final = 1_000_000_000
#: How much longer than packed a block can be: zlib packs no better.
MAX_PACKED_RATIO: Final = 1100
#: Bytes read at once to check a column.
_CHUNK: Final = 1 << 22


class IndexDamagedError(ValueError):
    """An index that cannot be used; the message names it and says what to do."""


def cut_keys(postings: int) -> Iterator[tuple[int, int]]:
    """Ranges of the upper 16 bits of keys, each with about as many postings as are sorted at once."""
    count = min(1 << LEAST_BITS, -(-postings // _SLICE) or 1)
    edges = [number * (1 << LEAST_BITS) // count for number in range(count + 1)]
    return zip(edges, edges[1:], strict=False)


def map_column(path: Path, about: Mapping[str, Any]) -> NDArray[Any]:
    """The items of a column, read from the disk only where they are looked at.

    Raises :class:`IndexDamagedError` when the file has not the size that it should have, FileNotFoundError without it.
    """
    # Only what is written here: the type of the file decides how it is read.
    usual = COLUMNS.get(path.name, "<i4")
    if about["type"] not in ((usual, "<u8") if path.name == "buckets" else (usual,)):
        raise IndexDamagedError(f"{path}: damaged (of type {about['type']!r}): build the index anew")
    kind, items = np.dtype(about["type"]), int(about["items"])
    size = path.stat().st_size
    if size != kind.itemsize * items:
        raise IndexDamagedError(
            f"{path}: damaged or cut off ({size} bytes, not {kind.itemsize * items}): build the index anew"
        )
    if not items:
        return np.zeros(0, kind)
    with path.open("rb") as file:
        # Not as a numpy.memmap: that subclass makes every small slice cost microseconds.
        return np.frombuffer(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ), kind)


def check_column(path: Path, about: Mapping[str, Any]) -> None:
    """Read a whole column; raises :class:`IndexDamagedError` unless it is what was written."""
    map_column(path, about)
    checksum = 0
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            checksum = zlib.crc32(chunk, checksum)
    if checksum != about["crc32"]:
        raise IndexDamagedError(f"{path}: damaged (its checksum differs): build the index anew")


def check_name(name: Any) -> str:
    """A name of a file, which leads to no other folder; raises ValueError for any other."""
    if not isinstance(name, str) or not name.isprintable() or Path(name).name != name:
        raise ValueError(f"{name!r} is no name of a file of it")
    return name


class Segment:
    """The references of one segment, read-only.

    Attributes: ``name``, ``count`` (references), ``postings`` (how many) and ``removed`` (bool[count], None when none
    was).
    """

    def __init__(self, folder: Path, about: Mapping[str, Any]) -> None:
        """``about``: what ``unspun-index.json`` says of it."""
        self.folder, self.about = folder, about
        self.name = folder.name
        self._columns = {name: map_column(folder / name, about["columns"][name]) for name in COLUMNS}
        self.count = len(self._columns["sizes"])
        self.postings = len(self._columns["tags"])
        self._bits = int(about["bits"])
        self._check_shape()
        self.removed: NDArray[np.bool_] | None = None
        if about["removed"]:
            gone = map_column(folder / check_name(about["removed"]["file"]), about["removed"])
            self._check_documents(gone)
            self.removed = np.zeros(self.count, np.bool_)
            self.removed[gone] = True
        self._read_block = lru_cache(8)(self._unpack_block)

    def _check_shape(self) -> None:
        one_each = ("days", "outlets", "languages", "id_documents", "ids", "copies", "copy_documents", "identities")
        lengths = {len(self._columns[name]) for name in one_each}
        starts = {len(self._columns[name]) for name in ("text_starts", "row_starts")}
        if (
            (lengths | {self.count}) != {self.count}
            or starts != {self.count + 1}
            or len(self._columns["documents"]) != self.postings
            or not LEAST_BITS <= self._bits <= MOST_BITS
            or len(self._columns["buckets"]) != (1 << self._bits) + 1
            or int(self._columns["buckets"][-1]) != self.postings
        ):
            raise self._damaged("its columns do not fit together")

    def _damaged(self, why: str) -> IndexDamagedError:
        return IndexDamagedError(f"{self.folder}: damaged ({why}): build the index anew")

    @property
    def alive(self) -> int:
        """References that were not removed."""
        return self.count if self.removed is None else self.count - int(self.removed.sum())

    @property
    def sizes(self) -> NDArray[np.uint16]:
        return self._columns["sizes"]

    def select(self, selection: Selection, documents: NDArray[np.int64] | list[int]) -> NDArray[np.bool_]:
        """Which of these references are asked: bool[n]."""
        days, outlets, languages = self.selected_by
        return selection.allows(days[documents], outlets[documents], languages[documents])

    @property
    def selected_by(self) -> tuple[NDArray[np.int32], NDArray[np.uint32], NDArray[np.uint32]]:
        """Day, outlet and language of each reference, as numbers (see :mod:`unspun.index.selection`)."""
        return self._columns["days"], self._columns["outlets"], self._columns["languages"]

    @property
    def identities(self) -> Keys:
        """Sorted hashes of id, source and words of the references that were not removed."""
        if self.removed is None:
            return self._columns["identities"]
        hashes, owners = self.copies
        copies = np.zeros(self.count, np.uint64)
        copies[owners] = hashes
        rows = ((self.read_row(document), copies[document]) for document in np.flatnonzero(~self.removed).tolist())
        found = [hash_identity(row.get("was", row["id"]), row.get("source"), copy) for row, copy in rows]
        return np.sort(np.array(found, np.uint64))

    @property
    def ids(self) -> Keys:
        """Sorted hashes of the ids that are in use."""
        hashes, documents = self.named
        return hashes if self.removed is None else hashes[~self.removed[documents]]

    @property
    def named(self) -> tuple[Keys, NDArray[np.int32]]:
        """Sorted hashes of the ids, and whose they are."""
        return self._columns["ids"], self._columns["id_documents"]

    @property
    def copies(self) -> tuple[Keys, NDArray[np.int32]]:
        """Sorted hashes of what exact copies have in common, and whose they are."""
        return self._columns["copies"], self._columns["copy_documents"]

    def measure(self) -> tuple[int, int]:
        """Bytes of the packed texts, and of all else."""
        texts = self._columns["texts"].nbytes
        return texts, sum(column.nbytes for column in self._columns.values()) - texts

    def release(self) -> None:
        """Let go of what was read: it is read again from the disk, or its cache, where it is looked at again."""
        for column in self._columns.values():
            # numpy holds a view of what it was given.
            mapped = getattr(column.base, "obj", None)
            if isinstance(mapped, mmap.mmap) and hasattr(mmap, "MADV_DONTNEED"):
                mapped.madvise(mmap.MADV_DONTNEED)

    def check(self) -> None:
        """Read every file; raises :class:`IndexDamagedError` when one is not what was written."""
        for name in COLUMNS:
            check_column(self.folder / name, self.about["columns"][name])
        if self.about["removed"]:
            check_column(self.folder / self.about["removed"]["file"], self.about["removed"])

    # --- one reference

    def read_row(self, document: int) -> dict[str, Any]:
        """What is known of a reference: ``id``, and where known ``source``, ``title``, ``date``, ``language``."""
        start, end = self._columns["row_starts"][document : document + 2].tolist()
        try:
            row = json.loads(self._columns["rows"][start:end].tobytes())
            if not isinstance(row.get("id"), str) or not all(isinstance(value, str) for value in row.values()):
                raise ValueError
        except (ValueError, AttributeError, RecursionError):
            raise self._damaged(f"the row of reference {document} cannot be read") from None
        return dict(row)

    def read_text(self, document: int) -> str:
        start, end = self._columns["text_starts"][document : document + 2].tolist()
        reach = self._columns["block_reach"]
        block = int(np.searchsorted(reach, start, "right")) - 1
        try:
            before = int(reach[block])
            return self._read_block(block)[start - before : end - before].decode("utf-8", "surrogatepass")
        except (zlib.error, ValueError, IndexError):
            raise self._damaged(f"the text of reference {document} cannot be read") from None

    def _unpack_block(self, block: int) -> bytes:
        start, end = self._columns["block_starts"][block : block + 2].tolist()
        reach = self._columns["block_reach"]
        after = int(reach[block + 1] if block + 1 < len(reach) else self._columns["text_starts"][-1])
        # A damaged block can claim to be a thousand times as long as it is packed.
        unpacker, size = zlib.decompressobj(), after - int(reach[block])
        if not 0 < size <= min(MAX_BLOCK, MAX_PACKED_RATIO * (end - start)):
            raise ValueError("a block of another length")
        unpacked = unpacker.decompress(self._columns["texts"][start:end].tobytes(), size)
        if len(unpacked) != size:
            raise ValueError("a block of another length")
        return unpacked

    def read_article(self, document: int) -> Article:
        row = self.read_row(document)
        known = (row.get(name) for name in ("source", "title", "date", "language"))
        return Article(row["id"], self.read_text(document), *known)

    def find_id(self, hashed: int) -> list[int]:
        """The references whose id has this hash, removed ones left out."""
        return self._find("ids", "id_documents", hashed)

    def find_copies(self, hashed: int) -> list[int]:
        """The references whose words are those that have this hash, removed ones left out."""
        return self._find("copies", "copy_documents", hashed)

    def _find(self, hashes: str, documents: str, wanted: int) -> list[int]:
        column, key = self._columns[hashes], np.uint64(wanted)
        low, high = (int(np.searchsorted(column, key, side)) for side in ("left", "right"))
        found: list[int] = np.sort(self._columns[documents][low:high]).tolist()
        self._check_documents(np.array(found, np.int64))
        return [document for document in found if self.removed is None or not self.removed[document]]

    def _check_documents(self, documents: NDArray[np.integer]) -> None:
        if len(documents) and (int(documents.min()) < 0 or int(documents.max()) >= self.count):
            raise self._damaged("a posting names no reference")

    # --- postings

    def find_postings(self, keys: Keys) -> tuple[Numbers, Numbers]:
        """Where the postings of each key begin, and how many there are: int64[keys] each."""
        tags = keys.astype(np.uint32)
        buckets = (keys >> np.uint64(KEY_BITS - self._bits)).astype(np.intp)
        low = self._columns["buckets"][buckets].astype(np.int64)
        high = self._columns["buckets"][buckets + 1].astype(np.int64)
        if len(keys) and (int(low.min()) < 0 or int((high - low).min()) < 0 or int(high.max()) > self.postings):
            raise self._damaged("its buckets are out of order")
        large = high - low > _LARGE
        first, last, tag = low[large], high[large], tags[large].astype(np.int64)
        low[large], high[large] = self._halve(first, last, tag), self._halve(first, last, tag + 1)
        if int((high - low).min(initial=0)) < 0:
            raise self._damaged("its tags are out of order")
        # The others are read whole: the next numbers in memory cost less than halving.
        counts = np.where(large, 0, high - low)
        owners = np.repeat(np.arange(len(keys)), counts)
        places = expand(low, counts)
        equal = self._columns["tags"][places] == tags[owners]
        owners, places = owners[equal], places[equal]
        found = np.where(large, high - low, np.bincount(owners, minlength=len(keys)))
        first_of = np.flatnonzero(np.append(True, owners[1:] != owners[:-1])) if len(owners) else owners
        low[owners[first_of]] = places[first_of]
        return low, found

    def _halve(self, first: Numbers, last: Numbers, tags: Numbers) -> Numbers:
        """The first posting of each range whose tag is not below the one wanted; the end of the range without one."""
        for _ in range(int((last - first).max(initial=0)).bit_length()):
            middle = (first + last) >> 1
            # A range that is used up may end behind the last posting; it moves no more.
            below = (self._columns["tags"][np.minimum(middle, self.postings - 1)] < tags) & (first < last)
            first, last = np.where(below, middle + 1, first), np.where(below, last, middle)
        return first

    def read_documents(self, starts: Numbers, counts: Numbers) -> NDArray[np.int64]:
        """The references of so many postings from each start, one after the other."""
        documents = self._columns["documents"][expand(starts, counts)].astype(np.int64)
        self._check_documents(documents)
        return documents

    def read_slice(self, low: int, high: int) -> tuple[Keys, NDArray[np.int32]]:
        """Keys and references of the postings whose keys have upper 16 bits from ``low`` to below ``high``, sorted."""
        shift = self._bits - LEAST_BITS
        bounds = self._columns["buckets"][low << shift : (high << shift) + 1].astype(np.int64)
        if int(bounds[0]) < 0 or int(np.diff(bounds).min()) < 0 or int(bounds[-1]) > self.postings:
            raise self._damaged("its buckets are out of order")
        first, last = int(bounds[0]), int(bounds[-1])
        buckets = np.repeat(np.arange(low << shift, high << shift, dtype=np.uint64), np.diff(bounds))
        rest = np.uint64(KEY_BITS - self._bits)
        tags = self._columns["tags"][first:last].astype(np.uint64) & np.uint64((1 << int(rest)) - 1)
        documents = self._columns["documents"][first:last]
        self._check_documents(documents)
        return buckets << rest | tags, documents


def expand(starts: Numbers, counts: Numbers) -> Numbers:
    """The numbers from each start on, so many each, one after the other."""
    ends = np.cumsum(counts)
    total = int(ends[-1]) if len(ends) else 0
    return np.repeat(starts - (ends - counts), counts) + np.arange(total)


def read_all(segments: Iterable[Segment]) -> Iterator[Article]:
    """The references that were not removed, in order."""
    for segment in segments:
        for document in range(segment.count):
            if segment.removed is None or not segment.removed[document]:
                yield segment.read_article(document)
