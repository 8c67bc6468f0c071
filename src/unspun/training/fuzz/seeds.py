"""Small valid inputs of every kind, made here: what cases are varied from."""

from __future__ import annotations

import gzip
import io
import json
import tempfile
import zipfile
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any, Final

import numpy as np

from unspun.article import Article, Decision, Passage, Relation, Span, Verdict
from unspun.classifier import GROUNDS, NETWORKS, SCORERS, Model, Scorer, Thresholds
from unspun.context.features import READ, WORD
from unspun.context.model import ContextModel
from unspun.context.pieces import END, FILL, START, UNKNOWN, WINDOW
from unspun.context.transformer import FORMAT as GRAPH_FORMAT
from unspun.context.transformer import Reader
from unspun.decisions import FORMAT, VERSION, digest_text
from unspun.detector import WIDTHS, Detector
from unspun.extractors.originals import FEATURES as ORIGINAL
from unspun.habits import Habits, Neighbouring
from unspun.index.build import build_index
from unspun.lexicon import Lexicon
from unspun.networks import Networks
from unspun.trees import Trees

SOURCE: Final = (
    "The lighthouse at Corran Head will be sold to the village below it for a single crown, the Ministry of Transport "
    "said on Friday. The tower has stood empty since its lamp was replaced by a buoy nine years ago.\n\n"
    "“We will paint it before the summer and open the stairs to visitors,” said Ragna Thorvik, who runs the bakery and "
    "heads the committee that asked for the building. The village plans to rent out the rooms of the keepers and hopes "
    "to earn enough to repair the roof. Engineers who examined the walls found that they were sound."
)
SPUN: Final = (
    SOURCE.replace("sold", "vended").replace("village", "hamlet").replace("stood empty", "stayed vacant")
    .replace("Ministry of Transport", "Service of Conveyance").replace("visitors", "guests")
    .replace("asked for", "requested").replace("earn enough", "gain sufficient").replace("replaced", "substituted")
    .replace("repair the roof", "fix the rooftop").replace("examined", "inspected")
)  # fmt: skip
HOSTILE: Final = (
    "=[bold]x[/bold]\x1b[31m\x00\u202e\u2028\x85<script>alert(1)</script>\"'&\ud800</title></style>]]>{{7*7}}"
)


@cache
def get_detector() -> Detector:
    return Detector.load(context="never")


def make_model(lexicon: Lexicon) -> Model:
    """The smallest model that scores: one unit, one tree of one question."""

    def make_scorer(name: str) -> Scorer:
        width = WIDTHS[name]
        if name in NETWORKS:
            ones = np.ones(width)
            network = Networks(
                0 * ones, ones, np.full((1, width, 1), 0.1), np.zeros((1, 1)), np.ones((1, 1)), np.zeros(1)
            )
            return Scorer(network, 1.0, -1.0)
        nodes = [np.array(values, np.int32) for values in ((0,), (0, -1, -1), (1, 0, 0), (2, 0, 0))]
        roots, feature, left, right = nodes
        return Scorer(Trees(roots, feature, np.zeros(3), left, right, np.array([0.0, 1, -1]), 0.0, 1), 1.0, 0.0)

    known = Neighbouring(np.array([1, 7], np.uint32), np.array([[0.5, 2], [-3, 7.25]], np.float32))
    return Model(
        "tiny@1", {name: make_scorer(name) for name in SCORERS},
        Habits(np.zeros((lexicon.size, 2), np.float32), known, known),
        {ground: Thresholds(0.1, 0.2) for ground in GROUNDS}, {"a_an": 0.9, "doubled": 0.6, "phrase": 0.9},
        np.zeros(len(ORIGINAL)), {},
    )  # fmt: skip


