"""Numbers into calibrated scores and labels: the trained model, read from a file of arrays.

The file is a numpy archive of plain arrays (``allow_pickle=False``) with one JSON text inside; reading it
cannot run code. :mod:`unspun.training.estimator` trains and writes it.
"""

from __future__ import annotations

import io
import json
import math
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from unspun.habits import Habits
from unspun.networks import Networks, check_numbers
from unspun.resources import find_models
from unspun.trees import Trees

#: Raised when the features or the layout of the file change: older files are refused, not misread.
FORMAT: Final = 5
#: The scorers: of words without a reference, of the same as if by a spinner that training never saw, of pairs of
#: wordings (a swap one way or the other), of their direction, of pairs at the second look, of words beside the
#: references' usage, of an article alone, of an article compared with references.
SCORERS: Final = ("words", "strange", "pairs", "directions", "swaps", "usage", "alone", "compared")
#: Those of them that are networks; the others are trees.
NETWORKS: Final = ("words", "strange", "alone", "compared")
#: The findings that follow a rule, each with a score of its own.
RULES: Final = ("a_an", "doubled", "phrase")
#: What an article is judged by, each with thresholds of its own: itself, where it is short and where it is not;
#: references that tell of the same thing; a reference that it follows.
GROUNDS: Final = ("short", "alone", "compared", "derived")
#: Share of spun articles that scores are calibrated for. Where fewer are spun, a score means less.
PRIOR: Final = 0.1
#: The same as log-odds.
BASE_RATE: Final = float(np.log(PRIOR / (1 - PRIOR)))
#: Margins beyond this say no more: no data set here is large enough to tell odds of e^12.
MAX_MARGIN: Final = 12.0
#: Largest model in bytes, unpacked: a hundred times the shipped one. A packed file can claim a thousand times its size.
MAX_UNPACKED: Final = 500_000_000


class ModelError(ValueError):
    """A model file that cannot be used; the message names the file and says what to do."""


def to_probability(margin: NDArray[np.float64]) -> NDArray[np.float64]:
    """The logistic function."""
    return 1.0 / (1.0 + np.exp(-np.clip(margin, -MAX_MARGIN, MAX_MARGIN)))


@dataclass(frozen=True, slots=True)
class Thresholds:
    """The calibrated scores from which an article is called ``suspect`` and ``spun``."""

    suspect: float
    spun: float

    def label(self, score: float) -> str:
        return "spun" if score >= self.spun else "suspect" if score >= self.suspect else "clean"

    def override(self, suspect: float | None, spun: float | None) -> Thresholds:
        """These with one or both replaced; a suspect is never surer than what is called spun."""
        spun = self.spun if spun is None else spun
        return Thresholds(min(self.suspect if suspect is None else suspect, spun), spun)


@dataclass(frozen=True, slots=True, eq=False)
class Scorer:
    """Trees or networks, and the slope and offset that turn their margin into a calibrated log-odds (Platt 1999)."""

    ranker: Trees | Networks
    slope: float
    offset: float

    def log_odds(self, features: NDArray[np.floating]) -> NDArray[np.float64]:
        """float64[n]: calibrated log-odds of float[n, k] features."""
        return self.slope * self.ranker.margin(features) + self.offset

    def score(self, features: NDArray[np.floating]) -> NDArray[np.float64]:
        """float64[n]: calibrated probabilities of float[n, k] features."""
        return to_probability(self.log_odds(features))


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Model:
    """The trained model: the scorers, the thresholds for each of the grounds, and what is known of it.

    ``habits``: what training saw of spinners' words, see :mod:`unspun.habits`; ``rules``:
    precision of the findings that follow a rule (``a_an``, ``doubled``, ``phrase``), as measured in training;
    ``originals``: float64 weights of :func:`unspun.extractors.originals.rank_originals`;
    ``card``: version, hash of the training data, figures.
    """

    name: str
    scorers: dict[str, Scorer]
    habits: Habits
    thresholds: dict[str, Thresholds]
    rules: dict[str, float]
    originals: NDArray[np.float64]
    card: dict[str, Any]

    @classmethod
    def load(cls, path: str | Path | None = None) -> Model:
        """Read a model file, the shipped one by default; raises :class:`ModelError` when it is unusable."""
        file = Path(path) if path is not None else find_models("default.npz")
        with explain_damage(file, "a model file"):
            arrays, about = read_archive(file)
            if about["format"] != FORMAT:
                raise ModelError(
                    f"{file}: model format {about['format']}, this unspun reads {FORMAT}: "
                    "use a model trained with this version (scripts/train)"
                )
            scorers = {
                name: Scorer(
                    (Networks if name in NETWORKS else Trees).from_arrays(arrays, name),
                    *read_calibration(about, name),
                )
                for name in SCORERS
            }
            rules = {name: float(about["rules"][name]) for name in RULES}
            if not all(0 <= score <= 1 for score in rules.values()):
                raise ValueError("the scores of rules are damaged")
            originals = np.array(about["originals"], np.float64)
            check_numbers(originals)
            if originals.ndim != 1:
                raise ValueError("the weights of originals are damaged")
            thresholds, habits = read_thresholds(about, GROUNDS), Habits.from_arrays(arrays)
            return cls(str(about["name"]), scorers, habits, thresholds, rules, originals, dict(about["card"]))

    def save(self, path: Path) -> None:
        """Write the file that :meth:`load` reads."""
        about = {
            "format": FORMAT,
            "name": self.name,
            "rules": self.rules,
            "originals": self.originals.tolist(),
            "card": self.card,
        }
        write_archive(path, about, self.scorers, self.thresholds, self.habits.to_arrays())


