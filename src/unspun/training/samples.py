"""The sample articles: marked sources (``data/samples/marked``) and what is rendered from them.

A marked source is ``key: value`` lines, an empty line, then the article with every swap where it stands, as
``{{new wording|old wording}}`` or ``{{new|old|kind}}``; either wording may be empty (words added or cut).
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

#: Kinds of a sample, each with its label, its relation to its source and the kind of a mark that names none.
#: A kind of mark that is None allows no marks.
_KINDS: Final[dict[str, tuple[str, str, str | None]]] = {
    "spun": ("spun", "spun", "synonym"),
    "quote_altered": ("spun", "independent", "quote"),
    "edited": ("clean", "edited", "edit"),
    "copy": ("clean", "copy", None),
    "honest": ("clean", "independent", None),
}
#: The kinds of span that swaps leave, and ``edit`` for a change that an editor would make.
MARK_KINDS: Final = ("name", "quote", "grammar", "phrase", "synonym", "edit")
_KEYS: Final = frozenset({"source", "family", "kind"})
#: The source of an article whose original is not among the references.
UNSEEN: Final = "unseen"

_MARK: Final = re.compile(r"\{\{([^{}|]*)\|([^{}|]*)(?:\|([^{}|]*))?\}\}")


class MarkedError(ValueError):
    """A marked source that cannot be read; the message says what to change."""


@dataclass(frozen=True, slots=True)
class Substitution:
    """Words ``[start, end)`` of the rendered article (code points) that stand where ``original`` stood."""

    start: int
    end: int
    text: str
    original: str
    kind: str

    def to_dict(self) -> dict[str, Any]:
        return {
            "start": self.start,
            "end": self.end,
            "text": self.text,
            "original": self.original,
            "kind": self.kind,
        }


@dataclass(frozen=True, slots=True)
class MarkedArticle:
    """A parsed marked source: ``text`` has the new wordings in place, ``original`` the old ones."""

    header: dict[str, str]
    text: str
    substitutions: tuple[Substitution, ...]
    original: str


@dataclass(frozen=True, slots=True)
class Sample:
    """One sample article with its truth. ``id`` is its file name, ``source`` its reference's or None."""

    id: str
    event: str
    kind: str
    label: str
    family: str | None
    source: str | None
    relation: str
    text: str
    original: str
    substitutions: tuple[Substitution, ...]

    def to_dict(self) -> dict[str, Any]:
        """The line of ``truth.jsonl``; the text itself stands in ``articles/``."""
        return {
            "id": self.id,
            "event": self.event,
            "kind": self.kind,
            "label": self.label,
            "family": self.family,
            "source": self.source,
            "relation": self.relation,
            "substitutions": [substitution.to_dict() for substitution in self.substitutions],
        }


def parse_marked(text: str) -> MarkedArticle:
    """Split a marked source into header, article, substitutions and original.

    Raises MarkedError for an unknown header line or kind, and for braces that form no mark.
    """
    head, gap, body = text.partition("\n\n")
    if not gap:
        raise MarkedError("no empty line after the header: put one between the header and the article")
    header = _parse_header(head)
    default = _KINDS[header["kind"]][2]
    substitutions: list[Substitution] = []
    new_parts: list[str] = []
    old_parts: list[str] = []
    read, length = 0, 0
    for mark in _MARK.finditer(body):
        new, old, kind = mark.group(1), mark.group(2), mark.group(3) or default
        if default is None:
            raise MarkedError(f"{mark.group()!r}: an article of kind {header['kind']!r} has no marks")
        if kind not in MARK_KINDS:
            raise MarkedError(f"{mark.group()!r}: kind {kind!r} is none of {', '.join(MARK_KINDS)}")
        if new == old:
            raise MarkedError(f"{mark.group()!r} changes nothing: write the words without braces")
        plain = _check_plain(body[read : mark.start()])
        start = length + len(plain)
        length = start + len(new)
        substitutions.append(Substitution(start, length, new, old, kind))
        new_parts += (plain, new)
        old_parts += (plain, old)
        read = mark.end()
    rest = _check_plain(body[read:])
    return MarkedArticle(header, "".join((*new_parts, rest)), tuple(substitutions), "".join((*old_parts, rest)))


