"""What all controls of a page say, to compare two pages."""

from __future__ import annotations

from tests.playground.browser.driver import Play

READ = """() => Object.fromEntries([...document.querySelectorAll("[data-testid]")].flatMap((each) => {
    const name = each.dataset.testid;
    if (!each.checkVisibility()) return [];
    if (each.matches("input[type=checkbox], input[type=radio]")) return [[name, each.checked]];
    if (each.matches("select, input")) return [[name, each.value]];
    return each.hasAttribute("aria-pressed") ? [[name, each.getAttribute("aria-pressed")]] : [];
}))"""


def controls(play: Play) -> dict[str, str | bool]:
    """The value of each visible control, by its name."""
    return dict(play.page.evaluate(READ))
