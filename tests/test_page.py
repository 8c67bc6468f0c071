"""The reviewer's page as a parser sees it; tests/test_page_in_browser.py has what only a browser can tell."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conftest import HOSTILE, hostile_verdict, mark
from unspun.article import KINDS, LABELS, REASONS, Article, Decision, Passage, Relation, Span, Verdict
from unspun.decisions import digest_text
from unspun.lexicon import Lexicon
from unspun.reporters.html import render_report
from unspun.reporters.markup import show_line


def draw(article: Article, references: list[Article], verdict: Verdict) -> str:
    return render_report(article, references, verdict, Lexicon.load())


class Page(HTMLParser):
    """The page as a browser would see it: its elements, its words, and the article's text with its marks put back."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, Any]]] = []
        self.text = self.words = self.data = ""
        self.marked: list[str] = []
        self.sentences: list[str] = []
        self._inside = self._marking = False
        self._open = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self.tags.append((tag, values))
        self._open = tag
        if values.get("id") == "text":
            self._inside = True
        elif self._inside and tag == "div":
            raise AssertionError("a block inside the article's text")
        elif self._inside and tag == "mark":
            self._marking = True
            self.marked.append("")
        elif self._inside and tag == "span":
            self.sentences.append("")
        elif tag == "i":
            for code in str(values["data-c"]).split():
                self.handle_data(chr(int(code, 16)))

    def handle_endtag(self, tag: str) -> None:
        if tag == "div":
            self._inside = False
        elif tag == "mark":
            self._marking = False
        self._open = ""

    def handle_data(self, data: str) -> None:
        if self._open in ("style", "script"):
            self.data += data
            return
        self.words += data
        if self._inside:
            self.text += data
            if self.sentences:
                self.sentences[-1] += data
            if self._marking:
                self.marked[-1] += data


def read_words(page: str) -> str:
    return " ".join(Page(page).words.split())


def test_the_page_says_what_the_verdict_says(article: Article, reference: Article, verdict: Verdict) -> None:
    source = draw(article, [reference], verdict)
    page, words = Page(source), read_words(source)
    assert page.text == article.text
    assert page.marked == [span.text for span in verdict.spans]
    for said in (
        "Spun: words were probably swapped by a machine A signal, not a verdict: a person decides.",
        "Of 100 articles with such a score about 97 are spun, where one article in ten is. (score 0.973)",
        f"Reason: {REASONS['name_altered']}.",
        "1 of 2 sentences follow archive/cnn.txt; one name or title altered; one word",
        "archive/cnn.txt has this name or title as “International Center for Missing”.",
        "The word does not fit the words around it; a better fit is “family”.",
        "The grammar is broken in the way that swapping single words breaks it.",
        "Police thanked the International Center for Missing and Exploited Children.",
        "archive/cnn.txt spun from it 41 %",
        "An finish not known The grammar",
    ):
        assert said in words
    described = [values["aria-describedby"] for tag, values in page.tags if tag == "a" and "data-n" in values]
    assert described == ["w1", "w2", "w3"]
    assert {"w1", "w2", "w3"} <= {values.get("id") for _, values in page.tags}


def test_each_sentence_knows_its_partner(article: Article, reference: Article, verdict: Verdict) -> None:
    page = Page(draw(article, [reference], verdict))
    (shown,) = (values for tag, values in page.tags if values.get("class") == "reference")
    # The reference's second sentence comes first; its third is the article's last, or none.
    assert shown["data-pairs"].split()[0] == "1"
    assert len(shown["data-pairs"].split()) == len(page.sentences) == 2


def test_the_page_offers_alternatives_where_there_are_any(
    article: Article, reference: Article, verdict: Verdict
) -> None:
    spans = tuple(replace(span, alternatives=("kin", "clan")) for span in verdict.spans if span.suggestion == "family")
    assert "household family or kin, clan The word" in read_words(
        draw(article, [reference], replace(verdict, spans=spans))
    )


def test_the_restored_article_is_on_the_page(article: Article, reference: Article, verdict: Verdict) -> None:
    page = draw(article, [reference], verdict)
    restored = re.search(r'<div class="text" id="restored".*?</div>', page, re.DOTALL)
    assert restored
    assert '<ins class="sure">International Center for Missing</ins> and Exploited Children.' in restored[0]
    assert '<ins class="guessed">family</ins>' in restored[0]


