"""Restoring: what is put back and how, the search phrases, the outputs, the command."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rapidfuzz.distance import Levenshtein
from typer.testing import CliRunner

import unspun.detector
from conftest import Terminal, mark
from unspun import Detector
from unspun.article import KINDS, Article, Passage, Span, Verdict
from unspun.cli import app
from unspun.lexicon import Lexicon
from unspun.readers import read_articles
from unspun.references import References
from unspun.reporters.restored import write_diff, write_json, write_text
from unspun.resources import find_data
from unspun.restoration import Restored, restore
from unspun.search_phrases import LONGEST, MOST_PHRASES, SHORTEST
from unspun.text import Text
from unspun.training.samples import Sample, read_samples

SAMPLES = find_data("samples")


def restore_marked(text: str, *spans: Span, references: Iterable[Article] = ()) -> Restored:
    verdict = Verdict("a.txt", None, 0.9, "spun", "synonyms_swapped", tuple(spans))
    return restore(Article("a.txt", text), verdict, Lexicon.load(), list(references))


def swap(text: str, words: str, suggestion: str | None, kind: str = "synonym", score: float = 0.9) -> Restored:
    """``text`` restored with one span, the first ``words``."""
    return restore_marked(text, mark(text, words, kind, score, suggestion))


def undo(restored: Restored) -> str:
    """The article again, by the recorded replacements alone."""
    text = restored.text
    for replacement in reversed(restored.replacements):
        text = text[: replacement.restored_start] + replacement.text + text[replacement.restored_end :]
    return text


# --- what is put back


@pytest.mark.parametrize(
    ("text", "words", "suggestion", "expected"),
    [
        ("The mayor expressed doubts.", "expressed", "said", "The mayor said doubts."),
        ("Littoral towns flooded.", "Littoral", "coastal", "Coastal towns flooded."),
        ("FERRY CAPTAIN EXONERATED BY PANEL", "EXONERATED", "cleared", "FERRY CAPTAIN CLEARED BY PANEL"),
        ("The FBI raided it.", "FBI", "bureau", "The Bureau raided it."),
        ("Town Bans Autos Near Primary Schools", "Bans", "will ban", "Town Will Ban Autos Near Primary Schools"),
        ("Town Takes Part in Race", "Takes Part", "has a lead", "Town Has a Lead in Race"),
        ("Town shuts the Pier near it", "Pier", "landing place", "Town shuts the Landing place near it"),
        ("He rang the Crop Chime.", "Crop Chime", "Harvest Bell", "He rang the Harvest Bell."),
        ("The crisis office spoke.", "crisis office", "emergency\n  planning", "The emergency planning spoke."),
        ("Enter your pаsswоrd now.", "pаsswоrd", "password", "Enter your password now."),
        ("An finish came.", "An finish", "A finish", "A finish came."),
        ("Nothing stood there.", "stood", None, "Nothing stood there."),
        ("Nothing stood there.", "stood", " ", "Nothing stood there."),
    ],
)  # fmt: skip
def test_a_suggestion_is_put_back_in_the_capitals_of_its_place(
    text: str, words: str, suggestion: str | None, expected: str
) -> None:
    assert swap(text, words, suggestion).text == expected


def test_a_suggestion_that_stands_there_already_is_no_replacement() -> None:
    assert swap("Said she.", "Said", "said").replacements == ()


@pytest.mark.parametrize(
    ("text", "words", "suggestion", "expected"),
    [
        ("In an assertion, he spoke.", "assertion", "statement", "In a statement, he spoke."),
        ("It was a halt to it.", "halt", "end", "It was an end to it."),
        ("An assertion followed.", "assertion", "statement", "A statement followed."),
        ("A query began.", "query", "inquiry", "An inquiry began."),
        ("He said: “A query began.”", "query", "inquiry", "He said: “An inquiry began.”"),
        ("HE MADE A QUERY TODAY", "QUERY", "inquiry", "HE MADE AN INQUIRY TODAY"),
        ("He called it a “halt” to it.", "halt", "end", "He called it an “end” to it."),
        ("It took a\ntotal day.", "total", "entire", "It took an\nentire day."),
        ("It was a halt.", "halt", "union", "It was a union."),
        ("an finish", "finish", "end", "an end"),
        # Not articles, or not in front: left alone.
        ("Vitamin A consumption fell.", "consumption", "intake", "Vitamin A intake fell."),
        ("Grade A\n\nquery", "query", "inquiry", "Grade A\n\ninquiry"),
        ("the pizza query", "query", "inquiry", "the pizza inquiry"),
        ("a-query", "query", "inquiry", "a-inquiry"),
        ("a big query", "query", "inquiry", "a big inquiry"),
        ("the query", "query", "inquiry", "the inquiry"),
        ("a bureau agent", "bureau", "FBI", "a FBI agent"),
    ],
)
def test_an_article_in_front_follows_the_sound(text: str, words: str, suggestion: str, expected: str) -> None:
    restored = swap(text, words, suggestion, score=0.7)
    assert restored.text == expected
    assert undo(restored) == text
    if len(restored.replacements) == 2:
        assert (restored.replacements[0].kind, restored.replacements[0].score) == ("grammar", 0.7)


def test_an_article_inside_another_span_stays_as_that_says() -> None:
    text = "He gave a query."
    spans = mark(text, "gave a", "synonym", 0.9, "made a"), mark(text, "query", "synonym", 0.9, "inquiry")
    assert restore_marked(text, *spans).text == "He made a inquiry."


@pytest.mark.parametrize(
    ("reference", "words", "expected"),
    [
        ("Ten met. Some of them had paid for it.", "Some", "and some had paid"),
        ("Ten met, and the Trust paid for it.", "Trust", "and Trust had paid"),
        ("Ten met in March. NATO paid for it.", "NATO", "and NATO had paid"),
    ],
)
def test_a_capital_from_a_reference_stays_with_names_only(reference: str, words: str, expected: str) -> None:
    start = reference.index(words)
    span = Span(4, 7, "few", "synonym", 0.9, words, Passage("r", start, start + len(words), words))
    assert restore_marked("and few had paid", span, references=[Article("r", reference)]).text == expected
    assert restore_marked("and few had paid", span).text == f"and {words} had paid"


@pytest.mark.parametrize("span", [Span(0, 3, "has", "synonym", 0.9, "is"), Span(90, 93, "had", "synonym", 0.9, "is")])
def test_a_verdict_of_another_text_is_refused(span: Span) -> None:
    with pytest.raises(ValueError, match="span 1 of the verdict does not fit the text"):
        restore_marked("had it been so", span)


PIECES = st.text(alphabet="aAnNstT .\n\r\u200bа“”-\U0001f600", max_size=8)


@st.composite
def marked_texts(draw: st.DrawFn) -> tuple[str, tuple[Span, ...]]:
    """A text of gaps and spans in turn; a span is never empty."""
    text, spans = "", []
    for _ in range(draw(st.integers(0, 5))):
        text += draw(PIECES) + draw(st.sampled_from(["", " ", " a ", "\n\nAn ", "\u00a0"]))
        words = draw(PIECES.filter(bool))
        suggestion = draw(st.none() | PIECES)
        spans.append(Span(len(text), len(text) + len(words), words, draw(st.sampled_from(KINDS)), 0.5, suggestion))
        text += words
    return text + draw(PIECES), tuple(spans)


@given(marked_texts())
def test_replacements_fit_and_lead_back_to_the_article(marked: tuple[str, tuple[Span, ...]]) -> None:
    text, spans = marked
    restored = restore_marked(text, *spans)
    assert undo(restored) == text
    read = restored_read = 0
    for found in restored.replacements:
        assert read <= found.start < found.end
        assert text[found.start : found.end] == found.text
        assert restored.text[found.restored_start : found.restored_end] == found.suggestion
        assert text[read : found.start] == restored.text[restored_read : found.restored_start]
        read, restored_read = found.end, found.restored_end
    assert text[read:] == restored.text[restored_read:]
    ranges = {(span.start, span.end) for span in spans}
    assert all((f.start, f.end) in ranges or f.text.lower() in ("a", "an") for f in restored.replacements)


@given(marked_texts())
def test_a_diff_of_any_text_shows_every_replacement(marked: tuple[str, tuple[Span, ...]]) -> None:
    text, spans = marked
    stream = io.StringIO()
    restored = restore_marked(text, *spans)
    write_diff(Article("a.txt", text), restored, stream)
    shown = [line for line in stream.getvalue().splitlines() if not line.startswith(("---", "+++", "@@"))]
    assert "\n".join(shown).count("-]{") == len(restored.replacements)


# --- search phrases

STORY = (
    "The council met on Monday. It was said by many that there is not much to be done about it at all.\n\n"
    "Mayor Delia Frankhamova opened the Tarrowbeck viaduct (after 19 months of repairs) with 640 guests from Skarra "
    "and the villages around it, and nobody there was surprised to see so many of them."
)


def test_phrases_are_runs_of_the_text_that_name_names() -> None:
    phrases = restore_marked(STORY).search_phrases
    assert "640 guests from Skarra" in phrases[0]
    assert "Frankhamova opened the Tarrowbeck" in phrases[1]
    for phrase in phrases:
        assert phrase[0] == phrase[-1] == '"'
        assert phrase[1:-1] in STORY
        assert SHORTEST <= len(Text(phrase).words) <= LONGEST
    assert len(phrases) <= MOST_PHRASES


def test_phrases_keep_clear_of_doubtful_words() -> None:
    sure = mark(STORY, "opened", "synonym", 0.99, "began")
    assert any("opened" in phrase for phrase in restore_marked(STORY).search_phrases)
    assert not any("opened" in phrase for phrase in restore_marked(STORY, sure).search_phrases)
    kept = mark(STORY, "opened", "synonym", 0.99)
    assert not any("opened" in phrase for phrase in restore_marked(STORY, kept).search_phrases)
    start = STORY.index("opened")
    shown = Span(start, start + 6, "opened", "synonym", 0.99, "began", Passage("r", 0, 5, "began"))
    assert any("began" in phrase for phrase in restore_marked(STORY, shown).search_phrases)


@given(
    st.lists(
        st.sampled_from(["Skarra", "met", "640", "the\u00ad", "! so", ". The", "\n", ",", "(", "”", " - ", "a"]),
        max_size=60,
    )
)
def test_phrases_never_run_across_a_pause(pieces: list[str]) -> None:
    text = " ".join(pieces)
    for phrase in restore_marked(text).search_phrases:
        assert not re.search(r'[.!\n(”\u00ad"]| - ', phrase[1:-1])
        assert SHORTEST <= len(Text(phrase).words) <= LONGEST


# --- outputs


TRICKY = "Enter a pаss\u200bword today.\r\nNothing else, he said.\r\nIt made a halt\x1b[31m to it. Good."


def restore_tricky() -> tuple[Article, Restored]:
    spans = mark(TRICKY, "pаss\u200bword", "trick", 0.99, "password"), mark(TRICKY, "halt", "synonym", 0.6, "end")
    return Article("a.txt", TRICKY), restore_marked(TRICKY, *spans)


def test_text_is_written_as_it_is() -> None:
    stream = io.StringIO()
    write_text(restore_tricky()[1], stream)
    assert stream.getvalue() == TRICKY.replace("pаss\u200bword", "password").replace("a halt", "an end")


def test_a_terminal_sees_marks_and_nothing_that_steers_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    coloured, plain = Terminal(), Terminal()
    write_text(restore_tricky()[1], coloured)
    assert "\x1b[1;32mpassword\x1b[0m" in coloured.getvalue()
    assert "\x1b[31m" not in coloured.getvalue()
    monkeypatch.setenv("NO_COLOR", "1")
    write_text(restore_tricky()[1], plain)
    shown = re.sub(r"\x1b\[[01]?m", "", plain.getvalue())
    assert shown == "Enter a password today.\nNothing else, he said.\nIt made an end\\x1b[31m to it. Good.\n"


def test_a_diff_shows_what_was_swapped_back_in_its_sentence() -> None:
    stream = io.StringIO()
    write_diff(*restore_tricky(), stream)
    assert stream.getvalue().splitlines() == [
        "--- a.txt",
        "+++ a.txt, 3 put back: 1 {+sure+}, 2 {?guessed?}",
        "@@ line 1 @@",
        "Enter a [-p\\u0430ss\\u200bword-]{+password+} today.",
        "@@ line 3 @@",
        "It made [-a-]{?an?} [-halt-]{?end?}\\x1b[31m to it.",
    ]


def test_what_a_reference_shows_is_sure_and_the_rest_is_guessed() -> None:
    text = "It made a halt there."
    for score, shown, expected in (
        (0.9, Passage("r", 0, 3, "end"), "[-halt-]{+end+}"),
        (0.7, Passage("r", 0, 3, "end"), "[-halt-]{?end?}"),
        (0.9, None, "[-halt-]{?end?}"),
    ):
        restored = restore_marked(text, Span(10, 14, "halt", "synonym", score, "end", shown))
        assert [replacement.reference for replacement in restored.replacements] == [shown and "r"] * 2
        stream = io.StringIO()
        write_diff(Article("a.txt", text), restored, stream)
        assert expected in stream.getvalue()


def test_a_diff_is_coloured_on_terminals_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    coloured = Terminal()
    write_diff(*restore_tricky(), coloured)
    assert "\x1b[31m[-halt-]\x1b[0m\x1b[1;33m{?end?}\x1b[0m" in coloured.getvalue()
    monkeypatch.setenv("NO_COLOR", "1")
    plain = Terminal()
    write_diff(*restore_tricky(), plain)
    assert "[-halt-]" in plain.getvalue()
    assert not re.search(r"\x1b\[[0-9;]*3[0-9]m", plain.getvalue())


def test_a_diff_ends_with_the_search_phrases_and_is_empty_where_nothing_changed() -> None:
    changed, unchanged = io.StringIO(), io.StringIO()
    restored = swap(STORY, "met", "sat")
    write_diff(Article("a.txt", STORY), restored, changed)
    assert changed.getvalue().splitlines()[-len(restored.search_phrases) :] == [
        f"search: {phrase}" for phrase in restored.search_phrases
    ]
    write_diff(Article("a.txt", STORY), restore_marked(STORY), unchanged)
    assert unchanged.getvalue() == ""


def test_json_is_one_line_that_holds_everything() -> None:
    stream = io.StringIO()
    text = "He made a halt\u2028 to it."
    restored = swap(text, "halt", "end", score=0.6)
    write_json(restored, stream)
    assert stream.getvalue().splitlines() == [stream.getvalue().rstrip("\n")]
    assert json.loads(stream.getvalue()) == {
        "id": "a.txt",
        "source": None,
        "label": "spun",
        "score": 0.9,
        "text": "He made an end\u2028 to it.",
        "replacements": [
            {"start": 8, "end": 9, "text": "a", "restored_start": 8, "restored_end": 10, "suggestion": "an",
             "kind": "grammar", "score": 0.6, "reference": None},
            {"start": 10, "end": 14, "text": "halt", "restored_start": 11, "restored_end": 14, "suggestion": "end",
             "kind": "synonym", "score": 0.6, "reference": None},
        ],
        "search_phrases": [],
    }  # fmt: skip


# --- the command


class FakeDetector:
    """Finds "halt" swapped in for "end"; what says "clean" or "short" is so."""

    lexicon = Lexicon.load()

    @classmethod
    def load(cls, model: Path | None = None, context: str = "auto") -> FakeDetector:
        return cls()

    def score(self, article: Article, references: References | None = None) -> Verdict:
        if "short" in article.text:
            return Verdict(article.id, article.source, None, "unscored", "too_short")
        if "clean" in article.text:
            return Verdict(article.id, article.source, 0.01, "clean")
        suggestion = "end" if references is None else next(iter(references)).text.strip()
        spans = (mark(article.text, "halt", "synonym", 0.9, suggestion),) if "halt" in article.text else ()
        return Verdict(article.id, article.source, 0.9, "spun", "synonyms_swapped", spans)


def run(*arguments: str | Path) -> Any:
    return CliRunner().invoke(app, ["restore", *(str(argument) for argument in arguments)])


@pytest.fixture
def inbox(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(unspun.detector, "Detector", FakeDetector)
    folder = tmp_path / "inbox"
    folder.mkdir()
    texts = {"clean": "a clean halt", "none": "an odd text\n", "short": "a short halt", "spun": "It made a halt."}
    for name, text in texts.items():
        (folder / f"{name}.txt").write_text(text)
    return folder


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("spun", "It made an end.", "spun, 2 put back: 2 guessed"),
        ("clean", "a clean halt", "clean: nothing to put back"),
        ("none", "an odd text\n", "spun, but nothing says what stood there: left as it is"),
        ("short", "a short halt", "left as it is: fewer words than a judgement needs"),
    ],
)
def test_one_article_gives_its_text_and_says_what_was_done(inbox: Path, name: str, text: str, says: str) -> None:
    result = run(inbox / f"{name}.txt")
    assert (result.exit_code, result.stdout) == (0, text)
    assert result.stderr == f"unspun: {inbox}/{name}.txt: {says}\n"


def test_search_phrases_are_told_beside_the_text(inbox: Path) -> None:
    (inbox / "spun.txt").write_text("It made a halt.\n" + STORY)
    result = run(inbox / "spun.txt")
    assert result.stdout == "It made an end.\n" + STORY
    assert 'spun.txt: search for "' in result.stderr


def test_several_articles_are_named_and_the_unreadable_is_told(inbox: Path) -> None:
    (inbox / "bad.txt").write_bytes(b"%PDF-1.7")
    result = run(inbox)
    assert result.exit_code == 3
    assert result.stdout == (
        "==> clean.txt <==\na clean halt\n\n==> none.txt <==\nan odd text\n\n"
        "==> short.txt <==\na short halt\n\n==> spun.txt <==\nIt made an end.\n\n"
    )
    assert f"unspun: {inbox}/bad.txt: looks binary (PDF): convert it to text first" in result.stderr


def test_json_gives_a_line_for_each_article_and_diff_the_changed_ones(inbox: Path) -> None:
    lines = [json.loads(line) for line in run(inbox, inbox / "spun.txt", "--format", "json").stdout.splitlines()]
    assert [line["id"] for line in lines] == ["clean.txt", "none.txt", "short.txt", "spun.txt", "spun.txt"]
    assert [line["label"] for line in lines] == ["clean", "spun", "unscored", "spun", "spun"]
    diff = run(inbox, "--format", "diff")
    assert [line for line in diff.stdout.splitlines() if line.startswith("---")] == ["--- spun.txt"]
    assert "spun.txt" not in diff.stderr
    assert "clean.txt: clean: nothing to put back" in diff.stderr


def test_references_and_out_are_used(inbox: Path, tmp_path: Path) -> None:
    (tmp_path / "reference.txt").write_text("stop")
    out = tmp_path / "out.txt"
    result = run(inbox / "spun.txt", "--references", tmp_path / "reference.txt", "--out", out)
    assert (result.exit_code, result.stdout, out.read_text()) == (0, "", "It made a stop.")


# --- the real detector on the sample articles


@cache
def detector() -> Detector:
    return Detector.load()


@cache
def references() -> References:
    return References.build(a for a in read_articles([SAMPLES / "references"]) if isinstance(a, Article))


SPUN = [sample for sample in read_samples(SAMPLES) if sample.kind == "spun"]


@cache
def restore_sample(sample: Sample) -> Restored:
    article = Article(sample.id, sample.text)
    verdict = detector().score(article, references())
    named = [references().get(relation.id) for relation in verdict.references]
    return restore(article, verdict, detector().lexicon, [reference for reference in named if reference])


def measure_distances(sample: Sample) -> tuple[int, int]:
    """Words to change until the article, and the restored text, are the original."""
    original = Text(sample.original).norms
    article, restored = Text(sample.text).norms, Text(restore_sample(sample).text).norms
    return Levenshtein.distance(article, original), Levenshtein.distance(restored, original)


@pytest.mark.parametrize("sample", SPUN, ids=lambda sample: sample.id)
def test_samples_come_nearer_to_their_originals(sample: Sample) -> None:
    before, after = measure_distances(sample)
    assert after < before
    assert undo(restore_sample(sample)) == sample.text


def test_samples_are_nearly_their_originals_again() -> None:
    # Measured with default@5: of 815 words to change 28 are left where the source is among the references, of 302
    # words 214 where only other reports are. The floors leave room for another model.
    for shown, most in ((True, 0.07), (False, 0.8)):
        distances = [measure_distances(sample) for sample in SPUN if (sample.source is not None) == shown]
        assert sum(after for _, after in distances) <= most * sum(before for before, _ in distances)


def test_phrases_of_samples_lead_to_their_originals() -> None:
    # All 39 stand in the original word for word, measured with default@5.
    pairs = [(sample, phrase) for sample in SPUN if sample.source for phrase in restore_sample(sample).search_phrases]
    found = sum(" ".join(Text(phrase).norms) in " ".join(Text(sample.original).norms) for sample, phrase in pairs)
    assert found >= 0.9 * len(pairs)