def _parse_header(head: str) -> dict[str, str]:
    header: dict[str, str] = {}
    for line in head.splitlines():
        key, colon, value = line.partition(":")
        if not colon or key not in _KEYS:
            raise MarkedError(f"header line {line!r}: expected one of {', '.join(sorted(_KEYS))} and a colon")
        header[key] = value.strip()
    if header.get("kind") not in _KINDS:
        raise MarkedError(f"header kind {header.get('kind')!r}: expected one of {', '.join(_KINDS)}")
    return header


def _check_plain(text: str) -> str:
    if "{{" in text or "}}" in text:
        raise MarkedError(f"braces that form no mark near {text.strip()[:60]!r}: write {{{{new|old}}}}")
    return text


def read_samples(folder: Path) -> list[Sample]:
    """Every sample of ``folder`` (with ``marked/`` and ``references/``), in the order of their names.

    Raises MarkedError, naming the file, where a marked source is malformed or its reference is missing.
    """
    references = {path.stem: path.name for path in (folder / "references").iterdir()}
    paths = sorted((folder / "marked").glob("*.txt"))
    if not paths:
        raise MarkedError(f"{folder / 'marked'}: no marked sources (*.txt) here")
    samples = []
    for path in paths:
        try:
            marked = parse_marked(path.read_text(encoding="utf-8"))
            samples.append(_make_sample(path.name, marked, references))
        except MarkedError as error:
            raise MarkedError(f"{path}: {error}") from error
    return samples


def _make_sample(name: str, marked: MarkedArticle, references: dict[str, str]) -> Sample:
    kind = marked.header["kind"]
    label, relation, _ = _KINDS[kind]
    source = marked.header.get("source", UNSEEN)
    if source == UNSEEN:
        # Every reference that there may be is another report of the event.
        relation = "independent"
    elif source not in references:
        raise MarkedError(f"source {source!r} is not in references: name a file there without its suffix")
    return Sample(
        id=name,
        event=name.partition("-")[0],
        kind=kind,
        label=label,
        family=marked.header.get("family"),
        source=references.get(source),
        relation=relation,
        text=marked.text,
        original=marked.original,
        substitutions=marked.substitutions,
    )


def render_samples(samples: Sequence[Sample]) -> dict[str, str]:
    """What the rendered files hold, by path relative to the samples' folder."""
    files = {f"articles/{sample.id}": sample.text for sample in samples}
    lines = [json.dumps(sample.to_dict(), ensure_ascii=False) + "\n" for sample in samples]
    return {**files, "truth.jsonl": "".join(lines)}


def find_stale(folder: Path, files: dict[str, str]) -> list[str]:
    """Paths, relative to ``folder``, that are missing, differ from ``files`` or should not be there."""
    there = {f"articles/{path.name}" for path in (folder / "articles").glob("*")}
    stale = there - files.keys()
    for name, text in files.items():
        path = folder / name
        if not path.is_file() or path.read_bytes() != text.encode():
            stale.add(name)
    return sorted(stale)


def write_rendered(folder: Path, files: dict[str, str]) -> None:
    """Bring the rendered files of ``folder`` up to date; rendered articles without a source are removed."""
    (folder / "articles").mkdir(exist_ok=True)
    for name in find_stale(folder, files):
        if name in files:
            (folder / name).write_bytes(files[name].encode())
        else:
            (folder / name).unlink()


def main(arguments: Sequence[str] | None = None) -> int:
    """Render the samples, or with ``--check`` say what is stale. Exit status: 0, 1 stale, 2 bad source."""
    parser = argparse.ArgumentParser(description="Render data/samples/marked into articles and truth.jsonl.")
    parser.add_argument("folder", nargs="?", type=Path, default=Path("data/samples"))
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 when files are stale")
    options = parser.parse_args(arguments)
    try:
        samples = read_samples(options.folder)
    except (MarkedError, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    files = render_samples(samples)
    if not options.check:
        write_rendered(options.folder, files)
        return 0
    stale = find_stale(options.folder, files)
    for name in stale:
        print(f"{options.folder / name}: out of date, run scripts/render_samples", file=sys.stderr)
    return 1 if stale else 0
