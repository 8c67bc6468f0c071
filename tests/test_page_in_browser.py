"""The reviewer's pages in a real browser: what is clicked, typed, scrolled, printed and downloaded."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from conftest import HOSTILE, hostile_verdict
from unspun.article import KINDS, Article, Passage, Relation, Span, Verdict
from unspun.decisions import Decisions
from unspun.lexicon import Lexicon
from unspun.reporters.html import render_report
from unspun.reporters.overview import make_row, render_overview

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no browser: apt-get install chromium")

#: Without a profile's services, which would look for a network.
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
SWAPS = {"closed": ("shut", "synonym"), "harbour bridge": ("haven span", "name"), "engineers": ("craftsmen", "quote")}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield launched
        launched.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page that fails the test when its script does, when its policy stops something, or when it asks the network."""
    context = browser.new_context(viewport={"width": 1280, "height": 800}, accept_downloads=True)
    opened = context.new_page()
    troubles: list[str] = []
    opened.on("console", lambda message: troubles.append(message.text) if message.type == "error" else None)
    opened.on("pageerror", lambda error: troubles.append(str(error)))
    opened.on("request", lambda request: _note_request(request.url, troubles))
    yield opened
    assert troubles == []
    context.close()


def _note_request(url: str, troubles: list[str]) -> None:
    if not url.startswith(("file:", "blob:")):
        troubles.append(url)


def make_case(paragraphs: int = 12) -> tuple[Article, list[Article], Verdict]:
    """An article with three swaps in each paragraph, its source and another report that tells little of it."""
    lead = "The council met on Monday evening in the old town hall.\n\n"
    paragraph = (
        "Paragraph {n} says that the harbour bridge was closed at dawn. "
        "“We asked the engineers to look at it twice,” said Mara Lindt of ward {n}. Nobody was hurt.\n\n"
    )
    source = lead + "".join(paragraph.format(n=n) for n in range(paragraphs))
    text, spans, reached = "", [], 0
    places = sorted(
        (source.index(old, source.index(f"Paragraph {n} ")), old) for n in range(paragraphs) for old in SWAPS
    )
    for number, (at, old) in enumerate(places):
        new, kind = SWAPS[old]
        text += source[reached:at]
        passage = Passage("source.txt", at, at + len(old), old)
        score = 0.6 if number % 5 == 4 else 0.99
        spans.append(Span(len(text), len(text) + len(new), new, kind, score, old, passage, ("other",)))
        text += new
        reached = at + len(old)
    text += source[reached:]
    other = "A storm came. The council met on Monday evening in the old town hall. It rained all night."
    relations = (Relation("source.txt", "spun", 0.9), Relation("other.txt", "independent", 0.1))
    verdict = Verdict("a.txt", "in/a.txt", 0.98, "spun", "synonyms_swapped", tuple(spans), relations, "default@4")
    references = [Article("source.txt", source, "ref/source.txt", "The source"), Article("other.txt", other)]
    return Article("a.txt", text, "in/a.txt", "Bridge closed"), references, verdict


def open_page(page: Page, folder: Path, source: str) -> None:
    (folder / "page.html").write_text(source, encoding="utf-8", newline="\n")
    page.goto((folder / "page.html").as_uri())


@pytest.fixture
def case(page: Page, tmp_path: Path) -> tuple[Article, list[Article], Verdict]:
    made = make_case()
    open_page(page, tmp_path, render_report(*made, Lexicon.load()))
    return made


def count_off(page: Page) -> int:
    return page.locator("#text mark.off").count()


def test_the_text_on_the_page_is_the_article(page: Page, case: tuple[Article, list[Article], Verdict]) -> None:
    text = page.evaluate("document.getElementById('text').textContent")
    assert text == case[0].text
    assert page.locator("#text mark").count() == 36


def test_hovering_explains_a_swap(page: Page, case: tuple[Article, list[Article], Verdict]) -> None:
    assert page.locator("#card").is_hidden()
    page.locator("#s2").hover()
    card = page.locator("#card").inner_text()
    for said in (
        "shut ← closed or other",
        "Where the article has this, The source says “closed”.",
        "Paragraph 0 says",
        "99 % sure",
    ):
        assert said in card
    page.locator("h1").hover()
    page.locator("#card").wait_for(state="hidden")


