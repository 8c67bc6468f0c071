"""The tables of the lexicon but the phrases, as arrays: vocabulary, vectors, synonyms, spellings, word sequences."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from unspun.lexicon import (
    BASE,
    GAIN_STEP,
    LOG_STEP,
    MOBY,
    MOBY_BOTH,
    VERB_D,
    VERB_N,
    WORDNET,
    WORDNET_NEAR,
)
from unspun.training.lexicon.forms import Reading, read_forms
from unspun.training.lexicon.packages import PLAIN, Ints, LanguageModel, WordNet

#: Words in the vocabulary; ids must fit 16 bits, with room for the two sentence marks.
VOCABULARY: Final = 64_000
#: Words of a thesaurus are what spinners write: they get in at a frequency lower by this many zipf.
THESAURUS_BONUS: Final = 0.4
#: Unit vectors are stored as round(x * VECTOR_SCALE). Entries deviate by 0.1, so few bits are used and the
#: file compresses to 4 MB; synonyms are told from random pairs as well as by exact ones (data/README.md).
VECTOR_SCALE: Final = 64
#: Most synonyms kept a word.
MAX_SYNONYMS: Final = 40
#: A pair that only one source knows is dropped below this cosine.
MIN_COSINE: Final = 0.1
#: Triples are kept where they move log10 P by at least this from the estimate of the pairs: 44 % of them.
MIN_GAIN: Final = 1.0


def choose_words(zipf: Mapping[str, float], known: Iterable[str], thesaurus: set[str], wordnet: WordNet) -> list[str]:
    """The vocabulary, most frequent first: known words by frequency, a thesaurus's a little favoured."""

    def rank(word: str) -> float:
        stems = [r.lemma for r in read_forms(word, wordnet, zipf)]
        return zipf[word] + (THESAURUS_BONUS if word in thesaurus or any(s in thesaurus for s in stems) else 0)

    pool = sorted({word for word in known if PLAIN.fullmatch(word) and zipf.get(word, 0) >= 1.9})
    chosen = sorted(pool, key=lambda word: (-rank(word), word))[:VOCABULARY]
    return sorted(chosen, key=lambda word: (-zipf[word], word))


def build_vectors(words: Sequence[str], source: Mapping[str, list[float]]) -> NDArray[np.int8]:
    """int8[n, 100]: centred, the two strongest directions removed ("all but the top"), unit length."""
    has = np.array([word in source for word in words])
    rows = np.array([source[word] for word in words if word in source], np.float64)
    rows -= rows.mean(axis=0)
    _, directions = np.linalg.eigh(rows.T @ rows)
    top = directions[:, -2:]
    rows -= rows @ top @ top.T
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    table = np.zeros((len(words), 100), np.int8)
    table[has] = np.clip(np.rint(rows * VECTOR_SCALE), -127, 127).astype(np.int8)
    return table


@dataclass(frozen=True, slots=True)
class Synonyms:
    """CSR: the synonyms of word ``i`` are ``ids[starts[i]:starts[i+1]]``, best first, with source bits."""

    starts: Ints
    ids: NDArray[np.uint16]
    bits: NDArray[np.uint8]


def build_synonyms(
    words: Sequence[str],
    readings: Mapping[str, list[Reading]],
    wordnet: WordNet,
    moby: Mapping[str, list[str]],
    vectors: NDArray[np.int8],
    zipf: Mapping[str, float],
) -> Synonyms:
    """Symmetric pairs from both thesauri, carried over to the inflected forms of the same class."""
    ids = {word: i for i, word in enumerate(words)}
    # (lemma, pos) -> class -> the word that fills it
    slots: dict[tuple[str, str], dict[int, str]] = defaultdict(dict)
    for word in words:
        uses = sum(r.uses for r in readings[word])
        for r in readings[word]:
            # "number" is hardly ever "more numb": rare readings carry no synonyms over.
            if r.form != BASE and (r.uses >= 0.1 * uses):
                slots[r.lemma, r.pos].setdefault(r.form, word)
    for forms in slots.values():
        if VERB_D in forms:
            forms.setdefault(VERB_N, forms[VERB_D])
    bits: defaultdict[tuple[int, int], int] = defaultdict(int)

    def add(a: str, b: str, pos: str | None, bit: int) -> None:
        pairs = {(a, b)}
        for p in pos or "nva":
            one, two = slots.get((a, p)), slots.get((b, p))
            if one and two:
                pairs |= {(one[form], two[form]) for form in one.keys() & two.keys()}
        for x, y in pairs:
            i, j = ids.get(x, -1), ids.get(y, -1)
            if i >= 0 and j >= 0 and i != j:
                bits[min(i, j), max(i, j)] |= bit

    for pos, a, b in sorted(wordnet.same):
        add(a, b, pos, WORDNET)
    for pos, a, b in sorted(wordnet.near):
        add(a, b, pos, WORDNET_NEAR)
    listed = {head: set(entries) for head, entries in moby.items()}
    for head, entries in listed.items():
        for entry in sorted(entries):
            both = head in listed.get(entry, ())
            add(head, entry, None, MOBY | (MOBY_BOTH if both else 0))

    pairs = np.array(sorted(bits), np.int64)
    source = np.array([bits[a, b] for a, b in pairs.tolist()], np.uint8)
    cosine = _cosines(vectors, pairs[:, 0], pairs[:, 1])
    single = np.isin(source, (MOBY, WORDNET_NEAR))
    keep = ~(single & (cosine < MIN_COSINE))
    pairs, source, cosine = pairs[keep], source[keep], cosine[keep]
    rank = cosine + SOURCE_WEIGHTS[source]
    here = np.concatenate([pairs[:, 0], pairs[:, 1]])
    there = np.concatenate([pairs[:, 1], pairs[:, 0]])
    frequency = np.array([zipf[word] for word in words], np.float64)
    # A frequent word is the likelier original; the factor was found with SOURCE_WEIGHTS.
    rank = np.concatenate([rank, rank]) + 0.08 * frequency[there]
    source = np.concatenate([source, source])
    order = np.lexsort((there, -rank, here))
    here, there, source = here[order], there[order], source[order]
    starts = np.searchsorted(here, np.arange(len(words) + 1))
    keep = np.arange(len(here)) - starts[here] < MAX_SYNONYMS
    here, there, source = here[keep], there[keep], source[keep]
    starts = np.searchsorted(here, np.arange(len(words) + 1))
    return Synonyms(starts, there.astype(np.uint16), source)


