"""The tab of digits: what is drawn is read, and mistakes are browsed."""

from __future__ import annotations

import numpy as np
import pytest

from nnkit.data.arrays import Array
from tests import mnist_files
from tests.playground.browser.driver import Play
from tests.playground.browser.engine import lab
from tests.playground.browser.visits import Visit

INK = (255, 23)
"""Red of the paper and of ink, by day."""


def trained(visit: Visit, accuracy: float, data: str = "digits", **settings: object) -> Play:
    play = visit(tab="digits", data=data, **settings)
    play.click("play")
    play.until(lambda: play.number("accuracy") > accuracy, f"{accuracy} % right", within_s=60)
    play.pause()
    return play


def probabilities(play: Play) -> Array:
    return np.array([play.number(f"probability-{digit}") for digit in range(10)])


def strip(play: Play) -> str:
    """The activations of the first hidden layer."""
    return str(play.page.locator("[data-layer='1'] canvas.strip").evaluate("(canvas) => canvas.toDataURL()"))


def pen(play: Play, *way: tuple[float, float], down: bool = False, up: bool = False) -> None:
    """Move the mouse on the pad, which goes from 0 to 1."""
    pad = play.by("pad")
    pad.scroll_into_view_if_needed()
    box = pad.bounding_box()
    assert box is not None
    for x, y in way:
        play.page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"], steps=4)
        if down:
            play.page.mouse.down()
            down = False
    if up:
        play.page.mouse.up()


def drawn(play: Play) -> Array:
    """The pixels that the network gets, 0 to 1, as the page shows them."""
    pixels = play.page.locator("canvas.sees").evaluate(
        """(canvas) => {
            const { width, height } = canvas;
            const copy = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true });
            copy.drawImage(canvas, 0, 0);
            return [...copy.getImageData(0, 0, width, height).data];
        }"""
    )
    red = np.array(pixels).reshape(-1, 4)[:, 0]
    return ((INK[0] - red) / (INK[0] - INK[1])).astype(np.float32)[None]


def answered(play: Play, other: Array | None = None) -> Array:
    """The probabilities once the network has answered, and is done."""
    play.until(lambda: not np.isnan(probabilities(play)).any(), "probabilities")
    if other is not None:
        play.until(lambda: not np.array_equal(probabilities(play), other), "other probabilities")
    play.still()
    return probabilities(play)


def test_a_digit_is_read_while_it_is_drawn(visit: Visit) -> None:
    play = trained(visit, 95, seed=1)
    assert np.isnan(probabilities(play)).all()
    empty = strip(play)
    pen(play, (0.36, 0.3), (0.55, 0.1), down=True)
    first = answered(play)
    shown = strip(play)
    assert shown != empty
    pen(play, (0.55, 0.9))
    second = answered(play, first)
    assert strip(play) != shown
    pen(play, up=True)
    assert second.sum() == pytest.approx(100, abs=0.6)
    engine = lab(play.look())
    np.testing.assert_allclose(second, 100 * engine.network.predict(drawn(play))[0], atol=2)
    assert play.text("verdict") == "This looks like a 1."
    assert second.argmax() == 1
    play.click("clear-pad")
    play.until(lambda: bool(np.isnan(probabilities(play)).all()), "an empty pad")


@pytest.mark.slow
@pytest.mark.skipif(not mnist_files.FOUND, reason="the files of MNIST are not here")
def test_digits_are_recognised_after_training_on_mnist(visit: Visit) -> None:
    play = trained(visit, 96, data="mnist", compile="first")
    pen(play, (0.5, 0.1), (0.5, 0.9), down=True, up=True)
    answered(play)
    assert play.text("verdict") == "This looks like a 1."
    play.click("clear-pad")
    pen(play, (0.25, 0.15), (0.75, 0.15), (0.45, 0.9), down=True, up=True)
    answered(play)
    assert play.text("verdict") == "This looks like a 7."


@pytest.mark.slow
def test_mistakes_are_browsed(visit: Visit) -> None:
    play = visit(tab="digits", data="digits", speed="epoch", seed=2)
    play.steps(1)
    play.by("mistakes").scroll_into_view_if_needed()
    engine = lab(play.look())
    wrong = engine.subject.mistakes(engine, 0, 60)  # type: ignore[attr-defined]
    assert wrong["total"] > 24
    play.until(lambda: play.text("mistake-count").startswith(f"{wrong['total']} test digits wrong; 1 to 24"), "them")
    play.click("mistakes-next")
    play.until(lambda: "25 to" in play.text("mistake-count"), "the next ones")
    item = wrong["items"][24]
    label = play.by("mistake-0").get_attribute("aria-label")
    assert label == f"A {item['label']}, read as {item['predicted']}; put it on the pad"
    play.click("mistake-0")
    said = answered(play)
    assert play.text("verdict") == f"This looks like a {item['predicted']}."
    assert said.max() == pytest.approx(100 * item["probability"], abs=0.1)


@pytest.mark.slow
def test_the_tabs_keep_their_networks_settings(visit: Visit) -> None:
    play = visit(data="moons", hidden=[3])
    play.click("tab-digits")
    play.settled(tab="digits", hidden=[64])
    assert play.by("pad").is_visible()
    play.type("neurons-1", 20)
    play.settled(hidden=[20])
    play.click("tab-plane")
    play.settled(tab="plane", data="moons", hidden=[3])
    play.click("tab-digits")
    play.settled(tab="digits", hidden=[20])
