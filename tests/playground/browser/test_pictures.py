"""The page looks as it did when somebody approved it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.playground.browser import pictures
from tests.playground.browser.scenes import PICTURES
from tests.playground.browser.visits import Visit

RENEW = "python -m tests.playground.browser.approve"
CI = ("desktop-light",)
CARDS = ("section.training", ".card.data", "#network", ".card.output", "#plan")


@pytest.mark.parametrize(
    "name", [name if name in CI else pytest.param(name, marks=pytest.mark.slow) for name in PICTURES]
)
def test_it_looks_as_approved(visit: Visit, name: str, tmp_path: Path) -> None:
    found = pictures.taken(PICTURES[name].show(visit))
    difference = pictures.apart(found, pictures.approved(name))
    if difference is not None:
        found.save(tmp_path / f"{name}.png")
    assert difference is None, f"{difference}; the new picture is {tmp_path / name}.png; if it is right: {RENEW} {name}"


@pytest.mark.parametrize("name", PICTURES)
def test_approved_pictures_are_small(name: str) -> None:
    assert pictures.path(name).stat().st_size < 150_000


@pytest.mark.slow
def test_a_missing_part_is_found(visit: Visit) -> None:
    play = PICTURES["desktop-light"].show(visit)
    whole = pictures.taken(play)
    assert pictures.apart(whole, pictures.taken(play)) is None
    for card in CARDS:
        hide = "(card, kind) => { card.style.visibility = kind; }"
        play.page.locator(card).evaluate(hide, "hidden")
        assert pictures.apart(whole, pictures.taken(play)) is not None, card
        play.page.locator(card).evaluate(hide, "visible")
