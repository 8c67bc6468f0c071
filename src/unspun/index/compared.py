"""References that lie in indexes: to the detector they are :class:`~unspun.references.References` like any other."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from unspun.article import Article
from unspun.index.query import Index
from unspun.index.selection import Selection
from unspun.lexicon import Lexicon
from unspun.references import MAX_CANDIDATES, Candidate, Reference, References
from unspun.text import Text

#: Least score of a reference to be compared. Among 100,000, 99 % of the sources of articles spun to 58 % have more, and
#: of the reports of one event (ECB+, FNC-1); the best stranger has less in half of the cases.
LEAST_SCORE: Final = 0.006
#: Between the id of a reference and the number of its index, where an index before has the same id.
_BESIDE: Final = "#index-"


class IndexedReferences(References):
    """The references of indexes, and others held in memory beside them.

    What an article is compared with is first looked for in each of them, then built as
    :class:`~unspun.references.References` of its own: verdicts depend on the candidates alone. In each thread
    :meth:`number_words` and :attr:`weights` belong to the last :meth:`query`.
    """

    def __init__(
        self,
        indexes: Sequence[Index],
        beside: Iterable[Article] = (),
        lexicon: Lexicon | None = None,
        selection: Selection | None = None,
    ) -> None:
        """``selection``: which references of the indexes are asked, by default all."""
        lexicon = lexicon or Lexicon.load()
        super().__init__(lexicon)
        self._indexes, self._selection = list(indexes), selection
        self._beside = References.build(beside, lexicon)
        self._last = threading.local()

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name not in ("_last", "weights")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._last = threading.local()

    def __len__(self) -> int:
        return sum(map(len, self._indexes)) + len(self._beside)

    def __iter__(self) -> Iterator[Article]:
        for number, index in enumerate(self._indexes):
            yield from (self._rename(article, number) for article in index)
        yield from (self._rename(article, len(self._indexes)) for article in self._beside)

    def get(self, identifier: str) -> Article | None:
        """The text of the reference of that id, None when there is none."""
        found = self._get(identifier, 0)
        name, joint, number = identifier.rpartition(_BESIDE)
        if found is None and joint and number.isdecimal() and int(number) > 1:
            found = self._get(name, int(number) - 1)
            return replace(found, id=identifier) if found else None
        return found

    def _get(self, identifier: str, first: int) -> Article | None:
        parts: list[Index | References] = [*self._indexes, self._beside]
        found = (part.get(identifier) for part in parts[first:])
        return next(filter(None, found), None)

    def find(self, identifier: str) -> Reference | None:
        """The reference of that id, ready for comparing with the last article asked for."""
        found = self._built().find(identifier)
        if found is None and (article := self.get(identifier)):
            # Numbered with the others, so that its words are the same numbers.
            self._last.built = References.build([*self._built(), article], self._lexicon)
            found = self._built().find(identifier)
        return found

    def prepare(self) -> None:
        """Nothing is to be built: the indexes are mapped, and forked workers share them."""
        self._beside.prepare()

    def number_words(self, text: Text) -> NDArray[np.int32]:
        """As :meth:`References.number_words`, for the references of the last query."""
        return self._built().number_words(text)

    @property
    def weights(self) -> NDArray[np.float32]:
        """As :attr:`References.weights`, for the references of the last query."""
        return self._built().weights

    def query(
        self, text: Text, source: str | None = None, limit: int = MAX_CANDIDATES
    ) -> tuple[list[Candidate], list[Reference]]:
        """The references to compare a text with, best first, and those that are exact copies of it."""
        found = [
            self._rename(hit.article, number)
            for number, index in enumerate(self._indexes)
            for hit in index.query(text, limit, source, selection=self._selection)
            if hit.is_copy or hit.score >= LEAST_SCORE
        ]
        if len(self._beside):
            candidates, copies = self._beside.query(text, source, limit)
            articles = [candidate.reference.article for candidate in candidates]
            articles += [reference.article for reference in copies]
            found += [self._rename(article, len(self._indexes)) for article in articles]
        self._last.built = References.build(found, self._lexicon)
        return self._built().query(text, source, limit)

    def _built(self) -> References:
        if not hasattr(self._last, "built"):
            self._last.built = References.build([], self._lexicon)
        built: References = self._last.built
        return built

    def _rename(self, article: Article, number: int) -> Article:
        """The article of index ``number`` under an id that none before has."""
        if number and any(article.id in index for index in self._indexes[:number]):
            return replace(article, id=f"{article.id}{_BESIDE}{number + 1}")
        return article
