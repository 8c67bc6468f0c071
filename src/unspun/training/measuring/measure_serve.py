"""How many articles a second ``unspun serve`` decides on, and how soon: scripts/measure_serve

Starts a server on this machine and asks it over keep-alive connections: first at a given rate, whether it keeps up or
not (each request's time runs from when it was due), then as fast as it answers. The articles are the samples, joined
and cut to one length; needs the extra ``serve``.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from unspun.resources import find_data
from unspun.training.samples import read_samples

#: Words of an article, those of a news story.
WORDS: Final = 340
#: Seconds of asking before anything is counted.
_WARM_UP: Final = 2.0


def make_articles(share: float, count: int) -> list[str]:
    """So many articles, a ``share`` of them of spun samples, the others of honest ones, in random order."""
    samples = read_samples(find_data("samples"))
    random_ = random.Random(0)
    articles = []
    for number in range(count):
        texts = [sample.text for sample in samples if (sample.label == "spun") == (number < share * count)]
        words = " ".join(random_.sample(texts, 4)).split(" ")
        articles.append(" ".join(words[:WORDS]))
    random_.shuffle(articles)
    return articles


class _Connection(asyncio.Protocol):
    """One connection, one request at a time."""

    def __init__(self) -> None:
        self._got = b""
        self._answer: asyncio.Future[str] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    async def ask(self, request: bytes) -> str:
        """The status of the answer, or what went wrong."""
        if self._transport.is_closing():
            return "no connection"
        self._got, self._answer = b"", asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return await self._answer

    def data_received(self, data: bytes) -> None:
        self._got += data
        head, complete, body = self._got.partition(b"\r\n\r\n")
        if complete and self._answer and not self._answer.done():
            length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0])
            if len(body) >= length:
                self._answer.set_result(head.split()[1].decode())

    def connection_lost(self, _: Exception | None) -> None:
        if self._answer and not self._answer.done():
            self._answer.set_result("disconnected")


async def ask(
    port: int, requests: Sequence[bytes], connections: int, seconds: float, rate: float | None
) -> dict[str, Any]:
    """What came of asking for so many ``seconds``: ``rate`` times a second at random moments, or, with None, each
    connection as soon as it has its answer."""
    loop = asyncio.get_running_loop()
    opened = [(await loop.create_connection(_Connection, "127.0.0.1", port))[1] for _ in range(connections)]
    random_, due = random.Random(1), asyncio.Queue[float]()
    times, found = list[float](), Counter[str]()
    began = time.perf_counter()

    async def work(connection: _Connection) -> None:
        while True:
            when = time.perf_counter() if rate is None else await due.get()
            if when > began + seconds:
                return
            status = await connection.ask(random_.choice(requests))
            found[status] += 1
            times.append(time.perf_counter() - when)
            if status in ("no connection", "disconnected"):
                return

    working = [asyncio.ensure_future(work(connection)) for connection in opened]
    when = began
    while rate is not None and when <= began + seconds:
        await asyncio.sleep(max(0.0, when - time.perf_counter()))
        due.put_nowait(when)
        when += random_.expovariate(rate)
    for _ in working:
        due.put_nowait(float("inf"))
    await asyncio.gather(*working)
    wall = time.perf_counter() - began
    for connection in opened:
        connection._transport.close()
    p50, p99 = np.percentile(times, [50, 99]) * 1000
    return {
        "asked_per_second": rate,
        "answered_per_second": round(found["200"] / wall, 1),
        "p50_ms": round(p50, 1),
        "p99_ms": round(p99, 1),
        "max_ms": round(max(times) * 1000, 1),
        "answered": found["200"],
        "errors": {status: count for status, count in found.items() if status != "200"},
    }


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="scripts/measure_serve", description=__doc__)
    parser.add_argument("--rate", type=float, default=150, help="requests a second")
    parser.add_argument("--seconds", type=float, default=30, help="for each of the two")
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--spun", type=float, default=0.1, help="share of the articles that are spun")
    parser.add_argument("options", nargs="*", help="for unspun serve, after --: -- --workers 2 --context never")
    given = parser.parse_args(arguments)
    requests = []
    for number, text in enumerate(make_articles(given.spun, 200)):
        body = json.dumps({"id": str(number), "text": text}).encode()
        head = f"POST /decide HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
        requests.append(head.encode() + b"\r\n\r\n" + body)
    command = [sys.executable, "-c", "from unspun.cli import main; main()", "serve", "--port", "0", *given.options]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as server:
        assert server.stderr
        try:
            told = server.stderr.readline()
            if "http://" not in told:
                print(told, end="", file=sys.stderr)
                return 1
            port = int(told.rsplit(":", 1)[1])
            asyncio.run(ask(port, requests, given.connections, _WARM_UP, None))
            steady = asyncio.run(ask(port, requests, given.connections, given.seconds, given.rate))
            most = asyncio.run(ask(port, requests, given.connections, given.seconds, None))
        finally:
            server.terminate()
    about = {"machine": platform.machine(), "cores": os.cpu_count(), "options": given.options, "words": WORDS}
    about |= {"spun": given.spun, "connections": given.connections}
    print(json.dumps(about | {"at_the_rate": steady, "at_most": most}, indent=1))
    return 0
