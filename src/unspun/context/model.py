"""The contextual model beside the fast one: which articles it reads, what it makes of them.

The transformer is an ONNX file, what turns its marks into scores a numpy archive beside it (``allow_pickle=False``);
reading either runs no code: of graphs only unspun's own is run, see :mod:`unspun.context.graph`.
:mod:`unspun.training.contextual` makes both.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from unspun.classifier import (
    ModelError,
    Scorer,
    Thresholds,
    explain_damage,
    read_archive,
    read_calibration,
    read_thresholds,
    write_archive,
)
from unspun.context.features import READ, WORD, examine_marks, measure_read
from unspun.context.transformer import Reader, read_graph
from unspun.evidence import Evidence
from unspun.examined import Examined
from unspun.extractors.originals import FEATURES as ORIGINAL
from unspun.extractors.originals import choose_likeliest, measure_originals
from unspun.networks import Networks, check_numbers
from unspun.resources import find_models
from unspun.scoring import NO_SWAP, Measured

#: Raised when the features or the layout of the file change.
FORMAT: Final = 1
#: The scorers: of words, of an article.
SCORERS: Final = ("marked", "read")
#: The grounds on which the contextual model has a say, see :data:`unspun.classifier.GROUNDS`.
GROUNDS: Final = ("short", "alone")


@dataclass(frozen=True, slots=True, eq=False)
class ContextModel:
    """``read_from``: the score of the fast model from which an article is read; below that it is clean. ``beside``: the
    name of the fast model that the scorers were fitted beside; ``originals``: float64 weights of what is known of a
    candidate for the original (:data:`unspun.extractors.originals.FEATURES`) and of how well the transformer finds it
    to fit."""

    name: str
    beside: str
    reader: Reader
    scorers: dict[str, Scorer]
    thresholds: dict[str, Thresholds]
    read_from: float
    originals: NDArray[np.float64]
    card: dict[str, Any]

    @classmethod
    def load(cls, path: Path | None = None) -> ContextModel:
        """Read ``context.npz`` and the ``context.onnx`` that lies beside it, by default the shipped ones.

        Raises :class:`ModelError` when one of them is missing, damaged or does not belong to the other.
        """
        try:
            file = path or find_models("context.npz")
        except FileNotFoundError as missing:
            raise ModelError(str(missing)) from missing
        graph = file.with_suffix(".onnx")
        with explain_damage(file, "a contextual model"):
            arrays, about = read_archive(file)
            if about["format"] != FORMAT:
                raise ModelError(f"{file}: contextual model format {about['format']}, this unspun reads {FORMAT}")
            scorers = {
                name: Scorer(Networks.from_arrays(arrays, name), *read_calibration(about, name)) for name in SCORERS
            }
            wanted = dict(zip(SCORERS, (len(WORD), len(READ)), strict=True))
            if any(len(arrays[f"{name}.mean"]) != wanted[name] for name in SCORERS):
                raise ValueError("its scorers have other features")
            originals = np.array(about["originals"], np.float64)
            check_numbers(originals)
            if originals.shape != (len(ORIGINAL) + 1,):
                raise ValueError("the weights of originals are damaged")
            digest = str(about["graph_sha256"])
            read_graph(graph, digest)
            read_from = float(about["read_from"])
            check_numbers(np.array(read_from))
            return cls(
                str(about["name"]), str(about["beside"]), Reader(graph, digest), scorers,
                read_thresholds(about, GROUNDS), read_from, originals, dict(about["card"]),
            )  # fmt: skip

    def save(self, path: Path) -> None:
        """Write the file that :meth:`load` reads, for the graph that lies beside it."""
        about = {
            "format": FORMAT,
            "name": self.name,
            "beside": self.beside,
            "graph_sha256": _hash(self.reader.file),
            "read_from": self.read_from,
            "originals": self.originals.tolist(),
            "card": self.card,
        }
        write_archive(path, about, self.scorers, self.thresholds, {})

    def read(self, evidence: Evidence, measured: Measured, alone: float) -> Reading:
        """What the contextual model makes of an article whose log-odds are ``alone`` without it."""
        article, places = evidence.article, evidence.wordings.places
        marks = np.where(evidence.dismissed, NO_SWAP, self.reader.mark(article.text))
        score = self.scorers["read"].score(measure_read(article, places, measured, alone, marks)[None])
        words = self.scorers["marked"].score(examine_marks(article, places, measured, marks))
        return Reading(float(score[0]), np.where(evidence.dismissed, 0.0, words))

    def rank_originals(self, article: Examined, places: NDArray[np.int32], count: int) -> list[list[str]]:
        """For each of the words at ``places`` its ``count`` likeliest originals, best first."""
        owner, candidates, features = measure_candidates(self.reader, article, places)
        return choose_likeliest(article, len(places), owner, candidates, features @ self.originals, count)


def _hash(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def measure_candidates(
    reader: Reader, article: Examined, places: NDArray[np.int32]
) -> tuple[NDArray[np.intp], NDArray[np.int32], NDArray[np.float64]]:
    """What :func:`unspun.extractors.originals.measure_originals` gives, with one column more: how well the transformer
    finds each candidate to fit."""
    owner, candidates, features = measure_originals(article, places)
    words = [article.lexicon.word(number) for number in candidates.tolist()]
    fit = reader.name(article.text, places, owner, words) if words else np.zeros(0)
    return owner, candidates, np.column_stack([features, fit])


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """The article's score, and the probability float64[words] that each of its words was swapped in."""

    score: float
    words: NDArray[np.float64]
