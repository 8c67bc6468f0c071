"""References that are of no use, or too many, change neither the verdict nor the time that a candidate takes."""

from __future__ import annotations

import random
from functools import cache

import pytest

from conftest import clock
from unspun import Article, Detector, Verdict
from unspun.references import MAX_CANDIDATES, References

SOURCE = (
    "The lighthouse at Corran Head will be sold to the village below it for a single crown, the ministry of transport "
    "said on Friday. The tower has stood empty since its lamp was replaced by a buoy nine years ago.\n\n"
    "“We will paint it before the summer and open the stairs to visitors,” said Ragna Thorvik, who runs the bakery and "
    "heads the committee that asked for the building. The village plans to rent out the rooms of the keepers and hopes "
    "to earn enough to repair the roof. Engineers who examined the walls found that they were sound.\n\n"
    "Two hundred people live in Corran, half as many as when the fishery closed in 1994. The school has eleven pupils. "
    "Thorvik said that the committee had received letters from former keepers in four countries, and that one of them "
    "had offered to return the brass clock that he took with him when he left."
)
SPUN = (
    SOURCE.replace("sold", "vended").replace("village", "hamlet").replace("stood empty", "stayed vacant")
    .replace("replaced", "substituted").replace("visitors", "guests").replace("asked for", "requested")
    .replace("earn enough", "gain sufficient").replace("repair the roof", "fix the rooftop")
    .replace("examined", "inspected").replace("received letters", "obtained missives").replace("return", "give back")
)  # fmt: skip
HONEST = (
    "CORRAN HEAD - Ragna Thorvik has bought a lighthouse with the change from a loaf of bread. The baker signed the "
    "papers on Friday on behalf of the two hundred people of Corran, who have wanted the empty tower ever since its "
    "lamp went dark. The ministry of transport asked one crown for it. “We will paint it before the summer and open "
    "the stairs to visitors,” she said. Guests are to sleep where keepers slept, which should pay for a new roof. It "
    "may also bring some life to a place that lost its fishery in 1994 and has a school with eleven children. Old "
    "keepers wrote from abroad to wish the village well, among them one who still owns the clock of the tower."
)
FRENCH = (
    "Le phare de Corran Head sera vendu au village pour une couronne, a annoncé vendredi le ministère des transports. "
    "Ragna Thorvik, qui tient la boulangerie, veut ouvrir l'escalier aux visiteurs avant l'été. "
) * 6
GERMAN = (
    "Der Leuchtturm von Corran Head wird für eine Krone an das Dorf verkauft, teilte das Verkehrsministerium mit. "
    "Ragna Thorvik, die Bäckerin, will die Treppe vor dem Sommer für Besucher öffnen. "
) * 6
CHINESE = "科兰角的灯塔将以一克朗的价格卖给村庄，交通部周五表示。" * 20


