"""Beside scikit-learn's own networks: the same weights step by step, and as accurate over several seeds."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from nnkit.optimizers import SGD
from tests.sklearn.data import blobs, waves

from sklearn.base import clone  # isort: skip
from sklearn.datasets import load_diabetes, load_digits, load_iris  # isort: skip
from sklearn.model_selection import KFold, StratifiedKFold, cross_val_score  # isort: skip
from sklearn.neural_network import MLPClassifier, MLPRegressor  # isort: skip
from sklearn.pipeline import make_pipeline  # isort: skip
from sklearn.preprocessing import StandardScaler  # isort: skip

from nnkit.sklearn import Classifier, Regressor  # isort: skip

NAMES = {
    "hidden": "hidden_layer_sizes",
    "epochs": "max_iter",
    "learning_rate": "learning_rate_init",
    "patience": "n_iter_no_change",
}


def digits() -> Any:
    x, y = load_digits(return_X_y=True)
    return x / 16, y


def diabetes() -> Any:
    x, y = load_diabetes(return_X_y=True)
    return x, (y - y.mean()) / y.std()


def scores(estimator: Any, x: Any, y: Any, seeds: int) -> np.ndarray:
    kind = StratifiedKFold if np.issubdtype(y.dtype, np.integer) else KFold
    model = make_pipeline(StandardScaler(with_std=x.shape[1] < 64), estimator)
    found = []
    for seed in range(seeds):
        model[-1].set_params(random_state=seed)
        found.append(cross_val_score(clone(model), x, y, cv=kind(3, shuffle=True, random_state=seed)).mean())
    return np.array(found)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize(
    ("load", "options", "margin"),
    [
        pytest.param(digits, {"hidden": (64,), "epochs": 25, "learning_rate": 0.005}, 0.005, id="digits"),
        pytest.param(
            lambda: load_iris(return_X_y=True), {"hidden": (32,), "learning_rate": 0.01, "tol": 0.0}, 0.01, id="iris"
        ),
        pytest.param(diabetes, {"hidden": (16,), "epochs": 300, "learning_rate": 0.002}, 0.03, id="diabetes"),
    ],
)
def test_not_worse_than_scikit_learn(load: Any, options: dict[str, Any], margin: float) -> None:
    x, y = load()
    whole = np.issubdtype(y.dtype, np.integer)
    theirs = (MLPClassifier if whole else MLPRegressor)(
        alpha=0.0, **{NAMES.get(name, name): value for name, value in options.items()}
    )
    mine = (Classifier if whole else Regressor)(**options)
    seeds = 3  # and enough epochs that initial weights, which are He's here and Glorot's there, no longer matter
    gap = scores(mine, x, y, seeds) - scores(theirs, x, y, seeds)
    assert gap.mean() > -margin


def from_the_weights_of(mine: Any, theirs: Any) -> None:
    """Begin again from the same place."""
    given = list(mine.network_.parameters().values())
    for inner, value in zip([*theirs.coefs_, *theirs.intercepts_], [*given[::2], *given[1::2]], strict=True):
        inner[:] = value
    for velocity in theirs._optimizer.velocities:
        velocity[:] = 0


@pytest.mark.parametrize("classes", [None, 2, 3])
def test_the_same_weights_step_by_step(classes: int | None) -> None:
    x, y = waves() if classes is None else blobs(classes)
    rows, rate, l2 = len(x), 0.05, 0.01
    weight = np.random.default_rng(0).uniform(size=rows)
    weight *= rows / weight.sum()  # by which MLPClassifier divides alpha
    half = 2 if classes is None else 1  # MLPRegressor has half the squared error
    options = {"batch_size": rows, "shuffle": False}
    kinds = (Regressor, MLPRegressor) if classes is None else (Classifier, MLPClassifier)
    known = {} if classes is None else {"classes": np.arange(classes)}
    mine = kinds[0](hidden=(6,), activation="tanh", l2=l2, optimizer=SGD(rate / half, momentum=0.9), **options)
    theirs = kinds[1](
        hidden_layer_sizes=(6,), activation="tanh", alpha=2 / half * rows * l2, solver="sgd", momentum=0.9,
        nesterovs_momentum=False, learning_rate_init=rate, **options,
    )  # fmt: skip
    still = clone(mine).set_params(optimizer=SGD(0.0)).partial_fit(x, y, **known)  # the weights that mine begins with
    theirs.partial_fit(x, y, **known)
    mine.set_params(random_state=still.network_.seed)
    from_the_weights_of(still, theirs)
    for _ in range(10):
        mine.partial_fit(x, y, sample_weight=weight, **known)
        theirs.partial_fit(x, y, sample_weight=weight)
        found = list(mine.network_.parameters().values())
        for a, b in zip([*found[::2], *found[1::2]], [*theirs.coefs_, *theirs.intercepts_], strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(mine.loss_curve_[-1] / half, theirs.loss_curve_[-1], rtol=1e-9)
    if classes is None:
        np.testing.assert_allclose(mine.predict(x), theirs.predict(x), rtol=1e-9)
    else:
        np.testing.assert_allclose(mine.predict_proba(x), theirs.predict_proba(x), rtol=1e-9)
