"""How well families are found among articles that have none, and what it costs: scripts/measure_families

Originals of all corpora with three to eight copies each, spun by any dictionary at 10 to 50 %, lie among others: real
articles, one of each event and of each text told several times, and where these do not suffice articles put together
from stretches of theirs. ``--indexes``: seconds of processor time for looking for candidates in indexes of growing size
(scripts/measure_index --folder keeps such), and, of a sample, for judging them.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import combinations
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from unspun.article import Article, Verdict
from unspun.detector import Detector
from unspun.families.candidates import find_candidates
from unspun.families.find import find_families, judge
from unspun.families.groups import Family
from unspun.index.build import build_index
from unspun.index.query import Index
from unspun.training.corpora import Document
from unspun.training.dictionaries import Dictionary, load_dictionaries
from unspun.training.measuring.measure_index import cut_sentences, put_together, read_distinct
from unspun.training.spinner import spin_whole

_COPIES: Final = (3, 8)
_RATES: Final = (0.1, 0.5)
_SPUN: Final = "/spun-"
#: Articles with candidates that are judged to know what one costs.
_SAMPLE: Final = 300


def list_apart(documents: Sequence[Document]) -> list[Document]:
    """One document of each event, and of each text that was written or translated more than once."""
    found = dict[str, Document]()
    for document in documents:
        found.setdefault(document.group, document)
    return list(found.values())


def make_articles(
    documents: Sequence[Document], families: int, size: int, dictionaries: Sequence[Dictionary], rng: random.Random
) -> Iterator[Article]:
    """``families`` originals with their copies among ``size`` other articles, in no order."""
    originals = rng.sample(documents, families)
    taken = {document.id for document in originals}
    others = [document for document in documents if document.id not in taken]
    others = rng.sample(others, min(size, len(others)))
    pools = [cut_sentences(document.text) for document in documents if document.id not in taken]
    plan: list[tuple[str, int]] = [("other", n) for n in range(len(others))]
    plan += [("made", n) for n in range(size - len(others))]
    plan += [("family", n) for n in range(families)]
    rng.shuffle(plan)
    for kind, number in plan:
        if kind == "made":
            yield Article(f"made/{number}", put_together(pools, rng))
        elif kind == "other":
            yield Article(others[number].id, others[number].text)
        else:
            original = originals[number]
            yield Article(original.id, original.text)
            for copy in range(rng.randint(*_COPIES)):
                rate = rng.uniform(*_RATES)
                spun = spin_whole(original.text, rng.choice(dictionaries), rate, rng).text
                yield Article(f"{original.id}{_SPUN}{copy}", spun)


def measure_families(families: Sequence[Family], index: Index) -> dict[str, Any]:
    """Pairs that belong together and were put together, originals that were recognised, what members were called."""
    truth = Counter(identifier.partition(_SPUN)[0] for identifier in (article.id for article in index))
    leads = {lead for lead, members in truth.items() if members > 1}
    pairs = sum(truth[lead] * (truth[lead] - 1) // 2 for lead in leads)
    right = wrong = recognised = 0
    false = list[list[str]]()
    called = Counter[str]()
    for family in families:
        ids = [member.verdict.id for member in family.members]
        held = {identifier.partition(_SPUN)[0] for identifier in ids} & leads
        for one, other in combinations(ids, 2):
            lead = one.partition(_SPUN)[0]
            belongs = lead in leads and lead == other.partition(_SPUN)[0]
            right += belongs
            wrong += not belongs
        recognised += family.original in held
        if not held:
            false.append(ids)
        called.update(
            f"{'copy' if _SPUN in member.verdict.id else 'original' if member.verdict.id in leads else 'other'}"
            f" called {member.role}"
            for member in family.members
        )
    precision, recall = right / max(1, right + wrong), right / max(1, pairs)
    return {
        "families": len(leads), "found": len(families),
        "precision": round(precision, 4), "recall": round(recall, 4),
        "f1": round(2 * precision * recall / max(1e-9, precision + recall), 4),
        "originals_recognised": round(recognised / max(1, len(leads)), 4),
        "false_families": false, "called": dict(called),
    }  # fmt: skip


def measure_cost(index: Index, detector: Detector, rng: random.Random) -> dict[str, float]:
    """Seconds of processor time to look for candidates, to judge one article, and so for all that have any; most memory
    of this process so far."""
    began = time.process_time()
    candidates = find_candidates(index)
    searched = time.process_time() - began
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    tasks = list(candidates)
    asked = rng.sample(tasks, min(_SAMPLE, len(tasks)))
    began = time.process_time()
    for number, others in asked:
        judge(index.read_article(number), [index.read_article(other) for other in others], detector)
    judged = (time.process_time() - began) / max(1, len(asked))
    return {
        "articles": len(index), "candidates_seconds": round(searched, 1),
        "memory_mb": memory, "with_candidates": round(len(tasks) / len(index), 4), "judge_ms": round(judged * 1000, 1),
        "all_seconds": round(searched + judged * len(tasks)),
        "ms_an_article": round((searched + judged * len(tasks)) / len(index) * 1000, 2),
    }  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="scripts/measure_families", description=__doc__)
    parser.add_argument("--shared", type=Path, required=True, help="the folder with corpora/")
    parser.add_argument("--families", type=int, default=300, help="originals with copies")
    parser.add_argument("--others", type=int, default=20_000, help="articles without")
    parser.add_argument("--indexes", type=Path, nargs="*", default=[], help="indexes to measure the cost with")
    parser.add_argument("--alternates", action="store_true", help="also families seen among honest articles")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args(arguments)
    detector = Detector.load(context="never")
    rng = random.Random(given.seed)
    documents = read_distinct(given.shared)
    apart = list_apart(documents)
    dictionaries = load_dictionaries(detector.lexicon, given.shared)
    figures: dict[str, Any] = {"model": detector.name, "real_articles": len(apart)}
    with TemporaryDirectory() as temporary:

        def open_index(name: str, articles: Iterator[Article]) -> Index:
            build_index(Path(temporary) / name, articles, detector.lexicon)
            return Index.open(Path(temporary) / name, detector.lexicon)

        if given.families:
            index = open_index("set", make_articles(apart, given.families, given.others, dictionaries, rng))
            began = time.perf_counter()
            figures["set"] = measure_families(find_families(index, detector, given.workers), index)
            figures["set"] |= {"articles": len(index), "seconds": round(time.perf_counter() - began)}
        if given.alternates:
            index = open_index("honest", (Article(d.id, d.text) for d in documents))
            found = find_families(index, detector, given.workers)
            figures["honest"] = {"articles": len(index), "families": _list_members(found)}
        for path in given.indexes:
            cost = measure_cost(Index.open(path, detector.lexicon), detector, rng)
            figures.setdefault("cost", []).append(cost)
    print(json.dumps(figures, indent=1))
    return 0


def _list_members(families: Sequence[Family]) -> list[list[str]]:
    def tell(verdict: Verdict) -> str:
        return f"{verdict.id} {verdict.score}"

    return [[tell(member.verdict) for member in family.members] for family in families]
