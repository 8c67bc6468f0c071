"""The pre-ingest filter: every record in its place exactly once, whatever happens on the way."""

from __future__ import annotations

import gzip
import json
import os
import pickle
import random
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import unspun.detector
from unspun.article import Article, Verdict
from unspun.classifier import Model
from unspun.cli import app
from unspun.commands.options import Action, Detail
from unspun.decisions import digest_text
from unspun.filtering.record_files import read_lines
from unspun.filtering.streams import LineFilter, read_ahead, tag_line
from unspun.ingest import ACTIONS, DETAILS, Disposition, IngestFilter, Policy, trim_verdict
from unspun.lexicon import Lexicon
from unspun.readers import read_articles

SAMPLES = Path(__file__).resolve().parents[1] / "data" / "samples"


class FakeDetector:
    """Labels a text by a word that it holds; "die" ends the process."""

    def __init__(self, model: Any = None, lexicon: Any = None) -> None:
        self.model = model or Model("fake@1", {}, None, {}, {}, None, {})  # type: ignore[arg-type]
        self.lexicon = lexicon or Lexicon.load()
        self.name, self.read_all = self.model.name, False

    @classmethod
    def load(cls, model: Path | None = None, context: str = "auto") -> FakeDetector:
        if model:
            raise ValueError("no model of unspun")
        return cls()

    def build_references(self, articles: Any) -> Any:
        return articles

    def set_thresholds(self, suspect_at: float | None, spun_at: float | None) -> FakeDetector:
        return self

    def score(self, article: Article, references: Any = None, decisions: Any = None) -> Verdict:
        if "die" in article.text:
            os._exit(9)
        if "slow" in article.text:
            time.sleep(0.05)
        if references and any("original" in reference.text for reference in references):
            return Verdict(article.id, article.source, 0.99, "spun", "name_altered")
        for word, score, reason in (("spun", 0.97, "synonyms_swapped"), ("suspect", 0.6, "quote_altered")):
            if word in article.text:
                return Verdict(article.id, article.source, score, word, reason, model="fake@1")
        if "short" in article.text:
            return Verdict(article.id, article.source, None, "unscored", "too_short")
        return Verdict(article.id, article.source, 0.01, "clean")


