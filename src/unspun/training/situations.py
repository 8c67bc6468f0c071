"""Training situations: an article, what it is compared with, and the truth about both.

Every case that a user meets is drawn: spun with and without its source at hand, an honest report beside
others of the event, copies, edited copies, an original beside its own spun copy, a quotation altered, letters
disguised. Honest and spun articles come from the same texts, so that neither subject nor period tells them
apart.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from unspun.text import Text
from unspun.training.corpora import Document
from unspun.training.dictionaries import Dictionary
from unspun.training.edits import edit
from unspun.training.spinner import SpinSettings, Swap, draw_settings, spin
from unspun.training.tampering import leave_residue, tamper

#: Cases in which the article is spun, and in which it is honest, with how often each is drawn.
#: A drawn ``event_quote`` seldom suits the story drawn, so it is drawn more often than it is wanted.
SPUN_CASES: Final = {"alone": 3, "source": 3, "event": 3, "unrelated": 1, "quote": 1, "event_quote": 4, "tampered": 0.5}
HONEST_CASES: Final = {"alone": 3, "event": 3, "edited": 2, "own_copy": 1, "event_copy": 2, "unrelated": 1}
#: Honest cases with a spun copy among the references.
MIRRORED: Final = ("own_copy", "event_copy")
#: Cases that need other reports of the same event.
_NEEDS_STORY: Final = frozenset(("event", "event_copy", "event_quote"))
#: Cases in which only quotations are altered, with and without the article's own source at hand.
QUOTES: Final = ("quote", "event_quote")
#: Words in sequence, inside quotation marks, by which two reports quote the same statement.
_STATEMENT: Final = 6
#: Words of a situation's article: short ones too, so that doubt at small lengths is learnt.
LENGTHS: Final = (60, 500)
#: Share of honest articles that carry stray invisible characters.
RESIDUE: Final = 0.05
#: Other reports of the event among the references, at most.
MAX_OTHERS: Final = 3


@dataclass(frozen=True, slots=True)
class Situation:
    """An article with its references and the truth: ``swaps`` are exact when ``spun``; ``document``: the id of the
    text that the article was made from, ``group`` that of its event or site."""

    article: str
    references: tuple[str, ...]
    spun: bool
    swaps: tuple[Swap, ...]
    case: str
    corpus: str
    group: str
    document: str
    family: str | None = None
    rate: float = 0.0


@dataclass(frozen=True, slots=True)
class Pool:
    """What situations are drawn from: documents by corpus, reports by story (of any corpus), dictionaries by
    family. ``rate`` fixes the share of words swapped; None draws it as real spinners do."""

    documents: Mapping[str, Sequence[Document]]
    stories: Sequence[Sequence[Document]]
    dictionaries: Mapping[str, Dictionary]
    rate: float | None = None
    lengths: tuple[int, int] = LENGTHS


def cut(text: str, words: int, rng: random.Random) -> str:
    """A run of whole sentences of about that many words, from a random place; short texts come whole."""
    source = Text(text)
    if len(source.words) <= words * 1.2:
        return text
    sentences = source.sentences
    latest = max((i for i, (first, _) in enumerate(sentences) if len(source.words) - first >= words), default=0)
    begin = rng.randint(0, latest)
    end = begin
    while end + 1 < len(sentences) and sentences[end][1] - sentences[begin][0] < words:
        end += 1
    start = source.words[sentences[begin][0]].start
    stop = source.words[sentences[end + 1][0]].start if end + 1 < len(sentences) else len(text)
    return text[start:stop].rstrip()


def draw_alone(pool: Pool, rng: random.Random, spun: bool) -> Situation:
    """A cut of a drawn text without references."""
    corpus = rng.choice(sorted(pool.documents))
    document = rng.choice(pool.documents[corpus])
    article = cut(document.text, rng.randint(*pool.lengths), rng)
    swaps, family, rate = tuple[Swap, ...](), None, 0.0
    if spun:
        article, swaps, family, rate = spin_drawn(article, pool, rng)
    return Situation(article, (), spun, swaps, "alone", corpus, document.group, document.id, family, rate)


def spin_drawn(text: str, pool: Pool, rng: random.Random) -> tuple[str, tuple[Swap, ...], str, float]:
    """The text spun by a drawn family with drawn settings: the new text, its swaps, the family, the rate."""
    family = rng.choice(sorted(pool.dictionaries))
    settings = draw_settings(rng)
    if pool.rate is not None:
        settings = replace(settings, rate=pool.rate, part="whole")
    spun = spin(text, pool.dictionaries[family], settings, rng)
    return spun.text, spun.substitutions, family, spun.rate


def _alter_quotes(text: str, pool: Pool, rng: random.Random) -> tuple[str, tuple[Swap, ...], str, float]:
    """Only what stands in quotation marks is swapped."""
    pieces, swaps, at, grown = list[str](), list[Swap](), 0, 0
    family = rng.choice(sorted(pool.dictionaries))
    settings = SpinSettings(rate=rng.uniform(0.15, 0.5), names=False, quotes=True)
    for start, end in Text(text).quotations:
        if len(text[start:end].split()) < 8:
            continue
        spun = spin(text[start:end], pool.dictionaries[family], settings, rng)
        pieces += [text[at:start], spun.text]
        swaps += [
            replace(
                s, start=s.start + start + grown, end=s.end + start + grown,
                original_start=s.original_start + start, original_end=s.original_end + start, kind="quote",
            )
            for s in spun.substitutions
        ]  # fmt: skip
        grown += len(spun.text) - (end - start)
        at = end
    rate = len(swaps) / max(1, len(text.split()))
    return "".join([*pieces, text[at:]]), tuple(swaps), family, rate


def _quote_alike(text: str, report: str) -> bool:
    """Whether a report has some words in sequence of what the text quotes."""
    norms = Text(report).norms
    theirs = {tuple(norms[i : i + _STATEMENT]) for i in range(len(norms) - _STATEMENT + 1)}
    for start, end in Text(text).quotations:
        said = Text(text[start:end]).norms
        if any(tuple(said[i : i + _STATEMENT]) in theirs for i in range(len(said) - _STATEMENT + 1)):
            return True
    return False


def draw_situation(pool: Pool, rng: random.Random, spun: bool) -> Situation | None:
    """One situation, or None where the text drawn does not suit the case drawn (draw again)."""
    cases = SPUN_CASES if spun else HONEST_CASES
    case = rng.choices(list(cases), list(cases.values()))[0]
    others = list[Document]()
    if case in _NEEDS_STORY or (case in ("source", "quote", "own_copy") and rng.random() < 0.6):
        if not pool.stories:
            return None
        story = list(rng.choice(pool.stories))
        rng.shuffle(story)
        document, *others = story
    else:
        document = rng.choice(pool.documents[rng.choice(sorted(pool.documents))])
    if case in QUOTES and not any(end - start > 60 for start, end in Text(document.text).quotations):
        return None
    strangers = [
        d.text
        for d in rng.choices(pool.documents[rng.choice(sorted(pool.documents))], k=rng.randint(0, 2))
        if d.group != document.group
    ]
    low, high = pool.lengths
    text = cut(document.text, rng.randint(low, high), rng)
    if len(text.split()) < low * 0.6:
        return None
    reports = [other.text for other in others[: rng.randint(1, MAX_OTHERS)] if other.text != document.text]
    if case == "event_quote":
        quoting = [other.text for other in others if other.text != document.text and _quote_alike(text, other.text)]
        reports = quoting[: rng.randint(1, MAX_OTHERS)]
    swaps: tuple[Swap, ...] = ()
    family, rate, article = None, 0.0, text
    if spun and case == "tampered":
        article, swaps = tamper(text, rng.uniform(0.03, 0.3), rng)
        family, rate = "tampered", len(swaps) / len(text.split())
    elif spun:
        change = _alter_quotes if case in QUOTES else spin_drawn
        article, swaps, family, rate = change(text, pool, rng)
        if sum(s.kind != "grammar" for s in swaps) < 3:
            return None
    references = {
        "alone": [],
        "tampered": rng.choice(([], [document.text, *strangers])),
        # The source stands there whole, though the article may be a part of it.
        "source": [document.text, *reports, *strangers],
        "event": [*reports, *strangers],
        "event_quote": [*reports, *strangers],
        "unrelated": strangers,
        # An altered quotation is one when somebody else quotes it: the source, standing for a third report, and
        # often a fourth that agrees with it.
        "quote": [document.text, *([edit(document.text, rng)] * rng.randint(0, 1)), *reports, *strangers],
        "edited": [document.text, *reports, *strangers],
        "own_copy": [spin_drawn(document.text, pool, rng)[0], *reports, *strangers],
        "event_copy": [
            *(spin_drawn(r, pool, rng)[0] if i == 0 else r for i, r in enumerate(reports)),
            *strangers,
        ],
    }[case]
    if case == "edited":
        article = edit(text, rng)
    if not spun and rng.random() < RESIDUE:
        article = leave_residue(article, rng)
    if case in _NEEDS_STORY and not reports:
        return None
    rng.shuffle(references)
    return Situation(
        article, tuple(references), spun, swaps, case, document.corpus, document.group, document.id, family, rate
    )
