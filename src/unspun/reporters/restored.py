"""A restored article: as text, as a word diff sentence by sentence, as one JSON line."""

from __future__ import annotations

import json
import re
from collections import deque
from collections.abc import Iterator
from dataclasses import asdict
from typing import Final, TextIO

from rich.console import Console
from rich.text import Text as Styled

from unspun.article import REASONS, Article, Verdict
from unspun.reporters.table import make_console
from unspun.reporters.visible import make_visible
from unspun.restoration import Replacement, Restored
from unspun.text import Text

_LINE_END: Final = re.compile(r"\r\n?|\n")
_OLD: Final = "red"
_SURE: Final = "bold green"
_GUESSED: Final = "bold yellow"


def write_text(restored: Restored, stream: TextIO, named: bool = False) -> None:
    """Write the restored text as it is; to a terminal with the restored words marked and nothing hidden.

    ``named``: under a line with the article's id, as ``head`` does it, so that several can follow each other.
    """
    if named:
        stream.write(f"==> {make_visible(restored.id)} <==\n")
    if not stream.isatty():
        stream.write(restored.text)
        if named:
            stream.write("\n" if restored.text.endswith("\n") else "\n\n")
        return
    shown, read = Styled(), 0
    for replacement in restored.replacements:
        shown.append(_show_lines(restored.text[read : replacement.restored_start]))
        shown.append(_show_lines(replacement.suggestion), style=_SURE if replacement.sure else _GUESSED)
        read = replacement.restored_end
    shown.append(_show_lines(restored.text[read:]).rstrip("\n"))
    make_console(stream).print(shown, soft_wrap=True)


def write_json(restored: Restored, stream: TextIO) -> None:
    """Write one line. Raises ValueError for a score that is not a finite number: JSON has no NaN."""
    # ASCII: some readers take U+2028 and U+0085 for the end of a line.
    stream.write(json.dumps(asdict(restored), allow_nan=False) + "\n")


def write_diff(article: Article, restored: Restored, stream: TextIO) -> None:
    """Write each sentence of ``article`` that changed, as ``[-swapped-]{+restored+}`` or, where the wording is a
    guess, ``[-swapped-]{?restored?}``, then the search phrases.

    Nothing where nothing changed, as diff does it.
    """
    if not restored.replacements:
        return
    console = make_console(stream)
    name = make_visible(restored.id)
    _print(console, Styled(f"--- {name}", style=_OLD))
    _print(console, Styled(f"+++ {name}, {_count(restored, '{+sure+}', '{?guessed?}')}", style=_SURE))
    shown_line, line, read = 0, 1, 0
    for start, end, replacements in _group_by_sentence(article.text, restored.replacements):
        line += len(_LINE_END.findall(article.text, read, start))
        read = start
        if line != shown_line:
            _print(console, Styled(f"@@ line {line} @@", style="cyan"))
            shown_line = line
        _print(console, _mark(article.text, start, end, replacements))
    for phrase in restored.search_phrases:
        _print(console, Styled(f"search: {make_visible(phrase)}", style="bold"))


def explain(restored: Restored, verdict: Verdict) -> list[str]:
    """What to tell about a restored text beside the text: what was done or why nothing, what to search for."""
    if verdict.label == "clean":
        return ["clean: nothing to put back"]
    if verdict.label == "unscored":
        return [f"left as it is: {REASONS[verdict.reason] if verdict.reason else 'not scored'}"]
    if not restored.replacements:
        return [f"{verdict.label}, but nothing says what stood there: left as it is"]
    return [
        f"{verdict.label}, {_count(restored, 'sure', 'guessed')}",
        *(f"search for {phrase}" for phrase in restored.search_phrases),
    ]


def _count(restored: Restored, sure: str, guessed: str) -> str:
    total, certain = len(restored.replacements), sum(replacement.sure for replacement in restored.replacements)
    parts = [f"{count} {word}" for count, word in ((certain, sure), (total - certain, guessed)) if count]
    return f"{total} put back: {', '.join(parts)}"


def _print(console: Console, line: Styled) -> None:
    console.print(line, soft_wrap=True)


def _show_lines(text: str) -> str:
    return "\n".join(map(make_visible, _LINE_END.split(text)))


def _group_by_sentence(
    text: str, replacements: tuple[Replacement, ...]
) -> Iterator[tuple[int, int, list[Replacement]]]:
    """Ranges of the text, one a sentence, each with the replacements that begin in it; only those that have any."""
    sentences = Text(text).sentence_slices or [(0, len(text))]
    waiting, reached = deque(replacements), 0
    for number, (start, end) in enumerate(sentences):
        following = sentences[number + 1][0] if number + 1 < len(sentences) else len(text)
        group = list[Replacement]()
        while waiting and waiting[0].start < following:
            group.append(waiting.popleft())
        if group:
            yield max(reached, min(start, group[0].start)), max(end, group[-1].end), group
            reached = max(end, group[-1].end)


def _mark(text: str, start: int, end: int, replacements: list[Replacement]) -> Styled:
    line, read = Styled(), start
    for replacement in replacements:
        line.append(make_visible(text[read : replacement.start]))
        line.append(f"[-{_show_old(replacement)}-]", style=_OLD)
        new = make_visible(replacement.suggestion)
        line.append(*(f"{{+{new}+}}", _SURE) if replacement.sure else (f"{{?{new}?}}", _GUESSED))
        read = replacement.end
    line.append(make_visible(text[read:end]))
    return line


def _show_old(replacement: Replacement) -> str:
    # Look-alike letters would look as what they stand for.
    text = replacement.text
    return make_visible(text if replacement.kind != "trick" else text.encode("ascii", "backslashreplace").decode())
