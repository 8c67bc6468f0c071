"""What is compiled for articles with references says what the plain way says, bit for bit: texts, references,
alignment, wordings, pairs of them, usage, trees; and scores the same to the ninth digit."""

from __future__ import annotations

import pickle
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import cache
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from test_twin import PIECES
from unspun import Article
from unspun.classifier import Model
from unspun.compiled.library import load_library, make_salt
from unspun.compiled.text import hash_words
from unspun.evidence import Evidence, gather_evidence
from unspun.examined import Examined
from unspun.extractors import wording
from unspun.lexicon import Lexicon
from unspun.readers import read_articles
from unspun.references import References
from unspun.resources import find_data
from unspun.scoring import Measured, measure
from unspun.text import Text
from unspun.training.samples import read_samples
from unspun.trees import Trees

#: Who asks for the library and would do without it; frequencies are kept in it for good.
CALLERS = (
    "alignment", "compiled.model", "compiled.text", "examined", "extractors.direction", "extractors.phrases",
    "extractors.substitutions", "extractors.usage", "extractors.wording", "key_table", "lexicon", "networks",
    "references", "trees", "word_numbers",
)  # fmt: skip
#: What house styles, spelling and alignment turn on.
STYLES = (
    "it's", "we've", "won't", "cannot", "Mr.", "%", "percent", "per cent", "recieve", "receive", "5,000", "five", "5",
    "[sic]", "E.", "P.", "U.S.", "colour", "color", "NATO", "North Atlantic Treaty Organization", "the",
    "the the", "quickly", "\u201cso", "said\u201d", "Zelensky", "Zelinsky", "Gerald's", "a\n\nb", "½", "m²",
    "ﬁne", "pаypal",
)  # fmt: skip
pytestmark = pytest.mark.skipif(load_library() is None, reason="no C compiler when unspun was set up")


@cache
def lexicon() -> Lexicon:
    return Lexicon.load()


@cache
def model() -> Model:
    return Model.load()


@cache
def samples() -> list[str]:
    return [a.text for a in read_articles([find_data("samples") / "articles"]) if isinstance(a, Article)]


_ARRAYS = (
    "ids", "zipf", "breaks", "capital", "numeric", "opens", "sentence_of", "named", "content", "quotation",
    "content_sums",
)  # fmt: skip


@contextmanager
def plainly() -> Iterator[None]:
    """Without the library."""
    with ExitStack() as stack:
        stack.enter_context(patch("unspun.text.split_text", lambda raw: None))
        for module in CALLERS:
            stack.enter_context(patch(f"unspun.{module}.load_library", lambda: None))
        yield


def read(text: str) -> dict[str, object]:
    parsed = Text(text)
    examined = Examined(parsed, lexicon())
    arrays = {
        name: getattr(examined, name).tolist()
        for name in (
            "ids",
            "zipf",
            "breaks",
            "capital",
            "numeric",
            "opens",
            "sentence_of",
            "named",
            "content",
            "quotation",
            "content_sums",
        )
    }
    if parsed.hashes is not None:
        np.testing.assert_array_equal(parsed.hashes, hash_words(parsed.norms))
    return {**arrays, "words": parsed.words, "norms": parsed.norms, "sentences": parsed.sentences}


def check_text(text: str) -> None:
    compiled = read(text)
    with plainly():
        assert read(text) == compiled


def test_samples_are_split_the_same() -> None:
    for text in samples():
        assert Text(text).split is not None
        check_text(text)


@settings(deadline=None, max_examples=150)
@given(st.lists(st.sampled_from(PIECES), max_size=100), st.sampled_from(["", " "]))
def test_any_pieces_are_split_the_same(pieces: list[str], between: str) -> None:
    check_text(between.join(pieces))


@settings(deadline=None, max_examples=150)
@given(st.text(max_size=200))
def test_any_text_is_split_the_same(text: str) -> None:
    check_text(text)


@pytest.mark.parametrize("text", ["", " ", ".", "a", "I. A", "one\n\ntwo", "…"])
def test_next_to_nothing_is_split_the_same(text: str) -> None:
    check_text(text)


