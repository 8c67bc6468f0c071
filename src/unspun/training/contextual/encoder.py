"""The contextual model in PyTorch: a small BERT (Devlin et al. 2019) with a head that marks replaced words, as in
ELECTRA (Clark et al. 2020), and one that names the piece that a replaced word began with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from unspun.training.contextual.onnx_graph import Shape

#: What the names of the heads' weights begin with.
HEADS: Final = ("replaced", "original")


class Layer(nn.Module):
    """Self-attention and a feed-forward part, each normalised after its residual sum."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.heads = shape.heads
        self.attention_in = nn.Linear(shape.width, 3 * shape.width)
        self.attention_out = nn.Linear(shape.width, shape.width)
        self.attention_norm = nn.LayerNorm(shape.width, eps=1e-12)
        self.inner = nn.Linear(shape.width, shape.inner)
        self.outer = nn.Linear(shape.inner, shape.width)
        self.norm = nn.LayerNorm(shape.width, eps=1e-12)

    def forward(self, hidden: Tensor, mask: Tensor) -> Tensor:
        batch, length, width = hidden.shape
        parts = self.attention_in(hidden).view(batch, length, 3, self.heads, width // self.heads)
        query, key, value = parts.permute(2, 0, 3, 1, 4).unbind(0)
        seen = functional.scaled_dot_product_attention(query, key, value, attn_mask=mask)
        seen = self.attention_out(seen.transpose(1, 2).reshape(batch, length, width))
        hidden = self.attention_norm(hidden + seen)
        inner = self.outer(functional.gelu(self.inner(hidden)))
        return cast(Tensor, self.norm(hidden + inner))


class Encoder(nn.Module):
    """Pieces int64[b, t] with mask bool[b, t] to hidden states float[b, t, width]; two heads read these.

    There is no dropout: texts are drawn afresh, none is seen twice as it was.
    """

    def __init__(self, shape: Shape | None = None) -> None:
        super().__init__()
        self.shape = shape = shape or Shape()
        self.words = nn.Embedding(shape.pieces, shape.width)
        self.positions = nn.Embedding(shape.positions, shape.width)
        self.norm = nn.LayerNorm(shape.width, eps=1e-12)
        self.layers = nn.ModuleList(Layer(shape) for _ in range(shape.layers))
        self.replaced = nn.Linear(shape.width, 1)
        self.original = nn.Linear(shape.width, shape.width)

    def forward(self, pieces: Tensor, mask: Tensor) -> Tensor:
        places = torch.arange(pieces.shape[1], device=pieces.device)
        hidden = self.norm(self.words(pieces) + self.positions(places))
        # Padding is seen by nobody: a large negative number before the softmax.
        hide = (~mask)[:, None, None, :].to(hidden.dtype) * -1e4
        for layer in self.layers:
            hidden = layer(hidden, hide)
        return cast(Tensor, hidden)

    def mark(self, hidden: Tensor) -> Tensor:
        """Log-odds float[b, t] that the word of each piece was swapped in."""
        return cast(Tensor, self.replaced(hidden).squeeze(-1))

    def name(self, hidden: Tensor) -> Tensor:
        """Scores float[n, pieces] of what stood there, for the hidden states float[n, width] of first pieces."""
        return functional.linear(self.original(hidden), self.words.weight)


def load_bert(weights: Mapping[str, Tensor]) -> Encoder:
    """An encoder with the weights of a BERT as its checkpoints name them; the heads start afresh.

    Token types are added to the positions: all text is of the first type.
    """
    words, positions = weights["embeddings.word_embeddings.weight"], weights["embeddings.position_embeddings.weight"]
    layers = 1 + max(int(name.split(".")[2]) for name in weights if name.startswith("encoder.layer."))
    inner, width = weights["encoder.layer.0.intermediate.dense.weight"].shape
    shape = Shape(len(words), width, layers, width // 32, inner, len(positions))
    state = {
        "words.weight": words,
        "positions.weight": positions + weights["embeddings.token_type_embeddings.weight"][0],
        **_rename(weights, "embeddings.LayerNorm", "norm"),
    }
    for number in range(layers):
        old, new = f"encoder.layer.{number}", f"layers.{number}"
        for kind in ("weight", "bias"):
            parts = [weights[f"{old}.attention.self.{part}.{kind}"] for part in ("query", "key", "value")]
            state[f"{new}.attention_in.{kind}"] = torch.cat(parts)
        state |= _rename(weights, f"{old}.attention.output.dense", f"{new}.attention_out")
        state |= _rename(weights, f"{old}.attention.output.LayerNorm", f"{new}.attention_norm")
        state |= _rename(weights, f"{old}.intermediate.dense", f"{new}.inner")
        state |= _rename(weights, f"{old}.output.dense", f"{new}.outer")
        state |= _rename(weights, f"{old}.output.LayerNorm", f"{new}.norm")
    encoder = Encoder(shape)
    missing, unexpected = encoder.load_state_dict(state, strict=False)
    if unexpected or any(not name.startswith(HEADS) for name in missing):
        raise ValueError(f"the weights do not fit the encoder: {missing} missing, {unexpected} unexpected")
    return encoder


def _rename(weights: Mapping[str, Tensor], old: str, new: str) -> dict[str, Tensor]:
    return {f"{new}.{kind}": weights[f"{old}.{kind}"] for kind in ("weight", "bias")}