@contextmanager
def explain_damage(file: Path, kind: str) -> Iterator[None]:
    """Turns whatever a missing or damaged file makes fail into a :class:`ModelError` that names it; ``kind``: what it
    should be."""
    try:
        yield
    except FileNotFoundError as missing:
        raise ModelError(f"{missing.filename or file}: there is no such model file") from missing
    except ModelError:
        raise
    except Exception as error:
        # A damaged archive raises what zipfile, zlib, tokenize, json and numpy have, each types of its own.
        why = str(error) or type(error).__name__
        raise ModelError(f"{file}: not {kind} of unspun, or damaged ({why}): get an undamaged copy") from error


def read_archive(file: Path) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
    """The arrays of a file, plain numbers all, and what its JSON text says.

    An array is as large as its bytes are, whatever its header claims, and all are no larger than
    :data:`MAX_UNPACKED`; ValueError for anything else.
    """
    arrays = dict[str, NDArray[Any]]()
    with zipfile.ZipFile(file) as archive:
        # zipfile unpacks no more of a member than is said here.
        if sum(member.file_size for member in archive.infolist()) > MAX_UNPACKED:
            raise ValueError(f"larger than {MAX_UNPACKED // 1_000_000} MB unpacked")
        for member in archive.infolist():
            arrays[member.filename.removesuffix(".npy")] = _read_array(archive.read(member))
    return arrays, json.loads(bytes(arrays.pop("about")).decode("utf-8"))


def _read_array(data: bytes) -> NDArray[Any]:
    """The array of a .npy file, of numbers only: objects are pickles, and reading those runs code."""
    stream = io.BytesIO(data)
    if np.lib.format.read_magic(stream) != (1, 0):
        raise ValueError("arrays of another layout")
    shape, fortran, kind = np.lib.format.read_array_header_1_0(stream)
    body = data[stream.tell() :]
    if kind.kind not in "biuf" or min(shape, default=0) < 0 or len(body) != math.prod(shape) * kind.itemsize:
        raise ValueError("an array that is no array of numbers, or cut off")
    return np.frombuffer(body, kind).reshape(shape, order="F" if fortran else "C")


def read_calibration(about: Mapping[str, Any], name: str) -> tuple[float, float]:
    """Slope and offset of the scorer of that name."""
    slope, offset = map(float, about["calibration"][name])
    check_numbers(np.array([slope, offset]))
    return slope, offset


def read_thresholds(about: Mapping[str, Any], grounds: Iterable[str]) -> dict[str, Thresholds]:
    """The thresholds of these grounds as :func:`write_archive` wrote them."""
    found = {ground: Thresholds(*map(float, about["thresholds"][ground])) for ground in grounds}
    check_numbers(np.array([(thresholds.suspect, thresholds.spun) for thresholds in found.values()]))
    return found


def write_archive(
    path: Path, about: Mapping[str, Any], scorers: Mapping[str, Scorer], thresholds: Mapping[str, Thresholds],
    more: Mapping[str, NDArray[Any]],
) -> None:  # fmt: skip
    """A file of scorers and thresholds, with what else is known ``about`` them and ``more`` arrays."""
    told = {
        **about,
        "calibration": {name: [s.slope, s.offset] for name, s in scorers.items()},
        "thresholds": {name: [t.suspect, t.spun] for name, t in thresholds.items()},
    }
    arrays: dict[str, Any] = {"about": np.frombuffer(json.dumps(told).encode(), np.uint8), **more}
    for name, scorer in scorers.items():
        arrays |= scorer.ranker.to_arrays(name)
    np.savez_compressed(path, **arrays)
