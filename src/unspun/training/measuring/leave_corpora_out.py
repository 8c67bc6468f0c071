"""Models that never saw a corpus: the corpora divided into parts, and for each part a model trained without it."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from unspun.lexicon import Lexicon
from unspun.training.corpora import HARD, HUMAN, read_excerpts, source_of
from unspun.training.dictionaries import load_dictionaries
from unspun.training.pools import read_documents
from unspun.training.train import Sizes, train


def divide_corpora(parts: int) -> list[list[str]]:
    """All corpora, dealt out by name; at most as many parts as there are corpora."""
    names = sorted((*HUMAN, *HARD))
    return [names[part::parts] for part in range(min(parts, len(names)))]


def main(arguments: Sequence[str] | None = None) -> int:
    """``scripts/leave_corpora_out``: keeps without-CORPUS.npz of every corpus for ``scripts/evaluate --corpus-models``.

    A model without a whole part stands for each corpus of that part: a harder test than leaving out one, in a fraction
    of the time.
    """
    parser = argparse.ArgumentParser(prog="scripts/leave_corpora_out", description=main.__doc__)
    parser.add_argument("--shared", type=Path, required=True, help="the folder with corpora/, lexicons/, real/")
    parser.add_argument("--models", type=Path, required=True, help="the folder to keep the models in")
    parser.add_argument("--parts", type=int, default=4, help="into how many parts the corpora are divided")
    parser.add_argument("--scale", type=float, default=0.25, help="share of the usual number of situations")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    lexicon = Lexicon.load()
    dictionaries = load_dictionaries(lexicon, options.shared)
    documents, excerpts = read_documents(options.shared), read_excerpts(options.shared)
    options.models.mkdir(parents=True, exist_ok=True)
    for part in divide_corpora(options.parts):
        kept = [document for document in documents if source_of(document.corpus) not in part]
        name = f"without-{'+'.join(part)}@1"
        model, _ = train(kept, dictionaries, lexicon, Sizes().scale(options.scale), options.seed, name, "", excerpts)
        for corpus in part:
            model.save(options.models / f"without-{corpus}.npz")
        print(f"{', '.join(part)}: done", file=sys.stderr, flush=True)
    return 0
