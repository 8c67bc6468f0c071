"""What the contextual model saw of an article, as numbers: for each word beside what the wording alone says, and for
the whole article."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from unspun.classifier import to_probability
from unspun.examined import Examined
from unspun.scoring import Measured

#: What is known of each word.
WORD: Final = (
    "mark", "mark_around", "mark_in_article", "words", "strange", "examined", "content", "named", "opens", "zipf",
)  # fmt: skip
#: What is known of an article.
READ: Final = (
    "alone", "length",
    "mark_mean", "mark_half", "mark_sure", "mark_certain", "mark_top_tenth", "mark_log_odds", "mark_sentences",
    "content_mean", "content_sure", "content_log_odds",
    "agreed_mean", "agreed_half",
)  # fmt: skip
#: Marks beyond this are alike: the model is seldom so sure, and one word must not decide.
_MOST: Final = 8.0
#: Probabilities from which a mark is counted as sure, and as certain.
_SURE: Final = 0.8
_CERTAIN: Final = 0.95


def examine_marks(
    article: Examined, places: NDArray[np.int32], measured: Measured, marks: NDArray[np.float64]
) -> NDArray[np.float64]:
    """float64[words, len(WORD)]. ``marks`` float64[words]: the log-odds of the contextual model; ``places``: the words
    that were examined without it."""
    words = len(article)
    odds = np.clip(marks, -_MOST, _MOST)
    padded = np.r_[-_MOST, odds, -_MOST]
    chances = to_probability(odds)
    known = np.zeros((3, words))
    known[:, places] = measured.word_odds, measured.strange_odds, np.ones(len(places))
    return np.column_stack([
        odds,
        np.maximum(padded[:-2], padded[2:]),
        # Without the word itself: among many swaps a doubtful word is likelier one more.
        (chances.sum() - chances) / (words + 20.0),
        *known,
        article.content, article.named, article.opens, article.zipf,
    ])  # fmt: skip


def measure_read(
    article: Examined, places: NDArray[np.int32], measured: Measured, alone: float, marks: NDArray[np.float64]
) -> NDArray[np.float64]:
    """float64[len(READ)]. ``alone``: the article's log-odds without the contextual model."""
    words = len(article)
    odds = np.clip(marks, -_MOST, _MOST)
    chances = to_probability(odds)
    content = chances[article.content] if article.content.any() else np.zeros(1)
    agreed = np.minimum(chances[places], measured.words) if len(places) else np.zeros(1)
    ranked = np.sort(chances)[::-1]
    hit = len(np.unique(article.sentence_of[chances > _SURE])) / len(article.text.sentences)
    return np.array([
        alone,
        np.log(words + 1),
        chances.mean(),
        (chances > 0.5).mean(),
        (chances > _SURE).mean(),
        (chances > _CERTAIN).mean(),
        ranked[: max(1, words // 10)].mean(),
        odds.mean(),
        hit,
        content.mean(),
        (content > _SURE).mean(),
        float(odds[article.content].mean()) if article.content.any() else 0.0,
        agreed.mean(),
        (agreed > 0.5).mean(),
    ])  # fmt: skip
