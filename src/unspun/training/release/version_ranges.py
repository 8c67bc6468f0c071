"""The tests at both ends of the ranges of versions that pyproject.toml allows, and the record of what passed."""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final, Literal

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

End = Literal["lowest", "newest"]
#: unspun without any extra.
CORE: Final = "core"
#: What trains and what the gate measures, with the extras that these need; takes as long as all other tests.
TRAINING: Final = "training"
#: The tests of each extra; for :data:`CORE` those that are left out: of training, with tools of the extra dev, and of
#: what this writes.
TESTS: Final[Mapping[str, tuple[str, ...]]] = {
    CORE: ("training", "gate", "classifier", "page_in_browser", "sarif", "version_ranges"),
    TRAINING: ("training", "gate", "classifier"),
    "html": ("readers", "offline", "detector"),
    "context": ("contextual", "context_training", "determinism", "offline"),
    "files": ("record_files",),
    "warc": ("record_files",),
    "scrapy": ("hooks",),
    "datatrove": ("hooks",),
    "datasets": ("hooks",),
    "serve": ("serve",),
    "evaluate": ("evaluate",),
    "spark": ("spark", "families_spark"),
}
#: What else the tests of an extra import; always the newest.
BESIDE: Final[Mapping[str, tuple[str, ...]]] = {"context": ("onnx",), "datatrove": ("orjson",)}
#: Extras that are not tested at both ends, and why.
NOT_AT_BOTH_ENDS: Final[Mapping[str, str]] = {
    "spark": "500 MB a version: tried at the newest by .ci/run where there is Java",
    "train-context": "PyTorch: at the version that the shipped model was trained with only",
    "bench": "what unspun is measured beside; no test needs it",
    "fuzz": "atheris 3 alone has wheels for these Pythons; without it the same cases are drawn by hypothesis",
    "dev": "tools: whatever scripts/setup installs, the newest",
    "test": "goes with every run",
}
_IMPORT: Final = """
import importlib, sys
from importlib.metadata import packages_distributions
for module, packages in packages_distributions().items():
    if module.isidentifier() and {name.lower().replace("_", "-") for name in packages} & set(sys.argv[1:]):
        importlib.import_module(module)
"""
_SUMMARY: Final = re.compile(r"(\d+) (passed|failed|errors?|skipped)")


@dataclass(frozen=True, slots=True)
class Tried:
    """A run of tests that passed: at which ``end``, of what ``extra``, with which ``versions`` of what it asks for."""

    end: str
    extra: str
    python: str
    versions: Mapping[str, str]
    passed: int
    skipped: int

    @property
    def key(self) -> tuple[str, str, str]:
        return self.end, self.extra, ".".join(self.python.split(".")[:2])


def read_tried(path: Path) -> list[Tried]:
    """The runs that :func:`write_tried` kept, none where there is no file."""
    if not path.exists():
        return []
    return [Tried(**json.loads(line)) for line in path.read_text(encoding="utf-8").splitlines()]


def write_tried(path: Path, runs: Sequence[Tried]) -> None:
    """One run a line; of several at one end of one extra on one Python the last."""
    last = {run.key: run for run in runs}
    lines = [json.dumps(asdict(run)) for _, run in sorted(last.items())]
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def read_ranges(project: Path) -> dict[str, list[Requirement]]:
    """What unspun asks for, by extra (:data:`CORE`: without one), its own extras left out."""
    about = tomllib.loads(project.read_text(encoding="utf-8"))["project"]
    asked = {CORE: about["dependencies"], **about["optional-dependencies"]}
    read = {extra: [Requirement(line) for line in lines] for extra, lines in asked.items()}
    return {extra: [one for one in requirements if one.name != "unspun"] for extra, requirements in read.items()}


def is_end(specifier: SpecifierSet, version: str, end: str) -> bool:
    """Whether a version was rightly tried as an ``end`` of a range: within it, and for the lowest as low as it says, as
    far as the range names the parts of a version."""
    tried = Version(version)
    bounds = [Version(one.version).release for one in specifier if one.operator in (">=", "~=", "==")]
    if end == "lowest" and any(tried.release[: len(bound)] != bound for bound in bounds):
        return False
    return specifier.contains(tried)


def find_python(end: End) -> str:
    """The oldest or newest Python from 3.11 on that is on PATH or under pyenv."""
    versions = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    named = [f"python3.{minor}" for minor in range(11, 30)]
    for name in named if end == "lowest" else reversed(named):
        for found in (shutil.which(name), *versions.glob(f"*/bin/{name}")):
            # pyenv puts names on PATH that do not run.
            if found and subprocess.run([found, "-c", ""], capture_output=True, check=False).returncode == 0:
                return str(found)
    return sys.executable


def _run(*command: object, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    plain = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}
    return subprocess.run(
        [str(part) for part in command], cwd=cwd, env=plain, capture_output=True, text=True, check=False
    )


