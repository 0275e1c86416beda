"""NAdam: Adam that looks ahead, as Nesterov's momentum does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import log
from typing import Any, ClassVar

from nnkit.hyperparameters import check_number
from nnkit.ops import namespace
from nnkit.optimizers import adaptive
from nnkit.optimizers.optimizer import Optimizer, as_schedule, check_rate
from nnkit.optimizers.parts import Parts, Shape
from nnkit.optimizers.schedules import Schedule

Array = Any

SMALLEST = 1e-30  # without a first decay rate the products are 0


@dataclass(frozen=True)
class NAdam(Optimizer):
    """w ← w − η (μₜ₊₁ m / (1 − Πₜ₊₁) + (1 − μₜ) g / (1 − Πₜ)) / (√v̂ + ε), with m and v̂ as in :class:`Adam`.

    μₜ = β₁ (1 − 0.96^(ψ t) / 2) rises from about β₁/2 to β₁, ψ is ``momentum_decay`` and Πₜ = μ₁ μ₂ … μₜ. Its logarithm
    is a moment of one number. Dozat, "Incorporating Nesterov momentum into Adam", ICLR workshop 2016.

    >>> import numpy as np
    >>> method = NAdam(0.5)
    >>> settings = {name: np.asarray(value) for name, value in method.settings().items()}
    >>> zeros = {"first": np.zeros(2), "second": np.zeros(2), "log_product": np.zeros(())}
    >>> method.update(np.asarray([1.0, 1.0]), np.asarray([3.0, -7.0]), zeros, settings, np.asarray(1.0))[0].round(6)
    array([0.471774, 1.528226])
    """

    learning_rate: float | Schedule = 2e-3
    betas: tuple[float, float] = (0.9, 0.999)
    eps: float = 1e-8
    momentum_decay: float = 4e-3

    name: ClassVar[str] = "nadam"
    moments: ClassVar[tuple[str, ...]] = (*adaptive.MOMENTS, "log_product")

    def __post_init__(self) -> None:
        check_rate("NAdam", self.learning_rate)
        adaptive.check("NAdam", self.betas, self.eps)
        check_number("NAdam", "momentum_decay", self.momentum_decay, "[0, inf)")

    def moment_shapes(self, parts: Parts) -> dict[str, Shape]:
        """Two arrays as long as the flat vector, and one number."""
        return super().moment_shapes(parts) | {"log_product": ()}

    def settings(self) -> dict[str, float]:
        """The hyper-parameters that the update reads."""
        own = adaptive.settings(self.betas, self.eps) | {"beta1": float(self.betas[0])}
        return as_schedule(self.learning_rate).settings() | own | {"log_rise": log(0.96) * self.momentum_decay}

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
        first, second, _, bias2 = adaptive.means(gradient, moments, settings, step)
        now, ahead = (settings["beta1"] * (1.0 - 0.5 * xp.exp(t * settings["log_rise"])) for t in (step, step + 1.0))
        product = moments["log_product"] + xp.log(xp.maximum(now, SMALLEST))
        root2 = xp.sqrt(bias2)  # taken out of the array's root, as in Adam
        past = root2 * rate * ahead / -xp.expm1(product + xp.log(xp.maximum(ahead, SMALLEST)))
        present = root2 * rate * (1.0 - now) / -xp.expm1(product)
        change = (first * past + gradient * present) / (xp.sqrt(second) + settings["eps"] * root2)
        return parameter - change, {"first": first, "second": second, "log_product": product}
