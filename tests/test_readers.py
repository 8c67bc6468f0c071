"""Reading: what bytes become, what is refused and with which words."""

from __future__ import annotations

import builtins
import codecs
import gzip
import json
import os
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unspun import readers
from unspun.article import Article, Unreadable
from unspun.readers import DecodingError, decode, make_ids_unique, read_articles

PROSE = "Caf\u00e9 owners \u2014 \u201cfour of them\u201d \u2014 met on Monday.\r\nNobody na\u00efve came.\r"


def read(*paths: Path, skipped: Any = None) -> list[Article | Unreadable]:
    return list(read_articles(paths, skipped))


def read_one(path: Path) -> Article:
    (item,) = read(path)
    assert isinstance(item, Article), item
    return item


def refuse_one(path: Path) -> Unreadable:
    (item,) = read(path)
    assert isinstance(item, Unreadable), item
    return item


ENCODINGS = {
    "utf-8": b"",
    "utf-8 marked": codecs.BOM_UTF8,
    "utf-16-le": b"",
    "utf-16-be": b"",
    "utf-16-le marked": codecs.BOM_UTF16_LE,
    "utf-16-be marked": codecs.BOM_UTF16_BE,
    "utf-32-le marked": codecs.BOM_UTF32_LE,
    "utf-32-be marked": codecs.BOM_UTF32_BE,
    "cp1252": b"",
}


@pytest.mark.parametrize("name", ENCODINGS)
def test_every_known_encoding_gives_the_same_text(name: str) -> None:
    assert decode(ENCODINGS[name] + PROSE.encode(name.split()[0])) == PROSE


ANY_TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"], include_characters="\t\n\r"))


@given(ANY_TEXT, st.sampled_from([name for name in ENCODINGS if "marked" in name]))
def test_marked_text_comes_back_whole(text: str, name: str) -> None:
    assert decode(ENCODINGS[name] + text.encode(name.split()[0])) == text


@given(ANY_TEXT.filter(lambda text: not text.startswith("\ufeff")))
def test_utf8_comes_back_whole(text: str) -> None:
    assert decode(text.encode()) == text


@given(st.text("abcdefghij ü’”—", min_size=1))
def test_windows_1252_comes_back_whole(text: str) -> None:
    english = "It was a plain sentence, and there were three more of the same kind. " * (1 + len(text) // 20)
    assert decode((english + text + ".").encode("cp1252")) == english + text + "."


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"%PDF-1.7\nstuff", "looks binary (PDF): convert it to text first"),
        (b"PK\x03\x04\x14\x00", "looks binary (ZIP or Office document)"),
        (b"\x89PNG\r\n\x1a\n", "looks binary (PNG)"),
        (gzip.compress(b"words"), "looks binary (gzip)"),
        (b"{\\rtf1 words}", "looks binary (RTF)"),
        (b"words\0with a NUL", "looks binary (holds NUL bytes)"),
        ("words".encode("utf-32-le"), "looks binary (holds NUL bytes)"),
        (b"ab\x01\x02" * 50, "looks binary (many control characters)"),
        (b"na\xc3\xafve \xe2\x80\x94 caf\xe9 caf\xc3\xa9", "damaged UTF-8 at byte 14"),
        (codecs.BOM_UTF8 + b"caf\xe9", "damaged UTF-8 at byte 6"),
        (b"plain words, then a dash \xe2\x80", "damaged UTF-8 at byte 25"),
        (codecs.BOM_UTF16_LE + b"a\0b", "damaged UTF-16-LE at byte 4"),
        (b"a\0b\0c", "damaged UTF-16-LE at byte 4"),
        (b"undefined here \x81", "not UTF-8 (byte 15) nor Windows-1252"),
        ("речь не по-английски".encode("koi8-r"), "nor Windows-1252"),
    ],
)
def test_what_is_no_text_is_refused_with_the_reason(data: bytes, says: str) -> None:
    with pytest.raises(DecodingError) as caught:
        decode(data)
    assert says in str(caught.value)


@given(st.binary(max_size=200))
def test_any_bytes_give_text_or_a_decoding_error(data: bytes) -> None:
    try:
        text = decode(data)
    except DecodingError:
        return
    text.encode()  # fails on surrogates


def test_text_and_markdown_keep_every_character(tmp_path: Path) -> None:
    text = "# Title\r\n\r\n**bold** [link](x)\u2028end\n"
    for name in ("a.txt", "b.md", "c.unknown"):
        (tmp_path / name).write_bytes(text.encode())
        assert read_one(tmp_path / name) == Article(name, text, str(tmp_path / name))


@pytest.mark.parametrize("data", [b"", b" \r\n\t\n", codecs.BOM_UTF8])
@pytest.mark.parametrize("name", ["a.txt", "a.html", "a.jsonl"])
def test_nothing_but_space_is_unreadable(tmp_path: Path, data: bytes, name: str) -> None:
    (tmp_path / name).write_bytes(data)
    assert "empty" in refuse_one(tmp_path / name).error


