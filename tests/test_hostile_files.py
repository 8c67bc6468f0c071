"""Files made to do harm: to run code, to fill the memory, to take for ever. Each is refused, or harmless."""

from __future__ import annotations

import gzip
import io
import json
import pickle
import shutil
import tracemalloc
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import copy
from pathlib import Path
from typing import Any, Final

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from conftest import clock
from unspun import classifier, saved_verdicts
from unspun.article import Article, Passage, Relation, Span, Verdict
from unspun.classifier import Model, ModelError
from unspun.decisions import Decisions, digest_text
from unspun.detector import Detector
from unspun.index.build import build_index
from unspun.index.manifest import NAME, read_manifest, write_manifest
from unspun.index.query import Index
from unspun.index.segment import IndexDamagedError
from unspun.lexicon import Lexicon
from unspun.references import References
from unspun.reporters.counter_evidence import Wording
from unspun.reporters.html import render_report
from unspun.reporters.overview import make_row, name_page, render_overview
from unspun.reporters.sarif import write_sarif
from unspun.saved_verdicts import VerdictError, read_verdicts
from unspun.text import Text
from unspun.training.fuzz import seeds
from unspun.training.fuzz.checks import check_page
from unspun.training.fuzz.targets import TARGETS

SCRIPTS: Final = (
    "<script>alert(1)</script>",
    "</script><script>alert(1)</script><!--",
    "\"><img src=x onerror=alert(1)>'",
    "</style><svg onload=alert(1)>",
    "javascript:alert(1)//{{7*7}}{% raw %}",
    "</title><iframe srcdoc='<script>alert(1)</script>'>",
)


class Bomb:
    exploded = False

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return (setattr, (Bomb, "exploded", True))


@contextmanager
def stay_below(size: int) -> Iterator[None]:
    """Fails where what is done inside takes more bytes at once."""
    tracemalloc.start()
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] < size
    finally:
        tracemalloc.stop()


# --- models


