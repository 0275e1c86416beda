"""What the page shows after some steps is what nnkit trains to, without any page."""

from __future__ import annotations

import numpy as np
import pytest

import nnkit
from tests.playground.browser.engine import lab
from tests.playground.browser.visits import Visit


@pytest.mark.parametrize("speed", ["epoch", pytest.param("step", marks=pytest.mark.slow)])
def test_steps_are_those_of_nnkit(visit: Visit, speed: str) -> None:
    play = visit(data="xor", hidden=[5], optimizer="adam", rate=0.01, seed=3, speed=speed, points=100, batch=20)
    play.steps(4)
    per_epoch = 3  # of 50 rows in batches of 20
    assert play.step == (4 * per_epoch if speed == "epoch" else 4)
    assert play.text("step-count") == f"step {play.step:g}"
    assert play.text("epoch") == ("4" if speed == "epoch" else "1")
    page = lab(play.look())
    net = nnkit.FeedForward(2, 1, hidden=[5], activation="tanh", output_activation="sigmoid", seed=3)
    if speed == "epoch":
        train(net, page.subject.x_train, page.subject.y_train)
        for path, value in net.parameters().items():
            np.testing.assert_allclose(page.network.parameters()[path], value, rtol=1e-5, atol=1e-7)
    assert page.settings.speed == speed


def train(net: nnkit.Network, x: np.ndarray, y: np.ndarray) -> None:
    optimizer = nnkit.optimizers.Adam(0.01)
    for _ in range(4):
        net.fit(x, y, epochs=1, batch_size=20, optimizer=optimizer, loss="binary_cross_entropy", progress=False)
