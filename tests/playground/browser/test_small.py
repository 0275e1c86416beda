"""A window as wide as an old projector."""

from __future__ import annotations

from typing import Any

import pytest

from tests.playground.browser.driver import Play
from tests.playground.browser.visits import DESKTOP, Visit

WIDTH, HEIGHT = 1024, 768
BEYOND = """() => ["#main > .data", "#main > .output"].flatMap((name) => {
    const card = document.querySelector(name), right = card.getBoundingClientRect().right;
    return [...card.querySelectorAll("button, input, output, label")]
        .filter((each) => each.checkVisibility() && each.getBoundingClientRect().right > right)
        .map((each) => each.outerHTML);
})"""
SMALL = {**DESKTOP, "viewport": {"width": WIDTH, "height": HEIGHT}}


def box(play: Play, selector: str) -> dict[str, float]:
    found: Any = play.page.locator(selector).bounding_box()
    assert found is not None
    return {"left": found["x"], "top": found["y"], "right": found["x"] + found["width"]} | {
        "bottom": found["y"] + found["height"]
    }


def fits(play: Play) -> None:
    """Nothing is wider than the window, nor than the card that it is in."""
    assert play.page.evaluate("() => document.documentElement.scrollWidth") <= WIDTH
    assert play.page.evaluate(BEYOND) == []


def test_the_output_is_seen_beside_the_network(visit: Visit) -> None:
    play = visit(context=SMALL, data="gauss", classes=3)
    play.steps(3)
    fits(play)
    network, output = box(play, "#network"), box(play, "#plots")
    assert network["right"] < output["left"]
    assert output["bottom"] < HEIGHT
    assert play.page.locator("#network .stage").evaluate("(stage) => stage.scrollWidth <= stage.clientWidth")
    play.click("add-layer")
    play.settled(hidden=[4, 2, 2])
    below = box(play, "#plots")
    assert below["top"] > box(play, "#network")["bottom"]  # which needs the room
    assert box(play, "#scores")["left"] > below["right"]
    assert box(play, "#scores")["top"] == pytest.approx(below["top"], abs=30)
    fits(play)
