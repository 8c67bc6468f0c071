"""The page of a folder: every article once, its numbers right, its links safe."""

from __future__ import annotations

import re
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from conftest import hostile_verdict
from unspun.article import Decision, Verdict
from unspun.reporters.overview import make_row, name_page, render_overview


def test_rows_fall_by_score_with_their_links(verdict: Verdict) -> None:
    clean = Verdict("clean.txt", None, 0.01, "clean", decision=Decision("dismissed"))
    gone = Verdict("gone.txt", "gone.txt", None, "unscored", "unreadable", error="no such file")
    rows = [make_row(gone, None, None), make_row(clean, "A title", "clean.txt.html"), make_row(verdict, None, "h.html")]
    page = render_overview(rows)
    swap = "Worldwide Heart for Lacking ← International Center for Missing"
    cells = [re.sub(r"<[^>]+>", "|", row) for row in re.findall(r"<tr role=\"row\">(<td.*?)</tr>", page)]
    assert [re.split(r"\|+", row)[1:-1] for row in cells] == [
        ["0.973", "spun", "inbox/heart.txt", "name altered", "3", swap],
        ["0.010", "clean", "A title", " ", "clean.txt", "dismissed"],
        ["–", "unscored", "gone.txt", "unreadable", "no such file"],
    ]  # fmt: skip
    assert re.findall('href="([^"]*)"', page) == ["h.html", "clean.txt.html"]
    assert "3 articles" in page


def test_the_histogram_counts_every_score(verdict: Verdict) -> None:
    scores = [0.0, 0.049, 0.05, 0.5, 0.999, 1.0]
    page = render_overview([make_row(replace(verdict, score=score), None, None) for score in scores])
    label = re.search('aria-label="Histogram of scores: ([^"]*)"', page)
    assert label
    assert label[1] == "0.00 to 0.05: 2; 0.05 to 0.10: 1; 0.50 to 0.55: 1; 0.95 to 1.00: 2"
    tallest = [float(height) for height in re.findall(r'<rect[^>]* height="([\d.]+)"', page)]
    assert sorted(tallest) == [45, 45, 90, 90]


def test_no_articles_make_a_page_too() -> None:
    assert "0 articles" in render_overview([])


def test_hostile_text_is_inert() -> None:
    article, verdict = hostile_verdict()
    page = render_overview([make_row(verdict, article.title, "a.html")])
    page.encode()
    assert page.count("<script>") == 1
    assert "alert(1)&lt;/script&gt;" in page
    assert not set("\x1b\x00\u202e") & set(page)


@given(st.lists(st.text()))
def test_every_page_has_a_name_of_its_own_that_is_safe(ids: list[str]) -> None:
    taken = {"index.html": 1}
    names = [name_page(id, taken) for id in ids]
    assert len(set(map(str.lower, names))) == len(ids)
    for name in names:
        assert re.fullmatch(r"[a-z0-9_][a-z0-9._-]*\.html", name)
        assert len(name) < 120
        assert name != "index.html"


def test_an_overview_of_two_thousand_is_no_larger_than_promised(verdict: Verdict) -> None:
    headline = "A headline of the usual length, as newspapers print them"
    rows = [
        make_row(
            replace(verdict, id=f"inbox/a-rather-long-name-{n}.txt"), headline, f"inbox-a-rather-long-name-{n}.html"
        )
        for n in range(2000)
    ]
    assert len(render_overview(rows).encode()) <= 1_500_000
