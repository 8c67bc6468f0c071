"""The bench: ratios and slopes, who takes turns, the articles, what is written and where. Nothing here is timed."""

from __future__ import annotations

import json
import math
import random
from pathlib import Path
from typing import Any

import pytest

from unspun.lexicon import Lexicon
from unspun.resources import find_data
from unspun.text import WORD
from unspun.training.bench import report
from unspun.training.bench.articles import (
    Pool,
    join_texts,
    make_compared,
    make_texts,
    read_pool,
    stream_short,
)
from unspun.training.bench.curves import find_slope
from unspun.training.bench.peers import ALIGN, COMPARED, FLOOR, HONEST, QUALITY, UNSPUN
from unspun.training.bench.point import measure_point
from unspun.training.bench.race import Way, find_ratio, fit_slope, race
from unspun.training.bench.run import PeerMissingError, check_peers, main


@pytest.fixture(scope="module")
def pool() -> Pool:
    return read_pool(Lexicon.load())


def test_a_ratio_is_the_median_of_the_rounds_and_above_one_where_we_are_faster() -> None:
    # The second round was slow for both, the third for them alone.
    assert find_ratio([1.0, 10.0, 1.0], [4.0, 40.0, 9.0]) == 4.0
    assert find_ratio([2.0], [1.0]) == 0.5
    with pytest.raises(ValueError, match="argument 2"):
        find_ratio([1.0, 2.0], [1.0])


@pytest.mark.parametrize("power", [0.5, 1.0, 2.0])
def test_a_slope_is_the_exponent(power: float) -> None:
    sizes = [100.0 * 2**step for step in range(8)]
    assert fit_slope(sizes, [3 * size**power for size in sizes]) == pytest.approx(power)


def test_a_slope_needs_two_sizes() -> None:
    with pytest.raises(ValueError, match="two sizes"):
        fit_slope([5, 5], [1, 2])


def test_a_curve_of_numbers_is_linear_where_each_article_costs_the_same() -> None:
    points = [{"articles": 10**step, "ms": [2.0, 9.0, 2.0], "megabytes": 200} for step in range(1, 5)]
    assert find_slope(points, "articles") == pytest.approx(1.0)
    assert find_slope([*points, {"articles": 10**5, "failed": "takes more than 8 GB"}], "articles") == pytest.approx(
        1.0
    )
    assert find_slope(points, "articles", least=10_000) is None


def test_contestants_take_turns_and_a_turn_is_long_enough() -> None:
    time, order = 0.0, list[str]()

    def make(name: str, seconds: float) -> Way:
        def run() -> None:
            nonlocal time
            time += seconds
            order.append(name)

        return Way(run, items=2)

    ways = {"slow": make("s", 1.0), "fast": make("f", 0.25), "none": Way(lambda: None, 0)}
    found = race(ways, rounds=3, seconds=0.5, clock=lambda: time)
    assert "".join(order) == "ssff" + "sff" * 3
    assert found == {"slow": [500.0] * 3, "fast": [125.0] * 3}


def test_articles_are_alike_in_every_run_as_long_as_asked_and_spun_as_often(pool: Pool) -> None:
    made = make_texts(pool.texts, pool.dictionaries, 20, 100, 0.3, "test")
    assert made == make_texts(pool.texts, pool.dictionaries, 20, 100, 0.3, "test")
    assert len({text for text, _ in made}) == 20
    assert sum(spun for _, spun in made) == 6
    assert all(45 <= len(WORD.findall(text)) <= 175 for text, _ in made)


def test_a_spun_article_stands_beside_its_source_and_an_honest_one_beside_none(pool: Pool) -> None:
    for timed in make_compared(pool, 8, 200, 0.5):
        assert len(timed.references) == 3
        words, source = WORD.findall(timed.text), WORD.findall(timed.references[0])
        assert len(source) == pytest.approx(len(words), rel=0.3)
        same = len(set(words) & set(source)) / len(set(words))
        assert timed.text not in timed.references
        assert same > 0.4 if timed.spun else same < 0.8


def test_too_few_reports_are_told(pool: Pool) -> None:
    with pytest.raises(ValueError, match="three reports"):
        make_compared(Pool(pool.texts, pool.events[:1], pool.dictionaries), 1, 100, 0.5)


def test_texts_come_again_only_when_all_were_taken() -> None:
    rng = random.Random(0)
    assert sorted(join_texts(["a", "b", "c"], 3, rng).split()) == ["a", "b", "c"]
    assert len(join_texts(["a b", "c"], 50, rng).split()) == 50


def test_short_articles_are_distinct_and_none_is_kept() -> None:
    words = [str(number) for number in range(5000)]
    found = list(stream_short(words, range(4000), 60))
    assert len(set(found)) == 4000
    assert {len(article.split()) for article in found} == {60}


def test_a_point_is_measured_alone_beside_a_reference_and_as_a_stream() -> None:
    [article] = [json.loads(line)["text"] for line in find_data("llm_prose.jsonl").read_text().splitlines()[:1]]
    for pair in ([article, None], [article, article + " More."]):
        found = measure_point({"pairs": [pair], "seconds": 0.01})
        assert min(found["ms"]) > 0
        assert found["megabytes"] > 50
    assert len(measure_point({"words": article.split(), "count": 3, "seconds": 0})["ms"]) == 1


