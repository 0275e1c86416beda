"""AdamW without a schedule: the gradient is taken between an iterate and its running mean."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from nnkit.hyperparameters import check_number
from nnkit.ops import namespace
from nnkit.optimizers import adaptive, varying
from nnkit.optimizers.optimizer import Optimizer, as_schedule, check_rate
from nnkit.optimizers.parts import Parts, Shape
from nnkit.optimizers.schedules import Schedule
from nnkit.optimizers.varying import Varying

Array = Any

SMALLEST = 1e-30  # all rates may have been 0


@dataclass(frozen=True)
class ScheduleFreeAdamW(Optimizer):
    """z ← z − η d, x ← x + c (z − x), and the gradient is taken at y = (1 − β₁) z + β₁ x; the network's weights are x.

    d = g / (√v̂ + ε) + λ y with v̂ as in :class:`Adam`, all at y, and c = ηₜ² / Σ η². What is kept is y, the point
    that is trained, and z, which begins there; x follows from them. It needs no falling learning rate and no end
    that is known beforehand; a warm-up helps: ``Constant(0.0025, warmup=100)``. Validation, callbacks, and the network
    after ``fit`` have x. Defazio, Yang, Mehta, Mishchenko, Khaled, Cutkosky, "The road less scheduled", NeurIPS 2024.

    >>> import numpy as np
    >>> method = ScheduleFreeAdamW(0.5)
    >>> settings = {name: np.asarray(value) for name, value in method.settings().items()}
    >>> zeros = {"base": np.zeros(2), "second": np.zeros(2), "weight": np.zeros(())}
    >>> slope = np.asarray([3.0, -7.0])
    >>> weight, moments = method.update(np.asarray([1.0, 1.0]), slope, zeros, settings, np.asarray(1.0))
    >>> method.final(weight, moments, settings, 1).round(6)
    array([0.5, 1.5])
    """

    learning_rate: float | Schedule = 2.5e-3
    betas: tuple[float, float] = (0.9, 0.999)
    eps: float = 1e-8
    weight_decay: Varying = 0.0

    name: ClassVar[str] = "schedule_free_adamw"
    moments: ClassVar[tuple[str, ...]] = ("base", "second", "weight")

    def __post_init__(self) -> None:
        check_rate("ScheduleFreeAdamW", self.learning_rate)
        adaptive.check("ScheduleFreeAdamW", self.betas, self.eps)
        check_number("ScheduleFreeAdamW", "betas[0]", self.betas[0], "(0, 1)")
        varying.check("ScheduleFreeAdamW", "weight_decay", self.weight_decay, "[0, inf)")

    @property
    def has_final(self) -> bool:
        """The running mean x is."""
        return True

    def moment_shapes(self, parts: Parts) -> dict[str, Shape]:
        """Two arrays as long as the flat vector, and the sum of the squared rates."""
        return super().moment_shapes(parts) | {"weight": ()}

    def settings(self) -> dict[str, float]:
        """The hyper-parameters that the update reads."""
        own = adaptive.decay("beta2", self.betas[1]) | {"beta1": float(self.betas[0]), "eps": float(self.eps)}
        decay = varying.settings("weight_decay", self.weight_decay) if self.weight_decay else {}
        return as_schedule(self.learning_rate).settings() | own | decay

    def update(
        self,
        parameter: Array,
        gradient: Array,
        moments: Mapping[str, Array],
        settings: Mapping[str, Array],
        step: Array,
    ) -> tuple[Array, dict[str, Array]]:
        """One update by the formula of the class; arguments as in :class:`Optimizer`."""
        xp, rate = namespace(gradient), self.rate(step, settings)
        root2 = xp.sqrt(adaptive.so_far(step, settings, "beta2"))
        second = moments["second"] + (xp.square(gradient) - moments["second"]) * settings["one_minus_beta2"]
        change = gradient / (xp.sqrt(second) + settings["eps"] * root2) * root2
        if self.weight_decay:
            change = change + parameter * varying.at("weight_decay", self.weight_decay, step, settings)
        base = xp.where(step < 1.5, parameter, moments["base"])
        weight = moments["weight"] + xp.square(rate)
        share = xp.square(rate) / xp.maximum(weight, SMALLEST)
        moved = parameter + (base - parameter) * share + change * (rate * (settings["beta1"] * (1.0 - share) - 1.0))
        return moved, {"base": base - change * rate, "second": second, "weight": weight}

    def final(self, parameter: Array, moments: Mapping[str, Array], settings: Mapping[str, Array], step: int) -> Array:
        """x, which lies on the line from z through y."""
        beyond = 1.0 / settings["beta1"] - 1.0
        return parameter + (parameter - moments["base"]) * beyond
