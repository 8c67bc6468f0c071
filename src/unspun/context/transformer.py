"""The contextual model: a small transformer that marks swapped words by the company they keep, and names what stood
there. Needs the extra ``context`` (onnxruntime and tokenizers); no graph is run but unspun's own, see
:mod:`unspun.context.graph`: the model file is data, reading it runs no code."""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from unspun.classifier import ModelError
from unspun.context.graph import MAX_BYTES, OnnxFile
from unspun.context.pieces import END, START, Pieces, build_tokenizer, lay_windows, split_pieces
from unspun.text import Text

if TYPE_CHECKING:
    from onnxruntime import InferenceSession
    from tokenizers import Tokenizer

    #: A session, its tokenizer, the pieces that begin and end a window.
    _Opened = tuple[InferenceSession, Tokenizer, tuple[int, int]]

#: Raised when the graph's inputs or outputs change: older files are refused.
FORMAT: Final = 1
#: Windows that are read at once; more gain nothing and cost memory.
_AT_ONCE: Final = 16
#: Log-odds of a word of which the transformer sees nothing.
_UNREAD: Final = -8.0
#: What is asked for where nothing is to be named.
_NOWHERE: Final = np.zeros((1, 2), np.int64)
_NOTHING: Final = np.zeros((1, 1), np.int64)

#: Log-odds float64[words] that each word was swapped in.
Marks = NDArray[np.float64]


