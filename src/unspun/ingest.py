"""The pre-ingest filter as a callable: a record in, what is to become of it out.

Everything that filters, the command and the hooks, goes through :class:`IngestFilter`. It pickles, so that it travels
to workers; the model is opened by the first record that needs it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from unspun.article import LABELS, Article, Unreadable, Verdict

if TYPE_CHECKING:
    from unspun.decisions import Decisions
    from unspun.detector import Context, Detector
    from unspun.references import References

#: What can become of a record: it passes as it is; it passes with the verdict; it is set aside; it goes.
ACTIONS: Final = ("keep", "tag", "quarantine", "drop")
#: How much of a verdict a record is tagged with.
DETAILS: Final = ("score", "spans", "full")
_DETAILS: Final[Mapping[str, tuple[str, ...]]] = {
    "score": ("schema", "score", "label", "reason", "model", "error"),
    "spans": ("schema", "score", "label", "reason", "spans", "model", "error"),
}


@dataclass(frozen=True, slots=True)
class Policy:
    """The action for each label; ``on_error`` is for records that hold nothing to score, by default that of
    ``unscored``. By default nothing is dropped: every record passes with its verdict."""

    spun: str = "tag"
    suspect: str = "tag"
    clean: str = "tag"
    unscored: str = "tag"
    on_error: str | None = None

    def __post_init__(self) -> None:
        chosen = {label: self.action(label) for label in LABELS} | {"errors": self.on_error or self.unscored}
        for what, action in chosen.items():
            if action not in ACTIONS:
                raise ValueError(f"policy for {what}: {action!r} is none of {', '.join(ACTIONS)}")

    def action(self, label: str) -> str:
        action: str = getattr(self, label)
        return action


@dataclass(frozen=True, slots=True)
class Disposition:
    """What is to become of a record (one of :data:`ACTIONS`), and why."""

    action: str
    verdict: Verdict

    @property
    def passes(self) -> bool:
        """Whether the record goes on to where it was going."""
        return self.action in ("keep", "tag")

    @property
    def reason(self) -> str | None:
        """The verdict's reason code, None when clean."""
        return self.verdict.reason


