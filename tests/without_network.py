"""Runs unspun's commands where any attempt to use the network ends the process:
python tests/without_network.py COMMANDS

COMMANDS: a JSON list of lists of arguments. Written on stdout, as JSON: which guards stood, and the modules loaded at
the end. Exit status: that of the first command that fails; :data:`CAUGHT` when Python asked for the network; -31
(SIGSYS) when something else asked the kernel.
"""

from __future__ import annotations

import ctypes
import json
import os
import platform
import struct
import sys
import traceback
from typing import Any

#: Exit status when Python's own socket module was asked for the network.
CAUGHT = 99
#: What a process calls to reach another: ``connect`` (names are looked up through it too) and ``sendto``, by processor:
#: the mark of its calling convention (linux/audit.h) and their numbers.
SYSTEM_CALLS = {"x86_64": (0xC000003E, 42, 44), "aarch64": (0xC00000B7, 203, 206)}
EVENTS = ("socket.connect", "socket.send", "socket.get", "urllib.", "http.", "ftplib.", "smtplib.")


def watch(event: str, arguments: tuple[Any, ...]) -> None:
    """Audit hook: ends the process, with the way there, when Python connects, sends or looks up a name.

    To open a socket is no attempt: urllib3 does so to see what the system can do."""
    if event.startswith(EVENTS) and event != "socket.gethostname":
        traceback.print_stack()
        print(f"{event}: {arguments}", file=sys.stderr, flush=True)
        os._exit(CAUGHT)


def forbid_connections() -> bool:
    """Has the kernel kill this process and its children when any code in them, Python or not, connects or sends
    (seccomp, which needs no rights). Returns False where the system has no such thing."""
    if sys.platform != "linux" or platform.machine() not in SYSTEM_CALLS:
        return False
    convention, connect, send = SYSTEM_CALLS[platform.machine()]
    load, equal, say = 0x20, 0x15, 0x06
    kill, allow = 0x80000000, 0x7FFF0000
    # A program for the kernel: (code, steps ahead if equal, if not, value); it loads from struct seccomp_data.
    program = [
        (load, 0, 0, 4), (equal, 0, 3, convention),
        (load, 0, 0, 0), (equal, 2, 0, connect), (equal, 1, 0, send),
        (say, 0, 0, allow), (say, 0, 0, kill),
    ]  # fmt: skip
    held = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in program))
    given = struct.pack("HxxxxxxP", len(program), ctypes.addressof(held))
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    no_new_privileges, set_filter, by_program = 38, 22, 2
    return prctl(no_new_privileges, 1, 0, 0, 0) == 0 and prctl(set_filter, by_program, given, 0, 0) == 0


def main(commands: list[list[str]]) -> int:
    guards = ["audit", *(["kernel"] if forbid_connections() else [])]
    sys.addaudithook(watch)
    if commands == ["native"]:  # For the test of this guard itself: as code would that is not Python's.
        ctypes.CDLL(None).connect(-1, None, 0)
        commands = []
    for arguments in commands:
        from unspun.cli import app

        status = app(arguments, standalone_mode=False)
        if status:
            print(f"{arguments}: exit status {status}", file=sys.stderr)
            return int(status)
    modules = sorted({name.partition(".")[0] for name in sys.modules})
    print(json.dumps({"guards": guards, "modules": modules}))
    return 0


if __name__ == "__main__":
    raise SystemExit(main(json.loads(sys.argv[1])))
