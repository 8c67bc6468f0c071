"""How soon unspun starts and what memory one process takes: fresh processes, with their files in memory and without.

Imports nothing that is heavy, and is to run before anything heavy is: files that a process has mapped cannot be pushed
out of memory, and the memory of a child counts from its parent's.
"""

from __future__ import annotations

import itertools
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from unspun.resources import find_data, find_models
from unspun.training.bench.memory import weigh_process

#: Packages that cost time to import: which are loaded after what.
HEAVY: Final = ("numpy", "sklearn", "scipy", "pandas", "torch", "onnxruntime", "tokenizers", "spacy", "pyarrow")
#: Articles of the long run, of which memory is watched.
LONG: Final = 1000

_COMMAND: Final = (sys.executable, "-c", "from unspun.cli import main; main()")
_LIBRARY: Final = (
    "import sys; from unspun import Detector; "
    "Detector.load(context='never').score(open(sys.argv[1], encoding='utf-8').read())"
)
_LOADED: Final = (
    "import json, sys; sys.argv[1:] = {arguments}\n{code}\n"
    "print(json.dumps([name for name in {heavy} if name in sys.modules]))"
)
_FILES: Final = (
    "import json, sys; from unspun.cli import main\n"
    "sys.argv[1:] = ['score', {article!r}, '--context', 'always']\n"
    "try: main()\n"
    "except SystemExit: pass\n"
    "top = [(module, getattr(module, '__file__', None)) for name, module in sys.modules.items() if '.' not in name]\n"
    "print(json.dumps([f.rpartition('/')[0] if hasattr(m, '__path__') else f for m, f in top if f]"
    " + [m.__cached__ for m, f in top if f and getattr(m, '__cached__', None)]))"
)
_SECTOR: Final = 512  # bytes; the unit of ru_inblock
#: A child's memory is known from this many times its parent's on: what the parent had counts as the child's own.
_LEAST_KNOWN: Final = 1.2


def measure_start(warm: int, cold: int) -> dict[str, Any]:
    """``commands``: of each the median seconds of so many ``warm`` and ``cold`` runs, what a cold one read from the
    disk and the largest memory (both in millions of bytes); ``loaded``: which heavy packages each import brings."""
    with tempfile.TemporaryDirectory() as folder:
        commands, article = _list_commands(Path(folder))
        files = _list_files(article) if cold else []
        found: dict[str, dict[str, float]] = {}
        for name, command in commands.items():
            once = name.startswith(f"{LONG:,}")
            if not once:
                _run(command)
            warm_runs = [_run(command) for _ in range(1 if once else warm)]
            found[name] = {"seconds": round(statistics.median(seconds for seconds, _, _ in warm_runs), 3)}
            most = max(size for _, size, _ in warm_runs)
            if most > _LEAST_KNOWN * weigh_process():
                found[name]["megabytes"] = round(most)
            if not once and cold:
                cold_runs = []
                for _ in range(cold):
                    _push_out(files)
                    cold_runs.append(_run(command))
                found[name]["cold seconds"] = round(statistics.median(seconds for seconds, _, _ in cold_runs), 3)
                found[name]["read"] = round(statistics.median(read for _, _, read in cold_runs), 1)
        return {"commands": found, "loaded": _list_loaded(article)}


def _list_commands(folder: Path) -> tuple[dict[str, tuple[str, ...]], str]:
    """The commands that are run, and the path of an article."""
    samples = find_data("samples")
    article = str(samples / "articles" / "cup-spun-light.txt")
    reference = str(samples / "references" / "cup-chronicle.txt")
    many = folder / "articles.jsonl"
    prose = [json.loads(line)["text"] for line in find_data("llm_prose.jsonl").read_text("utf-8").splitlines()]
    with many.open("w", encoding="utf-8") as stream:
        for number, (one, two) in enumerate(itertools.islice(itertools.permutations(prose, 2), LONG)):
            # The first words of two texts: some 340, as a news story has.
            text = "\n\n".join(" ".join(text.split(" ")[:170]) for text in (one, two))
            stream.write(json.dumps({"id": str(number), "text": text}) + "\n")
    fast = ("--context", "never")
    return {
        "python, nothing imported": (sys.executable, "-c", "pass"),
        "unspun --help": (*_COMMAND, "--help"),
        "first verdict, fast model": (*_COMMAND, "score", article, *fast),
        "first verdict, fast model, one reference": (*_COMMAND, "score", article, "--references", reference, *fast),
        "first verdict, fast model, from Python": (sys.executable, "-c", _LIBRARY, article),
        "first verdict, contextual model too": (*_COMMAND, "score", article, "--context", "always"),
        f"{LONG:,} articles, fast model": (*_COMMAND, "score", str(many), "--format", "jsonl", *fast),
        f"{LONG:,} articles, --context auto": (*_COMMAND, "score", str(many), "--format", "jsonl"),
    }, article


def _run(command: Sequence[str]) -> tuple[float, float, float]:
    """Seconds, megabytes of memory at the most, megabytes read from the disk. Raises RuntimeError when it fails."""
    began = time.perf_counter()
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    assert process.stderr
    complaint = process.stderr.read()
    # Which tells what this child took, as subprocess does not.
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    process.stderr.close()
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)}: status {process.returncode}: {complaint.decode()[-2000:]}")
    # Linux counts memory in units of 1,024 bytes.
    return seconds, usage.ru_maxrss * 1024 / 1e6, usage.ru_inblock * _SECTOR / 1e6


def _push_out(files: Sequence[Path]) -> None:
    """Ask the kernel to drop files from memory (Linux); those that another process has mapped stay."""
    os.sync()  # what is not yet written cannot be dropped
    for path in files:
        file = os.open(path, os.O_RDONLY)
        try:
            os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)
        finally:
            os.close(file)


def _list_files(article: str) -> list[Path]:
    """What a verdict may read: the interpreter, the modules and packages that it imports, unspun's own data."""
    program = _FILES.format(article=article)
    told = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout
    found = {Path(sys.executable).resolve(), *map(Path, json.loads(told.splitlines()[-1]))}
    # Beside a package there may be the libraries that came with it.
    found |= {path.with_name(f"{path.name}.libs") for path in found}
    found |= {find_data("lexicon"), find_models("default.npz").parent}
    return [file for path in found for file in (path.rglob("*") if path.is_dir() else [path]) if file.is_file()]


def _list_loaded(article: str) -> Mapping[str, list[str]]:
    """Which of the heavy packages are loaded after each import, and after a verdict."""
    imports = {
        "import unspun": ("import unspun", ()),
        "import unspun.cli": ("import unspun.cli", ()),
        "from unspun import Detector": ("from unspun import Detector", ()),
        "a verdict": (_LIBRARY, (article,)),
    }
    found = {}
    for name, (code, arguments) in imports.items():
        program = _LOADED.format(code=code, arguments=list(arguments), heavy=HEAVY)
        told = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout
        found[name] = json.loads(told.splitlines()[-1])
    return found
