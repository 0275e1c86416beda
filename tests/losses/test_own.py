"""Losses of one's own: what they return, and what their classes say."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nnkit
from nnkit.errors import ArgumentError, ShapeError

X = np.random.default_rng(0).normal(size=(40, 3))
Y = X.sum(axis=1)
WEIGHT = np.arange(40.0)


def network(outputs: int = 1) -> nnkit.Network:
    return nnkit.FeedForward(3, outputs, [4], dtype="float64")


def returning(what: Any) -> nnkit.losses.Loss:
    class Own(nnkit.losses.Loss):
        name, targets, domain = "own", "numbers", "any"

        def __call__(self, prediction: Any, target: Any) -> Any:
            return what(nnkit.ops.namespace(prediction), prediction - target)

    return Own()


def test_a_plain_class_trains_as_its_twin_does(tmp_path: Path) -> None:
    loss = returning(lambda xp, error: xp.mean(error * error, axis=-1))
    net, twin = network(), network()
    run = net.fit(X, Y, loss=loss, sample_weight=WEIGHT, epochs=3, progress=False)
    other = twin.fit(X, Y, loss="mse", sample_weight=WEIGHT, epochs=3, progress=False)
    assert run.history["loss"] == pytest.approx(other.history["loss"], rel=1e-12)
    assert run.record.training["loss"] == {"name": "own"}
    assert net.test(X, Y, sample_weight=WEIGHT).loss == pytest.approx(twin.test(X, Y, sample_weight=WEIGHT).loss)
    net.save(tmp_path / "net.h5")
    with pytest.warns(nnkit.errors.NnkitWarning, match="your own loss 'own', which the file does not hold"):
        loaded = nnkit.load(tmp_path / "net.h5")
    np.testing.assert_array_equal(loaded.predict(X), net.predict(X))


@pytest.mark.parametrize(
    ("what", "message"),
    [
        (
            lambda xp, e: e * e,
            r"loss 'own' returned an array of shape \(32, 1\) for 32 rows; expected one value for each",
        ),
        (
            lambda xp, e: xp.mean(e * e),
            r"returned an array of shape \(\) for 32 rows; .* return it before the mean over",
        ),
        (lambda xp, e: xp.mean(e * e, axis=0), r"returned an array of shape \(1,\) for 32 rows"),
        (lambda xp, e: None, "loss 'own' returned None for 32 rows"),
        (lambda xp, e: 1.0, "loss 'own' returned 1.0 for 32 rows"),
    ],
)
@pytest.mark.parametrize("weight", [None, WEIGHT])
def test_one_value_for_each_row(what: Any, message: str, weight: Any) -> None:
    net = network()
    before = net.parameters()
    with pytest.raises(ShapeError, match=message):
        net.fit(X, Y, loss=returning(what), sample_weight=weight, epochs=1, progress=False)
    for look in (net.test, net.gradients):
        with pytest.raises(ShapeError, match="loss 'own' returned"):
            look(X, Y, loss=returning(what), sample_weight=weight)
    for name, value in net.parameters().items():
        np.testing.assert_array_equal(value, before[name])


def test_several_outputs() -> None:
    with pytest.raises(
        ShapeError, match=r"shape \(32, 2\) for 32 rows; .*: average the others, as xp.mean\(value, axis="
    ):
        network(2).fit(X, X[:, :2], loss=returning(lambda xp, e: e * e), epochs=1, progress=False)


@pytest.mark.parametrize(("name", "value"), [("targets", "nums"), ("domain", "all"), ("domain", [])])
def test_what_a_class_says_is_known(name: str, value: Any) -> None:
    loss = returning(lambda xp, e: xp.mean(e, axis=-1))
    setattr(type(loss), name, value)
    with pytest.raises(
        ArgumentError, match=rf"loss: Own\.{name} is .*, expected one of (numbers, binary|any, positive)"
    ):
        network().fit(X, Y, loss=loss, epochs=1, progress=False)


def test_a_dataclass_that_can_change() -> None:
    @dataclass
    class Changing(nnkit.losses.Loss):
        power: float = 2.0
        name, targets, domain = "changing", "numbers", "any"

        def __call__(self, prediction: Any, target: Any) -> Any:
            return nnkit.ops.namespace(prediction).mean(abs(prediction - target) ** self.power, axis=-1)

    with pytest.raises(ArgumentError, match=r"loss: Changing can change, .* write @dataclass\(frozen=True\) above its"):
        network().fit(X, Y, loss=Changing(), epochs=1, progress=False)
