"""``check_gradients`` on whole networks: right ones pass, a rule that is wrong by 0.05 % does not."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

import nnkit
from nnkit.graph.primitives import PRIMITIVES

RNG = np.random.default_rng(5)
X = RNG.normal(size=(9, 6))


def everything(activation: str, output: str, outputs: int) -> nnkit.Network:
    layers = [
        nnkit.nn.Dense(8, activation, l1=0.01, l2=0.1),
        nnkit.nn.BatchNorm(),
        nnkit.nn.Dense(7, "prelu"),
        nnkit.nn.LayerNorm(),
        nnkit.nn.Dropout(0.3),
        nnkit.nn.Dense(outputs, output),
    ]
    return nnkit.Sequential(layers, input_shape=(6,), seed=2)


@pytest.mark.parametrize("activation", ["relu", "tanh", "gelu", "elu", "softplus", "glu", "mish"])
def test_a_network_with_every_layer_passes(activation: str) -> None:
    net = everything(activation, "softmax", 4)
    before = net.parameters()
    nnkit.check_gradients(net, X, RNG.integers(0, 4, 9))
    assert all(np.array_equal(before[name], value) for name, value in net.parameters().items())


def test_every_loss_passes() -> None:
    positive = RNG.uniform(0.5, 2.0, size=(9, 3))
    for output, loss in [("identity", "mse"), ("identity", "huber"), ("identity", "mae"), ("exponential", "poisson")]:
        nnkit.check_gradients(everything("tanh", output, 3), X, positive, loss)
    nnkit.check_gradients(everything("tanh", "sigmoid", 3), X, RNG.integers(0, 2, (9, 3)))


def test_a_wrong_rule_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    row = PRIMITIVES["tanh"]
    (rule,) = row.derivatives
    wrong = dataclasses.replace(row, derivatives=(lambda xp, g, out, x: rule(xp, g, out, x) * 1.0005,))
    monkeypatch.setitem(PRIMITIVES, "tanh", wrong)
    net = nnkit.FeedForward(inputs=6, hidden=[8, 8], outputs=1, activation="tanh", seed=2)
    with pytest.raises(AssertionError, match=r"derivative of order 1 by argument layers\.0\.weight is wrong"):
        nnkit.check_gradients(net, X, RNG.normal(size=9))
