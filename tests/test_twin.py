"""The compiled twin says what the numpy path says, to the last digit that counts; without it nothing is missing."""

from __future__ import annotations

import json
import os
import pickle
import shutil
import subprocess
import sys
import threading
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unspun import Article, Detector
from unspun.compiled.lexicon import STRETCH
from unspun.compiled.library import load_library
from unspun.compiled.twin import Measured
from unspun.evidence import gather_evidence
from unspun.examined import Examined
from unspun.extractors.wording import FEATURES, examine_wording
from unspun.features import ALONE
from unspun.readers import read_articles
from unspun.resources import find_data
from unspun.scoring import measure, score_article
from unspun.text import Text
from unspun.unscored import find_unscored_reason

ROOT = Path(__file__).resolve().parents[1]
needs_twin = pytest.mark.skipif(load_library() is None, reason="no compiled twin: no C compiler when unspun was set up")


@cache
def detector() -> Detector:
    return Detector.load(context="never")


@cache
def samples() -> list[str]:
    return [a.text for a in read_articles([find_data("samples") / "articles"]) if isinstance(a, Article)]


def ask_twin(text: str) -> Measured | None:
    twin = detector()._twin
    assert twin is not None
    return twin.measure(text)


def check(text: str) -> bool:
    """Whether the twin answered; its answer must be numpy's."""
    measured = ask_twin(text)
    if measured is None:
        return False
    parsed = Text(text)
    assert measured.words == len(parsed.words)
    assert measured.reason == find_unscored_reason(parsed)
    if measured.reason is None:
        slow = measure(gather_evidence(parsed, detector().lexicon, detector().model.rules), detector().model)
        np.testing.assert_allclose(list(measured.features), slow.alone, atol=1e-9, err_msg=str(ALONE))
        assert measured.odds == pytest.approx(score_article(slow, detector().model.scorers)[0], abs=1e-9)
    return True


#: Where words, sentences and breaks are hardest to tell; joined in any order.
PIECES = (
    "the", "The", "a", "an", "hour", "unicorn", "uninvited", "one", "once", "U", "UFO", "11", "18th", "8", "x-ray",
    "historic", "had had", "of of", "Duran Duran", "don't", "don’t", "rock’n’roll", "o'", "''", "-", "–", "—", "…",
    ".", "!", "?", "...", '."', ".'", "?)", ")", "(", '"', "“", "”", "’", "‘", "[", "]", ",", ";", ":", "_", "a_b",
    "\n", "\n\n", "\r\n", "\n \n", "\u2028", "\x85", "\x0b", "\x1c", " ", "  ", "\t", "\u00a0", "Mr.", "e.g.", "U.S.",
    "No.", "p.m.", "J.", "é", "École", "naïve", "Straße", "Þór", "Ÿ", "ſ", "3.14", "1,000", "1.", "2.5.6", "5%", "$9",
    "sun based", "profound learning", "counterfeit consciousness", "quite possibly of the most", "zyxwvu", "Qwertz",
    "household", "finish", "Worldwide", "Heart", "missing", "children", "big", "large", "in", "that", "was", "€", "²",
    "İ", "ﬁ", "а", "\u200b", "\u00ad", "e\u0301", "日本", "½", "\ud800", "ʼ", "don＇t", "\U0001f600", "٣", "Ǆ", "µ",
)  # fmt: skip


@needs_twin
def test_samples_measure_the_same() -> None:
    assert sum(map(check, samples())) == len(samples())


@needs_twin
@settings(deadline=None, max_examples=150)
@given(st.lists(st.sampled_from(PIECES), max_size=150), st.sampled_from(["", " "]), st.integers(0, 10))
def test_any_pieces_measure_the_same(pieces: list[str], between: str, sample: int) -> None:
    # Behind an English text, so that most are scored.
    check(samples()[sample][:700] + between + between.join(pieces))


@needs_twin
@settings(deadline=None, max_examples=100)
@given(st.text(max_size=200), st.booleans())
def test_any_text_measures_the_same(text: str, behind: bool) -> None:
    check(samples()[0][:700] + text if behind else text)


