"""All that a person chooses for one network, as plain data: what stands in the address of the page."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, fields, replace
from functools import cache
from typing import Any

from nnkit.errors import NnkitError
from nnkit.losses import LOSSES
from nnkit.nn.activations import ACTIVATIONS
from nnkit.optimizers import OPTIMIZERS
from nnkit.playground.digit_sets import MNIST, SMALL, at_hand_here
from nnkit.playground.features import DERIVED
from nnkit.playground.points import CLASSIFICATION, REGRESSION
from nnkit.playground.rules import Number, OneOf, Rule, Several, Text, Whole, shown

PLANE, DIGITS = "plane", "digits"
DRAWN, TABLE = "drawn", "table"
DEEPEST, WIDEST, WIDEST_DIGITS = 6, 32, 1024
MOST_CLASSES, MOST_COLUMNS = 6, 32
LONGEST_NAME = 80
ELSEWHERE = ("glu", "maxout", "softmax", "log_softmax", "sparsemax")
"""Activations that mix neurons or change their number: no choice for hidden layers."""
APART = ("gaussian_nll", "triplet", "margin_ranking", "kl_divergence", "cosine_similarity", "quantile")
"""Losses for other targets than classes and numbers."""


@dataclass(frozen=True)
class Settings:
    """The choices for one network; ``docs/PLAYGROUND.md`` says what each of them means."""

    tab: str = PLANE
    data: str = "circle"
    classes: int = 2
    problem: str = "classification"
    noise: float = 0.0
    train: float = 50.0
    points: int = 500
    batch: int = 10
    seed: int = 0
    target: str = ""
    features: tuple[str, ...] = ("x1", "x2")
    axes: tuple[str, ...] = ()
    hidden: tuple[int, ...] = (4, 2)
    activations: tuple[str, ...] = ("tanh", "tanh")
    output: str = "auto"
    loss: str = "auto"
    optimizer: str = "sgd"
    rate: float = 0.03
    momentum: float = 0.0
    penalty: str = "none"
    strength: float = 0.0
    dropout: float = 0.0
    speed: str = "epoch"
    compile: str = "off"
    device: str = "cpu"
    stop: str = "never"
    goal: float = 0.05

    @property
    def test_share(self) -> float:
        """The share of the rows that is for testing."""
        return 1 - self.train / 100

    def to_dict(self) -> dict[str, Any]:
        """For JSON.

        >>> Settings().to_dict()["hidden"]
        [4, 2]
        """
        return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()}

    def differ(self, other: Settings, names: Iterable[str]) -> bool:
        """Whether some of these are different."""
        return any(getattr(self, name) != getattr(other, name) for name in names)

    def changed(self, given: Mapping[str, Any]) -> tuple[Settings, list[str]]:
        """These settings with others in their place, and a sentence for each that could not be taken as it was.

        >>> Settings().changed({"noise": 70, "hidden": [8], "wings": 2})[1]
        ['noise is 70, expected a number from 0 to 50; it stays 0', "there is no setting 'wings'"]
        """
        start = self._in_tab(given.get("tab", self.tab))
        taken: dict[str, Any] = {}
        notes = []
        for name, value in given.items():
            if name not in RULES:
                notes.append(f"there is no setting {shown(name)}")
                continue
            try:
                taken[name] = RULES[name](value)
            except ValueError as error:
                notes.append(f"{name} {error}; it stays {_plain(getattr(start, name))}")
        if taken.get("target", start.target) != start.target:
            taken.setdefault("features", ())  # all that there are then
        return replace(start, **taken)._consistent(notes, set(taken)), notes

    def _in_tab(self, tab: Any) -> Settings:
        """The usual settings of another tab: little of what suits points suits pictures."""
        if not isinstance(tab, str) or tab == self.tab or tab not in (PLANE, DIGITS):
            return self
        return replace(usual(tab), seed=self.seed, device=self.device)

    def _consistent(self, notes: list[str], given: set[str]) -> Settings:
        """With what settings say of each other made true; what was asked for and cannot be gets a note."""
        found = self._with_known_data(notes)
        widest = WIDEST_DIGITS if found.tab == DIGITS else WIDEST
        if any(width > widest for width in found.hidden):
            notes.append(f"hidden has {max(found.hidden)} neurons in a layer, {widest} are the most here")
            found = replace(found, hidden=tuple(min(width, widest) for width in found.hidden))
        if "stop" in given and "goal" not in given:
            found = replace(found, goal=GOALS[found.stop])
        if found.stop == "accuracy" and found.goal > 100:
            notes.append(f"goal is {found.goal:g}, and accuracies are up to 100 %; it is {GOALS[found.stop]:g}")
            found = replace(found, goal=GOALS[found.stop])
        layers, named = len(found.hidden), found.activations
        if len(named) != layers:
            if "activations" in given and "hidden" in given:
                notes.append(f"activations has {len(named)} names for {layers} hidden layers; the last one goes on")
            named = (*named, *[named[-1] if named else "tanh"] * layers)[:layers]
            found = replace(found, activations=named)
        if found.data == TABLE:
            return found
        derived = set(found.features) <= set(DERIVED)
        return replace(found, target="", features=found.features if derived else Settings.features)

    def _with_known_data(self, notes: list[str]) -> Settings:
        if (self.data in (SMALL, MNIST)) != (self.tab == DIGITS):
            instead = usual(self.tab).data
            notes.append(f"data is {self.data!r}, which is not in the tab {self.tab!r}; it is {instead!r}")
            return replace(self, data=instead)._with_known_data(notes)
        if self.data in CLASSIFICATION or self.tab == DIGITS:
            return replace(self, problem="classification")
        return replace(self, problem="regression") if self.data in REGRESSION else self


@cache
def usual(tab: str) -> Settings:
    """What a tab begins with; real digits where they are at hand."""
    if tab == PLANE:
        return Settings()
    return Settings(
        tab=DIGITS,
        data=next(iter(at_hand_here()), SMALL),
        classes=10,
        batch=32,
        features=(),
        hidden=(64,),
        activations=("relu",),
        optimizer="adam",
        rate=0.001,
        train=80.0,
        speed="max",
    )


HIDDEN_ACTIVATIONS = tuple(name for name in ACTIVATIONS if name not in ELSEWHERE)
OUTPUTS = ("auto", "identity", "sigmoid", "softmax", "tanh", "relu", "softplus", "hard_tanh", "softsign", "sparsemax")
LOSS_NAMES = ("auto", *(name for name in LOSSES if name not in APART))
PROBLEMS = ("classification", "regression")
PENALTIES = ("none", "l1", "l2")
SPEEDS = ("epoch", "step", "10 epochs", "max")
GOALS = {"never": 0.05, "test loss": 0.05, "train loss": 0.05, "accuracy": 95.0, "epoch": 100.0}
"""When training may stop, and the usual number for each: of accuracies and R² it is percent."""
COMPILE = ("off", "first")


@cache
def devices() -> tuple[str, ...]:
    """Where a network can be on this machine."""
    from importlib.metadata import entry_points

    from nnkit.backend import GROUP, select

    found = []
    for name in sorted({entry.name for entry in entry_points(group=GROUP)}):
        with suppress(NnkitError):
            select(name)
            found.append(name)
    return tuple(found)


def _device(value: Any) -> str:
    return OneOf(devices())(value)


RULES: dict[str, Rule] = {
    "tab": OneOf((PLANE, DIGITS)),
    "data": OneOf((*CLASSIFICATION, *REGRESSION, DRAWN, TABLE, SMALL, MNIST)),
    "classes": Whole(2, 10),
    "problem": OneOf(PROBLEMS),
    "noise": Number(0, 50),
    "train": Number(10, 90),
    "points": Whole(50, 5000),
    "batch": Whole(1, 1024),
    "seed": Whole(0, 2**32 - 1),
    "target": Text(LONGEST_NAME, shortest=0),
    "features": Several(Text(LONGEST_NAME), 0, MOST_COLUMNS, different=True),
    "axes": Several(Text(LONGEST_NAME), 0, 2, different=True),
    "hidden": Several(Whole(1, WIDEST_DIGITS), 0, DEEPEST),
    "activations": Several(OneOf(HIDDEN_ACTIVATIONS), 0, DEEPEST),
    "output": OneOf(OUTPUTS),
    "loss": OneOf(LOSS_NAMES),
    "optimizer": OneOf(tuple(OPTIMIZERS)),
    "rate": Number(0, 100, above=True),
    "momentum": Number(0, 0.999),
    "penalty": OneOf(PENALTIES),
    "strength": Number(0, 100),
    "dropout": Number(0, 0.9),
    "speed": OneOf(SPEEDS),
    "compile": OneOf(COMPILE),
    "device": _device,
    "stop": OneOf(tuple(GOALS)),
    "goal": Number(0, 1e9),
}
assert set(RULES) == {field.name for field in fields(Settings)}

DATA = ("tab", "data", "classes", "problem", "noise", "train", "points", "seed", "target")
"""What the rows follow from."""
SUBJECT = (*DATA, "features", "axes", "output", "loss")
"""What rows and targets follow from."""
NETWORK = (*DATA, "features", "hidden", "activations", "output", "device")
"""What the weights mean something for."""
LAYERS = ("penalty", "strength", "dropout")
"""What a network with the same weights is made again for."""
OPTIMIZER = ("optimizer", "momentum")
"""What the moments mean something for; the learning rate may change."""

PLAN = ("batch", "optimizer", "momentum", "compile")
"""What the plan of a step follows from, beside the network."""


def place(name: str) -> int:
    """Where a setting stands among all: those that others follow from come first."""
    return list(RULES).index(name) if name in RULES else len(RULES)


def _plain(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(list(value) if isinstance(value, tuple) else value)
