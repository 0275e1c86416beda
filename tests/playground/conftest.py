"""A worker for the tests of a file."""

import pytest

from nnkit.playground.settings import usual
from tests.playground.talk import Talk, talk


@pytest.fixture(scope="module")
def worker():
    with talk(data="xor", hidden=[4], seed=1) as made:
        yield made


@pytest.fixture(autouse=True)
def _afresh(request):
    """Each test of a shared worker begins with the same network at rest."""
    if "worker" in request.fixturenames:
        made: Talk = request.getfixturevalue("worker")
        made.seeing = True
        made.ask("pause")
        made.set(**usual("plane").to_dict() | {"data": "xor", "hidden": [4], "seed": 1})
        made.ask("reset")
        made.still()
