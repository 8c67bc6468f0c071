"""Writing an index: new files first, then ``unspun-index.json`` in one step. A writer that is killed changes nothing.

Memory stays bounded whatever is read: postings are sorted in runs that go to the disk and are merged in slices of keys,
and a segment holds no more than so many references.
"""

from __future__ import annotations

import json
import zlib
from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from unspun.article import Article
from unspun.index.keys import KEY_BITS, KeyMaker, Keys, hash_string, hash_words
from unspun.index.manifest import (
    LOCK,
    NAME,
    SEGMENT_NAME,
    IndexBusyError,
    clear_leftovers,
    hold_lock,
    is_index,
    name_segment,
    open_segments,
    read_manifest,
    sync_folder,
    write_manifest,
)
from unspun.index.segment import (
    COLUMNS,
    LEAST_BITS,
    ColumnWriter,
    IndexDamagedError,
    Segment,
    choose_bits,
    cut_keys,
    map_column,
)
from unspun.index.selection import describe
from unspun.lexicon import Lexicon
from unspun.text import Text

#: References of one segment at most: while it is written, 200 bytes of each are kept in memory.
SEGMENT: Final = 2_000_000
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


class IndexRefusedError(ValueError):
    """No index can be made there, or of that; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Written:
    """What came of writing: references ``added``, passed over because they were in the index or hold no word
    (``known``, ``empty``), and ``removed``."""

    added: int = 0
    known: int = 0
    empty: int = 0
    removed: int = 0


class _Postings(Protocol):
    def read_slice(self, low: int, high: int) -> tuple[Keys, NDArray[np.int32]]: ...


def build_index(folder: Path, articles: Iterable[Article], lexicon: Lexicon) -> Written:
    """Make ``folder`` an index of these articles; an index that is there stays as it is until the new one is whole.

    Raises :class:`IndexRefusedError` where the folder holds anything else or no article holds a word,
    :class:`~unspun.index.manifest.IndexBusyError` while another process writes, OSError where nothing can be written.
    """
    if folder.exists() and not is_index(folder) and (not folder.is_dir() or not _is_left_over(folder)):
        raise IndexRefusedError(f"{folder}: is there already and is no index: name another folder")
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with hold_lock(folder):
            # Of an index that cannot be read here, nothing is touched before the new one is whole.
            with suppress(IndexDamagedError):
                clear_leftovers(folder, read_manifest(folder) if is_index(folder) else [])
            made, written = _write_segments(folder, articles, lexicon, ())
            if not made:
                raise IndexRefusedError(f"{folder}: nothing to put into it: none of the sources holds a readable text")
            write_manifest(folder, made)
            clear_leftovers(folder, made)
    except BaseException as error:
        if not is_index(folder) and not isinstance(error, IndexBusyError):
            with suppress(OSError):
                (folder / LOCK).unlink(missing_ok=True)
                folder.rmdir()
        raise
    return written


def add_articles(folder: Path, articles: Iterable[Article], lexicon: Lexicon) -> Written:
    """Add these articles to an index; those that are in it with the same id, source and words are passed over.

    Raises :class:`~unspun.index.segment.IndexDamagedError` when it cannot be used, and as :func:`build_index` does.
    """
    with _open_to_write(folder) as present:
        old = [dict(segment.about) for segment in present]
        clear_leftovers(folder, old)
        made, written = _write_segments(folder, articles, lexicon, present)
        write_manifest(folder, [*old, *made])
    return written


def remove_articles(folder: Path, identifiers: Iterable[str]) -> tuple[Written, list[str]]:
    """Take the references with these ids out of an index, and say which ids it does not hold.

    Their texts stay in its files until :func:`merge_index`.
    """
    with _open_to_write(folder) as present:
        gone: list[set[int]] = [set() for _ in present]
        missing = []
        for identifier in dict.fromkeys(identifiers):
            found = False
            for number, segment in enumerate(present):
                for document in segment.find_id(hash_string(identifier)):
                    if segment.read_row(document)["id"] == identifier:
                        gone[number].add(document)
                        found = True
            if not found:
                missing.append(identifier)
        changed = []
        for segment, documents in zip(present, gone, strict=True):
            about = dict(segment.about)
            if documents:
                before = [] if segment.removed is None else np.flatnonzero(segment.removed).tolist()
                about["removed"] = _write_removed(segment, sorted({*before, *documents}))
            changed.append(about)
        write_manifest(folder, changed)
        clear_leftovers(folder, changed)
    return Written(removed=sum(map(len, gone))), missing


def merge_index(folder: Path) -> None:
    """Rewrite an index as one segment without what was removed: smaller, and one look-up instead of many."""
    with _open_to_write(folder) as present:
        clear_leftovers(folder, [dict(segment.about) for segment in present])
        if not present:
            return
        path = name_segment(folder)
        try:
            made = [_merge_segments(path, present)]
        except BaseException:
            _discard(path)
            raise
        write_manifest(folder, made)
        clear_leftovers(folder, made)


@contextmanager
def _open_to_write(folder: Path) -> Iterator[list[Segment]]:
    """The segments of an index that is there, while no other process writes it."""
    # First of all, so that no lock is left in a folder of something else.
    read_manifest(folder)
    with hold_lock(folder):
        yield open_segments(folder)


def _is_left_over(folder: Path) -> bool:
    """Whether a folder is empty, or holds no more than a first build that was killed."""
    names = {path.name for path in folder.iterdir()}
    ours = all(name in (LOCK, f".{NAME}.tmp") or name.startswith(SEGMENT_NAME) for name in names)
    return not names or (ours and LOCK in names)


def _discard(path: Path) -> None:
    import shutil

    shutil.rmtree(path, ignore_errors=True)


def _write_removed(segment: Segment, documents: list[int]) -> dict[str, Any]:
    number = 1 + max((int(path.name.rpartition("-")[2]) for path in segment.folder.glob("removed-*")), default=0)
    name = f"removed-{number}"
    column = ColumnWriter(segment.folder, name, "<i4")
    column.write(np.array(documents, np.int32))
    about = {"file": name, **column.finish()}
    sync_folder(segment.folder)
    return about


def _write_segments(
    folder: Path, articles: Iterable[Article], lexicon: Lexicon, present: Sequence[Segment]
) -> tuple[list[dict[str, Any]], Written]:
    """New segments of these articles, as ``unspun-index.json`` tells of them."""
    maker, names = KeyMaker(lexicon), _Names(present)
    made, added, known, empty = list[dict[str, Any]](), 0, 0, 0
    paths = list[Path]()
    rest, more = iter(articles), True
    try:
        while more:
            paths.append(name_segment(folder))
            with ExitStack() as stack:
                writer = _SegmentWriter(paths[-1], maker, stack)
                for article in rest:
                    text = Text(article.text)
                    if not text.norms:
                        empty += 1
                        continue
                    copy = hash_words(text)
                    identity = hash_string(f"{article.id}\0{article.source}\0{copy}")
                    if names.know(identity):
                        known += 1
                        continue
                    writer.add(article, text, names.make_unique(article.id), copy, identity)
                    added += 1
                    if writer.count == SEGMENT:
                        break
                else:
                    more = False
                if writer.count:
                    made.append(writer.finish())
                    names.settle(map_column(paths[-1] / name, made[-1]["columns"][name]) for name in names.COLUMNS)
            if not writer.count:
                _discard(paths.pop())
    except BaseException:
        for path in paths:
            _discard(path)
        raise
    return made, Written(added, known, empty)


class _Names:
    """Which ids and identities are in the index, or in the segments being written."""

    COLUMNS: Final = ("ids", "identities")

    def __init__(self, present: Sequence[Segment]) -> None:
        # What was removed may come again.
        self._ids = [segment.ids for segment in present]
        self._identities = [_identify(segment) for segment in present]
        self._new_ids, self._new_identities = set[int](), set[int]()
        self._counts = Counter[str]()

    def know(self, identity: int) -> bool:
        """Whether an article of this id, source and words is there; from now on it is."""
        if identity in self._new_identities or _holds(self._identities, identity):
            return True
        self._new_identities.add(identity)
        return False

    def make_unique(self, identifier: str) -> str:
        """The id, or the next free ``id#2``, ``id#3``...: as :func:`unspun.readers.make_ids_unique` does."""
        name = identifier
        while True:
            hashed = hash_string(name)
            if hashed not in self._new_ids and not _holds(self._ids, hashed):
                self._new_ids.add(hashed)
                return name
            self._counts[identifier] = max(1, self._counts[identifier]) + 1
            name = f"{identifier}#{self._counts[identifier]}"

    def settle(self, columns: Iterable[Keys]) -> None:
        """From now on, ask the files of a segment that is written."""
        ids, identities = columns
        self._ids.append(ids)
        self._identities.append(identities)
        self._new_ids, self._new_identities = set(), set()


