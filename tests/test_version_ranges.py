"""The ranges of pyproject.toml are those that were tested, at both ends."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

from unspun.training.release.version_ranges import (
    CORE,
    NOT_AT_BOTH_ENDS,
    TESTS,
    Tried,
    is_end,
    main,
    read_ranges,
    read_tried,
    write_tried,
)

ROOT = Path(__file__).resolve().parents[1]
TRIED = read_tried(ROOT / "data" / "tested_versions.jsonl")
RANGES = read_ranges(ROOT / "pyproject.toml")


@pytest.mark.parametrize("end", ["lowest", "newest"])
@pytest.mark.parametrize("extra", sorted({*RANGES} - {*NOT_AT_BOTH_ENDS}))
def test_every_range_was_tested_at_both_ends(extra: str, end: str) -> None:
    runs = [run for run in TRIED if (run.end, run.extra) == (end, extra)]
    again = f"run scripts/test_ranges {end} {extra}"
    assert runs, again
    for one in RANGES[extra]:
        for run in runs:
            version = run.versions[canonicalize_name(one.name)]
            assert is_end(one.specifier, version, end), f"{one} was tried as {version}: {again}"


def test_the_tests_of_every_extra_are_there() -> None:
    assert {*RANGES} - {*TESTS} <= {*NOT_AT_BOTH_ENDS}
    for files in TESTS.values():
        assert files
        assert all((ROOT / "tests" / f"test_{name}.py").exists() for name in files)


def test_the_pythons_that_are_told_are_those_that_passed() -> None:
    about = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    told = {line.rpartition(" :: ")[2] for line in about["classifiers"] if "Python :: 3." in line}
    assert {run.key[2] for run in TRIED if run.extra == CORE} == told
    assert about["requires-python"] == f">={min(told, key=Version)}"


@pytest.mark.parametrize(
    ("specifier", "version", "end", "right"),
    [
        (">=1.26,<3", "1.26.0", "lowest", True),
        (">=1.26,<3", "1.26.4", "lowest", True),
        (">=1.26,<3", "2.0.0", "lowest", False),
        (">=3", "3.1.0", "lowest", True),
        (">=1.26,<3", "3.0.0", "newest", False),
        (">=1.26,<3", "2.4.6", "newest", True),
        ("", "2023.10.3", "lowest", True),
    ],
)
def test_an_end_of_a_range_is_known(specifier: str, version: str, end: str, right: bool) -> None:
    assert is_end(SpecifierSet(specifier), version, end) == right


def test_the_last_run_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "tested.jsonl"
    assert read_tried(path) == []
    old = Tried("lowest", CORE, "3.11.7", {"numpy": "1.26.0"}, 10, 1)
    new = Tried("lowest", CORE, "3.11.9", {"numpy": "1.26.0"}, 12, 0)
    other = Tried("lowest", CORE, "3.12.1", {"numpy": "1.26.0"}, 12, 0)
    write_tried(path, [old, other, new])
    assert read_tried(path) == [new, other]


def test_an_unknown_extra_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["lowest", "nothing"])
    assert ended.value.code == 2
    assert "no such extra: nothing" in capsys.readouterr().err
