"""Points that a person draws."""

from __future__ import annotations

from typing import Any

import pytest

from tests.playground.browser.driver import Play
from tests.playground.browser.visits import Visit


def at(play: Play, x: float, y: float) -> dict[str, float]:
    """A place of the plane, which goes from −6 to 6, in the plot."""
    box = play.by("output-plot").bounding_box()
    assert box is not None
    return {"x": (x + 6) / 12 * box["width"], "y": (6 - y) / 12 * box["height"]}


def points(play: Play, many: int) -> list[Any]:
    """The points in the engine, once there are so many."""
    play.until(lambda: len(play.archive().get("points", [])) == many, f"{many} points in the engine")
    return list(play.archive()["points"])


def draw(play: Play, *places: tuple[float, float], **how: Any) -> None:
    for x, y in places:
        play.by("output-plot").click(position=at(play, x, y), **how)


def test_points_are_drawn_and_taken_away(visit: Visit) -> None:
    play = visit()
    play.click("dataset-drawn")
    draw(play, (-3, 3), (3, 3))
    play.slide("classes", 3)
    play.settled(data="drawn", classes=3)
    play.by("draw-class-2").check()
    draw(play, (0, -3), (2, -3))
    found = points(play, 4)
    assert [label for *_, label in found] == [0, 0, 2, 2]
    assert found[0][:2] == pytest.approx([-3, 3], abs=0.1)
    draw(play, (2, -3), button="right")
    assert len(points(play, 3)) == 3
    play.by("eraser").check()
    draw(play, (-3, 3))
    assert [label for *_, label in points(play, 2)] == [0, 2]
    play.by("eraser").uncheck()
    play.by("output-plot").focus()
    for key in ("ArrowLeft", "ArrowUp", "Enter"):
        play.page.keyboard.press(key)
    assert points(play, 3)[-1] == pytest.approx([-0.25, 0.25, 2], abs=0.01)
    play.steps(1)
    play.click("clear-points")
    points(play, 0)


@pytest.mark.slow
def test_drawn_values(visit: Visit) -> None:
    play = visit()
    play.click("dataset-drawn")
    play.settled(data="drawn")
    play.choose("problem", "regression")
    play.settled(problem="regression")
    play.slide("draw-value", -0.5)
    draw(play, (-3, 3), (3, 3), (0, 0))
    assert [value for *_, value in points(play, 3)] == [-0.5] * 3
    play.click("draw-done")
    assert play.by("eraser").is_hidden()
    play.steps(2)
