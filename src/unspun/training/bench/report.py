"""The results as tables: ``models/bench/bench.md``, the section of the README, and what is printed."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from unspun.training.bench.curves import find_cost, find_slope
from unspun.training.bench.peers import ALIGN, COMPARED, FLOOR, HONEST, QUALITY, UNSPUN
from unspun.training.bench.race import find_ratio
from unspun.training.bench.start import LONG

Results = dict[str, Any]

#: Between these lines of the README stands what the script writes.
BEGIN: Final = "<!-- written by scripts/bench --write -->"
END: Final = "<!-- end of what scripts/bench wrote -->"
#: From these sizes on a curve's slope is fitted: below, what every article costs whatever its length hides it.
FROM_WORDS: Final = 3_000
FROM_ARTICLES: Final = 100
#: An exponent up to this one counts as linear: the processor's caches hold less of a longer text.
_LINEAR: Final = 1.1


@dataclass(frozen=True, slots=True)
class Target:
    """What was asked for and what was measured; ``least``: whether more is better."""

    name: str
    asked: float
    measured: float
    least: bool
    unit: str

    @property
    def met(self) -> bool:
        return self.measured >= self.asked if self.least else self.measured <= self.asked


def list_targets(results: Results) -> list[Target]:
    """The targets that these results say something about."""
    alone, compared = results["alone"]["ms"], results["compared"]["ms"]
    targets = [
        Target(
            "articles a second without references, beside GopherQualityFilter",
            10, find_ratio(alone[UNSPUN], alone[QUALITY]), True, "×",
        ),
        Target(
            "cost without references, honest articles, beside the tokenising floor",
            6, find_ratio(alone[FLOOR], alone[HONEST]), False, "×",
        ),
        Target(
            "cost without references, with what is shown of the spun ones, beside the tokenising floor",
            6, find_ratio(alone[FLOOR], alone[UNSPUN]), False, "×",
        ),
        Target(
            "articles a second with three references, beside GopherQualityFilter",
            2, find_ratio(compared[COMPARED], compared[QUALITY]), True, "×",
        ),
    ]  # fmt: skip
    commands = results["start"]["commands"]
    first = commands["first verdict, fast model"]
    targets += [
        Target("`unspun --help`", 0.25, commands["unspun --help"]["seconds"], False, " s"),
        Target("first verdict, files not in memory", 1.2, first.get("cold seconds", first["seconds"]), False, " s"),
        *(
            Target(f"memory of a process, {name}", 350, found["megabytes"], False, " MB")
            for name, found in commands.items()
            if name.startswith(f"{LONG:,}")
        ),
    ]  # fmt: skip
    for name, slope in _list_slopes(results):
        # A curve that was given up is not linear, however it began.
        measured = math.inf if "failed" in results["length"][name][-1] else slope
        targets.append(Target(f"exponent of cost over length, {name}", _LINEAR, measured, False, ""))
    by_number = find_slope(results["number"], "articles", FROM_ARTICLES)
    if by_number is not None:
        targets.append(Target("exponent of cost over the number of articles", _LINEAR, by_number, False, ""))
    return targets


def _find_least(points: Sequence[Mapping[str, Any]]) -> float:
    """The kilobytes from which the slope is fitted."""
    return min((float(point["kilobytes"]) for point in points if point["words"] >= FROM_WORDS), default=float("inf"))


def write_page(results: Results) -> str:
    """The whole of it as Markdown."""
    alone, compared, aligned = results["alone"], results["compared"], results["alignment"]
    machine, articles = results["machine"], results["articles"]
    bandwidth = machine["bandwidth"]
    reading = articles["characters"] / (bandwidth["read"] * 1e9) * 1e3
    lines = [
        "# What unspun costs",
        "Written by `scripts/bench --write`; the figures behind it are in `bench.json`. " + _describe(results),
        "",
        "## Machine",
        *_write_table(("", ""), [(key, _spell(value)) for key, value in machine.items()]),
        "",
        "## Without references",
        f"{articles['count']} articles of {articles['words']:.0f} words (mean), {articles['spun']:.0%} of them spun; "
        f"`unspun` is {results['model']}, without the contextual model. Each filter does all its work on the articles "
        f"that it keeps: {_list_shares(alone['kept'])}.",
        "",
        *_write_race(alone["ms"], UNSPUN),
        f"| one reading of the text from memory, at {bandwidth['read']} GB/s | {reading:.2g} | {1000 / reading:,.0f} | "
        f"{reading / statistics.median(alone['ms'][UNSPUN]):.2g} |",
        "",
        "## With three references of the same length",
        f"{compared['count']} articles of {compared['words']:.0f} words (mean), {articles['spun']:.0%} of them spun "
        "from one of their three references; the others have two other reports of the same events and one of others.",
        "",
        *_write_race(compared["ms"], COMPARED),
        "",
        "### Alignment alone",
        f"{aligned['count']} of these articles, each beside its source, or beside a report of the same events; words "
        "and numbers ready. unspun pairs sentences, aligns the words of each and splits what differs into pairs of "
        "wordings; the others align words and no more.",
        "",
        *_write_race(aligned["ms"], ALIGN),
        "",
        "## What the classifier is worth",
        "The fastText classifier learnt from articles like these, half of them spun, made of other texts. unspun's "
        "model has met all these spinners, and none of the texts.",
        "",
        *_write_classifiers(results["classifier"]),
        "",
        "## Start and memory",
        *_write_start(results["start"]),
        "",
        "## Growing work",
        "![milliseconds by length](length.svg) ![milliseconds by number](number.svg)",
        "",
        *_write_curves(results),
        "",
        "## Targets",
        *_write_targets(list_targets(results)),
    ]
    return "\n".join(lines) + "\n"


def write_section(results: Results) -> str:
    """What the README shows."""
    alone, compared = results["alone"]["ms"], results["compared"]["ms"]
    articles, commands = results["articles"], results["start"]["commands"]
    help_, first = commands["unspun --help"]["seconds"], commands["first verdict, fast model"]
    rows = []
    for race, ours, without in ((alone, UNSPUN, True), (compared, COMPARED, False)):
        for name, ms in race.items():
            if name.startswith("the same"):
                continue
            times = "" if name == ours else f"{find_ratio(race[ours], ms):.2g}"
            rows.append((name, "none" if without else "three", f"{1000 / statistics.median(ms):,.0f}", times))
    lines = [
        f"Articles of {articles['words']:.0f} words, {articles['spun']:.0%} of them spun, on one core of "
        f"{results['machine']['processor']}, all in one run, in turn (`scripts/bench`):",
        "",
        *_write_table(("", "references", "articles a second", "unspun is so many times as fast"), rows),
        "",
        "![Articles a second](models/bench/speed.svg)",
        "",
        f"`unspun --help` takes {help_:.2f} s, a first verdict {first['seconds']:.2f} s"
        + (f" ({first['cold seconds']:.2f} s with no file in memory)" if "cold seconds" in first else "")
        + f", {first['megabytes']} MB. Cost grows with the length of a text, {_name_span(results)}, to the power of "
        + ", ".join(f"{slope:.2f} ({name})" for name, slope in _list_slopes(results))
        + f"; with the number of articles, up to {results['number'][-1]['articles']:,}, to the power of "
        f"{find_slope(results['number'], 'articles', FROM_ARTICLES) or float('nan'):.2f}. "
        "[models/bench](models/bench/bench.md) has the machine, the curves, and how good that fastText classifier is.",
    ]
    return "\n".join(lines)


def replace_section(page: str, section: str) -> str:
    """``page`` with ``section`` between the markers. Raises ValueError unless each stands there once, in order."""
    if page.count(BEGIN) != 1 or page.count(END) != 1 or page.index(BEGIN) > page.index(END):
        raise ValueError(f"the page must hold the line {BEGIN!r} once, and then {END!r}: put them where the figures go")
    before, _, rest = page.partition(BEGIN)
    return f"{before}{BEGIN}\n{section}\n{END}{rest.partition(END)[2]}"


def write_to(page: Path, section: str) -> None:
    """:func:`replace_section` in a file."""
    page.write_text(replace_section(page.read_text("utf-8"), section), "utf-8")


def _describe(results: Results) -> str:
    options = results["options"]
    return (
        f"unspun {results['unspun']}; {options['rounds']} rounds in which all take turns of {options['seconds']:g} s "
        "or more on one core, after a warm-up; *times* is the median of the rounds' ratios."
    )


def _spell(value: object) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {one}" for key, one in value.items())
    return str(value)


def _list_shares(shares: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {share:.0%}" for name, share in shares.items())


def _write_table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    return [f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *rows)]


def _write_race(ms: Mapping[str, Sequence[float]], ours: str) -> list[str]:
    """Each contestant's milliseconds an article, and how many times as fast ``ours`` is."""
    rows = [
        (
            name,
            f"{statistics.median(found):.3g} ({min(found):.3g})",
            f"{1000 / statistics.median(found):,.0f}",
            f"{find_ratio(ms[ours], found):.2g}",
        )
        for name, found in ms.items()
    ]
    return _write_table(
        ("", "ms an article, median (least)", "articles a second", "unspun is so many times as fast"), rows
    )


