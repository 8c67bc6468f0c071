"""Measures of how good scores and spans are: ranking, rates with their doubt, calibration, spans by characters."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import astuple, dataclass
from typing import Final, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score, roc_curve

from unspun.article import Span

Floats = NDArray[np.float64]
T = TypeVar("T")

#: Standard normal quantile of a two-sided 95 % interval.
_Z95: Final = 1.959964
#: Bins of calibration, of equal width; ten are customary (Guo et al. 2017).
BINS: Final = 10


class TrueSwap(Protocol):
    """What is known of a true swap: the samples' and the spinner's swaps both are such."""

    @property
    def start(self) -> int: ...
    @property
    def end(self) -> int: ...
    @property
    def original(self) -> str: ...


def measure_auc(honest: Floats, spun: Floats) -> float:
    """Area under the ROC curve: how often a spun article scores above an honest one. Both must hold a score."""
    return float(roc_auc_score(np.r_[np.zeros(len(honest)), np.ones(len(spun))], np.r_[honest, spun]))


def find_threshold(honest: Iterable[Floats], cost: float) -> float:
    """The lowest score that at most the share ``cost`` of every one of the sets of honest scores reaches."""
    return max(float(np.quantile(scores, 1 - cost, method="higher")) for scores in honest) + 1e-6


def measure_tpr(honest: Floats, spun: Floats, cost: float, weights: Floats | None = None) -> float:
    """The share of spun articles found where at most the share ``cost`` of the honest ones is called spun; with
    ``weights`` of the honest ones, at most that share of the weight."""
    if weights is None:
        return float((spun >= find_threshold([honest], cost)).mean())
    return float((spun > find_limit(honest, weights, cost)).mean())


def find_limit(honest: Floats, weights: Floats, cost: float) -> float:
    """The lowest score above which at most the share ``cost`` of the weight of the honest scores lies."""
    order = np.argsort(-honest, kind="stable")
    return float(honest[order][np.argmax(np.cumsum(weights[order]) > cost * weights.sum())])


def join_small(corpora: Iterable[Sequence[T]], cost: float, count: Callable[[Sequence[T]], int] = len) -> list[list[T]]:
    """What must keep to a cost: each corpus for which it is one text or more, by ``count``; the others together; and
    all together."""
    corpora = list(corpora)
    large = [list(corpus) for corpus in corpora if cost * count(corpus) >= 1]
    small = [one for corpus in corpora if cost * count(corpus) < 1 for one in corpus]
    return [found for found in (*large, small, [one for corpus in corpora for one in corpus]) if found]


def weigh_texts(texts: Sequence[str]) -> Floats:
    """float64[n]: weights under which every text counts once, however often it was drawn."""
    times = Counter(texts)
    return np.array([1 / times[text] for text in texts])


def trace_roc(honest: Floats, spun: Floats, costs: Sequence[float]) -> list[float]:
    """The ROC curve at the false-positive rates ``costs``, straight between the points that a threshold reaches:
    under these lines lies the area that :func:`measure_auc` gives."""
    false, true, _ = roc_curve(np.r_[np.zeros(len(honest)), np.ones(len(spun))], np.r_[honest, spun])
    # Of the points above one another the highest is what that rate buys.
    highest = np.append(false[1:] > false[:-1], True)
    return [float(value) for value in np.interp(costs, false[highest], true[highest])]


def bound_share(hits: float, count: int) -> tuple[float, float]:
    """The 95 % interval of a share, ``hits`` of ``count`` (Wilson 1927); (0, 1) where nothing was counted."""
    if not count:
        return 0.0, 1.0
    share, z2 = hits / count, _Z95**2 / count
    middle = (share + z2 / 2) / (1 + z2)
    reach = _Z95 / (1 + z2) * math.sqrt(share * (1 - share) / count + z2 / (4 * count))
    return max(0.0, middle - reach), min(1.0, middle + reach)


def weigh_classes(spun: NDArray[np.bool_], prior: float) -> Floats:
    """float64[n]: weights under which the share ``prior`` of the articles is spun; they sum to 1."""
    return np.where(spun, prior / max(1, int(spun.sum())), (1 - prior) / max(1, int((~spun).sum())))


def bin_scores(scores: Floats, spun: NDArray[np.bool_], prior: float) -> list[tuple[float, float, float]]:
    """Reliability of scores where the share ``prior`` is spun: (weight, mean score, share spun) of every bin
    that holds an article, in rising order; the weights sum to 1."""
    weights = weigh_classes(spun, prior)
    places = np.minimum((scores * BINS).astype(int), BINS - 1)
    found = []
    for place in range(BINS):
        inside = places == place
        weight = float(weights[inside].sum())
        if weight > 0:
            mean = float((weights * scores)[inside].sum()) / weight
            found.append((weight, mean, float((weights * spun)[inside].sum()) / weight))
    return found


def measure_ece(bins: Iterable[tuple[float, float, float]]) -> float:
    """Expected calibration error: the mean distance of score and share spun over what :func:`bin_scores` gives."""
    return sum(weight * abs(mean - share) for weight, mean, share in bins)


@dataclass(frozen=True, slots=True)
class SpanCounts:
    """Spans against the truth: characters ``right`` (marked and truly swapped), ``marked``, ``true`` (swapped), space
    left out; spans ``hit`` (more than half swapped), ``restored`` (those whose suggestion is, case apart, exactly
    what stood there) and ``offered`` (those whose suggestion or one of whose alternatives is)."""

    right: int = 0
    marked: int = 0
    true: int = 0
    hit: int = 0
    restored: int = 0
    offered: int = 0

    def __add__(self, other: SpanCounts) -> SpanCounts:
        return SpanCounts(*(one + more for one, more in zip(astuple(self), astuple(other), strict=True)))

    @property
    def precision(self) -> float | None:
        return self.right / self.marked if self.marked else None

    @property
    def recall(self) -> float | None:
        return self.right / self.true if self.true else None

    @property
    def suggestion(self) -> float | None:
        """The share of the spans hit that are restored."""
        return self.restored / self.hit if self.hit else None

    @property
    def in_three(self) -> float | None:
        """The share of the spans hit that offer what stood there, first or among the alternatives."""
        return self.offered / self.hit if self.hit else None


def count_spans(text: str, spans: Iterable[Span], swaps: Sequence[TrueSwap]) -> SpanCounts:
    """The spans of the article ``text`` against its true swaps (in text order, not overlapping).

    Space does not count: a span that joins two adjacent swaps covers the space between them, and is right.
    """
    shown = np.array([not letter.isspace() for letter in text])
    swapped = np.zeros(len(text), np.bool_)
    for swap in swaps:
        swapped[swap.start : swap.end] = True
    swapped &= shown
    right = marked = hit = restored = offered = 0
    for span in spans:
        inside, size = int(swapped[span.start : span.end].sum()), int(shown[span.start : span.end].sum())
        right += inside
        marked += size
        if 2 * inside > size:
            hit += 1
            wordings = [one.casefold() for one in (span.suggestion, *span.alternatives) if one is not None]
            original = _restore(text, span, swaps)
            restored += wordings[:1] == [original]
            offered += original in wordings
    return SpanCounts(right, marked, int(swapped.sum()), hit, restored, offered)


def _restore(text: str, span: Span, swaps: Sequence[TrueSwap]) -> str | None:
    """What stood where the span stands, case folded; None when it cuts a swap, so that nothing does."""
    pieces, at = list[str](), span.start
    for swap in swaps:
        if swap.end <= span.start or swap.start >= span.end:
            continue
        if swap.start < span.start or swap.end > span.end:
            return None
        pieces += [text[at : swap.start], swap.original]
        at = swap.end
    return "".join([*pieces, text[at : span.end]]).casefold()
