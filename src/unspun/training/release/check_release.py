"""What a release must be: the same bytes wherever it is built, complete, free of leftovers, and working on its own."""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

#: Where and how the two builds differ: folder, rights of new files, clock, language, order of sets.
PLACES: Final[tuple[tuple[str, int, Mapping[str, str]], ...]] = (
    ("a", 0o022, {"TZ": "UTC", "LC_ALL": "C", "PYTHONHASHSEED": "1"}),
    ("another place/ünspun", 0o077, {"TZ": "Pacific/Kiritimati", "LC_ALL": "C.UTF-8", "PYTHONHASHSEED": "2"}),
)
#: Parts of paths that no package holds.
UNWANTED: Final = (
    "__pycache__", ".pyc", ".git/", ".venv", ".pytest_cache", ".mypy_cache", ".ruff_cache", ".hypothesis", ".DS_Store",
    "/shared/", ".egg-info", ".log", "~",
)  # fmt: skip
#: Those that a wheel does not hold either.
UNWANTED_IN_WHEELS: Final = ("tests/", "conftest.py", "test_", "scripts/", "pyproject.toml")
#: Where the folders of the repository stand in a wheel.
FORCED: Final = {"src/unspun/": "unspun/", "data/": "unspun/_data/", "models/": "unspun/_models/"}
#: A spun sample and what it was made from, for the installed package to tell.
SAMPLE: Final = "articles/museum-spun-blog.txt", "references/museum-chronicle.txt"


class ReleaseError(RuntimeError):
    """What a release may not be; the message says what is wrong."""


def read_members(package: Path) -> dict[str, bytes]:
    """The files of a wheel or an sdist by their path in it; of an sdist without its first folder."""
    if package.suffix == ".whl":
        with zipfile.ZipFile(package) as archive:
            return {name: archive.read(name) for name in archive.namelist() if not name.endswith("/")}
    with tarfile.open(package) as archive:
        files = (member for member in archive.getmembers() if member.isfile())
        return {member.name.partition("/")[2]: _read(archive, member) for member in files}


def _read(archive: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    file = archive.extractfile(member)
    return file.read() if file else b""


def find_faults(
    members: Mapping[str, bytes], tree: Mapping[str, bytes], traces: Sequence[str], wheel: bool
) -> list[str]:
    """What is wrong with a package: a sentence each.

    ``members``: its files; ``tree``: those of the repository; ``traces``: words that would tell of the machine that
    built it.
    """
    unwanted = UNWANTED + (UNWANTED_IN_WHEELS if wheel else ())
    faults = [f"{name} does not belong there" for name in members if any(part in f"/{name}" for part in unwanted)]
    for name, content in members.items():
        faults += [f"{name} holds {trace!r}" for trace in traces if trace.encode() in content]
    for name, content in tree.items():
        if wheel:
            folder = next((folder for folder in FORCED if name.startswith(folder)), None)
            place = FORCED[folder] + name.removeprefix(folder) if folder else None
        else:
            place = name if name.startswith(("src/", "tests/", "data/", "models/", "scripts/")) else None
        if place and members.get(place) != content:
            faults.append(f"{name} is missing" if place not in members else f"{name} is another file")
    licences = [name for name in tree if name == "LICENSE" or name.startswith("data/LICENSES/")]
    kept = {name.partition(".dist-info/licenses/")[2] if wheel else name for name in members}
    return faults + [f"the licence {name} is missing" for name in licences if name not in kept]


def compare(one: Path, other: Path) -> list[str]:
    """How two packages differ: a sentence for each file, or one that the archives do."""
    if one.read_bytes() == other.read_bytes():
        return []
    left, right = read_members(one), read_members(other)
    apart = [f"{one.name}: {name} differs" for name in sorted({*left, *right}) if left.get(name) != right.get(name)]
    return apart or [f"{one.name}: the files are the same, the archives (order, times or rights) are not"]


def _run(*command: object, **settings: Any) -> str:
    done: subprocess.CompletedProcess[str] = subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, check=False, **settings
    )
    if done.returncode:
        raise ReleaseError(f"{' '.join(map(str, command))}\n{done.stdout[-2000:]}{done.stderr[-3000:]}")
    return done.stdout


def _make_environment(folder: Path, *packages: object) -> Path:
    """The folder of the commands of a new virtual environment that holds ``packages``."""
    _run(sys.executable, "-m", "venv", folder)
    commands = folder / ("Scripts" if os.name == "nt" else "bin")
    _run(commands / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *packages)
    return commands


