"""The page without a mouse."""

from __future__ import annotations

from tests.playground.browser.driver import Play
from tests.playground.browser.visits import Visit

REACHABLE = """() => [...document.querySelectorAll("[data-testid]")]
    .filter((each) => each.matches("button, input, select, summary") && each.checkVisibility() && !each.disabled)
    .filter((each) => each.tabIndex >= 0 && !each.matches(".neuron"))
    .map((each) => each.dataset.testid)"""
FOCUSED = """() => {
    const at = document.activeElement;
    const style = getComputedStyle(at);
    const marked = (style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0) || style.boxShadow !== "none";
    const label = at.matches("input") && getComputedStyle(at.closest("label") ?? at).outlineStyle !== "none";
    return { name: at.dataset.testid ?? at.id ?? "", visible: marked || label, body: at === document.body };
}"""


def test_keys_play_step_and_reset_and_go_from_neuron_to_neuron(visit: Visit) -> None:
    play = visit(data="moons", hidden=[3, 2])
    keys_play_step_and_reset(play)
    arrow_keys_go_from_neuron_to_neuron(play)


def keys_play_step_and_reset(play: Play) -> None:
    press = play.page.keyboard.press
    press("ArrowRight")
    play.until(lambda: play.step == 25, "one epoch")
    press("Space")
    play.until(lambda: play.playing and play.step > 50, "training")
    press("Space")
    play.until(lambda: not play.playing, "the pause")
    press("r")
    play.until(lambda: play.step == 0, "the beginning")


def arrow_keys_go_from_neuron_to_neuron(play: Play) -> None:
    play.by("neuron-1-1").focus()
    for key, name in (("ArrowDown", "1-2"), ("ArrowRight", "2-2"), ("ArrowUp", "2-1"), ("ArrowRight", "3-1")):
        play.page.keyboard.press(key)
        assert focused(play)["name"] == f"neuron-{name}"
    assert play.by("inspector").is_visible()
    assert play.step == 0
    play.page.keyboard.press("ArrowLeft")
    play.page.keyboard.press("Enter")
    assert focused(play)["name"] == "inspector-bias"
    play.page.keyboard.press("Escape")
    assert focused(play)["name"] == "neuron-2-1"
    assert play.by("inspector").is_hidden()


def test_tab_reaches_everything_and_is_seen(visit: Visit) -> None:
    play = visit(data="moons", hidden=[3, 2])
    wanted = set(play.page.evaluate(REACHABLE))
    assert len(wanted) > 40
    reached: set[str] = set()
    unseen: set[str] = set()
    for _ in range(len(wanted) + 40):
        play.page.keyboard.press("Tab")
        found = focused(play)
        if found["body"]:
            break
        reached.add(str(found["name"]))
        if not found["visible"]:
            unseen.add(str(found["name"]))
    assert not unseen
    assert not wanted - reached
    assert any(name.startswith("neuron-") for name in reached)


def focused(play: Play) -> dict[str, object]:
    return dict(play.page.evaluate(FOCUSED))