def test_hard_text_is_left_to_the_plain_way() -> None:
    for text in ("wh\u200bite", "cafe\u0301", "so\u00adft", "\ufeffThe"):
        assert Text(text).split is None, text
        check_text(text)


@pytest.mark.parametrize(
    "text", ["İstanbul has ½ of m², ﬁne", "раypal and pаypal", "Москва. Это K. and 4½, ١٢٣", "ﬂy ſo"]
)
def test_odd_letters_are_normalised(text: str) -> None:
    split = Text(text).split
    assert split is not None
    assert split.odd.any()
    check_text(text)


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 20), st.lists(st.sampled_from(PIECES), max_size=40), st.randoms())
def test_wordings_are_the_same(sample: int, pieces: list[str], random: object) -> None:
    text = " ".join([*pieces, samples()[sample][:600]])
    article = Examined(Text(text), lexicon())
    few = np.random.default_rng(sample + len(pieces)).random(len(article)) < 0.1
    for among in (None, few, np.zeros(len(article), np.bool_)):
        compiled = wording._examine_compiled(article, among)
        plain = wording._examine_plainly(article, among)
        assert compiled is not None
        for name in ("ids", "places", "left", "right", "features"):
            np.testing.assert_array_equal(getattr(compiled, name), getattr(plain, name), err_msg=name)


def check_evidence(article: str, references: list[str]) -> int:
    """How many pairs the compiled way finds; the plain one must find the same of everything."""

    def gather() -> tuple[Evidence, Measured, list[float]]:
        built = References.build((Article(str(n), text) for n, text in enumerate(references)), lexicon())
        evidence = gather_evidence(Text(article), lexicon(), model().rules, built)
        shared = [candidate.shared for candidate in built.query(Text(article))[0]]
        return evidence, measure(evidence, model()), shared

    compiled, scores, shared = gather()
    with plainly():
        plain, plain_scores, plain_shared = gather()
    assert shared == plain_shared
    assert [finding.first for finding in compiled.rules] == [finding.first for finding in plain.rules]
    for name in ("words", "strange_odds", "usage", "swaps", "alone", "compared"):
        one, two = getattr(scores, name), getattr(plain_scores, name)
        assert (one is None) == (two is None)
        if one is not None:
            np.testing.assert_allclose(one, two, rtol=1e-9, atol=1e-9, err_msg=name)
    for part in ("wordings", "usage", "substitutions", "directions"):
        one, two = getattr(compiled, part), getattr(plain, part)
        assert (one is None) == (two is None)
        for name in type(one).__dataclass_fields__ if one is not None else ():
            if name != "opposite":
                np.testing.assert_array_equal(getattr(one, name), getattr(two, name), err_msg=f"{part}.{name}")
    for one, two in zip(compiled.comparisons, plain.comparisons, strict=True):
        assert one.reference.article.id == two.reference.article.id
        for name in ("partner", "segment_of", "ranges", "table", "covered", "deleted", "inserted"):
            np.testing.assert_array_equal(getattr(one.alignment, name), getattr(two.alignment, name), err_msg=name)
    for one, two in zip(compiled.directions.opposite, plain.directions.opposite, strict=True):
        np.testing.assert_array_equal(one.features, two.features)
    return len(compiled.substitutions.pairs)


@cache
def spun() -> list[tuple[str, str]]:
    return [(s.text, s.original) for s in read_samples(find_data("samples")) if s.label == "spun" and s.original]


def test_evidence_of_samples_is_the_same() -> None:
    threes = [spun()[at : at + 3] for at in range(0, len(spun()) - 2, 3)]
    found = 0
    for three in threes:
        (a, source), (b, another), (_, third) = three
        found += check_evidence(a + "\n\n" + b, [another + "\n\n" + source, source, third])
    assert found > 100


FEW_WORDS = ("cat", "dog", "ran", "the", "far.", "Oslo")
CHANGES = st.tuples(st.integers(0, 150), st.integers(0, 4), st.sampled_from([*PIECES, *STYLES]))


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 20), st.tuples(*[st.lists(CHANGES, max_size=30)] * 2))
def test_evidence_of_altered_text_is_the_same(sample: int, changes: Sequence[list[tuple[int, int, str]]]) -> None:
    source = spun()[sample][1]
    altered = []
    for some in changes:
        words = source.split()[:150]
        for at, gone, piece in some:
            words[at : at + gone] = [piece]
        altered.append(" ".join(words))
    check_evidence(altered[0], [altered[1], source, spun()[sample][0]])


