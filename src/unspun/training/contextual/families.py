"""Families of spinners that only the contextual model learns from: what no dictionary gives."""

from __future__ import annotations

import random
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from unspun.training.corpora import read_table, split
from unspun.training.dictionaries import FUNCTION_WORDS, Alternatives, Dictionary, build_dictionary

if TYPE_CHECKING:
    from unspun.lexicon import Lexicon

#: Words that a random swap is drawn from, the commonest, and how many are offered for a word.
_COMMON: Final = 12_000
_OFFERED: Final = 40
#: A word and what takes its place are about equally common: the one has this many times the other's rank at most.
_RANKS: Final = 4.0
_SMALL_WORDS: Final = """
of in on at by for with from to into onto over under about between through during against without within among across
the this that these those each every some any no all both another such
he she it they we you i
him her them us me
his their our its my your
and but or so yet because although while if when unless whereas since as than though
is are was were be been being
has have had having
do does did will would can could may might must shall should
not also only just very too then there here now still even ever never quite rather almost
who which what where why how whom whose
more most less least much many few several
one two three four five six ten
before after until upon toward towards along around behind beyond near
"""
#: The wordings of this family were read off the excerpts, of which a third is held out.
_EXCERPTS: Final = "S"


def load_strangers(lexicon: Lexicon) -> Dictionary:
    """Any word of the same inflection and about the same frequency: it fits by accident only, so that what is learnt
    is what fits, not what spinners choose."""
    count = min(lexicon.size, _COMMON)
    numbers = np.arange(count, dtype=np.int32)
    classes = lexicon.inflections(numbers)
    plain = np.array([(word := lexicon.word(n)).isalpha() and word not in FUNCTION_WORDS for n in numbers.tolist()])

    def look_up(word: str) -> Alternatives:
        [number] = lexicon.ids([word]).tolist()
        if word in FUNCTION_WORDS or len(word) < 3 or not 0 <= number < count:
            return ()
        low, high = int((number + 1) / _RANKS), int((number + 1) * _RANKS)
        offered = np.flatnonzero(plain & (classes == classes[number]) & (numbers >= low) & (numbers <= high))
        drawn = random.Random(word).sample(offered.tolist(), min(_OFFERED, len(offered)))
        return tuple((lexicon.word(n), 1.0) for n in drawn if n != number)

    return Dictionary("strangers", {}, look_up=look_up)


def load_function_strangers() -> Dictionary:
    """Any other small word of the same sort, so that whether they fit is learnt of small words, too: a model that met
    none swapped took every one for kept."""
    pairs = [
        (word, other, 1.0)
        for line in _SMALL_WORDS.strip().splitlines()
        for word in line.split()
        for other in line.split()
        if other != word
    ]
    return build_dictionary("function_strangers", pairs)


def load_wordings(shared: Path) -> Dictionary:
    """Two thirds of the wordings read off really spun pages."""
    pairs = [
        (row["likely_original"], row["spun"], 1.0)
        for row in read_wordings(shared)
        if row["family"] != _EXCERPTS and is_learnt(row["spun"])
    ]
    return build_dictionary("wordings", pairs)


def read_wordings(shared: Path) -> list[dict[str, str]]:
    """The rows of ``wordings.tsv``: ``spun``, ``likely_original``, ``family`` of spinners."""
    return read_table(shared / "real" / "wordings.tsv")


def is_learnt(wording: str) -> bool:
    """Whether a wording of ``wordings.tsv`` may be trained on; the others are kept to measure by."""
    return split(f"wording:{wording.lower()}") == "train"
