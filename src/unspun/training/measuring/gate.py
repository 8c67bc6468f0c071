"""The evaluation gate: figures of the shipped model on what the repository holds, and the floors they must reach.

Measured are the sample articles, texts that are spun here, from the honest samples, by the spinners that need only the
repository, and the prose by a language model in ``data/llm_prose.jsonl``. Every figure is a share (0-1), and higher is
better. The floors stand in ``data/gate.json``.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import os
import random
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from unspun.article import RELATIONS, Article, Verdict
from unspun.classifier import ModelError
from unspun.detector import Detector
from unspun.lexicon import Lexicon
from unspun.readers import read_articles
from unspun.references import References
from unspun.resources import find_data
from unspun.training.dictionaries import REPOSITORY_FAMILIES, load_dictionary
from unspun.training.measures import SpanCounts, TrueSwap, count_spans, measure_auc
from unspun.training.samples import Sample, read_samples
from unspun.training.spinner import spin_whole, tighten_swaps

#: Shares of words swapped in the texts that are spun here, in turn: a usual one and a heavy one.
RATES: Final = (0.15, 0.3)
#: Floors have three digits, rounded down.
_STEPS: Final = 1000


class GateError(ValueError):
    """The gate cannot be passed or changed; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Spun:
    """A spun article with its true swaps; ``origin`` is the ``source`` of the reference that it was made from, None
    where that is not among them."""

    article: Article
    swaps: tuple[TrueSwap, ...]
    origin: str | None


@dataclass(frozen=True, slots=True)
class Gate:
    """The floors, by name of the figure, and the hash of the samples that they were measured on."""

    data_sha256: str
    floors: Mapping[str, float]

    @classmethod
    def read(cls, path: Path) -> Gate:
        """Read the file of floors; raises GateError when it is not one."""
        try:
            stored = json.loads(path.read_text(encoding="utf-8"))
            floors = {str(name): float(floor) for name, floor in stored["floors"].items()}
            return cls(str(stored["data_sha256"]), floors)
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise GateError(f"{path}: not a file of floors ({error!r}): restore it from the repository") from error

    def write(self, path: Path) -> None:
        stored = {"data_sha256": self.data_sha256, "floors": dict(sorted(self.floors.items()))}
        path.write_text(json.dumps(stored, indent=1) + "\n", encoding="utf-8")

    def check_data(self, data_sha256: str) -> None:
        """Raises GateError when the floors were measured on other samples."""
        if data_sha256 != self.data_sha256:
            raise GateError(
                "data/samples is not what the floors were measured on: undo the change, or, when it is meant, pin the "
                "new samples and set every floor anew with scripts/gate --new-data"
            )

    def find_failures(self, figures: Mapping[str, float]) -> list[str]:
        """What is below its floor, has none, or was not measured: one sentence each."""
        failures = []
        for name in sorted({*figures, *self.floors}):
            if name not in figures:
                failures.append(f"{name}: has a floor and is not measured")
            elif name not in self.floors:
                failures.append(f"{name}: has no floor yet (scripts/gate --raise sets it)")
            elif figures[name] < self.floors[name]:
                failures.append(f"{name}: {figures[name]:.4f} is below its floor {self.floors[name]:.3f}")
        return failures

    def raise_floors(self, figures: Mapping[str, float]) -> Gate:
        """The same with higher floors where the figures allow it, and floors for new figures; none is lowered."""
        raised = {name: max(round_down(figure), self.floors.get(name, 0.0)) for name, figure in figures.items()}
        return replace(self, floors={**self.floors, **raised})

    def lower_floor(self, name: str, figures: Mapping[str, float]) -> Gate:
        """The same with one floor lowered to its figure, or taken away when that is no longer measured."""
        if name not in self.floors:
            raise GateError(f"{name}: no such floor; there are {', '.join(sorted(self.floors))}")
        floors = dict(self.floors)
        if name not in figures:
            del floors[name]
        elif figures[name] >= floors[name]:
            raise GateError(f"{name}: {figures[name]:.4f} is not below its floor {floors[name]:.3f}")
        else:
            floors[name] = round_down(figures[name])
        return replace(self, floors=floors)


def round_down(figure: float) -> float:
    """Three digits, never more than the figure but for the noise of binary fractions."""
    return math.floor(figure * _STEPS + 1e-9) / _STEPS


