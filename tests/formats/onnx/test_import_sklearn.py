"""Files that skl2onnx writes of scikit-learn's networks: predictions beside scikit-learn and onnxruntime."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nnkit
from nnkit.errors import FileError
from tests.formats.onnx.graphs import layers, loaded, model, node, runtime, weights
from tests.peers import peer

DRAW = np.random.default_rng(0)
X = (DRAW.normal(size=(90, 3)) * [1.0, 3.0, 0.5] + [0.0, 2.0, -1.0]).astype(np.float32)
NUMBERS = X @ np.array([1.0, -2.0, 0.5]) + DRAW.normal(size=90)
TWO = (X[:, 0] > 0).astype(int)
THREE = np.digitize(X[:, 0], [-0.4, 0.4])
SEVERAL = (DRAW.random((90, 3)) > 0.5).astype(int)
NAMES = np.array(["cat", "dog", "eel"])


def fitted(estimator: Any, y: Any, *before: Any) -> Any:
    """An estimator after a few steps; that it has not converged is left aside."""
    pipeline = peer("sklearn.pipeline").make_pipeline(*before, estimator) if before else estimator
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pipeline.fit(X, y)


def classifier(**options: Any) -> Any:
    chosen = {"max_iter": 8} | options
    return peer("sklearn.neural_network").MLPClassifier(hidden_layer_sizes=(5,), random_state=0, **chosen)


def regressor(**options: Any) -> Any:
    return peer("sklearn.neural_network").MLPRegressor(hidden_layer_sizes=(5,), max_iter=8, random_state=0, **options)


def exported(estimator: Any, dtype: Any = np.float32, options: dict[str, Any] | None = None, **more: Any) -> Any:
    return peer("skl2onnx").to_onnx(
        estimator, X[:1].astype(dtype), options=None if options is None else {id(estimator): options}, **more
    )


def check_numbers(network: nnkit.Network, expected: Any, x: Any = X) -> None:
    """In float32 both; scikit-learn computes in float64 where it was fitted so."""
    found = network.predict(x)
    np.testing.assert_allclose(found, np.reshape(expected, found.shape), rtol=2e-5, atol=2e-5)


@pytest.mark.parametrize("options", [{}, {"zipmap": False}, {"zipmap": "columns"}, {"nocl": True}], ids=str)
@pytest.mark.parametrize("labels", ["numbers", "names", "other numbers"])
def test_a_classifier_of_three(options: dict[str, Any], labels: str, tmp_path: Path) -> None:
    y = {"numbers": THREE, "names": NAMES[THREE], "other numbers": np.array([3, 5, 9])[THREE]}[labels]
    estimator = fitted(classifier(activation="tanh"), y)
    network = loaded(exported(estimator, options=options), tmp_path)
    check_numbers(network, estimator.predict_proba(X))
    assert layers(network) == "Dense(5, activation='tanh'), Dense(3, activation='softmax')"
    if not options.get("nocl"):
        names = {"numbers": None, "names": ("cat", "dog", "eel"), "other numbers": ("3", "5", "9")}
        assert network.classes == names[labels]


@pytest.mark.parametrize(
    "options", [{}, {"zipmap": False}, {"zipmap": "columns"}, {"output_class_labels": True, "zipmap": False}], ids=str
)
@pytest.mark.parametrize("named", [False, True])
def test_a_classifier_of_two_has_one_column(options: dict[str, Any], named: bool, tmp_path: Path) -> None:
    """That of the second class, as nnkit's networks of two classes have it."""
    estimator = fitted(classifier(), NAMES[TWO] if named else TWO)
    network = loaded(exported(estimator, options=options), tmp_path)
    check_numbers(network, estimator.predict_proba(X)[:, 1])
    assert layers(network) == "Dense(5, activation='relu'), Dense(1, activation='sigmoid')"
    assert network.classes == (("cat", "dog") if named else None)


def test_a_classifier_that_came_in_can_be_tested_and_trained_on(tmp_path: Path) -> None:
    for y in (NAMES[TWO], NAMES[THREE]):
        estimator = fitted(classifier(max_iter=200, learning_rate_init=0.02), y)
        network = loaded(exported(estimator), tmp_path)
        assert network.test(X, y).accuracy == pytest.approx(estimator.score(X, y))
        before = network.test(X, y).loss
        network.fit(X, y, epochs=20, learning_rate=0.01, progress=False)
        assert network.test(X, y).loss < before


def test_several_labels_at_once(tmp_path: Path) -> None:
    estimator = fitted(classifier(activation="logistic"), SEVERAL)
    network = loaded(exported(estimator), tmp_path)
    check_numbers(network, estimator.predict_proba(X))
    assert layers(network) == "Dense(5, activation='sigmoid'), Dense(3, activation='sigmoid')"


