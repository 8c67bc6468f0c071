"""An article with its suggestions put back.

A pure function of an article, its verdict and the references that the verdict names. Offsets are half-open and
count Unicode code points, in the article and in the restored text alike.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence, Set
from dataclasses import dataclass
from typing import Final

from unspun.article import SURE, Article, Passage, Span, Verdict, check_spans
from unspun.examined import Examined
from unspun.extractors.grammar import wrong_article
from unspun.lexicon import Lexicon
from unspun.search_phrases import find_phrases
from unspun.text import WORD, Text

#: How often a suggestion that no reference shows is the original's wording, given that its words were swapped: counted
#: as in :mod:`unspun.search_phrases` (0.4-0.5).
_UNSHOWN_TRUST: Final = 0.45
#: "a" or "an" directly in front, and the code points before a span in which it is looked for.
_ARTICLE: Final = re.compile(r"(?<![\w-])(an?)(\s+[\"“‘'(]?)\Z", re.IGNORECASE)
_REACH: Final = 12
_OPENING: Final = "\"“‘'("
#: Share of a sentence's longer words with a capital from which it is a headline, as in Examined.named, and the
#: letters from which a headline capitalises a word.
_HEADLINE: Final = 0.7
_LONG: Final = 4


@dataclass(frozen=True, slots=True)
class Replacement:
    """``article.text[start:end] == text`` became ``restored.text[restored_start:restored_end] == suggestion``.

    ``kind`` and ``score`` are the span's, ``reference`` is the id of the reference that shows the wording. An
    article in front that has to follow ("an assertion" becomes "a statement") is a replacement of its own, of kind
    ``grammar``, as sure as the span behind it.
    """

    start: int
    end: int
    text: str
    restored_start: int
    restored_end: int
    suggestion: str
    kind: str
    score: float
    reference: str | None

    @property
    def sure(self) -> bool:
        """Whether the wording is no guess: letters undisguised, or a sure swap that a reference shows.

        Over the spun samples 0.92 of those are the original's words beside other reports, 0.996 beside the
        source; of what no reference shows 0.3-0.45 are.
        """
        return self.score >= SURE and (self.reference is not None or self.kind == "trick")


@dataclass(frozen=True, slots=True)
class Restored:
    """The restored ``text`` of the article ``id``: outside the replacements it is the article's own.

    ``replacements`` are in text order and do not overlap. ``search_phrases`` stand in quotation marks, the most
    promising first; an article without a score has none.
    """

    id: str
    source: str | None
    label: str
    score: float | None
    text: str
    replacements: tuple[Replacement, ...]
    search_phrases: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Edit:
    """``wording`` for ``[start, end)`` of the article, on account of ``span``; ``trust``: the probability that the
    wording is the original's."""

    start: int
    end: int
    wording: str
    kind: str
    span: Span
    trust: float


def restore(article: Article, verdict: Verdict, lexicon: Lexicon, references: Sequence[Article] = ()) -> Restored:
    """The article of ``verdict`` with every suggestion put back, in the capitals of the words that it replaces.

    Every one: a suggestion without a reference is right in four cases of ten only, but what it replaces is wrong
    in more, so that leaving the unsure ones out brings no text nearer to its original. ``references``
    tell names from words that are capitalised because a sentence begins; without them a suggestion keeps its
    capital. Raises ValueError where a span does not fit the article's text.
    """
    replacements, parts, trusts = list[Replacement](), list[str](), list[tuple[int, int, float]]()
    read = length = 0
    for edit in _plan_edits(article, verdict, lexicon, references):
        parts += [article.text[read : edit.start], edit.wording]
        begin = length + edit.start - read
        read, length = edit.end, begin + len(edit.wording)
        trusts.append((begin, length, edit.trust))
        shown = article.text[edit.start : edit.end]
        if edit.wording != shown:
            shows = edit.span.reference.id if edit.span.reference else None
            replacements.append(
                Replacement(edit.start, edit.end, shown, begin, length, edit.wording, edit.kind, edit.span.score, shows)
            )
    text = "".join([*parts, article.text[read:]])
    phrases = () if verdict.score is None else find_phrases(text, trusts, lexicon)
    return Restored(article.id, article.source, verdict.label, verdict.score, text, tuple(replacements), phrases)


