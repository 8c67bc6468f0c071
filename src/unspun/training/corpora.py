"""The shared corpora as documents, and the one division into train and validation that everything uses.

The division is by *group* - the event, the site, the source text - never by sentence and never by document
alone where several documents tell the same thing. It is a hash of the group, so it does not move when
documents are added.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from unspun.text import Text

Part = Literal["train", "validation"]

#: Clean corpora written by people, and clean corpora that are easily mistaken (read with their kind).
HUMAN: Final = (
    "abc_au",
    "bbc",
    "brown",
    "ecbplus_clusters",
    "fnc1",
    "outfox_human_essays",
    "reuters21578",
    "webmix",
)
HARD: Final = ("chatgpt_detector_bias", "outfox_llm_and_dipper", "wmt22_translationese")
EXCERPTS: Final = "spinbot_style"

#: Machine paraphrase: neither spun nor clean, so in neither class.
_LEFT_OUT: Final = "dipper"
#: Pages of the web mix that are spun themselves, found by reading those that score highest (one of 2,608).
_SPUN_PAGES: Final = ("webmix/63f5af32ca75",)
#: Words of a document's opening that make two documents the same one: wire copy is repeated with one figure
#: changed, and the BBC set holds a tenth of its stories twice.
_OPENING: Final = 10
#: Share of groups that trains: the rest validates.
_TRAIN_SHARE: Final = 2 / 3

#: A word in more documents than this tells a topic, not a story (FNC-1 holds up to 30 reports of one story).
_RARE_AT_MOST: Final = 30
#: Two reports tell one story when they share this many rare words and this share of the shorter one's. Set by
#: reading the borderline pairs of FNC-1: below it stand reports of one war, above it reports of one event.
_SHARED_WORDS: Final = 8
_SHARED_PART: Final = 0.3


@dataclass(frozen=True, slots=True)
class Document:
    """One text of a corpus.

    ``corpus`` is the name that figures are reported under (hard corpora: "name/kind"), ``cluster`` the event
    or source that the corpus itself names, ``group`` what train and validation are divided by, ``domain`` the
    sort of site (webmix only).
    """

    id: str
    text: str
    corpus: str
    kind: str
    cluster: str | None
    group: str
    domain: str | None = None


@dataclass(frozen=True, slots=True)
class Excerpt:
    """A really spun text and the pairs (spun wording, likely original) that were noted in it by hand."""

    id: str
    text: str
    evidence: tuple[tuple[str, str], ...]

    @property
    def group(self) -> str:
        return f"{EXCERPTS}:{self.id}"

    def find_noted(self, norms: Sequence[str]) -> Iterator[tuple[int, list[bool], str]]:
        """Where among the words of the text (``norms``) a noted wording stands: its first place, which of its words the
        likely original has not, that original."""
        for spun, likely in self.evidence:
            wording, kept = Text(spun).norms, set(Text(likely).norms)
            new = [norm not in kept for norm in wording]
            for first in range(len(norms) - len(wording) + 1 if wording else 0):
                if norms[first : first + len(wording)] == wording:
                    yield first, new, likely


def source_of(corpus: str) -> str:
    """The corpus without its kind. It is left out as one: its kinds have authors and prompts in common."""
    return corpus.partition("/")[0]


def split(group: str, seed: int = 0) -> Part:
    """The part that a group belongs to: a stable hash, so the same on every machine and in every run."""
    digest = hashlib.blake2b(f"{seed}:{group}".encode(), digest_size=8).digest()
    return "train" if int.from_bytes(digest, "big") < _TRAIN_SHARE * 2**64 else "validation"


def read_corpus(shared: Path, name: str) -> list[Document]:
    """The documents of the corpus ``name`` (a member of :data:`HUMAN` or :data:`HARD`).

    Raises FileNotFoundError when the shared folder does not hold it, ValueError for an unknown name or a
    broken file.
    """
    path = corpus_path(shared, name)
    documents = [
        _document(row, name)
        for row in read_rows(path)
        if _LEFT_OUT not in (row["kind"], row.get("tool")) and row["id"] not in _SPUN_PAGES
    ]
    return _group_stories(documents) if name == "fnc1" else documents


def read_excerpts(shared: Path) -> list[Excerpt]:
    """The really spun excerpts; divide them by :func:`split` of their ``group``."""
    path = shared / "real" / f"{EXCERPTS}.jsonl"
    return [
        Excerpt(row["id"], row["text"], tuple((pair["spun"], pair["likely"]) for pair in row["evidence"]))
        for row in read_rows(path)
    ]


def corpus_path(shared: Path, name: str) -> Path:
    """Where the corpus ``name`` lies. Raises ValueError for an unknown name, FileNotFoundError if missing."""
    if name not in HUMAN and name not in HARD:
        raise ValueError(f"unknown corpus {name!r}: choose from {', '.join(HUMAN + HARD)}")
    return find_existing(shared / "corpora" / ("human" if name in HUMAN else "hard") / f"{name}.jsonl.gz")


def hash_data(shared: Path) -> str:
    """sha256 over every file that training and measuring read: corpora, lexicons and real excerpts."""
    digest = hashlib.sha256()
    folders = [
        shared / "corpora" / "human",
        shared / "corpora" / "hard",
        shared / "lexicons",
        shared / "real",
    ]
    for folder in folders:
        for path in sorted(find_existing(folder).iterdir()):
            if path.suffix in {".gz", ".jsonl", ".tsv"}:
                digest.update(f"{folder.name}/{path.name}\0".encode())
                digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def find_stories(documents: Sequence[Document]) -> list[list[Document]]:
    """The documents that report the same story, together: groups of two or more, in order of appearance.

    Two documents are joined by the rare words that they share (names, mostly); conservative, so that what
    stands in a group can serve as each other's reference.
    """
    words = [{norm for norm in Text(d.text).norms if len(norm) > 3} for d in documents]
    spread = Counter(word for found in words for word in found)
    rare = [{word for word in found if 2 <= spread[word] <= _RARE_AT_MOST} for found in words]
    holders = defaultdict[str, list[int]](list)
    for index, found in enumerate(rare):
        for word in found:
            holders[word].append(index)
    parent = list(range(len(documents)))
    for index, found in enumerate(rare):
        shared = Counter(other for word in found for other in holders[word] if other < index)
        for other, count in shared.items():
            if count >= max(_SHARED_WORDS, _SHARED_PART * min(len(found), len(rare[other]))):
                parent[_root(parent, index)] = _root(parent, other)
    groups = defaultdict[int, list[Document]](list)
    for index, document in enumerate(documents):
        groups[_root(parent, index)].append(document)
    return [group for group in groups.values() if len(group) > 1]


def _root(parent: list[int], index: int) -> int:
    while parent[index] != index:
        parent[index] = parent[parent[index]]
        index = parent[index]
    return index


def _group_stories(documents: list[Document]) -> list[Document]:
    story = {d.id: f"fnc1:story:{group[0].id}" for group in find_stories(documents) for d in group}
    return [Document(d.id, d.text, d.corpus, d.kind, story.get(d.id), story.get(d.id, d.group)) for d in documents]


def _document(row: dict[str, Any], name: str) -> Document:
    corpus = f"{name}/{row['kind']}" if name in HARD else name
    cluster = row.get("site") or row.get("cluster")
    return Document(row["id"], row["text"], corpus, row["kind"], cluster, _group(row, name, cluster), row.get("domain"))


def _group(row: dict[str, Any], name: str, cluster: str | None) -> str:
    """What must not be divided: an event, a site, one source text in many translations, one essay prompt."""
    parts = row["id"].split("/")
    if name == "wmt22_translationese":  # wmt22/SET.PAIR.SYSTEM/NUMBER: every system translates the same texts
        return f"wmt22:{parts[1].split('.')[1]}:{parts[2]}"
    if name == "chatgpt_detector_bias":  # .../SOURCE_VARIANT_COUNT/NUMBER: variants of one source text
        return f"chatgptbias:{parts[1].split('_')[0]}:{parts[2]}"
    if name.startswith("outfox"):  # outfox/MODEL/NUMBER or outfox/human/PART/NUMBER
        return f"outfox:{parts[-1]}"
    return f"{name}:{cluster}" if cluster else f"{name}:{' '.join(Text(row['text'][:200]).norms[:_OPENING])}"


def read_rows(path: Path) -> Iterator[dict[str, Any]]:
    """The objects of a file of JSON lines, packed or not.

    Raises FileNotFoundError when the file is missing, ValueError for a broken line.
    """
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(find_existing(path), "rt", encoding="utf-8") as stream:
        for number, line in enumerate(stream, 1):
            try:
                yield json.loads(line)
            except json.JSONDecodeError as error:
                raise ValueError(f"{path}: line {number} is not JSON ({error}); fetch the file again") from error


def read_table(path: Path) -> list[dict[str, str]]:
    """The rows of a file of tab-separated values, by the names in its head."""
    with find_existing(path).open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream, delimiter="\t", quoting=csv.QUOTE_NONE))


def find_existing(path: Path) -> Path:
    """``path``; raises FileNotFoundError when nothing is there."""
    if not path.exists():
        raise FileNotFoundError(f"{path} is missing: give the shared folder with --shared")
    return path
