"""``scripts/bench``: everything measured in one run, printed, and with ``--write`` kept and put into the README."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from unspun.training.bench.start import measure_start
from unspun.training.progress import start_clock

#: Threads of the libraries that might start their own: what is measured is one core.
_ONE_THREAD: Final = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
_PEERS: Final = ("datatrove", "regex", "spacy", "datasketch", "fasttext", "matplotlib")
#: Load, of the last minute, from which something else runs.
_IDLE: Final = 0.5
#: Where the results go, from the root of the repository.
_FOLDER: Final = Path("models/bench")
_README: Final = Path("README.md")


class PeerMissingError(ImportError):
    """A peer is not installed; the message says how to."""


def check_peers(names: Sequence[str] = _PEERS) -> None:
    """Raises PeerMissingError, naming the extra, unless all are installed; imports none."""
    missing = [name for name in names if find_spec(name) is None]
    if missing:
        raise PeerMissingError(f"{', '.join(missing)} not installed; install the extra: pip install '.[bench]'")


def measure(options: argparse.Namespace, say: Callable[[str], None]) -> dict[str, Any]:
    """Everything. Raises PeerMissingError where a peer is not installed."""
    check_peers()
    load = os.getloadavg()[0]
    if load > _IDLE:
        say(f"the machine is busy (load {load:.1f}): these figures are not to be kept")
    # Before anything heavy is imported, see there.
    say("start and memory")
    start = measure_start(warm=3 if options.quick else 9, cold=1 if options.quick else 5)

    from unspun import __version__
    from unspun.detector import Detector
    from unspun.training.bench import articles, classifier, curves, machine, peers
    from unspun.training.bench.race import race

    described = {**machine.describe_machine(), "load before": round(load, 2)}
    found: dict[str, Any] = {"unspun": __version__, "machine": described, "start": start}
    detector = Detector.load(context="never")
    found["model"] = detector.name
    pool = articles.read_pool(detector.lexicon, options.shared)
    timed = articles.make_texts(pool.texts, pool.dictionaries, options.count, options.words, options.spun, "timed")
    found["articles"] = {**_describe([text for text, _ in timed]), "spun": options.spun}
    say("the classifier learns")
    learnt = classifier.train_classifier(pool, options.learnt, options.words)
    found["classifier"] = classifier.measure_classifiers(learnt, detector, pool, options.count, options.words)
    say(f"{len(timed)} articles without references")
    alone = race(peers.list_alone(detector, timed, learnt), options.rounds, options.seconds)
    found["alone"] = {"ms": alone, "kept": peers.count_kept([text for text, _ in timed])}
    beside = articles.make_compared(pool, max(1, options.count // 4), options.words, options.spun)
    say(f"{len(beside)} articles with three references")
    compared = race(peers.list_compared(detector, beside), options.rounds, options.seconds)
    found["compared"] = {**_describe([article.text for article in beside]), "ms": compared}
    aligned = race(peers.list_aligners(detector, beside, len(beside)), options.rounds, options.seconds)
    found["alignment"] = {"count": len(beside), "ms": aligned}
    found["length"] = curves.measure_lengths(pool, options.longest, options.seconds, say)
    found["number"] = curves.measure_numbers(pool, options.most, options.seconds, say)
    return found


def _describe(texts: Sequence[str]) -> dict[str, float]:
    from unspun.text import Text

    return {
        "count": len(texts),
        "words": round(sum(len(Text(text).words) for text in texts) / len(texts), 1),
        "characters": round(sum(map(len, texts)) / len(texts), 1),
    }


def _round(value: Any) -> Any:
    """Numbers with five digits: more would be noise."""
    if isinstance(value, dict):
        return {key: _round(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_round(one) for one in value]
    return float(f"{value:.5g}") if isinstance(value, float) else value


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/bench", description=main.__doc__)
    parser.add_argument("--stages", action="store_true", help="milliseconds of each stage of a verdict, nothing else")
    parser.add_argument(
        "--write", action="store_true", help=f"keep the results in {_FOLDER} and put them into README.md"
    )
    parser.add_argument("--shared", type=Path, help="the shared folder: its corpora instead of the repository's texts")
    parser.add_argument("--quick", action="store_true", help="short turns, up to 10,000 articles and 100 kB: to try it")
    parser.add_argument("--count", type=int, default=400, help="articles without references; a quarter of them with")
    parser.add_argument("--words", type=int, default=340, help="words of an article, mean")
    parser.add_argument("--spun", type=float, default=0.1, help="share of spun articles")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=1.0, help="least length of a turn")
    parser.add_argument("--learnt", type=int, default=4000, help="articles that the fastText classifier learns from")
    parser.add_argument("--most", type=int, default=1_000_000, help="articles of the longest stream")
    parser.add_argument("--longest", type=int, default=1_000_000, help="characters of the longest text")
    parser.add_argument("--core", type=int, default=max(os.sched_getaffinity(0)), help="the core that all run on")
    options = parser.parse_args(arguments)
    if options.quick:
        options.rounds, options.seconds, options.count, options.learnt = 3, 0.2, min(options.count, 80), 500
        options.most, options.longest = min(options.most, 10_000), min(options.longest, 100_000)
    return options


def keep_to_core(core: int) -> None:
    """This process, and those that it starts, on one core and without threads of their own."""
    os.sched_setaffinity(0, {core})
    # Read when the libraries are first imported.
    os.environ.update(dict.fromkeys(_ONE_THREAD, "1"))


def main(arguments: Sequence[str] | None = None) -> int:
    """What unspun costs beside its peers on one core: articles a second with and without references, start and memory,
    how cost grows with length and number. Some 20 minutes; needs the extra bench."""
    options = _parse(arguments)
    if options.stages:
        from unspun.training.bench.stages import print_stages

        return print_stages()
    keep_to_core(options.core)
    say = start_clock()

    try:
        results = measure(options, say)
    except (ImportError, FileNotFoundError, ValueError) as error:
        print(f"scripts/bench: {error}", file=sys.stderr)
        return 2
    kept = {name: value for name, value in vars(options).items() if name not in ("write", "stages", "shared")}
    results = _round({**results, "options": {**kept, "shared": options.shared is not None}})
    from unspun.training.bench import report

    print(report.write_page(results))
    if options.write:
        from unspun.training.bench.plots import draw_plots

        _FOLDER.mkdir(parents=True, exist_ok=True)
        (_FOLDER / "bench.json").write_text(json.dumps(results, indent=1) + "\n", "utf-8")
        (_FOLDER / "bench.md").write_text(report.write_page(results), "utf-8")
        draw_plots(results, _FOLDER)
        report.write_to(_README, report.write_section(results))
        say(f"written to {_FOLDER} and {_README}")
    return 0