@cache
def make_model_parts() -> dict[str, bytes]:
    """The members of a model file."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "m.npz")
        make_model(Lexicon.load()).save(path)
        parts = read_members(path.read_bytes())
    about = parts.pop("about.npy")
    return {"about.npy": about, **parts}


#: Pieces of the tiny transformer: letters are enough for every word.
_LETTERS: Final = "abcdefghijklmnopqrstuvwxyz"
VOCABULARY: Final = (FILL, UNKNOWN, START, END, *_LETTERS, *(f"##{letter}" for letter in _LETTERS), "the", "sold", ".")
_WIDTH: Final = 4


@cache
def make_graph() -> Any:
    """The smallest transformer: one layer of two heads."""
    from unspun.training.contextual.onnx_graph import Shape, build_graph

    def draw(*sizes: int) -> Any:
        return rng.normal(0, 0.5, sizes).astype(np.float32)

    rng, layer = np.random.default_rng(0), "layers.0"
    state = {"words.weight": draw(len(VOCABULARY), _WIDTH), "positions.weight": draw(WINDOW, _WIDTH)}
    for name, outer in (
        (f"{layer}.attention_in", 3 * _WIDTH), (f"{layer}.attention_out", _WIDTH), (f"{layer}.inner", _WIDTH),
        (f"{layer}.outer", _WIDTH), ("original", _WIDTH), ("replaced", 1),
    ):  # fmt: skip
        state |= {f"{name}.weight": draw(outer, _WIDTH), f"{name}.bias": draw(outer)}
    for name in ("norm", f"{layer}.attention_norm", f"{layer}.norm"):
        state |= {f"{name}.weight": 1 + draw(_WIDTH), f"{name}.bias": draw(_WIDTH)}
    shape = Shape(len(VOCABULARY), _WIDTH, 1, 2, _WIDTH, WINDOW)
    return build_graph(state, shape, VOCABULARY, {"format": GRAPH_FORMAT})


@cache
def make_context_parts() -> dict[str, bytes]:
    """What is changed of a contextual model that finds everything spun: what its file says of it and some numbers of
    it, both files as they are, what the graph's metadata say, and its nodes."""

    def score(features: int) -> Scorer:
        hidden, ones = np.full((1, features, 1), 0.1), np.ones(features)
        return Scorer(Networks(0 * ones, ones, hidden, np.zeros((1, 1)), np.ones((1, 1)), np.zeros(1)), 1.0, 8.0)

    with tempfile.TemporaryDirectory() as folder:
        path, graph = Path(folder, "context.npz"), Path(folder, "context.onnx")
        graph.write_bytes(make_graph().SerializeToString())
        ContextModel(
            "tiny-context@1", get_detector().model.name, Reader(graph),
            {"marked": score(len(WORD)), "read": score(len(READ))},
            {ground: Thresholds(0.1, 0.2) for ground in ("short", "alone")}, 0.0, np.ones(len(ORIGINAL) + 1), {},
        ).save(path)  # fmt: skip
        members = read_members(path.read_bytes())
        files = {item.name: item.read_bytes() for item in (graph, path)}
    told = {entry.key: entry.value.encode() for entry in make_graph().metadata_props}
    nodes = deepcopy(make_graph().graph)
    nodes.ClearField("initializer")
    some = {name: members[name] for name in ("read.mean.npy", "read.hidden.npy")}
    return {"about.npy": members["about.npy"], **files, **told, **some, "nodes": nodes.SerializeToString()}


def read_members(packed: bytes) -> dict[str, bytes]:
    """The members of an archive of arrays."""
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def change_graph(name: str, content: bytes) -> bytes:
    """The file of the tiny transformer with one of the parts that it is part of changed, lengths made anew."""
    if name == "context.onnx":
        return content
    changed = deepcopy(make_graph())
    for entry in changed.metadata_props:
        if entry.key == name:
            entry.value = content.decode("utf-8", "replace")
    if name != "nodes":
        return bytes(changed.SerializeToString())
    # Messages that stand one after the other are one message.
    weights = type(changed.graph)(initializer=changed.graph.initializer).SerializeToString()
    changed.ClearField("graph")
    size, length = len(content) + len(weights), bytearray()
    while size > 127:
        length.append(size & 127 | 128)
        size >>= 7
    return bytes(changed.SerializeToString() + b"\x3a" + bytes([*length, size]) + content + weights)


ARTICLES: Final = (
    Article("one", SOURCE, "https://paper.example/1", "Lighthouse sold", "2026-05-01", "en"),
    Article("two", SOURCE.replace("lighthouse", "harbour").replace("tower", "quay"), "two.txt", None, None, "en-GB"),
    Article("three", "\n".join([SPUN] * 3), None, "Three times"),
)


