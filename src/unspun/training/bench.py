"""How long each stage takes: medians over the spun sample articles, joined in threes to some 600 words."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable
from typing import Any, TypeVar

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


def main() -> int:
    """``scripts/bench``: milliseconds of each stage for an article and its source, on one core."""
    detector = Detector.load()
    samples = [s for s in read_samples(find_data("samples")) if s.kind == "spun"]
    threes = [samples[i : i + 3] for i in range(0, len(samples) - 2)]
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
        ids = references.number_words(text.norms)
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
    return 0


def _parse(raw: str) -> Text:
    text = Text(raw)
    _ = text.words, text.sentences
    return text
