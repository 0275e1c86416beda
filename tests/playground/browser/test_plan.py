"""The plan of a step, as nnkit explains it."""

from __future__ import annotations

from typing import Any

from nnkit.playground.optimizer import optimizer_for
from tests.playground.browser.driver import Play
from tests.playground.browser.engine import lab
from tests.playground.browser.visits import Visit


def explained(play: Play) -> dict[str, Any]:
    """What nnkit says of the network that the page has."""
    made = lab(play.look())
    found = made.network.explain(made.settings.batch, optimizer_for(made.settings), made.subject.goal.loss)
    return dict(found.data)


def shown(play: Play, data: dict[str, Any]) -> None:
    """The page shows this plan."""
    kernels = data["total"]["kernels"]
    play.until(lambda: play.text("plan-heading").startswith(f"{kernels} kernels"), f"{kernels} kernels in the heading")
    assert play.by("plan-steps").locator("tr td.kernel").count() == len(data["steps"])
    assert play.page.locator("svg.timeline rect.block").count() == len(data["steps"])
    first = play.by("plan-measures").locator(".measure").first.inner_text()
    assert str(kernels) in first
    assert f"naive: {data['naive']['kernels']}" in first


def test_the_plan_is_that_of_the_network(visit: Visit) -> None:
    play = visit(hidden=[4, 2])
    before = explained(play)
    shown(play, before)
    play.click("add-layer")
    play.settled(hidden=[4, 2, 2])
    after = explained(play)
    assert after["total"]["kernels"] > before["total"]["kernels"]
    shown(play, after)
    play.click("plan-tab-decisions")
    assert play.by("plan-steps").is_hidden()
    assert play.by("plan-decisions").locator("li").count() == len(after["decisions"])
    play.click("plan-tab-steps")
    play.by("plan-steps").locator("tr td.kernel").first.hover()
    assert play.text("plan-step").startswith(f"{after['steps'][0]['number']}.")
