"""What an index of references finds again, how fast, and what it costs: scripts/measure_index

The real articles of the shared corpora are enlarged to so many by articles put together from stretches of theirs, some
of them spun: same names, same topics, often the same sentences. What an article stands for an event by (ECB+, FNC-1) is
left out of that, else no report of the event but the pieces of the article itself would be found.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import resource
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import numpy as np
from rapidfuzz.distance import LCSseq

from unspun.article import Article
from unspun.index.query import Index
from unspun.lexicon import Lexicon
from unspun.readers import read_articles
from unspun.references import fingerprint
from unspun.text import Text
from unspun.training.corpora import HARD, HUMAN, Document, read_corpus
from unspun.training.dictionaries import Dictionary, load_dictionaries
from unspun.training.measuring.retrieval_peers import PEERS, Ask
from unspun.training.spinner import spin_whole

#: Corpora whose clusters are one event told by several.
_EVENTS: Final = ("ecbplus_clusters", "fnc1")
#: Shares of words to be replaced.
RATES: Final = (0.2, 0.4, 0.6)
#: Shorter documents are not judged either.
_LEAST_WORDS: Final = 60
#: Documents that are spun for the enlarged corpus, and the words of an article put together.
_SPUN: Final = 1500
_WORDS: Final = (120, 700)
#: The source counts as found among so many.
_TOP: Final = 5


def read_distinct(shared: Path) -> list[Document]:
    """The documents of all corpora, each once: copies, and those with the same opening, go."""
    documents, seen = list[Document](), set[object]()
    for name in (*HUMAN, *HARD):
        for document in read_corpus(shared, name):
            text = Text(document.text)
            marks = {fingerprint(text), tuple(text.norms[:12])}
            if len(text.norms) >= _LEAST_WORDS and not marks & seen:
                documents.append(document)
                seen |= marks
    return documents


def spin_to(text: str, dictionaries: Sequence[Dictionary], rate: float, rng: random.Random) -> str:
    """The text spun by one family after the other until so many of its words are others, or no family is left."""
    spun = text
    for dictionary in rng.sample(dictionaries, len(dictionaries)):
        missing = rate - measure_rate(text, spun)
        if missing < 0.02:
            break
        spun = spin_whole(spun, dictionary, missing / max(0.2, 1 - rate + missing), rng).text
    return spun


def measure_rate(text: str, spun: str) -> float:
    """The share of a text's words that are not in the spun one at their place."""
    norms = Text(text).norms
    return 1 - LCSseq.similarity(norms, Text(spun).norms) / max(1, len(norms))


def replace_at_random(text: str, words: Sequence[str], rate: float, rng: random.Random) -> str:
    """The text with that share of all words, names and figures too, replaced by words of other articles."""
    pieces, at = list[str](), 0
    for word in Text(text).words:
        pieces += [text[at : word.start], rng.choice(words) if rng.random() < rate else text[word.start : word.end]]
        at = word.end
    return "".join([*pieces, text[at:]])


