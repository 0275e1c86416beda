"""RAdam: Adam that waits until its mean square is worth something."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from nnkit.ops import namespace
from nnkit.optimizers import adaptive
from nnkit.optimizers.optimizer import Optimizer, as_schedule, check_rate
from nnkit.optimizers.schedules import Schedule

Array = Any

LARGEST = 80.0  # exp of it has a place in float32


@dataclass(frozen=True)
class RAdam(Optimizer):
    """w ← w − η r m̂ / (√v + ε) · √(1 − β₂ᵗ) where ρₜ > 5, else w ← w − η m̂; m̂ and v as in :class:`Adam`.

    ρₜ = ρ − 2 t β₂ᵗ / (1 − β₂ᵗ) with ρ = 2 / (1 − β₂) − 1 says how many gradients v is a mean of, and
    r² = (ρₜ − 4)(ρₜ − 2) ρ / ((ρ − 4)(ρ − 2) ρₜ) how far to trust it. ε is added to the root before its correction,
    as in PyTorch. Liu, Jiang, He, Chen, Liu, Gao, Han, "On the variance of the adaptive learning rate and beyond",
    ICLR 2020.

    >>> import numpy as np
    >>> method = RAdam(0.5)
    >>> settings = {name: np.asarray(value) for name, value in method.settings().items()}
    >>> zeros = {name: np.zeros(2) for name in method.moments}
    >>> method.update(np.asarray([1.0, 1.0]), np.asarray([3.0, -7.0]), zeros, settings, np.asarray(1.0))[0].round(6)
    array([-0.5,  4.5])
    """

    learning_rate: float | Schedule = 1e-3
    betas: tuple[float, float] = (0.9, 0.999)
    eps: float = 1e-8

    name: ClassVar[str] = "radam"
    moments: ClassVar[tuple[str, ...]] = adaptive.MOMENTS

    def __post_init__(self) -> None:
        check_rate("RAdam", self.learning_rate)
        adaptive.check("RAdam", self.betas, self.eps)

    def settings(self) -> dict[str, float]:
        """The hyper-parameters that the update reads."""
        own = adaptive.settings(self.betas, self.eps) | {"length": 2.0 / (1.0 - self.betas[1]) - 1.0}
        start = own["length"] + 2.0 / own["log_beta2"]  # in double: both are large and nearly cancel
        return as_schedule(self.learning_rate).settings() | own | {"start": start}

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
        first, second, bias1, bias2 = adaptive.means(gradient, moments, settings, step)
        trust = rectification(_seen(step, settings), settings["length"])
        factor = rate / bias1
        adapted = xp.sqrt(bias2) / (xp.sqrt(second) + settings["eps"]) * (factor * trust)
        change = first * xp.where(trust > 0, adapted, factor)
        return parameter - change, {"first": first, "second": second}


def _seen(step: Array, settings: Mapping[str, Array]) -> Array:
    """ρₜ; at first it is the difference of two large numbers, of which float32 would keep nothing.

    With x = −t log β₂ it is ρ − 2 t / (eˣ − 1). For small x the fraction is put as −2 / log β₂ − t (1 − h), where
    h = coth(x/2) − 2/x = x/6 − x³/360 + …, and what is large in it meets ρ on the host.
    """
    xp = namespace(step)
    x = -step * settings["log_beta2"]
    small, large = xp.minimum(x, 0.5), xp.minimum(xp.maximum(x, 0.5), LARGEST)
    square = xp.square(small)
    series = small / 6.0 * (1.0 - square / 60.0 * (1.0 - square / 42.0))
    early = settings["start"] + step * (1.0 - series)
    return xp.where(x < 0.5, early, settings["length"] - 2.0 * step / xp.expm1(large))


def rectification(seen: Array, length: Array) -> Array:
    """r, or 0 where ρₜ is at most 5."""
    xp = namespace(seen)
    enough = xp.maximum(seen, 5.0)
    ratio = (enough - 4.0) * (enough - 2.0) / enough * (length / xp.maximum((length - 4.0) * (length - 2.0), 1.0))
    return xp.where(seen > 5.0, xp.sqrt(ratio), xp.zeros_like(seen))
