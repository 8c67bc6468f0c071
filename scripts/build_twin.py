"""Compiles src/unspun/compiled/twin.c when unspun is built or installed (a build hook of hatchling); without a C
compiler unspun does without. By hand: python scripts/build_twin.py"""

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

try:
    from hatchling.builders.hooks.plugin.interface import BuildHookInterface
except ImportError:  # called by hand
    BuildHookInterface = object

#: Fused multiplications would round otherwise than numpy does; nothing here looks at errno.
FLAGS = [
    "-O3",
    "-std=gnu11",
    "-pthread",
    "-fPIC",
    "-shared",
    "-fvisibility=hidden",
    "-ffp-contract=off",
    "-fno-math-errno",
]


class TwinHook(BuildHookInterface):
    """Puts the library into the wheel, which then is one of this platform, for every Python 3."""

    def initialize(self, version, build_data):
        library = compile_twin(Path(self.root))
        if library is None:
            return
        build_data["artifacts"].append(library.relative_to(self.root).as_posix())
        if version != "editable":
            build_data["pure_python"] = False
            platform = sysconfig.get_platform().replace("-", "_").replace(".", "_")
            build_data["tag"] = f"py3-none-{platform}"


def compile_twin(root: Path) -> Path | None:
    """Make the library beside its source; None, and why on stderr, where that cannot be done."""
    source = root / "src" / "unspun" / "compiled" / "twin.c"
    library = source.with_name("_twin.bin")
    compiler = next(filter(None, map(shutil.which, (os.environ.get("CC") or "cc", "gcc", "clang"))), None)
    if compiler is None or sys.platform == "win32":
        print("unspun: no C compiler: articles will be scored by numpy, slower", file=sys.stderr)
        return None
    # Through a name of its own: a process that uses the old library keeps it.
    fresh = library.with_suffix(f".{os.getpid()}")
    command = [compiler, *FLAGS, source.name, "-o", fresh.name, "-lm"]
    made = subprocess.run(command, cwd=source.parent, capture_output=True, text=True)
    if made.returncode:
        print(f"unspun: {source.name} was not compiled ({made.stderr.strip()[-300:]}): numpy will do", file=sys.stderr)
        return None
    fresh.replace(library)
    return library


if __name__ == "__main__":
    raise SystemExit(compile_twin(Path(__file__).parent.parent) is None)
