"""How worker processes are started, wherever work is shared."""

from __future__ import annotations

import multiprocessing
from multiprocessing.context import BaseContext


def choose_context() -> BaseContext:
    """Forking where the system can: workers then share what is loaded; elsewhere they are sent it."""
    return multiprocessing.get_context("fork" if "fork" in multiprocessing.get_all_start_methods() else "spawn")
