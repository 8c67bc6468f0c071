"""What reviewers decided, kept in small JSON files beside the articles.

A decision belongs to a text, which its digest names: the same text under another name is still decided on, and a text
that has changed since is not. The report writes these files (its script has the same fields), this module reads them.
"""

from __future__ import annotations

import hashlib
import json
from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from unspun.article import DECISIONS, KINDS, Article, Decision, Span

FORMAT: Final = "unspun-decisions"
VERSION: Final = 1
#: Largest file in bytes: a hundred thousand decisions have half of that.
MAX_BYTES: Final = 50_000_000


class DecisionsError(ValueError):
    """A decisions file that cannot be used; the message says where it is wrong and what to do."""


@dataclass(frozen=True, slots=True)
class SpanDecision:
    """``decision`` on the words ``[start, end)`` of a text."""

    start: int
    end: int
    decision: Decision
    about: _About | None = None


@dataclass(frozen=True, slots=True)
class ArticleDecisions:
    """What was decided on one text as it stands: on the whole, on its spans; ``stale`` counts the decisions on
    another version of the article."""

    whole: Decision | None = None
    spans: tuple[SpanDecision, ...] = ()
    stale: int = 0

    @property
    def dismissed(self) -> list[tuple[int, int]]:
        """The ranges of the text whose words are no evidence."""
        return [(d.start, d.end) for d in self.spans if d.decision.decision == "dismissed"]

    def show_dismissed(self, text: str, spans: Iterable[Span]) -> tuple[Span, ...]:
        """A span for each dismissal: that of ``spans`` which it meets, else one as it was when it was dismissed. They
        are in text order, and none overlaps another."""
        shown = [span for span in self.mark(spans) if span.dismissed]
        met, added, reached = find_meeting(shown), list[Span](), 0
        for made in self.spans:
            if made.decision.decision == "dismissed" and made.start >= reached and not met(made.start, made.end):
                about, reached = made.about or _About("synonym", 0.5, None), made.end
                wording = text[made.start : made.end]
                added.append(
                    Span(
                        made.start, made.end, wording, about.kind, about.score, about.suggestion, decision=made.decision
                    )
                )
        return tuple(sorted([*shown, *added], key=lambda span: span.start))

    def mark(self, spans: Iterable[Span]) -> tuple[Span, ...]:
        """``spans`` with what was decided on each, the decision that shares most with it."""
        starts = np.array([made.start for made in self.spans], np.int64)
        ends = np.array([made.end for made in self.spans], np.int64)
        reached = np.maximum.accumulate(ends)
        marked = []
        for span in spans:
            first, last = int(np.searchsorted(reached, span.start, "right")), int(np.searchsorted(starts, span.end))
            shared = np.minimum(ends[first:last], span.end) - np.maximum(starts[first:last], span.start)
            best = int(shared.argmax()) if len(shared) else -1
            meets = best >= 0 and shared[best] > 0
            marked.append(replace(span, decision=self.spans[first + best].decision) if meets else span)
        return tuple(marked)


def find_meeting(spans: Sequence[Span]) -> Callable[[int, int], bool]:
    """Tells whether a range of the text meets one of ``spans``, which are in text order and do not overlap."""
    ends = [span.end for span in spans]

    def meets(start: int, end: int) -> bool:
        place = bisect_right(ends, start)
        return place < len(spans) and spans[place].start < end

    return meets