def test_a_folder_is_read_sorted_with_relative_ids_and_tells_what_it_leaves(tmp_path: Path) -> None:
    for name in ("b.txt", "a/z.md", "a/x.txt/deep.txt", "a.pdf", ".hidden.txt", ".git/c.txt", "C.TXT"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("some words")
    left: list[tuple[Path, str]] = []
    items = read(tmp_path, skipped=lambda path, why: left.append((path, why)))
    assert [item.id for item in items] == ["C.TXT", "a/x.txt/deep.txt", "a/z.md", "b.txt"]
    assert [item.source for item in items] == [str(tmp_path / item.id) for item in items]
    assert left == [(tmp_path / "a.pdf", "other suffix")]


def test_a_folder_without_articles_names_itself(tmp_path: Path) -> None:
    (tmp_path / "only.pdf").write_bytes(b"%PDF-")
    item = refuse_one(tmp_path)
    assert item.source == str(tmp_path)
    assert "folder without any .txt" in item.error
    assert "1 other" in item.error


def test_a_missing_path_does_not_stop_the_next(tmp_path: Path) -> None:
    (tmp_path / "b.txt").write_text("words")
    missing, found = read(tmp_path / "a.txt", tmp_path / "b.txt")
    assert isinstance(missing, Unreadable)
    assert "no such file" in missing.error
    assert found.id == "b.txt"


def test_links_that_loop_or_lead_nowhere_end(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.txt").write_text("words")
    (tmp_path / "in" / "loop").symlink_to(tmp_path)
    (tmp_path / "in" / "self.txt").symlink_to(tmp_path / "in" / "self.txt")
    (tmp_path / "nowhere.txt").symlink_to(tmp_path / "gone")
    left: list[tuple[str, str]] = []
    items = read(tmp_path, skipped=lambda path, why: left.append((path.name, why)))
    assert [(item.id, type(item)) for item in items] == [
        ("in/a.txt", Article),
        ("in/self.txt", Unreadable),
        ("nowhere.txt", Unreadable),
    ]
    assert left == [("loop", "link back to a folder around it")]


def test_a_pipe_in_a_folder_is_not_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.txt")
    assert "not a regular file" in refuse_one(tmp_path).error


@pytest.mark.parametrize("name", ["a.txt", "a.jsonl"])
def test_permission_denied_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    (tmp_path / name).write_text("words")

    def deny(self: Path, *args: Any, **kwargs: Any) -> Any:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", deny)
    assert "grant read permission" in refuse_one(tmp_path / name).error
    monkeypatch.setattr(Path, "iterdir", deny)
    assert "grant read permission" in refuse_one(tmp_path).error


@pytest.mark.parametrize(("name", "says"), [("a.txt", "larger than"), ("a.jsonl", "line larger than")])
def test_too_large_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, says: str) -> None:
    monkeypatch.setattr(readers, "MAX_BYTES", 40)
    record = json.dumps({"text": "short"})
    (tmp_path / name).write_text(json.dumps({"text": "x" * 100}) + "\n" + record + "\n")
    items = read(tmp_path / name)
    assert isinstance(items[0], Unreadable)
    assert says in items[0].error
    if name == "a.jsonl":
        assert [type(item) for item in items] == [Unreadable, Article]
        assert items[1].id == "a.jsonl:2"


def test_too_large_is_refused_without_reading(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with (tmp_path / "huge.txt").open("wb") as file:
        file.truncate(1 << 40)  # sparse: a terabyte that takes no room, and cannot be read into memory
    assert "larger than 20 MB" in refuse_one(tmp_path / "huge.txt").error


def test_a_record_gives_its_fields(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    lines = [
        json.dumps({"text": "one\r\n", "id": "x", "url": "https://example.org/", "title": "T"}),
        "",
        json.dumps({"text": "two", "id": 7, "url": None}),
        json.dumps({"text": "three", "title": 4}),
    ]
    path.write_bytes(codecs.BOM_UTF8 + "\r\n".join(lines).encode())
    assert read(path) == [
        Article("x", "one\r\n", "https://example.org/", "T"),
        Article("7", "two", f"{path}:3"),
        Article("a.jsonl:4", "three", f"{path}:4"),
    ]


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (b'{"text": "cut', "broken JSON"),
        (b"[" * 100_000, "broken JSON"),
        (b"9" * 10_000, "broken JSON"),
        (b'["text"]', 'no string "text"'),
        (b'{"body": "words"}', 'no string "text"'),
        (b'{"text": 5}', 'no string "text"'),
        (b'{"text": " "}', "empty"),
        (b'{"text": "caf\xe9"}', "damaged UTF-8 at byte 13"),
    ],
)
def test_a_broken_line_is_named_and_the_next_is_read(tmp_path: Path, line: bytes, says: str) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'{"text": "before"}\n' + line + b'\n{"text": "after"}\n')
    before, broken, after = read(path)
    assert (before.id, broken.id, after.id) == ("a.jsonl:1", "a.jsonl:2", "a.jsonl:3")
    assert isinstance(broken, Unreadable)
    assert broken.source == f"{path}:2"
    assert says in broken.error


