"""The evaluation without references: who is tried on what, and what the figures count."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from unspun import Article
from unspun.lexicon import Lexicon
from unspun.readers import read_articles
from unspun.resources import find_data
from unspun.text import Text
from unspun.training.corpora import Document
from unspun.training.dictionaries import FAMILIES, load_dictionary
from unspun.training.measures import SpanCounts
from unspun.training.measuring.baselines import LEARNERS, count_phrases, learn_and_score
from unspun.training.measuring.evaluate import (
    leave_corpora,
    leave_nothing,
    leave_spinners,
    main,
    try_scores,
)
from unspun.training.measuring.evaluation_figures import Fold, summarise
from unspun.training.measuring.evaluation_page import write_json, write_markdown
from unspun.training.measuring.evaluation_set import Sizes, Trial, draw_learnt, draw_trials


@pytest.fixture(scope="module")
def documents() -> dict[str, list[Document]]:
    """The reports among the samples, in two corpora."""
    pytest.importorskip("trafilatura", reason="some of the reports are pages")
    found = dict[str, list[Document]]()
    for number, article in enumerate(read_articles([find_data("samples") / "references"])):
        assert isinstance(article, Article)
        corpus = ("even", "odd/kind")[number % 2]
        found.setdefault(corpus, []).append(Document(article.id, article.text, corpus, "human", None, article.id))
    return found


def test_trials_fit_what_was_wished_for(documents: dict[str, list[Document]]) -> None:
    dictionary = load_dictionary("moby", Lexicon.load())
    trials = draw_trials(documents, [dictionary], Sizes(5, 3, 1, 0), 0)
    assert sum(t.length == 0 for t in trials) == 10
    # No sample is long enough for 400 words.
    assert {t.length for t in trials if t.family} == {50, 100, 200}
    whole = {d.text for some in documents.values() for d in some}
    for trial in trials:
        assert trial.family or any(trial.text in text for text in whole)
        assert trial.length == 0 or 0.8 * trial.length <= trial.words <= 1.6 * trial.length
        if trial.family:
            swapped = sum(len(Text(s.original).words) for s in trial.swaps if s.kind != "grammar")
            assert swapped >= 0.7 * trial.rate * trial.words
        assert all(trial.text[s.start : s.end] == s.replacement for s in trial.swaps)
    assert trials == draw_trials(documents, [dictionary], Sizes(5, 3, 1, 0), 0)
    assert trials != draw_trials(documents, [dictionary], Sizes(5, 3, 1, 0), 1)


def make_trials() -> list[Trial]:
    """Of two corpora: 20 documents as they are; 10 honest cuts; 5 spun cuts a family."""
    trials = [Trial("w", corpus, 300) for corpus in ("bbc", "brown") for _ in range(10)]
    trials += [Trial("c", corpus, 200, 200) for corpus in ("bbc", "brown") for _ in range(5)]
    return trials + [Trial("s", "bbc", 200, 200, family, 0.25) for family in FAMILIES for _ in range(5)]


def test_what_is_left_out_is_never_learnt_from() -> None:
    trials = make_trials()
    left = leave_spinners(trials, trials)
    for family, (places, kept) in left.items():
        assert {trials[p].family for p in places} == {None, family}
        assert {t.family for t, keep in zip(trials, kept, strict=True) if keep} == {None, *FAMILIES} - {family}
    wholes = sorted(p for places, _ in left.values() for p in places.tolist() if trials[p].length == 0)
    assert wholes == list(range(20))
    renamed = [replace(t, corpus="brown/kind") if t.corpus == "brown" else t for t in trials]
    for name, (places, kept) in leave_corpora(renamed, renamed).items():
        assert {renamed[p].corpus.split("/")[0] for p in places} == {name}
        assert not {t.corpus.split("/")[0] for t, keep in zip(renamed, kept, strict=True) if keep} & {name}


def test_a_threshold_never_sees_the_corpus_left_out() -> None:
    trials = make_trials()
    scores = np.array([0.9 if t.corpus == "brown" else 0.2 for t in trials])
    places = np.flatnonzero([t.corpus == "brown" for t in trials])
    assert try_scores(scores, places, trials, "brown").spun.all()
    assert not try_scores(scores, places, trials, "").spun.any()


def test_figures_count_what_they_say() -> None:
    trials = make_trials()
    scores = np.array([0.1 if t.family is None else 0.9 for t in trials])
    called = scores > 0.5
    called[[0, 1, 2, 10]] = True
    spans = {30: SpanCounts(6, 8, 12, 2, 1, 2)}
    everything = leave_nothing(trials, trials)[""][0]
    figures = summarise(trials, [Fold(everything, scores, called, called, spans)])
    assert figures["auc"] == 1.0
    assert figures["tpr by rate"]["0.25"][0::3] == [1.0, 35]
    assert figures["tpr by rate"]["0.5"][3] == 0
    assert figures["tpr by length"]["200"][3] == 35
    assert figures["fpr by corpus"]["bbc"] == [0.3, 0.1078, 0.6032, 10]
    assert figures["fpr by corpus"]["news"][3] == 10
    assert figures["fpr worst"] == "bbc"
    # Honest articles, nine of ten, score 0.1, and spun ones 0.9: both are off by 0.1.
    assert figures["ece"] == pytest.approx(0.1)
    assert figures["spans by rate"]["0.25"] == {
        "precision": 0.75,
        "recall": 0.5,
        "suggestion": 0.5,
        "in_three": 1.0,
        "spans": 2,
    }
    about = {"model": "m", "seed": 0, "scale": 1.0, "data_sha256": "0", "heading": "in-family"}
    results = about | {"settings": {"in family": {"unspun": figures}}}
    page = write_markdown(results)
    assert "| unspun | 1.000 | – | – | – | 100.0% | – | 30.0% [10.8%, 60.3%] | bbc | 30.0% | 0.100 |" in page
    assert '"bbc": [0.3, 0.1078, 0.6032, 10]' in write_json(results)


def test_baselines_learn_and_score(documents: dict[str, list[Document]]) -> None:
    lexicon = Lexicon.load()
    # What a function-word spinner writes ("beryllium" for "be") is in every text: easy for whoever counts words.
    learnt = draw_learnt(documents, [load_dictionary("function", lexicon)], 60, 0)
    texts, spun = [t.text for t in learnt], np.array([t.family is not None for t in learnt])
    assert spun.sum() == 30
    for name, (count, _) in LEARNERS.items():
        counts = count(texts)
        scores = learn_and_score(name, counts[:40], spun[:40], counts[40:])
        assert scores.shape == (20,)
        assert scores[spun[40:]].mean() > scores[~spun[40:]].mean()
    phrase = " ".join(next(iter(lexicon.phrases)))
    assert count_phrases([f"It was {phrase} there.", "It was there."]).tolist() == [1.0, 0.0]


def test_a_missing_folder_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--shared", str(tmp_path / "none"), "--out", str(tmp_path / "out")]) == 2
    assert "--shared" in capsys.readouterr().err
