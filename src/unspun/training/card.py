# ruff: noqa: E501 - a row of a Markdown table is one line
"""The model card: what the model is, what it was trained on, and its figures, the bad ones too."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from unspun.classifier import PRIOR, Model
from unspun.training.fitting import LEAST_SPUN, LEAST_SUSPECT

Tables = Mapping[str, Mapping[str, Sequence[float]]]

_INTRODUCTION = """\
# Model card: {name}

Scores how probably an article was spun: rewritten by a machine that swaps words for synonyms. Written by
`scripts/train`; every figure below comes from that run.

| | |
|---|---|
| file | `models/default.npz`: plain arrays and one JSON text, read without pickle |
| parts | four ensembles of gradient-boosted trees (pairs of wordings, which of two is the swap, pairs at a second look, words beside the references' usage) and four of small neural networks (words, words as if by a spinner never seen, the article alone, the article compared with references), all of scikit-learn, with logistic calibration; how often each word, and each word beside a certain neighbour, was a swap; weights that rank likely originals |
| trained with | unspun {unspun}, seed {seed}, {situations} (texts that habits are counted over; situations for scorers, heads, validation) |
| clean text | {corpora} |
| spinner families | {families} |
| sha256 of the training data | `{data_sha256}` |
| scores | calibrated for one spun article in {one_in:.0f} |
| thresholds | {thresholds} |

The training texts are third-party corpora (BBC, Reuters-21578, ABC Australia, FNC-1, ECB+, Brown, OUTFOX, WMT22, a web
mix and others); none of them is in this repository, only weights learnt from them. Train, head and validation texts are
divided by event, site or source, never by sentence. Honest and spun articles come from the same texts.

**What a label means.** Thresholds are set apart for articles alone, of fewer than 150 words (`short`) and of more, compared with
references, and derived: following one of them. They are the lowest at which no clean corpus is called spun in over 0.5 %, or suspect in over 3 %, of its
articles, and no case beside references (a report among others of its event, an edited copy, ...) spun in over 0.2 % or
suspect in over 2 %; but not below {least_spun} and {least_suspect}. That holds among validation texts alone, and among
these and the texts that the two article heads learnt from, each scored by a fold that had not seen it. One page of the
web mix is spun itself, as reading it showed, and is left out, as is machine paraphrase. A text that was drawn more than
once counts once; corpora and cases with too few texts for such a share to be one text count together. The tables count
the validation texts, so the shares of honest articles below are fitted, not predicted; the texts themselves were never
trained on. A label is a signal, not a verdict. Fluent paraphrase by a language model is not what it looks for.

**Rules.** Share of the findings in spun articles that stand at a true swap: {rules}.

**Ranking.** Areas under the ROC curve on texts not trained on: {figures}.
"""


def write_card(model: Model, tables: Tables) -> str:
    """The card as Markdown. ``tables``: name -> row -> (share called spun, share called suspect or spun, count)."""
    card = model.card
    lines = [
        _INTRODUCTION.format(
            name=model.name,
            unspun=card["unspun"],
            seed=card["seed"],
            situations=" + ".join(map(str, card["situations"])),
            corpora=", ".join(card["corpora"]),
            families=", ".join(card["families"]),
            data_sha256=card["data_sha256"],
            one_in=1 / PRIOR,
            least_spun=LEAST_SPUN,
            least_suspect=LEAST_SUSPECT,
            thresholds="; ".join(
                f"{ground}: suspect {at.suspect:.3f}, spun {at.spun:.3f}" for ground, at in model.thresholds.items()
            ),
            rules=", ".join(f"{rule} {share:.2f}" for rule, share in sorted(model.rules.items())),
            figures=", ".join(
                f"{name.removesuffix('_auc')} {value:.3f}"
                for name, value in card["figures"].items()
                if name.endswith("_auc")
            ),
        )
    ]
    for name, rows in tables.items():
        lines += [f"\n## {name[0].upper()}{name[1:]}", "| | spun | suspect or spun | articles |", "|---|---|---|---|"]
        lines += [f"| {row} | {spun:.3f} | {suspect:.3f} | {int(n)} |" for row, (spun, suspect, n) in rows.items()]
    return "\n".join(lines) + "\n"
