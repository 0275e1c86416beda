"""FTRL-Proximal: the weights that fit all gradients so far, with those that matter little exactly 0."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from nnkit.hyperparameters import check_number
from nnkit.ops import namespace
from nnkit.optimizers.optimizer import Optimizer, as_schedule, check_rate
from nnkit.optimizers.schedules import Schedule

Array = Any

SMALLEST = 1e-20  # in the place of a rate of 0: then nothing moves


@dataclass(frozen=True)
class Ftrl(Optimizer):
    """w ← (clip(z, −λ₁, λ₁) − z) / (aₜ + β / η + 2 λ₂), with n ← n + g², aₜ = √n / ηₜ, z ← z + g − (aₜ − aₜ₋₁) w.

    n begins at ``initial``, and a at 0, so that training goes on from the present weights: without ``l1``, ``l2`` and
    ``beta`` it is then :class:`Adagrad`. Keras begins with a = √n / η, which throws the first weights away; where they
    are 0, or with ``initial=0``, both are the same. McMahan and others, "Ad click prediction: a view from the
    trenches", KDD 2013.

    >>> import numpy as np
    >>> method = Ftrl(0.5, initial=0.0)
    >>> settings = {name: np.asarray(value) for name, value in method.settings().items()}
    >>> zeros = {name: np.zeros(2) for name in method.moments}
    >>> method.update(np.asarray([1.0, 1.0]), np.asarray([3.0, -7.0]), zeros, settings, np.asarray(1.0))[0].round(6)
    array([0.5, 1.5])
    """

    learning_rate: float | Schedule = 1e-3
    l1: float = 0.0
    l2: float = 0.0
    beta: float = 0.0
    initial: float = 0.1

    name: ClassVar[str] = "ftrl"
    moments: ClassVar[tuple[str, ...]] = ("sum", "linear")

    def __post_init__(self) -> None:
        check_rate("Ftrl", self.learning_rate)
        for name in ("l1", "l2", "beta", "initial"):
            check_number("Ftrl", name, getattr(self, name), "[0, inf)")

    def settings(self) -> dict[str, float]:
        """The hyper-parameters that the update reads."""
        used = {"l1": self.l1, "l2": self.l2, "beta": self.beta, "initial": self.initial}
        return as_schedule(self.learning_rate).settings() | {name: float(value) for name, value in used.items()}

    def update(
        self,
        parameter: Array,
        gradient: Array,
        moments: Mapping[str, Array],
        settings: Mapping[str, Array],
        step: Array,
    ) -> tuple[Array, dict[str, Array]]:
        """One update by the formula of the class; arguments as in :class:`Optimizer`."""
        xp = namespace(gradient)
        inverse, earlier = (
            1.0 / xp.maximum(self.rate(t, settings), SMALLEST) for t in (step, xp.maximum(step - 1.0, 1.0))
        )
        earlier = xp.where(step < 1.5, xp.zeros_like(step), earlier)
        before = xp.sqrt(moments["sum"] + settings["initial"]) * earlier
        total = moments["sum"] + xp.square(gradient)
        after = xp.sqrt(total + settings["initial"]) * inverse
        linear = moments["linear"] + gradient - (after - before) * parameter
        strength = after + (settings["beta"] * inverse + 2.0 * settings["l2"])
        clipped = xp.minimum(xp.maximum(linear, -settings["l1"]), settings["l1"])
        untouched = strength == 0  # no gradient so far, and nothing that pulls
        above = xp.where(untouched, parameter, clipped - linear)
        return above / xp.where(untouched, xp.ones_like(strength), strength), {"sum": total, "linear": linear}
