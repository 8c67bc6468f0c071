"""A checkpoint into the graph that is shipped, and whether rounding its weights changed what it says."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import onnx
from numpy.typing import NDArray

from unspun.contextual import FORMAT
from unspun.pieces import END, FILL, START, UNKNOWN
from unspun.training.contextual.learn import read_checkpoint, read_vocabulary
from unspun.training.contextual.onnx_graph import Shape, build_graph

_KEPT: Final = re.compile(r"[\x21-\u024f\u2010-\u203a\u20a0-\u20bf]+")
_SPECIAL: Final = (FILL, UNKNOWN, START, END)


def choose_pieces(vocabulary: Sequence[str]) -> list[int]:
    """The numbers of the pieces that English text needs: no other scripts, no reserved places."""
    return [
        number
        for number, piece in enumerate(vocabulary)
        if piece in _SPECIAL or (_KEPT.fullmatch(piece) and not re.fullmatch(r"\[.+\]", piece))
    ]


def prune(
    state: dict[str, NDArray[np.float32]], shape: Shape, vocabulary: Sequence[str]
) -> tuple[dict[str, NDArray[np.float32]], Shape, list[str]]:
    """The same without the rows of pieces that are not chosen."""
    chosen = choose_pieces(vocabulary)
    state = {**state, "words.weight": state["words.weight"][chosen]}
    sizes = (len(chosen), shape.width, shape.layers, shape.heads, shape.inner, shape.positions)
    return state, Shape(*sizes), [vocabulary[number] for number in chosen]


def main(arguments: Sequence[str] | None = None) -> int:
    """``scripts/export_context``: write the graph of a checkpoint, and with ``--exact`` the one that is not rounded."""
    parser = argparse.ArgumentParser(prog="scripts/export_context", description=main.__doc__)
    parser.add_argument("--checkpoint", type=Path, required=True, help="what scripts/train_context kept")
    parser.add_argument("--out", type=Path, required=True, help="the .onnx file to write")
    parser.add_argument("--exact", type=Path, help="write the graph with the weights as they are here, to compare")
    parser.add_argument("--base", type=Path, help="the folder that training started from, for its vocabulary")
    options = parser.parse_args(arguments)
    encoder, curve, _ = read_checkpoint(options.checkpoint)
    state = {name: tensor.float().numpy() for name, tensor in encoder.state_dict().items()}
    state, shape, vocabulary = prune(state, encoder.shape, read_vocabulary(options.base))
    about: dict[str, Any] = {"format": FORMAT, "curve": curve}
    onnx.save(build_graph(state, shape, vocabulary, about), options.out)
    if options.exact:
        onnx.save(build_graph(state, shape, vocabulary, about, rounded=False), options.exact)
    print(f"{options.out}: {options.out.stat().st_size / 1e6:.1f} MB, {len(vocabulary)} pieces", file=sys.stderr)
    return 0
