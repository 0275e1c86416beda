"""A connection that is lost and comes back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.playground.browser.driver import Play
from tests.playground.browser.proxy import BROWSER, SERVER, Line, line
from tests.playground.browser.serving import served
from tests.playground.browser.test_drawing import draw, points
from tests.playground.browser.visits import DESKTOP, Windows, visits

REFUSED = "WebSocket connection to"
"""What Chromium writes to the console of a connection that it does not get."""
CUT = "Failed to load resource"
"""The same of the page's icon, which it loads again when the address changes."""


@pytest.fixture
def cuttable(windows: Windows, tmp_path: Path) -> Iterator[tuple[Play, Line]]:
    """A page, and its line to a server of its own."""
    with (
        served(tmp_path / "complaints.txt", "--host", SERVER) as server,
        line(server.port) as between,
        visits(windows, f"http://{BROWSER}:{server.port}/") as visit,
    ):
        play = visit.blank(**DESKTOP)
        play.watch.expect(REFUSED)
        play.watch.expect(CUT)
        yield play, between


def lose(play: Play, between: Line) -> None:
    between.cut()
    play.by("connection").wait_for()
    assert "lost" in play.text("connection")
    assert play.text("status") == "not connected"


def regain(play: Play, between: Line) -> None:
    between.mend()
    play.by("connection").wait_for(state="hidden")
    assert play.text("status") == "connected"


def test_the_same_network_goes_on(cuttable: tuple[Play, Line]) -> None:
    play, between = cuttable
    play.open(data="moons", hidden=[5], optimizer="adam", rate=0.01)
    play.steps(3)
    before, step, loss = play.archive(), play.step, play.text("test-loss")
    assert step == 75
    lose(play, between)
    play.click("step")  # what is asked meanwhile is refused, in words
    play.notice("no connection")
    regain(play, between)
    assert play.archive() == before
    assert (play.step, play.text("test-loss")) == (step, loss)
    play.steps(1)
    assert play.step == 100
    play.click("play")
    play.until(lambda: play.step > 200, "training")
    lose(play, between)
    last = play.step
    regain(play, between)
    play.still()
    assert last <= play.step < last + 2000
    if not play.playing:
        play.click("play")
    now = play.step
    play.until(lambda: play.step > now + 50, "training that goes on")
    play.pause()
    points_drawn_meanwhile_are_told(play, between)


def points_drawn_meanwhile_are_told(play: Play, between: Line) -> None:
    play.click("dataset-drawn")
    draw(play, (-3, 3), (3, 3))
    points(play, 2)
    lose(play, between)
    draw(play, (0, -3))
    play.notice("no connection")
    regain(play, between)
    assert len(points(play, 3)) == 3


@pytest.mark.slow
def test_a_server_that_was_started_anew(windows: Windows, tmp_path: Path) -> None:
    with served(tmp_path / "first.txt") as server, visits(windows, server.url) as visit:
        play = visit.blank(**DESKTOP)
        play.watch.expect(REFUSED)
        play.open(data="moons", hidden=[5], noise=10)
        settings = play.archive()["settings"]
        server.process.terminate()
        server.process.wait(10)
        play.by("connection").wait_for()
        with served(tmp_path / "second.txt", "--port", str(server.port)):
            play.by("connection").wait_for(state="hidden")
            play.notice("begins anew with the same settings")
            assert play.archive()["settings"] == settings
            play.steps(1)
