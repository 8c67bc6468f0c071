"""Training, end to end on the sample articles: no shared folder, no long run, the real code."""

from __future__ import annotations

import itertools
import random
from pathlib import Path

import numpy as np
import pytest

from unspun import Article, Detector
from unspun.classifier import Model
from unspun.examined import Examined
from unspun.extractors.tricks import find_tricks
from unspun.features import ALONE, COMPARED, find_ground
from unspun.lexicon import Lexicon
from unspun.readers import read_articles
from unspun.resources import find_data
from unspun.text import Text
from unspun.training.corpora import HARD, HUMAN, Document, Excerpt, split
from unspun.training.dictionaries import REPOSITORY_FAMILIES, load_dictionary
from unspun.training.fitting import choose_thresholds
from unspun.training.folds import FOLDS
from unspun.training.habit_counts import count_habits
from unspun.training.measuring.leave_corpora_out import divide_corpora
from unspun.training.pools import build_pools
from unspun.training.situations import HONEST_CASES, SPUN_CASES, Pool, cut, draw_situation
from unspun.training.tables import tabulate
from unspun.training.tampering import tamper
from unspun.training.tasks import (
    Row,
    SpunWords,
    label_pairs,
    learn_excerpt,
    measure_situations,
    name_tasks,
    read_spun_words,
    run_tasks,
    swapped_words,
)
from unspun.training.train import Sizes, train


def documents() -> list[Document]:
    """The reports among the samples, and their parts, so that every role has some of every event."""
    found = []
    for article in read_articles([find_data("samples") / "references"]):
        assert isinstance(article, Article)
        event = article.id.split("-")[0]
        for copy in range(4):
            found.append(Document(f"{article.id}:{copy}", article.text, "samples", "human", event, f"{event}:{copy}"))
    return found


@pytest.fixture(scope="module")
def pool() -> Pool:
    lexicon = Lexicon.load()
    dictionaries = [load_dictionary(family, lexicon) for family in REPOSITORY_FAMILIES]
    whole = build_pools(documents(), dictionaries)
    stories = [story for one in whole.values() for story in one.stories]
    return Pool({"samples": documents()}, stories, {d.family: d for d in dictionaries})


def test_situations_carry_exact_truth_and_all_cases_come(pool: Pool) -> None:
    cases = set()
    for seed in range(400):
        situation = draw_situation(pool, random.Random(seed), spun=seed % 2 == 0)
        if situation is None:
            continue
        cases.add((situation.spun, situation.case))
        assert bool(situation.swaps) == situation.spun
        for swap in situation.swaps:
            assert situation.article[swap.start : swap.end] == swap.replacement
    assert cases == {(True, c) for c in SPUN_CASES} | {(False, c) for c in HONEST_CASES}


def test_a_tampered_text_reads_the_same(pool: Pool) -> None:
    text = pool.documents["samples"][0].text
    tampered, swaps = tamper(text, 0.2, random.Random(1))
    assert swaps
    assert tampered != text
    assert Text(tampered).norms == Text(text).norms
    assert all(tampered[s.start : s.end] == s.replacement for s in swaps)
    assert len(find_tricks(Examined(Text(tampered), Lexicon.load()))) == len(swaps)


def test_a_cut_is_a_run_of_whole_sentences(pool: Pool) -> None:
    text = pool.documents["samples"][0].text
    for seed in range(20):
        part = cut(text, 60, random.Random(seed))
        assert part in text
        assert 40 <= len(part.split()) <= 110


def test_training_gives_a_model_that_scores(tmp_path: Path, pool: Pool) -> None:
    lexicon = Lexicon.load()
    dictionaries = list(pool.dictionaries.values())
    model, rows = train(documents(), dictionaries, lexicon, Sizes(400, 240, 240, 120), 0, "tiny@1", "0" * 64)
    again, _ = train(documents(), dictionaries, lexicon, Sizes(400, 240, 240, 120), 0, "tiny@1", "0" * 64)
    model.save(tmp_path / "tiny.npz")
    read = Model.load(tmp_path / "tiny.npz")
    # Seeded: a second run gives the same model.
    for name, scorer in again.scorers.items():
        stored = read.scorers[name].ranker.to_arrays(name)
        for array, values in scorer.ranker.to_arrays(name).items():
            np.testing.assert_array_equal(values, stored[array])
    np.testing.assert_array_equal(again.habits.words, read.habits.words)
    assert read.card["figures"]["pairs_auc"] > 0.9
    assert read.card["figures"]["compared_auc"] > 0.75
    verdict = Detector(read, lexicon).score(documents()[0].text)
    assert verdict.model == "tiny@1"
    assert {row.spun for row in rows} == {True, False}


def list_words(ids: list[int], swapped: list[bool], group: str, family: str | None = "one") -> SpunWords:
    row = np.array([-1, *ids, -1], np.int32)
    return SpunWords(row[1:-1], row[:-2], row[2:], np.array(swapped), group, family)


