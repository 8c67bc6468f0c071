"""From marks to scores: the scorers of words and articles that the contextual model is read with, their thresholds, and
which articles it reads.

They learn from validation texts, which neither the transformer nor the fast model has learnt from; figures and
thresholds are of folds that the scorers had not seen.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import random
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

import unspun
from unspun.classifier import BASE_RATE, Model, to_probability
from unspun.context.features import examine_marks, measure_read
from unspun.context.model import GROUNDS, ContextModel, measure_candidates
from unspun.context.transformer import Reader
from unspun.evidence import gather_evidence
from unspun.examined import Examined
from unspun.features import find_ground
from unspun.lexicon import Lexicon
from unspun.scoring import measure, score_article
from unspun.text import Text
from unspun.training.contextual.windows import SWAPPED, UNKNOWN, label_words
from unspun.training.corpora import hash_data
from unspun.training.dictionaries import load_dictionaries
from unspun.training.estimator import SpunNetworks
from unspun.training.fitting import choose_thresholds
from unspun.training.folds import hash_group
from unspun.training.original_weights import Choice, fit_choices, measure_ranking
from unspun.training.pools import build_pools, read_documents
from unspun.training.situations import Pool, Situation, cut, draw_alone
from unspun.training.spinner import SpunText, tighten_swaps
from unspun.training.tasks import Row

Floats = NDArray[np.float64]

#: Words of the texts: as articles are, short ones too.
LENGTHS: Final = (50, 600)
#: Honest texts of each corpus, at least and at most; spun texts in all.
HONEST: Final = (300, 600)
SPUN: Final = 4000
#: Of the words of each text, so many teach the scorer of words: more of one text say little more.
WORDS: Final = 60
#: Swaps of one text from which the ranking of originals learns.
CHOICES: Final = 12
#: Share of honest articles, of every corpus alike, that the contextual model is given to read. Of spinners left out,
#: 4 % found what reading everything finds; of corpora left out 61 % at a tenth of the words, everything found 66 %.
READ_SHARE: Final = 0.06


@dataclass(frozen=True, slots=True, eq=False)
class ReadText:
    """A situation's article as the transformer read it: ``marks`` float64[words]; ``choices``: some swaps with the
    synonyms of what was put in, what is known of each and how well the transformer finds it to fit."""

    situation: Situation
    marks: Floats
    choices: list[Choice]


@dataclass(frozen=True, slots=True, eq=False)
class Example:
    """One text as the scorers see it: ``fast``, the score without the transformer; ``read`` float64[len(READ)] of the
    article; ``words`` float64[n, len(WORD)] of some of its words, which of those were swapped in, bool[n]."""

    row: Row
    fast: float
    read: Floats
    words: Floats
    swapped: NDArray[np.bool_]
    choices: list[Choice]


# Set before workers fork: only seeds and numbers travel.
_pool: Pool
_lexicon: Lexicon
_reader: Reader
_model: Model
_texts: Sequence[ReadText]


def read_texts(pool: Pool, lexicon: Lexicon, reader: Reader, scale: float, seed: int) -> list[ReadText]:
    """Honest texts of every corpus and spun ones, read on all cores; equal seeds give equal texts."""
    global _pool, _lexicon, _reader
    _pool, _lexicon, _reader = pool, lexicon, reader
    low, high = (round(scale * bound) for bound in HONEST)
    tasks = [(f"{seed}:spun:{n}", "") for n in range(round(scale * SPUN))]
    for corpus, documents in sorted(pool.documents.items()):
        tasks += [(f"{seed}:{n}", corpus) for n in range(min(max(len(documents), low), high))]
    with multiprocessing.get_context("fork").Pool() as workers:
        return list(workers.imap(_read, tasks, 8))


def _read(task: tuple[str, str]) -> ReadText:
    seed, corpus = task
    rng = random.Random(f"{seed}:{corpus}")
    if corpus:
        documents = _pool.documents[corpus]
        document = documents[int(seed.rsplit(":", 1)[1]) % len(documents)]
        text = cut(document.text, rng.randint(*LENGTHS), rng)
        situation = Situation(text, (), False, (), "alone", corpus, document.group, document.id)
    else:
        situation = draw_alone(_pool, rng, True)
    article = Examined(Text(situation.article), _lexicon)
    return ReadText(situation, _reader.mark(article.text), find_choices(situation, article, _reader))


def make_examples(texts: Sequence[ReadText], model: Model, lexicon: Lexicon) -> list[Example]:
    """The texts as the scorers beside a fast model see them."""
    global _model, _lexicon, _texts
    _model, _lexicon, _texts = model, lexicon, texts
    with multiprocessing.get_context("fork").Pool() as workers:
        return list(workers.imap(_examine, range(len(texts)), 16))


def _examine(number: int) -> Example:
    one = _texts[number]
    situation, text = one.situation, Text(one.situation.article)
    evidence = gather_evidence(text, _lexicon, _model.rules)
    measured = measure(evidence, _model)
    alone, _ = score_article(measured, _model.scorers)
    places = evidence.wordings.places
    state = label_words(text, tighten_swaps(SpunText(situation.article, situation.swaps, 0.0)))
    features = examine_marks(evidence.article, places, measured, one.marks)
    known = np.flatnonzero(state != UNKNOWN)
    if len(known) > WORDS:
        known = np.array(sorted(random.Random(number).sample(known.tolist(), WORDS)))
    row = Row(
        measured.alone, None, situation.spun, situation.case, situation.corpus, situation.group, situation.document,
        situation.family, situation.rate, len(text.words),
    )  # fmt: skip
    read = measure_read(evidence.article, places, measured, alone, one.marks)
    fast = float(to_probability(np.array(alone)))
    return Example(row, fast, read, features[known], state[known] == SWAPPED, one.choices)


def find_choices(situation: Situation, article: Examined, reader: Reader) -> list[Choice]:
    """Some of the swaps of one word whose original is among the synonyms of what replaced it."""
    place_of = {word.start: place for place, word in enumerate(article.text.words)}
    known = [(place_of[s.start], Text(s.original).norms) for s in situation.swaps if s.start in place_of]
    places = np.array([place for place, norms in known if len(norms) == 1][:CHOICES], np.int32)
    originals = article.lexicon.ids([norms[0] for _, norms in known if len(norms) == 1][:CHOICES])
    owner, candidates, features = measure_candidates(reader, article, places)
    choices = list[Choice]()
    for place, original in enumerate(originals.tolist()):
        mine = owner == place
        [true] = np.nonzero(candidates[mine] == original)
        if len(true):
            choices.append((features[mine], int(true[0])))
    return choices


def fit_context(
    examples: Sequence[Example], beside: Model, reader: Reader, name: str, card: Mapping[str, Any], seed: int = 0
) -> ContextModel:
    """The contextual model of a reader, its scorers and thresholds fitted on the examples."""
    groups = np.array([hash_group(one.row.group) for one in examples])
    spun = np.array([one.row.spun for one in examples])
    article = SpunNetworks(seed=seed).fit(np.array([one.read for one in examples]), spun, groups)
    article.offset_ += BASE_RATE
    scores = to_probability(article.margins_ + BASE_RATE)
    words = SpunNetworks(units=24, decay=1e-3, epochs=12, batch=1000, folds=3, seed=seed).fit(
        np.concatenate([one.words for one in examples]),
        np.concatenate([one.swapped for one in examples]),
        np.repeat(groups, [len(one.swapped) for one in examples]),
    )
    grounds = np.array([find_ground(one.row.alone, None) for one in examples])
    rows = [one.row for one in examples]
    thresholds = {
        ground: choose_thresholds([([rows[i] for i in np.flatnonzero(grounds == ground)], scores[grounds == ground])])
        for ground in GROUNDS
    }
    fast, corpora = np.array([one.fast for one in examples]), np.array([row.corpus for row in rows])
    shares = [np.quantile(fast[~spun & (corpora == corpus)], 1 - READ_SHARE) for corpus in np.unique(corpora[~spun])]
    # A fifth of the groups is kept to see how often the likeliest is right.
    held_out = groups % 5 == 0
    known = fit_choices(
        [choice for one, held in zip(examples, held_out, strict=True) if not held for choice in one.choices]
    )
    tried = [choice for one, held in zip(examples, held_out, strict=True) if held for choice in one.choices]
    originals = fit_choices([choice for one in examples for choice in one.choices])
    figures = measure_ranking(tried, known) | {
        "article_auc": float(roc_auc_score(spun, article.margins_)),
        "words_auc": float(roc_auc_score(np.concatenate([one.swapped for one in examples]), words.margins_)),
        "fast_auc": float(roc_auc_score(spun, fast)),
    }
    return ContextModel(
        name, beside.name, reader, {"marked": words.export(), "read": article.export()}, thresholds,
        round(float(np.mean(shares)), 4), originals, {**card, "figures": {k: round(v, 4) for k, v in figures.items()}},
    )  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> int:
    """``scripts/fit_context``: make the scorers for a graph that ``scripts/export_context`` wrote."""
    parser = argparse.ArgumentParser(prog="scripts/fit_context", description=main.__doc__)
    parser.add_argument("--shared", type=Path, required=True, help="the folder with corpora/, lexicons/, real/")
    parser.add_argument("--graph", type=Path, required=True, help="the .onnx file; the .npz is written beside it")
    parser.add_argument("--model", type=Path, help="the fast model; default: the shipped one")
    parser.add_argument("--name", default="context@2", help="the model's name and version")
    parser.add_argument("--scale", type=float, default=1.0, help="share of the usual number of texts")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    lexicon = Lexicon.load()
    pool = build_pools(read_documents(options.shared), load_dictionaries(lexicon, options.shared))["validation"]
    fast = Model.load(options.model)
    texts = read_texts(pool, lexicon, Reader(options.graph), options.scale, options.seed)
    examples = make_examples(texts, fast, lexicon)
    card = {
        "unspun": unspun.__version__,
        "data_sha256": hash_data(options.shared),
        "seed": options.seed,
        "texts": len(examples),
    }
    model = fit_context(examples, fast, Reader(options.graph), options.name, card, options.seed)
    model.save(options.graph.with_suffix(".npz"))
    print(json.dumps(model.card["figures"] | {"read_from": model.read_from}), file=sys.stderr)
    return 0
