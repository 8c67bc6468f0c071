"""Whom unspun wrongs: honest text called spun or suspect, by kind of text, with how far that can be known:
scripts/measure_fairness

Documents of the validation part of every corpus, which no shipped model was trained on, the pages of the web mix by
sort of site, and LLM prose that nothing was trained on. Alone, and beside what honest copies stand beside: a legally
anonymised text beside the one with names.
"""

from __future__ import annotations

import argparse
import random
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final, get_args

from unspun.article import Article, Verdict
from unspun.detector import Context, Detector
from unspun.readers import read_articles
from unspun.resources import find_data
from unspun.text import Text
from unspun.training.corpora import HARD, HUMAN, read_corpus, split
from unspun.training.markdown import write_head, write_row
from unspun.training.measures import bound_share
from unspun.training.situations import cut

_WORDS: Final = 400
_LEAST_WORDS: Final = 60
#: Fewer texts of a kind say nothing of it alone.
_LEAST_TEXTS: Final = 15
_NAMES: Final = {
    "abc_au": "news, Australia", "bbc": "news, Britain", "reuters21578": "news agency, 1987",
    "ecbplus_clusters": "news, United States", "fnc1": "news, online", "brown": "all kinds of print, 1961",
    "outfox_human_essays": "pupils' essays", "chatgpt_detector_bias/human": "college essays, abstracts",
    "chatgpt_detector_bias/human_nonnative": "non-native speakers' essays (TOEFL)",
    "chatgpt_detector_bias/llm": "the same by an LLM, some told to sound literary",
    "outfox_llm_and_dipper/llm": "pupils' essays by LLMs, some paraphrased by a machine",
    "wmt22_translationese/mt": "translated by machines",
    "wmt22_translationese/human_translation": "translated by people",
}  # fmt: skip
#: A capitalised word that does not begin a sentence, with those beside it: a name, nearly always.
_NAME: Final = re.compile(r"(?<=[a-z,;:] )[A-Z][a-z]+(?: [A-Z][a-z]+)*")


def gather_kinds(shared: Path, count: int, rng: random.Random) -> dict[str, list[Article]]:
    """Texts of each kind, at most so many."""
    kinds = dict[str, list[Article]]()
    for name in (*HUMAN, *HARD):
        for document in read_corpus(shared, name):
            if split(document.group) == "validation":
                kind = f"web: {document.domain.replace('_', ' ')}" if document.domain else _NAMES[document.corpus]
                kinds.setdefault(kind, []).append(Article(document.id, cut(document.text, _WORDS, rng)))
    prose = [item for item in read_articles([find_data("llm_prose.jsonl")]) if isinstance(item, Article)]
    kinds["LLM prose in 30 genres (unspun's own)"] = prose
    for found in kinds.values():
        rng.shuffle(found)
        found[:] = [article for article in found if len(Text(article.text).norms) >= _LEAST_WORDS][:count]
    return {kind: found for kind, found in sorted(kinds.items()) if len(found) >= _LEAST_TEXTS}


def anonymise(text: str, rng: random.Random) -> str:
    """Names made unknowable as courts do it: initials, or what kind of thing stood there."""
    known = dict[str, str]()

    def replace(match: re.Match[str]) -> str:
        name = match.group()
        initials = "".join(f"{chr(rng.randrange(65, 91))}." for _ in range(rng.randint(1, 2)))
        return known.setdefault(name, rng.choice((initials, "[name withheld]", "X", "the company", "the claimant")))

    return re.sub(r"\b([Tt]he|[Aa]n?) the\b", r"\1", _NAME.sub(replace, text))


def tell(verdicts: Sequence[Verdict]) -> tuple[int, str, str]:
    """How many were judged; the shares called spun, and spun or suspect, with the interval of 95 %."""
    judged = [verdict for verdict in verdicts if verdict.label != "unscored"]

    def share(labels: Iterable[str]) -> str:
        hits = sum(verdict.label in labels for verdict in judged)
        low, high = bound_share(hits, len(judged))
        return f"{hits / max(1, len(judged)):.1%} ({low:.1%}-{high:.1%})"

    return len(judged), share(("spun",)), share(("spun", "suspect"))


def tabulate(rows: Mapping[str, Sequence[Verdict]]) -> str:
    lines = write_head("kind of text", "texts", "called spun", "spun or suspect")
    return "\n".join([*lines, *(write_row(kind, *tell(verdicts)) for kind, verdicts in rows.items())])


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="scripts/measure_fairness", description=__doc__)
    parser.add_argument("--shared", type=Path, required=True, help="the folder with corpora/")
    parser.add_argument("--count", type=int, default=400, help="texts of each kind at most")
    parser.add_argument("--context", choices=get_args(Context), default="auto")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args(arguments)
    context: Context = given.context
    rng = random.Random(given.seed)
    kinds = gather_kinds(given.shared, given.count, rng)
    detector = Detector.load(context=context)
    print(f"{detector.name}, alone:\n")
    print(tabulate({kind: list(detector.score_many(found, workers=given.workers)) for kind, found in kinds.items()}))
    compared = Detector.load(context="never")
    news = [article for kind, found in kinds.items() if kind.startswith("news") for article in found]
    changed = [Article(article.id, anonymise(article.text, rng)) for article in news]
    verdicts = [compared.score(new, [old]) for new, old in zip(changed, news, strict=True) if new.text != old.text]
    print(f"\n{compared.name}, beside the text that it was made of:\n")
    print(tabulate({"news legally anonymised": verdicts}))
    return 0