def test_a_missing_peer_names_the_extra() -> None:
    with pytest.raises(PeerMissingError, match=r"^nobody_has_this not .*pip install '\.\[bench\]'"):
        check_peers(["json", "nobody_has_this"])


@pytest.fixture
def results() -> report.Results:
    """Results in which unspun takes 1 ms alone and 4 ms compared, and the quality filter 12."""
    length = [
        {"words": 100 * 2**n, "kilobytes": 0.6 * 2**n, "ms": [2.0**n, 2.0**n, 9e9], "megabytes": 240} for n in range(9)
    ]
    beside = [*length[:7], {"words": 12800, "kilobytes": 76.8, "failed": "takes more than 8 GB"}]
    start = {"seconds": 0.2, "cold seconds": 1.3, "read": 40.0, "megabytes": 250}
    return {
        "unspun": "0",
        "model": "default@0",
        "options": {"rounds": 3, "seconds": 1.0},
        "machine": {"processor": "An Abacus", "bandwidth": {"read": 10.0, "copy": 8.0}},
        "articles": {"count": 4, "words": 340.0, "characters": 2000.0, "spun": 0.1},
        "alone": {
            "ms": {UNSPUN: [1.0] * 3, HONEST: [0.5] * 3, QUALITY: [12.0] * 3, FLOOR: [0.1] * 3},
            "kept": {QUALITY: 1.0},
        },
        "compared": {"count": 1, "words": 340.0, "ms": {COMPARED: [4.0] * 3, QUALITY: [12.0, 12.0, 4.0]}},
        "alignment": {"count": 1, "ms": {ALIGN: [1.0] * 3}},
        "classifier": {"a spinner left out": {"articles": 4, "fastText AUC": 0.5}},
        "start": {
            "commands": {
                "unspun --help": {"seconds": 0.3},
                "first verdict, fast model": start,
                "1,000 articles, fast model": {"seconds": 9.0, "megabytes": 340},
            },
            "loaded": {"import unspun": [], "a verdict": ["numpy"]},
        },
        "length": {"honest, alone": length, "spun, beside its source": beside},
        "number": [{"articles": 10**n, "ms": [2.0], "megabytes": 240} for n in range(1, 5)],
    }


def test_targets_compare_the_right_rows_the_right_way_round(results: report.Results) -> None:
    found = {target.name: (round(target.measured, 3), target.met) for target in report.list_targets(results)}
    assert found == {
        "articles a second without references, beside GopherQualityFilter": (12.0, True),
        "cost without references, honest articles, beside the tokenising floor": (5.0, True),
        "cost without references, with what is shown of the spun ones, beside the tokenising floor": (10.0, False),
        "articles a second with three references, beside GopherQualityFilter": (3.0, True),
        "`unspun --help`": (0.3, False),
        "first verdict, files not in memory": (1.3, False),
        "memory of a process, 1,000 articles, fast model": (340, True),
        "exponent of cost over length, honest, alone": (1.0, True),
        "exponent of cost over length, spun, beside its source": (math.inf, False),
        "exponent of cost over the number of articles": (1.0, True),
    }


def test_the_page_holds_what_was_measured(results: report.Results) -> None:
    page = report.write_page(results)
    assert "| processor | An Abacus |" in page
    assert f"| {QUALITY} | 12 (12) | 83 | 12 |" in page
    # 2,000 bytes at 10 GB/s.
    assert "| 0.0002 | 5,000,000 | 0.0002 |" in page
    assert "| 12,800 | 76.8 | takes more than 8 GB |  |  |" in page
    rows = [line for line in page.splitlines() if line.startswith("|")]
    assert all(row.count("|") >= 3 for row in rows)


def test_the_readme_gets_its_figures_between_the_markers_and_nowhere_else(results: report.Results) -> None:
    section = report.write_section(results)
    assert f"| {UNSPUN} | none | 1,000 |  |" in section
    assert f"| {QUALITY} | three | 83 | 3 |" in section
    page = f"above\n{report.BEGIN}\nold\n{report.END}\nbelow\n"
    renewed = report.replace_section(page, section)
    assert renewed == f"above\n{report.BEGIN}\n{section}\n{report.END}\nbelow\n"
    assert report.replace_section(renewed, section) == renewed


@pytest.mark.parametrize("page", ["", report.BEGIN, f"{report.END}\n{report.BEGIN}", report.BEGIN * 2 + report.END])
def test_a_page_without_the_markers_is_left_as_it_is(page: str, tmp_path: Path) -> None:
    file = tmp_path / "README.md"
    file.write_text(page)
    with pytest.raises(ValueError, match="must hold the line"):
        report.write_to(file, "new")
    assert file.read_text() == page


def test_the_readme_of_the_repository_has_the_markers() -> None:
    report.replace_section((Path(__file__).parents[1] / "README.md").read_text("utf-8"), "")


def test_the_command_says_what_is_missing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    def miss(*_: Any) -> None:
        raise PeerMissingError("fasttext not installed; install the extra")

    monkeypatch.setattr("unspun.training.bench.run.check_peers", miss)
    monkeypatch.setattr("unspun.training.bench.run.keep_to_core", lambda core: None)
    monkeypatch.chdir(tmp_path)
    assert main(["--quick", "--write"]) == 2
    assert "scripts/bench: fasttext not installed; install the extra" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
