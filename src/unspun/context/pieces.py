"""A text as the contextual model reads it: word pieces, each with the word that it is of, in overlapping windows.

Needs the extra ``context`` (the Rust tokenizers).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from unspun.letters import LOOKALIKES
from unspun.text import Text

if TYPE_CHECKING:
    from tokenizers import Tokenizer

#: The pieces that begin and end every window, and that fill it up.
START: Final = "[CLS]"
END: Final = "[SEP]"
FILL: Final = "[PAD]"
UNKNOWN: Final = "[UNK]"
#: Pieces of a window at most, those that begin and end it counted in, and pieces that neighbours have in common: what
#: stands at the edge of one is judged by the other.
WINDOW: Final = 256
OVERLAP: Final = 64
_HALVES: Final = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True, eq=False)
class Pieces:
    """The pieces of a text, int32[n], and the index of the word that each is of, int32[n]; -1 for punctuation."""

    ids: NDArray[np.int32]
    word: NDArray[np.int32]


def build_tokenizer(vocabulary: Sequence[str]) -> Tokenizer:
    """The tokenizer of an uncased BERT: basic splitting, then the longest known pieces (Wu et al. 2016)."""
    from tokenizers import Tokenizer, normalizers, pre_tokenizers
    from tokenizers.models import WordPiece

    numbers = {piece: number for number, piece in enumerate(vocabulary)}
    tokenizer = Tokenizer(WordPiece(numbers, unk_token=UNKNOWN, max_input_chars_per_word=100))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    return tokenizer


def split_pieces(text: Text, tokenizer: Tokenizer) -> Pieces:
    """The pieces of a text, without those that begin and end a window."""
    # Look-alike letters must not hide a word from the model; each stands for one letter, so offsets stay. Halves of
    # characters, as a broken record has them, are no text to the tokenizer.
    raw = text.raw if text.raw.isascii() else _HALVES.sub("\ufffd", text.raw.translate(LOOKALIKES))
    encoding = tokenizer.encode(raw, add_special_tokens=False)
    ids = np.array(encoding.ids, np.int32)
    if not len(ids) or not text.words:
        return Pieces(ids, np.full(len(ids), -1, np.int32))
    begins = np.array([start for start, _ in encoding.offsets])
    starts, ends = np.array([(word.start, word.end) for word in text.words]).T
    word = np.searchsorted(starts, begins, side="right") - 1
    word[(word < 0) | (begins >= ends[word])] = -1
    return Pieces(ids, word.astype(np.int32))


def lay_windows(count: int, size: int = WINDOW - 2, overlap: int = OVERLAP) -> list[tuple[int, int]]:
    """Half-open ranges that hold ``count`` pieces: as few as can be of ``size`` at most, all of one length, neighbours
    having ``overlap`` in common or more."""
    number = max(1, -(-(count - overlap) // (size - overlap)))
    length = -(-(count + (number - 1) * overlap) // number)
    starts = np.linspace(0, count - length, number).astype(int).tolist()
    return [(start, start + length) for start in starts]