def pack(path: Path, **changed: bytes) -> Path:
    """The smallest model with some members changed."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in (seeds.make_model_parts() | changed).items():
            archive.writestr(name, content)
    return path


def tell(**changes: Any) -> bytes:
    """What the smallest model says of itself, with changes."""
    said = json.loads(np.load(io.BytesIO(seeds.make_model_parts()["about.npy"])).tobytes())
    file = io.BytesIO()
    np.save(file, np.frombuffer(json.dumps(said | changes).encode(), np.uint8))
    return file.getvalue()


def save(array: Any) -> bytes:
    file = io.BytesIO()
    np.save(file, array, allow_pickle=True)
    return file.getvalue()


def test_the_smallest_model_scores(tmp_path: Path) -> None:
    verdict = Detector.load(pack(tmp_path / "m.npz"), "never").score(seeds.SPUN, [seeds.SOURCE])
    assert verdict.model == "tiny@1"


def test_nothing_in_a_model_is_unpickled(tmp_path: Path) -> None:
    for member in ("words.mean.npy", "about.npy", "habits.words.npy"):
        for content in (save(np.array([Bomb()], object)), pickle.dumps(Bomb()), save([(Bomb(), 1)])):
            with pytest.raises(ModelError, match=r"m\.npz"):
                Model.load(pack(tmp_path / "m.npz", **{member: content}))
    (tmp_path / "plain.npz").write_bytes(pickle.dumps(Bomb()))
    with pytest.raises(ModelError, match=r"plain\.npz"):
        Model.load(tmp_path / "plain.npz")
    assert not Bomb.exploded


@pytest.mark.parametrize("shape", [(10**13,), (2**62, 2**62), (10**9,), (-1,)])
def test_what_a_header_claims_is_not_believed(tmp_path: Path, shape: tuple[int, ...]) -> None:
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "<f8", "fortran_order": False, "shape": shape})
    path = pack(tmp_path / "m.npz", **{"words.mean.npy": header.getvalue() + b"\0" * 80})
    with stay_below(50_000_000), pytest.raises(ModelError, match=r"m\.npz"):
        Model.load(path)


def test_a_model_that_unpacks_without_end_is_not_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(classifier, "MAX_UNPACKED", 5_000_000)
    path = pack(tmp_path / "m.npz", **{"words.mean.npy": save(np.zeros(4_000_000))})
    assert path.stat().st_size < 1_000_000
    with pytest.raises(ModelError, match="larger than 5 MB unpacked"):
        Model.load(path)


@pytest.mark.parametrize(
    "changes",
    [
        {"thresholds": {ground: [float("nan"), 0.5] for ground in classifier.GROUNDS}},
        {"calibration": {name: [float("inf"), 0] for name in classifier.SCORERS}},
        {"rules": {"a_an": float("nan"), "doubled": 0.5, "phrase": 0.5}},
        {"rules": {"a_an": 2.0, "doubled": 0.5, "phrase": 0.5}},
        {"rules": {}},
        {"originals": [1e300] * 11},
        {"originals": [1.0]},
        {"card": 3},
        {"name": None, "format": "x"},
    ],
)
def test_numbers_that_make_no_score_are_refused(tmp_path: Path, changes: dict[str, Any]) -> None:
    with pytest.raises(ModelError, match=r"m\.npz"):
        Detector.load(pack(tmp_path / "m.npz", **{"about.npy": tell(**changes)}), "never")


@pytest.mark.parametrize(
    ("member", "array"),
    [
        ("usage.value.npy", np.array([0.0, np.nan, 1.0])),
        ("usage.base.npy", np.array(np.inf)),
        ("usage.feature.npy", np.array([500, -1, -1])),
        ("words.output.npy", np.array([[1e300]])),
        ("words.mean.npy", np.array([1, 2], "U3")),
        ("habits.words.npy", np.zeros((3, 2), np.int8)),
        ("habits.after_values.npy", np.array([[np.nan, 1], [1, 1]])),
    ],
)
def test_arrays_that_make_no_score_are_refused(tmp_path: Path, member: str, array: Any) -> None:
    with pytest.raises(ModelError, match=r"m\.npz"):
        Detector.load(pack(tmp_path / "m.npz", **{member: save(array)}), "never")


# --- indexes


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("index") / "index"
    build_index(path, seeds.ARTICLES, Lexicon.load())
    return path


@pytest.fixture
def index(built: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(built, tmp_path / "index"))


def change_column(index: Path, name: str, content: bytes, **about: Any) -> None:
    """Another column, and what the manifest says of it."""
    segments = read_manifest(index)
    (index / segments[0]["name"] / name).write_bytes(content)
    column = segments[0]["columns"][name]
    column["items"] = len(content) // np.dtype(column["type"]).itemsize
    column.update(about)
    write_manifest(index, segments)


def ask(index: Path) -> None:
    opened = Index.open(index)
    opened.query(Text(seeds.SPUN), 5)
    assert list(opened)


def test_nothing_in_an_index_is_unpickled(index: Path) -> None:
    content = pickle.dumps(np.array([Bomb()], object)).ljust(4 * 65537, b"\0")[: 4 * 65537]
    for kind in ("|O", "object", "O8", "<u4", "V8", "(1,", "U1"):
        segments = read_manifest(index)
        (index / segments[0]["name"] / "buckets").write_bytes(content)
        segments[0]["columns"]["buckets"]["type"] = kind
        write_manifest(index, segments)
        with pytest.raises(IndexDamagedError, match="segment-000001"):
            ask(index)
    assert not Bomb.exploded


@pytest.mark.parametrize("row", ['{"id": "one", "title": {"x": 1}}', '{"id": 1}', "[1]", "[" * 100_000, "", "\ud800"])
def test_a_row_that_holds_no_texts_is_damage(index: Path, row: str) -> None:
    rows = row.encode("utf-8", "surrogatepass")
    change_column(index, "rows", rows * 3)
    change_column(index, "row_starts", (np.arange(4) * len(rows)).astype("<i8").tobytes())
    with pytest.raises(IndexDamagedError, match="index"):
        ask(index)


def test_a_block_of_texts_unpacks_no_further_than_its_texts(index: Path) -> None:
    packed = zlib.compress(b"a" * 100_000_000, 1)
    change_column(index, "texts", packed)
    change_column(index, "block_starts", np.array([0, len(packed)], "<i8").tobytes())
    ask(index)
    with stay_below(30_000_000):
        ask(index)


@pytest.mark.parametrize("name", ["../elsewhere", "/etc", "segment-000001/..", "", ".", "a\0b", "\ud800", 3, None])
def test_an_index_reads_no_folder_but_its_own(index: Path, name: Any) -> None:
    shutil.copytree(index / "segment-000001", index.parent / "elsewhere", dirs_exist_ok=True)
    segments = read_manifest(index)
    write_manifest(index, [segments[0] | {"name": name}])
    with pytest.raises(IndexDamagedError, match="index"):
        ask(index)
    removed = {"file": name, "type": "<i4", "items": 0, "crc32": 0}
    write_manifest(index, [segments[0] | {"removed": removed}])
    with pytest.raises(IndexDamagedError, match="index"):
        ask(index)


@pytest.mark.parametrize("items", [float("inf"), -1, 10**30, "3", None, []])
def test_a_length_that_is_none_is_damage(index: Path, items: Any) -> None:
    change_column(index, "texts", b"abc", items=items)
    with pytest.raises(IndexDamagedError, match="index"):
        ask(index)


def test_postings_out_of_order_are_damage(index: Path) -> None:
    postings = read_manifest(index)[0]["columns"]["tags"]["items"]
    buckets = np.zeros(65537, "<u8")
    buckets[-1] = postings
    buckets[1:-1:2] = 2**64 - 5
    change_column(index, "buckets", buckets.tobytes(), type="<u8", items=65537)
    with pytest.raises(IndexDamagedError, match="buckets"):
        ask(index)
    assert (index / NAME).is_file()


# --- decisions, verdicts, pages


@pytest.mark.parametrize("words", SCRIPTS)
def test_no_script_in_any_field_reaches_a_page(words: str, tmp_path: Path) -> None:
    article, references, verdict = seeds.make_verdict(words)
    check_page(render_report(article, references, verdict, Lexicon.load(), "index.html"), scripts=2)
    row = make_row(verdict, words, name_page(words, {}))
    check_page(render_overview([row]), scripts=1)
    made = {"digest": digest_text(seeds.SPUN), "article": words, "source": words, "reason": words, "by": words}
    span = {"start": 0, "end": 12, "text": words, "kind": "name", "score": 0.5, "suggestion": words}
    said = [made | {"decision": "dismissed", "at": words, "span": span}, made | {"decision": "confirmed", "at": ""}]
    file = tmp_path / "decisions.json"
    file.write_text(json.dumps({"format": "unspun-decisions", "version": 1, "decisions": said}), "utf-8")
    article = Article(words, seeds.SPUN, words, words)
    references = [Article(words, seeds.SOURCE, words, words)]
    verdict = seeds.get_detector().score(article, references, Decisions.read([file]))
    assert verdict.decision is not None
    check_page(render_report(article, references, verdict, Lexicon.load()), scripts=2)


def test_the_check_of_pages_sees_what_is_not_escaped() -> None:
    page = render_report(Article("a", "text"), [], Verdict("a", None, None, "unscored", "too_short"), Lexicon.load())
    check_page(page, scripts=2)
    for words in SCRIPTS[:4]:
        with pytest.raises(AssertionError):
            check_page(page.replace("<main>", f'<main title="{words}">{words}'), scripts=2)


def test_a_packed_line_of_verdicts_fills_no_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(saved_verdicts, "MAX_BYTES", 1_000_000)
    file = tmp_path / "v.jsonl.gz"
    file.write_bytes(gzip.compress(b" " * 50_000_000))
    with stay_below(20_000_000), pytest.raises(VerdictError, match="line 1: larger than 1 MB"):
        list(read_verdicts(file))
    file.write_bytes(gzip.compress(b"\n" * 50)[:-9])
    with pytest.raises(VerdictError, match=r"v\.jsonl\.gz, line .*damaged or cut off; get an undamaged copy"):
        list(read_verdicts(file))


# --- what JSON can hold


def list_places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    parts = value.items() if isinstance(value, dict) else enumerate(value[:2]) if isinstance(value, list) else ()
    for name, part in parts:
        yield from list_places(part, (*path, name))


def put(whole: Any, path: tuple[Any, ...], value: Any) -> Any:
    """The whole with another value in one place."""
    if not path:
        return value
    changed = copy(whole)
    changed[path[0]] = put(whole[path[0]], path[1:], value)
    return changed


def save_about(said: Any) -> bytes:
    return save(np.frombuffer(json.dumps(said).encode(), np.uint8))


@pytest.mark.parametrize(
    ("name", "spell"),
    [
        ("saved", lambda said: b"\0" + json.dumps(said).encode()),
        ("checkpoint", lambda said: json.dumps(said).encode()),
        ("decisions", lambda said: json.dumps(said).encode()),
        ("index", lambda said: b"\0\0" + json.dumps(said).encode()),
        ("model", lambda said: b"\0\0" + save_about(said)),
    ],
)
def test_whatever_stands_in_a_place_of_a_file_of_ours_it_is_refused_or_harmless(
    name: str, spell: Callable[[Any], bytes]
) -> None:
    target = TARGETS[name]
    case = target.make_seeds()[0]
    whole = json.loads(case[case.index(b'{"') :])
    values: list[Any] = [None, -1, float("inf"), 10**30, "\ud800", [], {}, [[]]]
    for number, path in enumerate(list_places(whole)):
        for value in values[number % 2 :: 2]:
            target.run(spell(put(whole, path, value)))


# --- what grows with the square of the length


def make_long(count: int) -> tuple[Article, list[Article], Verdict]:
    """An article of so many sentences, each with a span that a reference shows."""
    text = "".join(f"The mayor vended house {n} to the folk of the hamlet.\n" for n in range(count))
    reference = Article("r", text.replace("vended", "sold"))
    spans, at, there = list[Span](), -1, -1
    for _ in range(count):
        at, there = text.index("vended", at + 1), reference.text.index("sold", there + 1)
        spans.append(Span(at, at + 6, "vended", "quote", 0.9, "sold", Passage("r", there, there + 4, "sold")))
    article = Article("a", text)
    return article, [reference], Verdict("a", None, 0.9, "spun", None, tuple(spans), (Relation("r", "spun", 0.9),))


@pytest.mark.parametrize(
    "act",
    [
        lambda article, references, verdict: render_report(article, references, verdict, Lexicon.load()),
        lambda article, references, verdict: write_sarif(
            [(article, verdict)], io.StringIO(), References.build(references)
        ),
    ],
    ids=["page", "sarif"],
)  # fmt: skip
def test_reports_take_a_time_that_grows_with_the_text(act: Callable[..., object]) -> None:
    short, long = make_long(250), make_long(2000)
    act(*short)
    quick = max(clock(lambda: act(*short)) for _ in range(3))
    # Eight times the text: what takes the square takes 64 times as long.
    assert min(clock(lambda: act(*long)) for _ in range(2)) < 20 * quick + 0.5


def test_decisions_on_every_word_take_a_time_that_grows_with_the_text(tmp_path: Path) -> None:
    article, _, verdict = make_long(5000)
    about = {"digest": digest_text(article.text), "article": "a", "decision": "dismissed"}
    # Some reach over the next ones.
    places = [
        {"start": span.start, "end": min(len(article.text), span.end + n % 3 * 50)}
        for n, span in enumerate(verdict.spans)
    ]
    file = tmp_path / "d.json"
    said = {"format": "unspun-decisions", "version": 1, "decisions": [about | {"span": place} for place in places]}
    file.write_text(json.dumps(said), "utf-8")

    def decide() -> None:
        found = Decisions.read([file]).find(article)
        marked, shown = found.mark(verdict.spans), found.show_dismissed(article.text, verdict.spans[::2])
        assert all(span.dismissed for span in (*marked, *shown))
        assert all(one.end <= after.start for one, after in zip(shown, shown[1:], strict=False))

    assert clock(decide) < 2


def test_thousands_of_articles_of_one_id_have_pages_of_their_own_soon() -> None:
    taken = {"index.html": 1}
    assert clock(lambda: [name_page("x", taken) for _ in range(20_000)]) < 1
    assert len(taken) == 20_001
    assert name_page("x-2", taken) == "x-2-2.html"


@given(st.lists(st.sampled_from("abc")), st.lists(st.sampled_from("abcd"), min_size=1, max_size=5))
def test_rows_of_words_are_found_where_they_stand(words: list[str], row: list[str]) -> None:
    assert Wording(words).holds(row) == (f" {' '.join(row)} " in f" {' '.join(words)} ")
