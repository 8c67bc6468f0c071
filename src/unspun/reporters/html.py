"""One article's verdict as a self-contained HTML page: no script, nothing loaded from outside."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final

from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from markupsafe import Markup, escape

from unspun.article import KINDS, REASONS, Article, Passage, Span, Verdict
from unspun.reporters.visible import is_hidden, make_visible
from unspun.text import Text

_HEADLINES: Final = {
    "spun": "Spun: words were probably swapped by a machine",
    "suspect": "Suspect: some words may have been swapped by a machine",
    "clean": "Clean: no sign of swapped words",
    "unscored": "Not scored",
}
#: What a kind means, for the legend and the table.
_KIND_WORDS: Final = {
    "trick": "look-alike or hidden letters",
    "name": "name or title altered",
    "quote": "quotation altered",
    "phrase": "tortured phrase",
    "synonym": "swapped word or phrase",
    "grammar": "broken grammar",
}
#: Characters of a reference shown before and after a passage, where its sentence is longer than that.
_CONTEXT: Final = 200
_NOT_PLAIN: Final = re.compile(r"[^ -~\t\n]")


@dataclass(frozen=True, slots=True)
class _Quote:
    """The passage of a reference with what its sentence says before and after, and the ids of the other
    references that say the same there."""

    id: str
    before: str
    passage: str
    after: str
    agreeing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Row:
    """A span as the page shows it; ``lead`` is the unmarked text before it."""

    number: int
    lead: str
    span: Span
    tooltip: str
    quote: _Quote | None


def render_report(article: Article, references: Sequence[Article], verdict: Verdict) -> str:
    """The page of ``verdict``: the marked article, a table of its spans, and the references.

    A pure function; ``references`` give the sentences around passages, and a passage whose reference is not
    among them is shown alone. Raises ValueError where a span does not fit the article's text.
    """
    texts = {reference.id: Text(reference.text) for reference in references}
    rows, reached = [], 0
    for number, span in enumerate(verdict.spans, 1):
        if span.start < reached or article.text[span.start : span.end] != span.text:
            raise ValueError(f"{article.id}: span {number} of the verdict does not fit the text: score this text again")
        quote = _quote(span.reference, texts) if span.reference else None
        rows.append(_Row(number, article.text[reached : span.start], span, _tooltip(number, span), quote))
        reached = span.end
    return _template().render(
        article=article,
        verdict=verdict,
        headline=_HEADLINES[verdict.label],
        reason=REASONS[verdict.reason] if verdict.reason else None,
        rows=rows,
        tail=article.text[reached:],
        kinds=[kind for kind in KINDS if any(span.kind == kind for span in verdict.spans)],
        kind_words=_KIND_WORDS,
        titles={reference.id: reference.title for reference in references},
    )


@cache
def _template() -> Template:
    environment = Environment(
        loader=PackageLoader("unspun", "reporters"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(shown=_show, visible=make_visible, percent=_percent, csp_hash=_hash)
    return environment.get_template("report.html.j2")


def _show(text: str) -> Markup:
    """``text`` escaped; a hidden character becomes an empty element whose style sheet shows its code.

    Nothing can then steer the page (NUL, bidi overrides, lone surrogates), and the text can be had back.
    """
    return Markup("".join(_show_parts(text)))


def _show_parts(text: str) -> list[str]:
    parts, reached = [], 0
    for match in _NOT_PLAIN.finditer(text):
        if not is_hidden(match.group()):
            continue
        code = f"{ord(match.group()):04x}"
        # A carriage return before a line feed is an ordinary line end: nobody needs to see it.
        kind = "r" if text.startswith("\r\n", match.start()) else "h"
        parts += [escape(text[reached : match.start()]), f'<i class="{kind}" data-c="{code}"></i>']
        reached = match.end()
    return [*parts, escape(text[reached:])]


def _percent(probability: float) -> str:
    if probability >= 0.995:
        return "over 99 %"
    return "under 1 %" if probability < 0.005 else f"{probability * 100:.0f} %"


def _hash(style: str) -> str:
    """The source expression by which a content security policy allows one style sheet."""
    return "sha256-" + base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()


def _tooltip(number: int, span: Span) -> str:
    says = [f"{number}: {_KIND_WORDS[span.kind]}, {_percent(span.score)} sure."]
    if span.suggestion is not None:
        others = f" (or: {make_visible(', '.join(span.alternatives))})" if span.alternatives else ""
        says.append(f"Probably stood there: {make_visible(span.suggestion)}{others}.")
    if span.reference:
        says.append(f"Shown by: {make_visible(span.reference.id)}.")
    return " ".join(says)


def _quote(passage: Passage, texts: Mapping[str, Text]) -> _Quote:
    text = texts.get(passage.id)
    if text is None or text.raw[passage.start : passage.end] != passage.text:
        return _Quote(passage.id, "", passage.text, "")
    raw = text.raw
    first, last = passage.start, passage.end
    for start_word, end_word in text.sentences:
        start, end = text.slice(start_word, end_word)
        if end > passage.start and start < passage.end:
            first, last = min(first, start), max(last, end)
    # A sentence's range runs from word to word: take its outer quotation marks and full stop along.
    while first > 0 and not raw[first - 1].isspace():
        first -= 1
    while last < len(raw) and not raw[last].isspace():
        last += 1
    before, after = raw[first : passage.start], raw[passage.end : last]
    if len(before) > _CONTEXT:
        before = "…" + before[-_CONTEXT:]
    if len(after) > _CONTEXT:
        after = after[:_CONTEXT] + "…"
    return _Quote(passage.id, before, passage.text, after, _find_agreeing(passage, texts))


def _find_agreeing(passage: Passage, texts: Mapping[str, Text]) -> tuple[str, ...]:
    """The ids of the other references that have the passage's words between the same two words."""
    text = texts[passage.id]
    inside = [i for i, word in enumerate(text.words) if word.start < passage.end and word.end > passage.start]
    if not inside:
        return ()
    around = f" {' '.join(text.norms[max(0, inside[0] - 1) : inside[-1] + 2])} "
    return tuple(id for id, other in texts.items() if id != passage.id and around in f" {' '.join(other.norms)} ")
