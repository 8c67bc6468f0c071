"""What every page shares: templates that escape, text shown so that it can do no harm, and the policy that allows a
page its own style and script and nothing else."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from unspun.reporters.explanation import say_percent
from unspun.reporters.visible import is_hidden, make_visible

_NOT_PLAIN: Final = re.compile(r"[^ -~\t\n]")
#: Combining marks in a row from which they are shown by number: the most in an alphabet in use are four (Hebrew with
#: its accents); text with more paints over the lines around it.
_MOST_MARKS: Final = 8
_COMBINING: Final = "\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f"
_MARKS: Final = re.compile(f"[{_COMBINING}]{{{_MOST_MARKS},}}")
#: Longest title or name on one line, in characters.
_LONGEST: Final = 300


def render_page(template: str, style: str, script: str, **values: Any) -> str:
    """The page of a template of ``pages``, with the style sheet and the script of ``pages`` in it."""
    environment = _environment()
    css = _read(environment, "base.css") + _read(environment, style)
    code = _read(environment, script)
    policy = (
        f"default-src 'none'; style-src '{_hash(css)}'; script-src '{_hash(code)}'; base-uri 'none'; "
        "form-action 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
    )
    return environment.get_template(template).render(style=Markup(css), script=Markup(code), policy=policy, **values)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("unspun", "reporters/pages"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(shown=show, line=show_line, percent=say_percent)
    return environment


@cache
def _read(environment: Environment, name: str) -> str:
    assert environment.loader is not None
    return environment.loader.get_source(environment, name)[0]


def _hash(content: str) -> str:
    """The source expression by which a content security policy allows one style sheet or script."""
    return "sha256-" + base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()


def show_line(text: str) -> str:
    """``text`` on one line with nothing hidden, cut where it is very long, with the number of characters left out."""
    text = _MARKS.sub(lambda run: f"{run.group()[:1]}[{len(run.group())} combining marks]", make_visible(text))
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}… ({len(text) - _LONGEST:,} more characters)"


def show(text: str) -> Markup:
    """``text`` escaped; a hidden character becomes an empty element whose style sheet shows its code.

    Nothing can then steer the page (NUL, bidi overrides, lone surrogates), and the text can be had back.
    """
    return Markup("".join(_show_parts(text)))


def _show_parts(text: str) -> list[str]:
    parts, reached = [], 0
    for start, end in _find_hidden(text):
        codes = " ".join(f"{ord(char):04x}" for char in text[start:end])
        # A carriage return before a line feed is an ordinary line end: nobody needs to see it.
        kind = "r" if text.startswith("\r\n", start) else "h"
        shown = f' data-n="{end - start} combining marks"' if end - start > 1 else ""
        parts += [escape(text[reached:start]), f'<i class="{kind}" data-c="{codes}"{shown}></i>']
        reached = end
    return [*parts, escape(text[reached:])]


def _find_hidden(text: str) -> list[tuple[int, int]]:
    """The ranges that are not shown as they are: single hidden characters, and long runs of combining marks."""
    if text.isascii() and text.isprintable():
        return []
    runs = [match.span() for match in _MARKS.finditer(text)]
    hidden = [match.span() for match in _NOT_PLAIN.finditer(text) if is_hidden(match.group())]
    return sorted([*runs, *hidden])


@dataclass(frozen=True, slots=True)
class Mark:
    """``[start, end)`` of a text stands between ``opening`` and ``closing``."""

    start: int
    end: int
    opening: Markup
    closing: Markup


def lay_out(text: str, sentences: Iterable[tuple[int, int]], marks: Iterable[Mark]) -> Markup:
    """``text`` with each sentence in an element of class ``s``, in order, and the marks inside them.

    ``marks`` are in text order and do not overlap. Where one runs over the end of a sentence, the sentence ends with
    it.
    """
    parts, reached = [], 0
    waiting = list(marks)[::-1]

    def write_to(end: int) -> None:
        nonlocal reached
        if end > reached:
            parts.extend(_show_parts(text[reached:end]))
            reached = end

    def write_marks(before: int) -> None:
        while waiting and waiting[-1].start < before:
            mark = waiting.pop()
            write_to(mark.start)
            parts.append(mark.opening)
            write_to(mark.end)
            parts.append(mark.closing)

    for start, end in sentences:
        write_marks(start)
        write_to(start)
        parts.append('<span class="s">')
        write_marks(end)
        write_to(end)
        parts.append("</span>")
    write_marks(len(text) + 1)
    write_to(len(text))
    return Markup("".join(parts))
