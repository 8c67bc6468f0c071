"""Evidence into scores, the one way for running and for training: words and pairs first, then the article."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unspun.classifier import Scorer, to_probability
from unspun.evidence import Evidence
from unspun.examined import Examined
from unspun.extractors.wording import examine_wording
from unspun.features import measure_alone, measure_compared, spread_words


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """``words`` and ``usage`` float64[examined words] and ``pairs`` float64[pairs]: probabilities of a swap, by
    the article alone, by the references' usage, by alignment; ``alone`` and
    ``compared``: the features of the two article heads. In ``compared`` the first is left 0: it is the
    margin of the head *alone*, which need not exist yet. ``compared`` is None without comparisons."""

    words: NDArray[np.float64]
    usage: NDArray[np.float64] | None
    pairs: NDArray[np.float64]
    alone: NDArray[np.float64]
    compared: NDArray[np.float64] | None


def measure(evidence: Evidence, scorers: Mapping[str, Scorer]) -> Measured:
    """Score words and pairs, and measure what the article heads see. Needs the scorers of words and pairs."""
    article, wordings = evidence.article, evidence.wordings
    log_odds = scorers["words"].log_odds(wordings.features)
    words = to_probability(log_odds)
    pairs = scorers["pairs"].score(evidence.substitutions.features)
    alone = measure_alone(article, wordings, words, evidence.rules)
    if not evidence.comparisons:
        return Measured(words, None, pairs, alone, None)
    assert evidence.usage is not None
    features = evidence.usage.features.copy()
    features[:, 0] = log_odds
    usage = scorers["usage"].score(features)
    known = {id(article): spread_words(article, wordings, log_odds)}

    def score_words(text: Examined) -> NDArray[np.float64]:
        if id(text) not in known:
            examined = examine_wording(text)
            known[id(text)] = spread_words(text, examined, scorers["words"].log_odds(examined.features))
        return known[id(text)]

    compared = measure_compared(article, evidence.comparisons, evidence.substitutions, pairs, usage, 0.0, score_words)
    return Measured(words, usage, pairs, alone, compared)


def score_article(measured: Measured, scorers: Mapping[str, Scorer]) -> tuple[float, str]:
    """The article's calibrated score and the name of the head that gave it."""
    margin = scorers["alone"].log_odds(measured.alone[None])
    if measured.compared is None:
        return float(to_probability(margin)[0]), "alone"
    compared = measured.compared.copy()
    compared[0] = margin[0]
    return float(scorers["compared"].score(compared[None])[0]), "compared"