def test_habits_are_counted_by_word_and_by_pair_without_each_fold() -> None:
    # Word 2 is a swap after 1 always, after 3 never; every text is a group of its own.
    texts = [
        list_words([1, 2, 4] * 5 + [3, 2, 4] * 5, [False, True, False] * 5 + [False] * 15, str(n)) for n in range(40)
    ]
    habits, unseen = count_habits(texts, 10)
    word, none = np.array([2, 2, 2], np.int32), np.array([-1, -1, -1], np.int32)
    after_1, after_3, after_nothing = habits.look_up(word, np.array([1, 3, -1], np.int32), none)[:, 2]
    assert after_1 > 3 > 0 > after_3 + 3
    assert after_nothing == habits.words[2, 0]
    folds = [unseen.tables[fold, None] for fold in range(FOLDS)]
    assert all(fold.words[2, 1] < habits.words[2, 1] for fold in folds)
    # A word that was never met has the average habit, and nothing is known of it.
    assert habits.words[9, 1] == 0
    assert habits.words[1, 0] < habits.words[9, 0] < habits.words[2, 0]


def test_habits_can_be_without_the_family_that_spun_a_text() -> None:
    # Family one swaps word 2 in, family two word 3; the honest texts hold both.
    texts = [list_words([2, 3] * 9, [True, False] * 9, f"{n} one") for n in range(40)]
    texts += [list_words([2, 3] * 9, [False, True] * 9, f"{n} two", "two") for n in range(40)]
    texts += [list_words([2, 3] * 9, [False] * 18, f"{n} honest", None) for n in range(40)]
    _, unseen = count_habits(texts, 10)
    assert unseen.families == ("one", "two")
    for group in ("1 one", "2 one", "3 one"):
        known, strange = unseen.find(group).words[:, 0], unseen.find_strange(group, "one").words[:, 0]
        assert known[2] > strange[2] + 1
        assert strange[3] > known[3]
    # An honest text lacks some family too.
    assert unseen.find_strange("1 honest", None) is not unseen.find("1 honest")
    # Of one family alone nothing would be left.
    _, alone = count_habits(texts[:40], 10)
    assert alone.find_strange("1 one", "one") is alone.find("1 one")


def test_an_excerpt_teaches_the_words_that_its_notes_say_were_swapped() -> None:
    text = "The committee likewise utilized the old hall for gatherings, and the old hall was lovely in the summer."
    excerpt = Excerpt("hall", text, (("likewise utilized the old hall", "also used the old hall"), ("lovely", "fine")))
    lexicon = Lexicon.load()
    learnt = learn_excerpt(excerpt, lexicon)
    words = [lexicon.word(int(id)) for id in learnt.words.ids]
    swapped = {word for word, hit in zip(words, learnt.swapped, strict=True) if hit}
    assert {"utilized", "lovely"} <= swapped <= {"likewise", "utilized", "lovely"}
    assert {"hall", "summer"} <= set(words)


def test_excerpts_teach_the_scorers_of_words_and_no_other(pool: Pool) -> None:
    lexicon, dictionaries = Lexicon.load(), list(pool.dictionaries.values())
    sizes, said = Sizes(200, 120, 120, 60), "likewise utilized numerous individuals additionally"
    text = " ".join(document.text for document in documents()[:1]) + f" They {said}."
    excerpts = [Excerpt(f"{n}", text, ((said, "also used many people too"),)) for n in range(12)]
    assert any(split(excerpt.group) == "train" for excerpt in excerpts)
    without, _ = train(documents(), dictionaries, lexicon, sizes, 0, "tiny@1", "")
    taught, _ = train(documents(), dictionaries, lexicon, sizes, 0, "tiny@1", "", excerpts)
    assert taught.card["figures"]["words_rows"] > without.card["figures"]["words_rows"]
    # What is no word's business stays as it was.
    assert taught.card["figures"]["pairs_auc"] == without.card["figures"]["pairs_auc"]


def test_half_of_what_teaches_the_heads_is_measured_as_if_its_spinner_were_unknown(pool: Pool) -> None:
    lexicon, model, tasks = Lexicon.load(), Model.load(), name_tasks("heads", 24)
    _, unseen = count_habits(run_tasks(read_spun_words, pool, name_tasks("habits", 80), lexicon), lexicon.size)
    rows = measure_situations(pool, tasks, lexicon, model, unseen)
    assert 4 <= sum(row.strange for row in rows) <= 20
    known = measure_situations(pool, tasks, lexicon, model)
    assert not any(row.strange for row in known)
    # The same situations either way.
    assert [(row.spun, row.document, row.words) for row in rows] == [(r.spun, r.document, r.words) for r in known]


