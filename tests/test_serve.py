"""The web service: a real server in a process of its own, asked by a real client; without one where it needs none."""

from __future__ import annotations

import asyncio
import inspect
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import unspun.detector
from unspun.article import Article, Verdict
from unspun.cli import app
from unspun.commands.serve import serve
from unspun.hooks import asgi
from unspun.hooks.asgi import SpunService, listen
from unspun.ingest import Disposition, IngestFilter, Policy, trim_verdict
from unspun.readers import read_articles
from unspun.training.measuring import measure_serve

pytest.importorskip("uvicorn", reason="pip install 'unspun[serve]'")

SAMPLES = Path(__file__).resolve().parents[1] / "data" / "samples"
ARTICLES = [item for item in read_articles([SAMPLES / "articles"]) if isinstance(item, Article)]
TOKEN = "s3cret-token"
#: Stands in texts, and must never stand in what the server says of itself.
PRIVATE = "Quillfeather"
DRIVER = """
import sys
sys.path.insert(0, {tests!r})
import unspun.detector, test_serve
unspun.detector.Detector = test_serve.SlowDetector
from unspun.cli import main
main()
"""


class SlowDetector:
    """Takes half a second for a "slow" text, fails for a "broken" one, and notes on stdout what it begins with."""

    @classmethod
    def load(cls, model: Path | None = None, context: str = "auto") -> SlowDetector:
        if model:
            raise ValueError("no model of unspun")
        return cls()

    def set_thresholds(self, *_: Any) -> SlowDetector:
        return self

    def score(self, article: Article, references: Any = None, decisions: Any = None) -> Verdict:
        print(article.id, flush=True)
        if "slow" in article.text:
            time.sleep(0.5)
        if "broken" in article.text:
            raise ValueError(article.text)
        return Verdict(article.id, article.source, 0.01, "clean", model="slow@1")


