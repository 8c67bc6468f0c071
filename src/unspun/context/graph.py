"""Whether an ONNX file holds the transformer that unspun trains, before onnxruntime sees it.

A graph is a program: one made to do harm may read other files, fill the memory out of a few bytes, never end, or find a
mistake in the native code. So none is run but the one that :mod:`unspun.training.contextual.onnx_graph` builds, of
whatever size; only its numbers are the file's. The file is read here without help from elsewhere: a run needs no onnx.
"""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from unspun.context.pieces import END, START, UNKNOWN, WINDOW

#: Bytes of a file at most: five times the shipped one, whose weights as floats take four times as much.
MAX_BYTES: Final = 120_000_000
#: The largest transformer: twice the shipped one each way, and some. Its work space depends on nothing else.
_MOST_LAYERS: Final = 24
_MOST_WIDTH: Final = 1024
_MOST_INNER: Final = 4096
_MOST_HEADS: Final = 16

_CONTRIB: Final = "com.microsoft"
_IR_VERSION: Final = 9
_OPSETS: Final = [("", 20), (_CONTRIB, 1)]
#: Types of tensors, and bytes of one number of each.
_FLOAT: Final = 1
_INT8: Final = 3
_INT32: Final = 6
_INT64: Final = 7
_SIZES: Final = {_FLOAT: 4, _INT8: 1, _INT64: 8}
_INPUTS: Final = [
    ("ids", _INT64, ("b", "t")), ("lengths", _INT32, ("b",)), ("places", _INT64, ("k", 2)),
    ("candidates", _INT64, ("k", "c")),
]  # fmt: skip
_OUTPUTS: Final = [("marks", _FLOAT, ("b", "t")), ("names", _FLOAT, ("k", "c"))]

#: How protobuf writes a field: a number, bytes (a text or a message), a float.
_NUMBER: Final = 0
_BYTES: Final = 2
_FOUR: Final = 5
#: The fields of each message that graphs of unspun have, and how many at most. All others are refused: files of weights
#: elsewhere, functions, graphs in graphs, sparse tensors...
_MODEL: Final = ({1: _NUMBER, 7: _BYTES, 8: _BYTES, 14: _BYTES}, 6)
_OPSET: Final = ({1: _BYTES, 2: _NUMBER}, 2)
_ENTRY: Final = ({1: _BYTES, 2: _BYTES}, 2)
_GRAPH: Final = ({1: _BYTES, 2: _BYTES, 5: _BYTES, 11: _BYTES, 12: _BYTES}, 2_000)
_NODE: Final = ({1: _BYTES, 2: _BYTES, 4: _BYTES, 5: _BYTES, 7: _BYTES}, 16)
_ATTRIBUTE: Final = ({1: _BYTES, 2: _FOUR, 3: _NUMBER, 8: _NUMBER, 20: _NUMBER}, 8)
_TENSOR: Final = ({1: _NUMBER, 2: _NUMBER, 8: _BYTES, 9: _BYTES}, 8)
_VALUE: Final = ({1: _BYTES, 2: _BYTES}, 2)
_INSIDE: Final = ({1: _BYTES}, 1)
_TENSOR_TYPE: Final = ({1: _NUMBER, 2: _BYTES}, 2)
_DIMENSIONS: Final = ({1: _BYTES}, 4)
_DIMENSION: Final = ({1: _NUMBER, 2: _BYTES}, 1)
#: Types of attributes, and the field where each stands.
_ATTRIBUTES: Final = {1: 2, 2: 3, 7: 8}


def _read_fields(data: memoryview, expected: tuple[Mapping[int, int], int]) -> dict[int, list[Any]]:
    """The fields of a message, by number; ValueError where it has others than ``expected``, or more."""
    kinds, most = expected
    found: dict[int, list[Any]] = {number: [] for number in kinds}
    at = 0
    for _ in range(most):
        if at == len(data):
            return found
        tag, at = _read_number(data, at)
        number, kind = tag >> 3, tag & 7
        if kinds.get(number) != kind:
            raise ValueError(f"a field that no graph of unspun has ({number})")
        value: Any
        if kind == _NUMBER:
            value, at = _read_number(data, at)
        else:
            size, at = (4, at) if kind == _FOUR else _read_number(data, at)
            value, at = data[at : at + size], at + size
            if size < 0 or at > len(data):
                raise ValueError("cut off")
        found[number].append(value)
    if at != len(data):
        raise ValueError("more fields than a graph of unspun has")
    return found


def _read_number(data: memoryview, at: int) -> tuple[int, int]:
    """A number of seven bits a byte, with its sign, and where it ends."""
    number = 0
    for place in range(10):
        byte = data[at + place]
        number |= (byte & 127) << 7 * place
        if byte < 128:
            number &= 2**64 - 1
            return number - (number >> 63 << 64), at + place + 1
    raise ValueError("a number without an end")


