"""Files and folders into articles: whatever cannot be read comes out as an Unreadable that says why.

Offsets of everything downstream count code points of the text made here, so nothing is normalised: line ends
stay as they are, only a byte order mark goes.
"""

from __future__ import annotations

import codecs
import gzip
import json
import logging
import os
import re
import stat
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from unspun.article import Article, Unreadable

#: Largest file, and largest line of a .jsonl, in bytes. A long novel is 3 MB: what is larger is no
#: article but a corpus or a mistake, and must not fill the memory.
MAX_BYTES: Final = 20_000_000

#: Most tags of a page: 30,000 elements, ten times a large one. trafilatura takes the square of their number where they
#: are siblings: of this many five seconds at worst, of four times as many more than a minute.
MAX_TAGS: Final = 60_000

TEXT_SUFFIXES: Final = (".txt", ".md")
HTML_SUFFIXES: Final = (".html", ".htm")
JSONL_SUFFIXES: Final = (".jsonl", ".jsonl.gz")
SUFFIXES: Final = TEXT_SUFFIXES + HTML_SUFFIXES + JSONL_SUFFIXES

#: Called with a file of a folder that is left alone, and with why.
Skipped = Callable[[Path, str], None]

#: First bytes of what people drop into text folders, with its name.
_MAGIC: Final = (
    (b"%PDF-", "PDF"),
    (b"PK\x03\x04", "ZIP or Office document"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "old Office document"),
    (b"{\\rtf", "RTF"),
    (b"\x1f\x8b", "gzip"),
    (b"BZh", "bzip2"),
    (b"\xfd7zXZ", "xz"),
    (b"\x28\xb5\x2f\xfd", "Zstandard"),
    (b"7z\xbc\xaf\x27\x1c", "7-Zip"),
    (b"\x89PNG", "PNG"),
    (b"\xff\xd8\xff", "JPEG"),
    (b"GIF8", "GIF"),
    (b"SQLite format 3\x00", "SQLite"),
)
#: UTF-32 first: its little-endian mark begins with that of UTF-16.
_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_CONTROLS: Final = bytes(set(range(32)) - set(b"\t\n\v\f\r\x1b")) + b"\x7f"
#: Share of control bytes from which bytes are no text: random bytes have 0.1, text practically none.
_MOST_CONTROLS: Final = 0.02
#: Share of bytes above 127 from which bytes are not Windows-1252 text: English has under 0.03, French 0.06.
_MOST_HIGH: Final = 0.3
#: English in UTF-16 has a NUL in every second byte, on one side only.
_UTF16_NULS: Final = (0.5, 0.05)
_SURROGATE: Final = re.compile("[\ud800-\udfff]")


class DecodingError(ValueError):
    """Bytes that are not text in an encoding known here; the message says what to do."""


def decode(data: bytes) -> str:
    """The text of a file's bytes, its byte order mark removed and nothing else changed.

    Knows UTF-8, UTF-16 and UTF-32 by their marks, UTF-8 and UTF-16 without, and Windows-1252. Raises
    :class:`DecodingError` for binary data and for text that is damaged: guessing would move offsets.
    """
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return _decode_strictly(data, encoding, len(mark))
    _reject_magic(data)
    if b"\0" in data:
        side = _utf16_side(data)
        if side is None:
            raise DecodingError("looks binary (holds NUL bytes): convert it to text first")
        return _decode_strictly(data, side, 0)
    if len(data.translate(None, _CONTROLS)) < len(data) * (1 - _MOST_CONTROLS):
        raise DecodingError("looks binary (many control characters): convert it to text first")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        return _decode_windows(data, error)


def _decode_strictly(data: bytes, encoding: str, skip: int) -> str:
    try:
        return data[skip:].decode(encoding)
    except UnicodeDecodeError as error:
        raise DecodingError(
            f"wrongly encoded: damaged {encoding.upper()} at byte {skip + error.start}: save it as UTF-8"
        ) from None


def _reject_magic(data: bytes) -> None:
    for magic, name in _MAGIC:
        if data.startswith(magic):
            raise DecodingError(f"looks binary ({name}): convert it to text first")


