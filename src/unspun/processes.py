"""How worker processes are started and kept busy, wherever work is shared."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import suppress
from itertools import islice
from multiprocessing.context import BaseContext
from typing import Any, Final, TypeVar

from unspun.memory import return_memory

#: Items that a worker takes at once: large enough to make sending them cheap, small enough to share work.
CHUNK: Final = 16

T = TypeVar("T")
R = TypeVar("R")


def choose_context() -> BaseContext:
    """Forking where the system can: workers then share what is loaded; elsewhere they are sent it."""
    return multiprocessing.get_context("fork" if "fork" in multiprocessing.get_all_start_methods() else "spawn")


def obey_parent(interrupt: signal.Handlers = signal.SIG_IGN) -> None:
    """What a worker begins with: SIGTERM ends it, whatever the parent makes of that, and so does the end of the parent.

    ``interrupt``: what becomes of Ctrl-C, which a terminal sends to the workers too; by default the parent sees to it.
    """
    return_memory()
    signal.signal(signal.SIGINT, interrupt)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    threading.Thread(target=_leave_with_parent, daemon=True).start()


def _leave_with_parent() -> None:
    """A parent that was killed can stop nobody any more, and its pipes stay open until all workers have gone."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    # Either can miss its end: Windows goes on giving the number of a parent that is gone, and workers that were forked
    # from the same one hold open what would tell of it.
    while os.getppid() == parent.pid and parent.is_alive():
        parent.join(1)
    os._exit(1)


def share_work(
    items: Iterable[T],
    work: Callable[[list[T]], list[R]],
    workers: int,
    start: Callable[..., None],
    given: tuple[Any, ...],
) -> Iterator[R]:
    """What ``work`` makes of the items, in their order, in so many processes that begin with ``start(*given)``.

    Items are read no further ahead than the workers need.
    """
    rest = iter(items)
    pool = ProcessPoolExecutor(workers, choose_context(), _start_worker, (start, given))
    try:
        waiting = deque[Future[list[R]]]()
        while chunk := list(islice(rest, CHUNK)):
            waiting.append(pool.submit(work, chunk))
            if len(waiting) > 2 * workers:
                yield from waiting.popleft().result()
        while waiting:
            yield from waiting.popleft().result()
    finally:
        # Cancelled by the pool, not here: it stumbles over a future that was cancelled as a worker died. Where workers
        # were interrupted its own thread may have closed their pipes already (seen with Python 3.13).
        with suppress(OSError):
            pool.shutdown(cancel_futures=True)


def _start_worker(start: Callable[..., None], given: tuple[Any, ...]) -> None:
    # Without a word: the parent says that it was interrupted.
    obey_parent(signal.SIG_DFL)
    start(*given)
