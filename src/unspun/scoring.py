"""Evidence into scores, the one way for running and for training: words and pairs first, then the article."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from unspun.classifier import Model, Scorer, to_probability
from unspun.compiled.model import CompiledModel, compile_model
from unspun.evidence import Evidence
from unspun.extractors.direction import insert_odds
from unspun.extractors.wording import insert_habits, join_wordings
from unspun.features import (
    ALONE,
    find_ground,
    insert_margins,
    measure_alone,
    measure_compared,
    summarise_wording,
)
from unspun.ranges import count_in
from unspun.second_look import look_again

#: Log-odds of words that a reviewer vouched for.
NO_SWAP: Final = -20.0


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """``words`` and ``usage`` float64[examined words] and ``swaps`` float64[pairs]: probabilities of a swap, by
    the article alone, by the references' usage, by alignment; ``word_odds`` and ``strange_odds``: the first as
    log-odds, and as if the spinner had never been seen; ``alone`` and
    ``compared``: the features of the two article heads, in ``compared`` without the margin of the head *alone*,
    which need not exist yet. ``usage`` and ``compared`` are None without comparisons."""

    words: NDArray[np.float64]
    word_odds: NDArray[np.float64]
    strange_odds: NDArray[np.float64]
    usage: NDArray[np.float64] | None
    swaps: NDArray[np.float64]
    alone: NDArray[np.float64]
    compared: NDArray[np.float64] | None


def measure(evidence: Evidence, model: Model) -> Measured:
    """Score words and pairs, and measure what the article heads see. The model needs no heads yet."""
    compiled = None if evidence.dismissed.any() else compile_model(model)
    return (compiled and _measure_compiled(evidence, compiled)) or _measure_plainly(evidence, model)


def _measure_compiled(evidence: Evidence, compiled: CompiledModel) -> Measured | None:
    own = compiled.score_words(evidence.wordings, strange=True)
    assert own.strange is not None
    alone = measure_alone(evidence.article, compiled.summarise_words(evidence, own), evidence.rules)
    words = to_probability(own.words)
    if not evidence.comparisons:
        return Measured(words, own.words, own.strange, None, np.zeros(0), alone, None)
    opposite = [compiled.score_words(wordings, strange=False) for wordings in evidence.directions.opposite]
    found = compiled.score_compared(evidence, own, opposite)
    if found is None:
        return None
    usage, swaps, compared = found
    compared[-1] = alone[ALONE.index("tricks")]
    return Measured(words, own.words, own.strange, usage, swaps, alone, compared)


def _measure_plainly(evidence: Evidence, model: Model) -> Measured:
    article, wordings, found, scorers = evidence.article, evidence.wordings, evidence.substitutions, model.scorers
    # The article's words and those opposite them in its references at once.
    read = [wordings, *evidence.directions.opposite]
    completed = insert_habits(join_wordings(read), model.habits)
    examined = completed[: len(wordings.places)]
    ends = np.cumsum([len(one.places) for one in read])
    word_odds, *opposite = np.split(scorers["words"].log_odds(completed), ends[:-1])
    vouched = evidence.dismissed[wordings.places]
    log_odds = np.where(vouched, NO_SWAP, word_odds)
    words = to_probability(log_odds)
    strange_odds = np.where(vouched, NO_SWAP, scorers["strange"].log_odds(examined))
    strange = np.where(vouched, 0.0, to_probability(strange_odds))
    alone = measure_alone(article, summarise_wording(article, wordings, words, strange), evidence.rules)
    if not evidence.comparisons:
        return Measured(words, log_odds, strange_odds, None, np.zeros(0), alone, None)
    assert evidence.usage is not None
    features = evidence.usage.features.copy()
    features[:, 0] = log_odds
    usage = np.where(vouched, 0.0, scorers["usage"].score(features))
    directions = insert_odds(evidence.directions, log_odds, opposite)
    pairs, direction = scorers["pairs"].log_odds(found.features), scorers["directions"].log_odds(directions)
    first, last = evidence.directions.ranges[:, 0], evidence.directions.ranges[:, 1]
    vouched = count_in(evidence.dismissed, first, last) > 0
    pairs = np.where(vouched, NO_SWAP, pairs)
    coverage = np.array([c.alignment.coverage for c in evidence.comparisons])[found.owner]
    swaps = scorers["swaps"].score(look_again(found.features, found.owner, coverage, pairs, direction))
    swaps = np.where(vouched, 0.0, swaps)
    compared = measure_compared(
        article, evidence.comparisons, found, swaps, to_probability(pairs), direction, usage, alone
    )
    return Measured(words, log_odds, strange_odds, usage, swaps, alone, compared)


def score_article(measured: Measured, scorers: Mapping[str, Scorer]) -> tuple[float, str]:
    """The article's calibrated log-odds and the ground that it is judged on."""
    margin = scorers["alone"].log_odds(measured.alone[None])
    if measured.compared is not None:
        margin = scorers["compared"].log_odds(insert_margins(measured.compared[None], margin))
    return float(margin[0]), find_ground(measured.alone, measured.compared)
