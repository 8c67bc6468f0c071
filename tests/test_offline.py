"""Nothing is fetched at run time: no command so much as asks for the network, and none loads what it does not need."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from unspun.resources import find_data
from without_network import CAUGHT

RUNNER = Path(__file__).with_name("without_network.py")
SAMPLES = find_data("samples")
#: What only training, extras and other commands need.
HEAVY = {
    "datasets", "datatrove", "huggingface_hub", "matplotlib", "onnx", "onnxruntime", "pandas", "pyarrow", "pyspark",
    "requests", "scipy", "scrapy", "sklearn", "spacy", "tokenizers", "torch", "uvicorn",
}  # fmt: skip


def run(home: Path, *commands: object) -> subprocess.CompletedProcess[str]:
    """The commands of a user whose home is the empty folder ``home``, and who has set nothing."""
    home.mkdir(exist_ok=True)
    unset = ("HF_HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "CI")
    # Some libraries are quiet in tests.
    unset += ("ORT_DISABLE_TELEMETRY", "PYTEST_CURRENT_TEST", "PYTEST_VERSION")
    settings = {name: value for name, value in os.environ.items() if name not in unset} | {"HOME": str(home)}
    command = [sys.executable, str(RUNNER), json.dumps(commands, default=str)]
    return subprocess.run(command, capture_output=True, text=True, env=settings, check=False)


def check(done: subprocess.CompletedProcess[str]) -> set[str]:
    """The modules loaded, once the commands are seen to have run under all guards that the system has."""
    assert done.returncode == 0, done.stderr[-3000:]
    told = json.loads(done.stdout.splitlines()[-1])
    assert "audit" in told["guards"]
    return set(told["modules"])


@pytest.fixture
def records(tmp_path: Path) -> Path:
    path = tmp_path / "records.jsonl"
    texts = [p.read_text("utf-8") for p in sorted((SAMPLES / "articles").glob("museum-*.txt"))]
    path.write_text("".join(json.dumps({"id": str(n), "text": text}) + "\n" for n, text in enumerate(texts)), "utf-8")
    return path


def test_commands_work_where_there_is_no_network(tmp_path: Path, records: Path) -> None:
    one, other = (SAMPLES / "articles" / name for name in ("museum-spun-blog.txt", "cup-spun-unseen.txt"))
    # With the reader of HTML, where it is installed: it knows about URLs.
    suffixes = {".txt", ".md", *([".html"] if find_spec("trafilatura") else [])}
    texts = [path for path in sorted((SAMPLES / "references").iterdir()) if path.suffix in suffixes]
    beside = [part for path in texts[::4] + texts[-8:-5] for part in ("--references", path)]
    index = tmp_path / "index"
    # The contextual model reads where it is installed, and is left out where it is not.
    home = tmp_path / "home"
    done = run(
        home,
        ["score", one, other, "--format", "jsonl", "--out", tmp_path / "v.jsonl"],
        ["score", records, *beside, "--workers", "2", "--format", "sarif", "--out", tmp_path / "v.sarif"],
        ["report", one, *beside, "--out", tmp_path / "report.html"],
        ["report", one, other, "--verdicts", tmp_path / "v.jsonl", "--out", tmp_path / "pages"],
        ["restore", one, *beside, "--out", tmp_path / "restored.txt"],
        ["filter", records, "--workers", "2", "--spun", "drop", "--out", tmp_path / "kept.jsonl"],
        ["index", "build", *texts, records, "--out", index],
        ["index", "find", index, one],
        ["families", index, "--out", tmp_path / "families.jsonl", "--format", "jsonl"],
    )
    loaded = check(done)
    assert ("onnxruntime" in loaded) == all(find_spec(name) for name in ("onnxruntime", "tokenizers"))
    # Where something is kept for later, such as a number for the machine, it is meant to be sent or was fetched:
    # onnxruntime sends seconds after it has begun, when a command is done.
    assert list(home.rglob("*")) == []
    assert (tmp_path / "v.jsonl").read_text("utf-8").count('"label": "') == 2
    assert (tmp_path / "kept.jsonl").stat().st_size
    assert (tmp_path / "report.html").stat().st_size > 10_000


def test_scoring_loads_nothing_that_it_does_not_need(tmp_path: Path) -> None:
    reference = SAMPLES / "references" / "museum-wire.txt"
    article = SAMPLES / "articles" / "museum-spun-blog.txt"
    loaded = check(run(tmp_path, ["score", article, "--references", reference, "--context", "never"]))
    assert loaded & HEAVY == set()
    assert "numpy" in loaded


@pytest.mark.parametrize("attempt", ["create_connection(('192.0.2.1', 9), 1)", "getaddrinfo('a.invalid', 9)"])
def test_the_guard_notices_an_attempt_of_python(attempt: str) -> None:
    code = "import socket, sys, without_network\nsys.addaudithook(without_network.watch)\n"
    tolerant = f"{code}try: socket.{attempt}\nexcept OSError: pass"
    done = subprocess.run(
        [sys.executable, "-c", tolerant], cwd=RUNNER.parent, capture_output=True, text=True, check=False
    )
    assert done.returncode == CAUGHT
    assert "socket." in done.stderr


def test_the_guard_notices_an_attempt_of_other_code(tmp_path: Path) -> None:
    done = run(tmp_path, "native")
    if done.returncode == 0 and "kernel" not in json.loads(done.stdout)["guards"]:
        pytest.skip("the kernel forbids nothing here: only attempts of Python are noticed")
    assert done.returncode == -signal.SIGSYS