@cache
def make_index_parts() -> dict[str, bytes]:
    """The files of an index of three articles, by their path in it."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "index")
        build_index(path, ARTICLES, Lexicon.load())
        files = sorted(item for item in path.rglob("*") if item.is_file() and item.name != "lock")
        parts = {item.relative_to(path).as_posix(): item.read_bytes() for item in files}
    manifest = parts.pop("unspun-index.json")
    return {"unspun-index.json": manifest, **parts}


def make_verdict(words: str) -> tuple[Article, list[Article], Verdict]:
    """An article, references and a verdict with these words wherever words can be."""
    text = f"{words} of the {words}\nand {words}"
    article = Article(words, text, words, words, words, words)
    reference = Article(words, text, words, words)
    decision = Decision("dismissed", words, words, words)
    width, second = len(words), text.rindex(words)
    passage = Passage(words, 0, width, words)
    spans = [
        Span(0, width, words, "name", 0.9, words, passage, (words,)),
        Span(second, second + width, words, "trick", 0.5, words, None, (words, words), decision),
    ]  # fmt: skip
    relations = (Relation(words, "spun", 0.5), Relation(f"{words}2", "copy", 1.0))
    verdict = Verdict(words, words, 0.5, "suspect", "name_altered", tuple(spans if words else ()), relations, words)
    return article, [reference], verdict


def make_decisions() -> dict[str, Any]:
    at = SPUN.index("vended")
    span = {"start": at, "end": at + 6, "text": "vended", "kind": "synonym", "score": 0.9, "suggestion": "sold"}
    made = {"digest": digest_text(SPUN), "article": "a", "source": None, "by": "R. T.", "at": "2026-05-01T10:00:00Z"}
    decisions = [
        {**made, "decision": "dismissed", "reason": "<img src=x onerror=alert(1)>", "span": span},
        {**made, "decision": "confirmed", "reason": "</script><script>alert(2)</script>", "span": None},
        {**made, "decision": "dismissed", "digest": "0" * 64, "reason": ""},
    ]
    return {"format": FORMAT, "version": VERSION, "decisions": decisions}


def make_lines() -> bytes:
    """Records as a crawl brings them, good and bad."""
    records: list[Any] = [
        {"id": "1", "url": "https://paper.example/1", "text": SPUN},
        {"id": 2, "text": SOURCE, "unspun": {"label": "old"}, "meta": {"text": "x"}, "rate": 1.5e300},
        {"text": ""}, {"text": None}, {"no": "text"}, [], "text", 3, None,
        {"unspun": 1, "text": "short"},
        {"id": "\ud800", "text": SPUN[:300] + "\ud800\u0000", "references": [SOURCE, 3]},
    ]  # fmt: skip
    lines = [json.dumps(record) for record in records]
    return "\n".join([*lines, '{"text": "cut', "", ' { "unspun" : 1 , "text" : "a" , "unspun" : [ ] } ']).encode()


def make_page() -> bytes:
    paragraphs = "".join(f"<p>{part}</p>" for part in SOURCE.split("\n\n"))
    head = '<title>Lighthouse</title><meta property="article:published_time" content="2026-05-01">'
    return f"<!doctype html><html><head>{head}</head><body><article>{paragraphs}</article></body></html>".encode()


def make_archive(packed: bool) -> bytes:
    """A WARC with a page, its request, a picture and a plain text."""
    from warcio.statusandheaders import StatusAndHeaders
    from warcio.warcwriter import WARCWriter

    file = io.BytesIO()
    writer = WARCWriter(file, gzip=packed)
    for kind, content, described in (
        ("response", make_page(), "text/html; charset=utf-8"),
        ("response", gzip.compress(make_page()), "text/html; charset=iso-8859-1"),
        ("request", b"", ""),
        ("response", b"\x89PNG\0\1", "image/png"),
        ("conversion", SOURCE.encode(), ""),
    ):
        options: dict[str, Any] = {"warc_content_type": "text/plain"} if kind == "conversion" else {}
        if described:
            headers = [("Content-Type", described)]
            headers += [("Content-Encoding", "gzip")] if content.startswith(b"\x1f\x8b") else []
            options["http_headers"] = StatusAndHeaders("200 OK", headers, protocol="HTTP/1.0")
        if kind == "request":
            options["http_headers"] = StatusAndHeaders("GET / HTTP/1.0", [("Host", "x")])
        record = writer.create_warc_record("https://paper.example/1", kind, io.BytesIO(content), **options)
        writer.write_record(record)
    return file.getvalue()


def make_tables() -> list[bytes]:
    """Parquet files: texts alone in each packing, and a column of every type."""
    import datetime
    import decimal

    import pyarrow
    from pyarrow import parquet

    def write(table: Any, **options: Any) -> bytes:
        file = io.BytesIO()
        parquet.write_table(table, file, **options)
        return file.getvalue()

    plain = pyarrow.table({"id": ["1", "2", None], "text": [SPUN, SOURCE[:90], ""]})
    day = datetime.datetime(2026, 5, 1, tzinfo=datetime.UTC)
    every = pyarrow.table({
        "text": pyarrow.array(["a", "b"]).dictionary_encode(), "raw": [b"\xff\0", None], "count": [1, 2**62],
        "rate": [float("nan"), 1e300], "when": pyarrow.array([day, None], pyarrow.timestamp("us", "UTC")),
        "day": [day.date(), None], "took": pyarrow.array([1, None], pyarrow.duration("ns")),
        "price": [decimal.Decimal("1.5"), None], "tags": [["a"], []], "meta": [{"x": {"y": 1}}, None],
        "yes": [True, None],
    })  # fmt: skip
    packings = ("none", "snappy", "gzip", "zstd", "brotli")
    return [
        *(write(plain, compression=packing) for packing in packings),
        write(plain, compression="none", use_dictionary=False, data_page_version="2.0", store_schema=False),
        write(every, compression="none"), write(every, compression="none", store_schema=False),
    ]  # fmt: skip