def _take(values: list[Any], default: Any = b"") -> Any:
    """What a field holds that stands once or not at all: of several, readers of protobuf take the last or all."""
    if len(values) > 1:
        raise ValueError("a field twice")
    return values[0] if values else default


def _decode(value: memoryview | bytes) -> str:
    return bytes(value).decode("utf-8")


@dataclass(frozen=True, slots=True)
class _Node:
    """One step of the reckoning; ``settings``: its attributes."""

    kind: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    domain: str
    settings: Mapping[str, Any]


def _read_node(data: memoryview) -> _Node:
    fields = _read_fields(data, _NODE)
    settings = {}
    for one in fields[5]:
        name, value = _read_setting(one)
        if name in settings:
            raise ValueError("an attribute twice")
        settings[name] = value
    inputs, outputs = (tuple(map(_decode, fields[number])) for number in (1, 2))
    return _Node(_decode(_take(fields[4])), inputs, outputs, _decode(_take(fields[7])), settings)


def _read_setting(data: memoryview) -> tuple[str, Any]:
    fields = _read_fields(data, _ATTRIBUTE)
    place = _ATTRIBUTES.get(_take(fields[20], 0))
    if place is None or any(fields[other] for other in _ATTRIBUTES.values() if other != place):
        raise ValueError("an attribute of another type")
    if place == 8:
        return _decode(_take(fields[1])), fields[8]
    value = _take(fields[place], 0)
    return _decode(_take(fields[1])), struct.unpack("<f", value)[0] if place == 2 else value


#: Type and sizes of a tensor.
_Described = tuple[int, tuple[int, ...]]


def _read_tensor(data: memoryview) -> tuple[str, _Described, memoryview | bytes]:
    fields = _read_fields(data, _TENSOR)
    name, kind, sizes = _decode(_take(fields[8])), _take(fields[2], 0), tuple(fields[1])
    content = _take(fields[9])
    if kind not in _SIZES or min(sizes, default=0) < 1 or len(content) != math.prod(sizes) * _SIZES[kind]:
        raise ValueError(f"{name} is damaged")
    return name, (kind, sizes), content


def _read_value(data: memoryview) -> tuple[str, int, tuple[str | int, ...]]:
    """Name, type and sizes of an input or output."""
    fields = _read_fields(data, _VALUE)
    described = _read_fields(_take(_read_fields(_take(fields[2]), _INSIDE)[1]), _TENSOR_TYPE)
    sizes = list[str | int]()
    for one in _read_fields(_take(described[2]), _DIMENSIONS)[1]:
        size = _read_fields(one, _DIMENSION)
        sizes.append(_decode(size[2][0]) if size[2] else _take(size[1], 0))
    return _decode(_take(fields[1])), _take(described[1], 0), tuple(sizes)


class _Plan:
    """The transformer as it has to be: its nodes, its tensors, and those of them whose content is known."""

    def __init__(self, pieces: int, width: int, layers: int, heads: int, inner: int, rounded: bool) -> None:
        self.pieces, self.width, self.heads, self.inner, self.rounded = pieces, width, heads, inner, rounded
        self.nodes = list[_Node]()
        self.tensors = dict[str, _Described]()
        self.known = dict[str, bytes]()
        hidden = self.embed()
        for number in range(layers):
            hidden = self.add_layer(hidden, f"layers.{number}")
        marks = self.add("MatMul", hidden, self.keep("replaced.weight", width, 1))
        marks = self.add("Add", marks, self.keep("replaced.bias", 1))
        self.add("Squeeze", marks, self.keep_number("last", -1), outputs=("marks",))
        chosen = self.add("GatherND", hidden, "places")
        query = self.add("Unsqueeze", self.add_linear(chosen, "original", width, width), self.keep_number("middle", 1))
        keys = self.add("Transpose", self.look_up("candidates"), perm=[0, 2, 1])
        self.add("Squeeze", self.add("MatMul", query, keys), self.keep_number("middle", 1), outputs=("names",))

    def keep(self, name: str, *sizes: int, kind: int = _FLOAT) -> str:
        self.tensors[name] = kind, sizes
        return name

    def keep_number(self, name: str, number: int) -> str:
        self.known[name] = struct.pack("<q", number)
        return self.keep(name, 1, kind=_INT64)

    def add(
        self, kind: str, *inputs: str, outputs: tuple[str, ...] = (), domain: str = "", **settings: Any
    ) -> str:  # fmt: skip
        outputs = outputs or (f"v{len(self.nodes)}",)
        self.nodes.append(_Node(kind, inputs, outputs, domain, settings))
        return outputs[0]

    def look_up(self, pieces: str) -> str:
        if not self.rounded:
            return self.add("Gather", self.keep("words", self.pieces, self.width), pieces)
        kept = self.keep("words", self.pieces, self.width, kind=_INT8)
        rows = self.add("Cast", self.add("Gather", kept, pieces), to=_FLOAT)
        return self.add("Mul", rows, self.add("Gather", self.keep("words.scale", self.pieces, 1), pieces))

    def embed(self) -> str:
        shape = self.add("Shape", "ids", start=1, end=2)
        first, step = self.keep_number("zero", 0), self.keep_number("one", 1)
        placed = self.add("Slice", self.keep("positions", WINDOW, self.width), first, shape, first, step)
        return self.add_norm(self.add("Add", self.look_up("ids"), placed), "norm")

    def add_norm(self, value: str, name: str) -> str:
        weights = [self.keep(f"{name}.{kind}", self.width) for kind in ("weight", "bias")]
        return self.add("LayerNormalization", value, *weights, epsilon=struct.unpack("<f", struct.pack("<f", 1e-12))[0])

    def add_linear(self, value: str, name: str, inner: int, outer: int) -> str:
        bias = self.keep(f"{name}.bias", outer)
        if not self.rounded:
            return self.add("Add", self.add("MatMul", value, self.keep(f"{name}.weight", inner, outer)), bias)
        weights = self.add("Cast", self.keep(f"{name}.weight", inner, outer, kind=_INT8), to=_FLOAT)
        product = self.add("Mul", weights, self.keep(f"{name}.scale", 1, outer))
        return self.add("Add", self.add("MatMul", value, product), bias)

    def add_layer(self, hidden: str, name: str) -> str:
        width = self.width
        joint = self.add_linear(hidden, f"{name}.attention_in", width, 3 * width)
        parts = tuple(f"{name}.{part}" for part in ("query", "key", "value"))
        self.add("Split", joint, outputs=parts, axis=-1, num_outputs=3)
        seen = self.add("MultiHeadAttention", *parts, "", "lengths", domain=_CONTRIB, num_heads=self.heads)
        seen = self.add_linear(seen, f"{name}.attention_out", width, width)
        hidden = self.add_norm(self.add("Add", hidden, seen), f"{name}.attention_norm")
        inner = self.add("Gelu", self.add_linear(hidden, f"{name}.inner", width, self.inner))
        outer = self.add_linear(inner, f"{name}.outer", self.inner, width)
        return self.add_norm(self.add("Add", hidden, outer), f"{name}.norm")


