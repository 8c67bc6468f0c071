"""How long each stage takes, as medians over the spun sample articles, joined in threes to some 600 words; and how many
of the sample articles are scored in a second without references."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable
from typing import Any, Final, TypeVar

import numpy as np

from unspun.alignment import align
from unspun.article import Article
from unspun.detector import Detector
from unspun.examined import Examined
from unspun.extractors.substitutions import Comparison, find_substitutions
from unspun.extractors.usage import examine_usage
from unspun.extractors.wording import examine_wording
from unspun.references import References
from unspun.resources import find_data
from unspun.text import Text
from unspun.training.samples import read_samples

T = TypeVar("T")

#: Times that all articles are scored; the fastest counts, since whatever else runs can only slow it down.
ROUNDS: Final = 7


def print_stages() -> int:
    """``scripts/bench --stages``: milliseconds of each stage for an article and its source; articles a second alone."""
    detector = Detector.load()
    samples = read_samples(find_data("samples"))
    spun = [sample for sample in samples if sample.kind == "spun"]
    threes = [spun[i : i + 3] for i in range(0, len(spun) - 2)]
    times, words = defaultdict[str, list[float]](list), list[int]()

    def clock(stage: str, work: Callable[..., T], *arguments: Any) -> T:
        began = time.perf_counter()
        result = work(*arguments)
        times[stage].append(time.perf_counter() - began)
        return result

    for three in threes:
        article, source = "\n\n".join(s.text for s in three), "\n\n".join(s.original for s in three)
        references = References.build([Article("source", source)], detector.lexicon)
        detector.score(article, references)  # warms what is found once a reference
        text = clock("words and sentences", _parse, article)
        words.append(len(text.words))
        examined = Examined(text, detector.lexicon)
        ids = references.number_words(text)
        (candidate,), _ = clock("retrieval", references.query, text)
        reference = candidate.reference
        _ = examined.ids, examined.zipf, examined.breaks, examined.sentence_of
        alignment = clock("alignment", align, examined, ids, reference, references.weights)
        clock("substitutions", find_substitutions, examined, [Comparison(reference, alignment)])
        wordings = clock("wording", examine_wording, examined)
        clock("usage", examine_usage, examined, wordings, [(reference, alignment)])
        clock("whole verdict, alone", detector.score, article)
        clock("whole verdict, compared", detector.score, article, references)
    print(f"{len(threes)} articles of {int(np.median(words))} words (median)")
    for stage, values in times.items():
        print(f"{stage:24} {np.median(values) * 1000:7.2f} ms")
    texts = [sample.text for sample in samples]
    seconds = min(_time_all(detector, texts) for _ in range(ROUNDS))
    length = np.mean([len(Text(text).words) for text in texts])
    print(f"{len(texts)} articles of {length:.0f} words (mean), alone: {len(texts) / seconds:.0f} articles a second")
    return 0


def _time_all(detector: Detector, texts: list[str]) -> float:
    began = time.perf_counter()
    for text in texts:
        detector.score(text)
    return time.perf_counter() - began


def _parse(raw: str) -> Text:
    text = Text(raw)
    _ = text.words, text.sentences
    return text