def _utf16_side(data: bytes) -> str | None:
    half = max(1, len(data) // 2)
    first, second = data[::2].count(0) / half, data[1::2].count(0) / half
    many, few = _UTF16_NULS
    if second >= many and first <= few:
        return "utf-16-le"
    if first >= many and second <= few:
        return "utf-16-be"
    return None


def _decode_windows(data: bytes, error: UnicodeDecodeError) -> str:
    """``data`` as Windows-1252, unless it is UTF-8 with a few bytes broken (``error`` is the first)."""
    lenient = data.decode("utf-8", "surrogateescape")
    broken = len(_SURROGATE.findall(lenient))
    whole = sum(char > "\x7f" for char in lenient) - broken
    # Windows-1252 prose hardly ever forms a whole multi-byte sequence by accident. The second case is a file
    # cut off inside its only one.
    cut_off = error.end == len(data) and error.end - error.start > 1
    if (whole and whole >= broken) or cut_off:
        raise DecodingError(f"wrongly encoded: damaged UTF-8 at byte {error.start}: get an undamaged copy")
    high = len(data) - len(data.translate(None, bytes(range(128, 256))))
    if high <= len(data) * _MOST_HIGH:
        try:
            return data.decode("cp1252")
        except UnicodeDecodeError:
            pass
    raise DecodingError(f"wrongly encoded: not UTF-8 (byte {error.start}) nor Windows-1252: save it as UTF-8")


def replace_surrogates(text: str) -> str:
    """``text`` with lone surrogates, which no file can hold, as U+FFFD: one for one, so offsets stay."""
    return _SURROGATE.sub("\ufffd", text)


def read_articles(paths: Iterable[Path], skipped: Skipped | None = None) -> Iterator[Article | Unreadable]:
    """The articles of files and folders, in the order given; folders recursively, sorted by name.

    .txt and .md are read as they stand, .html and .htm give their main text (needs ``unspun[html]``), .jsonl
    and .jsonl.gz one article a line (``text``, optionally ``id``, ``url``, ``title``, ``date``, ``language``),
    streamed. Another file is read as text when named itself; inside a folder it is left alone and told to ``skipped``.
    Hidden files are ignored.

    Ids: the path relative to its folder, the name of a single file, the record's id or ``file:line``. Two
    folders can give the same id twice; ``source`` (path, ``path:line`` or URL) tells them apart (see
    :func:`make_ids_unique`).
    """
    for path in paths:
        try:
            is_folder = stat.S_ISDIR(path.stat().st_mode)
        except OSError as error:
            yield _unreadable(path.name, path, _explain(error))
            continue
        if is_folder:
            yield from _read_folder(path, skipped)
        else:
            yield from _read_file(path, path.name)


def make_ids_unique(articles: Iterable[Article]) -> Iterator[Article]:
    """The articles, those whose id came before renamed ``id#2``, ``id#3``...: references are found by id."""
    seen = set[str]()
    counts = dict[str, int]()
    for article in articles:
        name = article.id
        while name in seen:
            counts[article.id] = counts.get(article.id, 1) + 1
            name = f"{article.id}#{counts[article.id]}"
        seen.add(name)
        yield article if name == article.id else replace(article, id=name)


def _read_folder(folder: Path, skipped: Skipped | None) -> Iterator[Article | Unreadable]:
    for item in list_folder(folder, SUFFIXES, skipped):
        yield from (item,) if isinstance(item, Unreadable) else _read_file(item, item.relative_to(folder).as_posix())


def list_folder(folder: Path, suffixes: tuple[str, ...], skipped: Skipped | None) -> Iterator[Path | Unreadable]:
    """The files below a folder that end so, in order of name; hidden ones are left alone, and ``skipped`` is told of
    the others. What cannot be read, and a folder that holds none, comes out as an Unreadable."""
    found, left = 0, 0
    for item in _walk(folder, (), skipped):
        if isinstance(item, Unreadable):
            found += 1
            yield item
        elif item.name.lower().endswith(suffixes):
            found += 1
            if item.exists() and not item.is_file():
                # Opening a pipe that nobody writes to would wait for ever.
                name = item.relative_to(folder).as_posix()
                yield _unreadable(name, item, "not a regular file: name it itself to read it")
            else:
                yield item
        else:
            left += 1
            if skipped:
                skipped(item, "other suffix")
    if not found:
        others = f" ({left} other left alone)" if left else ""
        error = f"folder without any {' '.join(suffixes)} file{others}: name another"
        yield _unreadable(folder.name or str(folder), folder, error)


def _walk(folder: Path, around: tuple[tuple[int, int], ...], skipped: Skipped | None) -> Iterator[Path | Unreadable]:
    """Files below ``folder`` in order of name; ``around``: device and inode of the folders that hold it."""
    try:
        status = folder.stat()
        identity = status.st_dev, status.st_ino
        if identity in around:
            if skipped:
                skipped(folder, "link back to a folder around it")
            return
        names = sorted(entry.name for entry in folder.iterdir())
    except OSError as error:
        yield _unreadable(folder.name, folder, _explain(error))
        return
    for name in names:
        if name.startswith("."):
            continue
        path = folder / name
        if path.is_dir():
            yield from _walk(path, (*around, identity), skipped)
        else:
            yield path


def _read_file(path: Path, name: str) -> Iterator[Article | Unreadable]:
    """The articles of one file that is known by ``name``."""
    try:
        if path.name.lower().endswith(JSONL_SUFFIXES):
            yield from _read_lines(path, name)
        else:
            yield _read_whole(path, name)
    except DecodingError as error:
        yield _unreadable(name, path, str(error))
    except OSError as error:
        yield _unreadable(name, path, _explain(error))


def _read_whole(path: Path, name: str) -> Article | Unreadable:
    with path.open("rb") as file:
        # A pipe has no size: the bounded read catches it.
        too_large = os.fstat(file.fileno()).st_size > MAX_BYTES
        data = b"" if too_large else file.read(MAX_BYTES + 1)
    if too_large or len(data) > MAX_BYTES:
        return _unreadable(name, path, f"larger than {MAX_BYTES // 1_000_000} MB: split it into articles")
    page = text = decode(data)
    title = date = None
    if path.name.lower().endswith(HTML_SUFFIXES) and text.strip():
        try:
            text, title, date = extract_main_text(text)
        except ImportError as error:
            missing = str(error).splitlines()[0]
            return _unreadable(name, path, f"HTML needs another package ({missing}): pip install 'unspun[html]'")
        if not text.strip():
            why = f"page of more than {MAX_TAGS:,} tags" if _is_tangled(page) else "no main text found in the page"
            return _unreadable(name, path, f"{why}: save the article's text as .txt")
    if not text.strip():
        return _unreadable(name, path, "empty: nothing to score")
    return Article(_spell(name), replace_surrogates(text), _spell(str(path)), title, date)


def extract_main_text(page: str) -> tuple[str, str | None, str | None]:
    """Main text (empty: none found, or of more than :data:`MAX_TAGS`), title and date of an HTML page. Raises
    ImportError without trafilatura."""
    import trafilatura

    if _is_tangled(page):
        return "", None, None
    # It logs what it discards; that is told here in an Unreadable.
    logging.getLogger("trafilatura").setLevel(logging.CRITICAL)
    try:
        # A date is taken from where pages give it; one guessed from a year in the text would shut references out.
        found = trafilatura.bare_extraction(
            page, include_comments=False, with_metadata=True, date_extraction_params={"extensive_search": False}
        )
    except Exception:
        # Hostile markup can break lxml anywhere; one page must not end the run.
        return "", None, None
    text, title, date = (getattr(found, name, None) for name in ("text", "title", "date"))
    return text or "", replace_surrogates(title) if title else None, replace_surrogates(date) if date else None


def _is_tangled(page: str) -> bool:
    return page.count("<") > MAX_TAGS


def _read_lines(path: Path, name: str) -> Iterator[Article | Unreadable]:
    def refuse(number: int, error: str) -> Unreadable:
        return _unreadable(f"{name}:{number}", f"{path}:{number}", error)

    number, found = 0, False
    packed = path.name.lower().endswith(".gz")
    with gzip.open(path) if packed else path.open("rb") as file:
        try:
            while line := file.readline(MAX_BYTES + 1):
                number += 1
                if number == 1:
                    _reject_magic(line)
                    if line.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
                        raise DecodingError("wrongly encoded: JSON lines in UTF-16: save it as UTF-8")
                    line = line.removeprefix(codecs.BOM_UTF8)
                if len(line) > MAX_BYTES:
                    found = True
                    yield refuse(number, f"line larger than {MAX_BYTES // 1_000_000} MB: split it")
                    while line and not line.endswith(b"\n"):
                        line = file.readline(MAX_BYTES)
                elif line.strip():
                    found = True
                    yield _read_record(line, f"{name}:{number}", f"{path}:{number}")
        except (EOFError, zlib.error, gzip.BadGzipFile):
            yield refuse(number + 1, "gzip is damaged or cut off here: get an undamaged copy")
            return
    if not found:
        yield _unreadable(name, path, "empty: nothing to score")


def _read_record(line: bytes, name: str, place: str) -> Article | Unreadable:
    """The article of one JSON line; ``name`` and ``place`` say which line of which file it is."""

    def refuse(error: str) -> Unreadable:
        return _unreadable(name, place, error)

    try:
        record: Any = json.loads(line.decode("utf-8"))
    except UnicodeDecodeError as error:
        return refuse(f"wrongly encoded: damaged UTF-8 at byte {error.start} of the line: save it as UTF-8")
    except (ValueError, RecursionError) as error:
        return refuse(f"broken JSON ({error}): write one object a line")
    if not isinstance(record, dict) or not isinstance(record.get("text"), str):
        return refuse('no string "text" in the record: name the article\'s text "text"')
    if not record["text"].strip():
        return refuse("empty: nothing to score")

    def find(name: str) -> str | None:
        value = record.get(name)
        return replace_surrogates(value) if isinstance(value, str) and value else None

    given = record.get("id")
    if isinstance(given, int) and not isinstance(given, bool):
        given = str(given)
    return Article(
        id=replace_surrogates(given) if isinstance(given, str) and given else _spell(name),
        text=replace_surrogates(record["text"]),
        source=find("url") or _spell(place),
        title=find("title"),
        date=find("date"),
        language=find("language"),
    )


def _spell(path: str) -> str:
    """A path that can be printed: bytes of it that are no UTF-8 are spelled out, so two stay two."""
    return path.encode("utf-8", "backslashreplace").decode("utf-8")


def _unreadable(name: str, source: Path | str, error: str) -> Unreadable:
    return Unreadable(_spell(name), _spell(str(source)), error)


def _explain(error: OSError) -> str:
    if isinstance(error, FileNotFoundError):
        return "no such file or folder: check the path"
    if isinstance(error, PermissionError):
        return "may not be read: grant read permission"
    return f"{error.strerror or error}: check the file"
