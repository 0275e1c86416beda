"""What an estimator refuses: when, in which words, and that it is then as it was before."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np
import pytest

import nnkit
from nnkit.errors import ArgumentError, DataError, MissingExtraError, NnkitError, ShapeError
from nnkit.optimizers import SGD
from tests.sklearn.data import blobs, same, waves

from nnkit.sklearn import Classifier, Regressor  # isort: skip

X, Y = blobs()
ANSWERS = np.stack([Y > 0, Y > 1], axis=1).astype(int)
NAN = np.where(np.arange(4) == 1, np.nan, X)

PARAMETERS: dict[str, tuple[dict[str, Any], str]] = {
    "no neurons": ({"hidden": (0,)}, r"hidden\[0\] must be between 1 and"),
    "hidden as text": ({"hidden": "100"}, "hidden must be a list of numbers of neurons"),
    "activation": ({"activation": "rely"}, "unknown activation 'rely'. Did you mean 'relu'"),
    "activations": ({"activation": ["relu", "tanh"]}, "activation has 2 entries for 1 hidden layers"),
    "dropout": ({"dropout": 1.0}, "Dropout: rate is the share of values that are dropped, at least 0 and below 1"),
    "optimizer": ({"optimizer": "adan"}, "unknown optimizer 'adan'. Did you mean 'adam'"),
    "rate": ({"learning_rate": -1}, "Adam: learning_rate is -1, expected a number in"),
    "rate twice": ({"optimizer": SGD(0.1), "learning_rate": 0.5}, "has no effect beside an optimiser object"),
    "batch": ({"batch_size": 0}, "batch_size must be a whole number from 1, got 0"),
    "batch as text": ({"batch_size": "all"}, "unknown batch_size 'all'. Known: auto"),
    "epochs": ({"epochs": -1}, "epochs must be a whole number from 0, got -1"),
    "loss": ({"loss": "cross_entrop"}, "unknown loss 'cross_entrop'"),
    "l2": ({"l2": -1.0}, "l2 must be a finite number that is not negative"),
    "patience": ({"patience": 0}, r"patience is 0, expected a whole number from 1 up"),
    "tol": ({"tol": -1.0}, r"tol is -1\.0, expected a number in \[0, inf\)"),
    "fraction": (
        {"early_stopping": True, "validation_fraction": 1.0},
        r"validation_fraction is 1\.0, expected a number in \(0, 1\)",
    ),
    "shuffle": ({"shuffle": "yes"}, "shuffle must be True or False, got 'yes'"),
    "callbacks": ({"callbacks": [1]}, r"callbacks\[0\] is 1; expected a nnkit\.Callback object"),
    "device": ({"device": "tpu"}, "there is no backend for device 'tpu' here"),
    "dtype": ({"dtype": "float16"}, "unknown dtype 'float16'"),
    "compile": ({"compile": "always"}, "compile must be 'auto', 'first' or 'off', got 'always'"),
}


@pytest.mark.parametrize("kind", [Classifier, Regressor])
@pytest.mark.parametrize(("parameters", "message"), PARAMETERS.values(), ids=PARAMETERS)
def test_fit_checks_the_parameters(kind: Any, parameters: dict[str, Any], message: str) -> None:
    net = kind(**parameters)  # which only stores them
    assert all(net.get_params()[name] is value for name, value in parameters.items())
    with pytest.raises(NnkitError, match=message):
        net.fit(X, Y)
    assert not hasattr(net, "network_")


def test_one_row_has_none_to_set_aside() -> None:
    with pytest.raises(DataError, match="early stopping sets rows aside for validation, and X has 1 sample; pass"):
        Regressor(early_stopping=True).fit(X[:1], Y[:1])
    Regressor(early_stopping=True, epochs=1).fit(X[:1], Y[:1], validation_data=(X[1:], Y[1:]))


def test_a_refused_random_state() -> None:
    with pytest.raises(ValueError, match="'seven' cannot be used to seed"):
        Classifier(random_state="seven").fit(X, Y)


DATA: dict[str, tuple[Any, Any, dict[str, Any], str]] = {
    "nan": (NAN, Y, {}, "Input X contains NaN"),
    "infinity": (np.where(np.arange(4) == 1, np.inf, X), Y, {}, "Input X contains infinity"),
    "complex": (X * 1j, Y, {}, "Complex data not supported"),
    "text": ([["a"]] * 60, Y, {}, "could not convert string to float"),
    "no rows": (X[:0], Y[:0], {}, r"Found array with 0 sample\(s\)"),
    "a vector": (X[:, 0], Y, {}, "Expected 2D array, got 1D array instead"),
    "rows": (X, Y[:-1], {}, "inconsistent numbers of samples"),
    "numbers": (X, X[:, 0], {}, "Unknown label type: continuous"),
    "no y": (X, None, {}, "requires y to be passed, but the target y is None"),
    "several classes": (X, np.stack([Y, Y], axis=1), {}, r"y has shape \(60, 2\) and holds several classes for each"),
    "weights": (X, Y, {"sample_weight": -np.ones(60)}, "sample_weight has -1 in row 0; weights cannot be negative"),
    "no weight": (X, Y, {"sample_weight": np.zeros(60)}, "sample_weight is zero in every row"),
    "too few weights": (X, Y, {"sample_weight": np.ones(3)}, "sample_weight has 3 rows and x has 60"),
    "validation": (X, Y, {"validation_data": X}, r"validation_data must be \(x, y\) or \(x, y, sample_weight\)"),
    "validation columns": (X, Y, {"validation_data": (X[:, :2], Y)}, "X has 2 features, but Classifier is expecting 4"),
    "validation classes": (X, Y, {"validation_data": (X, Y + 1)}, "y has the classes 3, which are not among those"),
    "validation kind": (X, Y, {"validation_data": (X, ANSWERS)}, r"y has shape \(60, 2\), several answers of 0 and 1"),
    "other answers": (X, 2 * ANSWERS, {}, r"y has 2 at row \d+, column 0, outside 0 to 1"),
}


@pytest.mark.parametrize(("x", "y", "options", "message"), DATA.values(), ids=DATA)
@pytest.mark.parametrize("fitted", [False, True])
def test_a_refused_fit_leaves_no_trace(x: Any, y: Any, options: dict[str, Any], message: str, fitted: bool) -> None:
    net = Classifier(hidden=(4,), epochs=2, random_state=0)
    twin = Classifier(hidden=(4,), epochs=2, random_state=0)
    if fitted:
        twin.fit(X, np.array(["a", "b", "c"])[Y])
        net.fit(X, np.array(["a", "b", "c"])[Y])
    before = dict(vars(net))
    with pytest.raises(ValueError, match=message):
        net.fit(x, y, **options)
    assert vars(net).keys() == before.keys()
    assert all(vars(net)[name] is value for name, value in before.items())
    if fitted:
        assert same(net, twin)
        assert net.score(X, np.array(["a", "b", "c"])[Y]) == twin.score(X, np.array(["a", "b", "c"])[Y])


@pytest.mark.parametrize("activation", ["relu", "identity", "exponential", np.tanh, nnkit.nn.PReLU()])
def test_outputs_that_are_no_probabilities_are_refused(activation: Any) -> None:
    for y, usual in ((Y, "softmax"), (Y % 2, "sigmoid"), (ANSWERS, "sigmoid")):
        with pytest.raises(
            ArgumentError, match=f"does not give the probabilities of .*; use 'auto', .* '{usual}' here"
        ):
            Classifier(output_activation=activation).fit(X, y)


def test_outputs_that_are_probabilities_of_something_else_are_refused() -> None:
    with pytest.raises(
        ArgumentError, match=r"output_activation='sigmoid' does not give the probabilities of 3 classes"
    ):
        Classifier(output_activation="sigmoid").fit(X, Y)
    with pytest.raises(ArgumentError, match=r"'softmax' does not give the probabilities of several answers of 0 and 1"):
        Classifier(output_activation="softmax").fit(X, ANSWERS)
    with pytest.raises(ArgumentError, match="loss 'binary_cross_entropy' needs probabilities"):
        Classifier(loss="binary_cross_entropy", output_activation="log_softmax").fit(X, Y)


def test_class_weights_that_cannot_be_meant() -> None:
    with pytest.raises(ValueError, match="The 'class_weight' parameter of compute_class_weight must be"):
        Classifier(class_weight="balance").fit(X, Y)
    with pytest.raises(ValueError, match=r"The classes, .*, are not in class_weight"):
        Classifier(class_weight={0: 1.0, 7: 2.0}).fit(X, Y)
    with pytest.raises(ArgumentError, match="class_weight needs one class for each row, and y has several answers"):
        Classifier(class_weight="balanced").fit(X, ANSWERS)


def test_partial_fit_needs_to_know_all_classes_and_stays_with_them() -> None:
    net = Classifier(hidden=(4,))
    with pytest.raises(ArgumentError, match="classes must be passed on the first call to partial_fit"):
        net.partial_fit(X, Y)
    with pytest.raises(DataError, match="y has the classes 2, which are not among those that the network knows: 0, 1;"):
        net.partial_fit(X, Y, classes=[0, 1])
    assert not hasattr(net, "classes_")
    net.partial_fit(X, Y, classes=[2, 1, 0])
    with pytest.raises(ArgumentError, match=r"classes=\[0, 1\] is not the same as on the last call, \[0, 1, 2\]"):
        net.partial_fit(X, Y, classes=[0, 1])
    with pytest.raises(ValueError, match="X has 2 features, but Classifier is expecting 4 features"):
        net.partial_fit(X[:, :2], Y)
    with pytest.raises(DataError, match=r"several answers of 0 and 1 for each row, but the network was built for one"):
        net.partial_fit(X, ANSWERS)
    net.partial_fit(X, Y, classes=[0, 1, 2])


def test_partial_fit_refuses_what_needs_all_the_data() -> None:
    with pytest.raises(ArgumentError, match="class_weight='balanced' is not supported by partial_fit"):
        Classifier(class_weight="balanced").partial_fit(X, Y, classes=[0, 1, 2])
    for net, more in ((Classifier(early_stopping=True), {"classes": [0, 1, 2]}), (Regressor(early_stopping=True), {})):
        with pytest.raises(ArgumentError, match="partial_fit does one epoch, which early stopping cannot shorten"):
            net.partial_fit(X, Y, **more)


def test_going_on_with_another_network_is_refused() -> None:
    net = Regressor(hidden=(4,), epochs=2, warm_start=True).fit(*waves())
    before = net.network_.parameters()
    net.set_params(hidden=[4]).fit(*waves())  # the same
    for call in (net.fit, net.partial_fit):
        with pytest.raises(ArgumentError, match=r"hidden is \(5,\), but the network that .* has hidden=\(4,\); set it"):
            net.set_params(hidden=(5,)) and call(*waves())
    assert before.keys() == net.network_.parameters().keys()
    net.set_params(hidden=(5,), warm_start=False).fit(*waves())
    assert net.network_.module.layers[0].units == 5


def test_warm_start_with_other_columns_or_classes_is_refused() -> None:
    net = Classifier(hidden=(4,), epochs=2, warm_start=True).fit(X, Y)
    with pytest.raises(ValueError, match="X has 2 features, but Classifier is expecting 4"):
        net.fit(X[:, :2], Y)
    with pytest.raises(DataError, match="y has the classes 3, which are not among"):
        net.fit(X, Y + 1)
    with pytest.raises(ShapeError, match=r"y has shape \(60, 2\), expected \(60, 1\)"):
        Regressor(epochs=1, warm_start=True).fit(X, Y).fit(X, ANSWERS)


WITHOUT = """
import sys
sys.modules["sklearn"] = None
import nnkit
try:
    import nnkit.sklearn
except nnkit.errors.MissingExtraError as error:
    print(error)
"""


def test_without_scikit_learn_the_extra_is_named() -> None:
    out = subprocess.run([sys.executable, "-c", WITHOUT], capture_output=True, text=True, check=True).stdout
    assert out.strip() == 'nnkit.sklearn needs scikit-learn 1.6 or newer: pip install "nnkit[sklearn]"'
    assert issubclass(MissingExtraError, ImportError)
