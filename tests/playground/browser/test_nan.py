"""A training that fails: the page says what to do, and goes on."""

from __future__ import annotations

import numpy as np

from tests.playground.browser.engine import lab
from tests.playground.browser.visits import Visit


def test_a_learning_rate_that_is_far_too_high(visit: Visit) -> None:
    play = visit(data="multi-gauss", hidden=[8, 8], activations=["relu", "relu"], rate=100, speed="max")
    start = play.archive()["parameters"]
    play.click("play")
    play.by("ended").wait_for()
    assert not play.playing
    words = play.text("ended")
    assert "the loss is NaN (not a number)" in words
    assert "smaller learning rate" in words
    play.by("ended-why").locator("summary").click()
    assert play.by("ended-why").locator("p").inner_text()
    assert all(np.isfinite(value).all() for value in lab(play.look()).network.parameters().values())
    play.click("end-reset")
    play.by("ended").wait_for(state="hidden")
    play.until(lambda: play.archive()["parameters"] == start, "the first weights")
    play.type("rate", 0.03)
    play.settled(rate=0.03)
    play.until(lambda: play.step == 0, "step 0")
    loss = play.number("test-loss")
    play.click("play")
    play.until(lambda: play.step > 200, "200 steps")
    play.pause()
    assert play.by("ended").is_hidden()
    assert play.number("test-loss") < loss
