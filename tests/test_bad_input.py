"""Everything that a user may get wrong in a call: the message helps, and the network is as if it had not happened."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import nnkit
from nnkit import EarlyStopping
from nnkit.errors import ArgumentError, DataError, DeviceError, DtypeError, NnkitError, ShapeError, TraceError
from nnkit.optimizers import SGD, Adam
from tests.training.small import blobs, fit, network, same, values

X, Y = blobs(40)
NAN, INFINITE = X.copy(), X.copy()
NAN[3, 1], INFINITE[5, 2] = np.nan, np.inf


class Unsaid(nnkit.losses.Loss):
    """A loss that does not say what it is for."""

    name = "unsaid"

    def __call__(self, prediction: Any, target: Any) -> Any:
        return prediction - target


FIT: dict[str, tuple[dict[str, Any], type[NnkitError], str]] = {
    # what the network is given
    "too few columns": (
        {"x": X[:, :2]},
        ShapeError,
        r"layer 'layers\.0' \(Dense\) expects 3 inputs, got 2: x has shape \(40, 2\); pass 3 columns, or build the",
    ),
    "one row as a vector": ({"x": X[0], "y": Y[:1]}, ShapeError, r"for a single row write x\.reshape\(1, 3\)"),
    "rows and columns swapped": ({"x": X[:3].T[:, :2], "y": Y[:3]}, ShapeError, r"expects 3 inputs, got 2"),
    "pictures": ({"x": np.zeros((40, 3, 1))}, ShapeError, r"write x\.reshape\(-1, 3\)"),
    "missing labels": (
        {"y": np.where(np.arange(40) % 20 == 3, np.nan, Y)},
        DtypeError,
        r"y has no label in row 3 \(nan; 2 such rows\); leave these rows out of x and y$",
    ),
    "a schedule by its name": (
        {"optimizer": "adam", "learning_rate": "cosine"},
        ArgumentError,
        r"learning_rate is 'cosine', expected a number in \[0, inf\), or one that changes, such as nnkit\.optimizers\.",
    ),
    "nan": (
        {"x": NAN},
        DataError,
        r"x has NaN at row 3, column 1 \(1 such value in all\); leave those rows out or fill",
    ),
    "infinity": ({"x": INFINITE}, DataError, "x has infinity at row 5, column 2"),
    "beyond float32": ({"x": X * 1e300}, DataError, r"too large for float32 .* build the network with dtype='float64'"),
    "empty": ({"x": [], "y": []}, DataError, r"x is empty: its shape is \(0,\)"),
    "no rows": ({"x": X[:0], "y": Y[:0]}, DataError, r"x is empty: its shape is \(0, 3\)"),
    "None": ({"x": None}, DataError, "x is None; expected an array"),
    "no y": ({"y": None}, DataError, "y is missing: give x and y"),
    "text": ({"x": [["a", "b", "c"]] * 40}, DataError, "x holds text, such as 'a'"),
    "objects": ({"x": [[{}, {}, {}]] * 40}, DataError, "x holds objects of type dict"),
    "complex": ({"x": X * 1j}, DataError, "x holds complex numbers"),
    "ragged": ({"x": [[1.0, 2.0, 3.0], [1.0]], "y": [0, 1]}, DataError, "x is ragged: row 0 has 3 values, row 1 has 1"),
    "generator": ({"x": (row for row in X)}, DataError, r"x is a generator; expected an array: for an iterable write"),
    "dictionary": ({"x": {"a": 1}}, DataError, "x is a dict; expected an array"),
    "masked": ({"x": np.ma.masked_greater(X, 2)}, DataError, r"x has \d+ masked values"),
    # labels
    "other number of labels": ({"y": Y[:-1]}, ShapeError, "y has 39 rows and x has 40; each row of x needs one in y"),
    "numbers as labels": (
        {"y": X[:, 0]},
        DtypeError,
        "for a regression build the network with output_activation='identi",
    ),
    "labels from 1": ({"y": Y + 1}, DataError, "expected 0 to 2; labels start at 1: write y - 1"),
    "negative labels": ({"y": Y - 1}, DataError, r"y has the label -1 in row \d+, expected 0 to 2; encode the labels"),
    "labels out of range": ({"y": Y * 5}, DataError, "expected 0 to 2; the labels need a network with 11 outputs"),
    "too few names": (
        {"y": np.array(["cat", "dog"])[Y % 2]},
        DataError,
        "y has 2 different texts, 'cat', 'dog', and",
    ),
    "one-hot of other width": ({"y": np.eye(4)[Y]}, ShapeError, r"y has shape \(40, 4\) and the network has 3 outputs"),
    "not probabilities": ({"y": 2 * np.eye(3)[Y]}, DataError, "row 0 of y sums to 2, expected 1"),
    "nan in one-hot": ({"y": np.full((40, 3), np.nan)}, DataError, "y has NaN at row 0, column 0"),
    # options
    "batch 0": ({"batch_size": 0}, ArgumentError, "batch_size must be a whole number from 1, got 0"),
    "batch -1": ({"batch_size": -1}, ArgumentError, "batch_size must be a whole number from 1, got -1"),
    "half a batch": ({"batch_size": 1.5}, ArgumentError, r"batch_size must be a whole number from 1, got 1\.5"),
    "batch as truth": ({"batch_size": True}, ArgumentError, "batch_size must be a whole number from 1, got True"),
    "epochs": ({"epochs": -1}, ArgumentError, "epochs must be a whole number from 0, got -1"),
    "half an epoch": ({"epochs": 0.5}, ArgumentError, r"epochs must be a whole number from 0, got 0\.5"),
    "optimizer": ({"optimizer": "adan"}, ArgumentError, "unknown optimizer 'adan'. Did you mean 'adam'"),
    "optimizer class": (
        {"optimizer": Adam},
        ArgumentError,
        r"optimizer must be a name or an object of that kind, got .*; write 'adam', or Adam\(\) with its brackets",
    ),
    "loss function": ({"loss": abs}, ArgumentError, "loss is a function, .* derived from nnkit.losses.Loss"),
    "loss unsaid": ({"loss": Unsaid()}, ArgumentError, "loss: Unsaid has no targets and no domain; its class says so"),
    "rate": ({"learning_rate": -1}, ArgumentError, "Adam: learning_rate is -1, expected a number in"),
    "rate nan": ({"learning_rate": float("nan")}, ArgumentError, "Adam: learning_rate is nan, expected a number in"),
    "rate as text": ({"learning_rate": "0.1"}, ArgumentError, "Adam: learning_rate is '0.1', expected a number in"),
    "rate twice": (
        {"optimizer": SGD(0.1), "learning_rate": 0.5},
        ArgumentError,
        "has no effect beside an optimiser obj",
    ),
    "loss": ({"loss": "cross_entrop"}, ArgumentError, "unknown loss 'cross_entrop'. Did you mean 'cross_entropy'"),
    "loss object": ({"loss": 5}, ArgumentError, "loss must be a name or an object of that kind, got 5"),
    "compile": ({"compile": "always"}, ArgumentError, "compile must be 'auto', 'first' or 'off', got 'always'"),
    "shuffle": ({"shuffle": "yes"}, ArgumentError, "shuffle must be True or False, got 'yes'"),
    "split": (
        {"validation_split": 20},
        ArgumentError,
        "validation_split must be a number from 0 up to, but not, 1, got 20",
    ),
    "both validations": ({"validation_split": 0.1, "validation_data": (X, Y)}, ArgumentError, "not both"),
    "validation": ({"validation_data": (X[:, :1], Y)}, ShapeError, r"validation x has shape \(40, 1\)"),
    "weights": (
        {"sample_weight": -np.ones(40)},
        DataError,
        "sample_weight has -1 in row 0; weights cannot be negative",
    ),
    "zero weights": ({"sample_weight": np.zeros(40)}, DataError, "sample_weight is zero in every row"),
    "weights length": ({"sample_weight": np.ones(3)}, ShapeError, "sample_weight has 3 rows and x has 40"),
    "class weights": ({"class_weight": "balance"}, ArgumentError, "class_weight is 'balance'; expected 'balanced'"),
    "unknown class": (
        {"class_weight": {7: 1.0}},
        ArgumentError,
        "class_weight has the label 7, expected integers 0 to 2",
    ),
    "class weights length": ({"class_weight": [1, 2]}, ShapeError, r"class_weight has shape \(2,\), expected \(3,\)"),
    "callbacks": ({"callbacks": [1]}, ArgumentError, r"callbacks\[0\] is 1; expected a nnkit\.Callback object"),
    "monitor": (
        {"callbacks": EarlyStopping()},
        ArgumentError,
        "EarlyStopping watches 'val_loss', but training records",
    ),
}


@pytest.fixture(scope="module")
def undisturbed() -> dict[str, np.ndarray]:
    """What two trainings with one optimiser give when nothing goes wrong between them."""
    net, optimizer = network(dtype="float32"), Adam(0.01)
    fit(net, X, Y, epochs=2, optimizer=optimizer)
    fit(net, X, Y, epochs=2, optimizer=optimizer)
    return values(net)


@pytest.mark.parametrize(("wrong", "error", "message"), FIT.values(), ids=FIT)
def test_a_refused_fit_leaves_no_trace(
    wrong: dict[str, Any], error: type[NnkitError], message: str, undisturbed: dict[str, np.ndarray]
) -> None:
    net, optimizer = network(dtype="float32"), Adam(0.01)
    fit(net, X, Y, epochs=2, optimizer=optimizer)
    before, steps = values(net), net._model.steps_done
    given = {"x": X, "y": Y} | wrong
    with pytest.raises(error, match=message):
        fit(net, given.pop("x"), given.pop("y"), **given)
    assert same(values(net), before)
    assert net._model.steps_done == steps
    fit(net, X, Y, epochs=2, optimizer=optimizer)
    assert same(values(net), undisturbed)


def test_a_loss_that_fails_while_it_is_traced_leaves_no_trace(undisturbed: dict[str, np.ndarray]) -> None:
    class Broken(nnkit.losses.Loss):
        name, targets, domain = "broken", "classes", "any"

        def __call__(self, prediction: Any, target: Any) -> Any:
            raise RuntimeError("not today")

    net, optimizer = network(dtype="float32"), Adam(0.01)
    fit(net, X, Y, epochs=2, optimizer=optimizer)
    with pytest.raises(RuntimeError, match="not today"):
        fit(net, X, Y, epochs=1, loss=Broken(), optimizer=SGD(0.1, momentum=0.9))
    assert net.test(X, Y).accuracy > 0  # its loss is the one of the last training that took place
    fit(net, X, Y, epochs=2, optimizer=optimizer)
    assert same(values(net), undisturbed)


ONE_HOT_MEANT: dict[str, tuple[dict[str, Any], Any, type[NnkitError], str]] = {
    "labels for several answers": (
        {"output_activation": "sigmoid"},
        Y,
        ShapeError,
        r"y has shape \(40,\), expected \(40, 3\)",
    ),
    "labels for several numbers": (
        {"output_activation": "identity"},
        Y,
        ShapeError,
        r"it looks like labels of 3 classes: those need a network with output_activation='softmax', and no loss=$",
    ),
    "answers beyond 1": (
        {"outputs": 1, "output_activation": "sigmoid"},
        Y,
        DataError,
        "outside 0 to 1; expected 0, 1 or a",
    ),
    "answers of −1 and 1": (
        {"outputs": 1, "output_activation": "sigmoid"},
        2 * (Y > 0) - 1,
        DataError,
        r"labels are −1 and 1: write \(y \+ 1\) / 2",
    ),
    "negative counts": (
        {"outputs": 1, "output_activation": "exponential"},
        -Y - 1,
        DataError,
        "this loss needs targets of at",
    ),
}


@pytest.mark.parametrize(("options", "y", "error", "message"), ONE_HOT_MEANT.values(), ids=ONE_HOT_MEANT)
def test_targets_of_another_kind(options: dict[str, Any], y: Any, error: type[NnkitError], message: str) -> None:
    net = network(**options)
    with pytest.raises(error, match=message):
        fit(net, X, y)


@pytest.mark.parametrize(
    ("loss", "activation", "message"),
    [
        (
            "cross_entropy",
            "relu",
            r"needs class probabilities \(output_activation='softmax'\), but the output activation is",
        ),
        ("cross_entropy", "sigmoid", r"needs class probabilities \(output_activation='softmax'\)"),
        ("binary_cross_entropy", "identity", r"needs probabilities \(output_activation='sigmoid'\)"),
        ("poisson", "tanh", r"needs positive predictions \(output_activation='exponential' or 'softplus'\)"),
    ],
)
def test_a_loss_that_cannot_go_with_the_output(loss: str, activation: str, message: str) -> None:
    net = network(output_activation=activation)
    with pytest.raises(ArgumentError, match=message):
        fit(net, X, Y, loss=loss)
    with pytest.raises(ArgumentError, match=message):
        net.test(X, Y, loss=loss)


PREDICT: dict[str, tuple[Any, type[NnkitError], str]] = {
    name: (FIT[name][0]["x"], FIT[name][1], FIT[name][2])
    for name in ("too few columns", "nan", "empty", "no rows", "None")
}


@pytest.mark.parametrize(("x", "error", "message"), PREDICT.values(), ids=PREDICT)
def test_predict_and_test_refuse_the_same(x: Any, error: type[NnkitError], message: str) -> None:
    net = network(dtype="float32")
    before = net.predict(X)
    for call in (net.predict, lambda wrong: net.test(wrong, Y)):
        with pytest.raises(error, match=message):
            call(x)
    assert (net.predict(X) == before).all()


def test_test_checks_targets_and_weights_too() -> None:
    net = network()
    with pytest.raises(ShapeError, match="y has 3 rows and x has 40"):
        net.test(X, Y[:3])
    with pytest.raises(DataError, match="the labels need a network with"):
        net.test(X, Y * 5)
    with pytest.raises(DataError, match="sample_weight is zero in every row"):
        net.test(X, Y, sample_weight=np.zeros(40))


def test_a_device_that_is_not_here_says_what_is_missing_and_how_to_install_it() -> None:
    try:
        import cupy

        cupy.zeros(1)
    except Exception:
        with pytest.raises(
            DeviceError, match=r"no backend for device 'cuda' here.*NVIDIA GPU.*pip install 'nnkit\[cuda12\]'"
        ):
            network(device="cuda")
        with pytest.raises(DeviceError, match=r"for device 'cuda:1' here.*pip install"):
            network(device="cuda:1")


@pytest.mark.parametrize("device", ["cpuu", "tpu"])
def test_a_device_that_does_not_exist_gives_those_that_do(device: str) -> None:
    with pytest.raises(DeviceError, match=f"there is no backend for device '{device}' here: installed devices: .*cpu"):
        network(device=device)


def test_gpu_means_cuda() -> None:
    with pytest.raises(DeviceError, match=r"device 'cuda' here: it takes an NVIDIA GPU.*use device='cpu'"):
        network(device="GPU")


def test_numpy_as_an_activation_is_refused_with_the_fix() -> None:
    with pytest.raises(TraceError, match=r"activation 'tanh' calls NumPy on a traced array; write it with xp ="):
        nnkit.FeedForward(inputs=2, outputs=3, hidden=[4], activation=np.tanh)


def test_a_second_processor_is_refused() -> None:
    with pytest.raises(DeviceError, match="this machine has one processor to NumPy; use device='cpu'"):
        network(device="cpu:1")


def test_unknown_initializers_give_the_nearest() -> None:
    with pytest.raises(ArgumentError, match=r"unknown initializer 'he_norml'\. Did you mean 'he_normal'"):
        nnkit.Sequential([nnkit.nn.Dense(2, initializer="he_norml")], (3,))


def test_every_error_is_one_that_the_command_line_can_print() -> None:
    for _, error, _ in FIT.values():
        assert issubclass(error, NnkitError)
        assert issubclass(error, (ValueError, TypeError))


def test_a_figure_is_written_by_matplotlib() -> None:
    run = fit(network(), X, Y, epochs=1)
    with pytest.raises(ArgumentError, match=r"scores is 'run\.png', expected .*savefig\('run\.png'\)"):
        run.plot("run.png")