def _plan_edits(article: Article, verdict: Verdict, lexicon: Lexicon, references: Sequence[Article]) -> Iterator[_Edit]:
    """What stands at each span in the restored text, in text order; a span without a suggestion keeps its words."""
    raw, text = article.text, Text(article.text)
    starts = [text.words[first].start for first, _ in text.sentences]
    opening = frozenset(starts)
    styles = [_find_style(raw, text, first, last) for first, last in text.sentences]
    names = _Names(references, lexicon)
    check_spans(article, verdict.spans)
    read = 0
    for span in verdict.spans:
        style = styles[max(0, bisect_right(starts, span.start) - 1)] if styles else ""
        wording = _word(span, style, names)
        if wording is None:
            trust = 1.0 if span.dismissed else 1 - span.score
            yield _Edit(span.start, span.end, span.text, span.kind, span, trust)
        else:
            known = span.reference is not None or span.kind == "trick"
            yield from _mend_article(raw, span, wording, read, opening)
            yield _Edit(span.start, span.end, wording, span.kind, span, span.score * (1.0 if known else _UNSHOWN_TRUST))
        read = span.end


def _word(span: Span, style: str, names: _Names) -> str | None:
    """The suggestion as it stands in the span's place, None where there is none or the span was dismissed."""
    if span.dismissed or span.suggestion is None or not span.suggestion.strip():
        return None
    if span.kind == "trick":
        return span.suggestion
    # A passage of a reference can hold the end of a line.
    wording = " ".join(span.suggestion.split())
    if style == "capitals" and span.text.isupper():
        return wording.upper()
    first = next((char for char in span.text if char.isalpha()), "")
    if first.isupper():
        return _capitalise_headline(wording) if style == "headline" else _capitalise(wording)
    word = WORD.match(wording)
    plain = word is not None and word.end() - word.start() > 1 and word.group()[1:].islower()
    if first.islower() and plain and span.reference and not names.holds(span.reference):
        return wording[0].lower() + wording[1:]
    return wording


def _capitalise(wording: str) -> str:
    return wording[0].upper() + wording[1:]


def _capitalise_headline(wording: str) -> str:
    """The first word, the last and all longer ones with a capital."""

    def spell(word: re.Match[str]) -> str:
        short = len(word.group()) < _LONG and word.end() < len(wording)
        return word.group() if short else _capitalise(word.group())

    return _capitalise(WORD.sub(spell, wording))


class _Names:
    """Answers from the references whether a passage begins with a name."""

    def __init__(self, references: Iterable[Article], lexicon: Lexicon) -> None:
        self._articles = {reference.id: reference for reference in references}
        self._lexicon = lexicon
        self._examined = dict[str, Examined]()

    def holds(self, passage: Passage) -> bool:
        """Whether the passage's first word is a name; True too where its reference is not at hand."""
        article = self._articles.get(passage.id)
        if article is None or article.text[passage.start : passage.end] != passage.text:
            return True
        if passage.id not in self._examined:
            self._examined[passage.id] = Examined(Text(article.text), self._lexicon)
        examined = self._examined[passage.id]
        place = bisect_right(examined.text.words, passage.start, key=lambda word: word.start) - 1
        return bool(examined.named[max(0, place)])


def _find_style(raw: str, text: Text, first: int, last: int) -> str:
    """How the sentence of the words ``[first, last)`` uses capitals: ``capitals``, ``headline`` or ``plain``."""
    start, end = text.slice(first, last)
    if last - first > 2 and raw[start:end].isupper():
        return "capitals"
    longer = [raw[word.start].isupper() for word in text.words[first:last] if word.end - word.start >= _LONG]
    return "headline" if len(longer) > 2 and sum(longer) > _HEADLINE * len(longer) else "plain"


def _mend_article(raw: str, span: Span, wording: str, read: int, opening: Set[int]) -> Iterator[_Edit]:
    """The other one of "a" and "an", where ``wording`` asks for it and one stands in front, after ``read``."""
    found = _ARTICLE.search(raw, max(read, span.start - _REACH), span.start)
    after = WORD.search(wording)
    if found is None or after is None or found.group(2).count("\n") > 1:
        return
    stands = found.group(1)
    # The names of letters decide before acronyms, and a letter can be a name itself ("Vitamin A").
    capitals = span.text.isupper()
    acronym = after.group().isupper() and not capitals
    named = stands == "A" and not (capitals or found.start() in opening or raw[found.start() - 1] in _OPENING)
    if acronym or named or not wrong_article(stands.lower(), after.group().lower()):
        return
    other = "a" if len(stands) == 2 else "an"
    if stands[0].isupper():
        other = other.upper() if capitals else other.capitalize()
    yield _Edit(found.start(), found.end(1), other, "grammar", span, span.score)
