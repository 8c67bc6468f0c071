"""Every case that ever broke something, and a few new ones for each target: see scripts/fuzz, which writes them.

The folder of a case names its target, its file the error that it ended in.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Final

import hypothesis
import pytest

pytest.importorskip("pyarrow", reason="needs the extra files")
pytest.importorskip("zstandard", reason="needs the extra files")
pytest.importorskip("warcio", reason="needs the extra warc")
pytest.importorskip("trafilatura", reason="needs the extra html")

from unspun.training.fuzz import engine
from unspun.training.fuzz.strategies import draw_cases
from unspun.training.fuzz.targets import TARGETS, Target
from unspun.training.fuzz.watch import MOST_SECONDS, Watch, run_case, shrink_case

CASES: Final = sorted(path for path in (Path(__file__).parent / "fuzz_cases").glob("*/*") if path.is_file())


def find_target(name: str) -> Target:
    for needed in ("onnx", "onnxruntime", "tokenizers") if name == "context" else ():
        pytest.importorskip(needed, reason="needs the extras context and dev")
    return TARGETS[name]


@pytest.mark.parametrize("path", CASES, ids=lambda path: f"{path.parent.name}-{path.name}")
def test_a_kept_case_breaks_nothing_any_more(path: Path) -> None:
    target = find_target(path.parent.name)
    began = time.process_time()
    target.run(path.read_bytes())
    assert time.process_time() - began < MOST_SECONDS


@pytest.mark.parametrize("name", TARGETS)
def test_no_new_case_breaks_anything(name: str) -> None:
    target = find_target(name)
    for case in target.make_seeds()[:5]:
        target.run(case)

    @hypothesis.settings(
        max_examples=12,
        derandomize=True,
        deadline=MOST_SECONDS * 1000,
        database=None,
        phases=[hypothesis.Phase.generate],
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    @hypothesis.given(draw_cases(target))
    def run(case: bytes) -> None:
        target.run(case)

    run()


def break_at_x(case: bytes) -> None:
    if b"x" in case:
        raise KeyError("x")


def test_what_breaks_is_kept_small_and_by_its_way_of_breaking(tmp_path: Path) -> None:
    target = Target("broken", break_at_x, lambda: [b"ok"])
    watch = Watch(target, tmp_path)
    for case in (b"fine", b"aaxbb", b"aaaaaaaaxb", b"axb"):
        watch(case)
    watch.save()
    [how] = watch.findings
    assert how.startswith("KeyError")
    [kept] = [path for path in tmp_path.iterdir() if not path.suffix]
    assert kept.read_bytes() == b"axb"
    assert shrink_case(target, b"aaaaxbbbb") == b"x"
    assert run_case(target, b"fine") is None


def test_the_engine_runs_a_target_and_says_what_came_of_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["checkpoint", "--seconds", "3", "--engine", "hypothesis", "--out", str(tmp_path)]
    assert engine.main(arguments) == 0
    said = capsys.readouterr().out
    assert said.startswith("checkpoint: ")
    assert "CPU seconds, 0 findings" in said
    with pytest.raises(SystemExit):
        engine.main(["no-such-target"])
