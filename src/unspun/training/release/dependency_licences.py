"""The licences of what unspun needs to run, from the metadata of what is installed: data/LICENSES/dependencies.md."""

from __future__ import annotations

import argparse
import re
import sys
import tomllib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path
from typing import Final

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from unspun.resources import find_data

#: The extras that serve whoever uses unspun; the others train, measure and test it.
RUN_TIME: Final = ("html", "context", "files", "warc", "serve", "scrapy", "datatrove", "datasets", "spark")
#: Licences by their SPDX names that put no condition on unspun's own licence. MPL, and LGPL for what is imported and
#: not copied, bind those who change these packages themselves. BSD: the metadata do not say how many clauses.
COMPATIBLE: Final = frozenset(
    "0BSD Apache-2.0 BSD BSD-2-Clause BSD-3-Clause BSL-1.0 CC0-1.0 CNRI-Python HPND ISC MIT MIT-0 MIT-CMU MPL-1.1 "
    "MPL-2.0 NCSA PSF-2.0 Python-2.0 Unlicense Zlib ZPL-2.1 LGPL-2.1-only LGPL-2.1-or-later LGPL-3.0-only "
    "LGPL-3.0-or-later".split()
)
UNKNOWN: Final = "unknown"
#: What metadata write in place of a SPDX name: the ends of classifiers, common names, beginnings of licence texts.
_NAMES: Final[Mapping[str, str]] = {
    "apache": "Apache-2.0",
    "bsd 2-clause": "BSD-2-Clause",
    "bsd 3-clause": "BSD-3-Clause",
    "3-clause bsd": "BSD-3-Clause",
    "redistributions of source code": "BSD-3-Clause",
    "bsd": "BSD",
    "mozilla public license 1.1": "MPL-1.1",
    "mozilla public license 2.0": "MPL-2.0",
    "mozilla public license, v. 2.0": "MPL-2.0",
    "isc": "ISC",
    "python software foundation": "PSF-2.0",
    "psf": "PSF-2.0",
    "unlicense": "Unlicense",
    "zope public license": "ZPL-2.1",
    "zlib": "Zlib",
    "mit": "MIT",
    "permission is hereby granted, free of charge": "MIT",
}


class LicenceError(ValueError):
    """A table that cannot be made; the message says what to do."""


def list_requirements(project: Path) -> dict[str, list[Requirement]]:
    """What unspun asks for itself, by the extra that asks ("" without one)."""
    about = tomllib.loads(project.read_text(encoding="utf-8"))["project"]
    asked = {"": about["dependencies"], **{name: about["optional-dependencies"][name] for name in RUN_TIME}}
    read = {extra: [Requirement(line) for line in lines] for extra, lines in asked.items()}
    return {extra: [one for one in requirements if one.name != "unspun"] for extra, requirements in read.items()}


def find_licence(package: Distribution) -> str:
    """The licence as an SPDX expression: what the metadata declare, else what their classifiers or the licence file
    say; :data:`UNKNOWN` where nothing does."""
    about = package.metadata.json
    if declared := about.get("license_expression"):
        return str(declared)
    classifiers = [c.rpartition(" :: ")[2] for c in about.get("classifier", ()) if c.startswith("License ::")]
    files = [file for file in package.files or () if re.search(r"(?i)\b(licen[cs]e|copying)\b", file.name)]
    texts = (text for file in files if (text := file.read_text()))
    for told in (str(about.get("license", "")), *classifiers, *texts):
        if is_compatible(told):
            return told.strip()
        low = re.sub(r"\s+", " ", told.lower())
        for sign, name in _NAMES.items():
            if re.search(rf"\b{re.escape(sign)}\b", low) and "gnu" not in low[:200]:
                return name
    return UNKNOWN


