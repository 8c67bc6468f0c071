"""The contextual model: pieces, windows, the graph against the same sums in numpy, the file, the cascade."""

from __future__ import annotations

import json
import multiprocessing
import pickle
import random
from collections.abc import Callable
from dataclasses import replace
from math import erf
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from typer.testing import CliRunner

from unspun import Detector
from unspun.classifier import Model, ModelError, Scorer, Thresholds
from unspun.cli import app
from unspun.context.features import READ, WORD
from unspun.context.model import ContextModel
from unspun.context.pieces import build_tokenizer, lay_windows, split_pieces
from unspun.context.transformer import FORMAT, Marks, Reader, read_graph
from unspun.extractors.originals import FEATURES as ORIGINAL
from unspun.lexicon import Lexicon
from unspun.networks import Networks
from unspun.resources import find_data
from unspun.text import Text

onnx = pytest.importorskip("onnx", reason="the tests of the contextual model need onnx: install the extra dev")
pytest.importorskip("onnxruntime", reason="needs the extra context")

from unspun.training.contextual.onnx_graph import Shape, build_graph  # noqa: E402

LETTERS = "abcdefghijklmnopqrstuvwxyz"
VOCABULARY = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *LETTERS, *".,'", *(f"##{letter}" for letter in LETTERS)]
VOCABULARY += ["the", "council", "voted", "on", "road", "new"]
SHAPE = Shape(len(VOCABULARY), 64, 2, 2, 128, 512)


def draw_state(seed: int = 0) -> dict[str, NDArray[np.float32]]:
    """Weights of a tiny encoder."""
    rng = np.random.default_rng(seed)

    def draw(*sizes: int) -> NDArray[np.float32]:
        return rng.normal(0, 0.3, sizes).astype(np.float32)

    width, inner = SHAPE.width, SHAPE.inner
    state = {"words.weight": draw(SHAPE.pieces, width), "positions.weight": draw(SHAPE.positions, width)}
    norms = ["norm"]
    for number in range(SHAPE.layers):
        name = f"layers.{number}"
        for part, outer, size in (
            ("attention_in", 3 * width, width),
            ("attention_out", width, width),
            ("inner", inner, width),
            ("outer", width, inner),
        ):
            state |= {f"{name}.{part}.weight": draw(outer, size), f"{name}.{part}.bias": draw(outer)}
        norms += [f"{name}.attention_norm", f"{name}.norm"]
    for name in norms:
        state |= {f"{name}.weight": 1 + draw(width), f"{name}.bias": draw(width)}
    for name, outer in (("replaced", 1), ("original", width)):
        state |= {f"{name}.weight": draw(outer, width), f"{name}.bias": draw(outer)}
    return state


def encode(state: dict[str, NDArray[np.float32]], ids: list[int]) -> NDArray[np.float64]:
    """Hidden states float64[t, width]: Devlin et al. 2019, written out."""

    def norm(x: NDArray[Any], name: str) -> NDArray[Any]:
        spread = np.sqrt(x.var(axis=-1, keepdims=True) + 1e-12)
        return (x - x.mean(axis=-1, keepdims=True)) / spread * state[f"{name}.weight"] + state[f"{name}.bias"]

    def linear(x: NDArray[Any], name: str) -> NDArray[Any]:
        return x @ state[f"{name}.weight"].T.astype(np.float64) + state[f"{name}.bias"]

    x = norm((state["words.weight"][ids] + state["positions.weight"][: len(ids)]).astype(np.float64), "norm")
    size = SHAPE.width // SHAPE.heads
    for number in range(SHAPE.layers):
        name = f"layers.{number}"
        query, key, value = np.split(linear(x, f"{name}.attention_in"), 3, axis=1)
        seen = []
        for head in range(SHAPE.heads):
            part = slice(head * size, (head + 1) * size)
            odds = np.exp(query[:, part] @ key[:, part].T / np.sqrt(size))
            seen.append(odds / odds.sum(axis=1, keepdims=True) @ value[:, part])
        x = norm(x + linear(np.concatenate(seen, axis=1), f"{name}.attention_out"), f"{name}.attention_norm")
        inner = linear(x, f"{name}.inner")
        gelu = inner * 0.5 * (1 + np.vectorize(erf)(inner / np.sqrt(2)))
        x = norm(x + linear(gelu, f"{name}.outer"), f"{name}.norm")
    return x


