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
from safetensors.torch import load_file

from unspun.context.pieces import END, FILL, START, UNKNOWN
from unspun.context.transformer import FORMAT
from unspun.training.contextual.encoder import HEADS, Encoder, load_bert
from unspun.training.contextual.learn import find_base, read_checkpoint, read_vocabulary
from unspun.training.contextual.onnx_graph import Shape, build_graph

_KEPT: Final = re.compile(r"[\x21-\u024f\u2010-\u203a\u20a0-\u20bf]+")
#: Of shares from 0 to .2 the best for spinners that a checkpoint had not met: mean AUC of words .9198 at 0, .9212 at
#: .05, .9214 at .1, .9179 at .2; for those that it had met, equal or better up to .1.
BASE_SHARE: Final = 0.1
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


def mix_in_base(encoder: Encoder, base: Path | None, share: float) -> dict[str, NDArray[np.float32]]:
    """The encoder's weights with a ``share`` of those that training started from, the heads as they are: what is not
    known from training is read better so, what is known no worse (WiSE-FT, Wortsman et al. 2022)."""
    began = load_bert(load_file(find_base(base) / "model.safetensors")).state_dict()
    return {
        name: (tensor if name.startswith(HEADS) else (1 - share) * tensor + share * began[name]).float().numpy()
        for name, tensor in encoder.state_dict().items()
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """``scripts/export_context``: write the graph of a checkpoint, and with ``--exact`` the one that is not rounded."""
    parser = argparse.ArgumentParser(prog="scripts/export_context", description=main.__doc__)
    parser.add_argument("--checkpoint", type=Path, required=True, help="what scripts/train_context kept")
    parser.add_argument("--out", type=Path, required=True, help="the .onnx file to write")
    parser.add_argument("--exact", type=Path, help="write the graph with the weights as they are here, to compare")
    parser.add_argument("--base", type=Path, help="the folder that training started from")
    parser.add_argument("--base-share", type=float, default=BASE_SHARE, help="share of the weights there to mix in")
    options = parser.parse_args(arguments)
    encoder, curve, _ = read_checkpoint(options.checkpoint)
    state = mix_in_base(encoder, options.base, options.base_share)
    state, shape, vocabulary = prune(state, encoder.shape, read_vocabulary(options.base))
    about: dict[str, Any] = {"format": FORMAT, "curve": curve, "base_share": options.base_share}
    onnx.save(build_graph(state, shape, vocabulary, about), options.out)
    if options.exact:
        onnx.save(build_graph(state, shape, vocabulary, about, rounded=False), options.exact)
    print(f"{options.out}: {options.out.stat().st_size / 1e6:.1f} MB, {len(vocabulary)} pieces", file=sys.stderr)
    return 0
