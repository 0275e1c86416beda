"""The address of a page, opened by somebody else."""

from __future__ import annotations

import random
from typing import Any

import pytest

from nnkit.errors import NnkitError
from nnkit.playground.given import Given, subject_for
from nnkit.playground.lab import Lab
from nnkit.playground.rules import Number, OneOf, Whole
from nnkit.playground.settings import RULES, Settings
from tests.playground.browser.controls import controls
from tests.playground.browser.driver import Play, link
from tests.playground.browser.visits import DESKTOP, Visit

ALIKE = ("tab", "device", "problem", "target", "axes", "data", "features", "hidden", "activations")
"""What is chosen apart below, or has one value here."""


def copied(play: Play) -> str:
    """The end of the address, as the button copies it."""
    play.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    play.menu()
    play.click("copy-link")
    play.notice("copied")
    address = str(play.page.evaluate("() => navigator.clipboard.readText()"))
    assert address.startswith(play.url)
    return address.removeprefix(play.url)


def again(visit: Visit, play: Play) -> Play:
    """The link of a page, opened elsewhere."""
    play.page.wait_for_timeout(350)  # the address follows at most three times a second
    return visit(copied(play))


def alike(one: Play, other: Play) -> None:
    """Both pages and both networks are the same."""
    assert other.archive() == one.archive()
    other.until(lambda: controls(other) == controls(one), "the same controls")


def set_all(play: Play) -> None:
    """Another value in every control that there is for made data."""
    play.click("dataset-gauss", "feature-x1", "feature-x1^2", "feature-sin(x2)")
    for name, value in {"classes": 3, "noise": 25, "train": 70, "points": 300}.items():
        play.slide(name, value)
    play.click("add-layer", "add-neuron-1", "remove-neuron-2", "add-neuron-3")
    for name, value in {
        "activation-1": "relu", "activation-2": "softsign", "activation-3": "gelu", "output-activation": "softmax",
        "loss": "cross_entropy", "optimizer": "rmsprop", "penalty": "l1", "speed": "10 epochs", "compile": "first",
        "stop": "epoch",
    }.items():  # fmt: skip
        play.choose(name, value)
    for name, value in {
        "seed": 7, "rate": 0.0125, "momentum": 0.5, "batch": 33, "strength": 0.002, "dropout": 0.25, "goal": 12
    }.items():  # fmt: skip
        play.type(name, value)
    for name in ("show-test", "discretise", "log-scale"):
        play.by(name).check()
    play.click("links-gradients", "plan-tab-decisions")


def set_second(play: Play) -> None:
    """A second network that differs in all that it may."""
    play.click("race")
    play.by("network-b").wait_for()
    play.click("b-feature-x1", "b-remove-layer", "b-add-neuron-1")
    play.choose("b-activation-1", "elu")
    play.choose("b-output-activation", "auto")
    play.choose("b-optimizer", "sgd")
    play.choose("b-compile", "off")
    play.type("b-momentum", 0.75)
    play.type("b-rate", 0.3)
    play.until(lambda: play.page.evaluate("() => location.hash").count("race.") >= 8, "the race in the address")


EXPECTED = {
    "data": "gauss", "classes": 3, "noise": 25, "train": 70, "points": 300, "seed": 7, "batch": 33,
    "features": ["x2", "x1^2", "sin(x2)"], "hidden": [5, 1, 3], "activations": ["relu", "softsign", "gelu"],
    "output": "softmax", "loss": "cross_entropy", "optimizer": "rmsprop", "rate": 0.0125, "momentum": 0.5,
    "penalty": "l1", "strength": 0.002, "dropout": 0.25, "speed": "10 epochs", "compile": "first", "stop": "epoch",
    "goal": 12,
}  # fmt: skip


def test_a_link_has_every_control(visit: Visit) -> None:
    play = visit()
    usual = Settings().to_dict()
    set_all(play)
    found = play.settled(**EXPECTED)["settings"]
    apart = ("tab", "problem", "target", "axes", "device")  # of other data, or with one value on this machine
    assert [name for name in found if found[name] == usual[name]] == [name for name in found if name in apart]
    set_second(play)
    play.click("reset")  # weights that were kept while dropout came are not those that the seed gives
    before, other = controls(play), again(visit, play)
    assert {name: before[name] for name in ("b-rate", "b-momentum", "b-optimizer", "b-activation-1")} == {
        "b-rate": "0.3", "b-momentum": "0.75", "b-optimizer": "sgd", "b-activation-1": "elu"
    }  # fmt: skip
    alike(play, other)


