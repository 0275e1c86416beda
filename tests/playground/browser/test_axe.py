"""What axe-core finds: nothing serious for people who use the page without seeing or hearing all of it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.playground.browser.driver import Play
from tests.playground.browser.scenes import CHECKED
from tests.playground.browser.visits import Visit

CI = ("light",)


def faults(play: Play, **more: Any) -> list[str]:
    found: dict[str, Any] = play.page.evaluate("(how) => axe.run(how)", {"resultTypes": ["violations"], **more})
    assert found["passes"]
    return [
        f"{each['id']}: {each['help']}: {[node['target'] for node in each['nodes']][:5]}"
        for each in found["violations"]
        if each["impact"] in ("serious", "critical")
    ]


@pytest.mark.parametrize(
    "name", [name if name in CI else pytest.param(name, marks=pytest.mark.slow) for name in CHECKED]
)
def test_axe_finds_nothing_serious(visit: Visit, name: str) -> None:
    base = pytest.importorskip("axe_playwright_python.base")
    play = CHECKED[name].show(visit, script=base.AXE_SCRIPT)
    assert not faults(play)
    if name == "light":  # the same by night, where colours alone are others
        play.page.emulate_media(color_scheme="dark")
        play.still()
        assert not faults(play, runOnly=["color-contrast"])
