"""The commands with a small detector in place of the real one: files in, verdicts out, exit statuses."""

from __future__ import annotations

import csv
import io
import json
import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import unspun.detector
from conftest import Terminal
from unspun.article import Article, Relation, Span, Unreadable, Verdict
from unspun.cli import app
from unspun.decisions import Decisions
from unspun.lexicon import Lexicon
from unspun.references import References


class FakeDetector:
    """Labels an article by a word that it holds, and relates it to every reference."""

    @classmethod
    def load(cls, model: Path | None = None, context: str = "auto") -> FakeDetector:
        if model:
            raise ValueError("no model of unspun")
        return cls()

    @property
    def lexicon(self) -> Lexicon:
        return Lexicon.load()

    def score(
        self, article: Article, references: References | None = None, decisions: Decisions | None = None
    ) -> Verdict:
        if "interrupt" in article.text:
            raise KeyboardInterrupt
        score, label = next(
            (pair for pair in ((0.97, "spun"), (0.6, "suspect")) if pair[1] in article.text), (0.01, "clean")
        )
        relations = tuple(Relation(reference.id, "independent", 0.1) for reference in references or ())
        reason = None if label == "clean" else "synonyms_swapped"
        return Verdict(article.id, article.source, score, label, reason, (), relations, "fake@1")

    def score_many(
        self,
        articles: Iterable[Article | Unreadable],
        references: References | None = None,
        workers: int = 1,
        decisions: Decisions | None = None,
    ) -> Iterator[Verdict]:
        for article in articles:
            if isinstance(article, Unreadable):
                yield Verdict(article.id, article.source, None, "unscored", "unreadable", error=article.error)
            else:
                yield self.score(article, references)


@pytest.fixture(autouse=True)
def _fake_detector(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unspun.detector, "Detector", FakeDetector)


@pytest.fixture
def inbox(tmp_path: Path) -> Path:
    folder = tmp_path / "inbox"
    folder.mkdir()
    for name in ("clean", "spun", "suspect"):
        (folder / f"{name}.txt").write_text(f"a {name} text")
    return folder


def run(*arguments: str | Path) -> Any:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_a_folder_becomes_a_table_sorted_by_score(inbox: Path) -> None:
    result = run("score", inbox)
    assert (result.exit_code, result.stderr) == (0, "")
    assert [line.split()[2] for line in result.stdout.splitlines()[1:]] == ["spun.txt", "suspect.txt", "clean.txt"]


def test_json_lines_and_csv_keep_the_order(inbox: Path) -> None:
    lines = run("score", inbox, "--format", "jsonl").stdout.splitlines()
    assert [json.loads(line)["label"] for line in lines] == ["clean", "spun", "suspect"]
    rows = list(csv.DictReader(io.StringIO(run("score", inbox, "--format", "csv").stdout)))
    assert [row["label"] for row in rows] == ["clean", "spun", "suspect"]


@pytest.mark.parametrize(
    ("names", "fail_on", "status"),
    [
        (["clean.txt"], None, 0),
        (["spun.txt"], None, 0),
        (["clean.txt"], "suspect", 0),
        (["suspect.txt"], "spun", 0),
        (["suspect.txt"], "suspect", 1),
        (["spun.txt"], "suspect", 1),
        (["spun.txt"], "spun", 1),
        (["gone.txt"], None, 3),
        (["gone.txt", "clean.txt"], "spun", 3),
        (["gone.txt", "spun.txt"], "spun", 1),
    ],
)
def test_the_exit_status_tells(inbox: Path, names: list[str], fail_on: str | None, status: int) -> None:
    options = ["--fail-on", fail_on] if fail_on else []
    assert run("score", *(inbox / name for name in names), *options).exit_code == status


def test_an_unreadable_file_is_told_and_the_others_are_scored(inbox: Path) -> None:
    (inbox / "a.txt").write_bytes(b"%PDF-1.7")
    (inbox / "left.docx").write_bytes(b"")
    result = run("score", inbox, "--format", "jsonl")
    assert result.exit_code == 3
    assert len(result.stdout.splitlines()) == 4
    assert result.stderr.splitlines() == [
        f"unspun: {inbox}/a.txt: looks binary (PDF): convert it to text first",
        "unspun: left alone, other suffix (1): left.docx",
    ]


