"""One point of a curve, measured in this process alone: ``python -m unspun.training.bench.point FILE``

``FILE`` is JSON: ``pairs`` (lists of an article and its reference or null) and ``seconds`` to go on for at least, or
``words`` of a long text and the ``count`` of short articles to be made of them and scored as a stream; ``memory``
limits the process (bytes). Prints JSON: ``ms`` of each pass over all articles, an article; ``megabytes``
(10^6 bytes) of memory at the most; or ``failed``, why not.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from collections import deque
from pathlib import Path
from typing import Any, Final

from unspun.detector import Detector
from unspun.training.bench.articles import stream_short
from unspun.training.bench.memory import weigh_process

#: Words of a short article.
SHORT: Final = 60
_WARM: Final = "The council said on Monday that the new bridge over the river would not be opened before spring. " * 5
#: Passes, at the most.
_MOST_PASSES: Final = 50


def measure_point(asked: dict[str, Any]) -> dict[str, Any]:
    detector = Detector.load(context="never")
    # What is built at first use, so that a point of one pass does not count it.
    detector.score(_WARM, [f"{_WARM} indeed"] if "pairs" in asked and asked["pairs"][0][1] is not None else None)
    if "count" in asked:
        items = asked["count"]

        def run(turn: int) -> None:
            # Others in every turn: the same few would be read from the processor's caches.
            numbers = range(turn * items, (turn + 1) * items)
            deque(detector.score_many(stream_short(asked["words"], numbers, SHORT)), maxlen=0)
    else:
        pairs = asked["pairs"]
        items = len(pairs)

        def run(turn: int) -> None:
            for article, reference in pairs:
                detector.score(article, None if reference is None else [reference])

    passes = list[float]()
    while not passes or (sum(passes) < asked["seconds"] and len(passes) < _MOST_PASSES):
        began = time.perf_counter()
        run(len(passes))
        passes.append(time.perf_counter() - began)
    # The first pass of several warms what the others use.
    passes = passes[1:] or passes
    return {"ms": [seconds * 1000 / items for seconds in passes], "megabytes": weigh_process()}


def main() -> int:
    asked = json.loads(Path(sys.argv[1]).read_text("utf-8"))
    resource.setrlimit(resource.RLIMIT_AS, (asked["memory"], asked["memory"]))
    try:
        found = measure_point(asked)
    except MemoryError:
        found = {"failed": f"takes more than {asked['memory'] / 1e9:.0f} GB"}
    print(json.dumps(found))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