@pytest.fixture(autouse=True)
def _fake_detector(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if "real" not in request.keywords:
        monkeypatch.setattr(unspun.detector, "Detector", FakeDetector)


def run(*arguments: str | Path, given: bytes = b"") -> Any:
    return CliRunner().invoke(app, ["filter", *map(str, arguments)], input=given)


def write(path: Path, records: list[Any]) -> Path:
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    return path


def read(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


RECORDS = [
    {"id": "1", "text": "clean"},
    {"id": "2", "text": "spun"},
    {"id": "3", "text": "suspect"},
    {"id": "4", "text": "short"},
]


# --- one line


@pytest.mark.parametrize(
    "line",
    [
        b'{"text":"a","n":1.50,"u":"\\u00e9\xc3\xa9"}\n',
        b'  { "text" : "a" }  \r\n',
        b'{"text":"a"}',
        b'{"text":"}","x":{}}\n',
    ],
)
def test_a_tagged_line_is_else_the_same_byte_for_byte(line: bytes) -> None:
    tagged = tag_line(line, json.loads(line), b'{"score": 0.5}')
    assert tagged.startswith(line.rstrip()[:-1].rstrip())
    assert tagged.endswith(b', "unspun": {"score": 0.5}}' + line[len(line.rstrip(b"\r\n")) :])
    assert json.loads(tagged) == json.loads(line) | {"unspun": {"score": 0.5}}


@pytest.mark.parametrize(
    ("line", "rest"),
    [
        (b"{ }\n", b"{"),
        (b'{"text": "a", "unspun": {"old": 1}, "z":  2.50}\r\n', b'{"text": "a", "z":  2.50, '),
        (b'{"unspun":[1,{"unspun":2}] , "text":"\\u00e9"}', b'{"text":"\\u00e9", '),
        (b'{"text": "}", "n": 1e5, "\\u0075nspun": "x" }\n', b'{"text": "}", "n": 1e5, '),
        (b'{"unspun": 1, "unspun": 2}\n', b"{"),
        (b'{"a": {"unspun": 1}, "unspun": null, "unspun": 2}\n', b'{"a": {"unspun": 1}, '),
    ],
)
def test_a_tag_is_replaced_and_all_else_is_the_same_byte_for_byte(line: bytes, rest: bytes) -> None:
    end = line[len(line.rstrip()) :]
    assert tag_line(line, json.loads(line), b"{}") == rest + b'"unspun": {}}' + end


def test_a_tag_that_stands_a_hundred_thousand_times_costs_no_more_than_reading_it() -> None:
    line = b'{"text": "a"' + b', "unspun": 1' * 100_000 + b"}"
    began = time.monotonic()
    assert tag_line(line, json.loads(line), b"{}") == b'{"text": "a", "unspun": {}}'
    assert time.monotonic() - began < 5


def test_the_detail_is_part_of_schema_1(verdict: Verdict) -> None:
    assert trim_verdict(verdict, "full") == verdict.to_dict()
    assert list(trim_verdict(verdict, "score")) == ["schema", "score", "label", "reason", "model", "error"]
    assert "spans" in trim_verdict(verdict, "spans")
    assert set(DETAILS) == {"score", "spans", "full"}


# --- the callable


def test_the_callable_decides_and_pickles() -> None:
    decide = IngestFilter(Policy(spun="drop"), text_field="body.text", id_field="n")
    assert decide({"n": 7, "body": {"text": "spun"}}).action == "drop"
    again = pickle.loads(pickle.dumps(decide))
    found = again({"n": 7, "body": {"text": "spun"}})
    assert (found.action, found.reason, found.verdict.id) == ("drop", "synonyms_swapped", "7")
    assert len(pickle.dumps(decide)) < 2_000


@pytest.mark.parametrize(
    ("record", "says"),
    [({}, "no string 'text'"), ({"text": 5}, "no string 'text'"), ({"text": " "}, "empty: nothing to score")],
)
def test_a_record_without_a_text_is_unscored(record: dict[str, Any], says: str) -> None:
    found = IngestFilter(Policy(unscored="quarantine"))(record)
    assert isinstance(found, Disposition)
    assert (found.action, found.verdict.label, found.reason) == ("quarantine", "unscored", "unreadable")
    assert says in str(found.verdict.error)


def test_a_record_brings_its_own_references() -> None:
    decide = IngestFilter(references_field="meta.others")
    for others in (["the original"], [{"id": "x", "text": "the original"}, 5, {"text": None}]):
        assert decide({"text": "a", "meta": {"others": others}}).reason == "name_altered"
    assert decide({"text": "a", "meta": {"others": "the original"}}).reason is None


def test_wrong_policies_and_thresholds_are_refused() -> None:
    with pytest.raises(ValueError, match="policy for spun: 'burn' is none of keep, tag, quarantine, drop"):
        Policy(spun="burn")
    with pytest.raises(ValueError, match="spun_at: 2"):
        IngestFilter(spun_at=2)


@pytest.mark.real
def test_decisions_are_honoured(tmp_path: Path) -> None:
    (article,) = read_articles([SAMPLES / "articles" / "storm-spun-blog.txt"])
    assert isinstance(article, Article)
    made = {"digest": digest_text(article.text), "article": "x", "span": None, "decision": "dismissed"}
    path = tmp_path / "d.json"
    path.write_text(json.dumps({"format": "unspun-decisions", "version": 1, "decisions": [made]}))
    source = write(tmp_path / "in.jsonl", [{"id": "1", "text": article.text}])
    assert run(source, "--spun", "drop", "--out", tmp_path / "out").exit_code == 0
    assert read(tmp_path / "out") == []
    assert run(source, "--spun", "drop", "--decisions", path, "--out", tmp_path / "out").exit_code == 0
    assert [record["unspun"]["label"] for record in read(tmp_path / "out")] == ["clean"]


@pytest.mark.real
def test_thresholds_by_option_move_the_label() -> None:
    (article,) = read_articles([SAMPLES / "articles" / "fever-copy-verbatim.txt"])
    assert isinstance(article, Article)
    record = {"text": article.text}
    assert IngestFilter()(record).verdict.label == "clean"
    assert IngestFilter(suspect_at=0.0)(record).verdict.label == "suspect"
    assert IngestFilter(spun_at=0.0)(record).verdict.label == "spun"


def test_the_options_offer_what_the_filter_knows() -> None:
    assert tuple(action.value for action in Action) == ACTIONS
    assert tuple(detail.value for detail in Detail) == DETAILS


# --- the command


def test_records_pass_tagged_in_order(tmp_path: Path) -> None:
    given = "".join(json.dumps(record) + "\n" for record in RECORDS).encode()
    result = run(given=given)
    assert result.exit_code == 0
    found = [json.loads(line) for line in result.stdout.splitlines()]
    assert [{k: v for k, v in record.items() if k != "unspun"} for record in found] == RECORDS
    assert [record["unspun"]["label"] for record in found] == ["clean", "spun", "suspect", "unscored"]
    assert found[1]["unspun"] == {
        "schema": 1, "score": 0.97, "label": "spun", "reason": "synonyms_swapped", "model": "fake@1", "error": None,
    }  # fmt: skip
    assert "4 records: 1 clean, 1 spun, 1 suspect, 1 unscored; 4 tag; reasons: " in result.stderr


@pytest.mark.parametrize("workers", [1, 2])
def test_the_policy_is_followed(tmp_path: Path, workers: int) -> None:
    source = write(tmp_path / "in.jsonl", RECORDS * 20)
    options = ["--spun", "drop", "--suspect", "quarantine", "--unscored", "keep", "--workers", str(workers)]
    outputs = ["--out", tmp_path / "out", "--quarantine", tmp_path / "aside", "--summary", tmp_path / "s.json"]
    assert run(source, *options, *outputs).exit_code == 0
    out = read(tmp_path / "out")
    assert [record["id"] for record in out] == ["1", "4"] * 20
    assert ["unspun" in record for record in out] == [True, False] * 20
    assert [record["id"] for record in read(tmp_path / "aside")] == ["3"] * 20
    assert json.loads((tmp_path / "s.json").read_text()) == {
        "records": 80,
        "unreadable": 0,
        "stale": 0,
        "labels": {"clean": 20, "spun": 20, "suspect": 20, "unscored": 20},
        "actions": {"drop": 20, "keep": 20, "quarantine": 20, "tag": 20},
        "reasons": {"quote_altered": 20, "synonyms_swapped": 20, "too_short": 20},
    }


def test_kept_records_are_the_same_to_the_byte(tmp_path: Path) -> None:
    raw = b'{"text":"clean","n":1.50,"deep":{"b":[1,2]}}\r\n\n[1]\nnot json\n{"text": 5}\n{"text": "clean"}'
    (tmp_path / "in.jsonl").write_bytes(raw)
    options = ["--spun", "keep", "--suspect", "keep", "--clean", "keep", "--unscored", "keep"]
    result = run(tmp_path / "in.jsonl", *options, "--out", tmp_path / "out")
    assert result.exit_code == 3
    assert (tmp_path / "out").read_bytes() == raw + b"\n"
    assert "record 2: no JSON object" in result.stderr
    assert "record 3: broken JSON" in result.stderr
    assert "record 4: no string 'text' in the record" in result.stderr


def test_the_handler_of_sigterm_is_put_back() -> None:
    before = signal.getsignal(signal.SIGTERM)
    run(given=b'{"text": "clean"}\n')
    assert signal.getsignal(signal.SIGTERM) is before


def test_what_is_no_record_passes_with_the_unscored(tmp_path: Path) -> None:
    result = run("--unscored", "tag", given=b'nonsense\n{"text": "clean"}\n')
    assert result.stdout.splitlines()[0] == "nonsense"
    assert run("--unscored", "drop", given=b'nonsense\n{"text": "clean"}\n').stdout.count("\n") == 1


BAD_LINES = [
    b'{"text": "\xff\xfe clean"}',
    b"[" * 100_000,
    b'{"text": ' + b'{"a": ' * 100_000 + b"1" + b"}" * 100_001,
    b'{"text": "clean"',
    b'{"id": 1}',
    b'{"text": null}',
    b'{"text": ["clean"]}',
    b'{"text": "  "}',
    b'{"text": NaN}',
    b"\x00\x01\x02",
    b'"clean"',
]


@pytest.mark.parametrize("workers", ["1", "2"])
def test_bad_records_go_where_errors_go_and_the_rest_goes_on(tmp_path: Path, workers: str) -> None:
    good = b'{"text": "clean"}\n'
    (tmp_path / "in.jsonl").write_bytes(b"".join(good + line + b"\n" for line in BAD_LINES))
    options = ["--clean", "keep", "--on-error", "quarantine", "--quarantine", tmp_path / "aside"]
    result = run(tmp_path / "in.jsonl", *options, "--out", tmp_path / "out", "--workers", workers)
    assert result.exit_code == 3
    assert (tmp_path / "out").read_bytes() == good * len(BAD_LINES)
    # As they came; those that are records say why they are there.
    for line, found in zip(BAD_LINES, (tmp_path / "aside").read_bytes().splitlines(), strict=True):
        assert found.startswith(line.rstrip(b"}")[:-1])
        is_record = line.startswith(b'{"') and line.endswith(b"}") and len(line) < 100 and b"\xff" not in line
        assert (b'"label": "unscored", "reason": "unreadable"' in found) == is_record
    assert f"{len(BAD_LINES)} unreadable" in result.stderr
    assert run(tmp_path / "in.jsonl", "--on-error", "drop", "--clean", "keep").stdout_bytes == good * len(BAD_LINES)


def test_packed_files_are_read_and_damaged_ones_told(tmp_path: Path) -> None:
    whole = gzip.compress(b'{"text": "clean"}\n' * 3)
    (tmp_path / "a.jsonl.gz").write_bytes(whole)
    assert run(tmp_path / "a.jsonl.gz").stdout.count("\n") == 3
    (tmp_path / "b.jsonl.gz").write_bytes(whole[:-9])
    result = run(tmp_path / "a.jsonl.gz", tmp_path / "b.jsonl.gz", "--out", tmp_path / "out")
    assert result.exit_code == 3
    assert "b.jsonl.gz: gzip is damaged or cut off" in result.stderr
    # The three of the whole file, and of the damaged one what could be unpacked; then the next file.
    assert len(read(tmp_path / "out")) >= 3
    options = ["--workers", "2", "--out", tmp_path / "both"]
    assert run(tmp_path / "b.jsonl.gz", tmp_path / "a.jsonl.gz", *options).exit_code == 3
    assert len(read(tmp_path / "both")) == len(read(tmp_path / "out"))


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--spun", "quarantine"], "--quarantine FILE and an action quarantine"),
        (["--quarantine", "x"], "--quarantine FILE and an action quarantine"),
        (["--checkpoint", "c"], "--checkpoint needs files to read and --out"),
        (["gone.jsonl"], "gone.jsonl: no such file"),
        (["--model", "no.npz"], "no model of unspun"),
    ],
)
def test_wrong_usage_is_refused(options: list[str], says: str) -> None:
    result = run(*options)
    assert result.exit_code == 2
    assert says in result.stderr


