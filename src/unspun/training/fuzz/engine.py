"""Hostile input against everything that reads or shows: scripts/fuzz

Guided by coverage (atheris, which is libFuzzer) where that is installed, otherwise drawn by hypothesis. Each target has
processes of its own: what kills one, or never ends, is found too.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Final

#: Seconds after which libFuzzer ends a case that does not end by itself.
_GIVE_UP: Final = 30
#: Seconds of one process: memory that it lost comes back.
_ROUND: Final = 300
#: Bytes kept of what a process that died said last.
_SAID: Final = 20_000


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="scripts/fuzz", description=__doc__)
    parser.add_argument("targets", nargs="*", metavar="TARGET", help="by default all, one after the other")
    parser.add_argument("--seconds", type=float, default=60, help="for each target")
    parser.add_argument("--out", type=Path, default=Path("build/fuzz"), help="the folder for what is found")
    parser.add_argument(
        "--engine", choices=("atheris", "hypothesis", "shrink"), help="by default atheris where it is installed"
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--in-process", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args(arguments)
    engine = given.engine or ("atheris" if find_spec("atheris") else "hypothesis")
    if given.in_process:
        _work(given.targets[0], engine, given.seconds, given.out, given.seed)
        return 0
    from unspun.training.fuzz.targets import TARGETS

    unknown = [name for name in given.targets if name not in TARGETS]
    if unknown:
        parser.error(f"no target {unknown[0]}; there are {', '.join(TARGETS)}")
    findings = sum(_fuzz(name, engine, given.seconds, given.out, given.seed) for name in given.targets or TARGETS)
    return 1 if findings else 0


def _fuzz(name: str, engine: str, seconds: float, out: Path, seed: int) -> int:
    """One target in processes of its own; returns how many findings there are in its folder, and prints a line."""
    folder = out / name
    cases, began, cpu = 0, time.monotonic(), _measure_children()
    while (left := seconds - (time.monotonic() - began)) > 1:
        progress = folder / "progress.json"
        progress.unlink(missing_ok=True)
        status, said = _start(name, engine, min(left, _ROUND), out, seed)
        done = json.loads(progress.read_text())["cases"] if progress.exists() else 0
        cases, seed = cases + done, seed + 1
        if status and not done:
            raise SystemExit(f"{said.decode(errors='replace')}\n{name}: its process cannot be started")
        if status:
            (folder / f"died-{seed}.txt").write_bytes(said[-_SAID:])
    found = [path for path in folder.glob("*") if not path.suffix]
    if found:
        _start(name, "shrink", 0, out, seed)
    spent = _measure_children() - cpu
    print(f"{name}: {cases:,} cases, {spent:.0f} CPU seconds, {len(found)} findings in {folder}", flush=True)
    return len(found)


def _start(name: str, engine: str, seconds: float, out: Path, seed: int) -> tuple[int, bytes]:
    """A process of one target to its end: its exit status, and what it said."""
    command = [sys.executable, "-m", "unspun.training.fuzz.engine", name, "--in-process", "--engine", engine]
    command += ["--seconds", str(seconds), "--out", str(out), "--seed", str(seed)]
    done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False)
    return done.returncode, done.stderr


def _measure_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _work(name: str, engine: str, seconds: float, out: Path, seed: int) -> None:
    """The cases of one target, in this process."""
    if engine == "atheris":
        _run_atheris(name, seconds, out, seed)
    elif engine == "hypothesis":
        _run_hypothesis(name, seconds, out, seed)
    else:
        _shrink(name, out)


def _run_atheris(name: str, seconds: float, out: Path, seed: int) -> None:
    import atheris

    with atheris.instrument_imports(include=["unspun", "warcio", "zipfile", "gzip"], enable_loader_override=False):
        from unspun.training.fuzz.targets import TARGETS
        from unspun.training.fuzz.watch import Watch, limit_memory, run_case

    target = TARGETS[name]
    folder, corpus = out / name, out / "corpus" / name
    folder.mkdir(parents=True, exist_ok=True)
    corpus.mkdir(parents=True, exist_ok=True)
    watch = Watch(target, folder, bounded=True)
    for number, case in enumerate(target.make_seeds()):
        (corpus / f"seed-{number}").write_bytes(case)
        # Also loads all that is loaded on first use.
        run_case(target, case)
    limit_memory()
    options = [
        f"-max_total_time={max(1, int(seconds))}", f"-timeout={_GIVE_UP}", f"-max_len={target.longest}",
        f"-artifact_prefix={folder}/died-", f"-seed={seed + 1}", "-print_final_stats=0", "-rss_limit_mb=6000",
        f"{corpus}",
    ]  # fmt: skip
    atheris.Setup([sys.argv[0], *options], watch)
    atheris.Fuzz()


def _run_hypothesis(name: str, seconds: float, out: Path, seed: int) -> None:
    import hypothesis

    from unspun.training.fuzz.strategies import draw_cases
    from unspun.training.fuzz.targets import TARGETS
    from unspun.training.fuzz.watch import Watch, limit_memory, run_case

    target = TARGETS[name]
    watch, until = Watch(target, out / name, bounded=True), time.monotonic() + seconds
    for case in target.make_seeds():
        run_case(target, case)
    limit_memory()
    usual = hypothesis.settings(
        max_examples=200, deadline=None, database=None, phases=[hypothesis.Phase.generate],
        suppress_health_check=list(hypothesis.HealthCheck),
    )  # fmt: skip

    def take(case: bytes) -> None:
        watch(case)

    while time.monotonic() < until:
        hypothesis.seed(seed)(usual(hypothesis.given(draw_cases(target))(take)))()
        seed += 1
    watch.save()


def _shrink(name: str, out: Path) -> None:
    """Makes the cases that broke a target smaller, as long as they break it."""
    from unspun.training.fuzz.targets import TARGETS
    from unspun.training.fuzz.watch import limit_memory, run_case, shrink_case

    target = TARGETS[name]
    for case in target.make_seeds():
        run_case(target, case)
    limit_memory()
    for path in sorted((out / name).glob("*")):
        if not path.suffix:
            path.write_bytes(shrink_case(target, path.read_bytes()))


if __name__ == "__main__":
    raise SystemExit(main())
