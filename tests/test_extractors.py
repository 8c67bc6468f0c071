"""What each extractor finds, and what it must leave alone."""

from __future__ import annotations

import numpy as np
import pytest

from unspun.alignment import Pair, align, tabulate
from unspun.article import Article
from unspun.classifier import Model
from unspun.examined import Examined
from unspun.extractors.grammar import find_broken_grammar, wrong_article
from unspun.extractors.honest import find_house_style
from unspun.extractors.names import are_names
from unspun.extractors.originals import FEATURES as ORIGINALS
from unspun.extractors.originals import measure_originals, rank_originals
from unspun.extractors.phrases import find_phrases
from unspun.extractors.quotes import are_quotes
from unspun.extractors.set_phrases import find_set_phrases
from unspun.extractors.substitutions import measure_nearness
from unspun.extractors.tricks import find_tricks
from unspun.extractors.usage import FEATURES as USAGE
from unspun.extractors.usage import examine_usage, find_passage
from unspun.extractors.wording import FEATURES, examine_wording
from unspun.lexicon import WORDNET, Lexicon
from unspun.references import References
from unspun.text import Text


def examine(raw: str) -> Examined:
    return Examined(Text(raw), Lexicon.load())


def words_of(article: Examined, first: int, last: int) -> str:
    return article.text.raw[slice(*article.text.slice(first, last))]


@pytest.mark.parametrize(
    ("raw", "found"),
    [
        ("calling for an finish to it", [("an finish", "a finish")]),
        ("in a assertion today", [("a assertion", "an assertion")]),
        ("lots of of people", [("of of", "of")]),
        ("An senior couple", [("An senior", "A senior")]),
        ("an unidentified man, a unique case, a European, an hour, a one-off, an honest man", []),
        ("an MBA, a U-turn, an FBI agent, a UN envoy, an X-ray, an 8-year-old", []),
        ("an historic hotel, an herb, a historian", []),
        ("he had had enough, and that that was so", []),
        ("We said no. No one came", []),
        ("New York, New York and Duran Duran", []),
        ("vitamin A is good", []),
    ],
)
def test_broken_grammar(raw: str, found: list[tuple[str, str]]) -> None:
    article = examine(raw)
    findings = find_broken_grammar(article, 0.9, 0.6)
    assert [(words_of(article, f.first, f.last), f.suggestion) for f in findings] == found


@pytest.mark.parametrize("word", ["unit", "unanimous", "user", "utopia", "european", "one", "ewe", "uranium"])
def test_a_stands_before_consonant_sounds(word: str) -> None:
    assert wrong_article("an", word)
    assert not wrong_article("a", word)


@pytest.mark.parametrize(
    ("raw", "found"),
    [
        ("the p\u0430ssword", ["password"]),
        ("hid\u200bden words", ["hidden"]),
        ("Москва and naïve café", []),
        ("o\u00adclock", []),
        ("αβγ is Greek", []),
        ("👩‍👧 family", []),
    ],
)
def test_tricks(raw: str, found: list[str]) -> None:
    assert [finding.suggestion for finding in find_tricks(examine(raw))] == found


def test_known_phrases_are_found_across_cases_but_not_across_punctuation() -> None:
    article = examine("It runs on Counterfeit Consciousness. They counterfeit, consciousness is rare.")
    (finding,) = find_phrases(article, 0.9)
    assert words_of(article, finding.first, finding.last) == "Counterfeit Consciousness"
    assert finding.suggestion == "artificial intelligence"


@pytest.mark.parametrize(
    ("own", "other", "same"),
    [
        ("we've", "we have", True),
        ("can't", "cannot", True),
        ("colour", "color", True),
        ("percent", "per cent", True),
        ("nine", "9", True),
        ("1,000", "1000", True),
        ("Mr Roe", "Roe", True),
        ("airstrike", "air strike", True),
        ("recieved", "received", True),
        ("goverment", "government", True),
        ("witdraw", "withdraw", True),
        ("acomodate", "accommodate", True),
        ("form", "from", False),
        ("years", "year", False),
        ("blorp", "blood", False),
        ("laws", "regulations", False),
        ("nine", "8", False),
        ("said", "stated", False),
    ],
)
def test_house_style_is_no_swap(own: str, other: str, same: bool) -> None:
    a, b = examine(own), examine(other)
    assert find_house_style(a, b, [Pair(0, len(a), 0, len(b))]) == [same]


@pytest.mark.parametrize(
    ("own", "other", "same"),
    [("E.P.", "Maria Clark", True), ("X", "Maria", True), ("x", "Maria", False), ("X", "slowly", False)],
)
def test_a_name_left_out_is_no_swap(own: str, other: str, same: bool) -> None:
    a, b = examine(f"We saw {own} there"), examine(f"We saw {other} there")
    assert find_house_style(a, b, [Pair(2, len(a) - 1, 2, len(b) - 1)]) == [same]


