"""States of the page that are looked at: by pictures that were approved, and by axe for who cannot see them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from tests.playground.browser.driver import Play
from tests.playground.browser.visits import DESKTOP, PHONE, Visit


class Scene(NamedTuple):
    """How a page is opened, and what is done there."""

    context: dict[str, Any]
    settings: dict[str, Any]
    act: Callable[[Play], None]

    def show(self, visit: Visit, script: str | None = None) -> Play:
        """The page in this state, with nothing moving; ``script`` is there before the page's own."""
        play = visit.blank(**self.context)
        if script is not None:
            play.page.add_init_script(script)
        play.open("?still", **self.settings)
        self.act(play)
        play.page.mouse.move(0, 0)
        play.until(lambda: bool(play.text("plan-heading")), "the plan")
        play.still()
        return play


def trained(play: Play) -> None:
    play.steps(6)


def raced(play: Play) -> None:
    play.by("b-neuron-1-1").wait_for()
    trained(play)
    play.click("neuron-1-1")


def written(play: Play) -> None:
    """A seven is on the pad, and mistakes are shown."""
    play.steps(3)
    box = play.by("pad").bounding_box()
    assert box is not None
    at = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in ((0.3, 0.2), (0.7, 0.2), (0.45, 0.8))]
    play.page.mouse.move(*at[0])
    play.page.mouse.down()
    for place in at[1:]:
        play.page.mouse.move(*place, steps=3)
    play.page.mouse.up()
    play.until(lambda: play.text("probability-7") != "–", "what the network makes of it")
    play.by("mistakes").scroll_into_view_if_needed()
    play.by("mistake-0").wait_for()
    play.page.evaluate("() => window.scrollTo(0, 0)")


DARK = {"color_scheme": "dark"}
SPIRAL = {"data": "spiral", "hidden": [6, 4], "optimizer": "adam", "rate": 0.03, "features": ["x1", "x2", "sin(x1)"]}
GAUSS = {"data": "gauss", "classes": 3, "noise": 20, "hidden": [5, 3], "rate": 0.1}
DIGITS = {"tab": "digits", "data": "digits", "hidden": [32, 16], "speed": "epoch", "seed": 1}

PICTURES = {
    "desktop-light": Scene(DESKTOP, SPIRAL, trained),
    "desktop-dark": Scene({**DESKTOP, **DARK}, GAUSS, trained),
    "phone": Scene({**PHONE, "device_scale_factor": 1}, SPIRAL, trained),
    "digits": Scene(DESKTOP, DIGITS, written),
}
"""Those with approved pictures."""

CHECKED = {
    "light": Scene(DESKTOP, {**GAUSS, "race": "on"}, raced),
    "dark": Scene({**DESKTOP, **DARK}, {**SPIRAL, "race": "on", "show": "decisions,test,discrete"}, raced),
    "phone": Scene(PHONE, {**GAUSS, "race": "on"}, trained),
    "digits": Scene(DESKTOP, DIGITS, written),
    "digits-dark": Scene({**DESKTOP, **DARK}, DIGITS, written),
    "digits-phone": Scene(PHONE, DIGITS, written),
}
"""Those that axe checks."""