@pytest.mark.parametrize("outputs", [1, 2])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_regressor(outputs: int, dtype: str, tmp_path: Path) -> None:
    """Of several outputs skl2onnx makes one column, one under the other; here they are side by side."""
    estimator = fitted(regressor(activation="identity"), NUMBERS if outputs == 1 else np.stack([NUMBERS, X[:, 1]], 1))
    made = exported(estimator, dtype)
    network = loaded(made, tmp_path)
    assert network.dtype == dtype
    assert network.output_shape == (outputs,)
    check_numbers(network, estimator.predict(X.astype(dtype)))
    check_numbers(network, runtime(made, X.astype(dtype)), X.astype(dtype))


def test_whole_numbers(tmp_path: Path) -> None:
    estimator = fitted(regressor(), NUMBERS)
    whole = np.round(X).astype(np.int64)
    check_numbers(loaded(exported(estimator, np.int64), tmp_path), estimator.predict(whole), whole)


@pytest.mark.parametrize("name", ["StandardScaler", "MinMaxScaler", "MaxAbsScaler", "RobustScaler"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_pipeline_with_a_scaler(name: str, dtype: str, tmp_path: Path) -> None:
    """What scales is the network's preprocessing: rows go in as they were measured."""
    scaler = getattr(peer("sklearn.preprocessing"), name)()
    estimator = fitted(regressor(), NUMBERS, scaler)
    network = loaded(exported(estimator, dtype), tmp_path)
    check_numbers(network, estimator.predict(X))
    assert layers(network) == "Dense(5, activation='relu'), Dense(1, activation='identity')"
    assert network.preprocessing is not None
    assert network.preprocessing.scaling is not None
    np.testing.assert_allclose(network.preprocessing.scaling.apply(X), scaler.transform(X), rtol=1e-5, atol=1e-5)


def test_scalers_with_options(tmp_path: Path) -> None:
    standard, limits = (getattr(peer("sklearn.preprocessing"), name) for name in ("StandardScaler", "MinMaxScaler"))
    for scaler in (standard(with_mean=False), standard(with_std=False), limits(clip=True), limits((-1, 1))):
        estimator = fitted(regressor(), NUMBERS, scaler)
        check_numbers(loaded(exported(estimator), tmp_path), estimator.predict(X * 2), X * 2)


def test_older_operators_and_a_free_number_of_columns(tmp_path: Path) -> None:
    estimator = fitted(classifier(), THREE, peer("sklearn.preprocessing").StandardScaler())
    for target in (9, 11, 12, 15):
        check_numbers(loaded(exported(estimator, target_opset=target), tmp_path), estimator.predict_proba(X))
    free = peer("skl2onnx.common.data_types").FloatTensorType([None, None])
    made = peer("skl2onnx").to_onnx(estimator, initial_types=[("x", free)])
    check_numbers(loaded(made, tmp_path), estimator.predict_proba(X))


def test_labels_alone_are_refused(tmp_path: Path) -> None:
    made = exported(fitted(classifier(), THREE), options={"zipmap": False})
    del made.graph.output[1]
    with pytest.raises(FileError, match=r"net\.onnx has classes as its only output.*export the probabilities"):
        loaded(made, tmp_path)


def test_columns_as_inputs_are_refused(tmp_path: Path) -> None:
    made = exported(fitted(regressor(), NUMBERS))
    made.graph.input.append(made.graph.input[0])
    made.graph.input[1].name = "age"
    with pytest.raises(
        FileError, match=r"has 2 inputs \('X', 'age'\), and nnkit reads networks of one; export it with one"
    ):
        loaded(made, tmp_path)


def test_both_columns_in_the_middle_are_refused(tmp_path: Path) -> None:
    nodes = [
        node("Gemm", "x w", "a"),
        node("Sigmoid", "a", "p"),
        node("Sub", "one p", "q"),
        node("Concat", "q p", "c", axis=1),
        node("Gemm", "c v", "y"),
    ]
    with pytest.raises(
        FileError, match=r"'concat_c' \(Concat\), which makes 1 − p and p out of p|makes p into 1 − p and p"
    ):
        loaded(model(nodes, {"w": weights(3, 1), "v": weights(2, 2), "one": 1.0}), tmp_path)


def test_classes_that_are_not_those_of_the_network(tmp_path: Path) -> None:
    made = exported(fitted(classifier(), NAMES[THREE]))
    zipped = next(part for part in made.graph.node if part.op_type == "ZipMap")
    zipped.attribute[0].strings.append(b"fox")
    del made.graph.output[0]
    with pytest.raises(FileError, match=r"has the classes 'cat', 'dog', 'eel', 'fox' for a network that tells 3 apart"):
        loaded(made, tmp_path)


def test_a_forest_is_refused(tmp_path: Path) -> None:
    estimator = fitted(peer("sklearn.ensemble").RandomForestRegressor(n_estimators=2, random_state=0), NUMBERS)
    with pytest.raises(FileError, match=r"stands for: ai\.onnx\.ml\.TreeEnsemble"):
        loaded(exported(estimator), tmp_path)
