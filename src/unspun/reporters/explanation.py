"""A verdict in plain words, the same on a page, in a terminal and in a log. Nothing here is escaped."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Final

from unspun.article import KINDS, SURE, Article, Span, Verdict
from unspun.reporters.correspondence import Correspondence
from unspun.text import Text

BANNER: Final = "A signal, not a verdict: a person decides."
HEADLINES: Final = {
    "spun": "Spun: words were probably swapped by a machine",
    "suspect": "Suspect: some words may have been swapped by a machine",
    "clean": "Clean: no sign of swapped words",
    "unscored": "Not scored",
}
#: What a kind means, for legends and tables.
KIND_WORDS: Final = {
    "trick": "look-alike or hidden letters",
    "name": "name or title altered",
    "quote": "quotation altered",
    "phrase": "tortured phrase",
    "synonym": "swapped word or phrase",
    "grammar": "broken grammar",
}
#: The relation of an article to a reference, to follow "the article is".
RELATION_WORDS: Final = {
    "spun": "spun from it",
    "copy": "a copy of it",
    "edited": "an edited version of it",
    "independent": "written independently of it",
}

_NUMBERS: Final = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


def say_percent(probability: float) -> str:
    if probability >= 0.995:
        return "over 99 %"
    return "under 1 %" if probability < 0.005 else f"{probability * 100:.0f} %"


def say_score(score: float) -> str:
    """What a calibrated score means: the share that is spun among texts that score so."""
    share = "more than 99" if score >= 0.995 else "fewer than 1" if score < 0.005 else f"about {score * 100:.0f}"
    return f"Of 100 articles with such a score {share} are spun, where one article in ten is."


def say_why(span: Span, name: Callable[[str], str], agreeing: Sequence[str] = ()) -> str:
    """Why ``span`` is suspected, in one sentence. ``name`` gives the name of a reference from its id; ``agreeing``
    are the ids of the other references that say the same as the span's."""
    if span.reference is None:
        return _say_why_alone(span)
    others = ""
    if agreeing:
        others = f", and so {'does' if len(agreeing) == 1 else 'do'} {_list([name(id) for id in agreeing])}"
    where = name(span.reference.id)
    if span.kind == "quote":
        return f"Inside a quotation, where {where} quotes{_quote(span.reference.text)}{others}."
    if span.kind == "name":
        return f"{where} has this name or title as{_quote(span.reference.text)}{others}."
    return f"Where the article has this, {where} says{_quote(span.reference.text)}{others}."


def _say_why_alone(span: Span) -> str:
    better = _quote(span.suggestion) if span.suggestion is not None else ""
    if span.kind == "trick":
        return "It holds letters of another alphabet or hidden characters, which readers do not see and searches miss."
    if span.kind == "grammar":
        return "The grammar is broken in the way that swapping single words breaks it."
    if span.kind == "phrase":
        return f"It is known from spun texts to stand for a fixed expression{better}."
    if span.kind == "name":
        return f"The word does not belong in this name or title{', where one expects' + better if better else ''}."
    return f"The word does not fit the words around it{'; a better fit is' + better if better else ''}."


def _quote(wording: str) -> str:
    return f" “{' '.join(wording.split())}”"


def summarise(article: Article, verdict: Verdict, compared: Sequence[tuple[str, Correspondence]] = ()) -> str:
    """What was found in one sentence, the most telling first, empty where that is nothing.

    ``compared``: names of references and how the article's sentences go with theirs.
    """
    spans = [span for span in verdict.spans if not span.dismissed]
    clauses = [clause for name, found in compared if (clause := _say_following(name, found))]
    counts = Counter(span.kind for span in spans)
    clauses += [_say_kind(kind, counts[kind], article, spans) for kind in KINDS if counts[kind]]
    unsure = sum(span.score < SURE for span in spans)
    if unsure:
        clauses.append(f"{_count(unsure, 'of these is', 'of these are')} less sure than {SURE * 100:.0f} %")
    shown = sum(span.reference is not None for span in spans)
    if spans and verdict.references:
        clauses.append(f"a reference shows {'all' if shown == len(spans) else _spell(shown)} of them")
    dismissed = len(verdict.spans) - len(spans)
    if dismissed:
        clauses.append(f"{_count(dismissed, 'more was', 'more were')} dismissed by a reviewer")
    sentence = "; ".join(clauses)
    return f"{sentence[0].upper()}{sentence[1:]}." if sentence else ""


def _say_following(name: str, found: Correspondence) -> str | None:
    following, same = sum(found.follows), sum(found.same)
    if not following:
        return None
    word_for_word = f", {'all' if same == following else _spell(same)} of them word for word" if same else ""
    total = len(found.follows)
    return f"{following} of {total} {'sentence follows' if total == 1 else 'sentences follow'} {name}{word_for_word}"


def _say_kind(kind: str, count: int, article: Article, spans: Sequence[Span]) -> str:
    if kind == "synonym":
        return _count(count, "word or phrase swapped", "words or phrases swapped")
    if kind == "name":
        return _count(count, "name or title altered", "names or titles altered")
    if kind == "quote":
        places = [span.start for span in spans if span.kind == "quote"]
        quotations = Text(article.text).quotations
        altered = sum(bisect_left(places, end) > bisect_left(places, start) for start, end in quotations)
        return f"{_count(max(altered, 1), 'quotation', 'quotations')} altered in {_count(count, 'place', 'places')}"
    if kind == "phrase":
        return _count(count, "tortured phrase", "tortured phrases")
    if kind == "grammar":
        return _count(count, "place with broken grammar", "places with broken grammar")
    return _count(count, "word with look-alike or hidden letters", "words with look-alike or hidden letters")


def _count(number: int, one: str, many: str) -> str:
    return f"{_spell(number)} {one if number == 1 else many}"


def _spell(number: int) -> str:
    return _NUMBERS[number] if number < len(_NUMBERS) else f"{number:,}"


def _list(names: Sequence[str]) -> str:
    *most, last = names
    return f"{', '.join(most)} and {last}" if most else last
