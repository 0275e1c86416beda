"""Two pages at once: each has a network and a process of its own."""

from __future__ import annotations

import psutil

from tests.playground.browser.driver import Play
from tests.playground.browser.serving import Served, runs
from tests.playground.browser.visits import Visit


def test_two_tabs_are_apart_and_a_closed_one_ends_its_process(visit: Visit, server: Served) -> None:
    pause = visit.blank()
    spare = settled(server, pause, 1)  # a process that waits for the next page
    one = visit(data="moons", hidden=[3], speed="epoch")
    first = spare
    second = settled(server, pause, 2) - first
    other = visit(data="plane", hidden=[5, 2])
    settled(server, pause, 3)
    one.click("play")
    other.click("play")
    for play in (one, other):
        play.until(lambda play=play: play.step > 100, "100 steps")
    assert (one.archive()["settings"]["data"], other.archive()["settings"]["data"]) == ("moons", "plane")
    one.page.close()
    pause.until(lambda: not server.processes() & first, "the end of the process of the closed page")
    assert all(map(runs, second))
    before = other.step
    other.until(lambda: other.step > before + 100, "the other one going on")
    assert other.archive()["settings"]["hidden"] == [5, 2]


def settled(server: Served, play: Play, many: int) -> set[psutil.Process]:
    """The processes of the server, once there are so many."""
    seen: set[psutil.Process] = set()

    def arrived() -> bool:
        nonlocal seen
        seen = server.processes()
        return len(seen) == many

    play.until(arrived, lambda: f"{many} processes; there are {seen}")
    return seen
