"""Families on one machine: an index in, families out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Final

import numpy as np
from rapidfuzz.distance import LCSseq

from unspun.article import Article, Verdict
from unspun.detector import Detector
from unspun.families.candidates import Candidates, find_candidates
from unspun.families.groups import Family, group_families
from unspun.index.query import Index
from unspun.text import Text

#: Share of the shorter one's words that stand in the other in the same order, in articles that are compared. Of 5,676
#: pairs spun from one another one has less than 0.32, half of the strangers among the candidates have.
LEAST_LIKE: Final = 0.3

Task = tuple[int, list[int]]


def find_families(
    index: Index,
    detector: Detector,
    workers: int = 1,
    watch: Callable[[Iterable[Verdict]], Iterable[Verdict]] = iter,
) -> list[Family]:
    """The families among the articles of an index. ``watch`` sees the verdicts pass."""
    found = find_candidates(index)
    verdicts = list(watch(judge_candidates(index, found, detector, workers)))
    return group_families(verdicts, _find_copies(index, found, {verdict.id: verdict for verdict in verdicts}))


def judge(article: Article, others: Sequence[Article], detector: Detector) -> Verdict | None:
    """The verdict on an article beside those candidates that are like it; None where it is like none."""
    numbers = dict[str, int]()
    own = _number(article, numbers)
    near = [other for other in others if _is_like(own, _number(other, numbers))]
    verdict = detector.score(article, near) if near else None
    return verdict if verdict and any(r.relation != "independent" for r in verdict.references) else None


def _number(article: Article, numbers: dict[str, int]) -> list[int]:
    return [numbers.setdefault(norm, len(numbers)) for norm in Text(article.text).norms]


def _is_like(one: list[int], other: list[int]) -> bool:
    return LCSseq.similarity(one, other) >= LEAST_LIKE * min(len(one), len(other))


def judge_candidates(index: Index, found: Candidates, detector: Detector, workers: int) -> Iterator[Verdict]:
    """The verdicts on all articles that some candidate is no stranger to."""
    verdicts: Iterator[Verdict | None]
    if workers <= 1:
        verdicts = (_judge_one(index, detector, task) for task in found)
    else:
        from unspun.processes import share_work

        verdicts = share_work(found, _judge_chunk, workers, _start_worker, (index, detector))
    return (verdict for verdict in verdicts if verdict)


def _judge_one(index: Index, detector: Detector, task: Task) -> Verdict | None:
    number, others = task
    return judge(index.read_article(number), [index.read_article(other) for other in others], detector)


_worker: tuple[Index, Detector] | None = None


def _start_worker(index: Index, detector: Detector) -> None:
    global _worker
    _worker = index, detector


def _judge_chunk(chunk: list[Task]) -> list[Verdict | None]:
    assert _worker is not None
    return [_judge_one(*_worker, task) for task in chunk]


def _find_copies(index: Index, found: Candidates, judged: dict[str, Verdict]) -> Iterator[tuple[str, Verdict]]:
    """Exact copies of judged articles, with their verdict under their own name."""
    numbers = np.arange(len(found.represented))
    for number in np.flatnonzero((found.represented >= 0) & (found.represented != numbers)).tolist():
        lead = index.read_row(int(found.represented[number]))["id"]
        if lead in judged:
            row = index.read_row(number)
            yield lead, replace(judged[lead], id=row["id"], source=row.get("source"))
