"""Files of records as lines of JSON, in order: JSON lines (packed or not), parquet, WARC and WET, folders of these.

Of a file that cannot be read (further) the caller is told, and the next one follows. Lines too large to score come in
parts, so that they pass without being held whole.
"""

from __future__ import annotations

import codecs
import gzip
import json
import os
import zlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final, cast

from unspun.article import Unreadable
from unspun.readers import MAX_BYTES, Skipped, decode, extract_main_text, list_folder

if TYPE_CHECKING:
    import pyarrow

LINES: Final = (".jsonl", ".jsonl.gz", ".jsonl.zst")
PARQUET: Final = ".parquet"
ARCHIVES: Final = (".warc", ".warc.gz", ".wet", ".wet.gz")
#: What is read of a folder; a file that is named is read as lines whatever its suffix.
SUFFIXES: Final = (*LINES, PARQUET, *ARCHIVES)

_BLOCK: Final = 1 << 16
#: Bytes of a :class:`Rest`, about.
_PART: Final = 1 << 20
#: A block of packed bytes can be four thousand times as long unpacked.
_PACKED_BLOCK: Final = 1 << 12
#: Rows of a parquet file that are read at once.
ROWS: Final = 256

#: Called with what is wrong with a file.
Tell = Callable[[str], None]


class Rest(bytes):
    """More of a line that is too large to score: it goes where the line's beginning went."""


class Page(bytes):
    """A line whose record has ``html`` in place of a text: who scores it extracts the text, too."""


def list_files(paths: Iterable[Path], skipped: Skipped | None = None) -> list[Path]:
    """The files, and those of :data:`SUFFIXES` below the folders, in order of name; ``skipped`` is told of the others.

    Raises ValueError naming a path that is neither or cannot be read, or a folder that holds none.
    """
    files = list[Path]()
    for path in paths:
        if not path.is_file() and not path.is_dir():
            raise ValueError(f"{path}: no such file or folder")
        for item in list_folder(path, SUFFIXES, skipped) if path.is_dir() else (path,):
            if isinstance(item, Unreadable):
                raise ValueError(f"{item.source}: {item.error}")
            files.append(item)
    return files


def read_lines(paths: Iterable[Path], tell: Tell) -> Iterator[bytes]:
    """The records of the files, a line each; a file's last line gets an end if it has none."""
    for path in paths:
        try:
            yield from _choose_reader(path)(path, tell)
        except (EOFError, zlib.error, gzip.BadGzipFile):
            packed = "Zstandard" if path.suffix.lower() == ".zst" else "gzip"
            tell(f"{path}: {packed} is damaged or cut off: get an undamaged copy")
        except OSError as error:
            tell(f"{path}: cannot be read ({error.strerror or error}): check the file")
        except ModuleNotFoundError as error:
            extra = "warc" if path.name.lower().endswith(ARCHIVES) else "files"
            tell(f"{path}: needs another package ({error.name}): pip install 'unspun[{extra}]'")


def _choose_reader(path: Path) -> Callable[[Path, Tell], Iterator[bytes]]:
    name = path.name.lower()
    if name.endswith(PARQUET):
        return _read_parquet
    return _read_archive if name.endswith(ARCHIVES) else _read_text


def read_stream(stream: IO[bytes]) -> Iterator[bytes]:
    """The lines of a stream as they come.

    Read by its descriptor: a thread that waits inside Python's buffer at the end of the program aborts it.
    """
    try:
        descriptor = stream.fileno()
    except OSError:
        return split_lines(iter(lambda: stream.read(_BLOCK), b""))
    return split_lines(iter(lambda: os.read(descriptor, _BLOCK), b""))


def split_lines(blocks: Iterable[bytes], end: bytes = b"") -> Iterator[bytes]:
    """The lines of the blocks with their ends, the last one with ``end`` if it has none; what follows the first
    MAX_BYTES of a line comes as :class:`Rest`."""
    held, size = list[bytes](), 0
    kind: type[bytes] = bytes
    for block in blocks:
        *lines, last = block.split(b"\n")
        for line in lines:
            yield kind(b"".join([*held, line, b"\n"]))
            held, size, kind = [], 0, bytes
        held.append(last)
        size += len(last)
        if size > (MAX_BYTES if kind is bytes else _PART):
            yield kind(b"".join(held))
            held, size, kind = [], 0, Rest
    if size or kind is Rest:
        yield kind(b"".join([*held, end]))


