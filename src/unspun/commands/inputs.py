"""What commands read before they begin: the model, articles, references, decisions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from unspun.article import Article, Unreadable, Verdict
from unspun.commands.console import Leftovers, Meter, open_model, refuse, say

if TYPE_CHECKING:
    from unspun.commands.options import ContextChoice
    from unspun.decisions import Decisions
    from unspun.detector import Detector
    from unspun.index.query import Index
    from unspun.lexicon import Lexicon
    from unspun.references import References


def load_detector(model: Path | None, context: ContextChoice) -> Detector:
    from unspun.detector import Detector

    return open_model(model, lambda: Detector.load(model, context.value))


class Reading:
    """Articles as they are read: what cannot be read is told and counted, as ``lost``."""

    def __init__(self) -> None:
        self._leftovers, self.lost = Leftovers(), 0

    def read(self, paths: Iterable[Path]) -> Iterator[Article]:
        """The articles below some paths."""
        from unspun.readers import read_articles

        for item in read_articles(paths, self._leftovers.add):
            if isinstance(item, Unreadable):
                self.lost += 1
                say(f"{item.source}: {item.error}")
            else:
                yield item

    def tell(self) -> None:
        """Tell of the files that were left alone."""
        self._leftovers.tell()


def read_sources(paths: Sequence[Path], reading: Reading) -> Iterator[Article]:
    """The articles of which an index is made; what is none is refused before anything is read."""
    from unspun.index.manifest import is_index

    for path in paths:
        if not path.exists():
            refuse(f"{path}: no such file or folder; check the path")
        if is_index(path):
            refuse(f"{path}: is an index; name the texts that it was made of")

    def read() -> Iterator[Article]:
        with Meter("references read") as meter:
            yield from meter.count(reading.read(paths))

    return read()


def read_references(paths: list[Path] | None, lexicon: Lexicon) -> tuple[References | None, int]:
    """The references below ``paths`` (None when none were asked for) and how many could not be read."""
    from unspun.index.compared import IndexedReferences
    from unspun.index.manifest import is_index
    from unspun.readers import make_ids_unique
    from unspun.references import References

    if not paths:
        return None, 0
    indexes: list[Index] = []
    articles, reading = list[Article](), Reading()
    with Meter("references read") as meter:
        for path in paths:
            if not path.exists():
                refuse(f"--references {path}: no such file or folder; check the path")
            if is_index(path):
                indexes.append(_open_index(path, lexicon))
                continue
            before = len(articles)
            articles += meter.count(reading.read([path]))
            if len(articles) == before:
                refuse(f"--references {path}: holds no readable text; name another file or folder")
    reading.tell()
    unique = make_ids_unique(articles)
    built = IndexedReferences(indexes, unique, lexicon) if indexes else References.build(unique, lexicon)
    return built, reading.lost


def _open_index(path: Path, lexicon: Lexicon) -> Index:
    from unspun.index.query import Index
    from unspun.index.segment import IndexDamagedError

    try:
        index = Index.open(path, lexicon)
    except IndexDamagedError as error:
        refuse(f"--references {error}")
    if not len(index):
        refuse(f"--references {path}: is an index without references; name another, or add some")
    return index


def find_compared(verdict: Verdict, references: References | None) -> list[Article]:
    """The references that the verdict names."""
    found = [references.get(relation.id) for relation in verdict.references] if references else []
    return [reference for reference in found if reference]


def read_decisions(paths: list[Path] | None) -> Decisions | None:
    from unspun.decisions import Decisions, DecisionsError

    try:
        return Decisions.read(paths) if paths else None
    except DecisionsError as error:
        refuse(f"--decisions {error}")


def tell_unused(decided: Decisions | None) -> None:
    if decided and decided.unused:
        many = "one decision is" if decided.unused == 1 else f"{decided.unused} decisions are"
        say(f"{many} about texts that are not among the articles")
