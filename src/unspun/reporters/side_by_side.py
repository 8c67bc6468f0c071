"""The evidence in a terminal: each sentence with swaps beside what the reference says, or probably stood there."""

from __future__ import annotations

import os
from bisect import bisect_right
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final, TextIO

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text as Styled

from unspun.article import Article, Span, Verdict
from unspun.reporters.explanation import BANNER, HEADLINES, KIND_WORDS, say_percent, say_score, say_why, summarise
from unspun.reporters.table import make_console
from unspun.reporters.visible import make_visible
from unspun.text import Text

#: Columns where neither a terminal nor the environment sets them.
_WIDTH: Final = 100
_STYLES: Final = {
    "trick": "bold red",
    "name": "bold yellow",
    "quote": "bold magenta",
    "phrase": "bold cyan",
    "synonym": "bold blue",
    "grammar": "bold green",
}


def make_wide_console(stream: TextIO) -> Console:
    """A console on ``stream``, as wide as its terminal, or plain and as wide as COLUMNS says."""
    columns = os.environ.get("COLUMNS", "")
    return make_console(stream, int(columns) if columns.isdecimal() and int(columns) >= 20 else _WIDTH)


def write_evidence(article: Article, references: Sequence[Article], verdict: Verdict, console: Console) -> None:
    """Print what was found in one article; nothing for one that is clean and has no spans.

    Swaps stand in brackets with their number, the same on both sides.
    """
    if not verdict.spans and verdict.label not in ("spun", "suspect"):
        return
    console.print(Styled(make_visible(article.title or article.id), style="bold"))
    console.print(Styled(f"{HEADLINES[verdict.label]}. {BANNER}"))
    if verdict.score is not None:
        console.print(Styled(say_score(verdict.score)))
    if summary := summarise(article, verdict):
        console.print(Styled(make_visible(summary)))
    texts = {reference.id: Text(reference.text) for reference in references}
    table = Table(box=box.SIMPLE, show_header=False, padding=(0, 1), pad_edge=False, expand=True, show_lines=True)
    table.add_column(ratio=1, overflow="fold")
    table.add_column(ratio=1, overflow="fold")
    for start, end, spans in _group_spans(article.text, verdict.spans):
        own = _mark(article.text, start, end, [(n, s.start, s.end, s) for n, s in spans])
        table.add_row(own, _lay_opposite(article.text, start, end, spans, texts))
    console.print(table)
    for number, span in enumerate(verdict.spans, 1):
        made = f" ({span.decision.decision} by a reviewer)" if span.decision else ""
        why = f"{KIND_WORDS[span.kind]}, {say_percent(span.score)} sure. {make_visible(say_why(span, str))}{made}"
        console.print(Styled.assemble((f"{number} {make_visible(span.text)}", _STYLES[span.kind]), f": {why}"))
    console.print()


def _group_spans(text: str, spans: Sequence[Span]) -> list[tuple[int, int, list[tuple[int, Span]]]]:
    """Sentences that hold spans: start, end, and the spans that begin in each with their numbers."""
    slices = Text(text).sentence_slices or [(0, len(text))]
    starts = [start for start, _ in slices]
    groups = dict[int, list[tuple[int, Span]]]()
    for number, span in enumerate(spans, 1):
        groups.setdefault(max(0, bisect_right(starts, span.start) - 1), []).append((number, span))
    return [
        (min(slices[at][0], group[0][1].start), max(slices[at][1], group[-1][1].end), group)
        for at, group in groups.items()
    ]


def _lay_opposite(
    text: str, start: int, end: int, spans: Sequence[tuple[int, Span]], texts: Mapping[str, Text]
) -> Styled:
    """The sentence of the reference that shows most of the spans, under its id; else the sentence with the suggestions
    in it."""
    cited = Counter(span.reference.id for _, span in spans if span.reference and span.reference.id in texts)
    if cited:
        id = cited.most_common(1)[0][0]
        passages = [
            (number, span.reference.start, span.reference.end, span)
            for number, span in spans
            if span.reference and span.reference.id == id
        ]
        first, last = min(start for _, start, _, _ in passages), max(end for _, _, end, _ in passages)
        first, last = texts[id].enclose(first, last)
        return Styled.assemble((f"{make_visible(id)}: ", "dim"), _mark(texts[id].raw, first, last, passages))
    line, read = Styled("probably: ", style="dim"), start
    for number, span in spans:
        line.append(make_visible(text[read : span.start]), style="not dim")
        line.append(f"[{number}: {make_visible(span.suggestion or '?')}]", style=f"not dim {_STYLES[span.kind]}")
        read = span.end
    return line.append(make_visible(text[read:end]), style="not dim")


def _mark(text: str, start: int, end: int, marks: Sequence[tuple[int, int, int, Span]]) -> Styled:
    """``[start, end)`` of ``text`` with each mark, given by number, start, end and span, in brackets."""
    line, read = Styled(), start
    for number, first, last, span in sorted(marks, key=lambda mark: mark[1]):
        # Two spans can point to one passage.
        if first >= read:
            line.append(make_visible(text[read:first]))
            line.append(f"[{number}: {make_visible(text[first:last])}]", style=_STYLES[span.kind])
            read = last
    return line.append(make_visible(text[read:end]))