def test_the_keyboard_goes_through_all_swaps(page: Page, case: tuple[Article, list[Article], Verdict]) -> None:
    seen = []
    for _ in range(37):
        page.keyboard.press("j")
        seen.append(page.evaluate("document.activeElement.id"))
        assert page.evaluate(
            "(() => { const b = document.activeElement.getBoundingClientRect();"
            "return b.top >= 0 && b.bottom <= innerHeight; })()"
        )
    assert seen == [*(f"s{n}" for n in range(1, 37)), "s1"]
    page.keyboard.press("k")
    assert page.evaluate("document.activeElement.id") == "s36"
    page.locator("#card").wait_for(state="visible")
    assert "engineers" in page.locator("#card").inner_text()
    page.keyboard.press("Escape")
    assert page.locator("#card").is_hidden()
    # One stop of the tab key in the text, however many swaps.
    assert page.locator("#text a[tabindex='0']").count() == 1


def test_the_columns_scroll_together(page: Page, tmp_path: Path) -> None:
    open_page(page, tmp_path, render_report(*make_case(40), Lexicon.load()))
    for pane, number in (("own", 9), ("other", 3), ("own", 11)):
        words = f"Paragraph {number} says"
        tops = page.evaluate(
            """async ([pane, words]) => {
              const find = (id) => [...document.querySelectorAll(`#${id} article:not([hidden]) .s, #${id} #text .s`)]
                .find((s) => s.textContent.startsWith(words));
              const box = document.getElementById(pane);
              const line = box.getBoundingClientRect().top + box.clientHeight / 4 - 2;
              box.scrollTop += find(pane).getBoundingClientRect().top - line;
              await new Promise((done) => setTimeout(done, 300));
              return ["own", "other"].map((id) => find(id).getBoundingClientRect().top);
            }""",
            [pane, words],
        )
        assert abs(tops[0] - tops[1]) < 3
    page.locator("#other").hover()
    page.locator("#text .s", has_text="Mara Lindt of ward 11").hover()
    assert (
        page.locator("#other .s.here").all_inner_texts()
        == page.locator("#other .s", has_text="ward 11").all_inner_texts()
    )


def test_references_are_switched(page: Page, case: tuple[Article, list[Article], Verdict]) -> None:
    assert "spun from it" in page.locator("#other").inner_text()
    page.keyboard.press("r")
    assert page.locator("#choose").input_value() == "1"
    assert "A storm came" in page.locator("#other").inner_text()
    # A swap that another reference shows brings that one up.
    page.keyboard.press("j")
    assert page.locator("#choose").input_value() == "0"


def test_a_passage_of_two_swaps_is_found_for_both(page: Page, tmp_path: Path) -> None:
    article, references, verdict = make_case(2)
    shared = replace(verdict.spans[1], reference=verdict.spans[0].reference)
    made = replace(verdict, spans=(verdict.spans[0], shared), references=verdict.references[::-1])
    open_page(page, tmp_path, render_report(article, references, made, Lexicon.load()))
    page.keyboard.press("j")
    assert page.locator("#choose").input_value() == "1"


def test_enter_decides_nothing_on_an_article_unasked(page: Page, case: tuple[Article, list[Article], Verdict]) -> None:
    page.keyboard.press("j")
    page.keyboard.press("c")
    page.keyboard.press("Escape")
    page.keyboard.press("a")
    page.keyboard.press("Enter")
    assert page.locator("#decide").is_visible()
    page.keyboard.press("Escape")
    assert page.locator("#d0").inner_text() == ""


def test_single_keys_can_be_switched_off(page: Page, case: tuple[Article, list[Article], Verdict]) -> None:
    page.keyboard.press("?")
    page.locator("#single").uncheck()
    page.get_by_role("button", name="Close").click()
    page.keyboard.press("j")
    page.keyboard.press("o")
    assert page.locator("#text a.now").count() == 0
    assert page.locator("#text").is_visible()


def test_what_is_not_shown_is_not_decided_on(page: Page, case: tuple[Article, list[Article], Verdict]) -> None:
    page.keyboard.press("j")
    page.keyboard.press("o")
    page.keyboard.press("d")
    assert page.locator("#decide").is_hidden()