@dataclass(frozen=True, slots=True)
class OnnxFile:
    """What an ONNX file says of itself, and its graph, not yet looked into."""

    told: dict[str, str]
    graph: memoryview

    @classmethod
    def split(cls, data: bytes) -> OnnxFile:
        """Raises ValueError, or another error, where the file is none that unspun wrote."""
        fields = _read_fields(memoryview(data), _MODEL)
        opsets = [_read_fields(one, _OPSET) for one in fields[8]]
        if _take(fields[1], 0) != _IR_VERSION or [(_decode(_take(o[1])), _take(o[2], 0)) for o in opsets] != _OPSETS:
            raise ValueError("of another version of ONNX")
        entries = [_read_fields(one, _ENTRY) for one in fields[14]]
        return cls({_decode(_take(one[1])): _decode(_take(one[2])) for one in entries}, _take(fields[7]))

    def check(self) -> None:
        """Raises ValueError, or another error, where the graph is not that of the transformer with the vocabulary."""
        fields = _read_fields(self.graph, _GRAPH)
        if [_read_value(one) for one in fields[11]] != _INPUTS or [_read_value(one) for one in fields[12]] != _OUTPUTS:
            raise ValueError("other inputs or outputs")
        nodes, tensors = [_read_node(one) for one in fields[1]], [_read_tensor(one) for one in fields[5]]
        described = {name: about for name, about, _ in tensors}
        plan = _plan(nodes, described)
        if nodes != plan.nodes or described != plan.tensors or len(described) != len(tensors):
            raise ValueError("another graph than unspun's")
        if any(name in plan.known and content != plan.known[name] for name, _, content in tensors):
            raise ValueError("another graph than unspun's")
        vocabulary = self.told["vocabulary"].split("\n")
        if len(vocabulary) != plan.pieces or not {START, END, UNKNOWN} <= set(vocabulary):
            raise ValueError("a vocabulary that does not fit")


def _plan(nodes: list[_Node], tensors: Mapping[str, _Described]) -> _Plan:
    """The transformer of the sizes that these have."""
    kind, (pieces, width) = tensors["words"]
    _, (inner,) = tensors["layers.0.inner.bias"]
    heads = next(node.settings["num_heads"] for node in nodes if node.kind == "MultiHeadAttention")
    layers = sum(1 for name in tensors if re.fullmatch(r"layers\.\d+\.norm\.bias", name))
    sizes = ((layers, _MOST_LAYERS), (width, _MOST_WIDTH), (inner, _MOST_INNER), (heads, _MOST_HEADS))
    if any(not 1 <= size <= most for size, most in sizes) or width % heads:
        raise ValueError("of another size")
    return _Plan(pieces, width, layers, heads, inner, rounded=kind == _INT8)
