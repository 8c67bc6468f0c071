"""The results into plots (SVG): speed, cost by length, cost by number. Needs matplotlib (extra ``bench``)."""

from __future__ import annotations

import statistics
from pathlib import Path
from typing import Any

import matplotlib

from unspun.training.bench.peers import COMPARED, UNSPUN
from unspun.training.bench.report import Results
from unspun.training.plots import COLOURS, STYLE, open_axes


def draw_plots(results: Results, folder: Path) -> None:
    """Write speed.svg, length.svg and number.svg."""
    with matplotlib.rc_context(STYLE):
        _draw_speed(results, folder / "speed.svg")
        _draw_lengths(results["length"], folder / "length.svg")
        _draw_numbers(results["number"], folder / "number.svg")


def _draw_speed(results: Results, path: Path) -> None:
    rows = [
        (name if race == "alone" else f"{name} (three references)", 1000 / statistics.median(ms), name == ours)
        for race, ours in (("alone", UNSPUN), ("compared", COMPARED))
        for name, ms in results[race]["ms"].items()
        if not name.startswith("the same")
    ]
    with open_axes(path, "Articles a second on one core", "articles a second", "", (8, 4.6)) as axes:
        names, speeds, own = zip(*rows, strict=True)
        axes.barh(range(len(rows)), speeds, color=[COLOURS[1] if mine else COLOURS[0] for mine in own])
        axes.bar_label(axes.containers[0], [f" {speed:,.0f}" for speed in speeds], fontsize=8)
        # matplotlib would read signs as formulae.
        axes.set_yticks(range(len(rows)), [name.replace("$", r"\$") for name in names])
        axes.invert_yaxis()
        axes.set(xscale="log", xlim=(min(speeds) / 2, max(speeds) * 4))


def _draw_lengths(curves: dict[str, list[dict[str, Any]]], path: Path) -> None:
    with open_axes(path, "Cost by length: level is linear", "text, kB", "ms a kB") as axes:
        for colour, (name, points) in zip(COLOURS, curves.items(), strict=False):
            kept = [point for point in points if "failed" not in point]
            sizes = [point["kilobytes"] for point in kept]
            costs = [min(point["ms"]) / point["kilobytes"] for point in kept]
            axes.plot(sizes, costs, "o-", color=colour, label=name, markersize=3, linewidth=1)
        axes.set(xscale="log", yscale="log")


def _draw_numbers(points: list[dict[str, Any]], path: Path) -> None:
    kept = [point for point in points if "failed" not in point]
    with open_axes(path, "Cost by number: level is linear", "articles of 60 words", "ms an article") as axes:
        numbers = [point["articles"] for point in kept]
        [cost] = axes.plot(numbers, [min(point["ms"]) for point in kept], "o-", color=COLOURS[0], markersize=3)
        cost.set_label("ms an article")
        axes.set(xscale="log")
        axes.set_ylim(bottom=0)
        memory = axes.twinx()
        memory.spines["right"].set_visible(True)
        memory.grid(False)
        [size] = memory.plot(numbers, [point["megabytes"] for point in kept], "s:", color=COLOURS[1], markersize=3)
        memory.set(ylabel="MB of memory (dotted)")
        memory.set_ylim(bottom=0)
        axes.legend(handles=[cost, size], labels=["time", "memory"], frameon=False, fontsize=8, loc="lower right")
