"""Scores of the evaluation set into figures: plain data, for JSON."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from unspun.classifier import PRIOR
from unspun.training.measures import (
    Floats,
    SpanCounts,
    bin_scores,
    bound_share,
    measure_auc,
    measure_ece,
    measure_tpr,
    trace_roc,
)
from unspun.training.measuring.evaluation_set import LENGTHS, RATES, Trial

Figures = dict[str, Any]
_T = TypeVar("_T")

#: Texts from this length on are what the headline counts; the cuts of that length are 200 and 400 words.
LONG: Final = 150
NEWS: Final = ("abc_au", "bbc", "ecbplus_clusters", "fnc1", "reuters21578")
#: False-positive rates of the points of a ROC curve, and the one that the tables name.
ROC_COSTS: Final = tuple(float(f"{cost:.3g}") for cost in np.geomspace(0.002, 1.0, 40))
NAMED_COST: Final = 0.01
SETTINGS: Final = ("spinner left out", "corpus left out", "in family")


@dataclass(frozen=True, slots=True, eq=False)
class Fold:
    """The trials (numbers ``places``) that one trained thing was tried on, with its scores and what it called
    ``spun`` and ``suspect`` or spun. ``spans`` of the spun trials, where it marks any."""

    places: NDArray[np.intp]
    scores: NDArray[np.float64]
    spun: NDArray[np.bool_]
    suspect: NDArray[np.bool_] | None = None
    spans: Mapping[int, SpanCounts] = field(default_factory=dict)


class _Table:
    """What is known of the trials, as arrays."""

    def __init__(self, trials: Sequence[Trial]) -> None:
        self.family = np.array([trial.family or "" for trial in trials])
        self.corpus = np.array([trial.corpus for trial in trials])
        self.rate = np.array([trial.rate for trial in trials])
        self.length = np.array([trial.length for trial in trials])
        self.honest = self.family == ""
        self.whole = self.length == 0
        self.long = np.where(self.whole, np.array([trial.words for trial in trials]), self.length) >= LONG


def summarise(trials: Sequence[Trial], folds: Sequence[Fold]) -> Figures:
    """The figures of one method in one setting. A share stands as [share, low, high, count]: Wilson, 95 %."""
    table = _Table(trials)
    families = sorted(set(table.family[~table.honest]))
    figures: Figures = {
        "auc": _mean(_measure(measure_auc, table, folds, families, table.long)),
        "tpr by rate": {f"{rate:g}": _share(folds, table.long & (table.rate == rate)) for rate in RATES},
        "tpr by length": {f"{n}": _share(folds, ~table.honest & (table.length == n)) for n in LENGTHS},
        "auc by length": {
            f"{n}": _mean(_measure(measure_auc, table, folds, families, table.length == n)) for n in LENGTHS
        },
        "by family": {
            family: {
                "auc": _mean(_measure(measure_auc, table, folds, [family], table.long)),
                "tpr at 1 % fpr": _mean(
                    _measure(partial(measure_tpr, cost=NAMED_COST), table, folds, [family], table.long)
                ),
                "tpr by rate": {
                    f"{rate:g}": _share(folds, table.long & (table.rate == rate) & (table.family == family))
                    for rate in RATES
                },
            }
            for family in families
        },
        "roc": _average(_measure(partial(trace_roc, costs=ROC_COSTS), table, folds, families, table.long)),
    }
    figures |= _count_false_alarms(table, folds)
    figures |= _measure_calibration(table, folds)
    if any(fold.spans for fold in folds):
        figures["spans by rate"] = {f"{rate:g}": _sum_spans(table, folds, rate) for rate in RATES}
    return figures


def _measure(
    measure: Callable[[Floats, Floats], _T],
    table: _Table,
    folds: Sequence[Fold],
    families: Sequence[str],
    chosen: NDArray[np.bool_],
) -> list[_T]:
    """``measure`` of the scores of honest cuts and of cuts spun by a family, among those chosen: one value for every
    family and fold that have both."""
    values = []
    for family in families:
        for fold in folds:
            inside = (chosen & ~table.whole)[fold.places]
            kind = table.family[fold.places]
            honest, spun = fold.scores[inside & (kind == "")], fold.scores[inside & (kind == family)]
            if len(honest) and len(spun):
                values.append(measure(honest, spun))
    return values


def _mean(values: Sequence[float]) -> float | None:
    return round(float(np.mean(values)), 4) if values else None


def _average(curves: Sequence[list[float]]) -> list[list[float]]:
    """ROC curves averaged at equal false-positive rates (Fawcett 2006): [false, true] of every point."""
    if not curves:
        return []
    return [[cost, round(float(mean), 4)] for cost, mean in zip(ROC_COSTS, np.mean(curves, axis=0), strict=True)]


def _share(folds: Sequence[Fold], chosen: NDArray[np.bool_], suspect: bool = False) -> list[float]:
    """The share called spun of the chosen trials. A trial of several folds counts once, with their mean."""
    called, times = np.zeros(len(chosen)), np.zeros(len(chosen))
    for fold in folds:
        called[fold.places] += fold.suspect if suspect and fold.suspect is not None else fold.spun
        times[fold.places] += 1
    chosen = chosen & (times > 0)
    hits, count = float((called[chosen] / times[chosen]).sum()), int(chosen.sum())
    share = hits / count if count else 0.0
    return [round(value, 4) for value in (share, *bound_share(hits, count))] + [count]


def _count_false_alarms(table: _Table, folds: Sequence[Fold]) -> Figures:
    """Shares of honest documents, as they are, called spun: every corpus apart, news and short ones together."""
    honest = table.honest & table.whole
    corpora = {c: honest & table.long & (table.corpus == c) for c in sorted(set(table.corpus))}
    groups = {
        "news": honest & table.long & np.isin(table.corpus, NEWS),
        f"shorter than {LONG} words": honest & ~table.long,
    }
    kinds = ("fpr", "fpr suspect") if all(fold.suspect is not None for fold in folds) else ("fpr",)
    figures: Figures = {}
    for kind in kinds:
        shares = {
            name: _share(folds, chosen, kind != "fpr") for name, chosen in (corpora | groups).items() if chosen.any()
        }
        figures[f"{kind} by corpus"] = shares
        figures[f"{kind} worst"] = max((c for c in corpora if c in shares), key=lambda c: shares[c][0])
    return figures


def _measure_calibration(table: _Table, folds: Sequence[Fold]) -> Figures:
    """Calibration on the cuts of all lengths, honest and spun ones weighed as :data:`PRIOR` says; None for what
    gives no probabilities."""
    places = np.concatenate([fold.places for fold in folds])
    scores = np.concatenate([fold.scores for fold in folds])
    if scores.max() > 1:
        return {"ece": None, "calibration": []}
    cuts = ~table.whole[places]
    bins = bin_scores(scores[cuts], ~table.honest[places][cuts], PRIOR)
    return {
        "ece": round(measure_ece(bins), 4),
        "calibration": [[round(value, 4) for value in one] for one in bins],
    }


def _sum_spans(table: _Table, folds: Sequence[Fold], rate: float) -> dict[str, float | None]:
    chosen = table.long & (table.rate == rate)
    total = sum((s for fold in folds for place, s in fold.spans.items() if chosen[place]), SpanCounts())
    values = {
        "precision": total.precision,
        "recall": total.recall,
        "suggestion": total.suggestion,
        "in_three": total.in_three,
    }
    return {name: None if value is None else round(value, 4) for name, value in values.items()} | {"spans": total.hit}
