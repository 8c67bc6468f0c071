"""Which text plays which part: documents divided among the stages of training, ready to draw situations from."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Final, Literal

from unspun.text import Text
from unspun.training.corpora import HARD, HUMAN, Document, read_corpus, split
from unspun.training.dictionaries import Dictionary
from unspun.training.situations import Pool
from unspun.unscored import find_unscored_reason

Role = Literal["scorers", "heads", "validation"]

#: Corpora whose groups are events with several reports. Larger groups of FNC-1 mix stories.
STORY_CORPORA: Final = ("ecbplus_clusters", "fnc1", "samples")
MAX_STORY: Final = 16


def role_of(group: str) -> Role:
    """The role of a group of texts, by a stable hash."""
    if split(group) == "validation":
        return "validation"
    return "scorers" if split(group, seed=1) == "validation" else "heads"


def build_pools(documents: Iterable[Document], dictionaries: Iterable[Dictionary]) -> dict[Role, Pool]:
    """The documents by role, every role with all dictionaries."""
    by_role: dict[Role, dict[str, list[Document]]] = {r: defaultdict(list) for r in ("scorers", "heads", "validation")}
    stories: dict[Role, dict[str, list[Document]]] = {r: defaultdict(list) for r in by_role}
    for document in documents:
        role = role_of(document.group)
        by_role[role][document.corpus].append(document)
        stories[role][document.group].append(document)
    families = {d.family: d for d in dictionaries}
    return {
        role: Pool(
            dict(by_role[role]),
            [s for s in stories[role].values() if 2 <= len(s) <= MAX_STORY and s[0].corpus in STORY_CORPORA],
            families,
        )
        for role in by_role
    }


def join_pools(*pools: Pool) -> Pool:
    """The documents of several pools with the dictionaries of the first, without stories."""
    documents = defaultdict[str, list[Document]](list)
    for pool in pools:
        for corpus, found in pool.documents.items():
            documents[corpus] += found
    return Pool(dict(documents), (), pools[0].dictionaries)


def read_documents(shared: Path) -> list[Document]:
    """All clean documents of the shared corpora that are judged: long enough, and in English."""
    documents = (document for name in (*HUMAN, *HARD) for document in read_corpus(shared, name))
    return [document for document in documents if not find_unscored_reason(Text(document.text))]
