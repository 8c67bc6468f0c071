"""The fingerprint: what the shipped model says of the sample articles, small enough to keep in the repository.

A verdict is divided into its figures (score, those of the spans, coverages; each a share of four digits) and all the
rest, of which a hash is kept. The rest must be the same wherever unspun runs. A figure may differ by one in its last
digit: the processor decides how numpy and onnxruntime round on the way there. ``data/fingerprint.json`` holds the
fingerprint, and the tests compare.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import platform
import sys
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from unspun.article import Article, Verdict
from unspun.classifier import ModelError
from unspun.detector import Detector, is_installed
from unspun.readers import read_articles
from unspun.references import References
from unspun.resources import find_data

#: One in the last digit of a figure, and the noise of binary fractions.
LAST_DIGIT: Final = 1.001e-4
#: The part of the fingerprint that needs the extra ``context``.
READ: Final = "alone, context read"
#: Failures that the command names: a new model changes every verdict.
_SHOWN: Final = 10


class FingerprintError(ValueError):
    """A fingerprint that cannot be taken or read; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Print:
    """Of one verdict: the first 16 hexadecimal digits of the sha256 of all but its figures, and the figures."""

    rest: str
    figures: tuple[float, ...]

    @classmethod
    def of(cls, verdict: Verdict) -> Print:
        figures: list[float] = []
        alternatives = [span.alternatives for span in verdict.spans]
        # Wherever the repository lies.
        told = {**verdict.to_dict(), "source": None}
        rest = json.dumps([_take_figures(told, figures), alternatives])
        return cls(hashlib.sha256(rest.encode()).hexdigest()[:16], tuple(figures))


#: Prints by id of the article, by what it was compared with.
Fingerprint = Mapping[str, Mapping[str, Print]]


@dataclass(frozen=True, slots=True)
class Difference:
    """``failures``: a sentence for each verdict that is another one; ``moved``: how many of ``figures`` differ by one
    in the last digit."""

    failures: tuple[str, ...]
    moved: int
    figures: int


def _take_figures(value: Any, figures: list[float]) -> Any:
    """``value`` without its floats, which are added to ``figures`` in the order in which they are met."""
    if isinstance(value, float):
        figures.append(value)
        return None
    if isinstance(value, dict):
        return {key: _take_figures(item, figures) for key, item in value.items()}
    return [_take_figures(item, figures) for item in value] if isinstance(value, list) else value


def take_fingerprint(folder: Path) -> dict[str, dict[str, Print]]:
    """The fingerprint of the shipped model on the articles below ``folder`` (``data/samples``); without the extra
    ``context`` the part :data:`READ` is missing.

    References in HTML are left out: what a page's text is depends on the version of trafilatura.
    """
    articles = [item for item in read_articles([folder / "articles"]) if isinstance(item, Article)]
    texts = [path for path in sorted((folder / "references").iterdir()) if path.suffix != ".html"]
    fast = Detector.load(context="never")
    references = fast.build_references(item for item in read_articles(texts) if isinstance(item, Article))
    taken = {"alone": _take_part(fast, articles), "with references": _take_part(fast, articles, references)}
    if is_installed():
        taken[READ] = _take_part(Detector.load(context="always"), articles)
    return taken


def _take_part(
    detector: Detector, articles: Sequence[Article], references: References | None = None
) -> dict[str, Print]:
    return {verdict.id: Print.of(verdict) for verdict in detector.score_many(articles, references)}


def compare(kept: Fingerprint, taken: Fingerprint) -> Difference:
    """How ``taken`` differs from ``kept``; a part that is missing in ``taken`` is not compared."""
    failures, moved, count = [], 0, 0
    for part, prints in taken.items():
        known = kept.get(part, {})
        for name in sorted({*known, *prints}):
            one, other = known.get(name), prints.get(name)
            if one is None or other is None:
                failures.append(f"{part}: {name} is in one of the two only")
            elif one.rest != other.rest or len(one.figures) != len(other.figures):
                failures.append(f"{part}: {name}: another verdict, with other labels, spans, suggestions or relations")
            else:
                apart = [abs(a - b) for a, b in zip(one.figures, other.figures, strict=True)]
                count += len(apart)
                moved += sum(0 < distance <= LAST_DIGIT for distance in apart)
                if max(apart, default=0.0) > LAST_DIGIT:
                    failures.append(f"{part}: {name}: a figure differs by {max(apart):.4f}")
    return Difference(tuple(failures), moved, count)


def read_fingerprint(path: Path) -> dict[str, dict[str, Print]]:
    """What :func:`write_fingerprint` wrote; raises FingerprintError when it is something else."""
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
        return {
            str(part): {
                str(name): Print(str(rest), tuple(map(float, figures))) for name, (rest, *figures) in of.items()
            }
            for part, of in stored.items()
        }
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise FingerprintError(f"{path}: not a fingerprint ({error!r}): restore it from the repository") from error


def write_fingerprint(path: Path, fingerprint: Fingerprint) -> None:
    """One article a line, so that a change shows which verdicts it changes."""
    parts = []
    for part, prints in fingerprint.items():
        lines = [f"  {json.dumps(name)}: {json.dumps([p.rest, *p.figures])}" for name, p in sorted(prints.items())]
        parts.append(f" {json.dumps(part)}: {{\n" + ",\n".join(lines) + "\n }")
    path.write_text("{\n" + ",\n".join(parts) + "\n}\n", encoding="utf-8")


def main(arguments: Sequence[str] | None = None) -> int:
    """``scripts/fingerprint``: whether the shipped model says here what it said where ``data/fingerprint.json`` was
    written. Exit status: 0 it does, 1 it does not, 2 the fingerprint cannot be taken or read."""
    parser = argparse.ArgumentParser(prog="scripts/fingerprint", description=main.__doc__)
    parser.add_argument("--renew", action="store_true", help="a change of the verdicts is meant: keep the new ones")
    options = parser.parse_args(arguments)
    try:
        path = find_data("fingerprint.json")
        taken = take_fingerprint(find_data("samples"))
        if options.renew:
            if READ not in taken:
                raise FingerprintError("the extra context is needed: pip install '.[context]'")
            write_fingerprint(path, taken)
        difference = compare(read_fingerprint(path), taken)
    except (FingerprintError, ModelError, FileNotFoundError) as error:
        print(f"scripts/fingerprint: {error}", file=sys.stderr)
        return 2
    for failure in difference.failures[:_SHOWN]:
        print(f"scripts/fingerprint: {failure}", file=sys.stderr)
    if difference.failures:
        count = len(difference.failures)
        print(f"scripts/fingerprint: {count} verdicts differ; if that is meant: --renew", file=sys.stderr)
        return 1
    told = f"{sum(map(len, taken.values()))} verdicts ({'; '.join(taken)})"
    here = f"Python {platform.python_version()}, numpy {version('numpy')}, Unicode {unicodedata.unidata_version}"
    print(f"{told}: equal; {difference.moved} of {difference.figures} figures differ in the last digit ({here})")
    return 0
