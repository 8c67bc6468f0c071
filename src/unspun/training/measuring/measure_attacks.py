"""How much of spun text is still seen when somebody tries to hide it, and what the same does to honest text:
scripts/measure_attacks

Documents of the validation part of every corpus, spun by every family in turn at one rate, then attacked
(:mod:`unspun.training.measuring.attacks`); honest ones attacked alike. Without references, and beside their source
among reports.
"""

from __future__ import annotations

import argparse
import json
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final, get_args

from unspun.article import Article, Verdict
from unspun.detector import Context, Detector
from unspun.text import Text
from unspun.training.corpora import HARD, HUMAN, Document, read_corpus, split
from unspun.training.dictionaries import Dictionary, load_dictionaries
from unspun.training.markdown import write_head, write_row
from unspun.training.measures import bound_share
from unspun.training.measuring.attacks import ATTACKS
from unspun.training.situations import cut
from unspun.training.spinner import SpinSettings, spin, spin_whole

#: Words of the documents, about, and the shortest kept: half of it must still be long enough to be judged.
_WORDS: Final = 300
_LEAST: Final = 150
NONE: Final = "none"
#: Attacks that are ways of spinning, so nothing to be done to honest text.
SPINNING: Final = ("every third sentence", "spun twice")


def draw_documents(shared: Path, count: int, rng: random.Random) -> dict[str, list[Document]]:
    """So many validation documents of each corpus, cut to size."""
    drawn = dict[str, list[Document]]()
    for name in (*HUMAN, *HARD):
        for document in read_corpus(shared, name):
            if split(document.group) == "validation":
                drawn.setdefault(document.corpus, []).append(document)
    for corpus, documents in drawn.items():
        rng.shuffle(documents)
        cuts = (replace(document, text=cut(document.text, _WORDS, rng)) for document in documents)
        drawn[corpus] = [d for d in cuts if len(Text(d.text).words) >= _LEAST][:count]
    return drawn


def spin_and_attack(
    documents: Sequence[Document], dictionaries: Sequence[Dictionary], rate: float, seed: int
) -> Iterator[tuple[str, str, str]]:
    """Attack, document's id and text, of every document spun by one family and attacked in every way."""
    for number, document in enumerate(documents):
        dictionary = dictionaries[number % len(dictionaries)]
        rng = random.Random(f"{seed}:{document.id}")
        spun = spin_whole(document.text, dictionary, rate, rng).text
        yield NONE, document.id, spun
        for name, attack in ATTACKS.items():
            yield name, document.id, attack(spun, rng)
        third = SpinSettings(rate, part="sentences", step=3)
        yield SPINNING[0], document.id, spin(document.text, dictionary, third, rng).text
        another = dictionaries[(number + 1) % len(dictionaries)]
        yield SPINNING[1], document.id, spin_whole(spun, another, rate, rng).text


def attack_honest(documents: Sequence[Document], seed: int) -> Iterator[tuple[str, str, str]]:
    for document in documents:
        rng = random.Random(f"{seed}:{document.id}")
        yield NONE, document.id, document.text
        for name, attack in ATTACKS.items():
            yield name, document.id, attack(document.text, rng)


def judge_all(
    trials: Sequence[tuple[str, str, str]], detector: Detector, sources: Mapping[str, Document] | None
) -> dict[str, list[Verdict]]:
    """The verdicts of each attack's texts; with ``sources``, each beside its own source and three strangers."""
    judged = dict[str, list[Verdict]]()
    names = sorted(sources or ())
    for number, (attack, identifier, text) in enumerate(trials):
        references = None
        if sources is not None:
            strangers = random.Random(number).sample(names, 3)
            references = [Article(name, sources[name].text) for name in (identifier, *strangers)]
        judged.setdefault(attack, []).append(detector.score(Article(identifier, text), references))
    return judged


def tell_shares(judged: Mapping[str, Sequence[Verdict]], labels: Sequence[str]) -> dict[str, list[float]]:
    """For each attack the share of verdicts with one of these labels, with the interval of 95 %."""
    told = dict[str, list[float]]()
    for attack, verdicts in judged.items():
        hits = sum(verdict.label in labels for verdict in verdicts)
        low, high = bound_share(hits, len(verdicts))
        told[attack] = [round(hits / len(verdicts), 4), round(low, 4), round(high, 4)]
    return told


def tabulate(figures: Mapping[str, Mapping[str, list[float]]]) -> str:
    """The table of the page, in per cent."""
    lines = write_head("attack", *figures)
    for attack in (NONE, *ATTACKS, *SPINNING):
        cells = [
            f"{shares[attack][0]:.1%} ({shares[attack][1]:.1%}-{shares[attack][2]:.1%})" if attack in shares else ""
            for shares in figures.values()
        ]
        lines.append(write_row(attack, *cells))
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="scripts/measure_attacks", description=__doc__)
    parser.add_argument("--shared", type=Path, required=True, help="the folder with corpora/")
    parser.add_argument("--count", type=int, default=40, help="documents of each corpus")
    parser.add_argument("--rate", type=float, default=0.25, help="share of words that are swapped")
    parser.add_argument("--context", choices=get_args(Context), default="auto")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--table", type=Path, help="write the table here")
    given = parser.parse_args(arguments)
    context: Context = given.context
    alone, beside = Detector.load(context=context), Detector.load(context="never")
    drawn = draw_documents(given.shared, given.count, random.Random(given.seed))
    documents = [document for found in drawn.values() for document in found]
    sources = {document.id: document for document in documents}
    dictionaries = load_dictionaries(alone.lexicon, given.shared)
    spun = list(spin_and_attack(documents, dictionaries, given.rate, given.seed))
    honest = list(attack_honest(documents, given.seed))
    flagged = ("spun", "suspect")
    honest_alone, honest_beside = judge_all(honest, alone, None), judge_all(honest, beside, sources)
    figures = {
        "spun text flagged, alone": tell_shares(judge_all(spun, alone, None), flagged),
        "beside its source": tell_shares(judge_all(spun, beside, sources), flagged),
        "honest text called spun, alone": tell_shares(honest_alone, ("spun",)),
        "beside itself": tell_shares(honest_beside, ("spun",)),
    }
    print(json.dumps({"model": alone.name, "documents": len(documents), "rate": given.rate, **figures}, indent=1))
    table = tabulate(figures)
    print(table)
    if given.table:
        given.table.write_text(table + "\n", "utf-8")
    return 0
