"""The evaluation set without references: validation documents as they are, cut to fixed lengths, and spun
versions of those cuts by every spinner family at fixed rates."""

from __future__ import annotations

import multiprocessing
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass, replace
from itertools import islice
from typing import Final

from unspun.text import Text
from unspun.training.corpora import Document
from unspun.training.dictionaries import Dictionary
from unspun.training.situations import cut
from unspun.training.spinner import Swap, draw_settings, spin, spin_whole, tighten_swaps

#: Shares of words swapped that figures are told apart by.
RATES: Final = (0.05, 0.10, 0.15, 0.25, 0.50)
#: A spinner whose dictionary does not reach this part of the rate wished for is not counted at that rate.
REACHED: Final = 0.7
#: Words of the cuts, about: whole sentences are kept.
LENGTHS: Final = (50, 100, 200, 400)
#: A cut may have this part of the words wished for, at least and at most.
_FITTING: Final = (0.8, 1.6)
#: Words of the texts that the baselines learn from.
_LEARNT: Final = (50, 500)


@dataclass(frozen=True, slots=True)
class Sizes:
    """How many documents of a corpus stand as they are, are cut to each length, and are spun of those cut; how
    many texts the baselines learn from (half of them spun)."""

    whole: int = 600
    cut: int = 30
    spun: int = 6
    learnt: int = 6000

    def scale(self, share: float) -> Sizes:
        """The same at another scale, one document of each at least."""
        return Sizes(*(max(1, round(n * share)) for n in astuple(self)))


@dataclass(frozen=True, slots=True)
class Trial:
    """One article to score, with the truth: ``length`` is that wished for (0: the document as it is), ``words``
    that found, ``family`` the spinner (None: honest), ``rate`` that wished for."""

    text: str
    corpus: str
    words: int
    length: int = 0
    family: str | None = None
    rate: float = 0.0
    swaps: tuple[Swap, ...] = ()


def draw_trials(
    documents: Mapping[str, Sequence[Document]], dictionaries: Sequence[Dictionary], sizes: Sizes, seed: int
) -> list[Trial]:
    """The trials of every corpus: honest ones as they are, honest cuts, spun cuts. Equal seeds give equal trials."""
    trials, tasks = list[Trial](), list[tuple[Trial, str, float, str]]()
    for corpus in sorted(documents):
        order = sorted(documents[corpus], key=lambda document: document.id)
        random.Random(f"{seed}:{corpus}").shuffle(order)
        trials += [Trial(d.text, corpus, len(Text(d.text).words)) for d in order[: sizes.whole]]
        for length in LENGTHS:
            cuts = list(islice(_cut_each(order, length, seed), sizes.cut))
            trials += cuts
            tasks += [
                (one, dictionary.family, rate, f"{seed}:{corpus}:{length}:{number}:{dictionary.family}:{rate}")
                for number, one in enumerate(cuts[: sizes.spun])
                for dictionary in dictionaries
                for rate in RATES
            ]
    return trials + [trial for trial in _spin_all(tasks, dictionaries) if trial]


def _cut_each(documents: Sequence[Document], length: int, seed: int) -> Iterator[Trial]:
    """The documents cut to about ``length`` words, without those that are not so long."""
    low, high = (part * length for part in _FITTING)
    for document in documents:
        text = cut(document.text, length, random.Random(f"{seed}:{document.id}:{length}"))
        words = len(Text(text).words)
        if low <= words <= high:
            yield Trial(text, document.corpus, words, length)


# Set before workers are forked, so that the dictionaries need not travel.
_dictionaries: dict[str, Dictionary]


def _spin_all(tasks: Sequence[tuple[Trial, str, float, str]], dictionaries: Sequence[Dictionary]) -> list[Trial | None]:
    global _dictionaries
    _dictionaries = {dictionary.family: dictionary for dictionary in dictionaries}
    with multiprocessing.get_context("fork").Pool() as workers:
        return list(workers.imap(_spin_one, tasks, chunksize=32))


def _spin_one(task: tuple[Trial, str, float, str]) -> Trial | None:
    honest, family, rate, seed = task
    spun = spin_whole(honest.text, _dictionaries[family], rate, random.Random(seed))
    if spun.rate < REACHED * rate:
        return None
    return replace(honest, text=spun.text, family=family, rate=rate, swaps=tuple(tighten_swaps(spun)))


def draw_learnt(
    documents: Mapping[str, Sequence[Document]], dictionaries: Sequence[Dictionary], count: int, seed: int
) -> list[Trial]:
    """What the baselines learn from: ``count`` texts, every second one the spun version of the one before it, by
    the families in turn, rates as real spinners have them."""
    rng, corpora, trials = random.Random(f"{seed}:learnt"), sorted(documents), list[Trial]()
    for number in range(count // 2):
        document = rng.choice(documents[rng.choice(corpora)])
        text = cut(document.text, rng.randint(*_LEARNT), rng)
        dictionary = dictionaries[number % len(dictionaries)]
        spun = spin(text, dictionary, draw_settings(rng), rng)
        honest = Trial(text, document.corpus, len(Text(text).words))
        trials += [honest, replace(honest, text=spun.text, family=dictionary.family, rate=spun.rate)]
    return trials