class Decisions:
    """All decisions given to a run. Of several on the same words the one made last holds."""

    def __init__(self, records: Iterable[_Record]) -> None:
        self._records: list[_Record] = []
        self._met: set[str] = set()
        self._by_digest: dict[str, dict[tuple[int, int] | None, _Record]] = {}
        self._by_name: dict[str, list[_Record]] = {}
        for record in sorted(records, key=lambda record: record.decision.at):
            self._records.append(record)
            self._by_digest.setdefault(record.digest, {})[record.place] = record
            for name in record.names:
                self._by_name.setdefault(name, []).append(record)

    @classmethod
    def read(cls, paths: Sequence[Path]) -> Decisions:
        """Raises :class:`DecisionsError`, naming the file, where one is no decisions file."""
        return cls(record for path in paths for record in _read_file(path))

    def find(self, article: Article) -> ArticleDecisions:
        """The decisions on this text, and how many are on another text of the same id or source."""
        digest = digest_text(article.text)
        found = self._by_digest.get(digest, {})
        named = {id(r): r for name in (article.id, article.source) for r in self._by_name.get(name or "", ())}
        # An id alone says little where both have a source; and what was decided on this text since goes before.
        latest = max((record.decision.at for record in found.values()), default="")
        older = [
            record
            for record in named.values()
            if record.digest != digest
            and record.decision.at >= latest
            and not (record.source and article.source and record.source != article.source)
        ]
        # Words that do not lie in the text were never decided on by anybody who saw it.
        spans = [
            SpanDecision(*record.place, record.decision, record.about)
            for record in found.values()
            if record.place is not None and record.place[1] <= len(article.text)
        ]
        whole = found[None].decision if None in found else None
        return ArticleDecisions(whole, tuple(sorted(spans, key=lambda d: d.start)), len(older))

    def tick_off(self, article: Article) -> None:
        """Take note that this article is among those examined, for :attr:`unused`."""
        self._met.update((digest_text(article.text), article.id, article.source or article.id))

    @property
    def unused(self) -> int:
        """How many decisions are about texts that were not among the articles, nor other versions of them."""
        return sum(self._met.isdisjoint((record.digest, *record.names)) for record in self._records)


def digest_text(text: str) -> str:
    """The digest by which a decision names its text: SHA-256 of its UTF-8, in hexadecimal digits."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


@dataclass(frozen=True, slots=True)
class _About:
    """What a span was when it was decided on."""

    kind: str
    score: float
    suggestion: str | None


@dataclass(frozen=True, slots=True)
class _Record:
    digest: str
    article: str
    source: str | None
    place: tuple[int, int] | None
    decision: Decision
    about: _About | None

    @property
    def names(self) -> set[str]:
        return {self.article} | ({self.source} if self.source else set())


def _read_file(path: Path) -> list[_Record]:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise DecisionsError(f"{path}: larger than {MAX_BYTES // 1_000_000} MB: no decisions file")
        data = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise DecisionsError(f"{path}: cannot be read ({error.strerror}); check the path") from None
    except (ValueError, RecursionError) as error:
        if isinstance(error, DecisionsError):
            raise
        raise DecisionsError(f"{path}: no JSON; give a file that a report downloaded") from None
    if not isinstance(data, dict) or data.get("format") != FORMAT or not isinstance(data.get("decisions"), list):
        raise DecisionsError(f"{path}: no decisions file; give a file that a report downloaded")
    if data.get("version") != VERSION:
        raise DecisionsError(f"{path}: version {data.get('version')!r} is not known here; use a newer unspun")
    return [_read_record(item, f"{path}: decision {number}") for number, item in enumerate(data["decisions"], 1)]


def _read_record(item: Any, where: str) -> _Record:
    if not isinstance(item, dict):
        raise DecisionsError(f"{where}: no object; download the file again")

    def text(name: str, default: str | None = None) -> str:
        value = item.get(name, default)
        if not isinstance(value, str):
            raise DecisionsError(f"{where}: {name!r} is no text; download the file again")
        return value

    if item.get("decision") not in DECISIONS:
        raise DecisionsError(f"{where}: 'decision' is neither {' nor '.join(DECISIONS)}; correct it")
    span, place, about = item.get("span"), None, None
    if span is not None:
        start, end = (span.get(name) if isinstance(span, dict) else None for name in ("start", "end"))
        if type(start) is not int or type(end) is not int or not 0 <= start < end:
            raise DecisionsError(f"{where}: 'span' has no start below its end; download the file again")
        place = start, end
        about = _read_about(span)
    source = None if item.get("source") is None else text("source")
    decision = Decision(item["decision"], text("reason", ""), text("by", ""), text("at", ""))
    return _Record(text("digest"), text("article"), source, place, decision, about)


def _read_about(span: dict[str, Any]) -> _About | None:
    """The rest of a span, which older files lack; what is odd about it says nothing."""
    kind, score, suggestion = span.get("kind"), span.get("score"), span.get("suggestion")
    if kind not in KINDS or not isinstance(score, int | float) or not 0 <= score <= 1:
        return None
    return _About(kind, float(score), suggestion if isinstance(suggestion, str) else None)
