"""The figures of an evaluation as a page of Markdown and as JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Final

from unspun.classifier import PRIOR
from unspun.training.markdown import show_figure, write_head, write_row
from unspun.training.measuring.evaluation_figures import LONG, SETTINGS, Figures
from unspun.training.measuring.evaluation_set import LENGTHS, RATES

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


def write_json(results: Figures) -> str:
    """The results as JSON text, lists of numbers on one line each."""
    text = json.dumps(results, indent=1)
    return re.sub(r"\[[^\[\]{}]*\]", lambda found: json.dumps(json.loads(found.group())), text) + "\n"


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
