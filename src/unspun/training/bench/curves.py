"""How cost grows with the length of a text and with the number of articles, each point in a process of its own."""

from __future__ import annotations

import json
import random
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from unspun.training.bench.articles import Pool, join_texts, make_texts
from unspun.training.bench.race import fit_slope
from unspun.training.spinner import spin_whole

#: Words of the shortest text; each step doubles them.
_SHORTEST: Final = 100
#: Words of the articles of one point together, as far as one article has fewer.
_TOGETHER: Final = 20_000
#: Words of the text that short articles are made of.
_LONG_TEXT: Final = 100_000
#: A point that takes more memory (bytes) or time (seconds) is given up, and the curve with it.
_MEMORY: Final = 8_000_000_000
_PATIENCE: Final = 600.0
#: Share of the words that are swapped in spun texts.
_RATE: Final = 0.25
#: Seconds that an article may take in the curve of numbers, for the patience of that.
_EACH: Final = 0.02

ALONE_HONEST: Final = "honest, alone"
ALONE_SPUN: Final = "spun, alone"
BESIDE: Final = "spun, beside its source"


def measure_lengths(
    pool: Pool, longest: int, seconds: float, say: Callable[[str], None]
) -> dict[str, list[dict[str, Any]]]:
    """By curve: points with ``words`` and ``kilobytes`` (10^3 characters) of a text, and what ``point`` tells. A curve
    ends with the first point that is given up."""
    curves: dict[str, list[dict[str, Any]]] = {ALONE_HONEST: [], ALONE_SPUN: [], BESIDE: []}
    words, reached = _SHORTEST, 0
    while reached < longest:
        rng = random.Random(words)
        count = max(1, _TOGETHER // words)
        sources = [join_texts(pool.texts, words, rng)[:longest] for _ in range(count)]
        # The same share at every length: what is shown of a swap costs as much as many words.
        spun = [spin_whole(source, pool.dictionaries[0], _RATE, rng).text for source in sources]
        reached = max(map(len, sources))
        asked: dict[str, list[tuple[str, str | None]]] = {
            ALONE_HONEST: [(source, None) for source in sources],
            ALONE_SPUN: [(text, None) for text in spun],
            BESIDE: list(zip(spun, sources, strict=True)),
        }
        for name, points in curves.items():
            if points and "failed" in points[-1]:
                continue
            point = _measure({"pairs": asked[name], "seconds": seconds}, _PATIENCE)
            kilobytes = sum(len(article) for article, _ in asked[name]) / count / 1000
            points.append({"words": len(sources[0].split()), "kilobytes": round(kilobytes, 3), **point})
            say(f"{name}, {kilobytes:.1f} kB: {_tell(point)}")
        words *= 2
    return curves


def measure_numbers(pool: Pool, most: int, seconds: float, say: Callable[[str], None]) -> list[dict[str, Any]]:
    """Points with the number of short ``articles``, tenfold each, and what ``point`` tells."""
    made = make_texts(pool.texts, pool.dictionaries, _LONG_TEXT // 340, 340, 0.1, "short")
    words = [word for text, _ in made for word in text.split(" ")]
    points = []
    count = 10
    while count <= most:
        point = _measure({"words": words, "count": count, "seconds": seconds}, _PATIENCE + count * _EACH)
        points.append({"articles": count, **point})
        say(f"{count:,} articles: {_tell(point)}")
        count *= 10
    return points


def _tell(point: dict[str, Any]) -> str:
    return point.get("failed") or f"{find_cost(point):.3g} ms an article, {point['megabytes']} MB"


def _measure(asked: dict[str, Any], patience: float) -> dict[str, Any]:
    """What ``point`` tells of what it was asked. Raises RuntimeError when it breaks."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "asked.json"
        file.write_text(json.dumps({**asked, "memory": _MEMORY}), "utf-8")
        command = [sys.executable, "-m", "unspun.training.bench.point", str(file)]
        try:
            told = subprocess.run(command, capture_output=True, text=True, timeout=patience)
        except subprocess.TimeoutExpired:
            return {"failed": f"takes more than {patience:.0f} seconds"}
    if told.returncode:
        raise RuntimeError(f"a point could not be measured: {told.stderr[-2000:]}")
    found: dict[str, Any] = json.loads(told.stdout)
    return found


def find_cost(point: Mapping[str, Any]) -> float:
    """The milliseconds of an article at a point: the median of the passes."""
    return float(statistics.median(point["ms"]))


def find_slope(points: Sequence[dict[str, Any]], size: str, least: float = 0.0) -> float | None:
    """The exponent with which the cost of a whole (a text of so many ``size``, or so many articles) grows, over the
    points of ``least`` and more; None for fewer than two."""
    kept = [point for point in points if point[size] >= least and "failed" not in point]
    if len(kept) < 2:
        return None
    # In the curve of numbers an article's cost is to be multiplied by how many there are.
    costs = [find_cost(point) * (point[size] if size == "articles" else 1) for point in kept]
    return fit_slope([point[size] for point in kept], costs)