def take_half(text: str) -> str:
    """The middle half of a text."""
    words = Text(text).words
    first, last = words[len(words) // 4], words[3 * len(words) // 4]
    return text[first.start : last.end]


def write_corpus(
    path: Path, documents: Sequence[Document], apart: set[str], size: int, dictionaries: Sequence[Dictionary],
    rng: random.Random,
) -> None:  # fmt: skip
    """JSON lines of the documents and of as many put together from the others than ``apart`` as are missing."""
    by_corpus = defaultdict[str, list[list[str]]](list)
    used = [document for document in documents if document.id not in apart]
    spun = set(rng.sample(range(len(used)), min(_SPUN, len(used))))
    for number, document in enumerate(used):
        text = document.text
        by_corpus[document.corpus].append(cut_sentences(text))
        if number in spun:
            by_corpus[document.corpus].append(cut_sentences(spin_whole(text, rng.choice(dictionaries), 0.3, rng).text))
    pools = [pool for pool in by_corpus.values() if len(pool) > 50]
    shares = [len(pool) for pool in pools]
    with path.open("w", encoding="utf-8") as file:
        for document in documents:
            file.write(json.dumps({"id": document.id, "text": document.text}) + "\n")
        for number in range(size - len(documents)):
            text = put_together(rng.choices(pools, shares)[0], rng)
            record = {"id": f"made/{number}", "text": text, "url": f"https://example.org/made/{number}"}
            file.write(json.dumps(record) + "\n")


def cut_sentences(text: str) -> list[str]:
    """The sentences of a text."""
    source = Text(text)
    return [text[start:end] for start, end in source.sentence_slices]


def put_together(pool: Sequence[Sequence[str]], rng: random.Random) -> str:
    """Stretches of a few sentences of several articles."""
    wanted, words, pieces = rng.randint(*_WORDS), 0, list[str]()
    while words < wanted:
        sentences = rng.choice(pool)
        first = rng.randrange(len(sentences))
        stretch = sentences[first : first + rng.randint(1, 4)]
        rng.shuffle(stretch := list(stretch))
        pieces += stretch
        words += sum(sentence.count(" ") + 1 for sentence in stretch)
    return " ".join(pieces)


def measure_recall(
    ask: Ask, documents: Sequence[Document], changed: Sequence[str]
) -> tuple[dict[str, float], list[float]]:
    """How often a document is among the first found for its changed text; processor seconds of each query, from the
    bare text to the articles found."""
    found = first = 0
    times = list[float]()
    for document, text in zip(documents, changed, strict=True):
        # Processor time: what else runs on the machine does not count.
        began = time.process_time()
        ids = ask(text, _TOP)
        times.append(time.process_time() - began)
        found += document.id in ids
        first += document.id in ids[:1]
    count = len(documents)
    rates = [measure_rate(document.text, text) for document, text in zip(documents, changed, strict=True)]
    figures = {"in_top_5": found / count, "first": first / count, "replaced": float(np.mean(rates)), "queries": count}
    return {name: round(value, 4) for name, value in figures.items()}, times


def measure_peer(
    name: str, source: Path, asked: Sequence[Document], changes: Mapping[str, Sequence[str]]
) -> dict[str, Any]:
    """The same of another library, built of the same articles in this process."""
    articles = [item for item in read_articles([source]) if isinstance(item, Article)]
    with TemporaryDirectory() as folder:
        began = time.process_time()
        ask = PEERS[name](articles, Path(folder))
        built = time.process_time() - began
        times, figures = list[float](), {"articles_a_processor_second": round(len(articles) / built)}
        recall = dict[str, float]()
        for change, texts in changes.items():
            found, taken = measure_recall(ask, asked, texts)
            recall[change] = found["in_top_5"]
            times += taken
    return figures | {"in_top_5": recall, "query_ms": _spread(times)}


def _spread(times: Sequence[float]) -> dict[str, float]:
    middle, rare = np.percentile(times, [50, 99]) * 1000
    return {"median": round(middle, 2), "p99": round(rare, 2)}


def measure_events(index: Index, documents: Sequence[Document], asked: Sequence[Document]) -> dict[str, float]:
    """How often another report of a document's event is among the first found, the document itself left out."""
    told = defaultdict[str, set[str]](set)
    for document in documents:
        if document.corpus in _EVENTS and document.cluster:
            told[document.cluster].add(document.id)
    found = count = 0
    for document in asked:
        others = told[document.cluster or ""] - {document.id}
        if others:
            hits = index.query(Text(document.text), _TOP + 1, leave_out="copies")
            ids = [hit.article.id for hit in hits if hit.article.id != document.id][:_TOP]
            count += 1
            found += bool(others & set(ids))
    return {"in_top_5": round(found / max(1, count), 4), "queries": count}


def measure_opening(path: Path) -> float:
    """Milliseconds to open the index in a process that has imported what it needs; the median of five processes."""
    code = (
        "import sys, time; from unspun.index.query import Index; began = time.perf_counter(); "
        "Index.open(sys.argv[1]); print((time.perf_counter() - began) * 1000)"
    )
    times = [float(subprocess.check_output([sys.executable, "-c", code, str(path)])) for _ in range(5)]
    return round(float(np.median(times)), 1)


#: Runs the command and says how much memory it had at most: what the system tells of a child counts its parent's too.
_COMMAND: Final = """
import atexit
atexit.register(lambda: print(open("/proc/self/status").read().partition("VmHWM:")[2].split()[0]))
from unspun.cli import main
main()
"""


def run_build(source: Path, out: Path) -> dict[str, float]:
    """Seconds and most memory of ``unspun index build`` as a process of its own, start included (Linux)."""
    command = [sys.executable, "-c", _COMMAND, "index", "build", str(source), "--out", str(out)]
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    kilobytes = int(subprocess.check_output(command))
    seconds, used = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    return {
        "seconds": round(seconds, 1),
        "processor_seconds": round(used.ru_utime + used.ru_stime - before.ru_utime - before.ru_stime, 1),
        "memory_mb": round(kilobytes / 1024),
    }


def tell_cost(index: Index, path: Path, built: Mapping[str, float]) -> dict[str, Any]:
    """What an index cost to build (``built``, as :func:`run_build` tells), to keep and to open."""
    count = len(index)
    rate = {
        "articles_a_second": round(count / built["seconds"]),
        "articles_a_processor_second": round(count / built["processor_seconds"]),
    }
    texts, beside = map(sum, zip(*(segment.measure() for segment in index.segments), strict=True))
    return {
        "build": {**built, **rate},
        "bytes_an_article": {"index": round(beside / count), "packed_text": round(texts / count)},
        "open_ms": measure_opening(path),
    }


def list_changes(
    dictionaries: Sequence[Dictionary], words: Sequence[str], rng: random.Random
) -> Iterator[tuple[str, Callable[[str], str]]]:
    """What is done to an article before its source is looked for, with a name."""
    for rate in RATES:
        yield f"spun_{rate:.0%}", lambda text, rate=rate: spin_to(text, dictionaries, rate, rng)  # type: ignore[misc]
    for rate in RATES:
        yield f"random_{rate:.0%}", lambda text, rate=rate: replace_at_random(text, words, rate, rng)  # type: ignore[misc]
    yield "half", take_half
    yield "half_spun_20%", lambda text: spin_to(take_half(text), dictionaries, 0.2, rng)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="scripts/measure_index", description=__doc__)
    parser.add_argument("--shared", type=Path, required=True, help="the folder with corpora/")
    parser.add_argument("--size", type=int, default=20_000, help="references of the index")
    parser.add_argument("--queries", type=int, default=300, help="articles looked for in each way")
    parser.add_argument("--peers", nargs="*", choices=PEERS, default=[], help="other libraries, on the same articles")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--folder", type=Path, help="keep the enlarged corpus and the index here, and use them again")
    given = parser.parse_args(arguments)
    rng = random.Random(given.seed)
    documents = read_distinct(given.shared)
    events = [document for document in documents if document.corpus in _EVENTS and document.cluster]
    apart = {document.id for document in events}
    asked = rng.sample(documents, min(given.queries, len(documents)))
    lexicon = Lexicon.load()
    dictionaries = load_dictionaries(lexicon, given.shared)
    words = [norm for document in rng.sample(documents, 300) for norm in Text(document.text).norms]
    figures: dict[str, Any] = {"machine": platform.machine(), "cores": os.cpu_count(), "size": given.size}
    with TemporaryDirectory() as temporary:
        folder = given.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        source, out = folder / f"articles-{given.size}.jsonl", folder / f"index-{given.size}"
        if not source.exists():
            write_corpus(source, documents, apart, given.size, dictionaries, random.Random(given.seed))
        built = run_build(source, out)
        index = Index.open(out, lexicon)
        figures |= tell_cost(index, out, built)
        for document in asked[:20]:
            index.query(Text(document.text))
        times = list[float]()
        changes = {
            name: [change(document.text) for document in asked]
            for name, change in list_changes(dictionaries, words, rng)
        }
        for change_name, changed in changes.items():
            figures[change_name], taken = measure_recall(
                lambda text, count: [hit.article.id for hit in index.query(Text(text), count)], asked, changed
            )
            times += taken
        figures["query_ms"] = _spread(times)
        for corpus in _EVENTS:
            own = [document for document in events if document.corpus == corpus]
            figures[f"same_event_{corpus}"] = measure_events(
                index, documents, rng.sample(own, min(given.queries, len(own)))
            )
        for name in given.peers:
            figures.setdefault("peers", {})[name] = measure_peer(name, source, asked, changes)
    print(json.dumps(figures, indent=1))
    return 0