def test_the_page_is_closed_to_the_outside(article: Article, reference: Article, verdict: Verdict) -> None:
    page = draw(article, [reference], verdict)
    for kind in ("style", "script"):
        content = re.findall(rf"<{kind}>(.*?)</{kind}>", page, re.DOTALL)
        assert len(content) == 1
        digest = base64.b64encode(hashlib.sha256(content[0].encode()).digest()).decode()
        assert f"{kind}-src &#39;sha256-{digest}&#39;" in page
    assert "default-src &#39;none&#39;" in page
    tags = Page(page).tags
    assert not {"link", "img", "iframe", "object", "embed"} & {tag for tag, _ in tags}
    for _, values in tags:
        assert not {"style", "src", "action", "formaction"} & set(values)
        assert not any(name.startswith("on") for name in values)
        assert values.get("href", "#").startswith("#")


def test_hostile_text_is_inert_on_the_page() -> None:
    article, verdict = hostile_verdict()
    source = draw(article, [article], verdict)
    source.encode()  # fails on surrogates
    assert not set("\x1b\x00\u202e\x85") & set(source)
    page = Page(source)
    assert [tag for tag, _ in page.tags].count("script") == 2
    assert page.text == HOSTILE
    assert page.marked == [HOSTILE]
    # What the script reads can end neither its element nor the page.
    data = re.search(r'<script type="application/json" id="data">(.*?)</script>', source, re.DOTALL)
    assert data
    assert json.loads(data[1])["spans"][0]["text"] == HOSTILE
    assert "<" not in data[1]


def test_a_heap_of_combining_marks_stays_where_it_is() -> None:
    heap = "e" + "\u0301" * 10_000
    article = Article("a", heap, None, heap)
    source = draw(article, [], Verdict("a", None, 0.1, "clean"))
    assert "\u0301" * 9 not in source
    assert Page(source).text == heap
    assert "e\u0301[10000 combining marks]" in source


def test_a_very_long_title_is_cut_and_says_so() -> None:
    assert show_line("x" * 1000) == "x" * 300 + "… (700 more characters)"


@st.composite
def marked_articles(draw_: st.DrawFn) -> tuple[Article, Verdict]:
    text = draw_(st.text(st.characters(exclude_categories=[]), min_size=1, max_size=60))
    cuts = sorted(draw_(st.sets(st.integers(0, len(text)), max_size=8)))
    pairs = list(zip(cuts[::2], cuts[1::2], strict=False))
    spans = tuple(
        Span(
            start,
            end,
            text[start:end],
            draw_(st.sampled_from(KINDS)),
            0.5,
            draw_(st.none() | st.text(max_size=9)),
        )
        for start, end in pairs
    )
    return Article("a", text), Verdict("a", None, 0.5, draw_(st.sampled_from(LABELS)), None, spans)


@settings(deadline=None)
@given(marked_articles())
def test_marks_strip_back_to_the_text(given_pair: tuple[Article, Verdict]) -> None:
    article, verdict = given_pair
    source = draw(article, [], verdict)
    # What a browser would change before it parses: it must not stand in the page raw.
    assert not set("\r\0") & set(source)
    page = Page(source)
    assert page.text == article.text
    assert page.marked == [span.text for span in verdict.spans]


@pytest.mark.parametrize(
    "spans",
    [
        [Span(0, 6, "Policy", "synonym", 0.5)],
        [Span(0, 6, "Police", "synonym", 0.5), Span(3, 6, "ice", "synonym", 0.5)],
        [Span(900, 904, "more", "synonym", 0.5)],
    ],
)
def test_a_verdict_of_another_text_is_refused(article: Article, verdict: Verdict, spans: list[Span]) -> None:
    with pytest.raises(ValueError, match=r"inbox/heart\.txt: span \d of the verdict does not fit the text"):
        draw(article, [], replace(verdict, spans=tuple(spans)))


def test_a_passage_without_its_reference_is_named_alone(article: Article, verdict: Verdict) -> None:
    words = read_words(draw(article, [], verdict))
    assert "archive/cnn.txt has this name or title as “International Center for Missing”." in words
    assert "No reference was compared" in words


def test_references_that_agree_are_named() -> None:
    article = Article("a", "He said that the squad won.")
    said = "He said that the side won."
    passage = Passage("one", 17, 21, "side")
    relations = tuple(Relation(id, "edited", 0.9) for id in ("one", "two", "three"))
    span = Span(17, 22, "squad", "quote", 0.9, "side", passage)
    verdict = Verdict("a", None, 0.9, "spun", "quote_altered", (span,), relations)
    others = [Article("one", said), Article("two", f"On Monday: {said}"), Article("three", "Another side won.")]
    words = read_words(draw(article, others, verdict))
    assert "Inside a quotation, where one quotes “side”, and so does two." in words


