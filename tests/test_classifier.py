"""The model file: equal to scikit-learn's scores, refused when damaged."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from unspun.classifier import FORMAT, GROUNDS, NETWORKS, SCORERS, Model, ModelError, Thresholds
from unspun.habits import Habits, Neighbouring
from unspun.networks import REACH
from unspun.training.estimator import SpunNetworks, SpunTrees


def make_data(rows: int = 400) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(1)
    features = rng.normal(size=(rows, 3))
    return features, (features[:, 0] + 0.5 * rng.normal(size=rows) > 0).astype(int)


@parametrize_with_checks([SpunTrees(iterations=10, folds=2, min_samples=5), SpunNetworks(networks=2, folds=2)])
def test_scikit_learn_estimator_rules(estimator: SpunTrees | SpunNetworks, check: object) -> None:
    check(estimator)  # type: ignore[operator]


@pytest.mark.parametrize("estimator", [SpunTrees(), SpunNetworks()])
def test_the_exported_scorer_gives_scikit_learns_scores(estimator: SpunTrees | SpunNetworks) -> None:
    features, labels = make_data()
    fitted = estimator.fit(features, labels)
    scorer = fitted.export()
    new = np.random.default_rng(2).normal(size=(200, 3)) * 2
    np.testing.assert_allclose(scorer.log_odds(new), fitted.decision_function(new), atol=1e-9)


def test_the_scorer_of_a_fold_gives_the_margins_unseen() -> None:
    features, labels = make_data()
    groups = np.arange(len(labels)) % 10
    fitted = SpunNetworks(networks=1, epochs=5, folds=3).fit(features, labels, groups)
    unseen = fitted.margins_unseen(features, groups)
    for group in range(10):
        mine = groups == group
        scorer = fitted.export_unseen(group)
        np.testing.assert_allclose(scorer.log_odds(features[mine]), unseen[mine], atol=1e-9)
        assert not np.allclose(scorer.log_odds(features[mine]), fitted.export().log_odds(features[mine]))


def test_networks_give_what_scikit_learn_gives_and_cut_off_what_lies_far_out() -> None:
    features, labels = make_data()
    fitted = SpunNetworks(networks=1, epochs=5).fit(features, labels)
    [member] = fitted.ranker_.members
    inside = features[np.abs(fitted.ranker_.scaler.transform(features)).max(axis=1) < REACH]
    expected = member.predict_proba(fitted.ranker_.scaler.transform(inside))[:, 1]
    margin = fitted.export().ranker.margin(inside)
    # In whole numbers: some hundred thousandths off.
    np.testing.assert_allclose(1 / (1 + np.exp(-margin)), expected, atol=1e-4)
    far = fitted.export().score(np.array([[1e3, 0, 0], [1e9, 0, 0]]))
    assert far[0] == far[1]


def make_habits() -> Habits:
    known = Neighbouring(np.array([1, 7, 2**32 - 1], np.uint32), np.array([[0.5, 2], [-3, 7.25], [4, 1]], np.float32))
    none = Neighbouring(np.zeros(0, np.uint32), np.zeros((0, 2), np.float32))
    return Habits(np.array([[-2.5, 3.0], [0.5, 7.25]], np.float32), known, none)


def make_model() -> Model:
    features, labels = make_data()
    trees = SpunTrees(iterations=5).fit(features, labels).export()
    networks = SpunNetworks(networks=2, epochs=2).fit(features, labels).export()
    return Model(
        "tiny@1",
        {name: networks if name in NETWORKS else trees for name in SCORERS},
        make_habits(),
        {ground: Thresholds(0.3 - n / 20, 0.7 - n / 10) for n, ground in enumerate(GROUNDS)},
        {"a_an": 0.9, "doubled": 0.6, "phrase": 0.9},
        np.array([1.0, -0.5]),
        {"figures": {"auc": 0.9}},
    )


def test_a_model_survives_the_file(tmp_path: Path) -> None:
    model = make_model()
    model.save(tmp_path / "m.npz")
    read = Model.load(tmp_path / "m.npz")
    features, _ = make_data(20)
    assert (read.name, read.thresholds, read.rules, read.card) == (
        model.name, model.thresholds, model.rules, model.card,
    )  # fmt: skip
    np.testing.assert_array_equal(read.scorers["pairs"].score(features), model.scorers["pairs"].score(features))
    np.testing.assert_array_equal(read.scorers["alone"].score(features), model.scorers["alone"].score(features))
    np.testing.assert_array_equal(read.originals, model.originals)
    np.testing.assert_array_equal(read.habits.words, model.habits.words)
    np.testing.assert_array_equal(read.habits.after.keys, model.habits.after.keys)
    np.testing.assert_array_equal(read.habits.after.values, model.habits.after.values)
    assert not len(read.habits.before.keys)


def rewrite(file: Path, **changes: object) -> Path:
    with np.load(file) as archive:
        arrays = {name: archive[name] for name in archive.files}
    about = json.loads(bytes(arrays["about"]))
    for name, value in changes.items():
        if name in about:
            about[name] = value
        else:
            arrays[name.replace("__", ".")] = np.asarray(value)
    arrays["about"] = np.frombuffer(json.dumps(about).encode(), np.uint8)
    np.savez(file, **arrays)
    return file


@pytest.mark.parametrize(
    "changes",
    [
        {"format": FORMAT + 1},
        {"calibration": {}},
        {"thresholds": 3},
        {"originals": [1.0, None]},
        # A child that points back would make the walk go round for ever.
        {"usage__left": np.zeros(10_000, np.int32)},
        {"words__scale": np.zeros(3)},
        {"alone__output": np.zeros((2, 5))},
        {"habits__after_values": np.zeros((1, 2), np.int8)},
        {"pairs__roots": [10**6]},
        # A depth without end would make scoring take for ever.
        {"pairs__depth": 10**12},
    ],
)
def test_a_damaged_or_newer_model_is_refused_with_its_name(tmp_path: Path, changes: dict[str, object]) -> None:
    make_model().save(tmp_path / "m.npz")
    with pytest.raises(ModelError, match=r"m\.npz"):
        Model.load(rewrite(tmp_path / "m.npz", **changes))


def test_a_missing_model_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no such model"):
        Model.load(tmp_path / "none.npz")


def test_the_shipped_model_has_its_card() -> None:
    card = Model.load().card
    assert len(card["data_sha256"]) == 64
    assert card["figures"]["compared_auc"] > 0.95
    assert card["tables"]


@pytest.mark.parametrize(("score", "label"), [(0.1, "clean"), (0.2, "suspect"), (0.59, "suspect"), (0.6, "spun")])
def test_labels(score: float, label: str) -> None:
    assert Thresholds(0.2, 0.6).label(score) == label
