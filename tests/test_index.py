"""References on disk: written, changed, killed, damaged, asked."""

from __future__ import annotations

import json
import os
import pickle
import random
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from unspun.article import Article
from unspun.cli import app
from unspun.index.build import (
    IndexRefusedError,
    Written,
    add_articles,
    build_index,
    merge_index,
    remove_articles,
)
from unspun.index.compared import IndexedReferences
from unspun.index.keys import KeyMaker
from unspun.index.manifest import NAME, IndexBusyError, hold_lock, write_manifest
from unspun.index.query import Index
from unspun.index.segment import IndexDamagedError
from unspun.index.selection import Selection, parse_date
from unspun.lexicon import Lexicon
from unspun.processes import choose_context
from unspun.readers import read_articles
from unspun.references import References
from unspun.resources import find_data
from unspun.text import Text
from unspun.training.dictionaries import load_dictionary
from unspun.training.spinner import spin_whole

LEXICON = Lexicon.load()


def make_articles(count: int, seed: int = 0, first: int = 0) -> list[Article]:
    """Articles of invented sentences: common words in between, rarer ones that every article draws from a topic."""
    rng = random.Random(seed)
    small = "the of and to in that is was for it with as his he be on by at this had".split()
    made = []
    for number in range(first, first + count):
        topic = [LEXICON.word(rng.randrange(1500, 20000)) for _ in range(60)]
        words = [rng.choice(small) if rng.random() < 0.45 else rng.choice(topic) for _ in range(150)]
        made.append(
            Article(f"made-{number}", " ".join(words) + ".", f"https://example.org/{number}", f"Title {number}")
        )
    return made


@pytest.fixture(scope="module")
def references() -> list[Article]:
    return [item for item in read_articles([find_data("samples/references")]) if isinstance(item, Article)]


@pytest.fixture(scope="module")
def made() -> list[Article]:
    return make_articles(300)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory, references: list[Article], made: list[Article]) -> Path:
    """An index of the sample references among 300 others; tests leave it as it is."""
    path = tmp_path_factory.mktemp("index") / "shared"
    build_index(path, [*references, *made], LEXICON)
    return path