#: What each set of source bits is worth in cosines when synonyms are ranked. A coarse search over eleven
#: settings on pairs of a real spinner: the ranking hardly depends on it (original in the first 10: 75-79 %).
SOURCE_WEIGHTS: Final = np.array(
    [
        0.2 * bool(b & WORDNET) + 0.1 * bool(b & MOBY) + 0.15 * bool(b & WORDNET_NEAR) + 0.2 * bool(b & MOBY_BOTH)
        for b in range(16)
    ]
)


def _cosines(vectors: NDArray[np.int8], a: Ints, b: Ints) -> NDArray[np.float64]:
    rows = vectors.astype(np.float32)
    rows /= np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)
    return np.concatenate(
        [
            np.einsum("ij,ij->i", rows[a[i : i + 100_000]], rows[b[i : i + 100_000]])
            for i in range(0, max(len(a), 1), 100_000)
        ]
    ).astype(np.float64)


#: British -> American endings and middles, each tried on every word. Found pairs must be near in meaning.
_SPELLINGS: Final = tuple(
    (re.compile(british), american)
    for british, american in (
        (r"our", "or"),
        (r"is(e|es|ed|ing|er|ers|ation|ations|able)$", r"iz\1"),
        (r"ys(e|es|ed|ing|er|ers)$", r"yz\1"),
        (r"(.[^aeiou])re(|s|d)$", r"\1er\2"),
        (r"ll(ed|ing|er|ers|or|ors|ery|ist|ists|ous)$", r"l\1"),
        (r"^(.*[^l])l(|s|ment|ments|ful)$", r"\1ll\2"),
        (r"ae", "e"),
        (r"oe", "e"),
        (r"ogue(|s)$", r"og\1"),
        (r"amme(|s)$", r"am\1"),
        (r"enc(e|es|eless)$", r"ens\1"),
        (r"gement", "gment"),
        (r"(.)wards$", r"\1ward"),
        (r"ou(l)(d|t)", r"o\1\2"),
        (r"xion(|s)$", r"ction\1"),
    )
)
_SPELLINGS_BY_HAND: Final = (
    ("grey", "gray"),
    ("greys", "grays"),
    ("tyre", "tire"),
    ("tyres", "tires"),
    ("cheque", "check"),
    ("cheques", "checks"),
    ("plough", "plow"),
    ("sceptical", "skeptical"),
    ("sceptic", "skeptic"),
    ("sceptics", "skeptics"),
    ("scepticism", "skepticism"),
    ("aluminium", "aluminum"),
    ("licence", "license"),
    ("licences", "licenses"),
    ("practise", "practice"),
    ("practised", "practiced"),
    ("practising", "practicing"),
    ("mum", "mom"),
    ("mums", "moms"),
    ("kerb", "curb"),
    ("storey", "story"),
    ("storeys", "stories"),
    ("pyjamas", "pajamas"),
    ("moustache", "mustache"),
    ("cosy", "cozy"),
    ("draught", "draft"),
    ("sulphur", "sulfur"),
    ("doughnut", "donut"),
    ("learnt", "learned"),
    ("spelt", "spelled"),
    ("burnt", "burned"),
    ("dreamt", "dreamed"),
    ("leapt", "leaped"),
    ("whilst", "while"),
    ("amongst", "among"),
    ("jewellery", "jewelry"),
)
#: Rules pair by chance too ("four", "for"): such pairs are no neighbours.
SPELLING_COSINE: Final = 0.4


