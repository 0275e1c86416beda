"""A window as small as a phone, and fingers."""

from __future__ import annotations

import pytest

from tests.playground.browser.driver import Play
from tests.playground.browser.visits import PHONE, Visit

WIDTH = 390
PATIENCE_S = 40
"""Without a graphics card, the 5,000 links of the widest network take a second for each picture."""


def fits(play: Play) -> None:
    """Nothing is wider than the window."""
    assert play.page.evaluate("() => document.documentElement.scrollWidth") <= WIDTH
    play.page.evaluate("() => window.scrollTo(1000, 0)")
    assert play.page.evaluate("() => window.scrollX") == 0


@pytest.mark.parametrize(
    "settings",
    [
        pytest.param({"data": "gauss", "classes": 4, "hidden": [8, 8, 8], "race": "on"}, marks=pytest.mark.slow),
        pytest.param({"hidden": [32] * 6, "features": ["x1", "x2", "x1^2", "x1x2"]}, marks=pytest.mark.slow),
        pytest.param({"tab": "digits", "hidden": [1024, 64]}, marks=pytest.mark.slow),
    ],
    ids=["race", "wide", "digits"],
)
def test_it_fits_a_phone(visit: Visit, settings: dict[str, object]) -> None:
    play = visit(context=PHONE, **settings)
    fits(play)
    plays(play)


def plays(play: Play) -> None:
    """By tapping."""
    play.by("play").tap()
    play.until(lambda: play.step > 0 and play.playing, "training", PATIENCE_S)
    fits(play)
    play.by("play").tap(timeout=1000 * PATIENCE_S)
    play.until(lambda: not play.playing, "the pause", PATIENCE_S)


def test_points_are_drawn_by_tapping(visit: Visit) -> None:
    play = visit(context=PHONE)
    play.by("dataset-drawn").tap()
    play.by("output-plot").scroll_into_view_if_needed()
    box = play.by("output-plot").bounding_box()
    assert box is not None
    for x, y in ((0.25, 0.25), (0.75, 0.5)):
        play.by("output-plot").tap(position={"x": x * box["width"], "y": y * box["height"]})
    play.until(lambda: len(play.archive().get("points", [])) == 2, "two points in the engine")
    (x, y, label), (u, v, _) = play.archive()["points"]
    assert (x, y, u, v) == pytest.approx((-3, 3, 3, 0), abs=0.15)
    assert label == 0
    fits(play)
    plays(play)
