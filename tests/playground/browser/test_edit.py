"""Weights that a person changes."""

from __future__ import annotations

import pytest

from tests.playground.browser.driver import Play
from tests.playground.browser.engine import lab
from tests.playground.browser.visits import Visit

FIRST = "layers.0.weight"


def loss_changes(play: Play, before: float) -> None:
    """The page shows another loss than before, and it is the engine's."""
    play.until(lambda: play.number("test-loss") != before, "another loss")
    play.still()
    assert play.number("test-loss") == pytest.approx(lab(play.look()).scored().test_loss, abs=6e-4)


def test_weights_are_edited_at_a_neuron_and_at_a_link(visit: Visit) -> None:
    play = visit(data="gauss", hidden=[3])
    at_a_link(play)
    at_a_neuron(play)


def at_a_neuron(play: Play) -> None:
    parameters = play.archive()["parameters"]
    before, picture = play.number("test-loss"), play.picture()
    play.click("neuron-1-2")
    assert play.by("inspector").is_visible()
    play.type("weight-1", "−2,5")  # as people write numbers
    play.type("inspector-bias", "0.75")
    play.until(lambda: play.archive()["parameters"]["layers.0.bias"][1] == 0.75, "the bias in the engine")
    after = play.archive()["parameters"]
    assert after[FIRST][0][1] == -2.5
    parameters[FIRST][0][1], parameters["layers.0.bias"][1] = -2.5, 0.75
    assert after == parameters
    loss_changes(play, before)
    assert play.picture() != picture
    play.by("weight-2").fill("1")
    play.by("weight-2").press("ArrowUp")
    play.until(lambda: play.archive()["parameters"][FIRST][1][1] == 1.1, "a tenth more")
    play.type("weight-2", "much")
    play.notice("A weight or bias is a number; “much” is none.")
    assert play.archive()["parameters"][FIRST][1][1] == 1.1


@pytest.mark.slow
def test_bias_of_the_output(visit: Visit) -> None:
    play = visit(data="gauss", hidden=[3])
    before = play.number("test-loss")
    play.type("output-bias-1", "4")
    play.until(lambda: play.archive()["parameters"]["layers.1.bias"] == [4], "the bias in the engine")
    loss_changes(play, before)


def at_a_link(play: Play) -> None:
    before = play.number("test-loss")
    first = play.archive()["parameters"][FIRST][0][0]
    play.page.mouse.move(*middle_of_the_first_link(play))
    assert play.by("link-card").is_visible()
    assert "neuron 1 of layer 1" in play.text("link-card")
    assert f"{first:.2f}".replace("-", "−") in play.text("link-card")
    play.page.mouse.down()
    play.page.mouse.up()
    play.type("link-weight", "-2")
    play.until(lambda: play.archive()["parameters"][FIRST][0][0] == -2, "the weight in the engine")
    loss_changes(play, before)
    play.page.keyboard.press("Escape")
    play.page.mouse.move(0, 0)
    play.by("link-card").wait_for(state="hidden")


def middle_of_the_first_link(play: Play) -> tuple[float, float]:
    """Between the first feature and the first neuron; a link is a curve, whose middle is in the middle."""
    feature, neuron = play.by("feature-x1").locator("canvas").bounding_box(), play.by("neuron-1-1").bounding_box()
    assert feature is not None
    assert neuron is not None
    left, right = feature["x"] + feature["width"], neuron["x"]
    return (left + right) / 2, (feature["y"] + feature["height"] / 2 + neuron["y"] + neuron["height"] / 2) / 2
