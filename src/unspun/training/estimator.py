"""The scorers as scikit-learn sees them: trees and small networks, both calibrated.

Trained here, exported to plain arrays (:class:`unspun.trees.Trees`, :class:`unspun.networks.Networks`), scored at run
time by numpy alone.
"""

from __future__ import annotations

import warnings
from typing import Any, Final, Protocol, Self

import numpy as np
from joblib import Parallel, delayed
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold, StratifiedKFold
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import StandardScaler
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data
from threadpoolctl import threadpool_limits

from unspun.classifier import Scorer
from unspun.networks import REACH, Networks
from unspun.trees import Trees

#: Rows from which the folds are fitted side by side.
_MANY_ROWS: Final = 20_000


class _Ranker(Protocol):
    """What gives margins, not yet calibrated."""

    def fit(self, X: NDArray[Any], y: NDArray[Any]) -> Any: ...  # noqa: N803
    def decision_function(self, X: NDArray[Any]) -> NDArray[np.float64]: ...  # noqa: N803


class _Calibrated(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """A ranker whose margin is calibrated by a logistic function (Platt 1999).

    The calibration is fitted on margins of folds that the ranker had not seen, so it is honest about overfitting.

    Attributes after ``fit``: ``classes_``, ``n_features_in_``, ``ranker_``, ``slope_``, ``offset_``, ``margins_``
    (out-of-fold margins of the training rows, calibrated), ``folds_`` (with groups: the groups that each fold did not
    see, and its ranker).
    """

    folds: int
    seed: int

    def _new_ranker(self) -> _Ranker:
        raise NotImplementedError

    def _export_ranker(self, ranker: Any) -> Trees | Networks:
        raise NotImplementedError

    def fit(self, X: Any, y: Any, groups: ArrayLike | None = None) -> Self:  # noqa: N803
        """Fit on float[n, k] features and n labels of two classes; rows of one group stay in one fold."""
        X, y = validate_data(self, X, y, dtype=np.float64)  # noqa: N806
        check_classification_targets(y)
        self.classes_, target = np.unique(y, return_inverse=True)
        if len(self.classes_) != 2:
            raise ValueError(f"Only binary classification is supported: y has {len(self.classes_)} class(es)")
        folds = min(self.folds, int(np.bincount(target).min()))
        splits: list[tuple[NDArray[Any], NDArray[Any]]] = []
        if folds >= 2:
            splits = list(
                GroupKFold(folds).split(X, target, groups)
                if groups is not None
                else StratifiedKFold(folds, shuffle=True, random_state=self.seed).split(X, target)
            )
        # Of small data the fits take less time than starting workers.
        parallel = Parallel(n_jobs=-1 if len(X) >= _MANY_ROWS else 1)
        *rankers, self.ranker_ = parallel(
            delayed(self._new_ranker().fit)(X[train], target[train])
            for train in (*(train for train, _ in splits), np.arange(len(target)))
        )
        margins = np.zeros(len(target)) if splits else self.ranker_.decision_function(X)
        self.folds_: list[tuple[NDArray[Any], _Ranker]] = []
        for ranker, (_, test) in zip(rankers, splits, strict=True):
            margins[test] = ranker.decision_function(X[test])
            if groups is not None:
                self.folds_.append((np.unique(np.asarray(groups)[test]), ranker))
        calibration = LogisticRegression(C=1e3).fit(margins[:, None], target)
        self.slope_ = max(float(calibration.coef_[0, 0]), 1e-3)
        self.offset_ = float(calibration.intercept_[0])
        self.margins_ = self.slope_ * margins + self.offset_
        return self

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        return tags

    def decision_function(self, X: ArrayLike) -> NDArray[np.float64]:  # noqa: N803
        """float64[n]: calibrated log-odds."""
        check_is_fitted(self)
        X = validate_data(self, X, dtype=np.float64, reset=False)  # noqa: N806
        margin: NDArray[np.float64] = self.slope_ * self.ranker_.decision_function(X) + self.offset_
        return margin

    def margins_unseen(self, X: NDArray[Any], groups: NDArray[Any]) -> NDArray[np.float64]:  # noqa: N803
        """float64[n]: calibrated log-odds, each from the fold that did not see the row's group in training."""
        check_is_fitted(self)
        margins = self.ranker_.decision_function(X) if len(X) else np.zeros(0)
        for held_out, ranker in self.folds_:
            mine = np.isin(groups, held_out)
            if mine.any():
                margins[mine] = ranker.decision_function(X[mine])
        calibrated: NDArray[np.float64] = self.slope_ * margins + self.offset_
        return calibrated

    def predict_proba(self, X: ArrayLike) -> NDArray[np.float64]:  # noqa: N803
        """float64[n, 2]: calibrated probabilities of the two classes."""
        positive = 1 / (1 + np.exp(-self.decision_function(X)))
        return np.column_stack([1 - positive, positive])

    def predict(self, X: ArrayLike) -> NDArray[Any]:  # noqa: N803
        """The likelier class of each row."""
        check_is_fitted(self)
        chosen: NDArray[Any] = self.classes_[(self.decision_function(X) > 0).astype(int)]
        return chosen

    def export(self) -> Scorer:
        """The same scorer as plain arrays."""
        check_is_fitted(self)
        return Scorer(self._export_ranker(self.ranker_), self.slope_, self.offset_)

    def export_unseen(self, group: int) -> Scorer:
        """The scorer of the fold that did not see a group in training, as plain arrays."""
        check_is_fitted(self)
        ranker = next((ranker for held_out, ranker in self.folds_ if group in held_out), self.ranker_)
        return Scorer(self._export_ranker(ranker), self.slope_, self.offset_)


class SpunTrees(_Calibrated):
    """Histogram gradient boosting, calibrated."""

    def __init__(
        self,
        iterations: int = 120,
        leaves: int = 12,
        learning_rate: float = 0.1,
        min_samples: int = 40,
        folds: int = 4,
        seed: int = 0,
    ) -> None:
        self.iterations = iterations
        self.leaves = leaves
        self.learning_rate = learning_rate
        self.min_samples = min_samples
        self.folds = folds
        self.seed = seed

    def _new_ranker(self) -> HistGradientBoostingClassifier:
        return HistGradientBoostingClassifier(
            max_iter=self.iterations,
            max_leaf_nodes=self.leaves,
            learning_rate=self.learning_rate,
            min_samples_leaf=self.min_samples,
            l2_regularization=1.0,
            early_stopping=False,
            random_state=self.seed,
        )

    def _export_ranker(self, ranker: HistGradientBoostingClassifier) -> Trees:
        roots, tables, start = [], [], 0
        for (tree,) in ranker._predictors:
            nodes = tree.nodes
            roots.append(start)
            tables.append((nodes, start))
            start += len(nodes)
        leaf = np.concatenate([n["is_leaf"].astype(bool) for n, _ in tables])
        shift = np.repeat([s for _, s in tables], [len(n) for n, _ in tables])

        def column(name: str) -> NDArray[Any]:
            return np.concatenate([n[name] for n, _ in tables])

        return Trees(
            np.array(roots, np.int32),
            np.where(leaf, -1, column("feature_idx").astype(np.int64)).astype(np.int32),
            column("num_threshold").astype(np.float64),
            np.where(leaf, 0, column("left") + shift).astype(np.int32),
            np.where(leaf, 0, column("right") + shift).astype(np.int32),
            np.where(leaf, column("value"), 0.0),
            float(np.ravel(ranker._baseline_prediction)[0]),
            int(column("depth").max()),
        )


class SpunNetworks(_Calibrated):
    """``networks`` networks with one hidden layer of ``units``, their margins averaged, calibrated.

    The defaults were found on 6,000 articles and honest texts of 14 corpora: 8 to 32 units and 3 or more networks do
    alike, a stronger penalty (``decay`` 1 and above) finds less.
    """

    def __init__(
        self,
        networks: int = 3,
        units: int = 16,
        decay: float = 0.3,
        epochs: int = 60,
        batch: int = 200,
        folds: int = 4,
        seed: int = 0,
    ) -> None:
        self.networks = networks
        self.units = units
        self.decay = decay
        self.epochs = epochs
        self.batch = batch
        self.folds = folds
        self.seed = seed

    def _new_ranker(self) -> _NetworkRanker:
        return _NetworkRanker(self)

    def _export_ranker(self, ranker: _NetworkRanker) -> Networks:
        return ranker.export()


class _NetworkRanker:
    def __init__(self, settings: SpunNetworks) -> None:
        self.members = [
            MLPClassifier(
                (settings.units,),
                alpha=settings.decay,
                batch_size=settings.batch,
                # Larger steps with larger batches, which are less noisy.
                learning_rate_init=1e-3 * (settings.batch / 200) ** 0.5,
                max_iter=settings.epochs,
                random_state=settings.seed + n,
            )
            for n in range(settings.networks)
        ]

    def fit(self, X: NDArray[Any], y: NDArray[Any]) -> Self:  # noqa: N803
        self.scaler = StandardScaler().fit(X)
        # No feature is known to more digits, and single precision is faster.
        standard = np.clip(self.scaler.transform(X), -REACH, REACH).astype(np.float32)
        # On one core: these matrices are too small to share, and the sums come out the same on every machine.
        with warnings.catch_warnings(), threadpool_limits(limits=1, user_api="blas"):
            # A fixed number of epochs is the stopping rule.
            warnings.simplefilter("ignore", ConvergenceWarning)
            warnings.filterwarnings("ignore", "Got `batch_size`")
            for member in self.members:
                member.fit(standard, y)
        return self

    def export(self) -> Networks:
        layers = [(*member.coefs_, *member.intercepts_) for member in self.members]
        return Networks(
            self.scaler.mean_,
            self.scaler.scale_,
            np.array([hidden for hidden, _, _, _ in layers]),
            np.array([bias for _, _, bias, _ in layers]),
            np.array([output[:, 0] for _, output, _, _ in layers]),
            np.array([bias[0] for _, _, _, bias in layers]),
        )

    def decision_function(self, X: NDArray[Any]) -> NDArray[np.float64]:  # noqa: N803
        return self.export().margin(X)
