"""What the contextual model learns from: windows of texts, honest and spun, with the truth of every piece.

Honest and spun texts come from the same documents. A spun text is made by one family or by two at once; excerpts of
really spun pages are read with the wordings that were noted in them.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from unspun.pieces import split_pieces
from unspun.text import Text
from unspun.training.corpora import Excerpt
from unspun.training.dictionaries import Dictionary
from unspun.training.situations import Pool, cut
from unspun.training.spinner import SpunText, draw_settings, spin, tighten_swaps

if TYPE_CHECKING:
    from tokenizers import Tokenizer

#: What is known of a piece: its word was kept, was swapped in, was probably kept (nothing is noted of it in an
#: excerpt, and the notes name most swaps, not all), or nothing.
KEPT: Final = 0
SWAPPED: Final = 1
PROBABLY_KEPT: Final = 2
UNKNOWN: Final = 3

#: Share of texts that stay honest, and of those that are excerpts of really spun pages.
HONEST: Final = 0.42
REAL: Final = 0.04
#: Share of spun texts in which only names are swapped, and of those that two families made.
NAMED: Final = 0.1
MIXED: Final = 0.25
#: How often families are drawn that work as real spinners are known to; the others once.
WEIGHTS: Final = {"spinbot": 2.0, "blog": 2.0, "function": 0.7, "wordings": 0.7, "function_strangers": 0.5}
#: Stands for a family where texts are not spun.
HONEST_TEXTS: Final = "honest"
#: Words of a text: a window is a part of it.
WORDS: Final = (60, 450)


@dataclass(frozen=True, slots=True, eq=False)
class Labelled:
    """The pieces of one text, int32[n]; what is known of each, uint8[n]; the piece that a swapped word's original
    began with, int32[n] at the swap's first piece, 0 elsewhere."""

    ids: NDArray[np.int32]
    state: NDArray[np.uint8]
    original: NDArray[np.int32]


def draw_labelled(pool: Pool, excerpts: Sequence[Excerpt], tokenizer: Tokenizer, rng: random.Random) -> Labelled:
    """One text, honest or spun as drawn."""
    chance = rng.random()
    if excerpts and chance < REAL:
        return label_excerpt(rng.choice(excerpts), tokenizer)
    text = draw_text(pool, rng)
    if chance < REAL + HONEST:
        return label_spun(SpunText(text, (), 0.0), tokenizer)
    return label_spun(spin_any(text, pool, rng), tokenizer)


def draw_text(pool: Pool, rng: random.Random) -> str:
    """A cut of a document; large corpora are drawn more often, by the root of their size."""
    corpora = sorted(pool.documents)
    corpus = rng.choices(corpora, [len(pool.documents[name]) ** 0.5 for name in corpora])[0]
    return cut(rng.choice(pool.documents[corpus]).text, rng.randint(*WORDS), rng)


def draw_tried(pool: Pool, family: str, tokenizer: Tokenizer, rng: random.Random) -> Labelled:
    """One text spun by a family, or an honest one, to measure by."""
    text = draw_text(pool, rng)
    spun = SpunText(text, (), 0.0)
    if family != HONEST_TEXTS:
        spun = spin(text, pool.dictionaries[family], draw_settings(rng), rng)
    return label_spun(spun, tokenizer)


def spin_any(text: str, pool: Pool, rng: random.Random) -> SpunText:
    """The text spun by one family, or by two whose entries are mixed."""
    families = sorted(pool.dictionaries)
    weights = [WEIGHTS.get(family, 1.0) for family in families]
    dictionary = pool.dictionaries[rng.choices(families, weights)[0]]
    # The few hundred wordings are met by themselves in few texts.
    if rng.random() < MIXED or dictionary.family == "wordings":
        dictionary = _mix(dictionary, pool.dictionaries[rng.choices(families, weights)[0]])
    settings = replace(draw_settings(rng), only_names=rng.random() < NAMED)
    return spin(text, dictionary, settings, rng)


@cache
def _mix(first: Dictionary, second: Dictionary) -> Dictionary:
    """The first dictionary, and the second for what it lacks."""
    return first if first is second else first.or_else(second, f"{first.name}+{second.name}")


def label_spun(spun: SpunText, tokenizer: Tokenizer) -> Labelled:
    """The pieces of a text whose swaps are known; an honest text has none."""
    text = Text(spun.text)
    pieces = split_pieces(text, tokenizer)
    swapped = np.zeros(len(text.words) + 1, np.uint8)
    originals = np.zeros(len(text.words) + 1, np.int32)
    starts = np.array([word.start for word in text.words])
    for swap in tighten_swaps(spun):
        first, last = np.searchsorted(starts, (swap.start, swap.end))
        # A lone article that was set right is no swap to see.
        swapped[first:last] = UNKNOWN if swap.kind == "grammar" else SWAPPED
        if swap.kind != "grammar" and last > first:
            began = tokenizer.encode(swap.original, add_special_tokens=False).ids
            originals[first] = began[0] if began else 0
    state = swapped[pieces.word]
    begins = np.r_[True, pieces.word[1:] != pieces.word[:-1]] & (pieces.word >= 0)
    return Labelled(pieces.ids, state, np.where(begins, originals[pieces.word], 0).astype(np.int32))


def label_excerpt(excerpt: Excerpt, tokenizer: Tokenizer) -> Labelled:
    """The pieces of a really spun excerpt."""
    text = Text(excerpt.text)
    pieces = split_pieces(text, tokenizer)
    swapped = np.full(len(text.words) + 1, PROBABLY_KEPT, np.uint8)
    originals = np.zeros(len(text.words) + 1, np.int32)
    norms = text.norms
    for spun, likely in excerpt.evidence:
        wording, kept = Text(spun).norms, set(Text(likely).norms)
        for first in range(len(norms) - len(wording) + 1):
            if wording and norms[first : first + len(wording)] == wording:
                for place, norm in enumerate(wording, first):
                    swapped[place] = SWAPPED if norm not in kept else swapped[place]
                if len(wording) == len(kept) == 1:
                    originals[first] = tokenizer.encode(likely, add_special_tokens=False).ids[0]
    begins = np.r_[True, pieces.word[1:] != pieces.word[:-1]] & (pieces.word >= 0)
    original = np.where(begins, originals[pieces.word], 0).astype(np.int32)
    return Labelled(pieces.ids, swapped[pieces.word], original)
