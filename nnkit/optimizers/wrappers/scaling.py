"""A larger loss for the backward pass, so that small gradients are not lost where numbers are rounded to float16."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from nnkit.hyperparameters import check_count, check_number
from nnkit.ops import namespace
from nnkit.optimizers.optimizer import Optimizer
from nnkit.optimizers.parts import Parts, Shape
from nnkit.optimizers.wrappers.wrapper import Wrapper

Array = Any
RATIO, GOOD, SKIPPED = "scale_ratio", "scale_good", "scale_skipped"


@dataclass(frozen=True)
class LossScale(Wrapper):
    """``optimizer`` on the gradient of S · loss, divided by S; S is as large as the range of the numbers allows.

    S begins at ``initial``. A step whose gradient is not finite is skipped: parameters and moments stay as they are, it
    does not count as an update, and S is halved. After ``interval`` good steps S is doubled, as long as it is finite
    then. Where the gradient is not finite although S is at most 1, the step is a failure like any other. Running
    statistics of layers count the batch of a skipped step too: they come from the forward pass, which is as good as
    ever. ``net.fit(precision="mixed_float16")`` puts this wrapper around its optimiser by itself. It stands outside of
    all others. Micikevicius and others, "Mixed precision training", ICLR 2018.

    >>> from nnkit.optimizers import SGD
    >>> import numpy as np
    >>> method = LossScale(SGD(1.0), initial=8.0)
    >>> settings = {name: np.asarray(value) for name, value in method.settings().items()}
    >>> moments = {name: np.asarray(0.0) for name in method.moments}
    >>> weight, one = np.zeros(1), np.asarray(1.0)
    >>> for slope in (np.inf, 6.0):  # the gradient of eight times the loss, and then of four times
    ...     weight, moments = method.update(weight, np.asarray([slope]), moments, settings, one)
    ...     print(weight, float(method.scale(moments, settings)))
    [0.] 4.0
    [-1.5] 4.0
    """

    optimizer: Optimizer
    initial: float = 65536.0
    interval: int = 2000

    name: ClassVar[str] = "loss_scale"
    outermost: ClassVar[bool] = True

    def __post_init__(self) -> None:
        self.check_optimizer()
        check_number("LossScale", "initial", self.initial, "(0, inf)")
        check_count("LossScale", "interval", self.interval, at_least=1)

    @property
    def moments(self) -> tuple[str, ...]:
        """Those of the wrapped optimiser; S / ``initial``, 0 for 1; good steps since S changed; skipped steps."""
        return (*self.optimizer.moments, RATIO, GOOD, SKIPPED)

    def moment_shapes(self, parts: Parts) -> dict[str, Shape]:
        """Those of the wrapped optimiser, and single numbers."""
        return self.optimizer.moment_shapes(parts) | {RATIO: (), GOOD: (), SKIPPED: ()}

    def settings(self) -> dict[str, float]:
        """The hyper-parameters that the update reads."""
        return self.optimizer.settings() | {"loss_scale": float(self.initial), "scale_interval": float(self.interval)}

    def scale(self, moments: Mapping[str, Array], settings: Mapping[str, Array]) -> Array:
        """S of the next step."""
        return settings["loss_scale"] * _ratio(moments)

    def may_skip(self, moments: Mapping[str, Array], settings: Mapping[str, Array]) -> Array:
        """Whether a gradient that is not finite is no more than a scale too large."""
        return self.scale(moments, settings) > 1.0

    def update_parts(
        self,
        parts: Parts,
        parameter: Array,
        gradient: Array,
        moments: Mapping[str, Array],
        settings: Mapping[str, Array],
        step: Array,
    ) -> tuple[Array, dict[str, Array]]:
        """One update by the formula of the class; ``gradient`` is that of S · loss."""
        xp = namespace(gradient)
        inner = {name: moments[name] for name in self.optimizer.moments}
        finite = xp.all(xp.isfinite(gradient))
        slope = gradient / self.scale(moments, settings)
        new, moved = self.optimizer.update_parts(parts, parameter, slope, inner, settings, step - moments[SKIPPED])
        kept = {name: xp.where(finite, value, inner[name]) for name, value in moved.items()}
        return xp.where(finite, new, parameter), kept | self._counted(finite, moments, settings)

    def _counted(self, finite: Array, moments: Mapping[str, Array], settings: Mapping[str, Array]) -> dict[str, Array]:
        xp = namespace(moments[GOOD])
        none, ratio, skipped = xp.zeros_like(moments[GOOD]), _ratio(moments), moments[SKIPPED]
        good = xp.where(finite, moments[GOOD] + 1.0, none)
        due = good >= settings["scale_interval"]
        # Twice an infinite ratio would never come down again.
        larger = due & xp.isfinite(2.0 * ratio * settings["loss_scale"])
        return {
            RATIO: xp.where(finite, xp.where(larger, 2.0 * ratio, ratio), 0.5 * ratio),
            GOOD: xp.where(due, none, good),
            SKIPPED: skipped + xp.where(finite, none, none + 1.0),
        }

    def final(self, parameter: Array, moments: Mapping[str, Array], settings: Mapping[str, Array], step: int) -> Array:
        """Those of the wrapped optimiser after the updates that were not skipped."""
        updates = step - int(moments[SKIPPED])
        return self.optimizer.final(parameter, moments, settings, updates) if updates > 0 else parameter


def _ratio(moments: Mapping[str, Array]) -> Array:
    """S / ``initial``; moments are 0 at first."""
    kept = moments[RATIO]
    return namespace(kept).where(kept == 0.0, kept + 1.0, kept)