def build_spellings(words: Sequence[str], vectors: NDArray[np.int8]) -> NDArray[np.uint16]:
    """uint16[m, 2]: (British id, American id) pairs where both are in the vocabulary, sorted."""
    ids = {word: i for i, word in enumerate(words)}
    found = set()
    for word, i in ids.items():
        for british, american in _SPELLINGS:
            j = ids.get(british.sub(american, word), i)
            if j != i and len(word) > 3:
                found.add((i, j))
    pairs = np.array(sorted(found), np.int64)
    pairs = pairs[_cosines(vectors, pairs[:, 0], pairs[:, 1]) >= SPELLING_COSINE]
    by_hand = [(ids[a], ids[b]) for a, b in _SPELLINGS_BY_HAND if a in ids and b in ids]
    return np.unique(np.concatenate([pairs, np.array(by_hand)]), axis=0).astype(np.uint16)


def build_sequences(
    words: Sequence[str], model: LanguageModel, zipf: Mapping[str, float]
) -> tuple[dict[str, NDArray[np.generic]], dict[str, NDArray[np.generic]]]:
    """The tables of ``sequences.npz`` and ``triples.npz``: see data/README.md."""
    n = len(words)
    ids = {word: i for i, word in enumerate(words)} | {"<s>": n, "</s>": n + 1}
    to_id = np.array([ids.get(word, -1) for word in model.words])
    known = to_id >= 0
    unigram = np.full(n + 2, np.nan, np.float32)
    backoff = np.zeros(n + 2, np.float32)
    unigram[to_id[known]] = model.unigram[known]
    backoff[to_id[known]] = model.backoff[known]
    # Words that the model lacks: their frequency elsewhere, shifted by what both know of the others.
    frequency = np.array([zipf[word] - 9 for word in words] + [0.0, 0.0], np.float32)
    missing = np.isnan(unigram)
    missing[n:] = False
    shared = ~missing & (frequency < -5.5)
    unigram[missing] = frequency[missing] + np.median((unigram - frequency)[shared])
    unigram[n] = -99.0  # a sentence never continues with its own start

    pairs = to_id[model.pairs]
    keep = (pairs >= 0).all(axis=1)
    pair_keys = pairs[keep, 0] * (n + 2) + pairs[keep, 1]
    order = np.argsort(pair_keys)
    pair_keys, logs, pair_backoff = (
        pair_keys[order],
        model.pair_log[keep][order],
        model.pair_backoff[keep][order],
    )
    previous, word = np.divmod(pair_keys, n + 2)
    steps = _steps(previous, word)
    sequences = {
        "unigram": unigram,
        "backoff": backoff,
        "row_lengths": np.bincount(previous, minlength=n + 2).astype(np.uint16),
        "steps_low": (steps & 255).astype(np.uint8),
        "steps_high": (steps >> 8).astype(np.uint8),
        "logs": np.clip(np.rint(-logs / LOG_STEP), 0, 255).astype(np.uint8),
    }

    triples = to_id[model.triples]
    keep = (triples >= 0).all(axis=1)
    triples, triple_log = triples[keep], model.triple_log[keep]
    # Every triple's two halves are pairs of the model, so both searches hit.
    context = np.searchsorted(pair_keys, triples[:, 0] * (n + 2) + triples[:, 1])
    rest = np.searchsorted(pair_keys, triples[:, 1] * (n + 2) + triples[:, 2])
    gain = triple_log - pair_backoff[context] - logs[rest]
    keep = np.abs(gain) >= MIN_GAIN
    context, word, gain = context[keep], triples[keep, 2], gain[keep]
    order = np.lexsort((word, context))
    context, word, gain = context[order], word[order], gain[order]
    steps = _steps(context, word)
    return sequences, {
        "backoff": np.clip(np.rint(pair_backoff / GAIN_STEP), -127, 127).astype(np.int8),
        "row_lengths": np.bincount(context, minlength=len(pair_keys)).astype(np.uint16),
        "steps_low": (steps & 255).astype(np.uint8),
        "steps_high": (steps >> 8).astype(np.uint8),
        "gains": np.clip(np.rint(gain / GAIN_STEP), -127, 127).astype(np.int8),
    }


def _steps(rows: Ints, columns: Ints) -> NDArray[np.uint16]:
    """Distances between neighbours of a sorted row; a row's first column stands for itself."""
    steps = np.diff(columns, prepend=0)
    first = np.diff(rows, prepend=-1) != 0
    steps[first] = columns[first]
    return steps.astype(np.uint16)