def _write_classifiers(settings: Mapping[str, Mapping[str, float]]) -> list[str]:
    names = list(next(iter(settings.values())))
    rows = [(setting, *(f"{found[name]:g}" for name in names)) for setting, found in settings.items()]
    return _write_table(("held-out texts, spun by", *names), rows)


def _write_start(start: Mapping[str, Any]) -> list[str]:
    keys = {
        "seconds": "s",
        "cold seconds": "s, files not in memory",
        "read": "MB read from the disk",
        "megabytes": "MB",
    }
    rows = [
        (name, *(f"{found[key]:g}" if key in found else "" for key in keys))
        for name, found in start["commands"].items()
    ]
    loaded = [f"`{name}` {', '.join(found) or 'none'}" for name, found in start["loaded"].items()]
    return [*_write_table(("", *keys.values()), rows), "", f"Heavy packages that are loaded: {'; '.join(loaded)}."]


def _write_curves(results: Results) -> list[str]:
    lines = []
    for name, points in results["length"].items():
        rows = [
            (
                f"{point['words']:,}",
                f"{point['kilobytes']:,.1f}",
                *(
                    (point["failed"], "", "")
                    if "failed" in point
                    else (
                        f"{find_cost(point):.3g}",
                        f"{find_cost(point) / point['kilobytes']:.3g}",
                        str(point["megabytes"]),
                    )
                ),
            )
            for point in points
        ]
        lines += [f"### {name.capitalize()}", *_write_table(("words", "kB", "ms", "ms a kB", "MB of memory"), rows), ""]
    rows = [
        (f"{point['articles']:,}", *((point["failed"], "") if "failed" in point else
         (f"{find_cost(point):.3g}", str(point["megabytes"]))))
        for point in results["number"]
    ]  # fmt: skip
    head = ("articles", "ms an article", "MB of memory")
    return [*lines, "### Short articles, as a stream (60 words)", *_write_table(head, rows)]


def _write_targets(targets: Iterable[Target]) -> list[str]:
    rows = [
        (
            target.name,
            f"{'at least' if target.least else 'at most'} {target.asked:g}{target.unit}",
            f"{target.measured:.3g}{target.unit}",
            "yes" if target.met else "**no**",
        )
        for target in targets
    ]
    return _write_table(("", "asked for", "measured", "met"), rows)


def _list_slopes(results: Results) -> list[tuple[str, float]]:
    """The exponent of each curve of length that has two points or more."""
    slopes = [
        (name, find_slope(points, "kilobytes", _find_least(points))) for name, points in results["length"].items()
    ]
    return [(name, slope) for name, slope in slopes if slope is not None]


def _name_span(results: Results) -> str:
    """From where to where the curves of length go."""
    longest = max(p["kilobytes"] for points in results["length"].values() for p in points if "failed" not in p)
    return f"from {FROM_WORDS:,} words to {longest:,.0f} kB"
