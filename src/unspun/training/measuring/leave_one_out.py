"""How good a model is on a spinner that it never saw: for every family, train without it and measure on it."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from unspun.features import find_ground
from unspun.lexicon import Lexicon
from unspun.training.corpora import hash_data, read_excerpts
from unspun.training.dictionaries import FAMILIES, load_dictionaries
from unspun.training.fitting import score_rows
from unspun.training.markdown import write_head, write_row
from unspun.training.pools import build_pools, read_documents
from unspun.training.situations import QUOTES
from unspun.training.tasks import Row, measure_situations, name_tasks
from unspun.training.train import Sizes, train

#: Upper ends of the bands of words replaced that the table has.
BANDS = (0.075, 0.125, 0.2, 0.35, 1.0)


def summarise(rows: Sequence[Row], called: Sequence[bool]) -> list[str]:
    """The cells of one table row: share called spun for each band, then over all, of the rows given."""
    cells, low = [], 0.0
    for high in BANDS:
        inside = [hit for row, hit in zip(rows, called, strict=True) if low < row.rate <= high]
        cells.append(f"{np.mean(inside):.2f} ({len(inside)})" if inside else "–")
        low = high
    return [*cells, f"{np.mean(called):.2f} ({len(called)})" if len(called) else "–"]


def main(arguments: Sequence[str] | None = None) -> int:
    """``scripts/leave_one_out``: for every spinner family, train without it and measure on it; writes a table."""
    parser = argparse.ArgumentParser(prog="scripts/leave_one_out", description=main.__doc__)
    parser.add_argument("--shared", type=Path, required=True, help="the folder with corpora/, lexicons/, real/")
    parser.add_argument("--out", type=Path, required=True, help="the Markdown file to write")
    parser.add_argument("--models", type=Path, help="a folder to keep the models in, as without-FAMILY.npz")
    parser.add_argument("--scale", type=float, default=0.25, help="share of the usual number of situations")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", nargs="+", choices=FAMILIES, default=FAMILIES, help="leave out these families alone")
    options = parser.parse_args(arguments)
    lexicon = Lexicon.load()
    dictionaries = load_dictionaries(lexicon, options.shared)
    documents = read_documents(options.shared)
    excerpts = read_excerpts(options.shared)
    sizes = Sizes().scale(options.scale)
    tables = dict[str, list[str]]()
    for family in options.only:
        kept = [d for d in dictionaries if d.family != family]
        left = [d for d in dictionaries if d.family == family]
        model, _ = train(
            documents, kept, lexicon, sizes, options.seed, f"without-{family}@1", "",
            # The excerpts are SpinBot's.
            () if family == "spinbot" else excerpts,
        )  # fmt: skip
        if options.models:
            options.models.mkdir(parents=True, exist_ok=True)
            model.save(options.models / f"{model.name.split('@')[0]}.npz")
        pool = build_pools(documents, left)["validation"]
        rows = measure_situations(pool, name_tasks(f"{options.seed}:left", sizes.validation), lexicon, model)
        scores = score_rows(rows, model.scorers)
        spun = [
            (row, model.thresholds[find_ground(row.alone, row.compared)].label(score) == "spun")
            for row, score in zip(rows, scores, strict=True)
            if row.spun and row.case not in (*QUOTES, "tampered")
        ]
        for name, cases in (("with the source", {"source"}), ("with reports of the event", {"event"}), ("alone", None)):
            mine = [(r, hit) for r, hit in spun if (r.case in cases if cases else r.compared is None)]
            cells = summarise([r for r, _ in mine], [hit for _, hit in mine])
            tables.setdefault(name, []).append(write_row(family, *cells))
        print(f"{family}: done", file=sys.stderr, flush=True)
    head = write_head("family", *(f"≤ {high:.1%}" for high in BANDS), "all")
    lines = [
        "# Spinner families left out of training",
        "Share of spun articles called `spun` by a model that never saw their spinner, at that model's own thresholds",
        "(number of articles in brackets), by share of words replaced. Written by `scripts/leave_one_out`:",
        f"scale {options.scale}, seed {options.seed}, data `{hash_data(options.shared)}`.",
    ]
    for name, rows_of_table in tables.items():
        lines += ["", f"## Scored {name}", *head, *rows_of_table]
    options.out.write_text("\n".join(lines) + "\n", "utf-8")
    return 0