def _read_text(path: Path, tell: Tell) -> Iterator[bytes]:
    with _open(path) as file:
        is_zstd = path.suffix.lower() == ".zst"
        yield from split_lines(_unpack_zstd(file) if is_zstd else iter(lambda: file.read(_BLOCK), b""), b"\n")


def _open(path: Path) -> IO[bytes]:
    return cast(IO[bytes], gzip.open(path)) if path.name.lower().endswith(".gz") else path.open("rb")


def _unpack_zstd(file: IO[bytes]) -> Iterator[bytes]:
    """The unpacked blocks of a file of one or more Zstandard frames. Raises EOFError where it is damaged or cut off."""
    import zstandard

    unpacker, whole = zstandard.ZstdDecompressor().decompressobj(), True
    try:
        while block := file.read(_PACKED_BLOCK):
            while block:
                yield unpacker.decompress(block)
                block, whole = unpacker.unused_data, unpacker.eof
                if whole:
                    unpacker = zstandard.ZstdDecompressor().decompressobj()
    except zstandard.ZstdError:
        whole = False
    if not whole:
        raise EOFError


def _read_parquet(path: Path, tell: Tell) -> Iterator[bytes]:
    odd = set[str]()
    for batch in read_batches(path, tell):
        for row in _list_rows(batch, odd):
            yield json.dumps(row, ensure_ascii=False, default=_spell).encode("utf-8", "surrogatepass") + b"\n"
    if odd:
        names = ", ".join(map(repr, sorted(odd)))
        tell(f"{path}: values of {names} are damaged (null in their place): get an undamaged copy")


def _list_rows(batch: pyarrow.RecordBatch, odd: set[str]) -> list[dict[str, Any]]:
    """The rows of a batch. What Python has no value for (text that is no UTF-8, a year beyond 9999) comes as bytes or
    numbers; the names of columns of which even that cannot be had are added to ``odd``, and null stands there."""
    import pyarrow

    unreadable = ValueError, OverflowError, pyarrow.ArrowException
    try:
        rows: list[dict[str, Any]] = batch.to_pylist()
        return rows
    except unreadable:
        pass
    columns = dict[str, list[Any]]()
    for name, column in zip(batch.schema.names, batch.columns, strict=True):
        try:
            columns[name] = column.to_pylist()
        except unreadable:
            try:
                columns[name] = column.cast(_choose_plain(column.type), safe=False).to_pylist()
            except unreadable:
                columns[name] = [None] * len(batch)
                odd.add(name)
    return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]


def _choose_plain(kind: pyarrow.DataType) -> pyarrow.DataType:
    """The type whose values are the same bytes or numbers, without a meaning that can be wrong."""
    import pyarrow
    from pyarrow import types

    if types.is_string(kind):
        return pyarrow.binary()
    if types.is_large_string(kind):
        return pyarrow.large_binary()
    if types.is_temporal(kind):
        return pyarrow.int32() if kind.bit_width == 32 else pyarrow.int64()
    if types.is_list(kind):
        return pyarrow.list_(_choose_plain(kind.value_type))
    if types.is_struct(kind):
        return pyarrow.struct([(part.name, _choose_plain(part.type)) for part in kind])
    return kind


def read_batches(path: Path, tell: Tell) -> Iterator[pyarrow.RecordBatch]:
    """The rows of a parquet file, :data:`ROWS` at once."""
    import pyarrow
    from pyarrow import parquet

    try:
        with parquet.ParquetFile(path) as file:
            yield from file.iter_batches(ROWS)
    except (pyarrow.ArrowException, OSError, UnicodeDecodeError) as error:
        tell(f"{path}: parquet is damaged or cut off ({str(error).splitlines()[0]}): get an undamaged copy")


