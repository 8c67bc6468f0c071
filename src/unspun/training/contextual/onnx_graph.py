"""The contextual model as an ONNX graph: weights of eight bits, reckoning in floats.

Activations are not rounded: by one scale for a tensor, as dynamic quantisation does it, a score would depend on what
else is in the batch, and on two cores eight bits were hardly faster (18,000 pieces a second against 16,000).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from unspun.context.pieces import WINDOW

_CONTRIB: Final = "com.microsoft"


@dataclass(frozen=True, slots=True)
class Shape:
    """Sizes of the encoder; by default those of MiniLM-L6-H384."""

    pieces: int = 30522
    width: int = 384
    layers: int = 6
    heads: int = 12
    inner: int = 1536
    positions: int = 512


def build_graph(
    state: Mapping[str, NDArray[np.float32]], shape: Shape, vocabulary: Sequence[str], about: Mapping[str, Any],
    rounded: bool = True,
) -> onnx.ModelProto:  # fmt: skip
    """The graph of an encoder's weights, with its vocabulary and ``about`` in the metadata; the weights stay floats
    where they are not to be ``rounded``.

    Inputs: ``ids`` int64[b, t]; ``lengths`` int32[b], the pieces of each window that are no filling; ``places``
    int64[k, 2], windows and pieces to name the original of; ``candidates`` int64[k, c], pieces that it may have begun
    with. Outputs: ``marks`` float[b, t], log-odds that the word of each piece was swapped in; ``names`` float[k, c].
    """
    graph = _Graph(state, shape, rounded)
    hidden = graph.embed()
    for number in range(shape.layers):
        hidden = graph.add_layer(hidden, f"layers.{number}")
    marks = graph.add("MatMul", [hidden, graph.keep("replaced.weight", state["replaced.weight"].T)])
    marks = graph.add("Add", [marks, graph.keep("replaced.bias", state["replaced.bias"])])
    graph.add("Squeeze", [marks, graph.keep("last", np.array([-1]))], "marks")
    chosen = graph.add("GatherND", [hidden, "places"])
    query = graph.add("Unsqueeze", [graph.add_linear(chosen, "original"), graph.keep("middle", np.array([1]))])
    keys = graph.add("Transpose", [graph.look_up("candidates")], perm=[0, 2, 1])
    graph.add("Squeeze", [graph.add("MatMul", [query, keys]), graph.keep("middle", np.array([1]))], "names")
    inputs = [
        helper.make_tensor_value_info("ids", TensorProto.INT64, ["b", "t"]),
        helper.make_tensor_value_info("lengths", TensorProto.INT32, ["b"]),
        helper.make_tensor_value_info("places", TensorProto.INT64, ["k", 2]),
        helper.make_tensor_value_info("candidates", TensorProto.INT64, ["k", "c"]),
    ]
    outputs = [
        helper.make_tensor_value_info("marks", TensorProto.FLOAT, ["b", "t"]),
        helper.make_tensor_value_info("names", TensorProto.FLOAT, ["k", "c"]),
    ]
    body = helper.make_graph(graph.nodes, "unspun-context", inputs, outputs, list(graph.kept.values()))
    opsets = [helper.make_opsetid("", 20), helper.make_opsetid(_CONTRIB, 1)]
    model = helper.make_model(body, opset_imports=opsets, ir_version=9)
    helper.set_model_props(model, {"about": json.dumps(about), "vocabulary": "\n".join(vocabulary)})
    return model


class _Graph:
    """Nodes and tensors as they are added; every value is known by its name."""

    def __init__(self, state: Mapping[str, NDArray[np.float32]], shape: Shape, rounded: bool) -> None:
        self.state = state
        self.shape = shape
        self.rounded = rounded
        self.nodes = list[onnx.NodeProto]()
        self.kept = dict[str, onnx.TensorProto]()

    def keep(self, name: str, value: NDArray[Any]) -> str:
        if name not in self.kept:
            self.kept[name] = numpy_helper.from_array(np.ascontiguousarray(value), name)
        return name

    def add(self, kind: str, inputs: Sequence[str], output: str = "", domain: str = "", **attributes: Any) -> str:
        output = output or f"v{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [output], domain=domain, **attributes))
        return output

    def look_up(self, pieces: str) -> str:
        """Rows of the table of pieces."""
        table = self.state["words.weight"]
        if not self.rounded:
            return self.add("Gather", [self.keep("words", table), pieces])
        scale = np.abs(table).max(axis=1, keepdims=True) / 127
        kept = self.keep("words", np.round(table / scale).astype(np.int8))
        rows = self.add("Cast", [self.add("Gather", [kept, pieces])], to=TensorProto.FLOAT)
        return self.add("Mul", [rows, self.add("Gather", [self.keep("words.scale", scale), pieces])])

    def embed(self) -> str:
        shape = self.add("Shape", ["ids"], start=1, end=2)
        first, step = self.keep("zero", np.array([0])), self.keep("one", np.array([1]))
        positions = self.keep("positions", self.state["positions.weight"][:WINDOW])
        placed = self.add("Slice", [positions, first, shape, first, step])
        return self.add_norm(self.add("Add", [self.look_up("ids"), placed]), "norm")

    def add_norm(self, value: str, name: str) -> str:
        weights = [self.keep(f"{name}.{kind}", self.state[f"{name}.{kind}"]) for kind in ("weight", "bias")]
        return self.add("LayerNormalization", [value, *weights], epsilon=1e-12)

    def add_linear(self, value: str, name: str) -> str:
        weight, bias = self.state[f"{name}.weight"], self.keep(f"{name}.bias", self.state[f"{name}.bias"])
        if not self.rounded:
            return self.add("Add", [self.add("MatMul", [value, self.keep(f"{name}.weight", weight.T)]), bias])
        # One scale for each unit; the runtime takes this product once, when it loads the graph.
        scale = np.abs(weight).max(axis=1, keepdims=True).T / 127
        kept = self.keep(f"{name}.weight", np.round(weight.T / scale).astype(np.int8))
        product = self.add("Mul", [self.add("Cast", [kept], to=TensorProto.FLOAT), self.keep(f"{name}.scale", scale)])
        return self.add("Add", [self.add("MatMul", [value, product]), bias])

    def add_layer(self, hidden: str, name: str) -> str:
        joint = self.add_linear(hidden, f"{name}.attention_in")
        parts = [f"{name}.{part}" for part in ("query", "key", "value")]
        self.nodes.append(helper.make_node("Split", [joint], parts, axis=-1, num_outputs=3))
        seen = self.add(
            "MultiHeadAttention", [*parts, "", "lengths"], domain=_CONTRIB, num_heads=self.shape.heads
        )  # fmt: skip
        seen = self.add_linear(seen, f"{name}.attention_out")
        hidden = self.add_norm(self.add("Add", [hidden, seen]), f"{name}.attention_norm")
        inner = self.add("Gelu", [self.add_linear(hidden, f"{name}.inner")])
        return self.add_norm(self.add("Add", [hidden, self.add_linear(inner, f"{name}.outer")]), f"{name}.norm")
