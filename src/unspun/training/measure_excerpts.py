"""How the shipped model fares on really spun text, without references: the excerpts that nothing trained on."""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from unspun.article import LABELS, Article
from unspun.detector import Detector
from unspun.training.corpora import read_excerpts, split


def main(arguments: Sequence[str] | None = None) -> int:
    """``scripts/measure_excerpts``: labels and scores of the validation third of the really spun excerpts."""
    parser = argparse.ArgumentParser(prog="scripts/measure_excerpts", description=main.__doc__)
    parser.add_argument("--shared", type=Path, required=True, help="the folder with real/")
    parser.add_argument("--model", type=Path, help="a model file instead of the shipped one")
    options = parser.parse_args(arguments)
    detector = Detector.load(options.model)
    excerpts = [e for e in read_excerpts(options.shared) if split(e.group) == "validation"]
    verdicts = [detector.score(Article(e.id, e.text)) for e in excerpts]
    marked = total = 0
    for excerpt, verdict in zip(excerpts, verdicts, strict=True):
        for spun, _ in excerpt.evidence:
            start = excerpt.text.find(spun)
            if start >= 0:
                total += 1
                marked += any(s.start < start + len(spun) and s.end > start for s in verdict.spans)
    labels = Counter(verdict.label for verdict in verdicts)
    scores = [verdict.score for verdict in verdicts if verdict.score is not None]
    print(f"{len(excerpts)} excerpts: " + ", ".join(f"{label} {labels[label]}" for label in LABELS))
    print("scores at 10, 50, 90 %: " + ", ".join(f"{q:.2f}" for q in np.quantile(scores, (0.1, 0.5, 0.9))))
    print(f"noted wordings marked: {marked} of {total}")
    return 0
