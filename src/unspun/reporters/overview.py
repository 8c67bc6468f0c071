"""A folder's verdicts as one self-contained HTML page: a table to sort and filter, linked to the pages of articles."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from unspun.article import LABELS, REASONS, Verdict
from unspun.reporters.explanation import BANNER
from unspun.reporters.markup import render_page, show_line
from unspun.reporters.visible import shorten

#: Bars of the histogram of scores, and the height of the tallest, in pixels.
_BARS: Final = 20
_HEIGHT: Final = 90
#: Longest wording in the table, in characters.
_LONGEST: Final = 40
#: What no name of a page holds, so that it is one on every system and in every link.
_UNSAFE: Final = re.compile("[^A-Za-z0-9._-]+")
_LONGEST_NAME: Final = 80


@dataclass(frozen=True, slots=True)
class Row:
    """One article of the overview, without its text: ``page`` is the name of its own page, None where it has none;
    ``swap`` its strongest swap."""

    title: str
    id: str
    page: str | None
    score: float | None
    label: str
    reason: str
    spans: int
    swap: str
    decision: str
    error: str


@dataclass(frozen=True, slots=True)
class _Bar:
    """Articles with a score in ``[low, high)``: parts of the bar as label, number, top and height in pixels."""

    low: float
    high: float
    count: int
    parts: tuple[tuple[str, int, float, float], ...]


def name_page(id: str, taken: dict[str, int]) -> str:
    """A file's name for the page of the article ``id`` that is not among ``taken``, to which it is added; the numbers
    are the last that made a name one of its own."""
    stem = _UNSAFE.sub("-", id).strip("-.").lower()[-_LONGEST_NAME:].strip("-.") or "article"
    name = first = f"{stem}.html"
    while name in taken:
        taken[first] += 1
        name = f"{stem}-{taken[first]}.html"
    taken[name] = 1
    return name


def make_row(verdict: Verdict, title: str | None, page: str | None) -> Row:
    strongest = [f"{_shorten(s.text)} ← {_shorten(s.suggestion)}" for s in verdict.strongest(1) if s.suggestion]
    return Row(
        title or verdict.id,
        verdict.id,
        page,
        verdict.score,
        verdict.label,
        (verdict.reason or "").replace("_", " "),
        sum(not span.dismissed for span in verdict.spans),
        strongest[0] if strongest else "",
        verdict.decision.decision if verdict.decision else "",
        verdict.error or "",
    )


def render_overview(rows: Iterable[Row]) -> str:
    """The page of these articles, the most suspicious first."""
    ranked = sorted(rows, key=lambda row: (row.score is None, -(row.score or 0.0), row.id))
    reasons = Counter(row.reason for row in ranked if row.reason)
    return render_page(
        "overview.html.j2",
        "overview.css",
        "overview.js",
        rows=ranked,
        banner=BANNER,
        labels=[(label, count) for label in LABELS if (count := sum(row.label == label for row in ranked))],
        reasons=sorted(reasons.items(), key=lambda item: (-item[1], item[0])),
        reason_words={code.replace("_", " "): words for code, words in REASONS.items()},
        bars=_count_bars(ranked),
        height=_HEIGHT,
        decided=any(row.decision for row in ranked),
    )


def _count_bars(rows: Sequence[Row]) -> list[_Bar]:
    counts = [Counter[str]() for _ in range(_BARS)]
    for row in rows:
        if row.score is not None:
            counts[min(_BARS - 1, int(row.score * _BARS))][row.label] += 1
    tallest = max((sum(count.values()) for count in counts), default=0) or 1
    bars = []
    for number, count in enumerate(counts):
        parts, top = [], float(_HEIGHT)
        for label in LABELS:
            if count[label]:
                height = _HEIGHT * count[label] / tallest
                top -= height
                parts.append((label, count[label], round(top, 1), round(height, 1)))
        bars.append(_Bar(number / _BARS, (number + 1) / _BARS, sum(count.values()), tuple(parts)))
    return bars


def _shorten(wording: str) -> str:
    return shorten(show_line(wording), _LONGEST)