class Reader:
    """Reads texts with the transformer of a model file. The session is opened by the first text, in each process
    anew: one that was opened before a fork does not work after it. A process that is one of several reads on one core,
    others on all.

    ``digest``: SHA-256 of the file; one that has changed by the time it is opened is refused.
    """

    def __init__(self, file: Path, digest: str | None = None) -> None:
        self.file, self.digest = file, digest
        self._opened: tuple[int, _Opened] | None = None

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_opened": None}

    def mark(self, text: Text) -> Marks:
        """Log-odds float64[words] that each word was swapped in; a word of several pieces has their mean."""
        pieces = self._split(text)
        words = len(text.words)
        if not len(pieces.ids) or not words:
            return np.full(words, _UNREAD)
        odds = self._mark_pieces(pieces)
        inside = pieces.word >= 0
        total = np.bincount(pieces.word[inside], odds[inside], words)
        count = np.bincount(pieces.word[inside], minlength=words)
        return np.where(count > 0, total / np.maximum(count, 1), _UNREAD)

    def _mark_pieces(self, pieces: Pieces) -> NDArray[np.float64]:
        """float64[pieces]: of several windows that hold a piece, the one whose edges are farthest from it decides."""
        windows = self._lay(len(pieces.ids))
        odds, room = np.zeros(len(pieces.ids)), np.full(len(pieces.ids), -1)
        for at in range(0, len(windows), _AT_ONCE):
            some = windows[at : at + _AT_ONCE]
            for (start, end), marks in zip(some, self._run(pieces, some), strict=True):
                distance = np.minimum(np.arange(end - start), np.arange(end - start)[::-1])
                # The text's own beginning and end are no edges.
                distance[: (end - start) // 2] += len(room) * (start == 0)
                distance[(end - start) // 2 :] += len(room) * (end == len(room))
                better = distance > room[start:end]
                odds[start:end][better], room[start:end][better] = marks[better], distance[better]
        return odds

    def _run(self, pieces: Pieces, windows: Sequence[tuple[int, int]]) -> NDArray[np.float32]:
        _, _, (first, last) = self._open()
        ids = np.array([[first, *pieces.ids[start:end], last] for start, end in windows], np.int64)
        return self._ask("marks", ids, _NOWHERE, _NOTHING)[:, 1:-1]

    def name(
        self, text: Text, places: NDArray[np.integer], owner: NDArray[np.integer], candidates: Sequence[str]
    ) -> NDArray[np.float64]:
        """float64[c]: how well each of the ``candidates`` would have stood at its place, the higher the better; only
        those of one place can be compared. ``places``: words of the text; ``owner`` intp[c]: to which of the places
        each candidate belongs. Candidates are told apart by their first piece.
        """
        pieces, (_, tokenizer, (first, last)) = self._split(text), self._open()
        begun = [one.ids[:1] for one in tokenizer.encode_batch(list(candidates), add_special_tokens=False)]
        numbers = np.array([ids[0] if ids else 0 for ids in begun], np.int64)
        windows = self._lay(len(pieces.ids))
        at = np.searchsorted(pieces.word[pieces.word >= 0], places)
        at = np.flatnonzero(pieces.word >= 0)[np.minimum(at, (pieces.word >= 0).sum() - 1)]
        # Each place in the window whose edges are farthest from it.
        room = np.array([np.minimum(at - start, end - 1 - at) for start, end in windows])
        chosen, scores = room.argmax(axis=0), np.zeros(len(candidates))
        for number in np.unique(chosen).tolist():
            start, end = windows[number]
            mine = np.flatnonzero(chosen == number)
            of_mine = [np.flatnonzero(owner == place) for place in mine.tolist()]
            table = np.zeros((len(mine), max(map(len, of_mine))), np.int64)
            for row, those in enumerate(of_mine):
                table[row, : len(those)] = numbers[those]
            if not table.size:
                continue
            ids = np.array([[first, *pieces.ids[start:end], last]], np.int64)
            asked = np.column_stack([np.zeros(len(mine), np.int64), at[mine] - start + 1])
            named = self._ask("names", ids, asked, table)
            for row, those in enumerate(of_mine):
                scores[those] = named[row, : len(those)]
        return scores

    def _ask(
        self, wanted: str, ids: NDArray[np.int64], places: NDArray[np.int64], candidates: NDArray[np.int64]
    ) -> NDArray[np.float32]:
        lengths = np.full(len(ids), ids.shape[1], np.int32)
        fed = {"ids": ids, "lengths": lengths, "places": places, "candidates": candidates}
        found: NDArray[np.float32] = self._open()[0].run([wanted], fed)[0]
        if not np.isfinite(found).all():
            raise ModelError(f"{self.file}: reckons what is no number: its weights are damaged; reinstall unspun")
        return found

    def _lay(self, count: int) -> list[tuple[int, int]]:
        return lay_windows(count)

    def _split(self, text: Text) -> Pieces:
        return split_pieces(text, self._open()[1])

    def _open(self) -> _Opened:
        if self._opened is None or self._opened[0] != os.getpid():
            # A fork has the parent's session, but not its threads, for which the session would wait when taken down.
            _inherited.append(self._opened)
            self._opened = os.getpid(), _open_session(self.file, self.digest)
        return self._opened[1]


_inherited: list[tuple[int, _Opened] | None] = []


def keep_quiet() -> None:
    """To be called before onnxruntime is first imported: from 1.29 on it tells its makers over the network how it is
    used, and keeps a number for the machine, unless this variable forbids it."""
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")


def read_graph(file: Path, digest: str | None = None) -> list[str]:
    """The vocabulary of a graph that may be run; raises :class:`ModelError` for any other file, or for one of another
    ``digest``."""
    with file.open("rb") as stream:
        data = stream.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise ModelError(f"{file}: larger than {MAX_BYTES // 1_000_000} MB, no contextual model of unspun")
    if digest is not None and hashlib.sha256(data).hexdigest() != digest:
        beside = file.with_suffix(".npz")
        raise ModelError(f"{beside}: was made for another {file.name} than the one beside it; reinstall unspun")
    try:
        found = OnnxFile.split(data)
        number = json.loads(found.told["about"])["format"]
        if number != FORMAT:
            raise ModelError(f"{file}: contextual model format {number}, this unspun reads {FORMAT}")
        found.check()
    except ModelError:
        raise
    except Exception as error:
        # What is cut off, of other types, or without some part raises errors of its own.
        raise ModelError(f"{file}: no contextual model of unspun, or damaged ({error}); reinstall unspun") from error
    return found.told["vocabulary"].split("\n")


def _identify(file: Path) -> tuple[int, int, int]:
    """What tells a file from another of its name, or from what it was."""
    found = file.stat()
    return found.st_ino, found.st_size, found.st_mtime_ns


def _open_session(file: Path, digest: str | None) -> _Opened:
    keep_quiet()
    try:
        from onnxruntime import InferenceSession, SessionOptions
    except ModuleNotFoundError:
        raise ModelError(f"{file}: needs onnxruntime and tokenizers: pip install 'unspun[context]'") from None
    settings = SessionOptions()
    # The variable tells a process among several that are not Python's own, such as a worker of Spark.
    cores = os.environ.get("OMP_NUM_THREADS", "")
    settings.intra_op_num_threads = 1 if multiprocessing.parent_process() else int(cores) if cores.isdecimal() else 0
    settings.log_severity_level = 3
    # Otherwise what looks like onnxruntime's own format is read as that.
    settings.add_session_config_entry("session.load_model_format", "ONNX")
    try:
        before = _identify(file)
        vocabulary = read_graph(file, digest)
        # By its name: given the bytes, it would hold 22 MB more while it opens, when it needs the most.
        session = InferenceSession(str(file), settings, providers=["CPUExecutionProvider"])
        if _identify(file) != before:
            raise ModelError(f"{file}: changed while it was read: try again")
    except ModelError:
        raise
    except Exception as error:
        # onnxruntime raises a type of its own for each thing that can be wrong with a file.
        raise ModelError(f"{file}: no contextual model of unspun, or damaged ({error}); reinstall unspun") from error
    return session, build_tokenizer(vocabulary), (vocabulary.index(START), vocabulary.index(END))
