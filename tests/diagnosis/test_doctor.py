"""The doctor finds nothing on twenty healthy trainings, and the right thing on each of twenty that were broken."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np
import pytest

import nnkit
from nnkit import nn
from nnkit.diagnosis import Vitals, findings
from nnkit.errors import ArgumentError, NnkitWarning
from nnkit.initializers import Constant, Normal
from nnkit.optimizers import SGD, AdamW, RMSprop

DIGITS = nnkit.data.load("digits")


def trained(net: Any, x: Any, y: Any, **options: Any) -> Any:
    """A run of half a second at most."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NnkitWarning)
        return net.fit(x, y, **{"epochs": 10, "progress": False} | options)


def digits(hidden: Any = (32,), *, activation: Any = "relu", x: Any = DIGITS.x_train, **options: Any) -> Any:
    net = nnkit.FeedForward(64, 10, list(hidden), activation=activation, output_activation="softmax", seed=0)
    return trained(net, x, DIGITS.y_train, **options)


def points(name: str, hidden: Any = (16, 16), *, activation: str = "relu", **options: Any) -> Any:
    data = nnkit.data.load(name)
    classes = int(data.y_train.max()) + 1
    net = nnkit.FeedForward(2, classes, list(hidden), activation=activation, output_activation="softmax", seed=0)
    return trained(net, data.x_train, data.y_train, **{"epochs": 40, "learning_rate": 0.01} | options)


def sine(hidden: Any = (16, 16), *, activation: str = "tanh", scale: float = 1.0, **options: Any) -> Any:
    data = nnkit.data.load("sine")
    net = nnkit.FeedForward(1, 1, list(hidden), activation=activation, seed=0)
    return trained(net, data.x_train, data.y_train * scale, **{"epochs": 40, "learning_rate": 0.005} | options)


def layers(*parts: Any, x: Any = DIGITS.x_train, **options: Any) -> Any:
    net = nnkit.Sequential([*parts, nn.Dense(10, "softmax")], (64,), seed=0)
    return trained(net, x, DIGITS.y_train, **options)


def dense(units: int, activation: str = "relu", **options: Any) -> Any:
    return nn.Dense(units, activation, **options)


HEALTHY: dict[str, Any] = {
    "digits": lambda: digits(),
    "digits, wide": lambda: digits((128, 64), epochs=30, learning_rate=0.003, validation_split=0.1),
    "digits, tanh": lambda: digits((64, 32), activation="tanh"),
    "digits, sigmoid": lambda: digits((32,), activation="sigmoid", epochs=20),
    "digits, deep": lambda: digits([32] * 6, epochs=20),
    "digits, deep tanh": lambda: digits([32] * 8, activation="tanh", epochs=20),
    "digits, gelu": lambda: digits((48, 48), activation="gelu"),
    "digits, mixed": lambda: digits((48, 24), activation=["elu", "silu"]),
    "digits, momentum": lambda: digits((32,), optimizer=SGD(0.05, momentum=0.9)),
    "digits, rmsprop": lambda: digits((32,), optimizer=RMSprop(0.001)),
    "digits, adamw": lambda: digits((32, 32), optimizer=AdamW(0.003, weight_decay=0.01)),
    "digits, batch norm": lambda: layers(dense(32, "identity"), nn.BatchNorm(), nn.Activation("relu")),
    "digits, layer norm": lambda: layers(dense(32, "identity"), nn.LayerNorm(), nn.Activation("tanh")),
    "digits, dropout": lambda: layers(dense(64), nn.Dropout(0.3), dense(32), epochs=20, validation_split=0.2),
    "digits, decay": lambda: layers(dense(32, l2=1e-4), dense(32, l2=1e-4), epochs=20, validation_split=0.2),
    "moons": lambda: points("moons"),
    "circles": lambda: points("circles", activation="tanh"),
    "spiral": lambda: points("spiral", (32, 32), epochs=60, validation_split=0.2),
    "sine": lambda: sine(),
    "sine, relu": lambda: sine((32, 32), activation="relu", validation_split=0.2),
}
RAW = DIGITS.x_train * 16.0
FEW = slice(0, 60)
BROKEN: dict[str, tuple[str, Any]] = {
    "rate of 1": ("learning rate too high", lambda: digits((64, 32), learning_rate=1.0)),
    "rate of 0.3": ("learning rate too high", lambda: digits((64, 32), learning_rate=0.3)),
    "rate of 10 for SGD": ("learning rate too high", lambda: digits((32,), activation="tanh", optimizer=SGD(10.0))),
    "rate of 3 on moons": ("learning rate too high", lambda: points("moons", learning_rate=3.0)),
    "rate of 1 on a sine": ("learning rate too high", lambda: sine(learning_rate=1.0)),
    "rate of 1e-8": ("learning rate too low", lambda: digits((64, 32), learning_rate=1e-8)),
    "rate of 1e-7 for SGD": ("learning rate too low", lambda: digits((64,), optimizer=SGD(1e-7))),
    "rate of 1e-9 on a sine": ("learning rate too low", lambda: sine(learning_rate=1e-9)),
    "ten layers of sigmoid": ("vanishing gradient", lambda: digits([32] * 10, activation="sigmoid")),
    "tiny weights": (
        "vanishing gradient",
        lambda: layers(*(dense(32, "tanh", initializer=Normal(1e-3)) for _ in range(6)), optimizer=SGD(0.1)),
    ),
    "huge weights": (
        "exploding gradient",
        lambda: layers(*(dense(32, initializer=Normal(3.0)) for _ in range(8)), optimizer=SGD(0.0), epochs=1),
    ),
    "huge weights without bounds": (
        "exploding gradient",
        lambda: layers(*(dense(16, "identity", initializer=Normal(5.0)) for _ in range(6)), optimizer=SGD(0.0)),
    ),
    "large weights before tanh": (
        "saturated units",
        lambda: layers(dense(64, "tanh", initializer=Normal(5.0)), dense(32, "tanh", initializer=Normal(5.0))),
    ),
    "raw pixels into sigmoid": (
        "saturated units",
        lambda: digits((32,), activation="sigmoid", x=RAW * 16.0, learning_rate=1e-4),
    ),
    "weights that shut every unit": (
        "dead units",
        lambda: layers(dense(32, initializer=Constant(-0.5)), dense(16)),
    ),
    "most units shut": (
        "dead units",
        lambda: layers(dense(48, initializer=Normal(0.1, mean=-0.2)), epochs=3),
    ),
    "a column in millions": (
        "unscaled inputs",
        lambda: digits((32,), x=DIGITS.x_train * np.where(np.arange(64) == 20, 1e6, 1.0).astype(np.float32)),
    ),
    "pixels from 0 to 255": ("unscaled inputs", lambda: digits((32,), x=np.round(RAW * 255 / 16))),
    "targets in thousands": ("unscaled targets", lambda: sine(scale=5000.0)),
    "a network too large for its data": (
        "over-fitting",
        lambda: trained(
            nnkit.FeedForward(64, 10, [256, 256], output_activation="softmax", seed=0),
            DIGITS.x_train[FEW] + np.random.default_rng(0).normal(size=(60, 64)),
            DIGITS.y_train[FEW],
            epochs=80,
            learning_rate=0.01,
            validation_split=0.4,
        ),
    ),
}


