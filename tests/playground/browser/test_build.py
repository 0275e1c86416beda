"""A network that is built with the mouse, and trained."""

from __future__ import annotations

import pytest

from tests.playground.browser.engine import lab
from tests.playground.browser.visits import Visit


def test_a_network_built_by_clicking_learns_the_spiral(visit: Visit) -> None:
    play = visit()
    play.click("dataset-spiral", "feature-sin(x1)", "feature-sin(x2)")
    play.click("add-layer", "add-neuron-1", "add-neuron-1", "add-neuron-2", "add-neuron-2", "remove-layer")
    play.choose("activation-2", "silu")
    play.choose("optimizer", "adam")
    play.type("rate", 0.01)
    play.choose("speed", "max")
    play.choose("compile", "first")
    play.choose("stop", "test loss")  # or it would go on, and learn its rows by heart
    play.settled(
        data="spiral",
        features=["x1", "x2", "sin(x1)", "sin(x2)"],
        hidden=[6, 4],
        activations=["tanh", "silu"],
        optimizer="adam",
        rate=0.01,
        speed="max",
        compile="first",
        stop="test loss",
        goal=0.05,
    )
    play.click("play")
    play.until(lambda: play.number("test-loss") < 0.05, "a test loss below 0.05", within_s=60)
    play.until(lambda: not play.playing, "the end")
    play.still()
    figures = lab(play.look()).scored()
    assert figures.test_loss < 0.05
    assert play.number("test-loss") == pytest.approx(figures.test_loss, rel=0.05, abs=6e-4)
    assert play.number("accuracy") == pytest.approx(100 * figures.test_score, abs=0.06)


CHANGE = """async ([name, value]) => {
    const { change } = await import(new URL("store.js", location).href);
    change({ [name]: value });
    await new Promise((done) => setTimeout(done, 300));
}"""
"""Asks for a change as another control would, and gives the answer and the state after it time to come."""


def test_what_rebuilds_the_network_waits_while_a_button_is_pressed(visit: Visit) -> None:
    play = visit()
    box = play.by("feature-x1^2").bounding_box()
    assert box is not None
    play.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    play.page.mouse.down()
    play.page.evaluate(CHANGE, ["hidden", [2]])
    play.page.mouse.up()
    play.settled(hidden=[2], features=["x1", "x2", "x1^2"])
    play.by("add-neuron-1").focus()
    play.page.keyboard.down(" ")
    play.page.evaluate(CHANGE, ["features", ["x2"]])
    play.page.keyboard.up(" ")
    play.settled(hidden=[3], features=["x2"])