def _copy(root: Path, names: Sequence[str], place: Path) -> None:
    for name in names:
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        # Not the times: git does not keep them.
        shutil.copyfile(root / name, place / name)
        shutil.copymode(root / name, place / name)


def build(python: Path, root: Path, names: Sequence[str], folder: Path) -> list[dict[str, Path]]:
    """Builds the packages of the files ``names`` in each of :data:`PLACES`: what was built, by ending."""
    # The one time that a package tells: that of the last commit.
    epoch = _run("git", "-C", root, "log", "-1", "--format=%ct").strip()
    built = []
    for number, (where, umask, variables) in enumerate(PLACES):
        place, out = folder / where, folder / f"built-{number}"
        _copy(root, names, place)
        environment = {**os.environ, **variables, "SOURCE_DATE_EPOCH": epoch}
        _run(python, "-m", "build", "--outdir", out, place, env=environment, umask=umask)
        built.append({path.suffix: path for path in sorted(out.iterdir())})
    return built


def try_out(wheel: Path, folder: Path, samples: Path) -> None:
    """Installs a wheel alone, without extras, and has it score a sample, away from the repository.

    Raises ReleaseError where it does not call it spun.
    """
    commands = _make_environment(folder / "bare", wheel)
    away = folder / "away"
    away.mkdir()
    article, reference = (shutil.copy(samples / name, away) for name in SAMPLE)
    plain = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "UNSPUN"))}
    told = _run(
        commands / "unspun", "score", article, "--references", reference, "--format", "jsonl", cwd=away, env=plain
    )
    verdict = json.loads(told)
    if verdict["label"] != "spun" or not verdict["spans"]:
        raise ReleaseError(f"the installed package says of a spun sample: {told[:300]}")
    where = _run(commands / "python", "-c", "import unspun; print(unspun.__file__)", cwd=away, env=plain).strip()
    if not Path(where).is_relative_to(folder.resolve()):
        raise ReleaseError(f"not the installed package was tried, but {where}")


def main(arguments: Sequence[str] | None = None) -> int:
    """``scripts/check_release``: build wheel and sdist twice, compare, look inside, install and try. Exit status: 0 a
    release, 1 none, with the reasons. Needs git and what pip fetches (build, twine, the needs of unspun)."""
    parser = argparse.ArgumentParser(prog="scripts/check_release", description=main.__doc__)
    parser.add_argument("--out", type=Path, metavar="FOLDER", help="keep the packages there")
    options = parser.parse_args(arguments)
    root = Path(__file__).resolve().parents[4]
    try:
        # What would be committed, whether it is yet or not.
        listed = _run("git", "-C", root, "ls-files", "-z", "--cached", "--others", "--exclude-standard").split("\0")
        names = [name for name in listed if name and (root / name).is_file()]
        with tempfile.TemporaryDirectory(prefix="release-") as temporary:
            folder = Path(temporary).resolve()
            tools = _make_environment(folder / "tools", "build", "twine")
            first, second = build(tools / "python", root, names, folder)
            if set(first) != {".gz", ".whl"}:
                raise ReleaseError(f"built were {', '.join(path.name for path in first.values())}")
            faults = [fault for ending in first for fault in compare(first[ending], second[ending])]
            tree = {name: (root / name).read_bytes() for name in names}
            traces = [str(folder), str(root), f"{Path.home()}/"]
            if len(platform.node()) > 8:  # A short one is a word like others.
                traces.append(platform.node())
            for ending, package in first.items():
                found = find_faults(read_members(package), tree, traces, ending == ".whl")
                faults += [f"{package.name}: {fault}" for fault in found]
            _run(tools / "twine", "check", "--strict", *first.values())
            try_out(first[".whl"], folder, root / "data" / "samples")
            for package in first.values():
                size, digest = package.stat().st_size, hashlib.sha256(package.read_bytes()).hexdigest()
                print(f"{package.name}: {size / 1e6:.1f} MB, {len(read_members(package))} files, sha256 {digest}")
            if options.out:
                options.out.mkdir(parents=True, exist_ok=True)
                for package in first.values():
                    shutil.copy(package, options.out)
    except ReleaseError as error:
        faults = [str(error)]
    for fault in faults:
        print(f"scripts/check_release: {fault}", file=sys.stderr)
    if not faults:
        print("equal in both builds, nothing missing, nothing left over, installs and scores on its own")
    return 1 if faults else 0