def test_lone_surrogates_become_one_replacement_each(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"text": "a\\ud800b \\ud83d\\ude00 c", "id": "\\udc00", "title": "\\udfff"}')
    article = read_one(path)
    assert (article.text, article.id, article.title) == ("a\ufffdb \U0001f600 c", "\ufffd", "\ufffd")


def test_gzip_is_streamed_up_to_where_it_breaks(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl.gz"
    noise = os.urandom(60_000).hex()
    packed = gzip.compress(json.dumps({"text": "whole"}).encode() + b"\n" + json.dumps({"text": noise}).encode())
    path.write_bytes(packed)
    assert [type(item) for item in read(path)] == [Article, Article]
    path.write_bytes(packed[:-20_000])
    whole, cut = read(path)
    assert whole == Article("a.jsonl.gz:1", "whole", f"{path}:1")
    assert isinstance(cut, Unreadable)
    assert (cut.id, "gzip is damaged" in cut.error) == ("a.jsonl.gz:2", True)
    path.write_bytes(b"no gzip")
    assert "gzip is damaged" in refuse_one(path).error


@pytest.mark.parametrize(
    ("data", "says"), [(gzip.compress(b"{}"), "gzip"), ('{"text": "words"}'.encode("utf-16"), "UTF-16")]
)
def test_a_jsonl_of_another_nature_is_one_error(tmp_path: Path, data: bytes, says: str) -> None:
    (tmp_path / "a.jsonl").write_bytes(data)
    assert says in refuse_one(tmp_path / "a.jsonl").error


PAGE = """<?xml version="1.0" encoding="utf-8"?>
<html><head><title>The story</title><script>var menu;</script></head><body><nav><a href="/">Home</a></nav>
<article><h1>The story</h1><p>The café opened on Monday, said its owner, after two years of work.</p>
<p>Nobody had thought that it would, and nobody was sorry that it did.</p></article>
<footer>Copyright</footer></body></html>"""


def test_a_page_gives_its_main_text(tmp_path: Path) -> None:
    pytest.importorskip("trafilatura")
    (tmp_path / "a.html").write_text(PAGE)
    article = read_one(tmp_path / "a.html")
    assert "The café opened on Monday, said its owner" in article.text
    assert "Copyright" not in article.text
    assert "<p>" not in article.text
    assert article.title == "The story"


def test_the_date_of_a_page_is_the_one_that_it_gives_and_never_a_guess(tmp_path: Path) -> None:
    pytest.importorskip("trafilatura")
    meta = '<meta property="article:published_time" content="2026-03-04T10:00:00Z">'
    (tmp_path / "a.html").write_text(PAGE.replace("<script>", f"{meta}<script>"))
    (tmp_path / "b.html").write_text(PAGE.replace("on Monday", "in May 2015, on the 4th"))
    assert read_one(tmp_path / "a.html").date == "2026-03-04"
    assert read_one(tmp_path / "b.html").date is None


def test_records_bring_date_and_language(tmp_path: Path) -> None:
    record = {"text": "Some text.", "date": "2026-03-04", "language": "en-GB"}
    (tmp_path / "a.jsonl").write_text(json.dumps(record) + "\n" + json.dumps({"text": "More.", "date": 5}))
    first, second = (item for item in read_articles([tmp_path / "a.jsonl"]) if isinstance(item, Article))
    assert (first.date, first.language) == ("2026-03-04", "en-GB")
    assert (second.date, second.language) == (None, None)


def test_a_page_without_main_text_is_unreadable(tmp_path: Path) -> None:
    pytest.importorskip("trafilatura")
    (tmp_path / "a.htm").write_text("<html><body><script>x()</script></body></html>")
    assert "no main text" in refuse_one(tmp_path / "a.htm").error


def test_a_page_of_endless_tags_is_refused_at_once(tmp_path: Path) -> None:
    pytest.importorskip("trafilatura", reason="needs the extra html")
    path = tmp_path / "spans.html"
    path.write_text("<html><body><article><p>" + "<span>word</span>" * 100_000, "utf-8")
    began = time.process_time()
    [item] = read_articles([path])
    assert time.process_time() - began < 2
    assert isinstance(item, Unreadable)
    assert item.error == "page of more than 60,000 tags: save the article's text as .txt"


def test_without_trafilatura_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def fail(name: str, *args: Any, **kwargs: Any) -> Any:
        if name == "trafilatura":
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", fail)
    (tmp_path / "a.html").write_text(PAGE)
    assert "unspun[html]" in refuse_one(tmp_path / "a.html").error


def test_a_file_name_that_is_no_text_can_be_printed(tmp_path: Path) -> None:
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.txt"))
    path.write_text("words")
    article = read_one(tmp_path)
    assert article.id == "caf\\udce9.txt"
    assert article.source is not None
    article.source.encode()


def test_ids_are_made_unique_without_meeting_others() -> None:
    articles = [Article(name, "") for name in ("a", "a#2", "a", "b", "a")]
    assert [article.id for article in make_ids_unique(articles)] == ["a", "a#2", "a#3", "b", "a#4"]
