"""Every file that is shipped beside the code has a source and a licence, and so has what unspun needs to run."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib.metadata import PathDistribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from unspun.training.release.dependency_licences import (
    UNKNOWN,
    LicenceError,
    find_licence,
    gather,
    is_compatible,
    list_requirements,
    main,
)

ROOT = Path(__file__).resolve().parents[1]
LICENCES = ROOT / "data" / "LICENSES"


def read_entries() -> Iterator[tuple[str, str, list[str]]]:
    """The files that a row of the tables names, as a pattern below the root, its terms, and the licence texts named."""
    folder = ""
    for line in (LICENCES / "README.md").read_text("utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("| file in "):
            folder = re.findall(r"`([^`]+)`", cells[0])[0]
        elif line.startswith("| `"):
            for name in re.findall(r"`([^`]+)`", cells[0]):
                pattern = f"{folder}/{name}" + ("**/*" if name.endswith("/") else "")
                yield pattern, cells[2], re.findall(r"`([^`]+)`", cells[3])


def list_shipped() -> list[Path]:
    return [path for name in ("data", "models") for path in (ROOT / name).rglob("*") if path.is_file()]


def test_every_file_has_a_source_and_a_licence() -> None:
    entries = list(read_entries())
    texts = {path for _, _, named in entries for path in named}
    covered = {path for pattern, _, _ in entries for path in ROOT.glob(pattern)}
    notices = {LICENCES / name for name in texts if "." in name}
    left = sorted(str(path.relative_to(ROOT)) for path in {*list_shipped()} - covered - notices)
    assert left == [], "name source and licence in data/LICENSES/README.md"
    assert all(terms for _, terms, _ in entries)


def test_every_entry_is_of_a_file_and_every_licence_text_is_there() -> None:
    for pattern, terms, texts in read_entries():
        assert any(ROOT.glob(pattern)), pattern
        assert texts or terms == "as those", pattern
        for name in texts:
            place = ROOT if name == "LICENSE" else LICENCES
            assert (place / name).read_text("utf-8").strip(), name


def test_what_the_lexicon_was_built_from_is_named_with_its_version() -> None:
    told = (LICENCES / "README.md").read_text("utf-8")
    lines = (ROOT / "data" / "lexicon" / "CHECKSUMS").read_text("utf-8").splitlines()
    inputs = [line.split()[2] for line in lines if line.split()[1] == "input"]
    assert len(inputs) >= 5
    for file in inputs:
        found = re.match(r"(.+?)-(\d+(?:\.\d+)+)", file)
        assert found is not None
        assert f"`{found[1]}` {found[2]}" in told, file


def test_models_have_cards_that_say_what_they_learnt_from() -> None:
    for file, words in (("default.md", "clean text"), ("context.md", "starts from")):
        assert words in (ROOT / "models" / file).read_text("utf-8")


def test_the_notices_of_both_wordnets_are_kept() -> None:
    """Each release asks for its own words in every copy."""
    notice = (LICENCES / "WordNet.txt").read_text("utf-8")
    assert "WordNet 3.0 Copyright 2006 by Princeton University" in notice
    assert "WordNet 3.1 Copyright 2011 by Princeton University" in notice


def test_every_package_that_unspun_asks_for_has_its_licence_listed() -> None:
    page = (LICENCES / "dependencies.md").read_text("utf-8")
    rows = dict(re.findall(r"^\| ([\w.-]+) \| .+ \| (.+) \|$", page, flags=re.M))
    asked = list_requirements(ROOT / "pyproject.toml")
    for requirement in (one for requirements in asked.values() for one in requirements):
        name = canonicalize_name(requirement.name)
        assert name in rows, f"{name}: run scripts/list_licences"
        assert is_compatible(rows[name]), name


@pytest.mark.parametrize(
    ("expression", "compatible"),
    [
        ("MIT", True),
        ("BSD-3-Clause AND MIT", True),
        ("GPL-3.0-only", False),
        ("MPL-1.1 OR GPL-2.0-only", True),
        ("MIT AND GPL-2.0-only", False),
        ("GPL-2.0-only AND (MIT OR Apache-2.0)", False),
        ("MPL-2.0 AND (Apache-2.0 OR GPL-3.0-only)", True),
        ("Apache-2.0 WITH LLVM-exception", True),
        (")MIT(", False),
        (UNKNOWN, False),
        ("", False),
    ],
)
def test_an_expression_is_compatible_or_not(expression: str, compatible: bool) -> None:
    assert is_compatible(expression) == compatible


@pytest.mark.parametrize(
    ("lines", "text", "licence"),
    [
        ("License-Expression: MPL-2.0 AND MIT", "", "MPL-2.0 AND MIT"),
        ("License: Apache 2.0", "", "Apache-2.0"),
        ("License: MPL-1.1 OR GPL-2.0-or-later", "", "MPL-1.1 OR GPL-2.0-or-later"),
        ("Classifier: License :: OSI Approved :: MIT License", "", "MIT"),
        # What locate says of itself, beside the text of the MIT licence.
        (
            "Classifier: License :: Other/Proprietary License",
            "Permission is hereby\ngranted, free of charge, to",
            "MIT",
        ),
        ("Classifier: License :: OSI Approved :: GNU General Public License v3 (GPLv3)", "", UNKNOWN),
        ("License: GNU GPL, as MIT says", "", UNKNOWN),
        ("Classifier: Programming Language :: Python", "", UNKNOWN),
    ],
)
def test_licences_are_read_from_metadata(tmp_path: Path, lines: str, text: str, licence: str) -> None:
    folder = tmp_path / "some-1.0.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text(f"Metadata-Version: 2.4\nName: some\nVersion: 1.0\n{lines}\n", "utf-8")
    (folder / "LICENSE").write_text(text, "utf-8")
    (folder / "RECORD").write_text("some-1.0.dist-info/LICENSE,,\n", "utf-8")
    assert find_licence(PathDistribution(folder)) == licence


def test_a_licence_that_is_not_compatible_stops_the_script(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    before = (LICENCES / "dependencies.md").read_bytes()
    monkeypatch.setattr("unspun.training.release.dependency_licences.find_licence", lambda package: "GPL-3.0-only")
    assert main([]) == 2
    # Where some extra is missing it stops before.
    assert re.search(r"numpy \(GPL-3\.0-only\)|is not installed", capsys.readouterr().err)
    assert (LICENCES / "dependencies.md").read_bytes() == before


def test_a_missing_package_is_named() -> None:
    with pytest.raises(LicenceError, match="no-such-package-here is not installed"):
        gather([Requirement("no_such_package.here")])