class IngestFilter:
    """Decides on records: mappings that hold a text.

    ``text_field``, ``id_field``, ``url_field``: their names in the record, with dots for nested ones;
    ``references``: texts to compare every record with; ``references_field``: where a record brings its own (texts, or
    objects with ``text`` and ``id``); ``suspect_at`` and ``spun_at``: scores that replace the model's thresholds;
    ``decisions``: what reviewers decided on some of the texts; ``context``: see :meth:`unspun.Detector.load`.

    >>> decide = IngestFilter(policy=Policy(spun="drop"))                   # doctest: +SKIP
    >>> decide({"id": "1", "text": text}).action                            # doctest: +SKIP
    """

    def __init__(
        self,
        policy: Policy | None = None,
        *,
        text_field: str = "text",
        id_field: str = "id",
        url_field: str = "url",
        references: Sequence[Article] | References = (),
        references_field: str | None = None,
        suspect_at: float | None = None,
        spun_at: float | None = None,
        decisions: Decisions | None = None,
        model: str | Path | None = None,
        context: Context = "auto",
    ) -> None:
        for name, score in (("suspect_at", suspect_at), ("spun_at", spun_at)):
            if score is not None and not 0 <= score <= 1:
                raise ValueError(f"{name}: {score} is no score from 0 to 1")
        self.policy = policy or Policy()
        self.fields = {"text": text_field, "id": id_field, "url": url_field, "references": references_field}
        self._references = references
        self._suspect_at, self._spun_at = suspect_at, spun_at
        self._decisions, self._model, self._context = decisions, model, context
        self._opened: tuple[Detector, References | None] | None = None

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_opened": None}

    def open(self) -> Detector:
        """The detector, loaded now if it was not; raises :class:`unspun.classifier.ModelError`."""
        if self._opened is None:
            from unspun.detector import Detector

            detector = Detector.load(self._model, self._context)
            references = detector.build_references(self._references) if len(self._references) else None
            if references is not None:
                references.prepare()
            self._opened = detector.set_thresholds(self._suspect_at, self._spun_at), references
        return self._opened[0]

    def __call__(self, record: Mapping[str, Any]) -> Disposition:
        """Never raises for a record: one without a text that can be scored is ``unscored`` with the reason."""
        article = self.read(record)
        if isinstance(article, Unreadable):
            return self.give_up(article.id, article.error)
        return self._judge(article, self._find_references(record))

    def judge_text(self, text: str) -> Disposition:
        """The same for a bare text."""
        if not isinstance(text, str) or not text.strip():
            return self.give_up("", "empty: nothing to score")
        return self._judge(Article("", text), [])

    def _judge(self, article: Article, references: list[Article]) -> Disposition:
        detector = self.open()
        assert self._opened is not None
        try:
            verdict = detector.score(article, references or self._opened[1], self._decisions)
        except Exception as error:
            # One record must not end a crawl, whatever is wrong with it, or with us.
            return self.give_up(article.id, f"scoring failed ({type(error).__name__}: {error}): report it")
        return Disposition(self.policy.action(verdict.label), verdict)

    def give_up(self, id: str, error: str) -> Disposition:
        """What becomes of a record that cannot be scored because of ``error``."""
        action = self.policy.on_error or self.policy.unscored
        return Disposition(action, Verdict(id, None, None, "unscored", "unreadable", error=error))

    def read(self, record: Mapping[str, Any]) -> Article | Unreadable:
        """The record's article, or why there is none."""
        id, url, text = (_look_up(record, self.fields[name]) for name in ("id", "url", "text"))
        name = str(id) if isinstance(id, str | int) and not isinstance(id, bool) else ""
        if not isinstance(text, str):
            return Unreadable(name, name, f"no string {self.fields['text']!r} in the record: name the text's field")
        if not text.strip():
            return Unreadable(name, name, "empty: nothing to score")
        from unspun.readers import replace_surrogates

        source = replace_surrogates(url) if isinstance(url, str) and url else None
        return Article(replace_surrogates(name), replace_surrogates(text), source)

    def _find_references(self, record: Mapping[str, Any]) -> list[Article]:
        """The record's own references; what is no text among them is passed over."""
        found = _look_up(record, self.fields["references"])
        articles = []
        for number, item in enumerate(found if isinstance(found, list) else (), 1):
            text = item.get("text") if isinstance(item, Mapping) else item
            id = item.get("id") if isinstance(item, Mapping) else None
            if isinstance(text, str) and text.strip():
                articles.append(Article(id if isinstance(id, str) else f"reference-{number}", text))
        return articles


def trim_verdict(verdict: Verdict, detail: str) -> dict[str, Any]:
    """What a record is tagged with: a part of schema 1 by ``detail`` (one of :data:`DETAILS`)."""
    record = verdict.to_dict()
    names = record if detail == "full" else (*_DETAILS[detail], "decision", "stale_decisions")
    return {name: record[name] for name in names if name in record}


def make_columns(verdicts: Sequence[Verdict], detail: str) -> dict[str, list[Any]]:
    """The verdicts as the columns that a table is tagged with."""
    return {
        "unspun_score": [verdict.score for verdict in verdicts],
        "unspun_label": [verdict.label for verdict in verdicts],
        "unspun_reason": [verdict.reason for verdict in verdicts],
        "unspun": [json.dumps(trim_verdict(verdict, detail)) for verdict in verdicts],
    }


def _look_up(record: Any, field: str | None) -> Any:
    """The value of a field, with dots for nested ones; a name that holds dots itself goes first."""
    if field is None or not isinstance(record, Mapping):
        return None
    if field in record:
        return record[field]
    first, dot, rest = field.partition(".")
    return _look_up(record.get(first), rest) if dot else None
