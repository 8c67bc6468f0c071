"""Builds ``data/lexicon``: what is known of English, from pinned public packages.

``data/README.md`` is the specification of every table. The same inputs give the same bytes.
"""

from __future__ import annotations

import argparse
import gzip
import io
import tempfile
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from unspun.lexicon import UNKNOWN, Lexicon
from unspun.training.lexicon.forms import read_forms
from unspun.training.lexicon.packages import (
    IRREGULAR,
    PACKAGES,
    SEQUENCES,
    SYNSETS,
    THESAURUS,
    VECTORS,
    fetch_packages,
    read_language_model,
    read_moby,
    read_vectors,
    read_wordnet,
    read_zipf,
    sha256_of,
)
from unspun.training.lexicon.phrases import build_phrases
from unspun.training.lexicon.tables import (
    build_sequences,
    build_spellings,
    build_synonyms,
    build_vectors,
    choose_words,
)


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
    parser.add_argument("--out", type=Path, default=Path(__file__).parents[4] / "data" / "lexicon")
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
