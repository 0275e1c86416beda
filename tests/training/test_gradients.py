"""Gradients of the mean loss over all rows: beside differences, the interpreter, and a step of training."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import nnkit
from nnkit import losses, nn
from nnkit.errors import ArgumentError, DataError, DtypeError, ShapeError
from nnkit.optimizers import SGD
from nnkit.training import evaluation
from tests.training import test_fit_losses
from tests.training.small import Replica, blobs, fit, network, same, values

X, Y = blobs(50)
WEIGHT = np.random.default_rng(3).uniform(0.1, 3.0, 50)
WEIGHT[[0, 17]] = 0.0


def by_differences(net: nnkit.Network, x: Any, y: Any, **options: Any) -> dict[str, np.ndarray]:
    """Of the loss that ``test`` reports: central ones, for each parameter by itself."""
    slopes = {}
    for path, held in net.parameters().items():
        slopes[path] = np.zeros(held.shape)
        for place in np.ndindex(held.shape):
            found = []
            for way in (1e-6, -1e-6):
                moved = held.copy()
                moved[place] += way
                net.set_parameters({path: moved})
                found.append(net.test(x, y, **options).loss)
            slopes[path][place] = (found[0] - found[1]) / 2e-6
        net.set_parameters({path: held})
    return slopes


def agree(found: dict[str, np.ndarray], expected: dict[str, np.ndarray], rtol: float, atol: float) -> None:
    assert list(found) == list(expected)
    for path, slope in found.items():
        assert slope.shape == expected[path].shape
        np.testing.assert_allclose(slope, expected[path], rtol=rtol, atol=atol, err_msg=path)


# --- beside differences


@pytest.mark.parametrize("task", test_fit_losses.TASKS)
def test_of_every_loss(monkeypatch: pytest.MonkeyPatch, task: str) -> None:
    """With 44 rows in batches of 12, of which the last one is not full."""
    monkeypatch.setattr(evaluation, "ROWS", 12)
    loss, _, _, y = test_fit_losses.TASKS[task]
    net, x = test_fit_losses.network(task), test_fit_losses.X
    found = net.gradients(x, y, loss=loss)
    agree(found, by_differences(net, x, y, loss=loss), rtol=1e-6, atol=2e-9)
    assert any(slope.any() for slope in found.values())


@pytest.mark.parametrize("rows", [50, 16, 7])
@pytest.mark.parametrize("weight", [None, WEIGHT], ids=["alike", "weighted"])
def test_with_weights_penalties_and_what_modules_add(monkeypatch: pytest.MonkeyPatch, weight: Any, rows: int) -> None:
    monkeypatch.setattr(evaluation, "ROWS", rows)
    layers = [nn.Dense(4, "tanh", l1=0.03, l2=0.2), nn.ActivityRegularization(l2=0.1), nn.Dense(3, "softmax", l2=0.5)]
    net = nnkit.Sequential(layers, (3,), dtype="float64", seed=2)
    found = net.gradients(X, Y, sample_weight=weight)
    agree(found, by_differences(net, X, Y, sample_weight=weight), rtol=1e-6, atol=2e-9)


def test_normalisation_is_that_of_predictions() -> None:
    """Running statistics are constants, dropout does nothing, and neither is changed."""
    layers = [nn.Dense(4, "tanh"), nn.BatchNorm(), nn.Dropout(0.5), nn.LayerNorm(), nn.Dense(3, "softmax")]
    net = nnkit.Sequential(layers, (3,), dtype="float64", seed=2)
    fit(net, X, Y, epochs=3)
    before = values(net)
    found = net.gradients(X, Y)
    assert same(values(net), before)
    agree(found, by_differences(net, X, Y), rtol=1e-6, atol=2e-9)


def test_of_standardised_rows() -> None:
    net = network()
    fit(net, 40 * X + 9, Y, epochs=2, standardize=True)
    found = net.gradients(40 * X + 9, Y)
    agree(found, by_differences(net, 40 * X + 9, Y), rtol=1e-6, atol=2e-9)


# --- beside the interpreter, a formula and a step of training


def test_beside_the_interpreter() -> None:
    net = network()

    def loss(held: dict[str, Any], x: Any, target: Any) -> Any:
        xp = x.__array_namespace__()
        hidden = xp.tanh(x @ held["layers.0.weight"] + held["layers.0.bias"])
        scores = hidden @ held["layers.1.weight"] + held["layers.1.bias"]
        logs = scores - xp.log(xp.sum(xp.exp(scores), axis=1, keepdims=True))
        return -xp.mean(xp.sum(target * logs, axis=1))

    expected = nnkit.grad(loss)(net.parameters(), X, np.eye(3)[Y])
    agree(net.gradients(X, Y), expected, rtol=1e-11, atol=1e-14)


@pytest.mark.parametrize("weight", [None, WEIGHT], ids=["alike", "weighted"])
def test_beside_the_formula(weight: Any) -> None:
    net = network(l1=0.01, l2=0.3)
    formula = Replica(values(net), l1=0.01, l2=0.3)
    _, _, expected = formula.step(X, Y, np.ones(50) if weight is None else weight)
    agree(net.gradients(X, Y, sample_weight=weight), expected, rtol=1e-11, atol=1e-14)


def test_a_step_of_training_goes_against_it() -> None:
    net = network(l1=0.01, l2=0.3)
    before, slopes = net.parameters(), net.gradients(X, Y, sample_weight=WEIGHT)
    fit(net, X, Y, sample_weight=WEIGHT, epochs=1, batch_size=50, optimizer=SGD(0.5))
    agree({p: (before[p] - new) / 0.5 for p, new in net.parameters().items()}, slopes, rtol=1e-11, atol=1e-14)


def test_many_rows_add_up() -> None:
    """Two full batches of 1024 and a rest: each half counts as much as it has rows."""
    x, y = blobs(2500)
    net = network()
    whole, first, rest = net.gradients(x, y), net.gradients(x[:1100], y[:1100]), net.gradients(x[1100:], y[1100:])
    agree({p: (11 * first[p] + 14 * rest[p]) / 25 for p in whole}, whole, rtol=1e-11, atol=1e-15)


def test_in_single_precision(monkeypatch: pytest.MonkeyPatch) -> None:
    """In 40 batches of 25 rows."""
    monkeypatch.setattr(evaluation, "ROWS", 25)
    x, y = blobs(1000)
    net, exact = network(dtype="float32"), network()
    exact.set_parameters(net.parameters())
    found, expected = net.gradients(x, y), exact.gradients(x.astype("float32"), y)
    assert {slope.dtype for slope in found.values()} == {np.dtype("float32")}
    agree(found, expected, rtol=2e-5, atol=1e-7)


class Root(nnkit.Module):
    """Its derivative is infinite where a row is zero, and so would be that of rows that are made up."""

    def __init__(self) -> None:
        self.weight = nnkit.Parameter((3, 2))

    def __call__(self, x: Any, run: Any) -> Any:
        return x.__array_namespace__().sqrt(x @ abs(self.weight))


def test_rows_that_fill_a_batch_do_no_harm(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evaluation, "ROWS", 16)
    net = nnkit.Network(Root(), (3,), dtype="float64", seed=0)
    x = abs(X) + 0.1
    agree(net.gradients(x, X[:, :2]), by_differences(net, x, X[:, :2]), rtol=1e-6, atol=2e-9)


# --- the loss, the caller, and what is refused


def test_the_loss_is_that_of_the_last_training_unless_another_is_given() -> None:
    net = nnkit.FeedForward(3, 1, dtype="float64", seed=0)
    fit(net, X, X[:, 0], loss="mae", epochs=1)
    of = {loss: net.gradients(X, X[:, 0], loss=loss) for loss in (None, "mae", losses.Huber(0.1), "mse")}
    assert same(of[None], of["mae"])
    assert not same(of[None], of["mse"])
    assert len(net._evaluator._bound) <= evaluation.KEPT


def test_new_weights_are_seen_and_nothing_is_planned_again(monkeypatch: pytest.MonkeyPatch) -> None:
    net = network()
    first = net.gradients(X, Y)
    kept = {path: slope.copy() for path, slope in first.items()}
    monkeypatch.setattr(net._model, "planned", lambda *given: pytest.fail("it was planned again"))
    held = {path: value / 2 for path, value in net.parameters().items()}
    net.set_parameters(held)
    agree(net.gradients(X, Y), Replica(held).step(X, Y, np.ones(50))[2], rtol=1e-11, atol=1e-14)
    assert same(first, kept)


def test_inside_a_callback_and_training_goes_on_to_the_same_bits() -> None:
    watched, alone = network(), network()
    seen = []
    look = lambda training: seen.append((watched.gradients(X, Y), watched.parameters()))  # noqa: E731
    fit(watched, X, Y, epochs=3, callbacks=[look])
    fit(alone, X, Y, epochs=3)
    assert same(values(watched), values(alone))
    for found, held in seen:
        agree(found, Replica(held).step(X, Y, np.ones(50))[2], rtol=1e-11, atol=1e-14)
    assert len(seen) == 3


def test_what_is_not_used_has_the_gradient_zero() -> None:
    class Half(nnkit.Module):
        def __init__(self) -> None:
            self.used = nnkit.Parameter(("inputs",), "ones")
            self.idle = nnkit.Parameter((2, 2), "ones")

        def __call__(self, x: Any, run: Any) -> Any:
            return x * self.used

    found = nnkit.Network(Half(), (3,), dtype="float64").gradients(X, 0 * X)
    np.testing.assert_allclose(found["used"], 2 * (X**2).mean(axis=0) / 3, rtol=1e-12)
    assert (found["idle"] == np.zeros((2, 2))).all()


def test_without_parameters_there_are_none() -> None:
    assert nnkit.Sequential([nn.Dropout(0.5)], (3,)).gradients(X, X) == {}


WRONG: dict[str, tuple[dict[str, Any], type[Exception], str]] = {
    "rows": ({"y": Y[:9]}, ShapeError, "y has 9 rows and x has 50"),
    "columns": ({"x": X[:, :2]}, ShapeError, r"layer 'layers\.0' \(Dense\) expects 3 inputs, got 2"),
    "labels": ({"y": Y + 1}, DataError, "y has the label 3 in row 0, expected 0 to 2"),
    "fractions": ({"y": Y + 0.5}, DtypeError, "y holds float64 values such as"),
    "nothing": ({"y": None}, DataError, "y is None"),
    "weights": ({"sample_weight": -WEIGHT}, DataError, "weights cannot be negative"),
    "few weights": ({"sample_weight": WEIGHT[:4]}, ShapeError, "sample_weight has 4 rows and x has 50"),
    "loss": ({"loss": "cross_entropyy"}, ArgumentError, "unknown loss 'cross_entropyy'"),
    "pair": ({"loss": "hinge"}, ArgumentError, "loss 'hinge' needs values of either sign"),
}


@pytest.mark.parametrize(("change", "error", "message"), WRONG.values(), ids=WRONG)
def test_errors_are_those_of_test(change: dict[str, Any], error: type[Exception], message: str) -> None:
    given = {"x": X, "y": Y} | change
    x, y = given.pop("x"), given.pop("y")
    with pytest.raises(error, match=message) as found:
        network().gradients(x, y, **given)
    if y is not None:
        with pytest.raises(type(found.value)) as expected:
            network().test(x, y, **given)
        assert str(found.value) == str(expected.value)
