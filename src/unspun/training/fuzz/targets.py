"""What is fuzzed: a function from a case (bytes, see :mod:`unspun.training.fuzz.cases`) to nothing for every surface.

A target lets through whatever is no clear error of the package's own; which those are, each says. What must hold beyond
that, it checks.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tempfile
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

import numpy as np

from unspun.article import Article, Verdict
from unspun.classifier import ModelError
from unspun.context.model import ContextModel
from unspun.decisions import Decisions, DecisionsError
from unspun.detector import Detector
from unspun.filtering.record_files import read_lines, split_lines
from unspun.filtering.record_outputs import LineOutput, read_rows
from unspun.filtering.runs import Checkpoint, ResumeError, Routes, Summary, run_filter
from unspun.filtering.streams import Filtered, LineFilter, parse_line
from unspun.index.compared import IndexedReferences
from unspun.index.manifest import NAME, write_manifest
from unspun.index.query import Index
from unspun.index.segment import COLUMNS, IndexDamagedError
from unspun.index.selection import Selection
from unspun.ingest import IngestFilter, Policy
from unspun.readers import read_articles
from unspun.references import References
from unspun.reporters.comma_separated import write_csv
from unspun.reporters.html import render_report
from unspun.reporters.jsonl import write_jsonl
from unspun.reporters.overview import make_row, name_page, render_overview
from unspun.reporters.restored import write_diff, write_json, write_text
from unspun.reporters.sarif import write_sarif
from unspun.reporters.side_by_side import make_wide_console, write_evidence
from unspun.reporters.table import make_console, write_table
from unspun.restoration import restore
from unspun.saved_verdicts import VerdictError, read_verdicts
from unspun.text import Text
from unspun.training.fuzz import requests, seeds
from unspun.training.fuzz.cases import change_part, decode_text, join_fields, make_part_seeds, split_fields
from unspun.training.fuzz.checks import check_article, check_error, check_page, check_texts, check_verdict, require


@dataclass(frozen=True, slots=True)
class Target:
    """``run`` takes a case; ``make_seeds`` gives the valid ones that others are varied from; ``longest``: bytes of a
    case at most."""

    name: str
    run: Callable[[bytes], None]
    make_seeds: Callable[[], list[bytes]]
    longest: int = 20_000


@cache
def _folder() -> Path:
    """A folder for the files of cases, gone with the process; in memory where the system has such a place."""
    place = Path("/dev/shm")
    kept = tempfile.TemporaryDirectory(prefix="unspun-fuzz-", dir=place if place.is_dir() else None)
    _kept.append(kept)
    return Path(kept.name)


_kept: list[tempfile.TemporaryDirectory[str]] = []


def _write(name: str, content: bytes) -> Path:
    """A file of its own: one that is mapped into memory still must not be cut."""
    path = _folder() / name
    path.parent.mkdir(parents=True, exist_ok=True)
    written = path.with_name(path.name + ".tmp")
    written.write_bytes(content)
    written.replace(path)
    return path


# --- texts


def score_text(case: bytes) -> None:
    """A text by itself, and in the middle of English; no error is legitimate."""
    text = decode_text(case)
    for raw in (text, f"{seeds.SPUN} {text} {seeds.SPUN}"):
        article = Article("case", raw)
        verdict = seeds.get_detector().score(article)
        check_verdict(article, verdict)
        require(seeds.get_detector().score(article) == verdict, "another verdict the second time")


def score_beside(case: bytes) -> None:
    """Two texts in English, the first beside the second; no error is legitimate."""
    own, other = split_fields(case, 2)
    half = len(seeds.SPUN) // 2
    article = Article("case", f"{seeds.SPUN[:half]} {own} {seeds.SPUN[half:]}")
    references = [
        Article("mixed", f"{seeds.SOURCE[:half]} {other} {seeds.SOURCE[half:]}"),
        Article("bare", other), Article("own", own),
    ]  # fmt: skip
    verdict = seeds.get_detector().score(article, references)
    check_verdict(article, verdict, references)
    _report(article, references, verdict)


def report_words(case: bytes) -> None:
    """A verdict with these words for id, source, title, suggestion, reason, reviewer...; no error is legitimate."""
    words = decode_text(case)
    article, references, verdict = seeds.make_verdict(words)
    _report(article, references, verdict)


def _report(article: Article, references: list[Article], verdict: Verdict) -> None:
    """Every reporter on one verdict."""
    lexicon = seeds.get_detector().lexicon
    check_page(render_report(article, references, verdict, lexicon), scripts=2)
    row = make_row(verdict, article.title, name_page(article.id, {}))
    check_page(render_overview([row, row]), scripts=1)
    streams = {name: io.StringIO() for name in ("jsonl", "csv", "sarif", "table", "beside", "text", "json", "diff")}
    write_jsonl(verdict, streams["jsonl"])
    write_csv([verdict], streams["csv"])
    write_sarif([(article, verdict)], streams["sarif"], References.build(references, lexicon))
    write_table([verdict], make_console(streams["table"]))
    write_evidence(article, references, verdict, make_wide_console(streams["beside"]))
    restored = restore(article, verdict, lexicon, references)
    write_text(restored, streams["text"], named=True)
    write_json(restored, streams["json"])
    write_diff(article, restored, streams["diff"])
    told = {name: stream.getvalue() for name, stream in streams.items()}
    require(len(told["jsonl"].splitlines()) == len(told["json"].splitlines()) == 1, "a record of several lines")
    json.loads(told["jsonl"])
    json.loads(told["sarif"])
    for name in ("table", "beside", "diff"):
        require("\x1b" not in told[name] and "\x00" not in told[name], f"a control character in the {name}")


# --- requests


def ask_service(case: bytes) -> None:
    """A request to the web service: an answer whatever it is, and no error that is none of the client's. No error is
    legitimate."""
    requests.check_answer(requests.parse_request(case), requests.ask(case))


# --- records


def filter_lines(case: bytes) -> None:
    """JSON lines through the filter: none is lost, and but for its tag none is changed. No error is legitimate."""
    out, aside = io.BytesIO(), io.BytesIO()
    summary = Summary()
    policy = Policy(spun="drop", suspect="quarantine", clean="keep", unscored="tag")
    work = LineFilter(_get_filter(policy), "full")
    routes = Routes(LineOutput(out), LineOutput(aside))
    lines = [bytes(line) for line in split_lines([case])]
    found = list(run_filter(iter(lines), work, routes, 1, summary))
    records = [line for line in lines if line.strip()]
    require(len(found) == len(records) == summary.records == sum(summary.actions.values()), "records were lost")
    kept = [one for one in found if one.action in ("keep", "tag")]
    written = [line for line in out.getvalue().split(b"\n") if line.strip()]
    require(len(written) == len(kept), "records were lost on the way out")
    quarantined = [line for line in aside.getvalue().split(b"\n") if line.strip()]
    require(len(quarantined) == summary.actions["quarantine"], "records were lost on the way to the quarantine")
    for line, one in zip(records, found, strict=True):
        _check_line(line, one)


@cache
def _get_filter(policy: Policy) -> IngestFilter:
    return IngestFilter(policy, references_field="references", context="never")


def _check_line(line: bytes, one: Filtered) -> None:
    record = parse_line(line)
    if one.tag is None:
        require(one.line == line, "a line without a tag was changed")
        return
    require(isinstance(record, dict), "what is no record was tagged")
    after = parse_line(one.line)
    require(isinstance(after, dict) and list(after)[-1] == "unspun", "a tag that is not the last field")
    assert isinstance(record, dict)
    assert isinstance(after, dict)
    rest = [{name: value for name, value in r.items() if name != "unspun"} for r in (record, after)]
    # As text: NaN is not equal to itself.
    require(json.dumps(rest[0]) == json.dumps(rest[1]), "a field was changed")


def read_files(case: bytes) -> None:
    """A file of articles of every suffix; what is wrong with one comes out as an Unreadable."""
    kinds = (".txt", ".jsonl", ".jsonl.gz", ".html")
    suffix, content = _choose(case, kinds)
    path = _write(f"a{suffix}", content)
    found = list(read_articles([path]))
    require(bool(found), "a file that vanished")
    for item in found:
        check_article(item)


def _choose(case: bytes, kinds: tuple[str, ...]) -> tuple[str, bytes]:
    return (kinds[case[0] % len(kinds)], case[1:]) if case else (kinds[0], b"")


def read_records(case: bytes) -> None:
    """A file of records of every suffix: lines of JSON come out, and what is wrong with the file is told."""
    kinds = (".jsonl", ".jsonl.gz", ".jsonl.zst", ".warc", ".warc.gz")
    suffix, content = _choose(case, kinds)
    path = _write(f"r{suffix}", content)
    _read_told(path, is_json="warc" in suffix)


def read_table(case: bytes) -> None:
    """A parquet file: as many lines as rows, and what is wrong with it is told."""
    path = _write("t.parquet", case)
    count = _read_told(path, is_json=True)
    require(count == sum(1 for _ in read_rows([path])), "lines and rows out of step")


def _read_told(path: Path, is_json: bool) -> int:
    told, count = list[str](), 0
    for line in read_lines([path], told.append):
        count += 1
        require(line.endswith(b"\n"), "a line without an end")
        if is_json:
            require(isinstance(json.loads(line), dict), "a line that is no record")
    for message in told:
        require(str(path) in message and ":" in message.removeprefix(str(path)), f"says not what to do: {message}")
    return count


# --- files of our own


def load_model(case: bytes) -> None:
    """A model file with one member changed, then used. Legitimate: ModelError."""
    name, content = change_part(case, seeds.make_model_parts())
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for other, usual in seeds.make_model_parts().items():
            archive.writestr(other, content if other == name else usual)
    _use_model(_write("m.npz", packed.getvalue()))


def load_model_file(case: bytes) -> None:
    """The bytes of a whole model file. Legitimate: ModelError."""
    _use_model(_write("w.npz", case))


def _use_model(path: Path) -> None:
    try:
        detector = Detector.load(path, "never")
    except ModelError as error:
        check_error(error, path)
        return
    for references in (None, [Article("one", seeds.SOURCE)]):
        article = Article("case", seeds.SPUN)
        check_verdict(article, detector.score(article, references), references or ())


def load_context(case: bytes) -> None:
    """A contextual model with one member, one file, or one part of its graph changed, then used. Legitimate:
    ModelError."""
    parts = seeds.make_context_parts()
    name, content = change_part(case, parts)
    graph = seeds.change_graph(name, content)
    if name == "context.npz":
        packed = content
    else:
        # The digest is made anew: whoever makes a file to do harm does so too.
        old, new = (hashlib.sha256(one).hexdigest().encode() for one in (parts["context.onnx"], graph))
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w") as archive:
            for other, usual in seeds.read_members(parts["context.npz"]).items():
                archive.writestr(other, (content if other == name else usual).replace(old, new))
        packed = file.getvalue()
    _write("context/context.onnx", graph)
    _use_context(_write("context/context.npz", packed))


def _describe_graph(data: bytes) -> tuple[Any, ...]:
    """What others than we read in an ONNX file, but for weights, texts and the number of heads."""
    model = type(seeds.make_graph()).FromString(data)
    body = model.graph
    nodes = [
        (node.domain, node.op_type, list(node.input), list(node.output), sorted(
            (one.name, one.type, one.i if one.name != "num_heads" else 0, one.f, list(one.ints), len(one.ListFields()))
            for one in node.attribute
        )) for node in body.node
    ]  # fmt: skip
    tensors = sorted((one.name, one.data_type, list(one.dims), one.data_location) for one in body.initializer)
    shapes = [(one.name, str(one.type)) for one in (*body.input, *body.output)]
    others = [*model.functions, *model.training_info, *body.sparse_initializer, *body.quantization_annotation]
    return nodes, tensors, shapes, [str(one) for one in others]


def _use_context(path: Path) -> None:
    fast = seeds.get_detector()
    try:
        context = ContextModel.load(path)
        usual, graph = seeds.make_context_parts()["context.onnx"], context.reader.file.read_bytes()
        require(graph == usual or _describe_graph(graph) == _describe_graph(usual), "a graph that is not unspun's")
        detector = Detector(fast.model, fast.lexicon, context, read_all=True)
        article = Article("case", seeds.SPUN.partition("\n")[0])
        check_verdict(article, detector.score(article))
    except ModelError as error:
        check_error(error, path.with_suffix(""))


def open_index(case: bytes) -> None:
    """An index with one of its files changed, then asked. Legitimate: IndexDamagedError."""
    parts = seeds.make_index_parts()
    name, content = change_part(case, parts)
    for other, usual in parts.items():
        if other != NAME:
            path = _folder() / "index" / other
            if other == name or not path.exists() or path.stat().st_size != len(usual) or path.read_bytes() != usual:
                _write(f"index/{other}", content if other == name else usual)
    folder = _folder() / "index"
    _write_index_manifest(folder, name, content, parts)
    try:
        index = Index.open(folder)
        detector = seeds.get_detector()
        for segment in index.segments:
            segment.select(Selection(), list(range(segment.count)))
        hits = index.query(Text(seeds.SPUN), 5)
        for article in (*(hit.article for hit in hits), *index):
            check_texts(article)
        for id in ("one", "three", "none"):
            index.get(id)
            id in index  # noqa: B015
        article = Article("case", seeds.SPUN)
        built = IndexedReferences([index], lexicon=detector.lexicon)
        check_verdict(article, detector.score(article, built), index)
    except IndexDamagedError as error:
        check_error(error, folder)


def _write_index_manifest(folder: Path, name: str, content: bytes, parts: Mapping[str, bytes]) -> None:
    """The manifest with its own checksum made anew, and with the length of the file that was changed."""
    if name == NAME:
        try:
            segments = json.loads(content)["segments"]
            write_manifest(folder, segments)
        except (ValueError, KeyError, TypeError, RecursionError):
            _write(f"index/{NAME}", content)
        return
    segments = json.loads(parts[NAME])["segments"]
    column = name.rpartition("/")[2]
    segments[0]["columns"][column]["items"] = len(content) // np.dtype(COLUMNS[column]).itemsize
    write_manifest(folder, segments)


def read_decisions(case: bytes) -> None:
    """A decisions file, then applied and shown. Legitimate: DecisionsError."""
    path = _write("d.json", case)
    try:
        decisions = Decisions.read([path])
    except DecisionsError as error:
        check_error(error, path)
        return
    references = [Article("one", seeds.SOURCE)]
    article = Article("a", seeds.SPUN)
    verdict = seeds.get_detector().score(article, references, decisions)
    check_verdict(article, verdict, references)
    _report(article, references, verdict)


def read_saved(case: bytes) -> None:
    """A file of saved verdicts, then shown. Legitimate: VerdictError, and the ValueError of spans that do not fit."""
    suffix, content = _choose(case, (".jsonl", ".jsonl.gz"))
    path = _write(f"v{suffix}", content)
    references = [Article("one", seeds.SOURCE)]
    article = Article("case", seeds.SPUN)
    try:
        for verdict in read_verdicts(path):
            try:
                render_report(article, references, verdict, seeds.get_detector().lexicon)
            except ValueError as error:
                require("does not fit the text" in str(error), f"an unclear error: {error}")
    except VerdictError as error:
        check_error(error, path)


def resume_run(case: bytes) -> None:
    """The checkpoint of a run. Legitimate: ResumeError."""
    _write("state/checkpoint.json", case)
    out = _write("state/out.jsonl", b"x" * 100)
    try:
        checkpoint = Checkpoint(_folder() / "state", [], {})
        with checkpoint.open(out, 0):
            pass
        checkpoint.summary.explain()
        json.dumps(checkpoint.summary.to_dict())
    except ResumeError as error:
        check_error(error, _folder() / "state/checkpoint.json")


def _make_checkpoint() -> dict[str, Any]:
    return {
        "version": 1, "inputs": [], "options": {}, "done": 3, "sizes": [10, 0],
        "summary": Summary(records=3).to_dict() | {"labels": {"clean": 3}},
    }  # fmt: skip


def _make_text_seeds() -> list[bytes]:
    odd = [
        "", "the", seeds.SPUN, seeds.HOSTILE, "ﷺ İ ŉ ﹰ \u0301a\u0315\u0300 x\u200by \U0001d400 mаchine",
        "“a” \"b\" 'c' «d»", "1,000.50 a's I'm e-mail U.S. J. R. Smith a a an an hour", "A B C\r\n\r\nD\x85E\u2028F",
        "spam " * 50,
    ]  # fmt: skip
    return [text.encode("utf-8", "surrogatepass") for text in odd]


def _make_saved() -> list[bytes]:
    article = Article("case", seeds.SPUN)
    verdict = seeds.get_detector().score(article, [Article("one", seeds.SOURCE)])
    line = json.dumps(verdict.to_dict()).encode() + b"\n"
    return [b"\0" + line, b"\0" + line[:700], b"\1" + gzip.compress(line)]


def _make_records() -> list[bytes]:
    import zstandard

    lines = seeds.make_lines()
    return [
        b"\0" + lines, b"\1" + gzip.compress(lines), b"\2" + zstandard.ZstdCompressor().compress(lines),
        b"\3" + seeds.make_archive(False), b"\4" + seeds.make_archive(True),
    ]  # fmt: skip


def _pack_model() -> list[bytes]:
    parts, packed = seeds.make_model_parts(), io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return [packed.getvalue()]


def _make_files() -> list[bytes]:
    lines = seeds.make_lines()
    texts = [seeds.SPUN.encode(codec, "replace") for codec in ("utf-8", "utf-16", "cp1252", "utf-32")]
    return [*(b"\0" + text for text in texts), b"\1" + lines, b"\2" + gzip.compress(lines), b"\3" + seeds.make_page()]


TARGETS: Final = {
    target.name: target
    for target in (
        Target("text", score_text, _make_text_seeds),
        Target("beside", score_beside, lambda: [
            *_make_text_seeds(), join_fields([seeds.SOURCE[:200], seeds.SPUN[:200]]), join_fields(["a b.", "a c."]),
        ]),
        Target("reports", report_words, _make_text_seeds, 3_000),
        Target("service", ask_service, lambda: requests.make_seeds(seeds.SPUN, seeds.SOURCE)),
        Target("lines", filter_lines, lambda: [seeds.make_lines(), *seeds.make_lines().split(b"\n")]),
        Target("files", read_files, _make_files),
        Target("records", read_records, _make_records),
        Target("tables", read_table, seeds.make_tables),
        Target("model", load_model, lambda: make_part_seeds(seeds.make_model_parts()), 30_000),
        Target("model_file", load_model_file, _pack_model, 60_000),
        Target("context", load_context, lambda: make_part_seeds(seeds.make_context_parts()), 30_000),
        Target("index", open_index, lambda: make_part_seeds(seeds.make_index_parts()), 30_000),
        Target("decisions", read_decisions, lambda: [json.dumps(seeds.make_decisions()).encode()]),
        Target("saved", read_saved, _make_saved),
        Target("checkpoint", resume_run, lambda: [json.dumps(_make_checkpoint()).encode()]),
    )
}  # fmt: skip
