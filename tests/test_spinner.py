from __future__ import annotations

import os
import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unspun.article import KINDS
from unspun.lexicon import Lexicon
from unspun.training.corpora import Document, find_stories, read_corpus, read_excerpts, split
from unspun.training.dictionaries import (
    FAMILIES,
    REPOSITORY_FAMILIES,
    Dictionary,
    build_dictionary,
    load_dictionary,
    load_function,
)
from unspun.training.inflection import inflect, stems
from unspun.training.spinner import SpinSettings, SpunText, draw_settings, spin

ARTICLE = """Council opens new bridge

The council opened a large bridge on Monday. Mayor Anna Walker said the old bridge was an eyesore.

"We start a new era today," Walker told reporters. The firm that built the bridge began the work in 2019 \
and hired many local people. Critics say the company spent too much money.

The bridge will help the town grow. Many people use the road every day, and the Bridge Committee wants more.
"""

SMALL = build_dictionary(
    "test",
    [
        ("bridge", "span", 1),
        ("bridge", "crossing", 3),
        ("large", "enormous", 1),
        ("old", "aged", 1),
        ("eyesore", "blot", 1),
        ("new era", "fresh age", 1),
        ("new", "fresh", 1),
        ("start", "commence", 1),
        ("told", "informed", 1),
        ("firm", "enterprise", 1),
        ("work", "labour", 1),
        ("many", "numerous", 1),
        ("people", "individuals", 1),
        ("critic", "detractor", 1),
        ("hire", "employ", 1),
        ("money", "cash", 1),
        ("help", "assist", 1),
        ("use", "utilize", 1),
        ("road", "street", 1),
        ("walker", "pedestrian", 1),
        ("committee", "board", 1),
        ("much", "considerably", 1),
        ("town", "township", 1),
    ],
)
FUNCTION = load_function()

DETAILS = st.builds(
    SpinSettings,
    rate=st.floats(0.01, 1),
    fixed=st.booleans(),
    inflect=st.booleans(),
    names=st.booleans(),
    quotes=st.booleans(),
    protected=st.integers(0, 5),
    part=st.sampled_from(["whole", "body", "paragraphs", "sentences"]),
    step=st.integers(1, 4),
    articles=st.sampled_from(["kept", "swapped", "everywhere"]),
)
TOKENS = """bridge Bridge BRIDGE new-era eyesore many Many an a A old critics hired is in will and he told
. , “ ” " 👩‍👩‍👧 é e\u0301 brid\u200bge вridge U.S. 1,000"""
PIECES = st.lists(
    st.one_of(
        st.sampled_from([*TOKENS.split(), "\r\n", "\n\n", "\u00a0"]),
        st.text(max_size=6),
    ),
    max_size=40,
)


@pytest.fixture(scope="session")
def shared() -> Path:
    folder = Path(os.environ.get("UNSPUN_SHARED", Path(__file__).parents[2] / "shared"))
    if not (folder / "lexicons").is_dir():
        pytest.skip("needs the shared folder: set UNSPUN_SHARED or put it beside the repository")
    return folder


def check_truth(text: str, spun: SpunText) -> None:
    assert spun.restore() == text
    pieces, end, original_end = [], 0, 0
    for swap in spun.substitutions:
        assert swap.start >= end
        assert swap.original_start >= original_end
        assert spun.text[swap.start : swap.end] == swap.replacement != swap.original
        assert text[swap.original_start : swap.original_end] == swap.original != ""
        assert spun.text[end : swap.start] == text[original_end : swap.original_start]
        assert swap.kind in KINDS
        end, original_end = swap.end, swap.original_end
        pieces.append(swap)
    assert spun.text[end:] == text[original_end:]


@settings(max_examples=300, deadline=None)
@given(PIECES, DETAILS, st.integers(0, 99), st.sampled_from([SMALL, FUNCTION]), st.sampled_from(["", " "]))
def test_swaps_tell_exactly_what_stood_there(
    pieces: list[str], details: SpinSettings, seed: int, dictionary: Dictionary, joint: str
) -> None:
    text = joint.join(pieces)
    check_truth(text, spin(text, dictionary, details, random.Random(seed)))


@pytest.mark.parametrize("fixed", [False, True])
@pytest.mark.parametrize("rate", [0.05, 0.1, 0.2])
def test_the_rate_is_met_where_the_dictionary_reaches(rate: float, fixed: bool) -> None:
    spun = spin(ARTICLE, SMALL, SpinSettings(rate, fixed=fixed, names=True), random.Random(3))
    assert spun.rate == pytest.approx(rate, abs=0.015)


def test_equal_seeds_give_equal_texts_and_others_differ() -> None:
    drawn = [spin(ARTICLE, SMALL, SpinSettings(0.15), random.Random(seed)).text for seed in (1, 1, 2)]
    assert drawn[0] == drawn[1] != drawn[2]


