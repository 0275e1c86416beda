"""Networks that scikit-learn has fitted predict the same here, and are trained on, tested and saved like all others."""

from __future__ import annotations

import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nnkit
from nnkit.errors import ArgumentError, DataError, NnkitWarning
from nnkit.formats.scikit.objects import kind
from tests.peers import peer

peer("sklearn")  # all tests need it; without it they are skipped
from sklearn.exceptions import ConvergenceWarning  # noqa: E402
from sklearn.linear_model import LogisticRegression  # noqa: E402
from sklearn.model_selection import GridSearchCV  # noqa: E402
from sklearn.neural_network import MLPClassifier, MLPRegressor  # noqa: E402
from sklearn.pipeline import Pipeline, make_pipeline  # noqa: E402
from sklearn.preprocessing import (  # noqa: E402
    MaxAbsScaler,
    MinMaxScaler,
    PolynomialFeatures,
    RobustScaler,
    StandardScaler,
)

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

# Sums of at most 20 products in another order, layer by layer: some units of the last place of values near 1.
TOLERANCE = {"float32": 1e-5, "float64": 1e-13}
GENERATOR = np.random.default_rng(0)
X = GENERATOR.normal(size=(60, 5)) * [1, 2, 10, 0.1, 1] + [0, 5, -20, 0, 3]
KINDS = X[:, 0] + 0.2 * X[:, 1] > 1
THREE = (KINDS.astype(int) + (X[:, 4] > 3)).astype(int)
TARGETS: dict[str, tuple[type[Any], Any]] = {
    "two classes": (MLPClassifier, KINDS.astype(int)),
    "two classes as bools": (MLPClassifier, KINDS),
    "two classes as text": (MLPClassifier, np.where(KINDS, "yes", "no")),
    "three classes": (MLPClassifier, THREE),
    "three classes as text": (MLPClassifier, np.array(["low", "middle", "top"])[THREE]),
    "several answers": (MLPClassifier, np.column_stack([KINDS, ~KINDS, X[:, 4] > 3]).astype(int)),
    "one number": (MLPRegressor, X[:, 0] * 2),
    "several numbers": (MLPRegressor, X[:, :2] * 2),
}


