"""How the shipped models fare on really spun text, without references: the excerpts that nothing trained on."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import get_args

from unspun.detector import Context, Detector
from unspun.training.contextual.real import measure_excerpts, measure_wordings


def main(arguments: Sequence[str] | None = None) -> int:
    """``scripts/measure_excerpts``: labels of the validation third of the really spun excerpts, wordings marked."""
    parser = argparse.ArgumentParser(prog="scripts/measure_excerpts", description=main.__doc__)
    parser.add_argument("--shared", type=Path, required=True, help="the folder with real/")
    parser.add_argument("--model", type=Path, help="a model file instead of the shipped one")
    parser.add_argument("--context", choices=get_args(Context), default="auto", help="see unspun score --help")
    options = parser.parse_args(arguments)
    detector = Detector.load(options.model, options.context)
    print(f"{detector.name}: {json.dumps(measure_excerpts(detector, options.shared))}")
    if detector.context:
        print(f"in a plain sentence: {json.dumps(measure_wordings(detector.context.reader, options.shared))}")
    return 0
