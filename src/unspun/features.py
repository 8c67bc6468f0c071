"""Evidence into numbers: what the article classifiers see.

Two heads share the work: *alone* sees the article itself, *compared* sees what its references show and the
margin of the first. Every feature is a rate, a share or a logarithm, so that length carries no weight of its
own; the length itself is there to tell how much a rate can be trusted.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from unspun.alignment import Pair
from unspun.classifier import BASE_RATE
from unspun.examined import Examined
from unspun.extractors import Finding
from unspun.extractors.substitutions import FEATURES as PAIR
from unspun.extractors.substitutions import Comparison, Substitutions
from unspun.extractors.wording import FEATURES as WORDING
from unspun.extractors.wording import Wordings
from unspun.second_look import weigh_direction

#: What the wording of an article says.
SUMMARY: Final = (
    "length",
    "swapped_mean", "swapped_half", "swapped_sure", "top_tenth", "log_odds", "sentences_hit",
    "strange_mean", "strange_half", "strange_sure", "strange_top_tenth", "strange_log_odds", "strange_sentences_hit",
    "unfit", "fit", "gain", "prior_gain",
)  # fmt: skip
#: What the head *alone* sees.
ALONE: Final = (
    *SUMMARY,
    "wrong_articles", "doubled", "phrases", "tricks", "unknown", "zipf",
)  # fmt: skip
#: What the head *compared* sees.
COMPARED: Final = (
    "alone",
    "swaps", "swap_rate", "swaps_of_covered", "sure_swaps", "certain_swaps", "quote_swaps", "name_swaps",
    "quote_share", "swaps_of_differences", "best_reference_rate", "agreed_swaps", "agreed_quote_swaps",
    "usage_mean", "usage_half", "usage_sure", "usage_top",
    "coverage", "identity", "new_words", "length", "fluency",
    "differences", "direction", "direction_mean", "tricks",
)  # fmt: skip


#: Words added below the line of a rate of swaps: a stray swap in a short overlap must not look like a high rate.
SMOOTHING: Final = 20.0


#: Probability from which a swap is certain: a stray one between two honest reports seldom gets there, so that a few of
#: these say more than many likely ones. Of articles that two spinners made, compared with their source, 98.7 % were
#: called spun with their number among the features, 97.4 % without.
CERTAIN: Final = 0.993


#: Share of an article that follows a reference from which it is judged as derived from that. Between reports of one
#: event that were written apart there is hardly more than 0.23, see :mod:`unspun.relations`; honest articles that
#: follow a reference are copies and edited ones, whose scores are far lower.
MIN_DERIVED: Final = 0.4


#: Words from which an article alone is no short one. At one threshold for all, 4.5 in 1,000 honest texts below it were
#: called spun, and none of 1,723 above.
MIN_LONG: Final = 150


def find_ground(alone: NDArray[np.float64], compared: NDArray[np.float64] | None) -> str:
    """The one of :data:`unspun.classifier.GROUNDS` on which an article with these features, float64[len(ALONE)] and
    float64[len(COMPARED)], is judged."""
    if compared is not None:
        return "derived" if compared[COMPARED.index("coverage")] >= MIN_DERIVED else "compared"
    return name_length(round(np.expm1(alone[ALONE.index("length")])))


def name_length(words: int) -> str:
    """The ground on which an article of so many words is judged without references."""
    return "alone" if words >= MIN_LONG else "short"


def _per_hundred(count: float, words: int) -> float:
    return 100.0 * count / max(words, 1)


def summarise_wording(
    article: Examined, wordings: Wordings, swapped: NDArray[np.float64], strange: NDArray[np.float64]
) -> NDArray[np.float64]:
    """float64[len(SUMMARY)]. ``swapped`` and ``strange`` float64[m]: the probability that each examined word was
    swapped in, by a spinner that training knows and by one that it does not."""
    features = wordings.features.astype(np.float64)
    sentences = article.sentence_of[wordings.places]
    if not len(swapped):
        swapped, strange, features = np.zeros(1), np.zeros(1), np.zeros((1, len(WORDING)))
        sentences = np.zeros(1, np.int32)
    column = WORDING.index
    fit = np.minimum(features[:, column("fit_left")], features[:, column("fit_right")])
    return np.array([
        np.log(len(article) + 1),
        *_summarise_words(swapped, sentences, len(article.text.sentences)),
        *_summarise_words(strange, sentences, len(article.text.sentences)),
        np.count_nonzero(fit < -0.5) / len(fit),
        fit.sum() / len(fit),
        features[:, column("gain")].sum() / len(fit),
        features[:, column("prior_gain")].sum() / len(fit),
    ])  # fmt: skip


def measure_alone(article: Examined, summary: NDArray[np.float64], rules: Sequence[Finding]) -> NDArray[np.float64]:
    """float64[len(ALONE)]. ``summary`` float64[len(SUMMARY)]: what the wording says."""
    words, kinds = len(article), [finding.kind for finding in rules]
    doubled = sum(f.kind == "grammar" and article.text.norm(f.first) == article.text.norm(f.last - 1) for f in rules)
    return np.append(summary, [
        _per_hundred(kinds.count("grammar") - doubled, words),
        _per_hundred(doubled, words),
        _per_hundred(kinds.count("phrase"), words),
        _per_hundred(kinds.count("trick"), words),
        np.count_nonzero(article.ids < 0) / max(words, 1),
        float(article.zipf[article.content].mean(dtype=np.float64)) if article.content.any() else 0.0,
    ])  # fmt: skip


def choose_strongest(pairs: Sequence[Pair], scores: NDArray[np.float64]) -> list[int]:
    """Indices of pairs that do not overlap in the article, the likeliest swaps first come; in text order."""
    taken, chosen = bytearray(max((pair.a1 for pair in pairs), default=0)), list[int]()
    for index in np.argsort(-scores, kind="stable").tolist():
        pair = pairs[index]
        if 1 not in taken[pair.a0 : pair.a1]:
            taken[pair.a0 : pair.a1] = b"\1" * (pair.a1 - pair.a0)
            chosen.append(index)
    return sorted(chosen, key=lambda i: pairs[i].a0)


def measure_compared(
    article: Examined,
    comparisons: Sequence[Comparison],
    found: Substitutions,
    scores: NDArray[np.float64],
    differences: NDArray[np.float64],
    direction: NDArray[np.float64],
    usage: NDArray[np.float64],
    alone: NDArray[np.float64],
) -> NDArray[np.float64]:
    """float64[len(COMPARED)], to be completed by :func:`insert_margins`.

    ``scores`` float64[pairs]: the probability that each pair is a swap; ``differences`` and ``direction`` the
    same from the first look: that it is a swap one way or the other, and the log-odds that it is this way round;
    ``usage`` float64[examined words]: the probability of a swap by the references' usage; ``alone``
    float64[len(ALONE)]: what is measured without references.
    """
    words = len(article)
    chosen = choose_strongest(found.pairs, scores)
    strength = scores[chosen]
    widths = np.array([found.pairs[i].a1 - found.pairs[i].a0 for i in chosen], np.float64)
    features = found.features[chosen].astype(np.float64)
    column = PAIR.index
    quoted = features[:, column("quoted")] > 0
    named = (features[:, column("capital")] > 0) & (features[:, column("reference_capital")] > 0)
    # Where references agree with each other against the article, no fluency is needed to tell which is altered.
    agreed = (features[:, column("reference_supported")] > 1) & (features[:, column("supported")] == 0)
    covered, vouched = np.zeros(words, np.bool_), np.zeros(words, np.bool_)
    rates, coverages, identities, news = [0.0], [0.0], [0.0], [0.0]
    for k, comparison in enumerate(comparisons):
        alignment = comparison.alignment
        matched = int(np.count_nonzero(alignment.partner >= 0))
        mine = scores[found.owner == k]
        covered |= alignment.segment_of >= 0
        vouched |= alignment.covered
        inside = max(1, int(np.count_nonzero(alignment.segment_of >= 0)))
        rates.append(float(mine.sum()) / (matched + SMOOTHING))
        coverages.append(alignment.coverage)
        identities.append(matched / inside if inside > 15 else 0.0)
        news.append((alignment.inserted + alignment.deleted) / inside)
    best = int(np.argmax(coverages))
    pulls, weight = weigh_direction(differences, direction)[chosen].sum(), differences[chosen].sum()
    total = float((strength * widths).sum())
    return np.array([
        1.0 - np.count_nonzero(vouched) / words,
        np.log1p(strength.sum()),
        total / max(words, 1),
        total / (covered.sum() + SMOOTHING),
        np.log1p((strength > 0.8).sum()),
        np.log1p((strength > CERTAIN).sum()),
        np.log1p(strength[quoted].sum()),
        np.log1p(strength[named].sum()),
        strength[quoted].sum() / (quoted.sum() + 2.0),
        strength.sum() / (len(strength) + 3.0),
        max(rates),
        np.log1p(differences[chosen][agreed].sum()),
        np.log1p(differences[chosen][agreed & quoted].sum()),
        *_summarise(usage),
        coverages[best], identities[best], news[best],
        np.log(words + 1),
        float((strength * features[:, column("fluency_mean")]).sum() / (strength.sum() + 1.0)),
        np.log1p(weight), pulls / np.sqrt(weight + 1.0), pulls / (weight + 1.0),
        alone[ALONE.index("tricks")],
    ])  # fmt: skip


def insert_margins(compared: NDArray[np.float64], margins: NDArray[np.float64]) -> NDArray[np.float64]:
    """The features float64[n, len(COMPARED)] with what the head *alone* says, float64[n], as far as no reference
    has the same words: one that has them vouches for them."""
    completed = compared.copy()
    completed[:, 0] *= margins - BASE_RATE
    return completed


def _summarise_words(
    probabilities: NDArray[np.float64], sentence_of: NDArray[np.int32], sentences: int
) -> tuple[float, ...]:
    """The summary of the words' probabilities, their mean log-odds, the share of sentences that hold a likely swap."""
    clipped = np.clip(probabilities, 1e-3, 1 - 1e-3)
    hit = len(np.unique(sentence_of[probabilities > 0.6])) / sentences
    return *_summarise(probabilities), float(np.log(clipped / (1 - clipped)).mean()), hit


def _summarise(probabilities: NDArray[np.float64]) -> tuple[float, float, float, float]:
    """Mean, shares above a half and above 0.8, and mean of the highest tenth."""
    if not len(probabilities):
        return 0.0, 0.0, 0.0, 0.0
    ranked = np.sort(probabilities)[::-1]
    return (
        float(probabilities.sum()) / len(probabilities),
        np.count_nonzero(probabilities > 0.5) / len(probabilities),
        np.count_nonzero(probabilities > 0.8) / len(probabilities),
        float(ranked[: max(1, len(ranked) // 10)].mean()),
    )
