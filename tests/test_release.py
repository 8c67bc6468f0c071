"""scripts/check_release notices what a package may not be; building one takes minutes and is left to the script."""

from __future__ import annotations

import io
import tarfile
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from unspun.training.release.check_release import FORCED, SAMPLE, compare, find_faults, read_members

TREE = {
    "LICENSE": b"terms",
    "data/LICENSES/Moby.md": b"moby",
    "data/words.txt": b"words",
    "models/default.npz": b"weights",
    "src/unspun/text.py": b"code",
    "tests/test_text.py": b"test",
    ".ci/run": b"ci",
}
LICENCES = {"u-1.dist-info/licenses/LICENSE": b"terms", "u-1.dist-info/licenses/data/LICENSES/Moby.md": b"moby"}
WHEEL = {
    "unspun/text.py": b"code",
    "unspun/_data/words.txt": b"words",
    "unspun/_data/LICENSES/Moby.md": b"moby",
    "unspun/_models/default.npz": b"weights",
    **LICENCES,
}
SDIST = {name: content for name, content in TREE.items() if name != ".ci/run"}


def without(members: Mapping[str, bytes], name: str) -> dict[str, bytes]:
    return {key: content for key, content in members.items() if key != name}


def test_a_whole_package_has_no_faults() -> None:
    assert find_faults(WHEEL, TREE, ["/somewhere/mine"], wheel=True) == []
    assert find_faults(SDIST, TREE, ["/somewhere/mine"], wheel=False) == []


@pytest.mark.parametrize(
    ("members", "fault"),
    [
        (WHEEL | {"unspun/__pycache__/text.pyc": b""}, "unspun/__pycache__/text.pyc does not belong"),
        (WHEEL | {"tests/test_text.py": b"test"}, "tests/test_text.py does not belong"),
        (WHEEL | {"unspun/text.py": b"# /somewhere/mine"}, "unspun/text.py holds '/somewhere/mine'"),
        (WHEEL | {"unspun/_models/default.npz": b"others"}, "models/default.npz is another file"),
        (without(WHEEL, "unspun/_data/words.txt"), "data/words.txt is missing"),
        (without(WHEEL, "unspun/text.py"), "src/unspun/text.py is missing"),
        (without(WHEEL, "u-1.dist-info/licenses/LICENSE"), "the licence LICENSE is missing"),
        (without(WHEEL, "u-1.dist-info/licenses/data/LICENSES/Moby.md"), "the licence data/LICENSES/Moby.md"),
    ],
)
def test_faults_of_a_wheel_are_named(members: Mapping[str, bytes], fault: str) -> None:
    assert any(fault in found for found in find_faults(members, TREE, ["/somewhere/mine"], wheel=True))


def test_faults_of_an_sdist_are_named() -> None:
    assert find_faults(without(SDIST, "tests/test_text.py"), TREE, [], wheel=False) == ["tests/test_text.py is missing"]
    assert find_faults(without(SDIST, "LICENSE"), TREE, [], wheel=False) == ["the licence LICENSE is missing"]


def write_wheel(path: Path, members: Mapping[str, bytes], year: int = 2026) -> Path:
    path.parent.mkdir(exist_ok=True)
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name, (year, 1, 1, 0, 0, 0)), content)
    return path


def test_two_builds_are_compared(tmp_path: Path) -> None:
    one = write_wheel(tmp_path / "1" / "u.whl", WHEEL)
    assert compare(one, write_wheel(tmp_path / "2" / "u.whl", WHEEL)) == []
    other = write_wheel(tmp_path / "3" / "u.whl", WHEEL | {"unspun/text.py": b"changed"})
    assert compare(one, other) == ["u.whl: unspun/text.py differs"]
    [told] = compare(one, write_wheel(tmp_path / "4" / "u.whl", WHEEL, year=2027))
    assert "times or rights" in told


def test_the_files_of_packages_are_read(tmp_path: Path) -> None:
    assert read_members(write_wheel(tmp_path / "u.whl", WHEEL)) == WHEEL
    with tarfile.open(tmp_path / "u-1.tar.gz", "w:gz") as archive:
        for name, content in SDIST.items():
            member = tarfile.TarInfo(f"u-1/{name}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    assert read_members(tmp_path / "u-1.tar.gz") == SDIST


def test_what_the_script_relies_on_is_there() -> None:
    root = Path(__file__).resolve().parents[1]
    assert all((root / folder).is_dir() for folder in FORCED)
    assert all((root / "data" / "samples" / name).is_file() for name in SAMPLE)