@pytest.fixture(scope="module")
def graphs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A tiny graph with rounded weights, and with exact ones."""
    folder = tmp_path_factory.mktemp("graphs")
    paths = folder / "context.onnx", folder / "exact.onnx"
    for path, rounded in zip(paths, (True, False), strict=True):
        onnx.save(build_graph(draw_state(), SHAPE, VOCABULARY, {"format": FORMAT}, rounded), path)
    return paths


TEXT = "The council voted on new roads. The new road, voted on, is the council's."


def test_the_graph_reckons_as_the_paper_says(graphs: tuple[Path, Path]) -> None:
    state, text = draw_state(), Text(TEXT)
    pieces = split_pieces(text, build_tokenizer(VOCABULARY))
    hidden = encode(state, [2, *pieces.ids.tolist(), 3])
    expected = hidden @ state["replaced.weight"][0] + state["replaced.bias"]
    odds = expected[1:-1]
    words = [odds[pieces.word == number].mean() for number in range(len(text.words))]
    np.testing.assert_allclose(Reader(graphs[1]).mark(text), words, atol=1e-3)
    # Eight bits for a weight leave a few hundredths of the spread of these random ones.
    assert np.abs(Reader(graphs[0]).mark(text) - words).max() < 0.25 * np.std(words) + 0.1
    # What stood at the third word: the candidates' first pieces beside the head's query.
    places, candidates = np.array([2, 4]), ["council", "road", "new", "the"]
    named = Reader(graphs[1]).name(text, places, np.array([0, 0, 1, 1]), candidates)
    for owner, place, candidate, score in zip((0, 0, 1, 1), (2, 2, 4, 4), candidates, named, strict=True):
        assert owner == int(place == 4)
        at = 1 + int(np.flatnonzero(pieces.word == place)[0])
        query = state["original.weight"] @ hidden[at] + state["original.bias"]
        assert score == pytest.approx(query @ state["words.weight"][VOCABULARY.index(candidate)], abs=1e-2)


def test_pieces_know_their_words_and_look_alikes_hide_nothing() -> None:
    tokenizer = build_tokenizer(VOCABULARY)
    text = Text("The roads’ council, x")
    pieces = split_pieces(text, tokenizer)
    shown = [VOCABULARY[number] for number in pieces.ids]
    assert shown == ["the", "road", "##s", "[UNK]", "council", ",", "x"]
    assert pieces.word.tolist() == [0, 1, 1, -1, 2, -1, 3]
    # Cyrillic letters that look like Latin ones, and a zero-width space.
    disguised = split_pieces(Text("Тhe rоаd\u200bs"), tokenizer)
    assert [VOCABULARY[number] for number in disguised.ids] == ["the", "road", "##s"]
    assert disguised.word.tolist() == [0, 1, 1]


@pytest.mark.parametrize("raw", ["", "...", "\u200b", "中文", "\ud800 odd", "half of one\udc00 and \ud83d\ude00"])
def test_texts_with_hardly_a_word_are_marked_too(graphs: tuple[Path, Path], raw: str) -> None:
    text = Text(raw)
    assert len(Reader(graphs[0]).mark(text)) == len(text.words)


@given(st.integers(0, 5000), st.integers(70, 254), st.integers(0, 64))
def test_windows_hold_everything_and_overlap(count: int, size: int, overlap: int) -> None:
    windows = lay_windows(count, size, overlap)
    assert windows[0][0] == 0
    assert windows[-1][1] == count
    assert len({end - start for start, end in windows}) == 1
    assert windows[0][1] <= size
    assert len(windows) == 1 or (len(windows) - 1) * (size - overlap) + overlap < count, "as few as can be"
    for (_, end), (start, _) in zip(windows, windows[1:], strict=False):
        assert end - start >= overlap


def test_long_texts_are_read_in_windows(graphs: tuple[Path, Path]) -> None:
    reader, rng = Reader(graphs[0]), random.Random(0)
    long = Text(" ".join(rng.choice(["the", "council", "voted", "road", "new", "on"]) for _ in range(2000)))
    marks = reader.mark(long)
    assert len(marks) == 2000
    assert np.isfinite(marks).all()
    assert (marks != 0).all()
    # Every word here is one piece: the first window is a text of its own, and what stands before the second is read in
    # that window alone.
    (_, end), (second, _), *_ = lay_windows(2000)
    alone = reader.mark(Text(long.raw[: long.words[end - 1].end]))
    np.testing.assert_allclose(alone[:second], marks[:second], atol=1e-5)
    assert not np.allclose(alone[end - 20 :], marks[end - 20 : end], atol=1e-5)


def build_context(graph: Path, beside: str, read_from: float = 0.1) -> ContextModel:
    """A contextual model that calls spun what has a high mean mark."""

    def score(features: int, column: int) -> Scorer:
        hidden = np.zeros((1, features, 2))
        hidden[0, column] = 1, -1
        arrays = (np.zeros(features), np.ones(features), hidden, np.zeros((1, 2)), np.array([[1.0, -1.0]]), np.zeros(1))
        return Scorer(Networks(*arrays), 1.0, 0.0)

    return ContextModel(
        "tiny-context@1", beside, Reader(graph),
        {"marked": score(len(WORD), WORD.index("mark")), "read": score(len(READ), READ.index("mark_log_odds"))},
        {"short": Thresholds(0.4, 0.5), "alone": Thresholds(0.4, 0.5)}, read_from, np.ones(len(ORIGINAL) + 1), {},
    )  # fmt: skip


class Told(Reader):
    """A reader that marks given words and counts the texts that it read."""

    def __init__(self, file: Path, words: set[str]) -> None:
        super().__init__(file)
        self.words = words
        self.read = 0

    def mark(self, text: Text) -> Marks:
        self.read += 1
        return np.where([norm in self.words for norm in text.norms], 6.0, -6.0)


def test_a_model_is_read_back(graphs: tuple[Path, Path], tmp_path: Path) -> None:
    graph = tmp_path / "context.onnx"
    graph.write_bytes(graphs[0].read_bytes())
    saved = build_context(graph, "default@5")
    saved.save(tmp_path / "context.npz")
    read = ContextModel.load(tmp_path / "context.npz")
    assert (read.name, read.beside, read.read_from) == (saved.name, saved.beside, saved.read_from)
    assert read.thresholds == saved.thresholds
    np.testing.assert_array_equal(read.originals, saved.originals)
    features = np.random.default_rng(0).normal(size=(5, len(READ)))
    np.testing.assert_allclose(read.scorers["read"].score(features), saved.scorers["read"].score(features))


def test_files_that_do_not_fit_are_refused(graphs: tuple[Path, Path], tmp_path: Path) -> None:
    graph, file = tmp_path / "context.onnx", tmp_path / "context.npz"
    graph.write_bytes(graphs[0].read_bytes())
    build_context(graph, "default@5").save(file)
    graph.write_bytes(graphs[1].read_bytes())
    with pytest.raises(ModelError, match=r"another context\.onnx than the one beside it"):
        ContextModel.load(file)
    graph.unlink()
    with pytest.raises(ModelError, match=r"context\.onnx: there is no such model file"):
        ContextModel.load(file)
    file.write_bytes(file.read_bytes()[:500])
    with pytest.raises(ModelError, match=r"context\.npz: not a contextual model of unspun, or damaged"):
        ContextModel.load(file)
    with pytest.raises(ModelError, match="there is no such model file"):
        ContextModel.load(tmp_path / "none.npz")
    graph.write_bytes(b"no graph at all")
    with pytest.raises(ModelError, match="no contextual model of unspun, or damaged"):
        Reader(graph).mark(Text(TEXT))
    model = build_graph(draw_state(), SHAPE, VOCABULARY, {"format": FORMAT + 1})
    onnx.save(model, graph)
    with pytest.raises(ModelError, match=f"format {FORMAT + 1}, this unspun reads {FORMAT}"):
        Reader(graph).mark(Text(TEXT))


def find_tensor(model: Any, name: str) -> Any:
    return next(tensor for tensor in model.graph.initializer if tensor.name == name)


def move_outside(model: Any) -> None:
    """The weights are said to be in another file."""
    tensor = find_tensor(model, "words")
    tensor.ClearField("raw_data")
    tensor.data_location = onnx.TensorProto.EXTERNAL
    for key, value in (("location", "../secret.bin"), ("length", "100")):
        tensor.external_data.add(key=key, value=value)


def fill_memory(model: Any) -> None:
    """Forty gigabytes out of a few bytes."""
    model.graph.initializer.append(onnx.numpy_helper.from_array(np.array([10**10]), "many"))
    model.graph.node.append(onnx.helper.make_node("ConstantOfShape", ["many"], ["filled"]))


def never_end(model: Any) -> None:
    """A loop that has no end."""
    flags = [onnx.helper.make_tensor_value_info(name, onnx.TensorProto.BOOL, []) for name in ("on", "still")]
    count = onnx.helper.make_tensor_value_info("count", onnx.TensorProto.INT64, [])
    step = onnx.helper.make_node("Identity", ["on"], ["still"])
    body = onnx.helper.make_graph([step], "body", [count, flags[0]], flags[1:])
    model.graph.node.append(onnx.helper.make_node("Loop", ["", ""], [], body=body))


def call_function(model: Any) -> None:
    model.functions.add(name="f", domain="elsewhere")


def call_native_code(model: Any) -> None:
    model.graph.node[0].domain, model.graph.node[0].op_type = "elsewhere", "Run"


def change_constant(model: Any) -> None:
    find_tensor(model, "zero").raw_data = (2**62).to_bytes(8, "little")


def claim_more(model: Any) -> None:
    find_tensor(model, "words").dims[0] = 2**40


def say_tensor_twice(model: Any) -> None:
    model.graph.initializer.append(find_tensor(model, "words"))


def change_heads(model: Any) -> None:
    for node in model.graph.node:
        for attribute in node.attribute:
            attribute.i = 3 if attribute.name == "num_heads" else attribute.i


def add_input(model: Any) -> None:
    model.graph.input.append(model.graph.input[0])


def lengthen_vocabulary(model: Any) -> None:
    entry = next(entry for entry in model.metadata_props if entry.key == "vocabulary")
    entry.value += "\nmore"


def lose_unknown(model: Any) -> None:
    entry = next(entry for entry in model.metadata_props if entry.key == "vocabulary")
    entry.value = entry.value.replace("[UNK]", "[unk]")


def lose_format(model: Any) -> None:
    next(entry for entry in model.metadata_props if entry.key == "about").value = "{}"


@pytest.mark.parametrize(
    "harm",
    [
        move_outside, fill_memory, never_end, call_function, call_native_code, change_constant, claim_more,
        say_tensor_twice, change_heads, add_input, lengthen_vocabulary, lose_unknown, lose_format,
    ],
)  # fmt: skip
def test_no_graph_is_run_but_unspuns_own(
    graphs: tuple[Path, Path], tmp_path: Path, harm: Callable[[Any], None]
) -> None:
    for graph in graphs:
        model = onnx.load(graph)
        assert read_graph(graph) == VOCABULARY
        harm(model)
        changed = tmp_path / "context.onnx"
        changed.write_bytes(model.SerializeToString())
        with pytest.raises(ModelError, match=r"context\.onnx: no contextual model of unspun, or damaged"):
            read_graph(changed)


@pytest.mark.parametrize(
    "more",
    [
        b"\x3a\x00", b"\x08\x09", b"\xa2\x01\x00", b"\x12\x00", b"\x0a", b"\xff" * 12, b"\x72\xff\xff\xff\xff\x0f",
        b"\x72\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
    ],
)  # fmt: skip
def test_nothing_can_be_added_to_a_graph(graphs: tuple[Path, Path], tmp_path: Path, more: bytes) -> None:
    # A second graph, a second version, training, a producer; cut off; sizes beyond the end, and below nothing.
    changed = tmp_path / "context.onnx"
    changed.write_bytes(graphs[0].read_bytes() + more)
    with pytest.raises(ModelError, match="no contextual model of unspun, or damaged"):
        read_graph(changed)


def test_a_graph_larger_than_any_is_not_read(
    graphs: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("unspun.context.transformer.MAX_BYTES", 1000)
    with pytest.raises(ModelError, match=r"context\.onnx: larger than"):
        read_graph(graphs[0])
    # A file without an end.
    if Path("/dev/zero").exists():
        (tmp_path / "endless.onnx").symlink_to("/dev/zero")
        with pytest.raises(ModelError, match=r"endless\.onnx: larger than"):
            read_graph(tmp_path / "endless.onnx")


def test_a_graph_that_changed_since_is_not_run(graphs: tuple[Path, Path], tmp_path: Path) -> None:
    graph, file = tmp_path / "context.onnx", tmp_path / "context.npz"
    graph.write_bytes(graphs[0].read_bytes())
    build_context(graph, "default@5").save(file)
    context = ContextModel.load(file)
    graph.write_bytes(graphs[1].read_bytes())
    with pytest.raises(ModelError, match=r"another context\.onnx than the one beside it"):
        context.reader.mark(Text(TEXT))


def test_weights_that_are_no_numbers_give_no_score(graphs: tuple[Path, Path], tmp_path: Path) -> None:
    model, changed = onnx.load(graphs[0]), tmp_path / "context.onnx"
    tensor = find_tensor(model, "norm.bias")
    tensor.raw_data = np.full(tensor.dims[0], np.nan, np.float32).tobytes()
    changed.write_bytes(model.SerializeToString())
    with pytest.raises(ModelError, match=r"context\.onnx: reckons what is no number"):
        Reader(changed).mark(Text(TEXT))


def test_without_the_extra_it_says_what_to_install(graphs: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "onnxruntime", None)
    with pytest.raises(ModelError, match=r"pip install 'unspun\[context\]'"):
        Reader(graphs[0]).mark(Text(TEXT))
    monkeypatch.setattr("unspun.detector.is_installed", lambda: False)
    assert Detector.load().context is None


def read_elsewhere(reader: Reader) -> Marks:
    return reader.mark(Text(TEXT))


def test_a_reader_travels_to_workers(graphs: tuple[Path, Path]) -> None:
    reader = Reader(graphs[0])
    here = reader.mark(Text(TEXT))
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(reader)).mark(Text(TEXT)), here)
    with multiprocessing.get_context("fork").Pool(2) as workers:
        for there in workers.map(read_elsewhere, [reader] * 4):
            np.testing.assert_allclose(there, here, atol=1e-5)


HONEST = find_data("samples") / "articles" / "council-honest.txt"


def test_workers_do_not_use_a_session_that_was_opened_before_them(graphs: tuple[Path, Path], fast: Detector) -> None:
    context = build_context(graphs[0], fast.model.name)
    detector = Detector(fast.model, fast.lexicon, context, read_all=True)
    texts = [article_of(words) for words in range(100, 200, 5)]
    here = [detector.score(text).score for text in texts]
    there = [verdict.score for verdict in detector.score_many(texts, workers=2)]
    assert there == pytest.approx(here, abs=1e-4)


@pytest.fixture(scope="module")
def fast() -> Detector:
    return Detector.load(context="never")


def article_of(words: int) -> str:
    """The beginning of a sample."""
    text = Text(min((find_data("samples") / "references").glob("*.txt")).read_text("utf-8"))
    assert len(text.words) >= words
    return text.raw[: text.words[words - 1].end]


def test_only_what_is_in_doubt_is_read(graphs: tuple[Path, Path], fast: Detector) -> None:
    text = article_of(200)
    score = fast.score(text).score
    assert score is not None
    told = Told(graphs[0], {"council", "road", "of"})
    for read_from, read in ((score + 0.01, 0), (score - 0.01, 1)):
        context = replace(build_context(graphs[0], fast.model.name, read_from), reader=told)
        told.read = 0
        verdict = Detector(fast.model, fast.lexicon, context).score(text)
        assert told.read == read
        assert verdict.model == f"{fast.model.name}+tiny-context@1"
        if not read:
            assert verdict.score == score
    context = replace(build_context(graphs[0], fast.model.name, 2.0), reader=told)
    told.read = 0
    Detector(fast.model, fast.lexicon, context, read_all=True).score(text)
    assert told.read == 1
    # What has a reference to be compared with is judged beside that.
    Detector(fast.model, fast.lexicon, context, read_all=True).score(text, [f"{text} And more."])
    assert told.read == 1


def test_marked_words_become_spans_with_suggestions(graphs: tuple[Path, Path], fast: Detector) -> None:
    text = article_of(200)
    norms = Text(text).norms
    context = replace(build_context(graphs[0], fast.model.name), reader=Told(graphs[0], set(norms)))
    detector = Detector(fast.model, fast.lexicon, context, read_all=True)
    verdict = detector.score(text)
    assert verdict.label == "spun"
    # Everything is marked: rows with small words are one phrase, punctuation parts, and nothing is marked twice.
    assert all(a.end <= b.start for a, b in zip(verdict.spans, verdict.spans[1:], strict=False))
    assert any(" " in span.text for span in verdict.spans)
    context = replace(context, reader=Told(graphs[0], {norms[40]}))
    verdict = Detector(fast.model, fast.lexicon, context, read_all=True).set_thresholds(0.0, 0.0).score(text)
    assert {span.text.lower() for span in verdict.spans} == {norms[40]}


def test_thresholds_are_set_for_both_models(graphs: tuple[Path, Path], fast: Detector) -> None:
    detector = Detector(fast.model, fast.lexicon, build_context(graphs[0], fast.model.name))
    other = detector.set_thresholds(None, 0.3)
    assert other.context is not None
    for thresholds in (*other.model.thresholds.values(), *other.context.thresholds.values()):
        assert thresholds.spun == 0.3
        assert thresholds.suspect <= 0.3


def test_a_model_of_another_fast_model_is_refused(graphs: tuple[Path, Path]) -> None:
    model = Model.load()
    with pytest.raises(ModelError, match=r"fitted beside other@1, not default@5: use that model, or go without"):
        Detector(model, Lexicon.load(), build_context(graphs[0], "other@1"))


def test_a_row_of_marked_words_with_small_ones_is_one_phrase(graphs: tuple[Path, Path], fast: Detector) -> None:
    text = article_of(200) + " They spoke at loggerheads with the plan, and he voted against reform on assertion."
    marked = {"loggerheads", "spoke", "assertion", "plan"}

    class Marking(Reader):
        def mark(self, text: Text) -> Marks:
            norms = text.norms
            small = [
                i for i, norm in enumerate(norms) if norm in ("at", "with") and "loggerheads" in norms[i - 1 : i + 2]
            ]
            return np.array([6.0 if norm in marked or i in small else -6.0 for i, norm in enumerate(norms)])

    context = replace(build_context(graphs[0], fast.model.name), reader=Marking(graphs[0]))
    spans = Detector(fast.model, fast.lexicon, context, True).set_thresholds(0.0, 0.0).score(text).spans
    shown = {span.text: span.suggestion for span in spans}
    assert shown["spoke at loggerheads with"] is None
    assert shown["assertion"] is not None
    assert "plan" in shown


def test_the_contextual_model_is_asked_for_by_option() -> None:
    sample = find_data("samples") / "articles" / "cup-spun-light.txt"
    for choice, named in (("never", "default@5"), ("always", "default@5+context@2")):
        result = CliRunner().invoke(app, ["score", str(sample), "--context", choice, "--format", "jsonl"])
        assert result.exit_code == 0
        assert json.loads(result.stdout)["model"] == named
    assert CliRunner().invoke(app, ["score", str(sample), "--context", "sometimes"]).exit_code == 2
