"""Contestants timed in turn, round by round, so that what slows the machine for a while slows all of them."""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Way:
    """One pass over so many articles (or pairs of texts)."""

    run: Callable[[], object]
    items: int


def race(
    ways: Mapping[str, Way], rounds: int, seconds: float, clock: Callable[[], float] = time.perf_counter
) -> dict[str, list[float]]:
    """Milliseconds an item of each way, one figure a round.

    Each runs once to warm up, then once to tell how many passes make a turn of at least so many seconds. Ways that have
    no items are left out.
    """
    ways = {name: way for name, way in ways.items() if way.items}
    passes = {}
    for name, way in ways.items():
        way.run()
        began = clock()
        way.run()
        passes[name] = max(1, math.ceil(seconds / max(clock() - began, 1e-9)))
    found: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            began = clock()
            for _ in range(passes[name]):
                way.run()
            found[name].append((clock() - began) * 1000 / (passes[name] * way.items))
    return found


def find_ratio(ours: Sequence[float], theirs: Sequence[float]) -> float:
    """How many times as fast we are as they are: the median over the rounds, each against its own. Above 1 is faster.

    Raises ValueError where they did not run the same rounds.
    """
    return statistics.median(their / our for our, their in zip(ours, theirs, strict=True))


def fit_slope(sizes: Sequence[float], costs: Sequence[float]) -> float:
    """The exponent with which cost grows with size: least squares over logarithms; 1 is linear.

    Raises ValueError for fewer than two sizes.
    """
    if len(set(sizes)) < 2:
        raise ValueError("a slope needs two sizes or more")
    return statistics.linear_regression([math.log(s) for s in sizes], [math.log(c) for c in costs]).slope