@pytest.mark.parametrize("name", HEALTHY)
def test_a_healthy_training_is_left_in_peace(name: str) -> None:
    run = HEALTHY[name]()
    assert [str(finding) for finding in run.doctor()] == []
    assert "doctor" not in str(run)


@pytest.mark.parametrize("name", BROKEN)
def test_what_was_broken_is_found(name: str) -> None:
    wanted, make = BROKEN[name]
    run = make()
    found = run.doctor()
    assert wanted in [finding.name for finding in found], [str(finding) for finding in found]
    finding = next(finding for finding in found if finding.name == wanted)
    assert math.isfinite(finding.figure)
    assert finding.remedy
    assert any(digit in finding.text for digit in "0123456789")
    shown = " ".join(str(run).split())
    assert f"doctor {finding.name}: {finding.text}" in shown


def test_what_is_written_in_a_remedy_can_be_typed() -> None:
    found = BROKEN["a column in millions"][1]().doctor()
    remedy = next(finding.remedy for finding in found if finding.name == "unscaled inputs")
    assert remedy.startswith("Standardise the columns: ")
    assert remedy.endswith("fit(…, standardize=True)")


def test_there_are_twenty_of_each() -> None:
    assert (len(HEALTHY), len(BROKEN)) == (20, 20)


def test_it_changes_nothing_and_asks_once() -> None:
    run = digits()
    before = run.network.parameters()
    assert run.doctor() is run.doctor()
    for path, value in run.network.parameters().items():
        np.testing.assert_array_equal(value, before[path])


def test_after_a_further_training_it_is_too_late() -> None:
    net = nnkit.FeedForward(64, 10, [16], output_activation="softmax", seed=0)
    first = trained(net, DIGITS.x_train, DIGITS.y_train, epochs=1)
    asked = trained(net, DIGITS.x_train, DIGITS.y_train, epochs=1)
    assert asked.doctor() == []
    trained(net, DIGITS.x_train, DIGITS.y_train, epochs=1)
    assert asked.doctor() == []
    with pytest.raises(ArgumentError, match=r"trained further since; ask run\.doctor\(\) before the next fit"):
        first.doctor()
    assert "doctor" not in str(first)


def test_a_run_without_its_network_cannot_be_examined() -> None:
    run = digits(epochs=1)
    run.record.examine = None
    with pytest.raises(ArgumentError, match=r"holds no network to examine, as that of an estimator; fit one with net"):
        run.doctor()
    assert "doctor" not in str(run)


def test_weights_of_the_users_own_do_not_count_as_grown() -> None:
    net = nnkit.FeedForward(64, 10, [16], output_activation="softmax", seed=0)
    net.set_parameters({path: value * 8.0 for path, value in net.parameters().items() if path.endswith("weight")})
    run = trained(net, DIGITS.x_train, DIGITS.y_train, epochs=3)
    assert "learning rate too high" not in [finding.name for finding in run.doctor()]


def test_a_module_of_ones_own_and_sample_weights() -> None:
    class Own(nnkit.Module):
        def __init__(self) -> None:
            self.first, self.act, self.last = nn.Dense(16), nn.Activation("relu"), nn.Dense(10, "softmax")

        def __call__(self, x: Any, run: Any) -> Any:
            return self.last(self.act(self.first(x, run), run), run)

    net = nnkit.Network(Own(), input_shape=(64,), seed=0)
    options: dict[str, Any] = {"loss": "cross_entropy", "sample_weight": np.ones(len(DIGITS.y_train))}
    run = trained(net, DIGITS.x_train, DIGITS.y_train, **options)
    assert run.doctor() == []


def test_a_gradient_that_is_no_number_is_named() -> None:
    (found,) = findings(Vitals(gradients={"weight": math.nan}, weights={"weight": 1.0}), {"loss": [1.0]})
    assert found.text == "the gradient of 'weight' is no longer finite"


def test_without_figures_there_are_no_findings() -> None:
    assert findings(Vitals(), {"loss": []}) == []
    assert findings(Vitals(), {"loss": [1.0, 0.5], "val_loss": [1.0, math.nan]}) == []
