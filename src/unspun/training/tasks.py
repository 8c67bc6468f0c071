"""Situations drawn, examined and measured on all cores: what the fitting of each stage learns from."""

from __future__ import annotations

import multiprocessing
import random
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from unspun.article import Article
from unspun.classifier import Model
from unspun.evidence import Evidence, gather_evidence
from unspun.examined import Examined
from unspun.extractors.originals import measure_originals
from unspun.extractors.wording import Wordings, examine_wording
from unspun.lexicon import Lexicon
from unspun.references import References
from unspun.scoring import measure
from unspun.text import Text, Word
from unspun.training.corpora import EXCERPTS, Excerpt
from unspun.training.original_weights import Choice
from unspun.training.situations import LENGTHS, MIRRORED, Pool, Situation, cut, draw_alone, draw_situation
from unspun.training.unseen_habits import UnseenHabits

T = TypeVar("T")

#: Rules' scores before they are measured.
UNMEASURED: Final = {"a_an": 0.5, "doubled": 0.5, "phrase": 0.5}


@dataclass(frozen=True, slots=True)
class Row:
    """One situation as the article heads see it; ``strange``: as if its spinner had never been seen."""

    alone: NDArray[np.float64]
    compared: NDArray[np.float64] | None
    spun: bool
    case: str
    corpus: str
    group: str
    document: str
    family: str | None
    rate: float
    words: int
    strange: bool = False


@dataclass(frozen=True, slots=True)
class SpunWords:
    """The words of one text: lexicon numbers of each and of its neighbours, int32[words], -1 none; whether it was
    swapped in, bool[words]; the group of the text, the family that spun it."""

    ids: NDArray[np.int32]
    left: NDArray[np.int32]
    right: NDArray[np.int32]
    swapped: NDArray[np.bool_]
    group: str
    family: str | None = None


# Set by run_tasks before it forks: workers share pools and models, and only numbers travel.
_pool: Pool
_model: Model | None = None
_unseen: UnseenHabits | None = None
_lexicon: Lexicon


def _draw(seed: str, spun: bool) -> Situation:
    rng = random.Random(seed)
    while True:
        situation = draw_situation(_pool, rng, spun)
        if situation is not None:
            return situation


def _gather(situation: Situation) -> Evidence:
    references = None
    if situation.references:
        references = References.build((Article(f"r{n}", text) for n, text in enumerate(situation.references)), _lexicon)
    rules = _model.rules if _model else UNMEASURED
    return gather_evidence(Text(situation.article), _lexicon, rules, references)


def read_spun_words(task: tuple[str, bool]) -> SpunWords:
    """What habits are counted from: the words of one text without references."""
    situation = draw_alone(_pool, random.Random(task[0]), task[1])
    article = Examined(Text(situation.article), _lexicon)
    _, left, right, _ = article.neighbours
    swapped = swapped_words(situation, article.text.words)
    return SpunWords(article.ids, left, right, swapped, situation.group, situation.family)


def swapped_words(situation: Situation, words: Sequence[Word]) -> NDArray[np.bool_]:
    """Which words of the article stand in a true swap: bool[words]. A disguised word is still the same word."""
    swapped = np.zeros(len(words), np.bool_)
    index = 0
    for swap in situation.swaps:
        if swap.kind == "trick":
            continue
        while index < len(words) and words[index].end <= swap.start:
            index += 1
        at = index
        while at < len(words) and words[at].start < swap.end:
            swapped[at] = True
            at += 1
    return swapped


def label_pairs(situation: Situation, evidence: Evidence) -> NDArray[np.bool_]:
    """Which pairs show a true swap and what stood there: bool[pairs].

    True when the pair's words lie in a swap for half or more, and the reference's wording holds a word of the
    original's; a swapped word opposite something else shows nothing.
    """
    labels = np.zeros(len(evidence.substitutions.pairs), np.bool_)
    if not situation.swaps:
        return labels
    words = evidence.article.text.words
    swapped = swapped_words(situation, words)
    for i, pair in enumerate(evidence.substitutions.pairs):
        if swapped[pair.a0 : pair.a1].mean() < 0.5:
            continue
        start, end = words[pair.a0].start, words[pair.a1 - 1].end
        originals = {
            word
            for swap in situation.swaps
            if swap.start < end and swap.end > start
            for word in swap.original.lower().replace("’", "'").split()
        }
        other = evidence.comparisons[evidence.substitutions.owner[i]].reference.examined
        labels[i] = not originals.isdisjoint(other.text.norms[pair.r0 : pair.r1])
    return labels


def learn_words(task: tuple[str, bool]) -> dict[str, Any]:
    """What the scorers of words and pairs learn from one situation."""
    situation = _draw(*task)
    evidence = _gather(situation)
    swapped = swapped_words(situation, evidence.article.text.words)
    found = evidence.substitutions
    hits = defaultdict[str, list[bool]](list)
    if situation.spun:
        for finding in evidence.rules:
            if finding.kind == "trick":
                continue
            norms = evidence.article.text.norms
            rule = finding.kind
            if rule == "grammar":
                rule = "doubled" if norms[finding.first] == norms[finding.last - 1] else "a_an"
            hits[rule].append(bool(swapped[finding.first : finding.last].any()))
    return {
        "words": evidence.wordings,
        "swapped": swapped[evidence.wordings.places],
        "pairs": found.features,
        "shown": label_pairs(situation, evidence),
        # Beside its own spun copy an original shows the same pairs the other way round.
        "mirrored": situation.case in MIRRORED,
        "coverage": np.array([c.alignment.coverage for c in evidence.comparisons])[found.owner],
        "directions": evidence.directions,
        "hits": dict(hits),
        "choices": _find_choices(situation, evidence.article),
        "usage": evidence.usage.features if evidence.usage else None,
        "group": situation.group,
        "family": situation.family,
    }