def test_names_need_a_capital_that_grammar_does_not_explain() -> None:
    article, reference = examine("They met the Worldwide Heart."), examine("They met the International Center.")
    assert are_names(article, reference, tabulate([Pair(3, 5, 3, 5)]))
    assert not are_names(
        examine("Worldwide sales fell."), examine("International sales fell."), tabulate([Pair(0, 1, 0, 1)])
    )
    headline = "Global Sales Of Boats Fell Last Year"
    assert not are_names(examine(headline), examine("They said Worldwide sales fell."), tabulate([Pair(1, 2, 2, 3)]))


def test_quotes_need_quotation_marks_on_both_sides() -> None:
    article, reference = examine("“New laws now,” he said."), examine('"New rules now," he said.')
    assert are_quotes(article, reference, tabulate([Pair(1, 2, 1, 2)]))
    assert not are_quotes(article, examine("New rules now, he said."), tabulate([Pair(1, 2, 1, 2)]))


@pytest.mark.parametrize(
    ("raw", "word", "original"),
    [
        ("selling it to regulation enforcement agencies", "regulation", "law"),
        ("fear of weather change is growing", "weather", "climate"),
        ("he wants to finish a war in the center east", "center", "middle"),
    ],
)
def test_a_broken_collocation_names_what_stood_there(raw: str, word: str, original: str) -> None:
    article = examine(raw)
    wordings = examine_wording(article)
    gains = wordings.features[:, FEATURES.index("gain")]
    strongest = int(gains.argmax())
    assert article.text.norms[wordings.places[strongest]] == word
    assert gains[strongest] > 0
    [likeliest] = rank_originals(article, wordings.places[[strongest]], Model.load().originals, 3)
    assert original in likeliest


def test_set_phrases_are_found_whole_but_not_across_punctuation() -> None:
    article = examine("On the off chance that it rains, now. Not the place: lots of of them has actually stayed.")
    found = {words_of(article, first, last): original for first, last, original in find_set_phrases(article).values()}
    assert found == {
        "On the off chance that": "if",
        "the place": "where",
        "lots of of": "hundreds of",
        "has actually": "has",
    }


def test_candidates_are_measured_each_where_it_would_stand() -> None:
    article = examine("Investors sold it to regulation enforcement agencies in March")
    place = article.text.norms.index("regulation")
    owner, candidates, features = measure_originals(article, np.array([0, place]))
    candidates, features = candidates[owner == 1], features[owner == 1]
    words = [article.lexicon.word(int(id)) for id in candidates]
    assert features.shape == (len(words), len(ORIGINALS))
    law, rule = words.index("law"), words.index("rule")
    right = ORIGINALS.index("fit_right")
    assert features[law, right] > features[rule, right]  # "law enforcement" is said, "rule enforcement" is not
    only = np.zeros(len(ORIGINALS))
    only[ORIGINALS.index("log_rank")] = -1
    investors, regulation = rank_originals(article, np.array([0, place]), only, 2)
    assert regulation == words[:2]
    assert investors != regulation


def test_usage_finds_the_word_that_every_report_uses_instead() -> None:
    article = examine("The company sold it to regulation enforcement groups, its critics stated in the city on Monday.")
    report = "Sales to law enforcement continued, critics said. Many law enforcement bodies use it in the city."
    references = References.build([Article("r", report)], Lexicon.load())
    (reference,) = references._references
    ids = references.number_words(article.text)
    alignment = align(article, ids, reference, references.weights)
    wordings = examine_wording(article)
    usage = examine_usage(article, wordings, [(reference, alignment)])
    at = article.text.norms.index("regulation")
    row = wordings.places.tolist().index(at)
    assert article.lexicon.word(int(usage.best[row])) == "law"
    assert usage.sequences[row] == 2  # "to law", "law enforcement"
    passage = find_passage(article, at, int(usage.best[row]), [reference])
    assert passage is not None
    assert report[passage.start : passage.end] == passage.text == "law"
    # A word that the report uses itself has nothing against it.
    city = wordings.places.tolist().index(article.text.norms.index("city"))
    own = USAGE.index("own_references")
    assert usage.features[city, own] == 1
    assert usage.features[row, own] == 0


def test_good_wording_gains_nothing() -> None:
    wordings = examine_wording(examine("law enforcement agencies in the middle east"))
    assert wordings.features[:, FEATURES.index("gain")].max() < 0.5


def test_nearness_of_many_pairs_is_that_of_each_alone() -> None:
    article = examine("The council voted to shut the aged bridge, its representative stated, and traders were irate.")
    other = examine("The council decided to close the old bridge, its spokesman said, and merchants were furious.")
    pairs = [Pair(i, min(i + 1 + i % 3, len(article)), i, min(i + 1 + i % 2, len(other))) for i in range(len(article))]
    together = measure_nearness(article, other, pairs)
    for index, pair in enumerate(pairs):
        alone = measure_nearness(article, other, [pair])
        for values, (value,) in zip(
            (together.cosine, together.sources, together.letters, together.lemma),
            (alone.cosine, alone.sources, alone.letters, alone.lemma),
            strict=True,
        ):
            assert values[index] == value
    closes = measure_nearness(article, other, [Pair(4, 5, 4, 5)])
    assert closes.sources[0] & WORDNET
    assert not closes.lemma[0]
