"""Figures by case, corpus, family, rate and length: validation articles counted into tables."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from unspun.classifier import Thresholds
from unspun.features import find_ground
from unspun.training.situations import QUOTES
from unspun.training.tasks import Row


def tabulate(
    rows: Sequence[Row], scores: NDArray[np.float64], thresholds: Mapping[str, Thresholds]
) -> dict[str, dict[str, list[float]]]:
    """Figures by case, corpus, family and rate: share called spun, share called suspect or spun, count."""
    cells = defaultdict[str, dict[str, list[tuple[bool, bool]]]](lambda: defaultdict(list))
    for row, score in zip(rows, scores, strict=True):
        label = thresholds[find_ground(row.alone, row.compared)].label(score)
        hit = (label == "spun", label != "clean")
        side = "spun" if row.spun else "honest"
        cells[f"{side} by case"][row.case].append(hit)
        cells[f"{side} by length"][f"{min(row.words // 100, 4) * 100}+ words"].append(hit)
        if row.spun:
            with_references = (
                "with source"
                if row.case == "source"
                else "same event"
                if row.case == "event"
                else "alone"
                if row.compared is None
                else None
            )
            if with_references and row.case not in QUOTES:
                cells[f"spun by family, {with_references}"][str(row.family)].append(hit)
                bucket = next(r for r in (0.07, 0.12, 0.2, 0.35, 1.0) if row.rate <= r)
                cells[f"spun by rate, {with_references}"][f"up to {bucket:.0%}"].append(hit)
        else:
            cells[f"honest by corpus, {find_ground(row.alone, row.compared)}"][row.corpus].append(hit)
    return {
        table: {key: [*(float(v) for v in np.mean(hits, axis=0)), len(hits)] for key, hits in sorted(cell.items())}
        for table, cell in sorted(cells.items())
    }


def print_tables(tables: Mapping[str, Mapping[str, Sequence[float]]]) -> None:
    for table, cell in tables.items():
        print(f"\n{table:40} spun  suspect+   n")
        for key, (spun, suspect, count) in cell.items():
            print(f"  {key:36} {spun:6.3f}  {suspect:6.3f}  {int(count):5}")