@needs_twin
@pytest.mark.parametrize("letter", sorted(set("éÉßÿŸſſĳŀŉǅɓẞỳ¼²ªºµʼ＇٣Ａа")))
def test_a_letter_is_folded_as_normalising_folds_it_or_left_to_numpy(letter: str) -> None:
    text = samples()[0][:700]
    known = [f" {letter}", f" caf{letter}", f" {letter}ne {letter}{letter}", f" the{letter} the", f" {letter}. Then"]
    for more in known:
        check(text + more)


@needs_twin
def test_text_with_hidden_or_mixed_letters_is_left_to_numpy() -> None:
    for trick in ("wh\u200bite", "whit\u0435", "cafe\u0301", "so\u00adft", "\ufeff"):
        assert ask_twin(samples()[0] + " " + trick) is None, trick


@needs_twin
def test_the_twin_is_pickled_away_and_comes_back() -> None:
    original = detector()
    expected = original.score(samples()[0])
    again: Detector = pickle.loads(pickle.dumps(original))
    assert again.score(samples()[0]) == expected


@needs_twin
def test_threads_do_not_disturb_one_another() -> None:
    from concurrent.futures import ThreadPoolExecutor

    texts = samples() * 4
    expected = [detector().score(text).score for text in texts]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda text: detector().score(text).score, texts)) == expected


@needs_twin
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads the memory where Linux tells it")
def test_threads_that_end_give_their_work_space_back() -> None:
    def measure_memory() -> int:
        return int(Path("/proc/self/status").read_text().partition("VmRSS:")[2].split()[0])

    def score_in_a_thread() -> None:
        thread = threading.Thread(target=ask_twin, args=(samples()[0],))
        thread.start()
        thread.join()

    score_in_a_thread()
    before = measure_memory()
    for _ in range(200):
        score_in_a_thread()
    # Kept, they were 130 kB each.
    assert measure_memory() - before < 10_000


@needs_twin
def test_a_long_text_takes_no_memory_for_good_and_is_measured_the_same() -> None:
    assert check("\n\n".join(samples() * 3))


def test_words_of_a_long_text_are_counted_within_stretches() -> None:
    article = Examined(Text("\n\n".join(samples() * 6)), detector().lexicon)
    wordings, norms = examine_wording(article), article.text.norms
    times = 2 ** wordings.features[:, FEATURES.index("times")]
    for place, found in zip(wordings.places[::400].tolist(), times[::400].tolist(), strict=True):
        near = norms[max(0, place - STRETCH) : place + STRETCH].count(norms[place])
        assert 1 <= round(found) <= near < norms.count(norms[place])


@needs_twin
def test_a_sentence_without_an_end_is_cut_where_numpy_cuts_it() -> None:
    assert check(" ".join(samples()).replace(".", " ").replace("\n", " ").replace("!", "").replace("?", ""))


def test_without_the_twin_verdicts_are_the_same() -> None:
    code = (
        "import json, sys; from unspun import Detector; d = Detector.load(context='never');"
        "assert d._twin is None; print(json.dumps([d.score(t).to_dict() for t in json.load(sys.stdin)]))"
    )
    texts = samples()[:12]
    done = subprocess.run(
        [sys.executable, "-c", code], input=json.dumps(texts), env={**os.environ, "UNSPUN_COMPILED": "0"},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert json.loads(done.stdout) == [json.loads(json.dumps(detector().score(text).to_dict())) for text in texts]


@pytest.mark.skipif(shutil.which("cc") is None, reason="needs a C compiler")
def test_the_source_compiles_without_a_warning(tmp_path: Path) -> None:
    source = ROOT / "src" / "unspun" / "compiled" / "twin.c"
    command = ["cc", "-std=gnu11", "-O1", "-Wall", "-Wextra", "-Werror", "-fPIC", "-shared", str(source), "-lm"]
    done = subprocess.run([*command, "-o", str(tmp_path / "twin.so")], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
