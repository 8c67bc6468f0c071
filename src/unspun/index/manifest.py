"""``unspun-index.json``: what says which files are the index. It is replaced in one step, so readers need no lock."""

from __future__ import annotations

import json
import os
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

from unspun import __version__
from unspun.index.keys import KEYS
from unspun.index.segment import IndexDamagedError, Segment, check_name

#: Raised when the files change: an older unspun refuses a newer index instead of misreading it.
FORMAT: Final = 2
NAME: Final = "unspun-index.json"
LOCK: Final = "lock"
SEGMENT_NAME: Final = "segment-"
#: Times that a reader begins again because a writer replaced the index between two of its files.
_ATTEMPTS: Final = 5


class IndexBusyError(OSError):
    """Another process is writing the index."""


def is_index(path: Path) -> bool:
    """Whether a folder is an index, damaged or not."""
    return (path / NAME).is_file()


def read_manifest(folder: Path) -> list[dict[str, Any]]:
    """What is said of each segment; raises :class:`IndexDamagedError` when it cannot be used here."""
    path = folder / NAME
    try:
        content = json.loads(path.read_bytes())
        number, checksum = content["format"], content["checksum"]
        if isinstance(number, int) and number > FORMAT:
            raise IndexDamagedError(
                f"{path}: index format {number}, this unspun reads {FORMAT}: install a newer unspun "
                f"(the index was written by {content.get('written_by', 'one')}), or build the index anew"
            )
        if isinstance(number, int) and number < FORMAT:
            raise IndexDamagedError(f"{path}: index format {number} of an older unspun: build the index anew")
        if checksum != _sum(content) or number != FORMAT:
            raise IndexDamagedError(f"{path}: damaged (its checksum differs): build the index anew")
        keys, segments = content["keys"], list(content["segments"])
    except FileNotFoundError:
        raise IndexDamagedError(f"{folder}: is no index (it holds no {NAME}): unspun index build makes one") from None
    except IndexDamagedError:
        raise
    except OSError as error:
        raise IndexDamagedError(f"{path}: cannot be read ({error.strerror}); check the file") from None
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise IndexDamagedError(f"{path}: not an index of unspun, or damaged ({error}): build the index anew") from None
    if keys != KEYS:
        raise IndexDamagedError(f"{path}: holds keys {keys}, this unspun looks for {KEYS}: build the index anew")
    return segments


def write_manifest(folder: Path, segments: list[dict[str, Any]]) -> None:
    """Make these segments the index, in one step."""
    content: dict[str, Any] = {
        "format": FORMAT, "keys": KEYS, "written_by": f"unspun {__version__}", "segments": segments,
    }  # fmt: skip
    content["checksum"] = _sum(content)
    written = folder / f".{NAME}.tmp"
    with written.open("w", encoding="utf-8") as file:
        json.dump(content, file)
        file.flush()
        os.fsync(file.fileno())
    sync_folder(folder)
    written.replace(folder / NAME)
    sync_folder(folder)


def _sum(content: Mapping[str, Any]) -> int:
    """A checksum of all but the checksum."""
    rest = {name: value for name, value in content.items() if name != "checksum"}
    return zlib.crc32(json.dumps(rest, sort_keys=True).encode())


def open_segments(folder: Path) -> list[Segment]:
    """The segments of an index; raises :class:`IndexDamagedError` when it cannot be used."""
    for attempt in range(_ATTEMPTS):
        said = read_manifest(folder)
        try:
            return [Segment(folder / check_name(about["name"]), about) for about in said]
        except FileNotFoundError as error:
            # A writer may have replaced the index meanwhile; where it has not, the file is missing.
            if attempt + 1 == _ATTEMPTS or read_manifest(folder) == said:
                raise IndexDamagedError(f"{error.filename}: is missing: build the index anew") from None
        except IndexDamagedError:
            raise
        except OSError as error:
            where = error.filename or folder
            raise IndexDamagedError(f"{where}: cannot be read ({error.strerror}); check the file") from None
        except (ValueError, KeyError, TypeError, IndexError, OverflowError, MemoryError, AttributeError) as error:
            raise IndexDamagedError(f"{folder}: damaged ({error}): build the index anew") from None
    raise IndexDamagedError(f"{folder}: is being replaced over and over: try again")


def sync_folder(folder: Path) -> None:
    """Names are on the disk too; systems that cannot open a folder keep them safe by themselves."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


@contextmanager
def hold_lock(folder: Path) -> Iterator[None]:
    """Keeps other writers out; a killed process holds nothing. Raises :class:`IndexBusyError`."""
    try:
        import fcntl
    except ImportError:
        # Windows: two writers at once are not told apart there.
        yield
        return
    with (folder / LOCK).open("ab") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise IndexBusyError(f"{folder}: another process is writing this index; wait until it is done") from None
        yield


def name_segment(folder: Path) -> Path:
    """A folder for a new segment, made."""
    numbers = [int(path.name.removeprefix(SEGMENT_NAME)) for path in _list_segments(folder)]
    path = folder / f"{SEGMENT_NAME}{max(numbers, default=0) + 1:06}"
    path.mkdir()
    return path


def clear_leftovers(folder: Path, segments: list[dict[str, Any]]) -> None:
    """Delete what belongs to none of these segments: a killed writer's files, and segments that were replaced.

    Who reads the index just now keeps what it has open.
    """
    import shutil

    kept = {str(about["name"]): about for about in segments}
    for path in _list_segments(folder):
        if path.name not in kept:
            shutil.rmtree(path, ignore_errors=True)
            continue
        current = kept[path.name]["removed"]
        for old in path.glob("removed-*"):
            if current is None or old.name != current["file"]:
                old.unlink(missing_ok=True)


def _list_segments(folder: Path) -> list[Path]:
    return [path for path in folder.glob(f"{SEGMENT_NAME}*") if path.name.removeprefix(SEGMENT_NAME).isdigit()]
