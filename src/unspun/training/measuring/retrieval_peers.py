"""Other ways to find the source of an article, for scripts/measure_index --peers (extra ``bench``).

MinHash with locality-sensitive hashing by datasketch and by rensa, over sets of word triples; BM25 over the 25 rarest
words by tantivy and by SQLite's FTS5. Bands of two rows, so that texts with a tenth of their triples in common still
meet.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Final

from unspun.article import Article
from unspun.text import Text

#: Permutations, and bands of two rows.
_PERMUTATIONS: Final = 128
_BANDS: Final = 64
_RAREST: Final = 25
_LEAST_LETTERS: Final = 2

#: Asked for a text and a number, a peer gives the ids of so many references, best first.
Ask = Callable[[str, int], list[str]]


def _cut_triples(text: str) -> list[str]:
    norms = Text(text).norms
    return [" ".join(norms[at : at + 3]) for at in range(max(1, len(norms) - 2))]


def build_datasketch(articles: Iterable[Article], folder: Path) -> Ask:
    """https://github.com/ekzhu/datasketch"""
    from datasketch import MinHash, MinHashLSH

    def sign(text: str) -> Any:
        signature = MinHash(num_perm=_PERMUTATIONS)
        signature.update_batch([triple.encode() for triple in _cut_triples(text)])
        return signature

    lsh, signatures = MinHashLSH(num_perm=_PERMUTATIONS, params=(_BANDS, _PERMUTATIONS // _BANDS)), dict[str, Any]()
    for article in articles:
        signatures[article.id] = sign(article.text)
        lsh.insert(article.id, signatures[article.id])

    def ask(text: str, count: int) -> list[str]:
        own = sign(text)
        return sorted(lsh.query(own), key=lambda name: -own.jaccard(signatures[name]))[:count]

    return ask


def build_rensa(articles: Iterable[Article], folder: Path) -> Ask:
    """https://github.com/beowolx/rensa"""
    from rensa import RMinHash, RMinHashLSH

    def sign(text: str) -> Any:
        signature = RMinHash(num_perm=_PERMUTATIONS, seed=1)
        signature.update(_cut_triples(text))
        return signature

    lsh, names, signatures = (
        RMinHashLSH(threshold=0.1, num_perm=_PERMUTATIONS, num_bands=_BANDS),
        list[str](),
        list[Any](),
    )
    for number, article in enumerate(articles):
        names.append(article.id)
        signatures.append(sign(article.text))
        lsh.insert(number, signatures[-1])

    def ask(text: str, count: int) -> list[str]:
        own = sign(text)
        found = sorted(lsh.query(own), key=lambda number: -own.jaccard(signatures[number]))
        return [names[number] for number in found[:count]]

    return ask


class _Rarest:
    """The words of a text that the fewest references hold."""

    def __init__(self) -> None:
        self._held = Counter[str]()

    def learn(self, text: str) -> None:
        self._held.update({norm for norm in Text(text).norms if norm.isalnum() and len(norm) >= _LEAST_LETTERS})

    def choose(self, text: str) -> list[str]:
        present = {norm: self._held[norm] for norm in Text(text).norms if norm in self._held}
        return sorted(present, key=lambda norm: (present[norm], norm))[:_RAREST]


def build_tantivy(articles: Iterable[Article], folder: Path) -> Ask:
    """https://github.com/quickwit-oss/tantivy-py"""
    import tantivy

    schema = (
        tantivy.SchemaBuilder().add_text_field("id", stored=True, tokenizer_name="raw").add_text_field("text").build()
    )
    (folder / "tantivy").mkdir()
    index, rarest = tantivy.Index(schema, str(folder / "tantivy")), _Rarest()
    writer = index.writer(200_000_000, 1)
    for article in articles:
        rarest.learn(article.text)
        writer.add_document(tantivy.Document(id=article.id, text=article.text))
    writer.commit()
    writer.wait_merging_threads()
    index.reload()
    searcher = index.searcher()

    def ask(text: str, count: int) -> list[str]:
        words = [(tantivy.Occur.Should, tantivy.Query.term_query(schema, "text", word)) for word in rarest.choose(text)]
        hits = searcher.search(tantivy.Query.boolean_query(words), count).hits if words else []
        return [searcher.doc(address)["id"][0] for _, address in hits]

    return ask


def build_fts5(articles: Iterable[Article], folder: Path) -> Ask:
    """https://www.sqlite.org/fts5.html"""
    database, rarest = sqlite3.connect(folder / "fts5.sqlite"), _Rarest()
    database.execute("create virtual table articles using fts5(id unindexed, text)")
    for article in articles:
        rarest.learn(article.text)
        text = article.text.encode("utf-8", "replace").decode()
        database.execute("insert into articles values (?, ?)", (article.id, text))
    database.commit()

    def ask(text: str, count: int) -> list[str]:
        words = " OR ".join(f'"{word}"' for word in rarest.choose(text))
        asked = "select id from articles where articles match ? order by rank limit ?"
        return [row[0] for row in database.execute(asked, (words, count))] if words else []

    return ask


PEERS: Final[dict[str, Callable[[Iterable[Article], Path], Ask]]] = {
    "datasketch": build_datasketch,
    "rensa": build_rensa,
    "tantivy": build_tantivy,
    "sqlite_fts5": build_fts5,
}
