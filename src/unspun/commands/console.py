"""What all commands do alike: they speak on stderr, show how far they are, write an output whole or not at all, and end
with a status that tells why."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final, NoReturn, TextIO, TypeVar

import typer

if TYPE_CHECKING:
    from rich.progress import Progress

FLAGGED: Final = 1
USAGE: Final = 2
UNREADABLE: Final = 3
BROKEN: Final = 70
INTERRUPTED: Final = 130
TERMINATED: Final = 143
PIPE_CLOSED: Final = 141

#: Seconds of work after which a progress line appears: who waits less needs none.
_PATIENCE: Final = 2.0
NAMED: Final = 5

T = TypeVar("T")


def refuse(message: str) -> NoReturn:
    say(message)
    raise typer.Exit(USAGE)


def say(message: str) -> None:
    from unspun.reporters.visible import make_visible

    # A file's name can hold anything, also what steers a terminal.
    sys.stderr.write(f"unspun: {make_visible(message)}\n")


def give_up_writing(error: OSError, place: Path | None = None) -> NoReturn:
    """``place``: what is written, where the error does not name it."""
    where = error.filename or place
    say(f"{f'{where}: ' if where else ''}cannot be written ({error.strerror}); make room, or name another place")
    raise typer.Exit(BROKEN) from None


class Leftovers:
    """Files of folders that were left alone, told in one line a reason."""

    def __init__(self) -> None:
        self._names: dict[str, list[str]] = {}

    def add(self, path: Path, why: str) -> None:
        self._names.setdefault(why, []).append(path.name)

    def tell(self) -> None:
        for why, names in self._names.items():
            more = f", and {len(names) - NAMED} more" if len(names) > NAMED else ""
            say(f"left alone, {why} ({len(names)}): {', '.join(names[:NAMED])}{more}")


class Meter:
    """A progress line on stderr, once the work has taken longer than anybody waits gladly."""

    def __init__(self, what: str, quiet: bool = False) -> None:
        self._what = what
        self._shown = not quiet and sys.stderr.isatty()
        self._began = time.monotonic()
        self._progress: Progress | None = None

    def __enter__(self) -> Meter:
        return self

    def __exit__(self, *_: object) -> None:
        if self._progress:
            self._progress.stop()

    def count(self, items: Iterable[T]) -> Iterator[T]:
        for number, item in enumerate(items, 1):
            if self._shown:
                self._show(number)
            yield item

    def _show(self, number: int) -> None:
        if self._progress is None and time.monotonic() - self._began > _PATIENCE:
            from rich.console import Console
            from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

            columns = (SpinnerColumn(), TextColumn("{task.completed} {task.description}"), TimeElapsedColumn())
            self._progress = Progress(*columns, console=Console(stderr=True), transient=True, redirect_stdout=False)
            self._progress.add_task(self._what, total=None)
            self._progress.start()
        if self._progress:
            self._progress.update(self._progress.task_ids[0], completed=number)


@contextmanager
def open_text(out: Path | None) -> Iterator[TextIO]:
    """Stdout, or a stream that becomes the file ``out`` once all is written: it is never left half."""
    if out is None:
        # Whatever the locale says, data is UTF-8; a surrogate that got this far must not end the run.
        reconfigure = getattr(sys.stdout, "reconfigure", None)
        if reconfigure:
            reconfigure(encoding="utf-8", errors="replace", newline="\n")
        yield sys.stdout
        sys.stdout.flush()
        return
    if out.is_dir():
        refuse(f"--out {out}: is a folder; name a file")
    # A device or pipe cannot be replaced; a link stays and its target is.
    target = out.resolve()
    direct = out.exists() and not out.is_file()
    written = out if direct else target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        stream = written.open("w", encoding="utf-8", errors="replace", newline="\n")
    except OSError as error:
        refuse(f"--out {out}: cannot be written ({error.strerror}); name a file in a folder that can")
    try:
        with stream:
            yield stream
        if not direct:
            written.replace(target)
    except BaseException:
        if not direct:
            with suppress(OSError):
                written.unlink()
        raise


@contextmanager
def open_bytes(out: Path | None) -> Iterator[IO[bytes]]:
    """As :func:`open_text`, for bytes."""
    if out is None:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
    else:
        with open_text(out) as stream:
            yield stream.buffer


class _Terminated(KeyboardInterrupt):
    """SIGTERM, to be taken as calmly as Ctrl-C."""


def _terminate(*_: object) -> NoReturn:
    raise _Terminated


@contextmanager
def heed_sigterm() -> Iterator[None]:
    """SIGTERM is a :class:`_Terminated` inside, and again what it was outside: forked processes inherit it."""
    before = signal.signal(signal.SIGTERM, _terminate)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def calm_exit() -> Iterator[None]:
    """Ends the command quietly when it is interrupted, or when nobody reads its output any more."""
    try:
        yield
        sys.stdout.flush()
    except KeyboardInterrupt as stop:
        say("terminated" if isinstance(stop, _Terminated) else "interrupted")
        raise typer.Exit(TERMINATED if isinstance(stop, _Terminated) else INTERRUPTED) from None
    except ValueError as error:
        from unspun.index.segment import IndexDamagedError

        # An index is not read whole when it is opened: damage shows where it is looked at.
        if isinstance(error, IndexDamagedError):
            refuse(str(error))
        raise
    except BrokenPipeError:
        # Python would flush once more as it ends, and complain.
        with suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit(PIPE_CLOSED) from None


@contextmanager
def guard_index(index: Path) -> Iterator[None]:
    """Ends the command with a message when the index cannot be used or written, quietly when it is interrupted."""
    from unspun.index.build import IndexRefusedError
    from unspun.index.manifest import IndexBusyError

    try:
        with calm_exit(), heed_sigterm():
            yield
    except (IndexRefusedError, IndexBusyError) as error:
        refuse(str(error))
    except OSError as error:
        give_up_writing(error, index)


def open_model(model: Path | None, load: Callable[[], T]) -> T:
    """What ``load`` gives; wrong usage where the model cannot be used."""
    from unspun.memory import return_memory

    return_memory()
    try:
        return load()
    except (OSError, ValueError) as error:
        refuse(f"--model {model}: {error}" if model else f"the shipped model cannot be used: {error}")
