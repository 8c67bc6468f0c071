"""What the filter costs: scripts/measure_filter

On the same articles in one run: the detector by itself, the filter around it on one core and on two, and datatrove's
GopherQualityFilter, which crawls are filtered with. With ``--records``, the memory of the filter's processes over so
many records. Needs the extra ``bench``.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final, get_args

from unspun.article import Article
from unspun.detector import Context
from unspun.filtering.record_files import read_lines
from unspun.filtering.record_outputs import LineOutput
from unspun.filtering.runs import Routes, Summary, run_filter
from unspun.filtering.streams import LineFilter
from unspun.ingest import IngestFilter
from unspun.training.measuring.measure_serve import WORDS, make_articles

#: Times that everything is done; the fastest counts, since whatever else runs can only slow it down.
ROUNDS: Final = 5
#: Words of the records over which memory is watched.
_SHORT: Final = 60


def measure_speed(articles: Sequence[str], context: Context) -> dict[str, float]:
    """Articles a second of each way."""
    from datatrove.data import Document
    from datatrove.pipeline.filters import GopherQualityFilter

    ingest, gopher = IngestFilter(context=context), GopherQualityFilter()
    detector = ingest.open()
    items = [Article(str(number), text) for number, text in enumerate(articles)]
    documents = [Document(text, str(number)) for number, text in enumerate(articles)]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "articles.jsonl"
        file.write_text("".join(json.dumps({"id": item.id, "text": item.text}) + "\n" for item in items))

        def score() -> None:
            for item in items:
                detector.score(item)

        def quality() -> None:
            for document in documents:
                gopher.filter(document)

        def run(workers: int) -> None:
            with Path(os.devnull).open("wb") as nowhere:
                lines = read_lines([file], sys.exit)
                found = list(
                    run_filter(lines, LineFilter(ingest, "score"), Routes(LineOutput(nowhere)), workers, Summary())
                )
            assert len(found) == len(items)

        ways: dict[str, Callable[[], None]] = {
            "detector": score,
            "filter": lambda: run(1),
            "filter, two workers": lambda: run(2),
            "GopherQualityFilter": quality,
        }
        best = dict.fromkeys(ways, float("inf"))
        for _ in range(ROUNDS):
            for name, way in ways.items():
                began = time.perf_counter()
                way()
                best[name] = min(best[name], time.perf_counter() - began)
    return {name: round(len(items) / seconds, 1) for name, seconds in best.items()}


def measure_memory(records: int, workers: int, articles: Sequence[str]) -> list[dict[str, Any]]:
    """Resident megabytes of the command's processes, the largest one's, after each tenth of the records."""
    lines = [
        json.dumps({"id": str(number), "text": " ".join(text.split(" ")[:_SHORT])}).encode() + b"\n"
        for number, text in enumerate(articles)
    ]
    command = [sys.executable, "-c", "from unspun.cli import main; main()", "filter", "--workers", str(workers)]
    curve = []
    began = time.perf_counter()
    with (
        Path(os.devnull).open("wb") as nowhere,
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=nowhere) as process,
    ):
        assert process.stdin
        for number in range(records):
            process.stdin.write(lines[number % len(lines)])
            if (number + 1) % max(1, records // 10) == 0:
                seconds = round(time.perf_counter() - began)
                curve.append({"records": number + 1, "seconds": seconds, "megabytes": _weigh(process.pid)})
        process.stdin.close()
    return curve


def _weigh(process: int) -> int:
    """The resident megabytes of the largest among a process and its children (Linux)."""
    children = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    sizes = []
    for one in (str(process), *children):
        [line] = [row for row in Path(f"/proc/{one}/status").read_text().splitlines() if row.startswith("VmRSS")]
        sizes.append(int(line.split()[1]) // 1000)
    return max(sizes)


def main(arguments: Sequence[str] | None = None) -> int:
    """``scripts/measure_filter``: what the filter costs beside scoring, on two cores, and beside a crawl's filter."""
    parser = argparse.ArgumentParser(prog="scripts/measure_filter", description=main.__doc__)
    parser.add_argument("--count", type=int, default=400, help=f"articles of {WORDS} words")
    parser.add_argument("--spun", type=float, default=0.05, help="share of spun articles")
    parser.add_argument("--context", default="auto", choices=get_args(Context))
    parser.add_argument("--records", type=int, default=0, help="watch the memory over so many short records")
    options = parser.parse_args(arguments)
    articles = make_articles(options.spun, options.count)
    found: dict[str, Any] = {"machine": f"{platform.machine()}, {os.cpu_count()} cores", "options": vars(options)}
    speed = found["articles a second"] = measure_speed(articles, options.context)
    found["cost of filtering"] = round(speed["detector"] / speed["filter"] - 1, 3)
    found["gain of a second worker"] = round(speed["filter, two workers"] / speed["filter"], 2)
    found["against GopherQualityFilter"] = round(speed["filter"] / speed["GopherQualityFilter"], 2)
    if options.records:
        found["memory"] = measure_memory(options.records, 2, articles)
    print(json.dumps(found, indent=2))
    return 0
