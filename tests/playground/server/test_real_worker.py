"""The server with the workers that it has in earnest."""

import os
import signal

import pytest

from nnkit.playground.server.child import WORKER
from nnkit.playground.settings import usual
from tests.playground.server import served
from tests.playground.server.served import children, run, site


def test_a_network_whose_process_was_killed_is_there_again_and_a_race_begins_with_its_settings(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(served, "WAIT_S", 30)  # real processes start in seconds

    async def test() -> None:
        async with site(worker=WORKER) as at:
            page, _ = await at.open()
            wanted = usual("plane").to_dict() | {"data": "moons", "hidden": [3], "activations": ["tanh"]}
            assert (await page.ask("set", settings={"data": "moons", "hidden": [3]}))["settings"] == wanted
            assert (await page.ask("race", settings={"rate": 0.5}))["settings"] == wanted | {"rate": 0.5}
            await page.ask("race", settings=None)
            for child in children():
                os.kill(child.pid, signal.SIGKILL)
            assert (await page.event("lost"))["lane"] == 0
            assert (await page.event("state"))["settings"] == wanted

    run(test, 90)