def test_kinds_and_unsure_swaps_are_switched_off(page: Page, case: tuple[Article, list[Article], Verdict]) -> None:
    page.get_by_role("button", name="quote 12").click()
    assert count_off(page) == 12
    page.keyboard.press("l")
    assert count_off(page) == 12 + 7 - sum(s.kind == "quote" and s.score < 0.8 for s in case[2].spans)
    for _ in range(3):
        page.keyboard.press("j")
    assert page.evaluate("document.activeElement.id") == "s4"
    page.keyboard.press("l")
    page.keyboard.press("2")
    assert count_off(page) == 0


def test_the_restored_article_is_shown(page: Page, case: tuple[Article, list[Article], Verdict]) -> None:
    page.keyboard.press("o")
    assert page.locator("#text").is_hidden()
    assert page.locator("#restored").inner_text().strip() == case[1][0].text.strip()
    page.keyboard.press("j")
    assert page.locator("#text").is_visible()


def test_sentences_that_are_the_same_are_shown(page: Page, case: tuple[Article, list[Article], Verdict]) -> None:
    page.keyboard.press("w")
    assert page.locator("#own .s.same").count() == 13
    assert (
        page.locator("#other .s.same").first.inner_text() == "The council met on Monday evening in the old town hall."
    )


def test_decisions_are_made_downloaded_and_read_again(
    page: Page, case: tuple[Article, list[Article], Verdict], tmp_path: Path
) -> None:
    article, references, verdict = case
    assert page.locator("#download").is_disabled()
    page.keyboard.press("j")
    page.keyboard.press("d")
    page.keyboard.type("an honest word")
    page.locator("#by").fill("Ada <b>")
    page.keyboard.press("Enter")
    assert page.locator("#text mark.dismissed").count() == 1
    page.keyboard.press("j")
    page.keyboard.press("c")
    page.keyboard.press("Enter")
    page.locator("#whole").click()
    page.get_by_role("button", name="Confirm", exact=True).click()
    page.keyboard.press("j")
    page.keyboard.press("d")
    page.keyboard.press("Enter")
    page.keyboard.press("d")
    page.get_by_role("button", name="Take back").click()
    with page.expect_download() as waiting:
        page.locator("#download").click()
    assert waiting.value.suggested_filename == "a.txt.decisions.json"
    waiting.value.save_as(tmp_path / "d.json")
    found = Decisions.read([tmp_path / "d.json"]).find(article)
    first, second = found.spans
    assert (first.start, first.decision.decision, first.decision.reason, first.decision.by) == (
        verdict.spans[0].start, "dismissed", "an honest word", "Ada <b>",
    )  # fmt: skip
    assert (second.start, second.decision.decision, second.decision.by) == (
        verdict.spans[1].start, "confirmed", "Ada <b>",
    )  # fmt: skip
    assert found.whole
    assert found.whole.decision == "confirmed"
    decided = replace(verdict, spans=found.mark(verdict.spans), decision=found.whole)
    open_page(page, tmp_path, render_report(article, references, decided, Lexicon.load()))
    assert page.locator("#r1").inner_text().endswith("dismissed by Ada <b>: an honest word")
    assert page.locator("#text mark.dismissed").count() == 1
    assert page.locator("#download").is_enabled()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 360])
def test_axe_finds_nothing_serious(page: Page, tmp_path: Path, scheme: str, width: int) -> None:
    from axe_playwright_python.sync_playwright import Axe

    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    page.set_viewport_size({"width": width, "height": 800})
    article, references, verdict = make_case(3)
    kinds = tuple(replace(span, kind=KINDS[n % 6]) for n, span in enumerate(verdict.spans))
    rows = [make_row(replace(verdict, label=label), "Title", "a.html") for label in ("spun", "suspect", "clean")]
    for source in (
        render_report(article, references, replace(verdict, spans=kinds, stale=1), Lexicon.load()),
        render_overview(rows),
    ):
        open_page(page, tmp_path, source)
        if page.locator("#text").count():
            page.keyboard.press("j")
            page.locator("#card").wait_for(state="visible")
        found = Axe().run(page).response["violations"]
        assert [(v["id"], v["nodes"][0]["html"]) for v in found if v["impact"] in ("serious", "critical")] == []


