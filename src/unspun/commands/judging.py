"""Each input with its verdict: given now, or read back from a file."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from unspun.article import Article, Unreadable, Verdict, check_spans
from unspun.commands.console import refuse, say

if TYPE_CHECKING:
    from unspun.decisions import Decisions
    from unspun.detector import Detector
    from unspun.references import References

#: What was read, and the verdict on it.
Judged: TypeAlias = tuple[Article | Unreadable, Verdict]


def judge(
    articles: Iterable[Article | Unreadable],
    detector: Detector,
    built: References | None,
    workers: int,
    decided: Decisions | None,
) -> Iterator[Judged]:
    """Each input with its verdict, in order."""
    waiting = deque[Article | Unreadable]()

    def remember() -> Iterator[Article | Unreadable]:
        for article in articles:
            waiting.append(article)
            yield article

    for verdict in detector.score_many(remember(), built, workers, decided):
        article = waiting.popleft()
        if decided and isinstance(article, Article):
            decided.tick_off(article)
        yield article, verdict


def recall(articles: Iterable[Article | Unreadable], path: Path) -> Iterator[Judged]:
    """Each input with the verdict that was saved for it in the file ``path``."""
    from unspun.saved_verdicts import VerdictError, read_verdicts

    try:
        saved = {(verdict.id, verdict.source): verdict for verdict in read_verdicts(path)}
    except VerdictError as error:
        refuse(f"--verdicts {error}")
    except OSError as error:
        refuse(f"--verdicts {path}: cannot be read ({error.strerror or error}); check the file")
    written = path.stat().st_mtime
    for article in articles:
        if isinstance(article, Unreadable):
            yield article, _give_up(article)
            continue
        source = Path(article.source or "")
        if source.is_file() and source.stat().st_mtime > written:
            say(f"{source}: is newer than {path}; if its text has changed since, score it again")
        verdict = saved.get((article.id, article.source))
        try:
            if verdict is None:
                raise ValueError("no verdict on it is saved: score it again")
            check_spans(article, verdict.spans)
        except ValueError as error:
            lost = Unreadable(article.id, article.source or article.id, str(error))
            yield lost, _give_up(lost)
        else:
            yield article, verdict


def _give_up(item: Unreadable) -> Verdict:
    return Verdict(item.id, item.source, None, "unscored", "unreadable", error=item.error)


def watch(judged: Iterable[Judged], labels: Counter[str]) -> Iterator[Judged]:
    """The same; counts their labels, and tells of each input that could not be read or was decided on otherwise."""
    for article, verdict in judged:
        labels[verdict.label] += 1
        if verdict.error is not None:
            labels["unreadable"] += 1
            say(f"{verdict.source or verdict.id}: {verdict.error}")
        if verdict.stale:
            many = "a decision on it was" if verdict.stale == 1 else f"{verdict.stale} decisions on it were"
            say(f"{verdict.source or verdict.id}: has changed since {many} made: not applied, look again")
        yield article, verdict