def hash_samples(folder: Path) -> str:
    """sha256 of the references and marked articles below ``data/samples``: all else there follows from them."""
    digest = hashlib.sha256()
    for path in sorted([*(folder / "references").iterdir(), *(folder / "marked").iterdir()]):
        digest.update(f"{path.parent.name}/{path.name}\0".encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def spin_references(references: Iterable[Article], lexicon: Lexicon) -> list[Spun]:
    """Every reference spun by every spinner of the repository, with the rates in turn; always alike."""
    dictionaries = [load_dictionary(family, lexicon) for family in REPOSITORY_FAMILIES]
    made = []
    for number, reference in enumerate(references):
        for turn, dictionary in enumerate(dictionaries, number):
            rng = random.Random(f"{reference.id}:{dictionary.family}")
            spun = spin_whole(reference.text, dictionary, RATES[turn % len(RATES)], rng)
            article = Article(f"{reference.id}:{dictionary.family}", spun.text)
            made.append(Spun(article, tuple(tighten_swaps(spun)), reference.source))
    return made


def measure_gate(detector: Detector, folder: Path, reading: Detector | None = None) -> dict[str, float]:
    """The figures of a detector on the samples in ``folder``, and without references those of one that is ``reading``
    with the contextual model; each is a share, and higher is better."""
    reports = [article for article in read_articles([folder / "references"]) if isinstance(article, Article)]
    sources = {report.id: report.source for report in reports}
    references = detector.build_references(reports)
    samples = read_samples(folder)
    spun = [
        Spun(Article(s.id, s.text), s.substitutions, sources[s.source] if s.source else None)
        for s in samples
        if s.kind == "spun"
    ] + spin_references(reports, detector.lexicon)
    # A reference is compared with the others only: what has the same source is the text itself.
    honest = reports + [Article(s.id, s.text) for s in samples if s.label == "clean"]
    # Of many genres, and nothing that any model of ours has learnt from: what unknown honest text meets.
    prose = [article for article in read_articles([find_data("llm_prose.jsonl")]) if isinstance(article, Article)]
    with_source = [one for one in spun if one.origin]
    # For the same reason, what is given its origin as its source is compared with other reports of the event only.
    others_only = [replace(one, article=replace(one.article, source=one.origin)) for one in spun]

    def score(
        articles: Iterable[Article], compared: References | None = None, by: Detector = detector
    ) -> list[Verdict]:
        return list(by.score_many(articles, compared, os.cpu_count() or 1))

    source = score((one.article for one in with_source), references)
    event = score((one.article for one in others_only), references)
    honest_compared = score(honest, references)
    sampled = score((Article(s.id, s.text) for s in samples), references)
    figures = {
        "auc with reports of the event": _auc(honest_compared, event),
        "auc with the source": _auc(honest_compared, source),
        "honest kept compared": 1 - _share_spun(honest_compared),
        "spun found with reports of the event": _share_spun(event),
        "spun found with the source": _share_spun(source),
        "altered quotations found": _share_spun(
            [verdict for verdict, sample in zip(sampled, samples, strict=True) if sample.kind == "quote_altered"]
        ),
        "relations right": float(np.mean([_relates(v, s) for v, s in zip(sampled, samples, strict=True)])),
    }
    figures |= _measure_spans("with the source", with_source, source)
    for name, by in (("alone", detector), ("alone, context read", reading)):
        if by is not None:
            found, kept = score((one.article for one in spun), by=by), score(honest, by=by)
            figures[f"auc {name}"] = _auc(kept, found)
            figures[f"honest kept {name}"] = 1 - _share_spun(kept)
            figures[f"spun found {name}"] = _share_spun(found)
            figures[f"LLM prose clean {name}"] = _share_clean(score(prose, by=by))
            figures |= _measure_spans(name, spun, found)
    return figures


def _measure_spans(name: str, tried: Sequence[Spun], verdicts: Sequence[Verdict]) -> dict[str, float]:
    counted = sum(
        (count_spans(one.article.text, v.spans, one.swaps) for one, v in zip(tried, verdicts, strict=True)),
        SpanCounts(),
    )
    return {
        f"span precision {name}": counted.precision or 0.0,
        f"span recall {name}": counted.recall or 0.0,
        f"suggestions right {name}": counted.suggestion or 0.0,
    }


def _auc(honest: Sequence[Verdict], spun: Sequence[Verdict]) -> float:
    return measure_auc(*(np.array([verdict.score or 0.0 for verdict in side]) for side in (honest, spun)))


def _share_spun(verdicts: Sequence[Verdict]) -> float:
    return sum(verdict.label == "spun" for verdict in verdicts) / len(verdicts)


def _share_clean(verdicts: Sequence[Verdict]) -> float:
    return sum(verdict.label == "clean" for verdict in verdicts) / len(verdicts)


def _relates(verdict: Verdict, sample: Sample) -> bool:
    """Whether the relation to the source is right; without a source, whether nothing closer is claimed."""
    claimed = {relation.id: relation.relation for relation in verdict.references}
    if sample.source is None:
        return min(claimed.values(), key=RELATIONS.index, default="independent") == sample.relation
    return claimed.get(sample.source, "independent") == sample.relation


def show(figures: Mapping[str, float], gate: Gate) -> str:
    """The figures beside their floors, one a line."""
    lines = [f"{'figure':42} measured  floor"]
    for name, figure in sorted(figures.items()):
        floor: Any = gate.floors.get(name)
        mark = "" if floor is not None and figure >= floor else "  BELOW" if floor is not None else "  NEW"
        lines.append(f"{name:42} {figure:8.4f}  {'' if floor is None else f'{floor:.3f}'}{mark}")
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """``scripts/gate``: the figures of the shipped model beside their floors. Exit status: 0 passed, 1 below a
    floor, 2 the gate cannot be measured or changed."""
    parser = argparse.ArgumentParser(prog="scripts/gate", description=main.__doc__)
    change = parser.add_mutually_exclusive_group()
    change.add_argument("--raise", action="store_true", dest="raising", help="raise floors to the figures; lowers none")
    change.add_argument("--lower", metavar="NAME", action="append", default=[], help="lower this floor to its figure")
    change.add_argument("--new-data", action="store_true", help="the samples changed: set every floor anew")
    options = parser.parse_args(arguments)
    try:
        path, folder = find_data("gate.json"), find_data("samples")
        gate, data_sha256 = Gate.read(path), hash_samples(folder)
        if not options.new_data:
            gate.check_data(data_sha256)
        figures = measure_gate(Detector.load(context="never"), folder, Detector.load(context="always"))
        changed = gate
        if options.new_data:
            changed = Gate(data_sha256, {}).raise_floors(figures)
        elif options.raising:
            changed = gate.raise_floors(figures)
        for name in options.lower:
            changed = changed.lower_floor(name, figures)
    except (GateError, ModelError, FileNotFoundError) as error:
        print(f"scripts/gate: {error}", file=sys.stderr)
        return 2
    if changed != gate:
        changed.write(path)
    print(show(figures, changed))
    failures = changed.find_failures(figures)
    for failure in failures:
        print(f"scripts/gate: {failure}", file=sys.stderr)
    return 1 if failures else 0