def _demand(done: subprocess.CompletedProcess[str]) -> str:
    if done.returncode:
        raise RuntimeError(f"{' '.join(done.args)}\n{done.stdout[-1000:]}{done.stderr[-2000:]}")
    return done.stdout


def try_extra(root: Path, uv: Path, python: str, end: End, extra: str, folder: Path) -> Tried:
    """Makes an environment with the versions at one ``end`` of the ranges of ``extra`` and runs its tests.

    Raises RuntimeError, with the end of what was said, where it cannot be made or a test fails.
    """
    environment = folder / f"{end}-{extra}"
    _demand(_run(uv, "venv", "--quiet", "--python", python, environment))
    inside = environment / ("Scripts" if os.name == "nt" else "bin") / "python"
    install = (uv, "pip", "install", "--quiet", "--python", inside)
    extras = {CORE: "test", TRAINING: "test,html,context"}.get(extra, f"test,{extra}")
    resolution = "lowest-direct" if end == "lowest" else "highest"
    _demand(_run(*install, "--resolution", resolution, "--editable", f"{root}[{extras}]"))
    if beside := BESIDE.get(extra):
        _demand(_run(*install, *beside))
    ranges = read_ranges(root / "pyproject.toml")
    own = ranges.get(extra, ranges[CORE])
    asked = [*ranges[CORE], *own]
    code = "import json, platform, sys; from importlib.metadata import version\n"
    code += "print(json.dumps([platform.python_version(), {name: version(name) for name in sys.argv[1:]}]))"
    names = sorted({canonicalize_name(one.name) for one in asked})
    at, versions = json.loads(_demand(_run(inside, "-c", code, *names)))
    # Not those of unspun itself: datatrove asks for a newer numpy, say.
    tried = [(one, versions[canonicalize_name(one.name)]) for one in own]
    wrong = [f"{one}: {version}" for one, version in tried if not is_end(one.specifier, version, end)]
    if wrong:
        raise RuntimeError(f"not the {end} of its range: {', '.join(wrong)}")
    # What cannot be imported would be skipped by the tests as if it were not there.
    _demand(_run(inside, "-c", _IMPORT, *(canonicalize_name(one.name) for one in own)))
    files = [f"tests/test_{name}.py" for name in TESTS[extra]]
    chosen = [f"--ignore={file}" for file in files] if extra == CORE else files
    done = _run(inside, "-m", "pytest", "-p", "no:cacheprovider", *chosen, cwd=root)
    counts = {kind.rstrip("s"): int(number) for number, kind in _SUMMARY.findall(done.stdout[-300:])}
    if done.returncode or not counts.get("passed"):
        raise RuntimeError(done.stdout[-4000:])
    return Tried(end, extra, at, versions, counts["passed"], counts.get("skipped", 0))


def main(arguments: Sequence[str] | None = None) -> int:
    """``scripts/test_ranges``: run the tests with the lowest or the newest versions that pyproject.toml allows, each
    extra in an environment of its own, and keep what passed in data/tested_versions.jsonl. Exit status: 0 all passed, 1
    some did not, 2 wrong usage."""
    parser = argparse.ArgumentParser(prog="scripts/test_ranges", description=main.__doc__)
    parser.add_argument("end", choices=("lowest", "newest"))
    parser.add_argument("extra", nargs="*", metavar="EXTRA", help=f"of {', '.join(TESTS)}; default: all light ones")
    parser.add_argument("--python", help="the interpreter; by default the oldest or newest from 3.11 on that is here")
    options = parser.parse_args(arguments)
    if unknown := set(options.extra) - set(TESTS):
        parser.error(f"no such extra: {', '.join(sorted(unknown))}")
    root = Path(__file__).resolve().parents[4]
    path, failed = root / "data" / "tested_versions.jsonl", list[str]()
    extras = options.extra or [extra for extra in TESTS if extra not in NOT_AT_BOTH_ENDS]
    python = options.python or find_python(options.end)
    with tempfile.TemporaryDirectory(prefix="ranges-") as temporary:
        folder = Path(temporary)
        _demand(_run(sys.executable, "-m", "venv", folder / "tools"))
        commands = folder / "tools" / ("Scripts" if os.name == "nt" else "bin")
        _demand(_run(commands / "python", "-m", "pip", "install", "--quiet", "uv"))
        for extra in extras:
            try:
                tried = try_extra(root, commands / "uv", python, options.end, extra, folder)
            except RuntimeError as error:
                failed.append(extra)
                print(f"scripts/test_ranges: {options.end} {extra}: {error}", file=sys.stderr)
                continue
            write_tried(path, [*read_tried(path), tried])
            told = ", ".join(f"{name} {version}" for name, version in tried.versions.items())
            print(f"{tried.end} {extra}: Python {tried.python}, {told}: {tried.passed} passed, {tried.skipped} skipped")
    if failed:
        print(f"scripts/test_ranges: did not pass: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0
