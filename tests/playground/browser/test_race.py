"""Two networks on the same data."""

from __future__ import annotations

from tests.playground.browser.visits import Visit


def test_a_race_goes_on_and_ends(visit: Visit) -> None:
    play = visit(data="moons", hidden=[3])
    play.click("race")
    play.by("network-b").wait_for()
    play.by("b-neuron-1-3").wait_for()
    play.click("b-add-neuron-1")
    play.by("b-neuron-1-4").wait_for()
    play.choose("b-optimizer", "adam")
    play.click("play")
    play.until(lambda: play.step > 100, "100 steps")
    play.until(lambda: play.text("b-test-loss") != play.text("test-loss"), "two losses")
    play.pause()
    assert play.by("output-map").is_visible()
    assert play.by("b-output-map").is_visible()
    assert play.picture() != play.picture("b-output-map")
    assert "race.optimizer=adam" in play.page.evaluate("() => location.hash")
    play.click("race")
    play.by("network-b").wait_for(state="hidden")
    assert play.by("b-output-map").count() == 0
    before = play.step
    play.steps(1)
    assert play.step == before + 25
