"""Training that ends by itself; test_build.py has one that ends by its test loss."""

from __future__ import annotations

from tests.playground.browser.visits import Visit


def test_training_ends_where_it_was_to_end(visit: Visit) -> None:
    play = visit(data="gauss", hidden=[3])
    play.choose("stop", "epoch")
    play.type("goal", 6)
    play.settled(stop="epoch", goal=6)
    play.click("play")
    play.notice("Goal reached. 6 epochs are done.")
    play.still()
    assert (play.playing, play.step) == (False, 6 * 25)
