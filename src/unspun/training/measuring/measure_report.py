"""How large and how fast the reviewer's pages are, on invented texts: scripts/measure_report

Needs the extra ``dev`` and a Chromium; the pages and the times are made anew by each run.
"""

from __future__ import annotations

import argparse
import platform
import random
import shutil
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from unspun.article import Article, Passage, Relation, Span, Verdict
from unspun.lexicon import Lexicon
from unspun.reporters.html import render_report
from unspun.reporters.overview import make_row, render_overview

_WORDS = (
    "council bridge harbour report morning closed engineer ward budget village answer meeting river flood repair "
    "minister family winter service question letter street warning station paper season quarter school doctor"
).split()
#: Scrolls a pane to its end in steps, one a frame: the longest time between two frames is the worst stall.
_SCROLL = """async () => {
  const pane = document.getElementById("own"), gaps = [];
  let last = performance.now();
  for (let step = 0; step < 120; step++) {
    pane.scrollTop += pane.scrollHeight / 120;
    await new Promise(requestAnimationFrame);
    const now = performance.now();
    gaps.push(now - last);
    last = now;
  }
  return Math.max(...gaps);
}"""
#: From the click to the next painted frame.
_SORT = """async () => {
  const times = [];
  for (const button of document.querySelectorAll("th button")) {
    const began = performance.now();
    button.click();
    await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
    times.push(performance.now() - began);
  }
  return Math.max(...times);
}"""


def invent(words: int, swaps: int, references: int) -> tuple[Article, list[Article], Verdict]:
    """An article of so many words and swaps, its source, and reports that share every other sentence with it."""
    random_ = random.Random(words)
    sentences = [[random_.choice(_WORDS) for _ in range(16)] for _ in range(words // 16)]
    source = ". ".join(" ".join(sentence).capitalize() for sentence in sentences) + "."
    places = sorted(random_.sample([at for at, char in enumerate(source) if char == " "], swaps))
    text, spans, reached = "", list[Span](), 0
    for place in places:
        start = place + 1
        end = min(at for at in (source.find(" ", start), source.find(".", start), len(source)) if at > 0)
        if start < reached:
            continue
        text += source[reached:start]
        passage = Passage("source", start, end, source[start:end])
        spans.append(Span(len(text), len(text) + 7, "swapped", "synonym", 0.95, source[start:end], passage))
        text += "swapped"
        reached = end
    text += source[reached:]
    others = [Article("source", source, None, "The source")]
    others += [Article(f"report {n}", ". ".join(source.split(". ")[n % 2 :: 2])) for n in range(1, references)]
    relations = tuple(Relation(other.id, "spun" if other.id == "source" else "edited", 0.5) for other in others)
    return Article("a", text), others, Verdict("a", None, 0.99, "spun", "synonyms_swapped", tuple(spans), relations)


def main(arguments: Sequence[str] | None = None) -> int:
    argparse.ArgumentParser(prog="scripts/measure_report", description=__doc__).parse_args(arguments)
    from playwright.sync_api import sync_playwright

    lexicon = Lexicon.load()
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    print(f"{platform.machine()}, {chromium or 'the browser of playwright'}")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        path = Path(folder) / "page.html"
        for words, swaps in ((800, 80), (20_000, 2_000)):
            case = invent(words, swaps, 3)
            times = []
            for _ in range(7):
                began = time.perf_counter()
                source = render_report(*case, lexicon)
                times.append(time.perf_counter() - began)
            path.write_text(source, encoding="utf-8")
            loads = []
            for _ in range(5):
                page.goto(path.as_uri())
                loads.append(page.evaluate("performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd"))
            load, stall = statistics.median(loads), page.evaluate(_SCROLL)
            print(
                f"article of {words:,} words, {len(case[2].spans):,} swaps: {len(source.encode()):,} bytes, "
                f"drawn in {statistics.median(times) * 1000:.0f} ms, interactive in {load:.0f} ms, "
                f"longest stall while scrolling {stall:.0f} ms"
            )
        names = [f"inbox/a-rather-long-name-{n}.txt" for n in range(2_000)]
        verdict = invent(800, 80, 1)[2]
        rows = [make_row(verdict, f"Headline number {n} of the usual length", name) for n, name in enumerate(names)]
        overview = render_overview(rows)
        path.write_text(overview, encoding="utf-8")
        page.goto(path.as_uri())
        print(f"overview of 2,000 articles: {len(overview.encode()):,} bytes, sorted in {page.evaluate(_SORT):.0f} ms")
        browser.close()
    return 0
