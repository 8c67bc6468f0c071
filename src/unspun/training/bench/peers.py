"""Who runs over the articles: unspun in its ways, and its peers (extra ``bench``)."""

from __future__ import annotations

import random
import re
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from difflib import SequenceMatcher
from functools import partial
from typing import Any, Final

from rapidfuzz.distance import Indel, Levenshtein

from unspun.alignment import align
from unspun.article import Article
from unspun.detector import Detector
from unspun.examined import Examined
from unspun.references import References
from unspun.text import WORD, Text
from unspun.training.bench.articles import Timed
from unspun.training.bench.race import Way

#: The rows that the others are set beside, and the targets speak of.
UNSPUN: Final = "unspun, score_many, one worker"
HONEST: Final = "the same, honest articles alone"
COMPARED: Final = "unspun, references built for each article"
ALIGN: Final = "unspun.alignment.align"
QUALITY: Final = "datatrove GopherQualityFilter"
FLOOR: Final = r"tokenising floor, re.findall(r'\w+')"

_PERMUTATIONS: Final = 128
_SHINGLE: Final = 5
_TOKEN: Final = re.compile(r"\w+")


def _apply(work: Callable[..., object], arguments: Sequence[Any]) -> object:
    return work(*arguments)


def _each(work: Callable[[Any], object], items: Sequence[Any]) -> Way:
    def run() -> None:
        for item in items:
            work(item)

    return Way(run, len(items))


def _exhaust(detector: Detector, texts: Sequence[str]) -> Way:
    return Way(lambda: deque(detector.score_many(texts), maxlen=0), len(texts))


def _filter(texts: Sequence[str], name: str) -> Way:
    from datatrove import data
    from datatrove.pipeline import filters

    return _each(getattr(filters, name)().filter, [data.Document(text, str(n)) for n, text in enumerate(texts)])


def count_kept(texts: Sequence[str]) -> dict[str, float]:
    """The share of the articles that each filter keeps: it does all its work on these only."""
    from datatrove import data
    from datatrove.pipeline import filters

    documents = [data.Document(text, str(number)) for number, text in enumerate(texts)]
    found = {}
    for name in ("GopherQualityFilter", "GopherRepetitionFilter"):
        keep = getattr(filters, name)().filter
        found[f"datatrove {name}"] = sum(keep(document) is True for document in documents) / len(documents)
    return found


def _sign(text: str) -> Any:
    from datasketch import MinHash

    words = _TOKEN.findall(text.lower())
    shingles = {" ".join(words[at : at + _SHINGLE]) for at in range(max(1, len(words) - _SHINGLE + 1))}
    signature = MinHash(num_perm=_PERMUTATIONS)
    signature.update_batch([shingle.encode() for shingle in shingles])
    return signature


def list_alone(detector: Detector, articles: Sequence[tuple[str, bool]], classifier: Any) -> Mapping[str, Way]:
    """The contestants without references. ``classifier``: the fastText model."""
    texts = [text for text, _ in articles]
    lines = [text.replace("\n", " ") for text in texts]  # fastText takes no line ends
    spun, honest = ([text for text, is_spun in articles if is_spun == wanted] for wanted in (True, False))
    return {
        UNSPUN: _exhaust(detector, texts),
        "the same, spun articles alone": _exhaust(detector, spun),
        HONEST: _exhaust(detector, honest),
        "unspun, score, one by one": _each(detector.score, texts),
        QUALITY: _filter(texts, "GopherQualityFilter"),
        "datatrove GopherRepetitionFilter": _filter(texts, "GopherRepetitionFilter"),
        "fastText classifier": Way(lambda: classifier.predict(lines), len(lines)),
        f"datasketch MinHash, {_PERMUTATIONS} permutations of {_SHINGLE}-word shingles": _each(_sign, texts),
        "unspun's own words, WORD.findall": _each(WORD.findall, texts),
        FLOOR: _each(_TOKEN.findall, texts),
    }


def _align_difflib(one: Sequence[Any], other: Sequence[Any]) -> object:
    return SequenceMatcher(None, one, other, autojunk=False).get_opcodes()


#: Alignment by others, of words or of their numbers.
_ALIGNERS: Final[dict[str, Callable[[Sequence[Any], Sequence[Any]], object]]] = {
    "difflib SequenceMatcher": _align_difflib,
    "rapidfuzz Levenshtein.opcodes": Levenshtein.opcodes,
    "rapidfuzz Indel.opcodes": Indel.opcodes,
}


def list_compared(detector: Detector, articles: Sequence[Timed]) -> Mapping[str, Way]:
    """The contestants with three references an article; the aligners are given its words and those of each."""

    def score(article: Timed) -> object:
        return detector.score(article.text, article.references)

    def align_all(work: Callable[[Sequence[Any], Sequence[Any]], object]) -> Callable[[Timed], None]:
        def run(article: Timed) -> None:
            words = _TOKEN.findall(article.text)
            for reference in article.references:
                work(words, _TOKEN.findall(reference))

        return run

    built = [(article.text, detector.build_references(article.references)) for article in articles]
    return {
        COMPARED: _each(score, articles),
        "the same, spun articles alone": _each(score, [article for article in articles if article.spun]),
        HONEST: _each(score, [article for article in articles if not article.spun]),
        "unspun, references built before": _each(partial(_apply, detector.score), built),
        QUALITY: _filter([article.text for article in articles], "GopherQualityFilter"),
        **{f"{name}, words and three alignments": _each(align_all(work), articles) for name, work in _ALIGNERS.items()},
    }


def list_aligners(detector: Detector, articles: Sequence[Timed], pairs: int) -> Mapping[str, Way]:
    """Alignment by itself, words and numbers ready: an article and its source (or the first report), so many pairs."""
    ready = []
    for article in random.Random("pairs").sample(articles, min(pairs, len(articles))):
        references = References.build([Article("reference", article.references[0])], detector.lexicon)
        examined = Examined(Text(article.text), detector.lexicon)
        ids = references.number_words(examined.text)
        reference = references.find("reference")
        assert reference is not None
        ready.append((examined, ids, reference, references.weights))
    plain = [(examined.text.norms, reference.examined.text.norms) for examined, _, reference, _ in ready]
    return {
        ALIGN: _each(partial(_apply, align), ready),
        **{name: _each(partial(_apply, work), plain) for name, work in _ALIGNERS.items()},
    }