class Server:
    """A server that runs; ``told`` is what it said on stderr once it has ended."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        assert process.stderr
        self.process = process
        first = process.stderr.readline()
        assert "serving on http://127.0.0.1:" in first
        self.port = int(first.rsplit(":", 1)[1])

    def connect(self) -> HTTPConnection:
        return HTTPConnection("127.0.0.1", self.port, timeout=20)

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[HTTPResponse, dict[str, Any]]:
        return ask(self.connect(), method, path, body, **headers)

    def decide(self, record: Any, **headers: str) -> tuple[HTTPResponse, dict[str, Any]]:
        return decide(self.connect(), record, **headers)

    def end(self, number: signal.Signals = signal.SIGTERM) -> tuple[int, str, list[str]]:
        """Its exit status, what it said since it served, and the ids of the articles whose scoring it began."""
        self.process.send_signal(number)
        out, told = self.process.communicate(timeout=20)
        return self.process.returncode, told, out.split()


def ask(
    connection: HTTPConnection, method: str, path: str, body: Any = None, **headers: str
) -> tuple[HTTPResponse, dict[str, Any]]:
    connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
    response = connection.getresponse()
    got = response.read()
    assert response.headers["Content-Type"] == "application/json"
    return response, json.loads(got) if got else {}


def decide(connection: HTTPConnection, record: Any, **headers: str) -> tuple[HTTPResponse, dict[str, Any]]:
    return ask(connection, "POST", "/decide", json.dumps(record), **{"Content_Type": "application/json"} | headers)


@contextmanager
def start(*options: str | Path, code: str = "from unspun.cli import main; main()", **environ: str) -> Iterator[Server]:
    pipes: Any = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    command = [sys.executable, "-c", code, "serve", "--port", "0", *map(str, options)]
    with subprocess.Popen(command, env=os.environ | environ, **pipes) as process:
        try:
            yield Server(process)
        finally:
            process.kill()


def start_slow(*options: str | Path, **environ: str) -> Any:
    return start(*options, code=DRIVER.format(tests=str(Path(__file__).parent)), **environ)


OPTIONS = ("--context", "never", "--spun", "drop", "--unscored", "quarantine", "--on-error", "keep")


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """One for all that leave it as it was; at the end it must have been quiet."""
    with start(*OPTIONS, "--detail", "spans", "--max-bytes", "20000", "--timeout", "1.5") as server:
        yield server
        assert server.end() == (143, "unspun: terminated\n", [])


def expect(references: list[Article]) -> dict[str, dict[str, Any]]:
    """What the filter, which the service is a way to, makes of the samples."""
    filter = IngestFilter(Policy("drop", unscored="quarantine"), references=references, context="never")
    answers = {}
    for article in ARTICLES:
        found = filter({"id": article.id, "text": article.text})
        verdict = found.verdict
        answers[article.id] = {
            "id": article.id, "action": found.action, "label": verdict.label, "score": verdict.score,
            "reason": verdict.reason, "unspun": trim_verdict(verdict, "spans"),
        }  # fmt: skip
    assert {answer["action"] for answer in answers.values()} == {"drop", "tag"}
    return answers


@pytest.fixture(scope="module")
def expected() -> dict[str, dict[str, Any]]:
    return expect([])


# --- what is answered


def test_articles_are_decided_on_over_one_connection(server: Server, expected: dict[str, Any]) -> None:
    connection = server.connect()
    connection.connect()
    own = connection.sock
    for article in ARTICLES[:10]:
        response, answer = decide(connection, {"id": article.id, "text": article.text})
        assert (response.status, answer) == (200, expected[article.id])
    assert connection.sock is own


def test_answers_do_not_depend_on_order_or_company(server: Server, expected: dict[str, Any]) -> None:
    def work(seed: int) -> list[tuple[str, int, dict[str, Any]]]:
        connection, found = server.connect(), []
        for article in random.Random(seed).sample(ARTICLES, 12):
            response, answer = decide(connection, {"id": article.id, "text": article.text})
            found.append((article.id, response.status, answer))
        return found

    with ThreadPoolExecutor(16) as pool:
        for found in pool.map(work, range(16)):
            assert found == [(id, 200, expected[id]) for id, _, _ in found]


def test_what_gets_no_score_is_decided_on_too(server: Server) -> None:
    response, answer = server.decide({"id": 7, "text": "Three words only."})
    assert response.status == 200
    assert (answer["id"], answer["action"], answer["label"], answer["reason"]) == (
        "7", "quarantine", "unscored", "too_short",
    )  # fmt: skip
    for text, says in (({}, "no string 'text'"), ({"text": 5}, "no string 'text'"), ({"text": " "}, "empty")):
        response, answer = server.decide({"id": "x", **text})
        assert (response.status, answer["id"], answer["action"], answer["score"]) == (422, "x", "keep", None)
        assert (answer["label"], answer["reason"]) == ("unscored", "unreadable")
        assert says in answer["error"]


def test_texts_of_all_kinds_come_back_as_they_were(server: Server) -> None:
    response, answer = server.decide({"id": "\ud800 ü 语 \x00", "text": PRIVATE})
    assert (response.status, answer["id"]) == (200, "\ufffd ü 语 \x00")


def test_health_is_answered(server: Server) -> None:
    for method, body in (("GET", {"status": "ready"}), ("HEAD", {})):
        response, answer = server.ask(method, "/health")
        assert (response.status, answer) == (200, body)


JSON = {"Content_Type": "application/json"}


@pytest.mark.parametrize(
    ("method", "path", "body", "headers", "status", "says", "header"),
    [
        ("GET", "/", None, {}, 404, "no such path", {}),
        ("POST", "/decide/", b"{}", JSON, 404, "no such path", {}),
        ("GET", "/decide", None, {}, 405, "/decide takes POST", {"Allow": "POST"}),
        ("POST", "/health", b"", {}, 405, "takes GET and HEAD", {"Allow": "GET, HEAD"}),
        ("POST", "/decide", b"{}", {}, 415, "application/json", {}),
        ("POST", "/decide", b"{}", {"Content_Type": "text/plain"}, 415, "application/json", {}),
        ("POST", "/decide", b"{}", {"Content_Type": "application/json; charset=latin-1"}, 415, "UTF-8", {}),
        ("POST", "/decide", b"{}", JSON | {"Content_Encoding": "gzip"}, 415, "uncompressed", {}),
        ("POST", "/decide", b"", JSON, 400, "broken JSON at character 0", {}),
        ("POST", "/decide", b'{"text": "Quillfeather', JSON, 400, "broken JSON at character 9", {}),
        ("POST", "/decide", b'["Quillfeather"]', JSON, 400, "no JSON object", {}),
        ("POST", "/decide", b'{"text": "\xff"}', JSON, 400, "not UTF-8", {}),
        ("POST", "/decide", b"[" * 20_000, JSON, 400, "nested too deep", {}),
        ("POST", "/decide", b'{"n": ' + b"9" * 19_000 + b"}", JSON, 400, "number too long", {}),
        ("POST", "/decide", b" " * 20_001, JSON, 413, "larger than 20,000 bytes", {}),
        ("POST", "/decide", b" " * 3_000_000, JSON, 413, "larger than 20,000 bytes", {}),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told(
    server: Server, method: str, path: str, body: bytes | None, headers: Any, status: int, says: str, header: Any
) -> None:
    connection = server.connect()
    response, answer = ask(connection, method, path, body, **headers)
    assert (response.status, list(answer)) == (status, ["error"])
    assert says in answer["error"]
    assert PRIVATE not in answer["error"]
    assert {name: response.headers[name] for name in header} == header
    # The next request of the same client is not harmed.
    assert decide(connection, {"text": "short"})[0].status == 200


@pytest.mark.parametrize("kind", ["application/json; charset=UTF-8", 'APPLICATION/JSON;charset="utf-8"'])
def test_the_usual_ways_to_say_json_are_taken(server: Server, kind: str) -> None:
    body = "\ufeff" + json.dumps({"text": "short"})
    assert server.ask("POST", "/decide", body.encode(), Content_Type=kind)[0].status == 200


def test_a_body_of_no_told_length_is_cut_off_as_it_comes(server: Server) -> None:
    connection = server.connect()
    chunks = iter([b" " * 1000] * 19)
    connection.request("POST", "/decide", chunks, {"Content-Type": "application/json"}, encode_chunked=True)
    response = connection.getresponse()
    assert (response.status, b"broken JSON" in response.read()) == (400, True)
    connection.request(
        "POST", "/decide", iter([b" " * 1000] * 3000), {"Content-Type": "application/json"}, encode_chunked=True
    )
    response = connection.getresponse()
    assert (response.status, b"20,000 bytes" in response.read()) == (413, True)


def test_who_asks_before_sending_is_told_before(server: Server) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        head = "POST /decide HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nExpect: 100-continue\r\n"
        connection.sendall(f"{head}Content-Length: 20001\r\n\r\n".encode())
        assert connection.recv(1000).startswith(b"HTTP/1.1 413 ")


def test_a_body_that_does_not_come_is_not_waited_for(server: Server) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        head = "POST /decide HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n"
        connection.sendall(head.encode() + b'{"text": "')
        began = time.monotonic()
        got = b"".join(iter(lambda: connection.recv(1000), b""))
        assert got.startswith(b"HTTP/1.1 408 ")
        assert b"was not sent within 1.5 seconds" in got
        assert 1.0 < time.monotonic() - began < 5


def test_who_leaves_early_does_no_harm(server: Server) -> None:
    head = b"POST /decide HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n"
    for sent in (b"", b"POST", head, head + b"{", head + b" " * 99, b"nonsense\r\n\r\n"):
        with socket.create_connection(("127.0.0.1", server.port)) as connection:
            connection.sendall(sent)
    assert server.ask("GET", "/health")[0].status == 200


# --- a slow one: limits, tokens and ends


@pytest.fixture
def slow(tmp_path: Path) -> Iterator[Server]:
    (tmp_path / "token").write_text(f"{TOKEN}\n")
    with start_slow("--token-file", tmp_path / "token", "--timeout", "1.2", "--waiting", "4") as server:
        yield server


SHOWN = {"Authorization": f"Bearer {TOKEN}"}


def test_the_token_is_asked_for(slow: Server) -> None:
    for shown in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": TOKEN}, {"Authorization": f"Basic {TOKEN}"}):
        response, answer = slow.decide({"text": "a"}, **shown)
        assert (response.status, list(answer)) == (401, ["error"])
        assert response.headers["WWW-Authenticate"].startswith("Bearer")
    assert slow.decide({"text": "a"}, Authorization=f"bearer  {TOKEN}")[0].status == 200
    assert slow.ask("GET", "/health")[0].status == 200
    assert slow.end(signal.SIGINT) == (130, "unspun: interrupted\n", [])


def test_the_token_may_be_in_the_environment() -> None:
    with start_slow(UNSPUN_TOKEN=TOKEN) as server:
        assert server.decide({"text": "a"})[0].status == 401
        assert server.decide({"text": "a"}, **SHOWN)[0].status == 200


def test_who_finds_no_room_or_no_time_is_told_so_and_not_scored(slow: Server) -> None:
    def work(number: int) -> tuple[int, str | None, str]:
        response, answer = slow.decide({"id": str(number), "text": f"slow {PRIVATE}"}, **SHOWN)
        return response.status, response.headers["Retry-After"], answer.get("error", "")

    with ThreadPoolExecutor(10) as pool:
        working = [pool.submit(work, number) for number in range(10)]
        time.sleep(0.3)
        began = time.monotonic()
        assert slow.ask("GET", "/health")[0].status == 200
        assert time.monotonic() - began < 0.5
        found = [future.result() for future in working]
    statuses = Counter(status for status, *_ in found)
    told = Counter(told for status, _, told in found if status == 503)
    assert {retry for status, retry, *_ in found if status == 503} == {"1"}
    # Of four that are held, two are scored within the time, the third's scoring has begun, the fourth's has not; on a
    # machine that is busy a little less.
    assert set(statuses) == {200, 503}
    assert 1 <= statuses[200] <= 2
    assert set(told) == {"4 requests are waiting: come again", "found no time within 1.2 seconds"}
    assert told["4 requests are waiting: come again"] >= 5
    assert slow.decide({"id": "next", "text": "a"}, **SHOWN)[0].status == 200
    status, said, begun = slow.end()
    assert (status, said) == (143, "unspun: terminated\n")
    assert len(begun) == statuses[200] + 2
    assert begun[-1] == "next"


def test_what_nobody_waits_for_any_more_is_not_scored(slow: Server) -> None:
    def send(id: str) -> socket.socket:
        body = json.dumps({"id": id, "text": "slow"})
        connection = socket.create_connection(("127.0.0.1", slow.port))
        head = (
            f"POST /decide HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nAuthorization: Bearer {TOKEN}\r\n"
        )
        connection.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n{body}".encode())
        time.sleep(0.1)
        return connection

    first, second = send("first"), send("second")
    second.close()
    first.close()
    assert slow.decide({"id": "third", "text": "a"}, **SHOWN)[0].status == 200
    assert slow.end() == (143, "unspun: terminated\n", ["first", "third"])


def test_requests_under_way_are_answered_before_it_ends(slow: Server) -> None:
    with ThreadPoolExecutor(2) as pool:
        working = [pool.submit(slow.decide, {"id": str(n), "text": "slow"}, **SHOWN) for n in range(2)]
        time.sleep(0.3)
        status, told, begun = slow.end()
        assert [future.result()[0].status for future in working] == [200, 200]
    assert (status, told, len(begun)) == (143, "unspun: terminated\n", 2)


def test_a_failure_tells_nothing_of_the_text(slow: Server) -> None:
    response, answer = slow.decide({"id": "x", "text": f"broken {PRIVATE}"}, **SHOWN)
    assert (response.status, answer["id"], answer["action"]) == (500, "x", "tag")
    assert answer["error"] == answer["unspun"]["error"] == "scoring failed (ValueError): report it"
    _, told, _ = slow.end()
    assert told == "unspun: scoring failed (ValueError): report it\nunspun: terminated\n"


# --- several processes


def list_workers(process: int) -> list[Path]:
    found = Path(f"/proc/{process}/task").glob("*/children")
    children = [Path("/proc") / child for path in found for child in path.read_text().split()]
    return [child for child in children if "spawn_main" in (child / "cmdline").read_text()]


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="looks into /proc")
def test_processes_share_the_work_and_their_death_is_survived(tmp_path: Path) -> None:
    folder = tmp_path / "references"
    # Without the pages, which need another extra.
    shutil.copytree(SAMPLES / "references", folder, ignore=shutil.ignore_patterns("*.html"))
    expected = expect([item for item in read_articles([folder]) if isinstance(item, Article)])
    with start(*OPTIONS, "--detail", "spans", "--workers", "2", "--references", folder) as server:

        def work(article: Article) -> tuple[int, dict[str, Any]]:
            response, answer = server.decide({"id": article.id, "text": article.text})
            return response.status, answer

        with ThreadPoolExecutor(8) as pool:
            assert list(pool.map(work, ARTICLES[:12])) == [(200, expected[article.id]) for article in ARTICLES[:12]]
        first, _ = list_workers(server.process.pid)
        os.kill(int(first.name), signal.SIGKILL)
        until = time.monotonic() + 15
        # Noticed at the next request or the one after; meanwhile the other worker may have answered.
        while (found := work(ARTICLES[0]))[0] == 200:
            assert time.monotonic() < until
        assert found == (503, {"error": "a worker died: come again"})
        while (found := work(ARTICLES[0]))[0] == 503:
            assert time.monotonic() < until
        assert found == (200, expected[ARTICLES[0].id])
        workers = list_workers(server.process.pid)
        assert len(workers) == 2
        # Who presses Ctrl-C in a terminal tells them too: they leave when they are told by the server.
        for worker in workers:
            os.kill(int(worker.name), signal.SIGINT)
        assert work(ARTICLES[0])[0] == 200
        assert server.end() == (143, "unspun: a worker died: others are started\nunspun: terminated\n", [])
        assert not any(worker.exists() for worker in workers)


# --- refusals to start


def refuse(monkeypatch: pytest.MonkeyPatch, *options: str | Path) -> str:
    monkeypatch.setattr(unspun.detector, "Detector", SlowDetector)
    result = CliRunner().invoke(app, ["serve", *map(str, options)])
    assert result.exit_code == 2
    return result.stderr


def test_it_says_why_it_does_not_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert f"127.0.0.1, port {port}: Address already in use" in refuse(monkeypatch, "--port", str(port))
    assert "cannot be read (No such file" in refuse(monkeypatch, "--token-file", tmp_path / "gone")
    for text in ("", " \n", "two words", "gepäck"):
        (tmp_path / "token").write_text(text)
        assert "token: holds no token" in refuse(monkeypatch, "--token-file", tmp_path / "token")
    assert "no model of unspun" in refuse(monkeypatch, "--model", "x.npz")
    monkeypatch.setenv("UNSPUN_TOKEN", "")
    assert "UNSPUN_TOKEN: holds no token" in refuse(monkeypatch)
    monkeypatch.delenv("UNSPUN_TOKEN")
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    assert "pip install 'unspun[serve]'" in refuse(monkeypatch)


def test_a_damaged_model_is_refused_by_processes_too(tmp_path: Path) -> None:
    (tmp_path / "model.npz").write_bytes(b"no archive")
    result = CliRunner().invoke(app, ["serve", "--workers", "2", "--model", str(tmp_path / "model.npz")])
    assert result.exit_code == 2
    assert "model.npz" in result.stderr


@pytest.mark.parametrize(("host", "warned"), [("0.0.0.0", True), ("127.0.0.1", False)])
def test_an_address_open_to_all_is_warned_of(monkeypatch: pytest.MonkeyPatch, host: str, warned: bool) -> None:
    monkeypatch.setattr(unspun.detector, "Detector", SlowDetector)
    monkeypatch.setattr(asgi, "run_server", lambda service, listener, timeout: listener.close())
    for environ, expected in (({}, warned), ({"UNSPUN_TOKEN": TOKEN}, False)):
        result = CliRunner().invoke(app, ["serve", "--host", host, "--port", "0"], env=environ)
        assert result.exit_code == 0
        assert ("whoever reaches this address can use it" in result.stderr) == expected


def test_an_address_is_written_as_a_url() -> None:
    listener, url, is_open = listen("127.0.0.1", 0)
    with listener:
        assert (url, is_open) == (f"http://127.0.0.1:{listener.getsockname()[1]}", False)


def test_the_command_and_the_service_have_the_same_limits() -> None:
    command = inspect.signature(serve).parameters
    service = inspect.signature(SpunService).parameters
    for name in ("max_bytes", "timeout", "waiting", "workers"):
        assert command[name].default == service[name].default


# --- the application without a server


async def call(service: SpunService, **scope: Any) -> tuple[int, dict[str, Any]]:
    sent = list[Any]()

    async def receive() -> Any:
        return {"type": "http.request", "body": b"{}"} if scope["method"] == "POST" else {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)

    headers = [(b"content-type", b"application/json")]
    await service({"type": "http", "headers": headers, **scope}, receive, send)
    return sent[0]["status"], json.loads(sent[1]["body"])


async def live(service: SpunService) -> list[Any]:
    sent = list[Any]()
    messages = iter(["lifespan.startup", "lifespan.shutdown"])

    async def receive() -> Any:
        return {"type": next(messages)}

    async def send(message: Any) -> None:
        if message["type"] == "lifespan.startup.complete":
            sent.append(await call(service, method="GET", path="/health"))
        sent.append(message)

    await service({"type": "lifespan"}, receive, send)
    return sent


def test_the_model_is_loaded_before_the_first_request(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unspun.detector, "Detector", SlowDetector)
    service = SpunService()
    assert asyncio.run(call(service, method="GET", path="/health")) == (503, {"status": "loading"})
    assert asyncio.run(live(service)) == [
        (200, {"status": "ready"}), {"type": "lifespan.startup.complete"}, {"type": "lifespan.shutdown.complete"},
    ]  # fmt: skip
    with pytest.raises(RuntimeError, match="after shutdown"):
        service.open()


def test_a_model_that_cannot_be_loaded_stops_the_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unspun.detector, "Detector", SlowDetector)
    sent = asyncio.run(live(SpunService(IngestFilter(model="x.npz"))))
    assert sent == [{"type": "lifespan.startup.failed", "message": "no model of unspun"}]


def test_it_may_be_mounted_below_a_path_of_another(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unspun.detector, "Detector", SlowDetector)
    service = SpunService()
    service.open()
    mounted = {"path": "/spun/health", "root_path": "/spun"}
    assert asyncio.run(call(service, method="GET", **mounted)) == (200, {"status": "ready"})
    assert asyncio.run(call(service, method="GET", path="/spun/health"))[0] == 404


def test_wrong_settings_are_refused() -> None:
    with pytest.raises(ValueError, match="detail: 'all' is none of score, spans, full"):
        SpunService(detail="all")
    with pytest.raises(ValueError, match="token: is empty"):
        SpunService(token="")
    with pytest.raises(ValueError, match="websocket: this application speaks HTTP only"):
        asyncio.run(call(SpunService(), type="websocket", method="GET", path="/"))


def test_a_failure_of_the_service_itself_tells_nothing(caplog: pytest.LogCaptureFixture) -> None:
    class Broken(IngestFilter):
        def read(self, record: Any) -> Any:
            raise KeyError(PRIVATE)

    status, answer = asyncio.run(call(SpunService(Broken()), method="POST", path="/decide"))
    assert (status, answer) == (500, {"error": "failed (KeyError): report it"})
    assert [record.getMessage() for record in caplog.records] == ["a request failed (KeyError)"]
    assert PRIVATE not in caplog.text


def test_an_answer_is_text_whatever_stands_in_it() -> None:
    class Strange(IngestFilter):
        def read(self, record: Any) -> Any:
            return Article("x", "text")

        def __call__(self, record: Any) -> Disposition:
            return Disposition("tag", Verdict("\ud800", None, 0.5, "suspect", "name_altered"))

    assert asyncio.run(call(SpunService(Strange()), method="POST", path="/decide"))[1]["id"] == "\ud800"


def test_the_load_that_it_is_measured_with(server: Server) -> None:
    articles = measure_serve.make_articles(0.25, 20)
    assert {len(text.split(" ")) for text in articles} == {measure_serve.WORDS}
    body = json.dumps({"text": articles[0]}).encode()
    head = f"POST /decide HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    found = asyncio.run(
        measure_serve.ask(server.port, [head.encode() + body, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"], 4, 0.5, 40)
    )
    assert found["answered"] > 0
    assert set(found["errors"]) == {"404"}
    assert 10 < found["answered"] + found["errors"]["404"] < 40
