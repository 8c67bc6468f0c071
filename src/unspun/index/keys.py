"""What an article is found by: keys of words and of word sequences that outlive spinning.

MinHash estimates how much of two texts is equal, and of a text with half its words swapped nothing much is. Counted
here instead is what a spinner leaves standing:

- rare words: names, numbers, what no dictionary holds;
- *anchors*, words that no thesaurus offers a swap for, paired with the next ones whatever stands between them;
- rare words in pairs in the same way;
- the sequence of the commonest words alone, which no swap of a content word touches (Stamatatos 2011, "Plagiarism
  detection using stopword n-grams");
- word triples, which light spinning leaves by the hundred.

Which keys a text has depends on the text and the lexicon alone, never on the other references: so an index that was
added to answers like one built at once.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from unspun.lexicon import Lexicon
from unspun.references import RARE_ZIPF, fingerprint
from unspun.text import Text

Keys = NDArray[np.uint64]

#: Raised when the keys of a text change, also because the lexicon does: an index of other keys finds nothing.
KEYS: Final = 1
#: Bits of a key. Of the 4e8 keys of a million articles 2e-6 share theirs with another.
KEY_BITS: Final = 48
#: Most keys kept of a reference: 8 bytes each keep an article of any length under 6 kB. A text of more keeps those with
#: the lowest hash, which a part of it keeps too (bottom-k sampling, Broder 1997). Of the quarters and halves below 600
#: keys find 94.0 %, 400 92.0, 300 89.5.
MOST_KEYS: Final = 600
#: Most keys of a query: what is asked for is not stored, so more of a long text can be asked for.
MOST_ASKED: Final = 1200

#: Words from this Zipf frequency on are the frame of a text: the hundred commonest.
_FRAME_ZIPF: Final = 6.0
#: Anchors are rarer than this; "said" and "also" have no synonyms either.
_ANCHOR_ZIPF: Final = 5.0
#: No thesaurus is asked for words rarer than this: "Merkel" has no synonym, and "Moldova" is seldom swapped.
_OBSCURE_ZIPF: Final = 2.5
#: Numbers of fewer digits are found anywhere.
_TELLING_DIGITS: Final = 3
#: How far anchors are paired: over one or two that were swapped or put in between.
_ANCHOR_REACH: Final = 3
_RARE_REACH: Final = 2
#: Words of the frame in one key. Eight are what Stamatatos finds best for retrieval.
_FRAME_LENGTH: Final = 8
_TRIPLE: Final = 3

#: Words whose hash is remembered, about 150 bytes each; then all are forgotten.
_REMEMBERED: Final = 500_000

_SINGLE, _ANCHOR, _RARE, _FRAME = 1, 2, 4, 8
#: Odd constants of splitmix64 (Steele, Lea & Flood 2014), and one a kind of key, so that kinds do not meet: single
#: words, pairs of anchors, pairs of rare words, triples, frames.
#:
#: Of quarters and halves of articles spun to 58 %, 94.0 % are found in the first five among 20,000 by all of them;
#: without single words 92.5 %, anchors 92.8, rare pairs 93.3, triples 88.5, frames 92.8. Of quarters with 60 % of all
#: words replaced at random 97.5 %; without single words 95.5, rare pairs 96.5, triples 91.5, the others alike.
_MIX1: Final = np.uint64(0xBF58476D1CE4E5B9)
_MIX2: Final = np.uint64(0x94D049BB133111EB)
_STEP: Final = np.uint64(0x9E3779B97F4A7C15)
_STEP_BACK: Final = np.uint64(pow(int(_STEP), -1, 1 << KEY_BITS))
_KINDS: Final = {name: np.uint64(n * 0xD1B54A32D192ED03 % 2**64) for n, name in enumerate("sartf", 1)}


def hash_string(string: str) -> int:
    """64 bits that are the same on every machine and in every run."""
    return int.from_bytes(hashlib.blake2b(string.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "little")


def hash_words(text: Text) -> int:
    """64 bits that a text has in common with its exact copies, whatever stands between their words."""
    return int.from_bytes(fingerprint(text)[:8], "little")


def hash_identity(identifier: str, source: str | None, words: int) -> int:
    """64 bits that tell an article from all others: of its id, its source and the hash of its words."""
    return hash_string(f"{identifier}\0{source}\0{words}")


class KeyMaker:
    """Makes the keys of texts from their normalised words; remembers words between texts."""

    def __init__(self, lexicon: Lexicon) -> None:
        self._lexicon = lexicon
        self._forget()

    def _forget(self) -> None:
        self._numbers = dict[str, int]()
        self._hashes = np.zeros(1 << 12, np.uint64)
        self._classes = np.zeros(1 << 12, np.uint8)

    def make(self, texts: Sequence[Sequence[str]], most: int = MOST_KEYS) -> tuple[Keys, NDArray[np.int64]]:
        """The keys of texts, given as normalised words: distinct and sorted for each, one text after the other; and
        where the keys of each begin, int64[texts + 1]. At most ``most`` for each."""
        numbers = [self._number(norms) for norms in texts]
        owners = np.repeat(np.arange(len(texts), dtype=np.uint64), [len(found) for found in numbers])
        words = np.concatenate([np.zeros(0, np.int64), *numbers])
        hashes, classes = self._hashes[words], self._classes[words]
        parts = list[tuple[Keys, Keys]]()

        def chain(chosen: NDArray[np.bool_] | None, kind: str, reach: Sequence[int]) -> None:
            """Keys of the chosen words, each with those that stand so many chosen ones further on."""
            own, hashed = (owners, hashes) if chosen is None else (owners[chosen], hashes[chosen])
            room = max(0, len(hashed) - reach[-1])
            key = hashed[:room]
            for step in reach[1:]:
                key = _mix(key * _STEP + hashed[step : step + room])
            # None goes from one text to the next.
            whole = own[:room] == own[reach[-1] : reach[-1] + room]
            parts.append((own[:room][whole], key[whole] ^ _KINDS[kind]))

        with np.errstate(over="ignore"):
            chain(classes & _SINGLE > 0, "s", (0,))
            for step in range(1, _ANCHOR_REACH + 1):
                chain(classes & _ANCHOR > 0, "a", (0, step))
            for step in range(1, _RARE_REACH + 1):
                chain(classes & _RARE > 0, "r", (0, step))
            chain(None, "t", range(_TRIPLE))
            chain(classes & _FRAME > 0, "f", range(_FRAME_LENGTH))
            room = np.uint64(KEY_BITS)
            # The lowest hashes of a long text are kept: the number of the text goes in front, for one sort of all.
            flat = np.concatenate([own << room | _mix(key) >> np.uint64(64 - KEY_BITS) for own, key in parts])
        if len(texts) == 1:
            flat = np.unique(flat)[:most]
            # What was kept is low in its hash; turned round, keys are spread evenly again.
            return np.sort(_spread(flat)), np.array([0, len(flat)], np.int64)
        flat = np.sort(flat)
        flat = flat[np.append(True, flat[1:] != flat[:-1])] if len(flat) else flat
        starts = np.searchsorted(flat, np.arange(len(texts) + 1, dtype=np.uint64) << room)
        own = np.repeat(np.arange(len(texts)), np.diff(starts))
        kept = np.arange(len(flat)) - starts[own] < most
        own, flat = own[kept], flat[kept]
        counts = np.bincount(own, minlength=len(texts))
        flat = own.astype(np.uint64) << room | _spread(flat & np.uint64((1 << KEY_BITS) - 1))
        return np.sort(flat) & np.uint64((1 << KEY_BITS) - 1), np.append(0, np.cumsum(counts))

    def _number(self, norms: Sequence[str]) -> NDArray[np.int64]:
        numbers = self._numbers
        try:
            return np.array([numbers[norm] for norm in norms], np.int64)
        except KeyError:
            self._learn([norm for norm in dict.fromkeys(norms) if norm not in numbers])
        return np.array([numbers[norm] for norm in norms], np.int64)

    def _learn(self, words: list[str]) -> None:
        lexicon, first = self._lexicon, len(self._numbers)
        last = first + len(words)
        while len(self._hashes) < last:
            self._hashes = np.append(self._hashes, np.zeros_like(self._hashes))
            self._classes = np.append(self._classes, np.zeros_like(self._classes))
        self._numbers.update(zip(words, range(first, last), strict=True))
        self._hashes[first:last] = list(map(hash_string, words))
        ids, zipf = lexicon.ids(words), lexicon.zipf(words)
        has_synonyms = (ids >= 0) & (lexicon.synonym_starts[ids + 1] > lexicon.synonym_starts[ids])
        numbers = np.array([word[0].isdigit() for word in words])
        telling = ~numbers | np.array([len(word) >= _TELLING_DIGITS for word in words])
        anchors = numbers | (zipf < _OBSCURE_ZIPF) | (~has_synonyms & (zipf < _ANCHOR_ZIPF))
        rare = zipf < RARE_ZIPF
        frame = zipf >= _FRAME_ZIPF
        self._classes[first:last] = (
            (rare & telling) * _SINGLE + anchors * _ANCHOR + rare * _RARE + frame * _FRAME
        ).astype(np.uint8)

    def tidy(self) -> None:
        """Forget the words when there are too many: called between texts."""
        if len(self._numbers) > _REMEMBERED:
            self._forget()


def _mix(keys: Keys) -> Keys:
    """The finalizer of splitmix64: every bit depends on every other."""
    keys = (keys ^ (keys >> np.uint64(30))) * _MIX1
    keys = (keys ^ (keys >> np.uint64(27))) * _MIX2
    mixed: Keys = keys ^ (keys >> np.uint64(31))
    return mixed


def _spread(keys: Keys) -> Keys:
    """Keys of 48 bits moved about, one to one: low ones come to lie everywhere."""
    with np.errstate(over="ignore"):
        spread: Keys = (keys * _STEP) & np.uint64((1 << KEY_BITS) - 1)
    return spread


def gather_keys(keys: Keys) -> Keys:
    """The hashes that keys were chosen by: a text's lowest were kept."""
    with np.errstate(over="ignore"):
        gathered: Keys = (keys * _STEP_BACK) & np.uint64((1 << KEY_BITS) - 1)
    return gathered