def test_a_narrow_window_needs_no_scrolling_sideways(page: Page, case: tuple[Article, list[Article], Verdict]) -> None:
    page.set_viewport_size({"width": 360, "height": 700})
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    own, other = page.locator("#own").bounding_box(), page.locator("#other").bounding_box()
    assert own
    assert other
    assert other["y"] >= own["y"] + own["height"]


def test_a_print_has_two_columns_and_the_table(page: Page, case: tuple[Article, list[Article], Verdict]) -> None:
    page.emulate_media(media="print")
    own, other = page.locator("#own").bounding_box(), page.locator("#other").bounding_box()
    assert own
    assert other
    assert own["y"] == other["y"]
    assert other["x"] >= own["x"] + own["width"]
    assert page.locator(".bar").is_hidden()
    # The whole text, not the part that a window would show.
    assert page.evaluate(
        "document.getElementById('own').scrollHeight <= document.getElementById('own').clientHeight + 1"
    )
    assert page.pdf(format="A4").startswith(b"%PDF-")


def test_without_a_script_everything_can_be_read(browser: Browser, tmp_path: Path) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    article, references, verdict = make_case(2)
    open_page(page, tmp_path, render_report(article, references, verdict, Lexicon.load()))
    assert page.locator(".bar").is_hidden()
    assert page.locator("#restored").is_hidden()
    assert page.locator("#rows tr").count() == 6
    assert "Paragraph 1" in page.locator("#other").inner_text()
    context.close()


def test_hostile_text_runs_nothing(page: Page, tmp_path: Path) -> None:
    article, verdict = hostile_verdict()
    names = ["</style><script>window.bad=1</script>", "<img src=x onerror=window.bad=1>", "w" * 20_000]
    for hostile in (HOSTILE, *names, "e" + "\u0301" * 10_000, "\u202e\u2066abc"):
        text = f"{hostile} {article.text}"
        span = Span(
            0, len(hostile), hostile, "name", 0.9, hostile, Passage(hostile, 0, len(hostile), hostile), (hostile,)
        )
        reference = Article(hostile, text, hostile, hostile)
        made = replace(verdict, id=hostile, spans=(span,), references=(Relation(hostile, "spun", 0.5),), model=hostile)
        source = render_report(Article(hostile, text, hostile, hostile), [reference], made, Lexicon.load())
        open_page(page, tmp_path, source)
        page.keyboard.press("j")
        page.locator("#card").wait_for(state="visible")
        page.keyboard.press("d")
        page.keyboard.press("Escape")
        assert page.evaluate("window.bad") is None
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        open_page(page, tmp_path, render_overview([make_row(made, hostile, None)]))
        assert page.evaluate("window.bad") is None


def test_the_overview_is_sorted_and_filtered(page: Page, tmp_path: Path) -> None:
    verdict = make_case(1)[2]
    rows = [make_row(replace(verdict, id=f"a{n}", score=n / 10, label="spun" if n > 4 else "clean"), None, f"a{n}.html")
            for n in range(10)]  # fmt: skip
    rows.append(make_row(Verdict("gone", "gone", None, "unscored", "unreadable", error="no such file"), None, None))
    open_page(page, tmp_path, render_overview(rows))

    def list_articles() -> list[str]:
        # Not the inner texts: these are empty where the browser has not laid out yet what was sorted.
        return [text.strip() for text in page.locator("#rows tr:visible td:nth-child(3)").all_text_contents()]

    assert list_articles()[:2] == ["a9", "a8"]
    page.locator("th button", has_text="Score").click()
    assert list_articles()[0] == "a0"
    assert list_articles()[-1] == "gone"
    page.get_by_role("button", name="spun 5").click()
    assert list_articles() == ["a0", "a1", "a2", "a3", "a4", "gone"]
    page.locator("#find").fill("no such")
    assert list_articles() == ["gone"]
    assert page.locator("#shown").inner_text() == "1 of 11 shown"
    page.locator("#find").fill("")
    page.locator("#reason").select_option("unreadable")
    assert list_articles() == ["gone"]