def test_names_are_spared_or_hit() -> None:
    spared = spin(ARTICLE, SMALL, SpinSettings(1.0), random.Random(1))
    hit = spin(ARTICLE, SMALL, SpinSettings(1.0, names=True), random.Random(1))
    assert "Anna Walker" in spared.text
    assert "Bridge Committee" in spared.text
    assert "Anna Pedestrian" in hit.text
    assert {swap.original for swap in hit.substitutions if swap.kind == "name"} >= {"Walker", "Committee"}
    assert not [swap for swap in spared.substitutions if swap.kind == "name"]


def test_quotations_are_spared_or_hit() -> None:
    spared = spin(ARTICLE, SMALL, SpinSettings(1.0, quotes=False), random.Random(1))
    hit = spin(ARTICLE, SMALL, SpinSettings(1.0, quotes=True), random.Random(1))
    assert '"We start a new era today,"' in spared.text
    assert '"We commence a fresh age today,"' in hit.text
    assert [swap.kind for swap in hit.substitutions if swap.original == "start"] == ["quote"]


def test_fixed_swaps_are_the_same_everywhere() -> None:
    spun = spin(ARTICLE, SMALL, SpinSettings(1.0, fixed=True), random.Random(5))
    wordings = {swap.replacement for swap in spun.substitutions if swap.original == "bridge"}
    assert len(wordings) == 1


def test_fresh_swaps_vary() -> None:
    drawn = set()
    for seed in range(5):
        spun = spin(ARTICLE, SMALL, SpinSettings(1.0), random.Random(seed))
        drawn.add(frozenset(s.replacement for s in spun.substitutions if s.original == "bridge"))
    assert frozenset({"span", "crossing"}) in drawn


def test_the_commonest_terms_are_protected() -> None:
    spun = spin(ARTICLE, SMALL, SpinSettings(1.0, names=True, protected=1), random.Random(1))
    assert "bridge" not in {swap.original.lower() for swap in spun.substitutions}
    assert spun.substitutions


def test_endings_are_put_back_or_lost() -> None:
    kept = spin(ARTICLE, SMALL, SpinSettings(1.0), random.Random(1))
    lost = spin(ARTICLE, SMALL, SpinSettings(1.0, inflect=False), random.Random(1))
    assert "Detractors say" in kept.text
    assert "employed numerous" in kept.text
    assert "Detractor say" in lost.text
    assert "employ numerous" in lost.text


def test_phrases_go_first_and_keep_their_capitals() -> None:
    spun = spin("A new era. New era. NEW ERA. The New Era.", SMALL, SpinSettings(1.0, names=True), random.Random(1))
    assert spun.text == "A fresh age. Fresh age. FRESH AGE. The Fresh Age."


def test_the_article_is_left_or_set_by_the_next_letter() -> None:
    text = "He saw an eyesore and a large house, an hour away."
    drawn = {
        articles: spin(text, SMALL, SpinSettings(1.0, articles=articles), random.Random(1))  # type: ignore[arg-type]
        for articles in ("kept", "swapped", "everywhere")
    }
    assert drawn["kept"].text == "He saw an blot and a enormous house, an hour away."
    assert drawn["swapped"].text == "He saw a blot and an enormous house, an hour away."
    assert drawn["everywhere"].text == "He saw a blot and an enormous house, a hour away."
    assert [swap.kind for swap in drawn["swapped"].substitutions].count("grammar") == 2


@pytest.mark.parametrize("part", ["body", "paragraphs", "sentences"])
def test_a_part_leaves_the_rest_alone(part: str) -> None:
    whole = spin(ARTICLE, SMALL, SpinSettings(1.0), random.Random(1))
    some = spin(ARTICLE, SMALL, SpinSettings(1.0, part=part), random.Random(1))  # type: ignore[arg-type]
    assert 0 < len(some.substitutions) < len(whole.substitutions)
    if part == "body":
        assert some.text.startswith("Council opens new bridge\n")
        assert "help the town grow" in some.text


def test_texts_without_words_come_back() -> None:
    for text in ("", " \r\n", "…!?", "👍"):
        assert spin(text, SMALL, SpinSettings(0.5), random.Random(1)).text == text


def test_drawn_settings_are_varied_and_in_range() -> None:
    drawn = [draw_settings(random.Random(seed)) for seed in range(400)]
    assert all(0.05 <= one.rate <= 0.6 for one in drawn)
    assert {one.part for one in drawn} == {"whole", "body", "paragraphs", "sentences"}
    assert {one.articles for one in drawn} == {"kept", "swapped", "everywhere"}
    middle = sorted(one.rate for one in drawn)[200]
    assert 0.15 < middle < 0.28


