"""People who do the next thing before the last is answered."""

from __future__ import annotations

import json

import pytest

from tests.playground.browser.driver import Play, link
from tests.playground.browser.test_drawing import draw, points
from tests.playground.browser.test_edit import middle_of_the_first_link
from tests.playground.browser.visits import DESKTOP, Visit

AT_ONCE = """async (names) => {
    for (const name of names) {
        document.querySelector(`[data-testid="${name}"]`).click();
        await new Promise((done) => setTimeout(done));
    }
}"""
"""Clicks with no time for an answer in between."""
HELD = """() => window.addEventListener("DOMContentLoaded", () => {
    const event = (kind) => new PointerEvent(kind, { bubbles: true });
    document.getElementById("play").dispatchEvent(event("pointerdown"));
    setTimeout(() => document.getElementById("play").dispatchEvent(event("pointerup")), 800);
})"""


def at_once(play: Play, *names: str) -> None:
    play.page.evaluate(AT_ONCE, list(names))


def test_a_button_is_held_while_the_page_begins(visit: Visit) -> None:
    play = visit.blank(**DESKTOP)
    play.page.add_init_script(f"({HELD})()")
    play.open(data="moons")
    assert play.by("activation-1").locator("option").count() > 5
    play.until(lambda: play.by("plan-steps").locator("tr").count() > 5, "the plan")


@pytest.mark.slow
def test_tabs_and_races_that_are_left_at_once(visit: Visit) -> None:
    play = visit(hidden=[5], noise=10)
    tabs_there_and_back(play)
    a_race_that_ends_before_it_has_begun(play)
    drawing_in_a_race(play)
    what_a_race_leaves(play)


def tabs_there_and_back(play: Play) -> None:
    """The other tab has its own settings afterwards."""
    at_once(play, "tab-digits", "tab-plane")
    play.settled(tab="plane", hidden=[5], noise=10)
    play.click("tab-digits")
    found = play.settled(tab="digits", optimizer="adam")["settings"]
    assert found["hidden"] != [5]
    assert play.notices() == []
    play.click("tab-plane")
    play.settled(tab="plane", hidden=[5], noise=10)


def a_race_that_ends_before_it_has_begun(play: Play) -> None:
    at_once(play, "race", "race")
    play.page.wait_for_timeout(300)
    play.type("batch", 7)
    play.settled(batch=7)
    assert play.by("network-b").is_hidden()
    play.close_notices()


def drawing_in_a_race(play: Play) -> None:
    """A race that begins while somebody draws brings another plot."""
    play.click("dataset-drawn")
    draw(play, (-3, 3), (3, 3))
    points(play, 2)
    play.click("race")
    play.by("network-b").wait_for()
    draw(play, (0, -3))
    points(play, 3)
    play.click("draw-done", "dataset-moons")
    play.settled(data="moons")


def what_a_race_leaves(play: Play) -> None:
    """No card of a link, and no button that says Pause."""
    cards = play.page.locator(".link-card")
    assert cards.count() == 2
    play.page.evaluate("""async () => {
        const { store } = await import(new URL("store.js", location).href);
        await store.connection.ask({ do: "play", lane: 1 });
    }""")
    play.until(lambda: play.playing, "the second network alone")
    play.click("race")
    play.by("network-b").wait_for(state="hidden")
    assert cards.count() == 1
    play.until(lambda: not play.playing, "the end of all training")


@pytest.mark.slow
def test_drawing_in_haste(visit: Visit) -> None:
    play = visit()
    classes_between_points(play)
    other_data_before_the_points_were_told(play)


def classes_between_points(play: Play) -> None:
    play.click("dataset-drawn")
    play.settled(data="drawn")
    for at in range(6):
        draw(play, (at - 3, at % 2))
        box = play.by(f"draw-class-{at % 2}").bounding_box()
        assert box is not None
        play.page.mouse.move(box["x"] + 3, box["y"] + 3)
        play.page.mouse.down()
        play.page.wait_for_timeout(120)
        play.page.mouse.up()
        assert play.by(f"draw-class-{at % 2}").is_checked()
    assert [label for *_, label in points(play, 6)] == [0, 0, 1, 0, 1, 0]


def other_data_before_the_points_were_told(play: Play) -> None:
    draw(play, (-4, -4), (4, -4), (-4, 4))
    at_once(play, "dataset-spiral")
    play.settled(data="spiral")
    play.page.wait_for_timeout(500)
    assert play.archive()["settings"]["data"] == "spiral"


