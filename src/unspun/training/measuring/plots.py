"""Figures into plots: small SVG files, byte for byte the same for the same figures. Needs the extra ``evaluate``."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import matplotlib
import numpy as np
from matplotlib.figure import Figure

from unspun.training.measuring.evaluation_figures import SETTINGS, Figures

#: Text stays text, ids follow from the content: small files that do not change from run to run.
STYLE: Final = {
    "svg.fonttype": "none",
    "svg.hashsalt": "unspun",
    "font.family": "sans-serif",
    "font.size": 9,
    "axes.grid": True,
    "grid.alpha": 0.3,
    "axes.spines.top": False,
    "axes.spines.right": False,
}
#: Colours that the colour-blind tell apart (Okabe and Ito 2008).
COLOURS: Final = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")


def draw_plots(results: Figures, folder: Path) -> None:
    """Write roc.svg, calibration.svg, by_rate.svg, by_length.svg and by_corpus.svg, from the setting that is the
    headline for our own scores: a spinner left out where it was measured, else in family."""
    settings = results["settings"]
    headline = next(setting for setting in SETTINGS if "unspun" in settings[setting] and setting != "corpus left out")
    methods = settings[headline]
    with matplotlib.rc_context(STYLE):
        _draw_roc(methods, headline, folder / "roc.svg")
        _draw_calibration(methods, headline, folder / "calibration.svg")
        _draw_rates(methods, headline, folder / "by_rate.svg")
        _draw_lengths(methods, headline, folder / "by_length.svg")
        _draw_corpora(settings, folder / "by_corpus.svg")


@contextmanager
def open_axes(path: Path, title: str, x: str, y: str, size: tuple[float, float] = (6.4, 3.4)) -> Iterator[Any]:
    """Axes to draw on; the file is written at the end."""
    figure = Figure(figsize=size, layout="constrained")
    axes: Any = figure.add_subplot()
    axes.set(title=title, xlabel=x, ylabel=y)
    yield axes
    if axes.get_legend_handles_labels()[0]:
        axes.legend(frameon=False, fontsize=8, loc="center left", bbox_to_anchor=(1, 0.5))
    figure.savefig(path, format="svg", metadata={"Date": None, "Creator": None})


def _draw_roc(methods: Figures, setting: str, path: Path) -> None:
    title, x = f"ROC, without references, {setting}", "honest articles called spun"
    with open_axes(path, title, x, "spun articles found") as axes:
        for colour, (name, figures) in zip(COLOURS, methods.items(), strict=False):
            false, true = zip(*figures["roc"], strict=True)
            axes.plot(false, true, color=colour, label=name, linewidth=2 if name == "unspun" else 1)
        axes.set(xscale="log", xlim=(0.002, 1), ylim=(0, 1.02))


def _draw_calibration(methods: Figures, setting: str, path: Path) -> None:
    title = f"Calibration for one spun article in ten, {setting}"
    with open_axes(path, title, "score", "share of articles that are spun") as axes:
        axes.plot((0, 1), (0, 1), color="#999999", linestyle=":", linewidth=1)
        for colour, (name, figures) in zip(COLOURS, methods.items(), strict=False):
            if figures["calibration"]:
                _, scores, shares = zip(*figures["calibration"], strict=True)
                axes.plot(scores, shares, "o-", color=colour, label=name, markersize=3, linewidth=1)
        axes.set(xlim=(0, 1), ylim=(0, 1.02))


def _draw_rates(methods: Figures, setting: str, path: Path) -> None:
    title, x = f"Found at the shipped threshold, {setting}", "share of words swapped, %"
    with open_axes(path, title, x, "called spun") as axes:
        for colour, (name, figures) in zip(COLOURS, methods["unspun"]["by family"].items(), strict=False):
            _plot_shares(axes, figures["tpr by rate"], colour, f"unspun: {name}", "-", 100)
        for colour, (name, figures) in zip(COLOURS, methods.items(), strict=False):
            if name != "unspun":
                _plot_shares(axes, figures["tpr by rate"], colour, name, ":", 100)
        axes.set(ylim=(0, 1.02))


def _draw_lengths(methods: Figures, setting: str, path: Path) -> None:
    title = f"Found at the shipped threshold, all rates, {setting}"
    with open_axes(path, title, "words of the article", "called spun") as axes:
        for colour, (name, figures) in zip(COLOURS, methods.items(), strict=False):
            _plot_shares(axes, figures["tpr by length"], colour, name, "-", 1, band=True)
        axes.set(ylim=(0, 1.02))


def _plot_shares(
    axes: Any, shares: Figures, colour: str, label: str, line: str, unit: float, band: bool = False
) -> None:
    """Shares over the numbers that they are keyed by, with their intervals as a band."""
    found = [(float(key) * unit, *share[:3]) for key, share in shares.items() if share[3]]
    if found:
        x, middle, low, high = zip(*found, strict=True)
        axes.plot(x, middle, f"o{line}", color=colour, label=label, markersize=3, linewidth=1)
        if band:
            axes.fill_between(x, low, high, color=colour, alpha=0.08, linewidth=0)


def _draw_corpora(settings: Figures, path: Path) -> None:
    setting = "corpus left out" if "unspun" in settings["corpus left out"] else "in family"
    ours = settings[setting]["unspun"]["fpr by corpus"]
    theirs = settings["corpus left out"]["character TF-IDF"]["fpr by corpus"]
    drawn = ((f"unspun, {setting}", ours), ("character TF-IDF, corpus left out", theirs))
    title, names = "Honest documents called spun", list(ours)
    with open_axes(path, title, "share, % (95 % interval)", "", (8, 4.2)) as axes:
        for offset, colour, (label, shares) in zip((-0.15, 0.15), COLOURS, drawn, strict=False):
            places = np.array([place for place, corpus in enumerate(names) if corpus in shares])
            middle, low, high, _ = 100 * np.array([shares[names[place]] for place in places]).T
            axes.errorbar(
                middle, places + offset, xerr=(middle - low, high - middle), fmt="o", color=colour, markersize=3,
                linewidth=1, label=label,
            )  # fmt: skip
        axes.axvline(0.5, color="#999999", linestyle=":", linewidth=1)
        axes.set_yticks(range(len(names)), names)
        axes.invert_yaxis()
        # Linear up to 1 %, logarithmic beyond: a baseline's tenfold cost must not hide what half a percent is.
        axes.set_xscale("symlog", linthresh=1)
        axes.set_xlim(-0.05, 100)
        axes.set_xticks((0, 0.5, 1, 10, 100), ("0", "0.5", "1", "10", "100"))