def test_rows_that_change_nothing_make_no_entry() -> None:
    built = build_dictionary("x", [("Same", "same", 1), ("$7 an hour", "cheap", 1), ("", "x", 1), ("a-b c", "d", 1)])
    assert built.entries == {("a", "b", "c"): (("d", 1),)}


def test_the_fallback_answers_only_for_what_is_missing() -> None:
    both = build_dictionary("one", [("old", "aged", 1)]).or_else(
        build_dictionary("two", [("old", "stale", 1), ("new", "fresh", 1)])
    )
    assert both.find(("old",)) == (("aged", 1),)
    assert both.find(("new",)) == (("fresh", 1),)
    assert both.family == "one"


@pytest.mark.parametrize(
    ("word", "base", "ending"),
    [("studies", "study", "s"), ("boxes", "box", "s"), ("stopped", "stop", "ed"), ("making", "make", "ing"),
     ("began", "begin", "ed"), ("tried", "try", "ed")],
)  # fmt: skip
def test_stems(word: str, base: str, ending: str) -> None:
    assert (base, ending) in stems(word)


@pytest.mark.parametrize(
    ("phrase", "ending", "expected"),
    [("carry", "s", "carries"), ("carry out", "s", "carries out"), ("big house", "s", "big houses"),
     ("stop", "ing", "stopping"), ("make", "ing", "making"), ("begin", "ed", "began"), ("box", "s", "boxes"),
     ("take in", "ed", "took in"), ("visit", "ed", "visited")],
)  # fmt: skip
def test_inflect(phrase: str, ending: str, expected: str) -> None:
    assert inflect(phrase, ending) == expected  # type: ignore[arg-type]


@pytest.mark.parametrize("family", REPOSITORY_FAMILIES)
def test_families_of_the_repository_work_without_the_shared_folder(family: str) -> None:
    dictionary = load_dictionary(family, Lexicon.load())
    spun = spin(ARTICLE, dictionary, SpinSettings(0.15), random.Random(1))
    check_truth(ARTICLE, spun)
    assert spun.rate > 0.1
    assert dictionary.family == family


def test_a_family_that_needs_the_shared_folder_says_so() -> None:
    with pytest.raises(FileNotFoundError, match="--shared"):
        load_dictionary("blog", Lexicon.load())
    with pytest.raises(ValueError, match="choose from"):
        load_dictionary("nonsense", Lexicon.load())


def test_the_split_is_stable_and_about_two_to_one() -> None:
    parts = [split(f"group{number}") for number in range(3000)]
    assert parts[:6] == [split(f"group{number}") for number in range(6)]
    assert 0.63 < parts.count("train") / 3000 < 0.70
    assert [split(f"group{number}", seed=1) for number in range(3000)] != parts


def test_stories_are_found_by_their_rare_words() -> None:
    fire = "Brannock warehouse fire Dunmere firefighters Kestrel Lane Tolland smoke Haverford evacuated Ashgrove"
    sale = "Quillon merger shares Vantage Pemberton dividend Orsino bid Lattimer takeover Castellan broker"
    texts = [
        fire,
        f"{fire} today",
        sale,
        f"yesterday {sale}",
        "Nothing in common with anything else at all here",
    ]
    documents = [Document(str(n), text, "c", "human", None, str(n)) for n, text in enumerate(texts)]
    assert [[d.id for d in story] for story in find_stories(documents)] == [["0", "1"], ["2", "3"]]


def test_unknown_and_missing_corpora_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="choose from"):
        read_corpus(tmp_path, "nonsense")
    with pytest.raises(FileNotFoundError, match="bbc"):
        read_corpus(tmp_path, "bbc")


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_spins_news(shared: Path, family: str) -> None:
    dictionary = load_dictionary(family, Lexicon.load(), shared)
    rates = []
    for document in read_corpus(shared, "bbc")[:12]:
        spun = spin(document.text, dictionary, SpinSettings(0.1, names=True), random.Random(1))
        check_truth(document.text, spun)
        rates.append(spun.rate)
    assert sum(rates) / len(rates) == pytest.approx(0.1, abs=0.02)


def test_translations_of_one_text_and_reports_of_one_event_stay_together(shared: Path) -> None:
    translations = read_corpus(shared, "wmt22_translationese")
    assert {d.corpus for d in translations} == {
        "wmt22_translationese/mt",
        "wmt22_translationese/human_translation",
    }
    assert len({d.group for d in translations}) < len(translations) / 2
    events = read_corpus(shared, "ecbplus_clusters")
    assert all(d.cluster and d.cluster in d.group for d in events)


def test_excerpts_are_divided_by_document(shared: Path) -> None:
    parts = [split(excerpt.group) for excerpt in read_excerpts(shared)]
    assert 0.2 < parts.count("validation") / len(parts) < 0.45
