"""What the output shows, and what changes it."""

from __future__ import annotations

import pytest

from tests.playground.browser.driver import Play
from tests.playground.browser.engine import lab
from tests.playground.browser.visits import Visit


def dots(play: Play) -> str:
    """The picture of the points."""
    return str(play.page.locator("canvas.plot-dots").first.evaluate("(canvas) => canvas.toDataURL()"))


def test_switches_change_the_picture(visit: Visit) -> None:
    play = visit(data="moons", hidden=[3])
    play.steps(2)
    smooth, training = play.picture(), dots(play)
    play.by("discretise").check()
    play.until(lambda: play.picture() != smooth, "classes only")
    play.by("discretise").uncheck()
    play.until(lambda: play.picture() == smooth, "shades again")
    play.by("show-test").check()
    play.until(lambda: dots(play) != training, "test points")
    play.by("show-test").uncheck()
    play.until(lambda: dots(play) == training, "training points alone")
    curve = play.picture("curves")
    play.by("log-scale").check()
    play.until(lambda: play.picture("curves") != curve, "another scale")


def test_the_confusion_matrix_is_of_the_last_frame(visit: Visit) -> None:
    play = visit(data="gauss", classes=3, noise=50, hidden=[3], stop="epoch", goal=9)
    play.page.locator("#confusion summary").click()
    play.click("play")
    play.notice("Goal reached")
    play.still()
    counts = lab(play.look()).scored().confusion.reshape(-1)
    cells = play.by("confusion").locator("td")
    play.until(lambda: cells.all_inner_texts() == [str(count) for count in counts], "the counts of the engine")
    play.click("race")
    play.until(lambda: play.page.locator("#confusion summary").inner_text() == "Confusion matrix of A", "whose it is")


@pytest.mark.slow
def test_a_neuron_under_the_mouse_is_shown_large(visit: Visit) -> None:
    play = visit(data="moons", hidden=[3])
    play.steps(1)
    smooth = play.picture()
    play.by("neuron-1-2").hover()
    play.until(lambda: play.picture() != smooth, "the neuron's map")
    assert play.page.locator(".plot-name").first.inner_text() == "Neuron 2 of layer 1"
    play.by("feature-x1").hover()
    assert "X" in play.page.locator(".plot-name").first.inner_text().upper()
    play.page.mouse.move(5, 5)
    play.until(lambda: play.picture() == smooth, "the output again")