def test_keys_that_are_held_and_numbers_that_are_put_back(visit: Visit) -> None:
    play = visit(data="moons", hidden=[2])
    press = play.page.keyboard
    play.by("points").focus()
    for _ in range(20):
        press.press("ArrowRight")
    play.settled(points=1500)
    play.by("rate").focus()
    press.type("1")
    press.press("Control+A")
    press.type("0.03")
    press.press("Tab")
    play.choose("optimizer", "adam")
    rate = play.settled(optimizer="adam")["settings"]["rate"]
    play.until(lambda: float(play.value("rate")) == rate, "the usual rate of the optimizer")
    play.page.locator("body").focus()
    play.page.evaluate("() => document.activeElement.blur()")
    for _ in range(4):  # as a key that is held repeats
        press.down(" ")
    press.up(" ")
    play.until(lambda: play.playing, "one press, which plays")
    play.pause()


POINTS_SHOWN = """async () => {
    const { store } = await import(new URL("store.js", location).href);
    return store.lanes[0].data.points.x.length;
}"""


@pytest.mark.slow
def test_what_was_refused_goes_back_and_what_was_pinned_goes_away(visit: Visit) -> None:
    play = visit(data="moons", hidden=[2])
    play.type("seed", 4294967295)
    play.settled(seed=4294967295)
    assert play.value("seed") == "4294967295"
    play.choose("stop", "accuracy")
    play.until(lambda: play.value("goal") == "95", "the goal of accuracies")
    play.page.mouse.move(*middle_of_the_first_link(play))
    play.page.mouse.down()
    play.page.mouse.up()
    card = play.by("link-card")
    play.by("link-weight").wait_for()
    play.click("dataset-xor")
    play.settled(data="xor")
    card.wait_for(state="hidden")
    play.click("dataset-drawn")
    play.settled(data="drawn")
    draw(play, (0, 0))
    points(play, 1)
    play.page.wait_for_timeout(200)
    assert play.page.evaluate(POINTS_SHOWN) == 1
    play.click("draw-done", "tab-digits")
    play.settled(tab="digits")
    play.type("neurons-1", 2000)
    play.notice("Hidden layers")
    play.until(lambda: play.value("neurons-1") == "64", "the size that the layer has")


@pytest.mark.slow
def test_links_of_a_page_and_places_of_a_page(visit: Visit) -> None:
    play = visit(data="moons", hidden=[5], noise=10)
    play.page.keyboard.press("Tab")
    assert "Skip" in str(play.page.evaluate("() => document.activeElement.textContent"))
    play.page.keyboard.press("Enter")
    assert play.page.evaluate("() => document.activeElement.id") == "network"
    play.page.wait_for_timeout(300)
    play.settled(data="moons", hidden=[5], noise=10)
    play.click("race")
    play.by("network-b").wait_for()
    hash_of = link(data="circle", hidden=[2])
    play.page.evaluate("(hash) => (location.hash = hash)", hash_of)
    play.by("network-b").wait_for(state="hidden")
    play.settled(data="circle", hidden=[2], noise=0)
    play.page.evaluate("(hash) => (location.hash = hash)", f"{hash_of}&race.rate=0.5")
    play.by("network-b").wait_for()
    play.until(lambda: play.value("b-rate") == "0.5", "the rate of the second network")
    play.page.evaluate("(hash) => (location.hash = hash)", f"{hash_of}&race.rate=0.25")
    play.until(lambda: play.by("b-rate").count() == 1 and play.value("b-rate") == "0.25", "the rate of the other race")
    play.bring("own.json", json.dumps(play.archive()).encode())
    play.by("network-b").wait_for(state="hidden")


def test_a_drawing_is_read_by_the_network_that_follows(visit: Visit) -> None:
    play = visit(tab="digits", hidden=[8])
    pad = play.by("pad").bounding_box()
    assert pad is not None
    play.page.mouse.move(pad["x"] + pad["width"] / 2, pad["y"] + pad["height"] / 4)
    play.page.mouse.down()
    play.page.mouse.move(pad["x"] + pad["width"] / 2, pad["y"] + 3 * pad["height"] / 4, steps=5)
    play.page.mouse.up()

    def shares() -> list[str]:
        return [play.text(f"probability-{at}") for at in range(10)]

    play.until(lambda: any(shares()), "probabilities")
    play.still()
    before = shares()
    play.by("mistakes").scroll_into_view_if_needed()
    play.until(lambda: play.text("mistake-count") != "", "mistakes")
    mistakes = play.text("mistake-list")
    play.type("seed", 7)
    play.settled(seed=7)
    play.until(lambda: shares() != before, "what the other network reads")
    play.until(lambda: play.text("mistake-list") != mistakes, "mistakes of the other network")
