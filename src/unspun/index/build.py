"""Changing an index: new files first, then ``unspun-index.json`` in one step. A killed writer changes nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from unspun.article import Article
from unspun.index.keys import KeyMaker, Keys, hash_identity, hash_string, hash_words
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
    write_manifest,
)
from unspun.index.segment import IndexDamagedError, Segment, map_column
from unspun.index.segment_writer import SegmentWriter, merge_segments, write_removed
from unspun.lexicon import Lexicon
from unspun.text import Text

#: References of one segment at most: while it is written, 200 bytes of each are kept in memory.
SEGMENT: Final = 2_000_000


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
                about["removed"] = write_removed(segment, sorted({*before, *documents}))
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
            made = [merge_segments(path, present)]
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
                writer = SegmentWriter(paths[-1], maker, stack)
                for article in rest:
                    text = Text(article.text)
                    if not text.norms:
                        empty += 1
                        continue
                    copy = hash_words(text)
                    identity = hash_identity(article.id, article.source, copy)
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
        self._identities = [segment.identities for segment in present]
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
