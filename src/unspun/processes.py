"""How worker processes are started and kept busy, wherever work is shared."""

from __future__ import annotations

import multiprocessing
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from itertools import islice
from multiprocessing.context import BaseContext
from typing import Any, Final, TypeVar

#: Items that a worker takes at once: large enough to make sending them cheap, small enough to share work.
CHUNK: Final = 16

T = TypeVar("T")
R = TypeVar("R")


def choose_context() -> BaseContext:
    """Forking where the system can: workers then share what is loaded; elsewhere they are sent it."""
    return multiprocessing.get_context("fork" if "fork" in multiprocessing.get_all_start_methods() else "spawn")


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
    with ProcessPoolExecutor(workers, choose_context(), start, given) as pool:
        waiting = deque[Future[list[R]]]()
        try:
            while chunk := list(islice(rest, CHUNK)):
                waiting.append(pool.submit(work, chunk))
                if len(waiting) > 2 * workers:
                    yield from waiting.popleft().result()
            while waiting:
                yield from waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()