def ask(index: Index, articles: Sequence[Article]) -> list[list[tuple[str, float, bool]]]:
    """What is found for the second half of each article."""
    halves = (Text(article.text[len(article.text) // 2 :]) for article in articles)
    return [[(hit.article.id, round(hit.score, 6), hit.is_copy) for hit in index.query(half, 5)] for half in halves]


def check(path: Path) -> None:
    for segment in Index.open(path, LEXICON).segments:
        segment.check()


def test_what_was_put_in_comes_out_again(tmp_path: Path) -> None:
    odd = Article("ü/\ud7ff#2", "Zwölf Boxkämpfer – naïve café\r\n“quoted” \U0001f600 words " * 20, None, None)
    articles = [*make_articles(40), odd]
    assert build_index(tmp_path / "index", articles, LEXICON) == Written(added=41)
    index = Index.open(tmp_path / "index", LEXICON)
    assert list(index) == articles
    assert len(index) == 41
    assert index.get(odd.id) == odd
    assert odd.id in index
    assert index.get("nobody") is None


def test_an_index_that_was_added_to_answers_like_one_built_at_once(tmp_path: Path, made: list[Article]) -> None:
    build_index(tmp_path / "once", made, LEXICON)
    build_index(tmp_path / "grown", made[:100], LEXICON)
    add_articles(tmp_path / "grown", made[100:120], LEXICON)
    add_articles(tmp_path / "grown", made[120:], LEXICON)
    once, grown = (Index.open(tmp_path / name, LEXICON) for name in ("once", "grown"))
    assert (len(once.segments), len(grown.segments)) == (1, 3)
    assert ask(grown, made[::15]) == ask(once, made[::15])
    merge_index(tmp_path / "grown")
    merged = Index.open(tmp_path / "grown", LEXICON)
    assert len(merged.segments) == 1
    assert ask(merged, made[::15]) == ask(once, made[::15])
    assert list(merged) == made
    # Who had it open before goes on.
    assert ask(grown, made[::60]) == ask(once, made[::60])
    for name in ("buckets", "tags", "documents", "sizes", "ids", "id_documents", "copies", "identities", "rows"):
        [one], [other] = ([*(tmp_path / index).glob(f"segment-*/{name}")] for index in ("once", "grown"))
        assert one.read_bytes() == other.read_bytes(), name


def test_what_was_removed_is_not_found_and_may_come_again(tmp_path: Path, made: list[Article]) -> None:
    path = tmp_path / "index"
    build_index(path, made[:60], LEXICON)
    written, missing = remove_articles(path, ["made-7", "made-9", "nobody", "made-7"])
    assert (written.removed, missing) == (2, ["nobody"])
    index = Index.open(path, LEXICON)
    assert (len(index), index.get("made-7")) == (58, None)
    assert all(hit.article.id != "made-7" for hit in index.query(Text(made[7].text), 20))
    assert remove_articles(path, ["made-7", "made-8"])[0].removed == 1
    merge_index(path)
    build_index(tmp_path / "fresh", [a for n, a in enumerate(made[:60]) if n not in (7, 8, 9)], LEXICON)
    merged, fresh = Index.open(path, LEXICON), Index.open(tmp_path / "fresh", LEXICON)
    assert list(merged) == list(fresh)
    assert ask(merged, made[:60:5]) == ask(fresh, made[:60:5])
    assert add_articles(path, made[:10], LEXICON) == Written(added=3, known=7)
    assert Index.open(path, LEXICON).get("made-7") == made[7]


def test_everything_can_be_removed(tmp_path: Path) -> None:
    path = tmp_path / "index"
    build_index(path, make_articles(3), LEXICON)
    remove_articles(path, ["made-0", "made-1", "made-2"])
    merge_index(path)
    index = Index.open(path, LEXICON)
    assert (len(index), list(index), index.query(Text("the ferry ran aground"))) == (0, [], [])
    refused = CliRunner().invoke(app, ["score", str(find_data("samples/articles")), "--references", str(path)])
    assert (refused.exit_code, "without references" in refused.output) == (2, True)
    assert add_articles(path, make_articles(2), LEXICON).added == 2


def test_ids_are_made_unique_as_in_a_folder(tmp_path: Path) -> None:
    path, texts = tmp_path / "index", make_articles(4)
    named = [Article("same", article.text, f"source-{n}") for n, article in enumerate(texts)]
    build_index(path, named[:2], LEXICON)
    # The second time over nothing is new.
    assert add_articles(path, named, LEXICON) == Written(added=2, known=2)
    assert [article.id for article in Index.open(path, LEXICON)] == ["same", "same#2", "same#3", "same#4"]
    assert add_articles(path, named, LEXICON) == Written(known=4)


def test_copies_are_told_and_can_be_left_out(tmp_path: Path, made: list[Article]) -> None:
    words = made[5].text.split()
    near = Article("near", " ".join("harbour" if n % 40 == 20 else word for n, word in enumerate(words)), "near")
    copy = Article("copy", made[5].text.upper().replace(" ", "\n"), "copy")
    build_index(tmp_path / "index", [*made[:50], near, copy], LEXICON)
    index, text = Index.open(tmp_path / "index", LEXICON), Text(made[5].text)
    hits = {hit.article.id: hit for hit in index.query(text)}
    assert {name for name, hit in hits.items() if hit.is_copy} == {"made-5", "copy"}
    assert {name for name, hit in hits.items() if hit.is_near} == {"made-5", "copy", "near"}
    kept = [hit.article.id for hit in index.query(text, leave_out="copies")]
    assert kept[0] == "near"
    assert not {"made-5", "copy"} & set(kept)
    assert not {"made-5", "copy", "near"} & {hit.article.id for hit in index.query(text, leave_out="near")}
    assert "copy" not in {hit.article.id for hit in index.query(text, source="copy")}


def test_keys_are_the_same_alone_and_among_others(references: list[Article]) -> None:
    texts = [Text(article.text).norms for article in references] + [["a"], [], Text("one two " * 900).norms]
    keys, starts = KeyMaker(LEXICON).make(texts, 100)
    maker = KeyMaker(LEXICON)
    for norms, start, end in zip(texts, starts, starts[1:], strict=False):
        assert keys[start:end].tolist() == maker.make([norms], 100)[0].tolist()
        assert end - start <= 100
        assert (np.diff(keys[start:end].astype(np.int64)) > 0).all()


def test_the_source_is_found_when_words_are_swapped(shared: Path, references: list[Article]) -> None:
    index, rng, found, asked = Index.open(shared, LEXICON), random.Random(0), 0, 0
    for family in ("wordnet", "moby", "function"):
        dictionary = load_dictionary(family, LEXICON)
        for article in references:
            spun = spin_whole(article.text, dictionary, 0.6, rng).text
            half = spun[len(spun) // 4 : 3 * len(spun) // 4]
            for text in (spun, half):
                asked += 1
                found += article.id in [hit.article.id for hit in index.query(Text(text), 5)]
    assert found == asked


# --- killed, damaged, newer


def _write_slowly(path: Path, articles: list[Article], how: str) -> None:
    # A second and more, on any machine: who is to be killed must not be done before.
    slowly = (time.sleep(0.001) or article for article in articles)
    build_index(path, slowly, LEXICON) if how == "build" else add_articles(path, slowly, LEXICON)


@pytest.mark.parametrize("how", ["build", "add"])
def test_a_killed_writer_leaves_the_old_index(
    tmp_path: Path, made: list[Article], how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "index"
    build_index(path, made[:30], LEXICON)
    before, rng = ask(Index.open(path, LEXICON), made[:3]), random.Random(how)
    more = make_articles(1500, 1, 1000)
    # Small runs, so that some are on the disk when the end comes.
    monkeypatch.setattr("unspun.index.segment_writer.RUN", 128)
    killed = 0
    for _ in range(4):
        writer = choose_context().Process(target=_write_slowly, args=(path, more, how))
        writer.start()
        time.sleep(rng.uniform(0.02, 0.4))
        writer.kill()
        writer.join()
        index = Index.open(path, LEXICON)
        if len(index) == 30:
            killed += 1
            assert ask(index, made[:3]) == before
            check(path)
    assert killed
    add_articles(path, made[30:40], LEXICON)
    index = Index.open(path, LEXICON)
    assert {path.name for path in path.glob("segment-*")} == {segment.name for segment in index.segments}
    assert not list(path.glob("segment-*/run-*"))


def test_a_killed_first_build_is_begun_again(tmp_path: Path, made: list[Article]) -> None:
    path = tmp_path / "index"
    writer = choose_context().Process(target=_write_slowly, args=(path, make_articles(900), "build"))
    writer.start()
    while not list(path.glob("segment-*/texts")):
        time.sleep(0.005)
    writer.kill()
    writer.join()
    build_index(path, made[:5], LEXICON)
    assert len(Index.open(path, LEXICON)) == 5
    assert len(list(path.glob("segment-*"))) == 1


def test_a_build_that_fails_leaves_nothing(tmp_path: Path, made: list[Article]) -> None:
    def break_off() -> Iterator[Article]:
        yield from made[:200]
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build_index(tmp_path / "index", break_off(), LEXICON)
    with pytest.raises(IndexRefusedError, match="nothing to put into it"):
        build_index(tmp_path / "index", [Article("dashes", "---")], LEXICON)
    assert not (tmp_path / "index").exists()


def test_a_folder_of_something_else_is_not_written_over(tmp_path: Path, made: list[Article]) -> None:
    (tmp_path / "segment-1").mkdir()
    with pytest.raises(IndexRefusedError, match="is there already and is no index"):
        build_index(tmp_path, made[:2], LEXICON)
    assert [path.name for path in tmp_path.iterdir()] == ["segment-1"]


def test_a_second_writer_is_refused(tmp_path: Path, made: list[Article]) -> None:
    path = tmp_path / "index"
    build_index(path, made[:2], LEXICON)
    with hold_lock(path), pytest.raises(IndexBusyError, match="another process is writing"):
        add_articles(path, made[2:4], LEXICON)


@pytest.fixture
def copy(shared: Path, tmp_path: Path) -> Path:
    import shutil

    return Path(shutil.copytree(shared, tmp_path / "copy"))


def test_every_file_that_is_cut_off_is_named(copy: Path, references: list[Article], made: list[Article]) -> None:
    [segment] = copy.glob("segment-*")
    for file in sorted(segment.iterdir()):
        data = file.read_bytes()
        file.write_bytes(data[:-1])
        with pytest.raises(IndexDamagedError, match=f"{file.name}: damaged or cut off"):
            Index.open(copy, LEXICON)
        file.unlink()
        with pytest.raises(IndexDamagedError, match=f"{file.name}: is missing"):
            Index.open(copy, LEXICON)
        file.write_bytes(data)
    assert len(Index.open(copy, LEXICON)) == len(references) + len(made)


def test_flipped_bits_are_found_by_a_check_and_break_nothing(copy: Path, made: list[Article]) -> None:
    rng = random.Random(0)
    [segment] = copy.glob("segment-*")
    for file in sorted(segment.iterdir()):
        data = file.read_bytes()
        broken = bytearray(data)
        for _ in range(20):
            broken[rng.randrange(len(broken))] ^= 1 << rng.randrange(8)
        file.write_bytes(broken)
        with pytest.raises(IndexDamagedError, match=r"damaged.*build the index anew"):
            check(copy)
        # What reads it meanwhile gets an answer, or is told the same.
        with suppress(IndexDamagedError):
            ask(Index.open(copy, LEXICON), made[::30])
        with suppress(IndexDamagedError):
            list(Index.open(copy, LEXICON))
        file.write_bytes(data)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b'{"format": 1}', b'{"format": "x", "checksum": 1}'])
def test_a_broken_manifest_is_refused(copy: Path, content: bytes) -> None:
    (copy / NAME).write_bytes(content)
    with pytest.raises(IndexDamagedError, match=NAME):
        Index.open(copy, LEXICON)


def test_a_changed_manifest_is_refused(copy: Path) -> None:
    path = copy / NAME
    path.write_text(path.read_text().replace('"bits": 16', '"bits": 17'))
    with pytest.raises(IndexDamagedError, match="checksum differs"):
        Index.open(copy, LEXICON)


def test_a_newer_format_is_refused_by_name_and_left_alone(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("unspun.index.manifest.FORMAT", 3)
    write_manifest(copy, json.loads((copy / NAME).read_text())["segments"])
    monkeypatch.undo()
    with pytest.raises(IndexDamagedError, match="index format 3, this unspun reads 2: install a newer unspun"):
        Index.open(copy, LEXICON)
    with pytest.raises(IndexDamagedError, match="format 3"):
        add_articles(copy, make_articles(1), LEXICON)


def test_other_keys_are_refused(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("unspun.index.manifest.KEYS", 2)
    with pytest.raises(IndexDamagedError, match="holds keys 1, this unspun looks for 2"):
        Index.open(copy, LEXICON)


# --- opened by many


def _answer(path: Path, articles: list[Article], answers: object) -> None:
    answers.put(ask(Index.open(path, LEXICON), articles))  # type: ignore[attr-defined]


def test_two_processes_ask_at_once_and_a_pickled_index_opens_anew(shared: Path, made: list[Article]) -> None:
    context, index = choose_context(), Index.open(shared, LEXICON)
    answers = context.Queue()
    others = [context.Process(target=_answer, args=(shared, made[:8], answers)) for _ in range(2)]
    for other in others:
        other.start()
    expected = ask(index, made[:8])
    assert [answers.get(timeout=20) for _ in others] == [expected] * 2
    for other in others:
        other.join()
    assert ask(pickle.loads(pickle.dumps(index)), made[:8]) == expected


@pytest.mark.skipif(not Path("/proc/self/smaps").exists(), reason="needs Linux's list of mapped memory")
@pytest.mark.parametrize("read", [[], ["read"]])
def test_opening_reads_no_postings_and_what_was_read_is_let_go(shared: Path, read: list[str]) -> None:
    code = (
        "import sys; from unspun.index.query import Index; index = Index.open(sys.argv[1]); "
        "[(list(index), part.release()) for part in index.segments if sys.argv[2:]]; "
        "print(open('/proc/self/smaps').read())"
    )
    command = [sys.executable, "-c", code, str(shared), *read]
    maps = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
    seen = {}
    for number, line in enumerate(maps):
        if line.rpartition("/")[2] in ("tags", "documents", "texts", "rows"):
            [held] = [other.split()[1] for other in maps[number : number + 6] if other.startswith("Rss:")]
            seen[line.rpartition("/")[2]] = held
    assert seen == dict.fromkeys(("tags", "documents", "texts", "rows"), "0")


# --- in the detector's and the commands' hands


def test_an_index_stands_in_for_references(shared: Path, references: list[Article], made: list[Article]) -> None:
    indexed = IndexedReferences([Index.open(shared, LEXICON)], (), LEXICON)
    assert isinstance(indexed, References)
    assert len(indexed) == len(list(indexed)) == len(references) + len(made)
    text = Text(references[0].text.replace("the ", "a "))
    candidates, copies = indexed.query(text)
    assert (candidates[0].reference.article, copies) == (references[0], [])
    built = References.build([candidate.reference.article for candidate in candidates], LEXICON)
    ids, expected = indexed.number_words(text), built.number_words(text)
    assert (ids[expected >= 0] == expected[expected >= 0]).all()
    assert (indexed.weights[ids[expected >= 0]] == built.weights[expected[expected >= 0]]).all()
    again = pickle.loads(pickle.dumps(indexed))
    assert [c.reference.article for c in again.query(text)[0]] == [c.reference.article for c in candidates]
    assert indexed.query(Text(made[3].text))[1][0].article == made[3]
    assert indexed.query(Text(made[3].text), made[3].source)[1] == []
    assert indexed.get("made-3") == made[3]
    found = indexed.find("made-200")
    assert found is not None
    assert found.article == made[200]
    assert indexed.find("nobody") is None


def test_indexes_and_folders_go_together_and_ids_stay_apart(tmp_path: Path, made: list[Article]) -> None:
    texts = made[:3]
    for number, article in enumerate(texts[:2]):
        build_index(tmp_path / str(number), [Article("x", article.text, f"s{number}")], LEXICON)
    indexes = [Index.open(tmp_path / str(number), LEXICON) for number in range(2)]
    both = IndexedReferences(indexes, [Article("x", texts[2].text, "s2"), made[4]], LEXICON)
    named = {article.id: article.text for article in both}
    assert named == {
        "x": texts[0].text, "x#index-2": texts[1].text, "x#index-3": texts[2].text, "made-4": made[4].text,
    }  # fmt: skip
    for name, text in named.items():
        found = both.get(name)
        assert found is not None
        assert (found.id, found.text) == (name, text)
        assert both.query(Text(text))[1][0].article.id == name


def test_the_commands(tmp_path: Path, made: list[Article]) -> None:
    runner, path = CliRunner(), tmp_path / "index"

    def run(*arguments: object, status: int = 0) -> str:
        result = runner.invoke(app, ["index", *map(str, arguments)])
        assert result.exit_code == status, result.output
        return result.output

    feed = tmp_path / "feed.jsonl"
    lines = [json.dumps({"id": article.id, "text": article.text, "url": article.source}) for article in made[:10]]
    feed.write_text("\n".join([*lines, "{broken", ""]), "utf-8")
    assert "10 added" in run("build", feed, "--out", path, status=3)
    assert "broken JSON" in run("add", path, feed, status=3)
    assert "10 there already" in run("add", path, feed, status=3)
    more = tmp_path / "more"
    more.mkdir()
    (more / "a.txt").write_text(made[20].text)
    (more / "b.log").write_text("x")
    assert "1 added" in run("add", path, more)
    assert "holds no reference nobody" in run("remove", path, "made-1", "nobody", status=3)
    (tmp_path / "ids").write_text("made-2\nmade-3\n")
    assert "2 removed" in run("remove", path, "--ids", tmp_path / "ids")
    about = json.loads(run("info", path, "--check", "--format", "json"))
    assert (about["references"], about["removed"], about["segments"], about["checked"]) == (8, 3, 2, True)
    run("merge", path)
    assert json.loads(run("info", path, "--format", "json"))["segments"] == 1
    assert "references   8" in run("info", path)
    assert "no such file" in run("build", tmp_path / "nowhere", "--out", path, status=2)
    assert "is an index" in run("add", path, path, status=2)
    assert "is there already and is no index" in run("build", feed, "--out", more, status=2)
    assert "is no index" in run("info", more, status=2)
    assert "is no index" in run("add", more, feed, status=2)
    assert "name the ids" in run("remove", path, status=2)


def test_scoring_with_an_index_labels_like_scoring_with_the_folder(tmp_path: Path) -> None:
    pytest.importorskip("trafilatura", reason="some of the references are pages")
    runner, references = CliRunner(), find_data("samples/references")
    assert runner.invoke(app, ["index", "build", str(references), "--out", str(tmp_path / "index")]).exit_code == 0
    found = []
    for compared in (references, tmp_path / "index"):
        out = tmp_path / "out.jsonl"
        arguments = ["score", str(find_data("samples/articles")), "--references", str(compared)]
        result = runner.invoke(app, [*arguments, "--context", "never", "--format", "jsonl", "--out", str(out)])
        assert result.exit_code == 0, result.output
        verdicts = [json.loads(line) for line in out.read_text("utf-8").splitlines()]
        found.append([(verdict["id"], verdict["label"], verdict["reason"]) for verdict in verdicts])
    assert found[0] == found[1]


def test_reports_and_restoring_take_an_index_and_a_damaged_one_is_refused(
    tmp_path: Path, references: list[Article]
) -> None:
    runner, path = CliRunner(), tmp_path / "index"
    build_index(path, references, LEXICON)
    article = find_data("samples/articles/council-spun-blog.txt")
    page = tmp_path / "page.html"
    compared = ["--references", str(path), "--context", "never"]
    assert runner.invoke(app, ["report", str(article), "--out", str(page), *compared]).exit_code == 0
    assert "council-" in page.read_text("utf-8")
    record = json.dumps({"id": "1", "text": article.read_text("utf-8")})
    for workers in ("1", "2"):
        result = runner.invoke(app, ["filter", *compared, "--detail", "full", "--workers", workers], input=record)
        assert json.loads(result.stdout)["unspun"]["references"]
    assert runner.invoke(app, ["restore", str(article), *compared]).exit_code == 0
    texts = next(path.glob("segment-*/texts"))
    texts.write_bytes(bytes(texts.stat().st_size))
    for workers in ("1", "2"):
        result = runner.invoke(app, ["score", str(article), "--workers", workers, *compared])
        assert result.exit_code == 2
        assert "cannot be read): build the index anew" in result.output
    next(path.glob("segment-*/tags")).write_bytes(os.urandom(8))
    result = runner.invoke(app, ["score", str(article), *compared])
    assert result.exit_code == 2
    assert "damaged or cut off" in result.output


def make_dated() -> list[Article]:
    """One story as several outlets have it, on several days, in two languages."""
    story = make_articles(1, seed=9)[0].text
    at = "https://{}.example/1"
    return [
        Article("a", story + " One more.", at.format("www.gazette"), "A", "2026-03-01", "en"),
        Article("b", story + " Two more words.", at.format("news.gazette"), "B", "Tue, 10 Mar 2026 08:00:00 +0000"),
        Article("c", story + " Three more words here.", at.format("a-chronicle"), "C", "2026-03-20T23:00:00Z", "en-GB"),
        Article("d", story + " Four more words stand here.", None, "D", "in spring", "fr"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("selection", "expected"),
    [
        (Selection(), "abcd"),
        (Selection(after=date(2026, 3, 10)), "bc"),
        (Selection(before=date(2026, 3, 10)), "ab"),
        (Selection(date(2026, 3, 2), date(2026, 3, 19)), "b"),
        (Selection.around(date(2026, 3, 11), 9), "bc"),
        (Selection(outlets=["gazette.example"]), "a"),
        (Selection(outlets=["WWW.gazette.example", "a-chronicle.example"]), "ac"),
        (Selection(languages=["en"]), "ac"),
        (Selection(languages=["fr", "de"]), "d"),
        (Selection(after=date(2026, 3, 2), languages=["en"]), "c"),
        (Selection(after=date(2027, 1, 1)), ""),
    ],
)
def test_only_what_is_selected_is_found(
    selection: Selection, expected: str, tmp_path: Path, made: list[Article]
) -> None:
    dated = make_dated()
    build_index(tmp_path / "index", [*made[:50], *dated[:2]], LEXICON)
    add_articles(tmp_path / "index", dated[2:], LEXICON)
    for _ in ("in pieces", "merged"):
        index = Index.open(tmp_path / "index", LEXICON)
        assert list(index)[50:] == dated
        for article in dated:
            hits = index.query(Text(article.text), 10, selection=selection)
            assert sorted(hit.article.id for hit in hits if hit.score > 0.1) == list(expected)
        compared = IndexedReferences([index], lexicon=LEXICON, selection=selection)
        candidates, copies = compared.query(Text(dated[0].text))
        found = [c.reference.article.id for c in candidates] + [c.article.id for c in copies]
        assert sorted(name for name in found if len(name) == 1) == list(expected)
        merge_index(tmp_path / "index")


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("2026-11-22", date(2026, 11, 22)),
        (" 20261122T101112Z ", date(2026, 11, 22)),
        ("Sun, 22 Nov 2026 23:59:00 -0800", date(2026, 11, 22)),
        ("yesterday", None),
        ("", None),
        ("2026-13-40", None),
        ("9" * 5000, None),
    ],
)
def test_dates_are_read(written: str, expected: date | None) -> None:
    assert parse_date(written) == expected


def test_find_tells_what_an_index_holds_for_an_article(tmp_path: Path, made: list[Article]) -> None:
    dated = make_dated()
    build_index(tmp_path / "index", [*made[:50], *dated], LEXICON)
    (tmp_path / "a.txt").write_text(dated[0].text, "utf-8")
    (tmp_path / "stranger.txt").write_text("", "utf-8")
    find = ["index", "find", str(tmp_path / "index"), str(tmp_path / "a.txt")]
    done = CliRunner().invoke(app, [*find, "--limit", "3", "--format", "jsonl"])
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.exit_code == 0
    assert {row["id"]: row["likeness"] for row in rows} == {"a": "copy", "b": "near", "c": "near", "d": "near"}
    assert rows[0]["date"] == "2026-03-01"
    done = CliRunner().invoke(
        app, [*find, str(tmp_path / "stranger.txt"), "--after", "2026-03-10", "--leave-out", "copies"]
    )
    assert done.exit_code == 3
    assert [line.split()[3] for line in done.stdout.splitlines()[1:]][:2] == ["b", "c"]
    assert "stranger.txt: empty" in done.stderr
    done = CliRunner().invoke(app, [*find, "--leave-out", "near", "--outlet", "a-chronicle.example"])
    assert (done.exit_code, done.stdout) == (0, "")
    assert "a.txt: nothing found" in done.stderr
    done = CliRunner().invoke(app, [*find, "--before", "spring"])
    assert done.exit_code == 2
    assert "--before spring: is no date; write it as 2026-11-22" in done.stderr
