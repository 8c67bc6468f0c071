"""The contextual model on what was really spun, and how exact it is: rounded weights against exact ones, windows laid
elsewhere."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np

from unspun.article import LABELS, Article
from unspun.context.pieces import WINDOW
from unspun.context.transformer import Reader
from unspun.detector import Detector
from unspun.text import Text
from unspun.training.contextual.families import is_learnt, read_wordings
from unspun.training.corpora import read_excerpts, split
from unspun.training.measures import measure_auc
from unspun.training.measuring.evaluation_figures import Figures
from unspun.training.measuring.evaluation_set import LENGTHS, Trial

#: Articles that speed is measured on.
SPEED: Final = 600
#: Share of the carriers' own words that may be marked.
CARRIER_COST: Final = 0.02
#: Plain sentences that a wording is set into.
CARRIERS: Final = (
    "The report says that {} was one of the points that they talked about at the meeting on Monday.",
    "On the second page of the letter, the words {} are followed by a short note about the weather.",
    "Most people in the town know what {} means, and nobody was surprised when the paper printed it.",
)


def measure_wordings(reader: Reader, shared: Path) -> Figures:
    """Shares of the wordings of ``wordings.tsv`` in which a word that the likely original has not is marked, of all and
    of those that were not trained on: where marks are likelier than not, and at the bar above which are
    :data:`CARRIER_COST` of the carriers' own words."""
    found: dict[bool, list[float]] = {False: [], True: []}
    own = list[float]()
    for number, row in enumerate(read_wordings(shared)):
        carrier = CARRIERS[number % len(CARRIERS)]
        at = carrier.index("{}")
        text = Text(carrier.format(row["spun"]))
        kept = set(Text(row["likely_original"]).norms)
        marks = reader.mark(text)
        inside = [at <= word.start < at + len(row["spun"]) for word in text.words]
        new = [within and word.norm not in kept for within, word in zip(inside, text.words, strict=True)]
        own += marks[~np.array(inside)].tolist()
        if any(new):
            found[is_learnt(row["spun"])].append(float(marks[np.array(new)].max()))
    held, everything = np.array(found[False]), np.array(found[False] + found[True])
    bars = {"likelier than not": 0.0, "at the carriers' cost": float(np.quantile(own, 1 - CARRIER_COST))}
    return {
        name: {
            "held out": [round(float((held > bar).mean()), 4), len(held)],
            "all": [round(float((everything > bar).mean()), 4), len(everything)],
            "carrier": [round(float((np.array(own) > bar).mean()), 4), len(own)],
        }
        for name, bar in bars.items()
    }


def measure_excerpts(detector: Detector, shared: Path) -> Figures:
    """Labels of the really spun excerpts that nothing trained on, and the share of their noted wordings marked."""
    labels, marked, total = Counter[str](), 0, 0
    for excerpt in read_excerpts(shared):
        if split(excerpt.group) != "validation":
            continue
        verdict = detector.score(Article(excerpt.id, excerpt.text))
        labels[verdict.label] += 1
        for spun, _ in excerpt.evidence:
            start = excerpt.text.find(spun)
            if start >= 0:
                total += 1
                marked += any(s.start < start + len(spun) and s.end > start for s in verdict.spans)
    return {"labels": {label: labels[label] for label in LABELS}, "wordings marked": [round(marked / total, 4), total]}


class ShiftedReader(Reader):
    """A reader that lays its windows elsewhere."""

    shift = 0

    def _lay(self, count: int) -> list[tuple[int, int]]:
        windows = super()._lay(count)
        if len(windows) < 2:
            return windows
        size = windows[0][1]
        starts = sorted({0, count - size, *(max(0, min(s + self.shift, count - size)) for s, _ in windows)})
        return [(start, start + size) for start in starts]


def measure_exactness(detector: Detector, exact: Path, trials: Sequence[Trial]) -> Figures:
    """How much rounding the weights, and laying windows elsewhere, changes: areas under the ROC curve of words and
    articles, the largest difference of an article's score."""
    assert detector.context is not None
    graph = detector.context.reader.file
    swapped = [
        np.array([any(s.start <= w.start < s.end for s in trial.swaps) for w in Text(trial.text).words])
        for trial in trials
    ]
    spun = np.array([trial.family is not None for trial in trials])
    areas, scores = {}, {}
    shifted = ShiftedReader(graph)
    shifted.shift = -WINDOW // 8
    readers = {"rounded": Reader(graph), "exact": Reader(exact), "shifted": shifted}
    for name, reader in readers.items():
        marks = [reader.mark(Text(trial.text)) for trial in trials]
        all_marks, all_swapped = np.concatenate(marks), np.concatenate(swapped)
        means = np.array([(1 / (1 + np.exp(-one))).mean() for one in marks])
        context = replace(detector.context, reader=reader)
        read = Detector(detector.model, detector.lexicon, context, read_all=True)
        scores[name] = np.array([read.score(trial.text).score or 0.0 for trial in trials])
        areas[name] = {
            "words": round(measure_auc(all_marks[~all_swapped], all_marks[all_swapped]), 5),
            "articles": round(measure_auc(means[~spun], means[spun]), 5),
        }
    return {
        "texts": len(trials),
        "auc": areas,
        "score moved by rounding": _spread(scores["rounded"] - scores["exact"]),
        "score moved by windows laid elsewhere": _spread(scores["shifted"] - scores["rounded"]),
    }


def measure_speed(detectors: Mapping[str, Detector], trials: Sequence[Trial]) -> Figures:
    """Articles a second on all cores, of honest cuts of the two largest lengths; the faster of two runs, after one that
    warms."""
    texts = [trial.text for trial in trials if trial.family is None and trial.length in LENGTHS[-2:]]
    texts = texts[:: max(1, len(texts) // SPEED)][:SPEED]
    workers, figures = os.cpu_count() or 1, {}
    for name, detector in detectors.items():
        times = []
        for _ in range(3):
            # Each time workers start anew and load what they need, as a run of the command does.
            began = time.perf_counter()
            for _ in detector.score_many(texts, workers=workers):
                pass
            times.append(time.perf_counter() - began)
        figures[name] = round(len(texts) / min(times[1:]), 1)
    words = np.mean([len(Text(text).words) for text in texts])
    return {"articles": len(texts), "words": round(float(words)), "cores": workers, "articles a second": figures}


def _spread(differences: np.ndarray[tuple[int], np.dtype[np.float64]]) -> list[float]:
    """Median, 99th percentile and largest of the absolute differences."""
    return [round(float(value), 4) for value in np.quantile(np.abs(differences), (0.5, 0.99, 1.0))]