def test_pairs_are_labelled_by_what_they_show(pool: Pool) -> None:
    import unspun.training.tasks as training

    training._lexicon, training._model = Lexicon.load(), None
    shown = 0
    for seed in range(0, 60, 2):
        situation = draw_situation(pool, random.Random(seed), spun=True)
        if situation is None or situation.case != "source":
            continue
        evidence = training._gather(situation)
        labels = label_pairs(situation, evidence)
        swapped = swapped_words(situation, evidence.article.text.words)
        for pair, label in zip(evidence.substitutions.pairs, labels, strict=True):
            assert not label or swapped[pair.a0 : pair.a1].any()
        shown += int(labels.sum())
    assert shown > 30


def make_row(corpus: str, spun: bool = False, document: int = 0, case: str = "alone") -> Row:
    family = "moby" if spun else None
    compared = None if case == "alone" else np.zeros(1)
    alone = np.zeros(len(ALONE))
    alone[ALONE.index("length")] = np.log(201)
    return Row(alone, compared, spun, case, corpus, corpus, f"{corpus}/{document}", family, 0.1, 200)


def test_thresholds_follow_the_worst_corpus() -> None:
    rows = [make_row(corpus, document=n) for corpus in ("easy", "hard") for n in range(1000)]
    scores = np.concatenate([np.linspace(0, 0.2, 1000), np.linspace(0, 0.8, 1000)])
    thresholds = choose_thresholds([(rows, scores)])
    hard = scores[1000:]
    assert (hard >= thresholds.spun).mean() <= 0.005
    assert (hard >= thresholds.suspect).mean() <= 0.03
    assert thresholds.spun > 0.79


def test_a_document_drawn_often_counts_once() -> None:
    # One odd document drawn a hundred times, 299 others drawn once: a third of a per cent of the documents.
    rows = [make_row("corpus", document=0)] * 100 + [make_row("corpus", document=n) for n in range(1, 300)]
    scores = np.array([0.99] * 100 + [0.1] * 299)
    assert choose_thresholds([(rows, scores)]).spun < 0.51


def test_small_corpora_are_taken_together() -> None:
    # Six corpora of fifty texts: one odd text is two per cent of its corpus, but a third of one of all together.
    rows = [make_row(f"small-{n % 6}", document=n) for n in range(300)]
    scores = np.array([0.9, *np.linspace(0, 0.3, 299)])
    assert choose_thresholds([(rows, scores)]).spun < 0.51
    assert choose_thresholds([(rows[:60], scores[:60])]).spun > 0.9


def test_what_is_more_probably_honest_is_not_called_spun() -> None:
    rows = [make_row("corpus", document=n) for n in range(1000)]
    thresholds = choose_thresholds([(rows, np.linspace(0, 0.1, 1000))])
    assert thresholds.spun > 0.5 > thresholds.suspect > 0.2


def test_an_article_is_judged_on_what_it_follows() -> None:
    alone, compared = np.zeros(len(ALONE)), np.zeros(len(COMPARED))
    for words, ground in ((40, "short"), (149, "short"), (150, "alone"), (5000, "alone")):
        alone[ALONE.index("length")] = np.log(words + 1)
        assert (find_ground(alone, None), find_ground(alone, compared)) == (ground, "compared")
    compared[COMPARED.index("coverage")] = 0.9
    assert find_ground(alone, compared) == "derived"


def test_thresholds_follow_the_worst_case_beside_references() -> None:
    rows = [make_row("corpus", document=n, case=case) for case in ("edited", "event") for n in range(1000)]
    scores = np.concatenate([np.linspace(0, 0.2, 1000), np.linspace(0, 0.8, 1000)])
    thresholds = choose_thresholds([(rows, scores)])
    assert (scores[1000:] >= thresholds.spun).mean() <= 0.002
    # The corpus alone, half of it edited copies, would allow ten of two thousand.
    alone = choose_thresholds([([make_row("corpus", document=n) for n in range(2000)], scores)])
    assert (scores[1000:] >= thresholds.suspect).mean() <= 0.02
    assert thresholds.spun > alone.spun
    assert thresholds.suspect > alone.suspect


def test_every_set_keeps_to_the_costs() -> None:
    rows = [make_row("corpus", document=n) for n in range(1000)]
    low, high = np.linspace(0, 0.2, 1000), np.linspace(0, 0.6, 1000)
    thresholds = choose_thresholds([(rows, low), (rows, high)])
    assert thresholds == choose_thresholds([(rows, high)])


def test_corpora_are_divided_without_loss() -> None:
    names = sorted((*HUMAN, *HARD))
    for parts in (1, 4, 99):
        divided = divide_corpora(parts)
        assert len(divided) == min(parts, len(names))
        assert sorted(itertools.chain(*divided)) == names


def test_tables_count_every_article_once_a_table() -> None:
    rows = [make_row("a") for _ in range(10)] + [make_row("b", spun=True) for _ in range(5)]
    scores = np.array([0.0] * 10 + [1.0] * 5)
    thresholds = {"alone": choose_thresholds([(rows[:10], scores[:10])])}
    tables = tabulate(rows, scores, thresholds)
    assert tables["honest by corpus, alone"] == {"a": [0.0, 0.0, 10]}
    assert tables["spun by family, alone"] == {"moby": [1.0, 1.0, 5]}
