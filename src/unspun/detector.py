"""Detector: the one way through the house, from an article to its verdict."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import cached_property, partial
from importlib.util import find_spec
from pathlib import Path
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from unspun.article import REASON_OF_KIND, Article, Span, Unreadable, Verdict
from unspun.classifier import Model, ModelError, Thresholds, to_probability
from unspun.compiled.twin import Twin
from unspun.context.model import ContextModel, Reading
from unspun.decisions import ArticleDecisions, Decisions, find_meeting
from unspun.evidence import Evidence, gather_evidence
from unspun.extractors.direction import FEATURES as DIRECTION
from unspun.extractors.originals import FEATURES as ORIGINAL
from unspun.extractors.originals import rank_originals
from unspun.extractors.substitutions import FEATURES as PAIR
from unspun.extractors.usage import FEATURES as USAGE
from unspun.extractors.wording import FEATURES as WORDING
from unspun.features import ALONE, COMPARED, name_length
from unspun.lexicon import Lexicon
from unspun.references import References
from unspun.relations import reconsider_swaps, relate
from unspun.resources import find_models
from unspun.scoring import Measured, measure, score_article
from unspun.second_look import FEATURES as SECOND_LOOK
from unspun.spans import SUGGESTIONS, Ranker, build_spans
from unspun.text import Text
from unspun.unscored import MIN_ENGLISH, MIN_WORDS, find_unscored_reason

#: When the contextual model reads.
Context = Literal["auto", "always", "never"]


def is_installed() -> bool:
    """Whether the contextual model is there, and the extra ``context`` that it needs."""
    try:
        find_models("context.npz")
    except FileNotFoundError:
        return False
    return all(find_spec(name) is not None for name in ("onnxruntime", "tokenizers"))


class Detector:
    """Scores articles. Load it once and use it for many; it holds no state between articles.

    >>> detector = Detector.load()                                       # doctest: +SKIP
    >>> verdict = detector.score(text, references=[report, another])     # doctest: +SKIP
    >>> verdict.label, verdict.score, verdict.strongest(2)               # doctest: +SKIP
    """

    def __init__(
        self, model: Model, lexicon: Lexicon, context: ContextModel | None = None, read_all: bool = False
    ) -> None:
        """``context``: the contextual model, which reads the articles that the fast one leaves in doubt, or with
        ``read_all`` every one that has no reference to be compared with."""
        if len(model.habits.words) != lexicon.size:
            raise ModelError(
                f"the model {model.name} was trained with a lexicon of {len(model.habits.words)} words, this one has "
                f"{lexicon.size}: use the model and the lexicon of one version"
            )
        if context is not None and context.beside != model.name:
            raise ModelError(
                f"the contextual model {context.name} was fitted beside {context.beside}, not {model.name}: use that "
                "model, or go without (context='never', --context never)"
            )
        self.model = model
        self.lexicon = lexicon
        self.context = context
        self.read_all = read_all
        self.name = model.name if context is None else f"{model.name}+{context.name}"

    @classmethod
    def load(cls, model: str | Path | None = None, context: Context = "auto") -> Detector:
        """The detector with the shipped lexicon and model, or with the model file named.

        ``context``: whether the contextual model reads articles without references: ``auto`` those in doubt, where the
        extra ``context`` is installed and the model is the shipped one; ``always`` all; ``never`` none.

        Raises :class:`unspun.classifier.ModelError` when a model cannot be used.
        """
        fast, lexicon = Model.load(model), Lexicon.load()
        _check_model(fast, lexicon, model)
        reader = None
        if context == "always" or (context == "auto" and model is None and is_installed()):
            reader = ContextModel.load()
        return cls(fast, lexicon, reader, context == "always")

    def set_thresholds(self, suspect_at: float | None, spun_at: float | None) -> Detector:
        """The same detector with other thresholds, on all grounds alike; None leaves them as they are."""

        def override(thresholds: Mapping[str, Thresholds]) -> dict[str, Thresholds]:
            return {ground: usual.override(suspect_at, spun_at) for ground, usual in thresholds.items()}

        model = replace(self.model, thresholds=override(self.model.thresholds))
        context = self.context and replace(self.context, thresholds=override(self.context.thresholds))
        return Detector(model, self.lexicon, context, self.read_all)

    def score(
        self,
        article: str | Article,
        references: Iterable[str | Article] | References | None = None,
        decisions: Decisions | None = None,
    ) -> Verdict:
        """The verdict on one article, compared with those ``references`` that tell of the same thing.

        Spans dismissed in ``decisions`` have no part in the score and the reason, but stay among the spans.
        """
        article = _to_article(article, "article")
        built = self.build_references(references)
        if built is None and decisions is None:
            verdict = self._score_quickly(article)
            if verdict is not None:
                return verdict
        text = Text(article.text)
        reason = find_unscored_reason(text)
        if reason:
            verdict = Verdict(article.id, article.source, None, "unscored", reason, model=self.name)
            return _decide(verdict, decisions.find(article)) if decisions else verdict
        evidence = gather_evidence(text, self.lexicon, self.model.rules, built, article.source)
        verdict = self._judge(article, evidence)
        if decisions is None:
            return verdict
        found = decisions.find(article)
        if not found.dismissed:
            return _decide(verdict, found)
        dismissed = found.show_dismissed(article.text, verdict.spans)
        again = self._judge(article, evidence.dismiss(found.dismissed))
        is_dismissed = find_meeting(dismissed)
        others = [span for span in again.spans if not is_dismissed(span.start, span.end)]
        spans = [*dismissed, *others]
        return _decide(replace(again, spans=tuple(sorted(spans, key=lambda span: span.start))), found)

    def score_many(
        self,
        articles: Iterable[str | Article | Unreadable],
        references: Iterable[str | Article] | References | None = None,
        workers: int = 1,
        decisions: Decisions | None = None,
    ) -> Iterator[Verdict]:
        """Verdicts in the order of the articles, one for each; input that could not be read gets one too.

        With more than one worker, processes share the work; the order and the verdicts stay the same.
        """
        built = self.build_references(references)
        numbered = (_to_article(a, f"article-{n}") if isinstance(a, str) else a for n, a in enumerate(articles, 1))
        if workers <= 1:
            return (self._score_one(article, built, decisions) for article in numbered)
        return self._score_parallel(numbered, built, workers, decisions)

    def build_references(self, references: Iterable[str | Article] | References | None) -> References | None:
        """References ready for many articles; build them once where the same ones serve again."""
        if references is None or isinstance(references, References):
            return references
        if isinstance(references, str):
            raise TypeError("references is a list of texts, not one text: write references=[text]")
        articles = (_to_article(r, f"reference-{n}") for n, r in enumerate(references, 1))
        return References.build(articles, self.lexicon)

    def _score_one(
        self, article: Article | Unreadable, references: References | None, decisions: Decisions | None
    ) -> Verdict:
        if isinstance(article, Unreadable):
            return Verdict(article.id, article.source, None, "unscored", "unreadable", error=article.error)
        return self.score(article, references, decisions)

    def _score_parallel(
        self,
        articles: Iterator[Article | Unreadable],
        references: References | None,
        workers: int,
        decisions: Decisions | None,
    ) -> Iterator[Verdict]:
        # Here, so that who needs no workers does not wait for it.
        from unspun.processes import share_work

        # Forked workers share the lexicon and the references; elsewhere they are sent once.
        if references is not None:
            references.prepare()
        return share_work(articles, _score_chunk, workers, _start_worker, (self, references, decisions))

    @cached_property
    def _twin(self) -> Twin | None:
        return Twin.build(self.model, self.lexicon, MIN_WORDS, MIN_ENGLISH)

    def __getstate__(self) -> dict[str, object]:
        # Processes that are sent a detector build a twin of their own.
        return {name: value for name, value in self.__dict__.items() if name != "_twin"}

    def _score_quickly(self, article: Article) -> Verdict | None:
        """The verdict where the compiled twin finds the article clean or not to be scored; else None."""
        if self._twin is None:
            return None
        measured = self._twin.measure(article.text)
        if measured is None:
            return None
        if measured.reason:
            return Verdict(article.id, article.source, None, "unscored", measured.reason, model=self.name)
        ground = name_length(measured.words)
        if self._is_read(ground, measured.score) or self.model.thresholds[ground].label(measured.score) != "clean":
            return None
        return Verdict(article.id, article.source, round(measured.score, 4), "clean", None, model=self.name)

    def _is_read(self, ground: str, score: float) -> bool:
        """Whether the contextual model has its say."""
        if self.context is None or ground not in self.context.thresholds:
            return False
        return self.read_all or score >= self.context.read_from

    def _judge(self, article: Article, evidence: Evidence) -> Verdict:
        measured = measure(evidence, self.model)
        odds, ground = score_article(measured, self.model.scorers)
        score = float(to_probability(np.array(odds)))
        reading = None
        thresholds = self.model.thresholds
        if self.context is not None and self._is_read(ground, score):
            reading = self.context.read(evidence, measured, odds)
            score, thresholds = reading.score, self.context.thresholds
        label = thresholds[ground].label(score)
        relations = relate(evidence, measured.swaps, label != "clean")
        spans: tuple[Span, ...] = ()
        reason = None
        if label != "clean":
            swaps = reconsider_swaps(evidence, measured.swaps, relations)
            spans = build_spans(evidence, swaps, *self._find_words(evidence, measured, reading))
            reason = _main_reason(spans)
        return Verdict(
            article.id,
            article.source,
            round(score, 4),
            label,
            reason,
            spans,
            relations,
            self.name,
        )

    def _find_words(
        self, evidence: Evidence, measured: Measured, reading: Reading | None
    ) -> tuple[NDArray[np.int32], NDArray[np.float64], Ranker]:
        """The words that may have been swapped in, how probably, and what ranks their originals."""
        article = evidence.article
        if reading is not None and self.context is not None:
            everywhere = np.arange(len(article), dtype=np.int32)
            return everywhere, reading.words, partial(self.context.rank_originals, article, count=SUGGESTIONS)
        words = measured.words if measured.usage is None else measured.usage
        rank = partial(rank_originals, article, weights=self.model.originals, count=SUGGESTIONS)
        return evidence.wordings.places, words, rank


#: How many features each scorer sees.
WIDTHS: Final[Mapping[str, int]] = {
    "words": len(WORDING), "strange": len(WORDING), "pairs": len(PAIR), "directions": len(DIRECTION),
    "swaps": len(SECOND_LOOK), "usage": len(USAGE), "alone": len(ALONE), "compared": len(COMPARED),
}  # fmt: skip


def _check_model(model: Model, lexicon: Lexicon, file: str | Path | None) -> None:
    """Raises :class:`unspun.classifier.ModelError` for a model of other features or another lexicon."""
    fits = all(scorer.ranker.fits(WIDTHS[name]) for name, scorer in model.scorers.items())
    if not fits or len(model.originals) != len(ORIGINAL) or len(model.habits.words) != lexicon.size:
        raise ModelError(f"{file or model.name}: was trained for other features or another lexicon: train it anew")


def _to_article(value: str | Article, identifier: str) -> Article:
    return Article(identifier, value) if isinstance(value, str) else value


def _decide(verdict: Verdict, found: ArticleDecisions) -> Verdict:
    """``verdict`` with what was decided on its spans and, as its label unless it is unscored, on the article."""
    label, reason = verdict.label, verdict.reason
    if found.whole and label != "unscored":
        dismissed = found.whole.decision == "dismissed"
        label, reason = ("clean", None) if dismissed else ("spun", reason or "reviewer_confirmed")
    spans = found.mark(verdict.spans)
    return replace(verdict, label=label, reason=reason, spans=spans, decision=found.whole, stale=found.stale)


def _main_reason(spans: Iterable[Span]) -> str:
    """The reason code of the kind that the evidence is strongest for; a name taken apart says more than a
    swapped word, so it counts three of those."""
    weights = {"trick": 2.0, "name": 3.0, "quote": 2.0, "phrase": 2.0, "synonym": 1.0, "grammar": 1.0}
    totals = dict[str, float]()
    for span in spans:
        totals[span.kind] = totals.get(span.kind, 0.0) + weights[span.kind] * span.score
    return REASON_OF_KIND[max(totals, key=lambda kind: totals[kind])] if totals else "synonyms_swapped"


_worker: tuple[Detector, References | None, Decisions | None] | None = None


def _start_worker(detector: Detector, references: References | None, decisions: Decisions | None) -> None:
    global _worker
    _worker = detector, references, decisions


def _score_chunk(chunk: list[Article | Unreadable]) -> list[Verdict]:
    assert _worker is not None
    detector, references, decisions = _worker
    return [detector._score_one(article, references, decisions) for article in chunk]