def fit(model: Any, x: Any, y: Any) -> Any:
    """The model after a few steps."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return model.fit(x, y)


def made(which: str, **options: Any) -> tuple[Any, Any]:
    """A fitted network of scikit-learn for one of the targets, and these."""
    make, y = TARGETS[which]
    return fit(make(**{"hidden_layer_sizes": (7, 4), "max_iter": 12, "random_state": 0} | options), X, y), y


def expected(model: Any, x: Any) -> Any:
    """What a network of nnkit should give, from what scikit-learn says."""
    if kind(model, "MLPRegressor") or kind(model[-1] if kind(model, "Pipeline") else model, "MLPRegressor"):
        return model.predict(x).reshape(len(x), -1)
    p = model.predict_proba(x)
    single = (model[-1] if kind(model, "Pipeline") else model).n_outputs_ == 1
    return p[:, 1:] if single else p


def assert_same(net: nnkit.Network, model: Any, x: Any) -> None:
    """Both predict the same, to rounding."""
    wanted = expected(model, x)
    found = net.predict(x)
    assert found.shape == wanted.shape
    np.testing.assert_allclose(found, wanted, rtol=TOLERANCE[net.dtype], atol=TOLERANCE[net.dtype] * abs(wanted).max())


@pytest.mark.parametrize("which", TARGETS)
@pytest.mark.parametrize("activation", ["identity", "logistic", "tanh", "relu"])
def test_predictions_are_equal(which: str, activation: str) -> None:
    model, _ = made(which, activation=activation)
    net = nnkit.from_sklearn(model)
    assert net.dtype == "float64"
    assert_same(net, model, X)


@pytest.mark.parametrize("which", ["three classes", "several numbers"])
@pytest.mark.parametrize("hidden", [(), 3, (6,), [5, 5, 5, 5]])
def test_any_number_of_layers_and_float32(which: str, hidden: Any) -> None:
    make, y = TARGETS[which]
    x = X.astype("float32")
    model = fit(make(hidden_layer_sizes=hidden, max_iter=5, random_state=1), x, y)
    net = nnkit.from_sklearn(model)
    assert net.dtype == "float32"
    assert_same(net, model, x)


def test_a_poisson_regression() -> None:
    make = MLPRegressor(hidden_layer_sizes=(6,), random_state=0, max_iter=30)
    if "loss" not in make.get_params():
        pytest.skip("this scikit-learn has no other loss")
    y = GENERATOR.poisson(np.exp(X[:, 0]))
    model = fit(make.set_params(loss="poisson"), X, y)
    net = nnkit.from_sklearn(model)
    assert_same(net, model, X)
    assert net.module.output_activation() == "exponential"
    # Poisson's deviance of scikit-learn is this loss but for what depends on y alone.
    from sklearn.metrics import mean_poisson_deviance

    other = make_pipeline(
        StandardScaler(), MLPRegressor(hidden_layer_sizes=(6,), loss="poisson", random_state=0, max_iter=30)
    )
    second = fit(other, X, y)
    ours = net.test(X, y).loss - nnkit.from_sklearn(second).test(X, y).loss
    theirs = mean_poisson_deviance(y, model.predict(X)) - mean_poisson_deviance(y, second.predict(X))
    assert ours == pytest.approx(theirs / 2, rel=1e-9)


@pytest.mark.parametrize("which", TARGETS)
def test_tests_agree_and_training_goes_on(which: str) -> None:
    from sklearn.metrics import log_loss, mean_squared_error

    model, y = made(which, solver="lbfgs", max_iter=25)
    net = nnkit.from_sklearn(model)
    scores = net.test(X, y)
    if kind(model, "MLPRegressor"):
        assert scores.loss == pytest.approx(mean_squared_error(y, model.predict(X)), rel=1e-10)
    elif "several" in which:
        each = [log_loss(y[:, n], model.predict_proba(X)[:, n]) for n in range(3)]
        assert scores.loss == pytest.approx(float(np.mean(each)), rel=1e-7)  # which keeps away from 0 and 1
    else:
        assert scores.loss == pytest.approx(log_loss(y, model.predict_proba(X)), rel=1e-7)
        assert scores.accuracy == model.score(X, y)
    net.fit(X, y, epochs=20, learning_rate=0.003, batch_size=20, progress=False)
    assert net.test(X, y).loss < scores.loss


def test_names_of_classes() -> None:
    assert nnkit.from_sklearn(made("three classes as text")[0]).classes == ("low", "middle", "top")
    assert nnkit.from_sklearn(made("two classes as text")[0]).classes == ("no", "yes")
    assert nnkit.from_sklearn(made("two classes as bools")[0]).classes == ("False", "True")
    assert nnkit.from_sklearn(made("three classes")[0]).classes == ("0", "1", "2")
    assert nnkit.from_sklearn(made("several answers")[0]).classes is None
    assert nnkit.from_sklearn(made("one number")[0]).classes is None


@pytest.mark.parametrize("labels", [np.array([1, 2, 3])[THREE], np.array([1.0, 2.0, 4.0])[THREE], THREE * 7 - 7])
def test_labels_that_are_other_numbers(labels: Any) -> None:
    model = fit(MLPClassifier(hidden_layer_sizes=(5,), solver="lbfgs", max_iter=60, random_state=0), X, labels)
    names = ", ".join(map(str, model.classes_))
    with pytest.warns(NnkitWarning, match=rf"the labels {names} are the classes 0, 1, 2 .*: pass y.astype\(str\) to t"):
        net = nnkit.from_sklearn(model)
    assert net.classes == tuple(map(str, model.classes_))
    assert net.test(X, labels.astype(str)).accuracy == model.score(X, labels)
    net.fit(X, labels.astype(str), epochs=1, progress=False)


def test_many_other_labels_are_not_all_named() -> None:
    y = np.arange(60) % 8 + 1
    with pytest.warns(
        NnkitWarning, match="the labels 1, 2, 3, 4, 5, … are the classes 0, 1, 2, 3, 4, … of the network"
    ):
        nnkit.from_sklearn(fit(MLPClassifier(hidden_layer_sizes=(5,), max_iter=2, random_state=0), X, y))


SCALERS = {
    "standard": lambda: [StandardScaler()],
    "standard, mean alone": lambda: [StandardScaler(with_std=False)],
    "standard, deviation alone": lambda: [StandardScaler(with_mean=False)],
    "standard, nothing": lambda: [StandardScaler(with_mean=False, with_std=False)],
    "least and most": lambda: [MinMaxScaler((-1, 3))],
    "largest": lambda: [MaxAbsScaler()],
    "robust": lambda: [RobustScaler()],
    "robust, nothing": lambda: [RobustScaler(with_centering=False, with_scaling=False)],
    "several": lambda: [RobustScaler(), MinMaxScaler(), "passthrough", StandardScaler()],
    "a pipeline in it": lambda: [make_pipeline(MinMaxScaler(), MaxAbsScaler()), StandardScaler()],
    "none": list,
    "passed through": lambda: ["passthrough", None],
}


@pytest.mark.parametrize("name", SCALERS)
@pytest.mark.parametrize("which", ["three classes", "one number"])
def test_scalers_become_the_scaling_of_the_network(name: str, which: str, tmp_path: Path) -> None:
    make, y = TARGETS[which]
    model = fit(make_pipeline(*SCALERS[name](), make(hidden_layer_sizes=(6,), max_iter=15, random_state=0)), X, y)
    net = nnkit.from_sklearn(model)
    assert_same(net, model, X)
    assert (net.preprocessing is None) == (name in ("none", "passed through"))
    net.save(tmp_path / "net.h5")
    again = nnkit.load(tmp_path / "net.h5")
    assert np.array_equal(again.predict(X), net.predict(X))
    assert again.classes == net.classes
    net.fit(X, y, epochs=2, progress=False)


def test_columns_keep_their_names() -> None:
    table = peer("pandas").DataFrame(X, columns=list("abcde"))
    for steps in ([], [StandardScaler()]):
        model = fit(
            make_pipeline(*steps, MLPRegressor(hidden_layer_sizes=(4,), max_iter=5, random_state=0)), table, X[:, 0]
        )
        net = nnkit.from_sklearn(model)
        assert net.preprocessing is not None
        assert net.preprocessing.features == tuple("abcde")
        np.testing.assert_allclose(net.predict(table[list("edcba")])[:, 0], model.predict(table), rtol=1e-12)


def test_a_class_that_is_made_of_it() -> None:
    class Own(MLPRegressor):  # type: ignore[misc]
        """Somebody's."""

    model = fit(Own(hidden_layer_sizes=(4,), max_iter=3, random_state=0), X, X[:, 0])
    assert_same(nnkit.from_sklearn(model), model, X)


