"""The articles that are timed: honest texts joined to a length, and what our own spinners make of them."""

from __future__ import annotations

import json
import random
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final

from unspun.article import Article
from unspun.lexicon import Lexicon
from unspun.readers import read_articles
from unspun.resources import find_data
from unspun.training.corpora import HUMAN, read_corpus, split
from unspun.training.dictionaries import Dictionary, load_dictionaries
from unspun.training.spinner import draw_settings, spin

#: References of an article.
REFERENCES: Final = 3
#: Lengths run evenly from this share of the mean to as much above it.
_SHORTEST: Final = 0.5
#: Texts of the shared corpora that are joined, of each corpus: more would say nothing more about speed.
_TEXTS: Final = 200
_WORD: Final = re.compile(r"\S+")


@dataclass(frozen=True, slots=True)
class Timed:
    """An article with three references of about its length: of a spun one its source and two other reports of the same
    events, of an honest one two such reports and one of other events."""

    text: str
    references: tuple[str, ...]
    spun: bool


@dataclass(frozen=True, slots=True)
class Pool:
    """What articles are made of: honest texts, events with three or more reports of each, and spinners."""

    texts: tuple[str, ...]
    events: tuple[tuple[str, ...], ...]
    dictionaries: tuple[Dictionary, ...]


def read_pool(lexicon: Lexicon, shared: Path | None = None) -> Pool:
    """The repository's own texts (sample reports, ``llm_prose.jsonl``) and spinners, or with ``shared`` the validation
    part of the human corpora and all spinners. Raises FileNotFoundError where ``shared`` is not the shared folder."""
    events = defaultdict[str, list[str]](list)
    if shared:
        documents = [d for name in HUMAN for d in read_corpus(shared, name) if split(d.group) == "validation"]
        by_corpus = defaultdict[str, list[str]](list)
        for document in documents:
            by_corpus[document.corpus].append(document.text)
            if document.corpus == "ecbplus_clusters" and document.cluster:
                events[document.cluster].append(document.text)
        texts = [text for found in by_corpus.values() for text in found[:_TEXTS]]
    else:
        prose = (find_data("llm_prose.jsonl")).read_text("utf-8").splitlines()
        texts = [json.loads(line)["text"] for line in prose]
        for report in read_articles([find_data("samples") / "references"]):
            if isinstance(report, Article):
                events[report.id.partition("-")[0]].append(report.text)
                texts.append(report.text)
    told = tuple(tuple(reports) for reports in events.values() if len(reports) >= REFERENCES)
    return Pool(tuple(texts), told, tuple(load_dictionaries(lexicon, shared)))


def join_texts(texts: Sequence[str], words: int, rng: random.Random) -> str:
    """``texts`` one after the other, in random order and again when all were taken, cut to so many words."""
    pieces, length = list[str](), 0
    while length < words:
        for text in rng.sample(texts, len(texts)):
            pieces.append(text)
            length += len(text.split())
            if length >= words:
                break
    return _cut("\n\n".join(pieces), words)


def _cut(text: str, words: int) -> str:
    match = next(islice(_WORD.finditer(text), words - 1, None), None)
    return text[: match.end()] if match else text


def spin_article(text: str, dictionaries: Sequence[Dictionary], rng: random.Random) -> str:
    """``text`` as one of the spinners rewrites it, with settings as they are met."""
    return spin(text, rng.choice(dictionaries), draw_settings(rng), rng).text


def _draw_words(mean: int, rng: random.Random) -> int:
    return round(mean * rng.uniform(_SHORTEST, 2 - _SHORTEST))


def make_texts(
    texts: Sequence[str], dictionaries: Sequence[Dictionary], count: int, words: int, share: float, seed: str
) -> list[tuple[str, bool]]:
    """So many articles of ``words`` words in the mean, a ``share`` of them spun (and whether each is), in random order;
    equal seeds give equal articles."""
    rng = random.Random(seed)
    made = []
    for number in range(count):
        text = join_texts(texts, _draw_words(words, rng), rng)
        spun = number < share * count
        made.append((spin_article(text, dictionaries, rng) if spun else text, spun))
    rng.shuffle(made)
    return made


def make_compared(pool: Pool, count: int, words: int, share: float) -> list[Timed]:
    """As :func:`make_texts`, each with its references. Raises ValueError where too few events are told three times."""
    if len(pool.events) < 2:
        raise ValueError("fewer than two events have three reports that can be read: pip install '.[bench]'")
    rng = random.Random("compared")
    made = []
    for number in range(count):
        length, spun = _draw_words(words, rng), number < share * count
        events = rng.sample(pool.events, len(pool.events))
        # Each version tells the same events in the same order.
        versions, taken = [""] * REFERENCES, 0
        while min(len(version.split()) for version in versions) < length:
            reports = rng.sample(events[taken % len(events)], REFERENCES)
            versions = [f"{version}\n\n{report}".lstrip() for version, report in zip(versions, reports, strict=True)]
            taken += 1
        source, *others = (_cut(version, length) for version in versions)
        if spun:
            made.append(Timed(spin_article(source, pool.dictionaries, rng), (source, *others), spun))
        else:
            stranger = _cut("\n\n".join(event[0] for event in reversed(events)), length)
            made.append(Timed(source, (*others, stranger), spun))
    rng.shuffle(made)
    return made


def stream_short(words: list[str], numbers: Iterable[int], length: int) -> Iterator[str]:
    """Short articles, one a number, each of two stretches of a long text that no other has together; none is kept."""
    half = length // 2
    places = len(words) - half
    for number in numbers:
        # Two steps without a common factor with most numbers: the pairs of places do not come again for long.
        first, second = number * 7919 % places, number * 104729 % places
        yield " ".join(words[first : first + half] + words[second : second + half])