def test_a_long_sentence_is_cut_around_the_passage(article: Article) -> None:
    text = "before " * 60 + "“the original words” " + "after " * 60
    start = text.index("the original")
    passage = Passage("r", start, start + 18, "the original words")
    span = replace(mark(article.text, "household", "synonym", 0.8), reference=passage)
    verdict = Verdict("a", None, 0.5, "suspect", "synonyms_swapped", (span,), (Relation("r", "spun", 0.2),))
    words = Page(draw(article, [Article("r", text)], verdict)).words
    quoted = re.search(r"…([^…]*)the original words([^…]*)…", words)
    assert quoted
    assert [len(part) for part in quoted.groups()] == [200, 200]


@pytest.mark.parametrize(
    ("verdict", "says"),
    [
        (Verdict("a", None, None, "unscored", "too_short"), "Reason: fewer words than a judgement needs."),
        (Verdict("a", None, 0.001, "clean"), "fewer than 1 are spun"),
        (Verdict("a", None, 1.0, "spun"), "more than 99 are spun"),
        (Verdict("a", None, None, "unscored", "unreadable", error="looks binary"), "looks binary"),
    ],
)
def test_every_label_has_its_page(verdict: Verdict, says: str) -> None:
    words = read_words(draw(Article("a", "words"), [], verdict))
    assert says in words
    assert "A signal, not a verdict" in words


def test_what_speaks_against_is_listed_and_what_is_left_out_is_counted() -> None:
    quotes = [f"“We saw number {n} pass by the gate” he said." for n in range(25)]
    shared = "The council meets again on the first Monday of every month."
    article = Article("a", "\n".join([*quotes, shared, "Nobody else prints this odd sentence."]))
    others = [Article("one", "\n".join([shared, *quotes])), Article("two", shared)]
    relations = (Relation("one", "edited", 0.9), Relation("two", "independent", 0.1))
    words = read_words(draw(article, others, Verdict("a", None, 0.1, "clean", None, (), relations)))
    assert "Quotations that stand word for word in a reference: We saw number 0 pass by the gate (one)" in words
    assert "We saw number 19 pass by the gate (one) and 5 more, not listed here" in words
    assert "word for word in more than one reference, as shared agency copy does:" in words
    assert f"{shared} (one, two)" in words
    assert "number 20 pass by the gate (one)" not in words


def test_only_the_closest_references_are_shown_whole_and_the_page_says_so() -> None:
    words = "The council voted on Monday to close the old bridge for two years of repairs."
    others = [Article(f"r{n}", f"{words} Report {n}.") for n in range(7)]
    relations = tuple(Relation(f"r{n}", "edited", 0.9) for n in range(7))
    start = others[6].text.index("Report")
    span = Span(0, 3, "The", "synonym", 0.9, "Report", Passage("r6", start, start + 6, "Report"))
    page = draw(Article("a", words), others, Verdict("a", None, 0.9, "spun", "synonyms_swapped", (span,), relations))
    shown = [n for n in range(7) if f"Report {n}" in page or (n == 6 and "Report</mark> 6" in page)]
    assert shown == [0, 1, 2, 3, 4, 6]
    assert "The text of 6 of 7 references is on this page" in page


def test_decisions_are_on_the_page(article: Article, reference: Article, verdict: Verdict) -> None:
    made = Decision("dismissed", "an <old> word", "Ada", "2026-01-01")
    spans = (verdict.spans[0], *(replace(span, decision=made) for span in verdict.spans[1:2]), verdict.spans[2])
    whole = Decision("confirmed", "", "Ada", "2026-01-02")
    source = draw(article, [reference], replace(verdict, spans=spans, decision=whole, stale=2))
    words = read_words(source)
    assert "dismissed by Ada: an <old> word" in words
    assert "confirmed by Ada" in words
    assert "2 decisions were made on another version of this text and are not applied" in words
    assert "one more was dismissed by a reviewer" in words
    assert "An finish</mark>" in source
    assert '<mark class="grammar dismissed">' in source
    data = json.loads(re.findall(r'id="data">(.*?)</script>', source, re.DOTALL)[0])
    assert data["digest"] == digest_text(article.text)
    assert data["decisions"] == {"0": whole.to_dict(), "1": None, "2": made.to_dict(), "3": None}