ACCEPTED = (
    "from_sklearn: expected a fitted MLPClassifier or MLPRegressor, or a Pipeline of scalers and one of them, got "
)


def test_other_objects() -> None:
    search = GridSearchCV(MLPClassifier(hidden_layer_sizes=(3,), max_iter=2, random_state=0), {"alpha": [0.1]}, cv=2)
    search = fit(search, X, THREE)
    wrong = {
        r"LogisticRegression\(\)$": LogisticRegression(),
        "None$": None,
        "3$": 3,
        "<class .*MLPClassifier'>; pass an object of it, not the class": MLPClassifier,
        r"GridSearchCV\(.*; pass its best_estimator_": search,
        r"Pipeline\(steps=\[\]\)$": Pipeline([]),
        "'passthrough'$": make_pipeline(StandardScaler(), "passthrough"),
    }
    for reason, thing in wrong.items():
        with pytest.raises(ArgumentError, match=ACCEPTED + reason):
            nnkit.from_sklearn(thing)


def test_what_changes_targets_is_no_network() -> None:
    from sklearn.compose import TransformedTargetRegressor

    inner = MLPRegressor(hidden_layer_sizes=(3,), max_iter=2, random_state=0)
    model = fit(TransformedTargetRegressor(inner, transformer=StandardScaler()), X, X[:, 0])
    with pytest.raises(ArgumentError, match=ACCEPTED + r"TransformedTargetRegressor\(.*\.\.\.$"):
        nnkit.from_sklearn(model)


def test_networks_of_nnkit_are_there_already() -> None:
    own = nnkit_estimator().fit(X, THREE)
    with pytest.raises(
        ArgumentError, match=r"got Classifier\(.*; it holds a network of nnkit's already, which is its n"
    ):
        nnkit.from_sklearn(make_pipeline(StandardScaler(), own))