# --- many cores, and what can go wrong there


def test_order_is_kept_among_workers(tmp_path: Path) -> None:
    rng = random.Random(0)
    records = [{"id": str(n), "text": rng.choice(["clean", "slow", "spun"])} for n in range(200)]
    assert run(write(tmp_path / "in.jsonl", records), "--workers", "2", "--out", tmp_path / "out").exit_code == 0
    assert [record["id"] for record in read(tmp_path / "out")] == [record["id"] for record in records]


def test_a_worker_that_dies_takes_no_record_with_it(tmp_path: Path) -> None:
    deadly = {"3", "20", "37", "54", "71", "72", "90"}
    records = [{"id": str(n), "text": "die" if str(n) in deadly else "clean"} for n in range(100)]
    source = write(tmp_path / "in.jsonl", records)
    # In a process of its own: that it ends is part of it.
    with start(source, "--workers", "4", "--out", tmp_path / "out", stderr=subprocess.PIPE) as process:
        _, errors = process.communicate(timeout=120)
        assert process.returncode == 3
    found = read(tmp_path / "out")
    assert [record["id"] for record in found] == [str(n) for n in range(100)]
    assert {record["id"] for record in found if record["unspun"]["reason"] == "unreadable"} == deadly
    assert b"its worker died" in errors
    assert b"Traceback" not in errors


