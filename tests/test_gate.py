"""The evaluation gate: the shipped model reaches its floors, and floors move only as they may."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from unspun import Detector
from unspun.resources import find_data
from unspun.training.measuring.gate import Gate, GateError, hash_samples, measure_gate, round_down

FIGURES = {"auc": 0.91239, "recall": 0.5}


def test_the_shipped_model_passes_the_gate() -> None:
    gate = Gate.read(find_data("gate.json"))
    gate.check_data(hash_samples(find_data("samples")))
    fast, reading = Detector.load(context="never"), Detector.load(context="always")
    assert gate.find_failures(measure_gate(fast, find_data("samples"), reading)) == []


def test_what_is_below_its_floor_is_named() -> None:
    gate = Gate("", {"auc": 0.912, "recall": 0.501})
    assert gate.find_failures(FIGURES) == ["recall: 0.5000 is below its floor 0.501"]
    assert len(Gate("", {}).find_failures(FIGURES)) == 2
    assert Gate("", {"lost": 0.1}).raise_floors(FIGURES).find_failures(FIGURES) == [
        "lost: has a floor and is not measured"
    ]


def test_floors_are_raised_and_never_lowered_by_raising() -> None:
    gate = Gate("", {"auc": 0.9, "recall": 0.6})
    assert gate.raise_floors(FIGURES).floors == {"auc": 0.912, "recall": 0.6}


def test_one_floor_is_lowered_when_it_is_named() -> None:
    gate = Gate("", {"auc": 0.95, "recall": 0.6, "lost": 0.1})
    assert gate.lower_floor("recall", FIGURES).floors == {"auc": 0.95, "recall": 0.5, "lost": 0.1}
    assert "lost" not in gate.lower_floor("lost", FIGURES).floors
    with pytest.raises(GateError, match="no such floor"):
        gate.lower_floor("precision", FIGURES)
    with pytest.raises(GateError, match="not below"):
        Gate("", {"auc": 0.9}).lower_floor("auc", FIGURES)


def test_rounding_down_leaves_three_digits() -> None:
    assert round_down(0.9999) == 0.999
    assert round_down(0.29) == 0.29
    assert round_down(1.0) == 1.0


def test_changed_samples_are_told(tmp_path: Path) -> None:
    folder = tmp_path / "samples"
    shutil.copytree(find_data("samples"), folder)
    gate = Gate(hash_samples(find_data("samples")), {})
    gate.check_data(hash_samples(folder))
    changed = next((folder / "references").glob("*.txt"))
    changed.write_text(changed.read_text("utf-8") + "One more line.\n", "utf-8")
    with pytest.raises(GateError, match="--new-data"):
        gate.check_data(hash_samples(folder))


def test_floors_are_written_and_read(tmp_path: Path) -> None:
    gate = Gate("0" * 64, {"recall": 0.5, "auc": 0.9})
    gate.write(tmp_path / "gate.json")
    assert Gate.read(tmp_path / "gate.json") == gate
    (tmp_path / "gate.json").write_text('{"floors": 3}', "utf-8")
    with pytest.raises(GateError, match=r"gate\.json"):
        Gate.read(tmp_path / "gate.json")
