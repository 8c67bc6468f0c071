"""The words of unspun as value types: what goes in, what comes out. Imports nothing of the package.

Offsets are half-open and count Unicode code points of the text as it was read.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

SCHEMA: Final = 1

#: The kinds of span, most telling first: where two spans overlap with equal scores the earlier kind stays.
KINDS: Final = ("trick", "name", "quote", "phrase", "synonym", "grammar")

#: Spans from this score on are shown before others: wrong in one of five at most, by calibration.
SURE: Final = 0.8

LABELS: Final = ("spun", "suspect", "clean", "unscored")

#: What a reviewer can decide on a span or an article.
DECISIONS: Final = ("dismissed", "confirmed")

#: The relations of an article to a reference, the closest first.
RELATIONS: Final = ("spun", "copy", "edited", "independent")

#: Every reason code with the sentence that a person reads.
REASONS: Final[Mapping[str, str]] = {
    "name_altered": "a name or title stands in another wording in a reference",
    "quote_altered": "words inside quotation marks differ from what a reference quotes",
    "synonyms_swapped": "words were swapped for synonyms",
    "tortured_phrase": "known tortured phrases stand in place of fixed expressions",
    "grammar_broken": "grammar is broken in the way that word swaps break it",
    "characters_tampered": "letters were replaced by look-alikes or hidden characters",
    "reviewer_confirmed": "a reviewer confirmed it",
    "too_short": "fewer words than a judgement needs",
    "not_english": "the text is not English",
    "unreadable": "the input could not be read",
}

#: The reason that a span's kind gives for its article's label.
REASON_OF_KIND: Final[Mapping[str, str]] = {
    "trick": "characters_tampered",
    "name": "name_altered",
    "quote": "quote_altered",
    "phrase": "tortured_phrase",
    "synonym": "synonyms_swapped",
    "grammar": "grammar_broken",
}


@dataclass(frozen=True, slots=True)
class Article:
    """A text under examination, or a reference that one is compared with.

    ``id`` names it in output, ``source`` is the path or URL that it came from (None for a bare string); ``date`` and
    ``language`` are as they were given with it.
    """

    id: str
    text: str
    source: str | None = None
    title: str | None = None
    date: str | None = None
    language: str | None = None


@dataclass(frozen=True, slots=True)
class Unreadable:
    """An input that could not become an article: ``error`` says what was wrong and what to do."""

    id: str
    source: str
    error: str


@dataclass(frozen=True, slots=True)
class Passage:
    """The stretch ``[start, end)`` of the reference ``id`` that stands opposite a span."""

    id: str
    start: int
    end: int
    text: str

    def to_dict(self) -> dict[str, Any]:
        return {"id": self.id, "start": self.start, "end": self.end, "text": self.text}


@dataclass(frozen=True, slots=True)
class Decision:
    """What a reviewer decided on a span or an article: ``decision`` is ``dismissed`` or ``confirmed``, ``by`` the
    reviewer's name, ``at`` the time as they wrote it (ISO 8601)."""

    decision: str
    reason: str = ""
    by: str = ""
    at: str = ""

    def to_dict(self) -> dict[str, Any]:
        return {"decision": self.decision, "reason": self.reason, "by": self.by, "at": self.at}


@dataclass(frozen=True, slots=True)
class Span:
    """A marked stretch ``[start, end)`` of the article: ``article.text[start:end] == text``.

    ``score`` is the calibrated probability that these words were swapped in; ``suggestion`` is the wording
    that most probably stood there, ``alternatives`` are the next likeliest, best first (no part of schema 1);
    ``reference`` is where a reference shows it; ``decision`` is what a reviewer made of it. A dismissed span has no
    part in the score.
    """

    start: int
    end: int
    text: str
    kind: str
    score: float
    suggestion: str | None = None
    reference: Passage | None = None
    alternatives: tuple[str, ...] = ()
    decision: Decision | None = None

    @property
    def dismissed(self) -> bool:
        return self.decision is not None and self.decision.decision == "dismissed"

    def to_dict(self) -> dict[str, Any]:
        return {
            "start": self.start,
            "end": self.end,
            "text": self.text,
            "kind": self.kind,
            "score": self.score,
            "suggestion": self.suggestion,
            "reference": self.reference.to_dict() if self.reference else None,
            **({"decision": self.decision.to_dict()} if self.decision else {}),
        }


def check_spans(article: Article, spans: Iterable[Span]) -> None:
    """Raises ValueError unless the spans lie in the text of ``article``, in its order and without overlap."""
    reached = 0
    for number, span in enumerate(spans, 1):
        if span.start < reached or article.text[span.start : span.end] != span.text:
            raise ValueError(f"{article.id}: span {number} of the verdict does not fit the text: score this text again")
        reached = span.end


@dataclass(frozen=True, slots=True)
class Relation:
    """How the article relates to the reference ``id``; ``coverage`` is the share of its words that align."""

    id: str
    relation: str
    coverage: float

    def to_dict(self) -> dict[str, Any]:
        return {"id": self.id, "relation": self.relation, "coverage": self.coverage}


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer for one article; :meth:`to_dict` is schema 1 of the output.

    ``score`` is a calibrated probability, None where nothing could be scored. ``reason`` is a key of
    :data:`REASONS`, None when clean. ``spans`` are in text order and do not overlap. ``references`` come
    strongest first. ``error`` is set when the input could not be read. ``decision`` is a reviewer's on the article
    as a whole: it sets the label. ``stale`` counts decisions that were made on another version of the text and are not
    applied. Both are in the output only where decisions were given.
    """

    id: str
    source: str | None
    score: float | None
    label: str
    reason: str | None = None
    spans: tuple[Span, ...] = ()
    references: tuple[Relation, ...] = ()
    model: str | None = None
    error: str | None = None
    decision: Decision | None = None
    stale: int = 0

    def strongest(self, count: int) -> list[Span]:
        """The ``count`` spans that convince a reader most: sure ones with a suggestion that a reference shows,
        names before quotations before the rest; never a dismissed one."""
        ranked = sorted(
            (span for span in self.spans if not span.dismissed),
            key=lambda span: (
                span.suggestion is None,
                span.reference is None,
                span.score < SURE,
                KINDS.index(span.kind),
                -span.score,
                span.start,
            ),
        )
        return ranked[:count]

    def to_dict(self) -> dict[str, Any]:
        return {
            "schema": SCHEMA,
            "id": self.id,
            "source": self.source,
            "score": self.score,
            "label": self.label,
            "reason": self.reason,
            "spans": [span.to_dict() for span in self.spans],
            "references": [relation.to_dict() for relation in self.references],
            "model": self.model,
            "error": self.error,
            **({"decision": self.decision.to_dict()} if self.decision else {}),
            **({"stale_decisions": self.stale} if self.stale else {}),
        }
