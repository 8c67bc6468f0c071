"""Which references an article is compared with."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from unspun.article import Article
from unspun.readers import read_articles
from unspun.references import References
from unspun.text import Text

FERRY = (
    "The ferry Solveig ran aground off Harrow Point on Tuesday night with 212 people on board. "
    "Captain Ines Okafor said the engine failed in heavy seas, and lifeboats from Dunmore took everyone off."
)
FERRY_AGAIN = (
    "All 212 passengers and crew of the Solveig were safe on Wednesday after lifeboats from Dunmore reached "
    "the stranded ferry. Ines Okafor, its captain, blamed a failed engine. It lies off Harrow Point."
)
BUDGET = (
    "The town of Velling will close two libraries next year to save money, its council decided after a long "
    "debate. Opponents collected nine thousand signatures and announced that they would go to court."
)


def find(article: Article, *references: Article) -> tuple[list[str], list[str]]:
    candidates, copies = References.build(references).query(Text(article.text), article.source)
    return [c.reference.article.id for c in candidates], [c.article.id for c in copies]


def test_the_report_of_the_same_event_comes_first_and_strangers_stay_out() -> None:
    found, _ = find(Article("a", FERRY), Article("budget", BUDGET), Article("again", FERRY_AGAIN))
    assert found == ["again"]


def test_an_article_is_never_compared_with_itself() -> None:
    found, copies = find(
        Article("x", FERRY, "inbox/x.txt"), Article("x", FERRY, "inbox/x.txt"), Article("again", FERRY_AGAIN, "y.txt")
    )
    assert (found, copies) == (["again"], [])


def test_an_exact_copy_is_named_but_not_compared() -> None:
    respaced = FERRY.replace(" ", "\u00a0").upper()
    found, copies = find(Article("x", FERRY), Article("copy", respaced), Article("again", FERRY_AGAIN))
    assert (found, copies) == (["again"], ["copy"])


def test_the_source_is_found_among_many_when_half_the_words_are_others() -> None:
    rng = np.random.default_rng(0)
    words = [f"word{n}" for n in range(3000)]
    texts = [" ".join(rng.choice(words, 200)) for _ in range(400)]
    references = References.build(Article(str(n), text) for n, text in enumerate(texts))
    for number in (3, 77, 399):
        spun = [f"other{i}" if rng.random() < 0.5 else word for i, word in enumerate(texts[number].split())]
        candidates, _ = references.query(Text(" ".join(spun)))
        assert candidates[0].reference.article.id == str(number)


def test_records_of_one_file_are_compared_with_each_other(tmp_path: Path) -> None:
    path = tmp_path / "wire.jsonl"
    path.write_text("".join(json.dumps({"text": text}) + "\n" for text in (FERRY, FERRY_AGAIN)), "utf-8")
    first, second = (item for item in read_articles([path]) if isinstance(item, Article))
    assert find(first, first, second) == ([second.id], [])


def test_references_without_words_are_left_out() -> None:
    references = References.build([Article("empty", ""), Article("dashes", "--- !!!"), Article("a", FERRY)])
    assert len(references) == 1
    assert references.get("a") is not None
    assert references.get("empty") is None


def test_no_references_at_all() -> None:
    assert References.build([]).query(Text(FERRY)) == ([], [])
