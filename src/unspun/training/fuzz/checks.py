"""What must hold whatever the input: of verdicts, of pages, of errors."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Final

from unspun.article import KINDS, LABELS, REASONS, Article, Unreadable, Verdict, check_spans
from unspun.saved_verdicts import parse_verdict


class BrokenError(AssertionError):
    """Something that must hold does not."""


def require(holds: bool, what: str) -> None:
    if not holds:
        raise BrokenError(what)


def check_verdict(article: Article, verdict: Verdict, references: Iterable[Article] = ()) -> None:
    """A verdict is of schema 1, points into the text, and comes back from JSON as it was."""
    require(verdict.label in LABELS and (verdict.reason is None or verdict.reason in REASONS), "an unknown code")
    require((verdict.score is None) == (verdict.label == "unscored"), "a score without a label, or the reverse")
    require(verdict.score is None or 0 <= verdict.score <= 1, "a score beyond 0 and 1")
    check_spans(article, verdict.spans)
    texts = {reference.id: reference.text for reference in references}
    for span in verdict.spans:
        require(0 <= span.score <= 1 and span.kind in KINDS and span.end > span.start, "a span that is none")
        if span.reference:
            there = texts[span.reference.id][span.reference.start : span.reference.end]
            require(there == span.reference.text, "a passage that is not in its reference")
    # Alternatives are no part of schema 1.
    told = replace(verdict, spans=tuple(replace(span, alternatives=()) for span in verdict.spans))
    back = parse_verdict(json.loads(json.dumps(verdict.to_dict(), allow_nan=False)))
    require(back == told, "a verdict that JSON changes")


def check_texts(article: Article) -> None:
    """All that is known of an article is text, or nothing."""
    optional = (article.source, article.title, article.date, article.language)
    require(isinstance(article.id, str) and isinstance(article.text, str), "an article without id or text")
    require(all(value is None or isinstance(value, str) for value in optional), "something that is no text")


def check_article(item: Article | Unreadable) -> None:
    """What a reader gives can be written anywhere, and says what is wrong where something is."""
    texts = [item.id, item.source or ""]
    texts += [item.text, item.title or "", item.date or ""] if isinstance(item, Article) else [item.error]
    for text in texts:
        text.encode("utf-8")
    if isinstance(item, Article):
        require(bool(item.text.strip()), "an article without a text")
    else:
        require(":" in item.error, "an error that does not say what to do")


def check_error(error: Exception, path: Path) -> None:
    """The package's own errors name the file, and say in one line what is wrong."""
    message = str(error)
    require(str(path) in message or path.name in message, f"an error that does not name its file: {message}")


#: All that pages are made of: what else a parser finds in one was in a text.
_TAGS: Final = frozenset(
    "html head meta title style body header p a h1 h2 h3 bdi section strong span kbd div button output main article "
    "mark ins i label select option table thead tbody tr th td q ul li footer aside dialog form input datalist script "
    "svg rect text path".split()
)


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags, self.attributes, self.scripts = set[str](), set[str](), 0
        self.links = list[str]()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes.update(name for name, _ in attrs)
        self.scripts += tag == "script"
        self.links += [value or "" for name, value in attrs if name in ("href", "src")]


def check_page(page: str, scripts: int) -> None:
    """A page holds its own elements and nothing that a text brought along; ``scripts``: how many it has."""
    parser = _Page()
    parser.feed(page)
    parser.close()
    require(parser.tags <= _TAGS, f"elements of a text: {sorted(parser.tags - _TAGS)}")
    handlers = sorted(name for name in parser.attributes if name.startswith("on") or name == "srcdoc")
    require(not handlers, f"attributes of a text: {handlers}")
    require(parser.scripts == scripts, "a script of a text")
    require(all(link.startswith("#") or link.endswith(".html") for link in parser.links), "a link of a text")
    require("\0" not in page, "a NUL, which ends a page")