@pytest.mark.slow
def test_a_link_has_drawn_points_and_their_problem(visit: Visit) -> None:
    play = visit("#data=drawn&problem=regression&drawn=bbbbzccccAddddQ&hidden=3&seed=5")
    points = play.archive()["points"]
    assert len(points) == 3
    assert play.value("problem") == "regression"
    other = again(visit, play)
    assert other.archive()["points"] == points
    alike(play, other)


def chosen(random_: random.Random, rule: Any) -> Any:
    """A value that a rule takes."""
    if isinstance(rule, OneOf):
        return random_.choice(rule.names)
    if isinstance(rule, Whole):
        return random_.randint(rule.low, min(rule.high, 2000))
    assert isinstance(rule, Number)
    return float(f"{random_.uniform(rule.low, min(rule.high, 60)):.4g}")


def wild(seed: int) -> dict[str, Any]:
    """Settings by chance which go together."""
    random_ = random.Random(seed)
    while True:
        made = {name: chosen(random_, rule) for name, rule in RULES.items() if name not in ALIKE}
        layers = random_.randint(0, 6)
        made["data"] = random_.choice(["circle", "xor", "gauss", "spiral", "moons", "plane", "multi-gauss"])
        made["features"] = random_.sample(["x1", "x2", "x1^2", "x2^2", "x1x2", "sin(x1)", "sin(x2)"], 3)
        made["hidden"] = [random_.randint(1, 12) for _ in range(layers)]
        made["activations"] = [chosen(random_, RULES["activations"].each) for _ in range(layers)]  # type: ignore[attr-defined]
        made["classes"] = random_.randint(2, 6)
        settings, notes = Settings().changed(made)
        try:
            Lab(settings, subject_for(settings, Given()))
        except (NnkitError, ValueError):
            continue
        if not notes:
            return made


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(1, 9))])
def test_settings_by_chance_go_through_a_link(visit: Visit, seed: int) -> None:
    wanted = wild(seed)
    play = visit(**wanted)
    settings = play.archive()["settings"]
    assert settings == Settings().changed(wanted)[0].to_dict()
    assert not play.notices()
    alike(play, again(visit, play))


NONSENSE = [
    ("hidden=-3,foo&noise=abc&rate=0&wings=2&data=nowhere", ["noise", "'wings'", "hidden", "rate", "data"]),
    ("activations=%E0%A4%A&features=evil,%00&drawn=!!!!!!!&seed=-1", ["activations", "seed"]),
    ("race.hidden=9999&race.wings=1&show=nothing,&&=&=&==", ["wings"]),
    ("tab=plane&data=mnist&output=softmax&loss=hinge", ["'mnist'"]),
    ("__proto__=1&constructor=2&hidden=1e400&goal=" + "9" * 400, ["constructor", "hidden", "goal"]),
]


def test_links_with_nonsense(visit: Visit) -> None:
    play = visit.blank(**DESKTOP)
    play.page.goto(f"{play.url}#{NONSENSE[0][0]}")
    play.page.wait_for_selector("html[data-ready='true']", state="attached")
    for at, (hash_, words) in enumerate(NONSENSE):
        if at:
            play.page.evaluate("(hash) => { location.hash = hash; }", hash_)
        for word in words:
            play.notice(word)
        play.steps(1)
        play.close_notices()


@pytest.mark.slow
def test_another_link_in_the_same_page(visit: Visit) -> None:
    play = visit(noise=20, hidden=[3], batch=5)
    play.page.evaluate("(hash) => { location.hash = hash; }", link(data="moons", hidden=[5, 2]))
    found = play.settled(data="moons", hidden=[5, 2])["settings"]
    assert found == Settings().changed({"data": "moons", "hidden": [5, 2]})[0].to_dict()