def is_compatible(expression: str) -> bool:
    """Whether unspun may be used beside a package of this SPDX expression: with ``OR`` one side must be compatible,
    with ``AND`` all."""
    plain = re.sub(r"\s+WITH\s+[\w.-]+", "", expression)
    while "(" in plain and ")" in plain:
        reduced = re.sub(r"\(([^()]*)\)", lambda inner: "MIT" if is_compatible(inner[1]) else UNKNOWN, plain)
        if reduced == plain:
            return False
        plain = reduced
    return any(
        all(name.strip() in COMPATIBLE for name in re.split(r"\s+AND\s+", side))
        for side in re.split(r"\s+OR\s+", plain.strip())
    )


def gather(asked: Iterable[Requirement]) -> tuple[dict[str, str], dict[str, str]]:
    """The licences by name of the packages asked for, and of those that these need in turn here.

    Raises LicenceError where one is not installed: its needs are not known then.
    """
    waiting = list(asked)
    direct = {canonicalize_name(one.name) for one in waiting}
    licences, seen = dict[str, str](), set[tuple[str, frozenset[str]]]()
    while waiting:
        wanted = waiting.pop()
        name, extras = canonicalize_name(wanted.name), frozenset(wanted.extras)
        if (name, extras) in seen:
            continue
        seen.add((name, extras))
        try:
            package = distribution(name)
        except PackageNotFoundError:
            raise LicenceError(f"{name} is not installed: scripts/setup dev,spark") from None
        licences[name] = find_licence(package)
        needs = map(Requirement, package.requires or ())
        waiting += [
            one for one in needs if one.marker is None or any(one.marker.evaluate({"extra": e}) for e in ("", *extras))
        ]
    return (
        {name: licence for name, licence in sorted(licences.items()) if name in direct},
        {name: licence for name, licence in sorted(licences.items()) if name not in direct},
    )


def make_page(asked: Mapping[str, Sequence[Requirement]]) -> str:
    """The table as Markdown. Raises LicenceError for a licence that is not known to be compatible."""
    direct, further = gather(one for requirements in asked.values() for one in requirements)
    doubtful = [f"{name} ({licence})" for name, licence in {**direct, **further}.items() if not is_compatible(licence)]
    if doubtful:
        raise LicenceError(f"not known to be compatible with the Apache License 2.0: {', '.join(doubtful)}")
    lines = [
        "# Licences of what unspun needs to run",
        "None of it is part of unspun's packages: pip installs it beside unspun. Written by `scripts/list_licences`",
        "from the metadata of what was installed; it refuses what is not known to be compatible with the Apache",
        "License 2.0. The data that come with wordfreq are under CC BY-SA 4.0.",
        "",
        "| package | for | licence |",
        "|---|---|---|",
    ]
    for name, licence in direct.items():
        extras = [extra for extra, those in asked.items() if name in {canonicalize_name(one.name) for one in those}]
        needed = "unspun itself" if "" in extras else ", ".join(f"`{extra}`" for extra in extras)
        lines.append(f"| {name} | {needed} | {licence} |")
    by_licence = defaultdict[str, list[str]](list)
    for name, licence in further.items():
        by_licence[licence].append(name)
    lines += ["", "What these need in turn:", "", "| licence | packages |", "|---|---|"]
    lines += [f"| {licence} | {', '.join(names)} |" for licence, names in sorted(by_licence.items())]
    return "\n".join(lines) + "\n"


def main(arguments: Sequence[str] | None = None) -> int:
    """``scripts/list_licences``: write the table of licences. Exit status: 0 done, 2 a package is missing or its
    licence is not known to be compatible."""
    parser = argparse.ArgumentParser(prog="scripts/list_licences", description=main.__doc__)
    parser.parse_args(arguments)
    try:
        folder = find_data("LICENSES")
        page = make_page(list_requirements(folder.parents[1] / "pyproject.toml"))
    except (LicenceError, FileNotFoundError) as error:
        print(f"scripts/list_licences: {error}", file=sys.stderr)
        return 2
    (folder / "dependencies.md").write_text(page, encoding="utf-8")
    return 0