def test_names_cannot_steer_the_terminal(inbox: Path) -> None:
    (inbox / "\x1b[31m.txt").write_bytes(b"")
    result = run("score", inbox)
    assert "\x1b" not in result.output
    assert "\\x1b[31m.txt: empty" in result.stderr


def test_references_reach_the_detector_under_unique_ids(inbox: Path, tmp_path: Path) -> None:
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "a.txt").write_text("words")
    result = run(
        "score",
        inbox / "spun.txt",
        "--references",
        tmp_path / "one",
        "--references",
        tmp_path / "two",
        "--format",
        "jsonl",
    )
    assert [relation["id"] for relation in json.loads(result.stdout)["references"]] == ["a.txt", "a.txt#2"]


def test_references_that_cannot_be_used_are_a_usage_error(inbox: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for name, says in (("gone", "no such file or folder"), ("empty", "holds no readable text")):
        result = run("score", inbox, "--references", tmp_path / name)
        assert (result.exit_code, result.stdout) == (2, "")
        assert f"unspun: --references {tmp_path / name}: {says}" in result.stderr


def test_one_unreadable_reference_is_told(inbox: Path, tmp_path: Path) -> None:
    archive = tmp_path / "archive"
    archive.mkdir()
    (archive / "a.txt").write_text("words")
    (archive / "b.txt").write_bytes(b"")
    result = run("score", inbox, "--references", archive)
    assert result.exit_code == 3
    assert result.stderr == f"unspun: {archive}/b.txt: empty: nothing to score\n"
    assert "spun.txt" in result.stdout


def test_a_model_that_cannot_be_used_is_a_usage_error(inbox: Path) -> None:
    result = run("score", inbox, "--model", "x.npz")
    assert (result.exit_code, result.stderr) == (2, "unspun: --model x.npz: no model of unspun\n")


@pytest.mark.parametrize(
    "arguments", [["score"], ["score", "x", "--format", "xml"], ["guess"], ["score", "x", "--workers", "0"]]
)
def test_usage_errors_exit_with_2(arguments: list[str]) -> None:
    assert run(*arguments).exit_code == 2


def test_out_is_written_whole_with_usual_rights(inbox: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    result = run("score", inbox, "--format", "jsonl", "--out", out)
    assert (result.exit_code, result.stdout) == (0, "")
    assert len(out.read_text().splitlines()) == 3
    mask = os.umask(0)
    os.umask(mask)
    assert stat.S_IMODE(out.stat().st_mode) == 0o666 & ~mask


def test_an_interrupted_run_leaves_out_as_it_was(inbox: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    out.write_text("before")
    (inbox / "z.txt").write_text("interrupt")
    result = run("score", inbox, "--format", "jsonl", "--out", out)
    assert (result.exit_code, result.stderr) == (130, "unspun: interrupted\n")
    assert out.read_text() == "before"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["inbox", "out.jsonl"]


def test_out_keeps_a_link_and_writes_its_target(inbox: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "target")
    assert run("score", inbox, "--out", tmp_path / "link").exit_code == 0
    assert (tmp_path / "link").is_symlink()
    assert "spun.txt" in (tmp_path / "target").read_text()


def test_out_to_a_device_does_not_replace_it(inbox: Path) -> None:
    assert run("score", inbox, "--out", os.devnull).exit_code == 0
    assert stat.S_ISCHR(Path(os.devnull).stat().st_mode)


@pytest.mark.parametrize(("name", "says"), [("", "is a folder"), ("no/out.txt", "cannot be written")])
def test_out_that_cannot_be_written_is_a_usage_error(inbox: Path, tmp_path: Path, name: str, says: str) -> None:
    result = run("score", inbox, "--out", tmp_path / name)
    assert result.exit_code == 2
    assert says in result.stderr


def test_version_and_help() -> None:
    assert run("--version").stdout == f"unspun {unspun.__version__}\n"
    assert "score" in run("-h").stdout


def test_help_loads_nothing_heavy() -> None:
    heavy = (
        "numpy sklearn wordfreq jinja2 trafilatura unspun.detector pandas torch onnxruntime tokenizers scrapy "
        "datatrove datasets pyspark pyarrow uvicorn"
    )
    code = (
        "import sys, unspun\n"
        "from unspun.cli import app\n"
        "app(['--help'], standalone_mode=False)\n"
        f"print(sorted(set({heavy.split()}) & set(sys.modules)))"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert "score" in told
    assert told.splitlines()[-1] == "[]"


def test_a_reader_that_goes_away_is_no_error(tmp_path: Path) -> None:
    # Two megabytes: more than a pipe holds, so that the writer does meet the closed end.
    (tmp_path / "a.jsonl").write_text('{"text": "short"}\n' * 10_000)
    command = [sys.executable, "-c", "from unspun.cli import main; main()", "score", str(tmp_path), "--format", "jsonl"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout
        assert process.stderr
        assert process.stdout.readline().startswith(b'{"schema": 1')
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait() == 141


@contextmanager
def score_with_workers(folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A command that has begun, and does not end: its output is more than a pipe holds."""
    (folder / "a.jsonl").write_text('{"text": "short"}\n' * 10_000)
    code = "from unspun.cli import main; main()"
    command = [sys.executable, "-c", code, "score", str(folder), "--format", "jsonl", "--workers", "2"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True) as process:
        assert process.stdout
        assert process.stdout.readline().startswith(b'{"schema": 1')
        yield process


def test_workers_leave_with_a_parent_that_is_killed(tmp_path: Path) -> None:
    with score_with_workers(tmp_path) as process:
        process.kill()
        # As long as one of them holds the pipes there is no end of them.
        process.communicate(timeout=60)


def test_interrupted_workers_say_nothing(tmp_path: Path) -> None:
    with score_with_workers(tmp_path) as process:
        os.killpg(process.pid, signal.SIGINT)
        assert process.communicate(timeout=60)[1] == b"unspun: interrupted\n"
        assert process.returncode == 130


def test_an_error_of_unspun_is_not_taken_for_flagged(inbox: Path) -> None:
    code = (
        "import unspun.detector, unspun.cli\n"
        "def fail(*_): raise RuntimeError('a bug')\n"
        "unspun.detector.Detector.load = fail\n"
        "unspun.cli.main()"
    )
    ended = subprocess.run([sys.executable, "-c", code, "score", str(inbox)], capture_output=True, text=True)
    assert ended.returncode == 70
    assert "RuntimeError: a bug" in ended.stderr


def test_a_terminal_sees_progress_when_work_is_long(monkeypatch: pytest.MonkeyPatch) -> None:
    from unspun.commands import console

    monkeypatch.setenv("TERM", "xterm")
    for patience, expected in ((0.0, True), (60.0, False)):
        screen = Terminal()
        monkeypatch.setattr(sys, "stderr", screen)
        monkeypatch.setattr(console, "_PATIENCE", patience)
        with console.Meter("scored") as meter:
            time.sleep(0.01)
            assert list(meter.count("abc")) == ["a", "b", "c"]
        assert ("scored" in screen.getvalue()) == expected


def test_verbose_shows_both_sides(inbox: Path) -> None:
    printed = run("score", inbox, "--verbose").stdout
    assert printed.index("Spun: words were probably") < printed.index("Suspect: some words")
    assert "clean.txt\nClean" not in printed
    refused = run("score", inbox, "--verbose", "--format", "jsonl")
    assert refused.exit_code == 2
    assert "--verbose goes with --format table" in refused.stderr


def test_sarif_holds_the_flagged_articles(inbox: Path) -> None:
    (run_,) = json.loads(run("score", inbox, "--format", "sarif").stdout)["runs"]
    assert [result["level"] for result in run_["results"]] == ["warning", "note"]


def test_report_writes_one_page(inbox: Path, tmp_path: Path) -> None:
    (tmp_path / "ref.txt").write_text("words")
    out = tmp_path / "page.html"
    result = run("report", inbox / "spun.txt", "--references", tmp_path / "ref.txt", "--out", out)
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", f"unspun: {out}: written\n")
    page = out.read_text()
    assert '<span class="s">a spun text</span></div>' in page
    assert "ref.txt" in page


def test_report_writes_a_folder_with_an_overview(inbox: Path, tmp_path: Path) -> None:
    (inbox / "bad.txt").write_bytes(b"%PDF-1.7")
    out = tmp_path / "new" / "pages"
    result = run("report", inbox, "--out", out)
    assert result.exit_code == 3
    assert result.stderr.splitlines() == [
        f"unspun: {inbox}/bad.txt: looks binary (PDF): convert it to text first",
        f"unspun: {out}/index.html: written, with 3 pages",
    ]
    assert sorted(path.name for path in out.iterdir()) == [
        "clean.txt.html", "index.html", "spun.txt.html", "suspect.txt.html",
    ]  # fmt: skip
    overview = (out / "index.html").read_text()
    assert overview.index("spun.txt.html") < overview.index("suspect.txt.html") < overview.index("clean.txt.html")
    assert "looks binary (PDF)" in overview
    assert '<a href="index.html">All articles</a>' in (out / "spun.txt.html").read_text()


@pytest.mark.parametrize(
    ("article", "out", "status", "says"),
    [
        ("inbox", "page.html", 2, "is one page, and there are more articles; name a folder"),
        ("gone.txt", "page.html", 3, "gone.txt: no such file"),
        ("inbox", "inbox/spun.txt/pages", 2, "cannot be made"),
    ],
)
def test_report_refuses(inbox: Path, tmp_path: Path, article: str, out: str, status: int, says: str) -> None:
    result = run("report", tmp_path / article, "--out", tmp_path / out)
    assert result.exit_code == status
    assert says in result.stderr
    assert not (tmp_path / "page.html").exists()


def test_a_report_is_drawn_again_without_a_model(inbox: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "ref.txt").write_text("words")
    options = ["--references", tmp_path / "ref.txt"]
    saved = tmp_path / "v.jsonl"
    run("score", inbox, *options, "--format", "jsonl", "--out", saved)
    run("report", inbox, *options, "--out", tmp_path / "first")
    monkeypatch.setattr(FakeDetector, "load", None)
    assert run("report", inbox, *options, "--verdicts", saved, "--out", tmp_path / "again").exit_code == 0
    for page in (tmp_path / "first").iterdir():
        assert (tmp_path / "again" / page.name).read_text() == page.read_text()


def test_a_saved_verdict_must_fit(inbox: Path, tmp_path: Path) -> None:
    saved = tmp_path / "v.jsonl"
    run("score", inbox / "spun.txt", inbox / "clean.txt", "--format", "jsonl", "--out", saved)
    record = json.loads(saved.read_text().splitlines()[0])
    record["spans"] = [Span(0, 4, "else", "name", 1.0).to_dict()]
    saved.write_text(json.dumps(record) + "\n" + saved.read_text().splitlines()[1] + "\n")
    files = [inbox / f"{name}.txt" for name in ("spun", "clean", "suspect")]
    result = run("report", *files, "--verdicts", saved, "--out", tmp_path / "pages")
    assert result.exit_code == 3
    assert "spun.txt: span 1 of the verdict does not fit the text: score this text again" in result.stderr
    assert "suspect.txt: no verdict on it is saved: score it again" in result.stderr
    assert {path.name for path in (tmp_path / "pages").iterdir()} == {"index.html", "clean.txt.html"}


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("gone.jsonl", None, "cannot be read"),
        ("v.jsonl", b"{}", "v.jsonl, line 1: no verdict of schema 1; give a file that unspun score"),
        ("v.jsonl.gz", b"{}", "line 1: gzip is damaged or cut off"),
    ],
)
def test_saved_verdicts_that_cannot_be_read_are_a_usage_error(
    inbox: Path, tmp_path: Path, name: str, content: bytes | None, says: str
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    result = run("report", inbox, "--verdicts", tmp_path / name, "--out", tmp_path / "pages")
    assert result.exit_code == 2
    assert says in result.stderr


def test_decisions_go_with_scoring(inbox: Path, tmp_path: Path) -> None:
    decisions = tmp_path / "d.json"
    made = {"digest": "0" * 64, "article": "elsewhere.txt", "source": None, "span": None, "decision": "dismissed"}
    decisions.write_text(json.dumps({"format": "unspun-decisions", "version": 1, "decisions": [made]}))
    result = run("score", inbox, "--decisions", decisions)
    assert result.exit_code == 0
    assert "one decision is about texts that are not among the articles" in result.stderr
    refused = run("report", inbox, "--decisions", decisions, "--verdicts", "v.jsonl", "--out", tmp_path / "p")
    assert refused.exit_code == 2
    assert "--verdicts draws what was scored before" in refused.stderr
    decisions.write_text("{}")
    refused = run("score", inbox, "--decisions", decisions)
    assert refused.exit_code == 2
    assert f"--decisions {decisions}: no decisions file" in refused.stderr
