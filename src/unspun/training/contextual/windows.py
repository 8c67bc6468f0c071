"""What the contextual model learns from: windows of texts, honest and spun, with the truth of every piece.

Honest and spun texts come from the same documents. A spun text is made by one family or by two at once; excerpts of
really spun pages are read with the wordings that were noted in them.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from unspun.context.pieces import split_pieces
from unspun.text import Text
from unspun.training.corpora import Excerpt
from unspun.training.dictionaries import Dictionary
from unspun.training.situations import Pool, cut
from unspun.training.spinner import SpunText, Swap, draw_settings, spin, tighten_swaps

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
    """The entries of the first dictionary, and the second for what they lack."""
    return first if first is second else first.or_else(second)


def label_words(text: Text, swaps: Iterable[Swap]) -> NDArray[np.uint8]:
    """What is known of each word, uint8[words], where all ``swaps`` are known (see
    :func:`unspun.training.spinner.tighten_swaps`); a lone article that was set right is no swap to see."""
    state = np.full(len(text.words), KEPT, np.uint8)
    starts = np.array([word.start for word in text.words])
    for swap in swaps:
        first, last = np.searchsorted(starts, (swap.start, swap.end))
        state[first:last] = UNKNOWN if swap.kind == "grammar" else SWAPPED
    return state


def label_spun(spun: SpunText, tokenizer: Tokenizer) -> Labelled:
    """The pieces of a text whose swaps are known; an honest text has none."""
    text, swaps = Text(spun.text), tighten_swaps(spun)
    place_of = {word.start: place for place, word in enumerate(text.words)}
    originals = {place_of[s.start]: s.original for s in swaps if s.kind != "grammar" and s.start in place_of}
    return _label_pieces(text, label_words(text, swaps), KEPT, originals, tokenizer)


def label_excerpt(excerpt: Excerpt, tokenizer: Tokenizer) -> Labelled:
    """The pieces of a really spun excerpt."""
    text = Text(excerpt.text)
    state, originals = np.full(len(text.words), PROBABLY_KEPT, np.uint8), dict[int, str]()
    for first, new, likely in excerpt.find_noted(text.norms):
        state[first : first + len(new)][new] = SWAPPED
        if len(new) == len(Text(likely).words) == 1:
            originals[first] = likely
    return _label_pieces(text, state, PROBABLY_KEPT, originals, tokenizer)


def _label_pieces(
    text: Text, state: NDArray[np.uint8], between: int, originals: Mapping[int, str], tokenizer: Tokenizer
) -> Labelled:
    """The pieces of words in a ``state`` uint8[words]; what stands ``between`` words has one of its own; ``originals``
    of some words, by place."""
    pieces = split_pieces(text, tokenizer)
    began = np.zeros(len(text.words) + 1, np.int32)
    for place, original in originals.items():
        began[place] = next(iter(tokenizer.encode(original, add_special_tokens=False).ids), 0)
    begins = np.r_[True, pieces.word[1:] != pieces.word[:-1]][: len(pieces.word)] & (pieces.word >= 0)
    named = np.where(begins, began[pieces.word], 0).astype(np.int32)
    return Labelled(pieces.ids, np.append(state, np.uint8(between))[pieces.word], named)