@settings(deadline=None, max_examples=60)
@given(st.tuples(*[st.lists(st.sampled_from(FEW_WORDS), min_size=1, max_size=150)] * 3))
def test_evidence_of_the_same_few_words_is_the_same(texts: Sequence[list[str]]) -> None:
    article, *references = (" ".join(text) for text in texts)
    check_evidence(article, references)


def test_evidence_of_long_texts_is_the_same() -> None:
    # So many sentences meet by their commonest words that these are left out.
    words = [word for text in samples() for word in text.split() if word.isalpha()]
    sentences = [f"The {words[n % len(words)]} of the {words[7 * n % len(words)]} was {n}." for n in range(1500)]
    check_evidence(" ".join(sentences), [" ".join(sentences[5:] + sentences[:3])])


def test_evidence_of_endless_sentences_is_the_same() -> None:
    words = [f"{word}{n}" for n, word in enumerate(samples()[0].split()[:100] * 30)]
    check_evidence(" ".join(words), [" ".join(words[::2] + words[::-3])])


@pytest.mark.parametrize("salt", [0, 3, 2**63, 2**64 - 1])
def test_evidence_does_not_depend_on_the_salt(salt: int) -> None:
    library = load_library()
    assert library is not None
    library.unspun_set_salt(salt)
    try:
        (article, source), (_, another) = spun()[:2]
        check_evidence(article, [another, source])
    finally:
        library.unspun_set_salt(make_salt())


def test_references_are_the_same_in_another_process() -> None:
    # Nor do their tables depend on the salt of the process that they were made in.
    library, article = load_library(), Text(samples()[0])
    assert library is not None
    built = References.build((Article(str(n), text) for n, text in enumerate(samples())), lexicon())
    sent = pickle.dumps(built)
    library.unspun_set_salt(make_salt())
    found, expected = (references.query(article) for references in (pickle.loads(sent), built))
    assert [c.shared for c in found[0]] == [c.shared for c in expected[0]]
    assert [c.article.id for c in found[1]] == [c.article.id for c in expected[1]] == ["0"]


def test_few_references_weigh_what_many_do() -> None:
    built = References.build((Article(str(n), text) for n, text in enumerate(samples())), lexicon())
    for text in samples():
        ids = built.number_words(Text(text + " zyxwv"))
        few, many = built._weigh_few(ids), built._weigh_many(ids)
        np.testing.assert_array_equal(few[0], many[0])
        assert few[1:] == many[1:]


@pytest.mark.parametrize("name", ["pairs", "directions", "swaps", "usage"])
@pytest.mark.parametrize("rows", [0, 1, 7, 8, 9, 100])
def test_trees_add_up_to_the_same(name: str, rows: int) -> None:
    trees = Model.load().scorers[name].ranker
    assert isinstance(trees, Trees)
    rng = np.random.default_rng(rows)
    # Values on thresholds, and none: both go left.
    features = rng.choice([*trees.threshold[trees.feature >= 0], np.nan, np.inf, -np.inf], (rows, 40))
    compiled = trees.margin(features)
    with plainly():
        np.testing.assert_array_equal(trees.margin(features), compiled)


def test_trees_with_more_leaves_than_bits_are_climbed() -> None:
    # A tree that is one long branch: 70 leaves, the value of each its number.
    inner = 69
    feature = np.array([0] * inner + [-1] * (inner + 1), np.int32)
    left = np.array([inner + i for i in range(inner)] + [-1] * (inner + 1), np.int32)
    right = np.array([*range(1, inner), 2 * inner] + [-1] * (inner + 1), np.int32)
    threshold = np.array([i + 0.5 for i in range(inner)] + [0.0] * (inner + 1))
    value = np.array([0.0] * inner + [float(i) for i in range(inner + 1)])
    trees = Trees(np.zeros(1, np.int32), feature, threshold, left, right, value, 0.0, inner)
    np.testing.assert_array_equal(trees.margin(np.arange(70.0)[:, None]), np.arange(70.0))