def write_filler(seed: int, words: int) -> str:
    """Sentences of common words and made-up names, other ones for every seed."""
    rng = random.Random(seed)
    common = "the of a in to and council town harbour said year road new old school people work house was on".split()
    sentences = []
    for _ in range(words // 12):
        drawn = [rng.choice(common) if rng.random() < 0.8 else f"Name{rng.randrange(5000)}" for _ in range(12)]
        sentences.append(" ".join(drawn).capitalize() + ".")
    return " ".join(sentences)


@cache
def detector() -> Detector:
    return Detector.load()


def score(article: str, *references: str) -> Verdict:
    return detector().score(article, [Article(f"r{n}", text) for n, text in enumerate(references)])


def summarise(verdict: Verdict) -> tuple[object, ...]:
    """What must stay: the scores move a little with the number of references."""
    return verdict.label, verdict.reason, [(span.text, span.suggestion) for span in verdict.spans]


USELESS = {
    "empty": ["", " \n ", "--- …!"],
    "in other languages": [FRENCH, GERMAN, CHINESE],
    "of another subject": [write_filler(1, 150), write_filler(2, 150)],
    "100 times longer": [write_filler(3, 100 * len(SOURCE.split()))],
}


@pytest.mark.parametrize("article", [SPUN, HONEST], ids=["spun", "honest"])
@pytest.mark.parametrize("useless", USELESS)
def test_useless_references_change_nothing(article: str, useless: str) -> None:
    without, among = score(article, SOURCE), score(article, SOURCE, *USELESS[useless])
    assert without.label == ("spun" if article == SPUN else "clean")
    assert summarise(among) == summarise(without)
    assert among.references[0] == without.references[0]


@pytest.mark.parametrize("article", [SPUN, HONEST], ids=["spun", "honest"])
@pytest.mark.parametrize("useless", USELESS)
def test_useless_references_alone_are_as_none(article: str, useless: str) -> None:
    alone, among = detector().score(article), score(article, *USELESS[useless])
    assert summarise(among) == summarise(alone)
    assert {r.relation for r in among.references} <= {"independent"}


@pytest.mark.parametrize(
    "references",
    [[SOURCE] * 20, [SOURCE, SPUN, SPUN.upper()], [SOURCE, "\n\n".join([SOURCE] * 100)]],
    ids=["each other's", "the article's", "repeated in one"],
)
def test_copies_among_the_references_do_not_hide_a_spun_article(references: list[str]) -> None:
    without, among = score(SPUN, SOURCE), score(SPUN, *references)
    assert summarise(among) == summarise(without)
    assert (among.label, among.reason) == ("spun", "synonyms_swapped")
    assert "spun" in {r.relation for r in among.references}


def test_copies_among_the_references_do_not_make_an_honest_article_spun() -> None:
    for references in ([SOURCE] * 20, [HONEST, HONEST.upper(), SOURCE], [SOURCE, "\n\n".join([SOURCE] * 100)]):
        verdict = score(HONEST, *references)
        assert (verdict.label, verdict.spans) == ("clean", ())


def test_ten_thousand_references_neither_hide_the_source_nor_slow_a_candidate() -> None:
    few = References.build([Article("source", SOURCE), *(Article(f"s{n}", write_filler(n, 60)) for n in range(100))])
    many = References.build(
        [Article("source", SOURCE), *(Article(f"s{n}", write_filler(n, 60)) for n in range(10_000))]
    )
    few.prepare()
    many.prepare()
    verdict = detector().score(SPUN, many)
    assert verdict.label == "spun"
    assert (verdict.references[0].id, verdict.references[0].relation) == ("source", "spun")
    assert len(verdict.references) <= MAX_CANDIDATES
    fast, slow = (min(clock(lambda held=held: detector().score(SPUN, held)) for _ in range(5)) for held in (few, many))
    # A hundred times the references, and every one of them shares common words with the article.
    assert slow < 4 * fast + 0.05


def test_a_source_in_a_text_100_times_longer_is_found_in_time() -> None:
    long = "\n\n".join([SOURCE, write_filler(4, 100 * len(SOURCE.split()))])
    score(SPUN, SOURCE)
    assert clock(lambda: score(SPUN, long)) < 3
    assert score(SPUN, long).label == "spun"


@pytest.mark.parametrize(
    ("article", "reference"),
    [
        ("spam " * 50_000, "spam " * 50_000 + SOURCE),
        (SOURCE + "spam " * 50_000, "spam " * 50_000),
        ("spam\n" * 50_000, "spam. " * 50_000),
        # English enough to be judged: few words, each of them thousands of times, on both sides.
        ("The spam is of spam and of the spam. " * 3_000, "Spam of the spam is spam. " * 4_000),
    ],
    ids=["one word", "behind an article", "a line each", "few words"],
)
def test_a_word_repeated_without_end_ends_soon(article: str, reference: str) -> None:
    score(SPUN, SOURCE)
    assert clock(lambda: score(article, reference)) < 1
