"""The results into plots (SVG): speed, cost by length, cost by number. Needs matplotlib (extra ``bench``)."""

from __future__ import annotations

import statistics
from pathlib import Path
from typing import Any

import matplotlib

from unspun.training.bench.curves import find_cost
from unspun.training.bench.peers import COMPARED, UNSPUN
from unspun.training.bench.report import Results
from unspun.training.measuring.plots import COLOURS, STYLE, open_axes


def draw_plots(results: Results, folder: Path) -> None:
    """Write speed.svg, length.svg and number.svg."""
    with matplotlib.rc_context(STYLE):
        _draw_speed(results, folder / "speed.svg")
        _draw_lengths(results["length"], folder / "length.svg")
        _draw_numbers(results["number"], folder / "number.svg")


def _draw_speed(results: Results, path: Path) -> None:
    rows = [
        (name if race == "alone" else f"three references: {name}", 1000 / statistics.median(ms), name == ours)
        for race, ours in (("alone", UNSPUN), ("compared", COMPARED))
        for name, ms in results[race]["ms"].items()
        if not name.startswith("the same")
    ]
    with open_axes(path, "Articles a second on one core", "", "", (9, 4.4)) as axes:
        for place, (_, speed, own) in enumerate(rows):
            axes.plot(speed, place, "o", color=COLOURS[1 if own else 0], markersize=7 if own else 5)
            axes.annotate(f"{speed:,.0f}", (speed, place), (7, 0), textcoords="offset points", va="center", fontsize=8)
        axes.set_yticks(range(len(rows)), [name for name, _, _ in rows])
        axes.invert_yaxis()
        speeds = [speed for _, speed, _ in rows]
        axes.set(xscale="log", xlim=(min(speeds) / 2, max(speeds) * 3))


def _draw_lengths(curves: dict[str, list[dict[str, Any]]], path: Path) -> None:
    with open_axes(path, "Cost by length: level is linear", "text, kB", "ms a kB") as axes:
        for colour, (name, points) in zip(COLOURS, curves.items(), strict=False):
            kept = [point for point in points if "failed" not in point]
            sizes = [point["kilobytes"] for point in kept]
            costs = [find_cost(point) / point["kilobytes"] for point in kept]
            axes.plot(sizes, costs, "o-", color=colour, label=name, markersize=3, linewidth=1)
        axes.set(xscale="log", yscale="log")


def _draw_numbers(points: list[dict[str, Any]], path: Path) -> None:
    kept = [point for point in points if "failed" not in point]
    numbers = [point["articles"] for point in kept]
    with open_axes(path, "Cost by number: level is linear", "articles of 60 words", "") as axes:
        axes.plot(numbers, [find_cost(point) for point in kept], "o-", color=COLOURS[0], markersize=3)
        axes.set_ylabel("ms an article", color=COLOURS[0])
        axes.set(xscale="log")
        memory = axes.twinx()
        memory.plot(numbers, [point["megabytes"] for point in kept], "s:", color=COLOURS[1], markersize=3)
        memory.set_ylabel("MB of memory", color=COLOURS[1])
        memory.grid(False)
        for one in (axes, memory):
            one.set_ylim(0, 1.3 * one.get_ylim()[1])