def nnkit_estimator() -> Any:
    """An estimator of nnkit's."""
    from nnkit.sklearn import Classifier

    return Classifier(hidden=3, epochs=1, random_state=0)


def test_what_is_not_fitted() -> None:
    with pytest.raises(
        ArgumentError, match=r"MLPClassifier is not fitted: it has no coefs_; call its fit\(x, y\) first"
    ):
        nnkit.from_sklearn(MLPClassifier())
    model, _ = made("one number")
    with pytest.raises(ArgumentError, match=r"StandardScaler is not fitted: it has no scale_; call its fit"):
        nnkit.from_sklearn(make_pipeline(StandardScaler(), model))


def test_other_steps() -> None:
    model, _ = made("one number")
    steps = [("more", PolynomialFeatures(1, include_bias=False)), ("scale", StandardScaler()), ("net", model)]
    with pytest.raises(
        ArgumentError,
        match=r"step 'more' of the pipeline is PolynomialFeatures; before the .* may be StandardScaler, M",
    ):
        nnkit.from_sklearn(Pipeline(steps))
    for scaler in (MinMaxScaler(clip=True), MaxAbsScaler().fit(X).set_params(clip=True) if _clips() else None):
        if scaler is not None:
            with pytest.raises(
                ArgumentError, match=r"step 'm.*scaler' of the pipeline, M.*\(clip=True\), cuts off val"
            ):
                nnkit.from_sklearn(make_pipeline(scaler.fit(X), model))


def _clips() -> bool:
    return "clip" in MaxAbsScaler().get_params()


def test_one_class_alone() -> None:
    model = fit(MLPClassifier(hidden_layer_sizes=(3,), max_iter=2, random_state=0), X, np.zeros(60, int))
    with pytest.raises(ArgumentError, match="knows 1 class and has 1 outputs; fit it with rows of all classes"):
        nnkit.from_sklearn(model)


def test_what_somebody_changed_afterwards() -> None:
    model, _ = made("one number")
    model.activation = "cube"
    with pytest.raises(ArgumentError, match="unknown activation of scikit-learn 'cube'"):
        nnkit.from_sklearn(model)
    model.activation = "relu"
    model.coefs_[1] = model.coefs_[1][:, :2]
    with pytest.raises(ValueError, match=r"parameter 'layers.1.weight' has shape \(7, 4\), got \(7, 2\)"):
        nnkit.from_sklearn(model)
    model, _ = made("one number")
    model.coefs_[0][0, 0] = np.nan
    with pytest.raises(DataError, match=r"'layers.0.weight' holds NaN"):
        nnkit.from_sklearn(model)


def test_rows_and_targets_that_were_sparse() -> None:
    """What an estimator was fitted with does not matter: it keeps nothing of it."""
    csr = peer("scipy.sparse").csr_matrix
    y = TARGETS["several answers"][1]
    model = fit(MLPClassifier(hidden_layer_sizes=(4,), max_iter=3, random_state=0), csr(X), csr(y))
    assert_same(nnkit.from_sklearn(model), model, X)


def test_nothing_of_scikit_learn_is_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    model, _ = made("one number")
    for name in [name for name in sys.modules if name.startswith(("sklearn", "nnkit.formats.scikit"))]:
        monkeypatch.delitem(sys.modules, name)
    from nnkit.formats.scikit import from_sklearn

    assert from_sklearn(model).output_shape == (1,)
    assert not [name for name in sys.modules if name.startswith("sklearn")]


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(40))
def test_random_estimators(seed: int) -> None:
    draw = np.random.default_rng(seed)
    which = list(TARGETS)[seed % len(TARGETS)]
    hidden = tuple(int(width) for width in draw.integers(1, 40, size=draw.integers(0, 4)))
    activation = str(draw.choice(["identity", "logistic", "tanh", "relu"]))
    make, y = TARGETS[which]
    steps = SCALERS[list(SCALERS)[seed % len(SCALERS)]]()
    model = make_pipeline(
        *steps, make(hidden_layer_sizes=hidden, activation=activation, max_iter=20, random_state=seed)
    )
    assert_same(nnkit.from_sklearn(fit(model, X, y)), model, X)