#: Swaps of one text from which the ranking of originals learns: more of one text say little more.
_MAX_CHOICES: Final = 8


def _find_choices(situation: Situation, article: Examined) -> list[Choice]:
    """One-word swaps whose original is among the synonyms of what replaced it."""
    place_of = {word.start: place for place, word in enumerate(article.text.words)}
    choices = list[Choice]()
    for swap in situation.swaps:
        place, originals = place_of.get(swap.start), Text(swap.original).norms
        if len(choices) == _MAX_CHOICES:
            break
        if place is None or len(originals) != 1 or article.text.words[place].end != swap.end:
            continue
        _, candidates, features = measure_originals(article, np.array([place]))
        [true] = np.nonzero(candidates == article.lexicon.ids(originals)[0])
        if len(true):
            choices.append((features, int(true[0])))
    return choices


def measure_row(situation: Situation, evidence: Evidence, model: Model) -> Row:
    """The situation as the article heads see it."""
    measured = measure(evidence, model)
    return Row(
        measured.alone, measured.compared, situation.spun, situation.case, situation.corpus, situation.group,
        situation.document, situation.family, situation.rate, len(evidence.article),
    )  # fmt: skip


#: Share of the articles that teach the heads that are measured as if their spinner had never been seen.
STRANGE: Final = 0.5


def _measure_heads(task: tuple[str, bool]) -> Row:
    assert _model is not None
    situation = _draw(*task)
    if _unseen is None:
        return measure_row(situation, _gather(situation), _model)
    # A text that habits were counted over is measured by those of the other folds.
    strange = random.Random(f"{task[0]}:strange").random() < STRANGE
    group, family = situation.group, situation.family
    habits = _unseen.find_strange(group, family) if strange else _unseen.find(group)
    row = measure_row(situation, _gather(situation), replace(_model, habits=habits))
    return replace(row, strange=strange)


def measure_honest(task: tuple[str, bool]) -> Row:
    """One honest document alone, cut to a drawn length; the task's name ends in the document's number."""
    assert _model is not None
    rng = random.Random(task[0])
    documents = [document for corpus in sorted(_pool.documents) for document in _pool.documents[corpus]]
    document = documents[int(task[0].rsplit(":", 1)[1]) % len(documents)]
    text = cut(document.text, rng.randint(*_pool.lengths), rng)
    situation = Situation(text, (), False, (), "alone", document.corpus, document.group, document.id)
    return measure_row(situation, _gather(situation), _model)


@dataclass(frozen=True, slots=True, eq=False)
class ExcerptWords:
    """The examined words of a really spun excerpt, and which of them stand in a wording noted as swapped, bool[m];
    the excerpt's group."""

    words: Wordings
    swapped: NDArray[np.bool_]
    group: str


def learn_excerpt(excerpt: Excerpt, lexicon: Lexicon) -> ExcerptWords:
    """What the scorers of words learn from an excerpt. The notes name most swaps, not all."""
    article = Examined(Text(excerpt.text), lexicon)
    swapped = np.zeros(len(article), np.bool_)
    for first, new, _ in excerpt.find_noted(article.text.norms):
        swapped[first : first + len(new)] |= new
    wordings = examine_wording(article)
    return ExcerptWords(wordings, swapped[wordings.places], excerpt.group)


def measure_excerpt(excerpt: Excerpt, cuts: int, lexicon: Lexicon, model: Model, seed: str) -> list[Row]:
    """A really spun excerpt, alone, in several cuts."""
    rows = list[Row]()
    for number in range(cuts):
        rng = random.Random(f"{seed}:{excerpt.id}:{number}")
        text = cut(excerpt.text, rng.randint(*LENGTHS), rng)
        situation = Situation(text, (), True, (), "alone", EXCERPTS, excerpt.group, excerpt.id, EXCERPTS)
        rows.append(measure_row(situation, gather_evidence(Text(text), lexicon, model.rules), model))
    return rows


def run_tasks(
    function: Callable[[tuple[str, bool]], T],
    pool: Pool,
    tasks: Sequence[tuple[str, bool]],
    lexicon: Lexicon,
    model: Model | None = None,
    unseen: UnseenHabits | None = None,
) -> list[T]:
    """``function`` over the tasks (seed, spun), on all cores; the result does not depend on their number."""
    global _pool, _model, _unseen, _lexicon
    _pool, _model, _unseen, _lexicon = pool, model, unseen, lexicon
    context = multiprocessing.get_context("fork")
    with context.Pool() as workers:
        return list(workers.imap(function, tasks, chunksize=32))


def measure_situations(
    pool: Pool,
    tasks: Sequence[tuple[str, bool]],
    lexicon: Lexicon,
    model: Model,
    unseen: UnseenHabits | None = None,
) -> list[Row]:
    """The situations of the tasks as the article heads see them; the model needs the scorers below the heads.
    ``unseen``: habits that do not know a text, where the model's were counted over these texts."""
    return run_tasks(_measure_heads, pool, tasks, lexicon, model, unseen)


def name_tasks(seed: str, count: int) -> list[tuple[str, bool]]:
    """Tasks for drawn situations, every second one spun."""
    return [(f"{seed}:{n}", n % 2 == 0) for n in range(count)]


def name_honest_tasks(seed: str, pool: Pool, least: int) -> list[tuple[str, bool]]:
    """Every document of the pool once, those of small corpora so often that each corpus comes to ``least``."""
    tasks, first = list[tuple[str, bool]](), 0
    for corpus in sorted(pool.documents):
        size = len(pool.documents[corpus])
        for turn in range(-(-least // size)):
            tasks += [(f"{seed}:{turn}:{first + n}", False) for n in range(size)]
        first += size
    return tasks
