"""Scores of the evaluation set into figures (plain data, for JSON), and figures into one Markdown table."""

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


_INTRODUCTION: Final = """\
# Without references: {heading}
Model {model}, seed {seed}, scale {scale:g}, data `{data_sha256}`.
Written by `scripts/evaluate`; `evaluation.json` beside this page has every figure.

Texts of {long} words and more (cuts of 200 and 400 words for what is spun) unless a row says otherwise. TPR: share
called `spun` at the one threshold, by share of words swapped, over all spinners that reach it. FPR: the same share of
honest documents as they are, worst corpus, with its 95 % interval (Wilson). AUC: spun cuts against honest cuts of the
same corpora and lengths, mean over spinners; with a corpus left out, within that corpus. ECE: calibration error for one
spun article in {one_in:.0f}. Spans: by letters, at 25 % of the words, articles called clean included; suggestion:
the share of the spans more than half swapped whose suggestion is, case apart, exactly what stood there, in three:
the share of those where the suggestion or one of its two alternatives is.

The thresholds (ours in training, the baselines' here by the same rule) are set on honest validation documents: FPR in
family and with a spinner left out is what they were chosen to cost; with a corpus left out it is a prediction. With
spinners left out every document is scored by one of the models, in turn.
"""


def write_markdown(results: Figures) -> str:
    """The results as one page: the table of all methods first, then the cells that it sums up."""
    settings = results["settings"]
    lines = [
        _INTRODUCTION.format(**results, long=LONG, one_in=1 / PRIOR),
        *write_head(
            *("setting", "method", "AUC"),
            *(f"TPR {rate:.0%}" for rate in RATES),
            *("worst FPR", "of corpus", "news FPR", "ECE", "precision", "recall", "suggestion", "in three"),
        ),
    ]
    for setting in SETTINGS:
        for method, figures in settings.get(setting, {}).items():
            lines.append(write_row(setting, method, *_show_row(figures)))
    lines += _show_corpora(settings)
    lines += _show_families(settings)
    lines += _show_lengths(settings)
    return "\n".join(lines) + "\n"


def write_head(*names: str) -> list[str]:
    """The two lines that open a table of Markdown."""
    return [write_row(*names), "|---" * len(names) + "|"]


def write_row(*cells: object) -> str:
    return f"| {' | '.join(map(str, cells))} |"


def show_figure(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _show_row(figures: Figures) -> list[str]:
    worst = figures["fpr worst"]
    spans = figures.get("spans by rate", {}).get("0.25", {})
    return [
        show_figure(figures["auc"]),
        *(_show_share(share) for share in figures["tpr by rate"].values()),
        _show_interval(figures["fpr by corpus"][worst]),
        worst,
        _show_share(figures["fpr by corpus"].get("news")),
        show_figure(figures["ece"]),
        *(show_figure(spans.get(name)) for name in ("precision", "recall", "suggestion", "in_three")),
    ]


def _show_corpora(settings: Figures) -> list[str]:
    """False positives of every method, corpus by corpus."""
    lines = []
    for setting, methods in _present(settings):
        names = [name for figures in methods.values() for name in figures["fpr by corpus"]]
        lines += [
            "",
            f"## Honest documents called `spun`: {setting}",
            *write_head("corpus", "n", *methods, "`suspect` or `spun`"),
        ]
        suspect: Figures = next(
            (f["fpr suspect by corpus"] for f in methods.values() if "fpr suspect by corpus" in f), {}
        )
        for name in dict.fromkeys(names):
            shares = [figures["fpr by corpus"].get(name) for figures in methods.values()]
            count = next(share[3] for share in shares if share)
            lines.append(write_row(name, count, *map(_show_interval, [*shares, suspect.get(name)])))
    return lines


def _show_families(settings: Figures) -> list[str]:
    """Every spinner by every method."""
    lines = []
    for setting, methods in _present(settings):
        lines += [
            "",
            f"## Spinner by spinner: {setting}",
            *write_head("spinner", "method", "AUC", "at 1 % FPR", *(f"TPR {rate:.0%} (n)" for rate in RATES)),
        ]
        for family in next(iter(methods.values()))["by family"]:
            for method, figures in methods.items():
                one = figures["by family"][family]
                ranking = show_figure(one["auc"]), show_figure(one["tpr at 1 % fpr"])
                shares = [f"{_show_share(s)} ({s[3]})" if s[3] else "–" for s in one["tpr by rate"].values()]
                lines.append(write_row(family, method, *ranking, *shares))
    return lines


def _show_lengths(settings: Figures) -> list[str]:
    """AUC and TPR by length, over all rates."""
    lines = []
    for setting, methods in _present(settings):
        lines += [
            "",
            f"## By length, all rates together: {setting}",
            *write_head("method", *(name for n in LENGTHS for name in (f"AUC {n}", f"TPR {n}"))),
        ]
        for method, figures in methods.items():
            cells = [
                cell
                for n in map(str, LENGTHS)
                for cell in (show_figure(figures["auc by length"][n]), _show_share(figures["tpr by length"][n]))
            ]
            lines.append(write_row(method, *cells))
    return lines


def _present(settings: Figures) -> list[tuple[str, dict[str, Figures]]]:
    return [(setting, settings[setting]) for setting in SETTINGS if settings.get(setting)]


def _show_share(share: Sequence[float] | None) -> str:
    return f"{share[0]:.1%}" if share and share[3] else "–"


def _show_interval(share: Sequence[float] | None) -> str:
    return f"{share[0]:.1%} [{share[1]:.1%}, {share[2]:.1%}]" if share and share[3] else "–"
