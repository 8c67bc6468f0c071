"""Training: situations into evidence, evidence into scorers, their scores into thresholds.

The scorers of words, pairs and usage learn from a third of the training texts, the two article heads from the
rest, so that a head sees word scores as they are on texts never seen. Thresholds are set on validation texts and on
what the heads learnt from, by scores of folds that had not seen it; figures are measured on validation texts.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np

import unspun
from unspun.classifier import GROUNDS, Model
from unspun.features import find_ground
from unspun.lexicon import Lexicon
from unspun.training.card import write_card
from unspun.training.corpora import Document, Excerpt, hash_data, read_excerpts, split
from unspun.training.dictionaries import Dictionary, load_dictionaries
from unspun.training.fitting import MIN_CORPUS, choose_thresholds, fit_heads, fit_scorers, score_rows
from unspun.training.habit_counts import count_habits
from unspun.training.original_weights import fit_originals
from unspun.training.pools import build_pools, join_pools, read_documents
from unspun.training.progress import start_clock
from unspun.training.tables import print_tables, tabulate
from unspun.training.tasks import (
    Row,
    learn_excerpt,
    learn_words,
    measure_excerpt,
    measure_honest,
    measure_situations,
    name_honest_tasks,
    name_tasks,
    read_spun_words,
    run_tasks,
)

#: Cuts of excerpts among the articles that the heads learn from, as a share of the others: what a family has.
EXCERPT_ROWS: Final = 0.07


@dataclass(frozen=True, slots=True)
class Sizes:
    """How many situations of each role are drawn (half of them spun), and how many texts habits are counted over."""

    habits: int = 60000
    scorers: int = 8000
    heads: int = 24000
    validation: int = 12000

    def scale(self, share: float) -> Sizes:
        """The same at another scale, enough to fit at least. Habits are cheap, and poor ones mislead: the root."""
        return Sizes(
            max(2000, round(self.habits * min(1.0, share**0.5))),
            *(max(200, round(n * share)) for n in (self.scorers, self.heads, self.validation)),
        )


def train(
    documents: Sequence[Document], dictionaries: Sequence[Dictionary], lexicon: Lexicon, sizes: Sizes, seed: int,
    name: str, data_hash: str, excerpts: Sequence[Excerpt] = (),
) -> tuple[Model, list[Row]]:  # fmt: skip
    """The whole training; returns the model and the validation rows that its figures come from.

    ``excerpts``: really spun texts, of which the training part teaches the scorers of words and the head *alone*.
    """
    say = start_clock()

    pools = build_pools(documents, dictionaries)
    say(f"{len(documents)} documents, families {', '.join(d.family for d in dictionaries)}")
    habits, unseen = count_habits(
        run_tasks(
            read_spun_words, join_pools(pools["scorers"], pools["heads"]), name_tasks(f"{seed}:habits", sizes.habits),
            lexicon,
        ),
        lexicon.size,
    )  # fmt: skip
    say(f"habits of {len(habits.after.keys)} + {len(habits.before.keys)} pairs of words")
    learnt = run_tasks(learn_words, pools["scorers"], name_tasks(f"{seed}:scorers", sizes.scorers), lexicon)
    excerpts = [excerpt for excerpt in excerpts if split(excerpt.group) == "train"]
    fitted = fit_scorers(learnt, [learn_excerpt(excerpt, lexicon) for excerpt in excerpts], habits, unseen, seed)
    scorers, rules, figures = fitted.scorers, fitted.rules, fitted.figures
    originals, more = fit_originals(learnt)
    figures |= more
    say(f"words and pairs: {figures}, rules {rules}")
    half = Model(name, scorers, habits, {}, rules, originals, {})
    rows = measure_situations(pools["heads"], name_tasks(f"{seed}:heads", sizes.heads), lexicon, half, unseen)
    wanted = EXCERPT_ROWS * len(rows)
    for excerpt in excerpts:
        model = replace(half, scorers=scorers | fitted.excerpts[excerpt.group])
        rows += measure_excerpt(excerpt, round(wanted / len(excerpts)), lexicon, model, f"{seed}:excerpts")
    heads, unseen_scores, more = fit_heads(rows, seed)
    scorers |= heads
    say(f"heads: {more}")
    validation = measure_situations(
        pools["validation"], name_tasks(f"{seed}:validation", sizes.validation), lexicon, half
    )
    honest = name_honest_tasks(f"{seed}:honest", pools["validation"], MIN_CORPUS)
    validation += run_tasks(measure_honest, pools["validation"], honest, lexicon, half)
    # The texts that the heads learnt from count by their unseen scores: twice as many texts, half the doubt. Those
    # measured as strange do not, since no user meets the model so. The validation texts must keep to the costs by
    # themselves too.
    judged, scores = [*rows, *validation], np.r_[unseen_scores, score_rows(validation, scorers)]
    thresholds = {}
    for ground in GROUNDS:
        sets = [
            [i for i in part if find_ground(judged[i].alone, judged[i].compared) == ground and not judged[i].strange]
            for part in (range(len(judged)), range(len(rows), len(judged)))
        ]
        thresholds[ground] = choose_thresholds([([judged[i] for i in mine], scores[mine]) for mine in sets])
    say(f"thresholds: {thresholds}")
    card = {
        "unspun": unspun.__version__,
        "data_sha256": data_hash,
        "seed": seed,
        "families": sorted(d.family for d in dictionaries),
        "corpora": sorted({d.corpus for d in documents}),
        "situations": [sizes.habits, sizes.scorers, sizes.heads, sizes.validation],
        "figures": {k: round(v, 4) for k, v in (figures | more).items()},
    }
    return Model(name, scorers, habits, thresholds, rules, originals, card), validation


def main(arguments: Sequence[str] | None = None) -> int:
    """``scripts/train``: train on the shared corpora, write the model file and print the figures."""
    parser = argparse.ArgumentParser(prog="scripts/train", description=main.__doc__)
    parser.add_argument("--shared", type=Path, required=True, help="the folder with corpora/, lexicons/, real/")
    parser.add_argument("--out", type=Path, required=True, help="the model file to write")
    parser.add_argument("--card", type=Path, help="the model card to write (Markdown)")
    parser.add_argument("--name", default="default@5", help="the model's name and version")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--scale", type=float, default=1.0, help="share of the usual number of situations")
    options = parser.parse_args(arguments)
    if not options.shared.is_dir():
        print(
            f"scripts/train: {options.shared}: no such folder; it holds the corpora to train on",
            file=sys.stderr,
        )
        return 2
    lexicon = Lexicon.load()
    dictionaries = load_dictionaries(lexicon, options.shared)
    sizes = Sizes().scale(options.scale)
    documents = read_documents(options.shared)
    model, validation = train(
        documents, dictionaries, lexicon, sizes, options.seed, options.name, hash_data(options.shared),
        read_excerpts(options.shared),
    )  # fmt: skip
    tables = tabulate(validation, score_rows(validation, model.scorers), model.thresholds)
    print_tables(tables)
    card = model.card | {"tables": tables}
    model = replace(model, card=card)
    model.save(options.out)
    if options.card:
        options.card.write_text(write_card(model, tables), "utf-8")
    print(json.dumps(model.card["figures"]), file=sys.stderr)
    return 0