def read_schema(path: Path) -> pyarrow.Schema:
    """The columns of a parquet file. Raises ValueError, which names it, where it is none."""
    import pyarrow
    from pyarrow import parquet

    try:
        return parquet.read_schema(path)
    except (pyarrow.ArrowException, UnicodeDecodeError) as error:
        raise ValueError(f"{path}: no parquet file ({str(error).splitlines()[0]})") from None


def _spell(value: Any) -> str:
    """What JSON has no word for: bytes as text, times and the like as they print."""
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _read_archive(path: Path, tell: Tell) -> Iterator[bytes]:
    """The texts and pages of a WARC or WET file; its other records (requests, images, ...) are no articles."""
    from warcio.archiveiterator import ArchiveIterator
    from warcio.exceptions import ArchiveLoadFailed

    with _open(path) as file:
        # Unpacked here: warcio takes a cut-off gzip for a whole one.
        whole = _CutOffNoted(file)
        try:
            for record in ArchiveIterator(whole):
                found = _read_record(record)
                if found:
                    yield found
        except (ArchiveLoadFailed, _CutOffError, AttributeError):
            # The last is what warcio raises at half a header.
            whole.is_cut_off = True
        # A record ends with two line ends.
        if whole.is_cut_off or not whole.tail.endswith((b"\r\n\r\n", b"\n\n")):
            tell(f"{path}: the archive is damaged or cut off: get an undamaged copy")


class _CutOffError(Exception):
    """An archive ends within a record."""


class _CutOffNoted:
    """A file that ends where its gzip is cut off or damaged, and knows it."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.is_cut_off, self.tail = False, b""

    def read(self, size: int = -1) -> bytes:
        try:
            found = self._file.read(size)
        except (EOFError, zlib.error, gzip.BadGzipFile):
            self.is_cut_off = True
            return b""
        self.tail = (self.tail + found)[-4:]
        return found


def _read_record(record: Any) -> bytes | None:
    """The line of a WARC record, None where it holds neither text nor a page.

    Raises _CutOffError where the archive ends within it.
    """
    headers = record.rec_headers
    if not headers.get_header("Content-Length"):
        raise _CutOffError
    described = (record.http_headers or headers).get_header("Content-Type", "")
    kind = described.split(";")[0].strip().lower()
    is_text = record.rec_type == "conversion" or (record.rec_type == "resource" and kind == "text/plain")
    is_page = record.rec_type in ("response", "resource") and kind in ("text/html", "application/xhtml+xml")
    if not (is_text or is_page):
        return None
    # A byte too many tells that there is more.
    content = record.content_stream().read(MAX_BYTES + 1)
    too_large = len(content) > MAX_BYTES
    if record.raw_stream.limit and not too_large:
        raise _CutOffError
    fields = {
        "id": headers.get_header("WARC-Record-ID"),
        "url": headers.get_header("WARC-Target-URI"),
        "date": headers.get_header("WARC-Date"),
        "html" if is_page else "text": None if too_large else _decode(content, described),
    }
    line = json.dumps(fields).encode() + b"\n"
    return Page(line) if is_page else line


#: Codecs of Python's that no page is in. Decoding Punycode takes the square of the length.
_NO_CHARSETS: Final = frozenset(("punycode", "idna", "unicode-escape", "raw-unicode-escape", "undefined"))


def _decode(content: bytes, described: str) -> str:
    """As the content's type says, or as it looks; bytes that are no text are replaced."""
    _, _, charset = described.lower().partition("charset=")
    charset = charset.split(";")[0].strip(" \"'")
    try:
        return (
            content.decode(charset) if charset and codecs.lookup(charset).name not in _NO_CHARSETS else decode(content)
        )
    except (LookupError, ValueError):
        return content.decode("utf-8", "replace")


def extract_page(line: bytes) -> bytes:
    """The line of a :class:`Page` with ``title`` and ``text`` in place of ``html``."""
    record = json.loads(line)
    page = record.pop("html")
    text, title, _ = extract_main_text(page) if page else (None, None, None)
    return json.dumps(record | {"title": title, "text": text}, ensure_ascii=False).encode() + b"\n"