def _holds(columns: Iterable[Keys], hashed: int) -> bool:
    wanted = np.uint64(hashed)
    for column in columns:
        place = int(np.searchsorted(column, wanted))
        if place < len(column) and column[place] == wanted:
            return True
    return False


def _identify(segment: Segment) -> Keys:
    """The sorted identities of the references that were not removed."""
    if segment.removed is None:
        return segment.identities
    hashes, owners = segment.copies
    copies = np.zeros(segment.count, np.uint64)
    copies[owners] = hashes
    rows = ((segment.read_row(document), copies[document]) for document in np.flatnonzero(~segment.removed).tolist())
    found = [hash_string(f"{row.get('was', row['id'])}\0{row.get('source')}\0{copy}") for row, copy in rows]
    return np.sort(np.array(found, np.uint64))


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


class _SegmentWriter:
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
    bits = choose_bits(total)
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


def _merge_segments(folder: Path, present: Sequence[Segment]) -> dict[str, Any]:
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
    identities = [_identify(segment) for segment in present]
    return _finish_segment(
        folder, body, np.concatenate(sizes), columns, gather(s.named for s in present),
        gather(s.copies for s in present), np.concatenate(identities),
        [_Renumbered(segment, new) for segment, new in zip(present, numbers, strict=True)],
    )  # fmt: skip