def test_with_workers_too_an_answer_does_not_wait_for_the_next_record() -> None:
    with start("--workers", "2", stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdin
        assert process.stdout
        for _ in range(3):
            process.stdin.write(b'{"text": "clean"}\n')
            process.stdin.flush()
            assert b'"label": "clean"' in process.stdout.readline()
        process.stdin.close()
        process.stdin = None
        assert process.wait(30) == 0


def test_workers_leave_with_a_parent_that_is_killed() -> None:
    with start("--workers", "2", stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdin
        assert process.stdout
        process.stdin.write(b'{"text": "clean"}\n')
        process.stdin.flush()
        process.stdout.readline()
        process.kill()
        # As long as one of them holds the pipe there is no end of it.
        assert process.stdout.read() == b""


@pytest.mark.parametrize("out", ["in.jsonl", "aside"])
def test_files_that_are_the_same_are_refused(tmp_path: Path, out: str) -> None:
    source = write(tmp_path / "in.jsonl", RECORDS)
    before = source.read_bytes()
    result = run(source, "--spun", "quarantine", "--out", tmp_path / out, "--quarantine", tmp_path / "aside")
    assert result.exit_code == 2
    assert "are files of their own" in result.stderr
    assert source.read_bytes() == before


def test_a_record_that_scoring_fails_on_is_unscored(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr(FakeDetector, "score", fail)
    found = IngestFilter()({"text": "clean"})
    assert (found.verdict.label, found.verdict.error) == (
        "unscored",
        "scoring failed (RuntimeError: a bug): report it",
    )


def test_what_came_is_answered_before_more_comes() -> None:
    given, answered, flushed = list[bytes](), list[bytes](), list[int]()

    def lines() -> Any:
        for n in range(3):
            given.append(b"%d\n" % n)
            yield given[-1]
            time.sleep(0.2)

    def note() -> None:
        flushed.append(len(answered))

    for chunk in read_ahead(lines(), note):
        answered += chunk
        # Each is given out before the next is there.
        assert answered == given
    assert flushed[-1] == 3


def test_an_error_of_the_source_is_not_swallowed() -> None:
    def lines() -> Any:
        yield b"1\n"
        raise OSError("gone")

    with pytest.raises(OSError, match="gone"):
        list(read_ahead(lines(), lambda: None))


# --- begun again

#: Runs the command with the detector of these tests; writes the most memory that it had (VmHWM) where PEAK_FILE says.
DRIVER = """
import atexit, os, sys, time
def note_peak():
    status = open("/proc/self/status").read()
    open(os.environ["PEAK_FILE"], "w").write(status.partition("VmHWM:")[2].split()[0])
if "PEAK_FILE" in os.environ:
    atexit.register(note_peak)
sys.path.insert(0, {tests!r})
import unspun.detector, test_filter
unspun.detector.Detector = test_filter.FakeDetector
import unspun.filtering.runs
unspun.filtering.runs.CHECKPOINT_EVERY = 0.0
from unspun.cli import main
if "--checkpoint" in sys.argv:
    read_ahead = unspun.filtering.runs.read_ahead
    def tell_and_read(*arguments):
        print("begun", flush=True)
        return read_ahead(*arguments)
    unspun.filtering.runs.read_ahead = tell_and_read
main()
"""


def start(*arguments: str | Path, **options: Any) -> subprocess.Popen[bytes]:
    code = DRIVER.format(tests=str(Path(__file__).parent))
    return subprocess.Popen([sys.executable, "-c", code, "filter", *map(str, arguments)], **options)


# Three times seventeen kills.
@pytest.mark.parametrize("suffix", ["", ".gz", ".zst"])
def test_a_killed_run_is_begun_again_with_every_record_once(tmp_path: Path, suffix: str) -> None:
    if suffix == ".zst":
        pytest.importorskip("zstandard", reason="needs the extra files")
    rng = random.Random(suffix)
    texts = ["clean", "spun", "suspect", "slow spun"]
    records = [{"id": str(n), "text": rng.choice(texts)} for n in range(700)]
    folder = tmp_path / "in"
    folder.mkdir()
    write(folder / "a.jsonl", records[:300])
    write(folder / "b.jsonl", records[300:])
    out, aside = tmp_path / f"out{suffix}", tmp_path / f"aside{suffix}"
    options = [
        folder, "--spun", "quarantine", "--suspect", "drop", "--out", out, "--quarantine", aside,
        "--checkpoint", tmp_path / "state", "--summary", tmp_path / "s.json",
    ]  # fmt: skip
    kills = begun = 0
    while True:
        with start(*options, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            assert process.stdout
            process.stdout.readline()
            try:
                process.wait(rng.uniform(0, 0.6) if kills < 17 else 120)
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGKILL)
                kills += 1
                begun += out.exists() and out.stat().st_size > 0
                continue
            assert process.stderr
            assert (process.returncode, b"records" in process.stderr.read()) == (0, True)
            break
    assert kills == 17
    assert begun > 3
    found, set_aside = (b"".join(read_lines([path], pytest.fail)).splitlines() for path in (out, aside))
    assert [json.loads(line)["id"] for line in found] == [r["id"] for r in records if r["text"] == "clean"]
    assert [json.loads(line)["id"] for line in set_aside] == [r["id"] for r in records if "spun" in r["text"]]
    assert json.loads((tmp_path / "s.json").read_text())["records"] == 700


def test_a_checkpoint_of_another_run_is_refused(tmp_path: Path) -> None:
    source = write(tmp_path / "in.jsonl", RECORDS)
    options = ["--out", tmp_path / "out", "--checkpoint", tmp_path / "state"]
    assert run(source, *options).exit_code == 0
    assert run(source, *options).exit_code == 0
    assert len(read(tmp_path / "out")) == 4
    assert "is of another run" in run(source, *options, "--spun", "drop").stderr
    assert "is of another run" in run(source, *options, "--text-field", "other").stderr
    write(source, RECORDS * 2)
    assert "is of another run" in run(source, *options).stderr
    write(source, RECORDS)
    (tmp_path / "out").write_text("")
    assert "is shorter than at the checkpoint" in run(source, *options).stderr
    (tmp_path / "state" / "checkpoint.json").write_text("{}")
    assert "damaged" in run(source, *options).stderr


# --- as a pipe


@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_it_ends_quietly_when_told_to(number: signal.Signals, status: int) -> None:
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with start(**pipes) as process:
        assert process.stdin
        assert process.stdout
        assert process.stderr
        process.stdin.write(b'{"text": "clean"}\n')
        process.stdin.flush()
        assert b'"label": "clean"' in process.stdout.readline()
        process.send_signal(number)
        assert process.wait(20) == status
        assert b"Traceback" not in process.stderr.read()


def test_a_reader_that_goes_away_is_no_error() -> None:
    with start(stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdin
        assert process.stdout
        assert process.stderr
        process.stdin.write(b'{"text": "clean"}\n')
        process.stdin.flush()
        process.stdout.readline()
        process.stdout.close()
        with suppress(BrokenPipeError):
            for _ in range(20_000):
                process.stdin.write(b'{"text": "clean"}\n')
        with suppress(BrokenPipeError):
            process.stdin.close()
        process.stdin = None
        assert process.wait(30) == 141
        assert b"Traceback" not in process.stderr.read()


@pytest.mark.real
def test_the_real_detector_filters_the_samples() -> None:
    articles = [item for item in read_articles([SAMPLES / "articles"]) if isinstance(item, Article)]
    given = "".join(json.dumps({"id": a.id, "text": a.text}) + "\n" for a in articles).encode()
    references = [item for item in read_articles([SAMPLES / "references"]) if isinstance(item, Article)]
    work = LineFilter(IngestFilter(references=references), "spans")
    found = [json.loads(work(line).line) for line in given.splitlines(keepends=True)]
    labels = {record["id"]: record["unspun"]["label"] for record in found}
    assert all((label == "spun") == ("-spun-" in id) for id, label in labels.items() if "-quoted-" not in id)
