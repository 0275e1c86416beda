"""Losses for numbers: functions of the error e = prediction − target."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from nnkit.hyperparameters import check_number
from nnkit.losses.loss import Loss, matching, row_means
from nnkit.ops import namespace

Array = Any


@dataclass(frozen=True)
class MeanSquaredError(Loss):
    """mean e². With the identity as output activation this is the maximum likelihood of normal errors.

    >>> import numpy as np
    >>> MeanSquaredError()(np.asarray([[1.0, 2.0]]), np.asarray([[0.0, 4.0]]))
    array([2.5])
    """

    name: ClassVar[str] = "mean_squared_error"
    targets: ClassVar[Literal["numbers"]] = "numbers"
    domain: ClassVar[Literal["any"]] = "any"
    of_error: ClassVar[bool] = True

    def __call__(self, prediction: Array, target: Array) -> Array:
        """Predictions and targets of one shape, (rows, …)."""
        error = prediction - matching(self.name, prediction, target)
        return row_means(namespace(error).square(error))


@dataclass(frozen=True)
class MeanAbsoluteError(Loss):
    """mean |e|, with derivative 0 at e = 0.

    >>> import numpy as np
    >>> MeanAbsoluteError()(np.asarray([[1.0, 2.0]]), np.asarray([[0.0, 4.0]]))
    array([1.5])
    """

    name: ClassVar[str] = "mean_absolute_error"
    targets: ClassVar[Literal["numbers"]] = "numbers"
    domain: ClassVar[Literal["any"]] = "any"
    of_error: ClassVar[bool] = True

    def __call__(self, prediction: Array, target: Array) -> Array:
        """Predictions and targets of one shape, (rows, …)."""
        return row_means(abs(prediction - matching(self.name, prediction, target)))


@dataclass(frozen=True)
class Huber(Loss):
    """mean of e² / 2 where |e| ≤ δ, and of δ (|e| − δ / 2) beyond: squared for small errors, absolute for outliers.

    Computed as m (|e| − m / 2) with m = min(|e|, δ). Huber, "Robust estimation of a location parameter", Annals of
    Mathematical Statistics 35, 1964.

    >>> import numpy as np
    >>> Huber(delta=1.0)(np.asarray([[0.5], [3.0]]), np.asarray([[0.0], [0.0]]))
    array([0.125, 2.5  ])
    """

    delta: float = 1.0

    name: ClassVar[str] = "huber"
    targets: ClassVar[Literal["numbers"]] = "numbers"
    domain: ClassVar[Literal["any"]] = "any"
    of_error: ClassVar[bool] = True

    def __post_init__(self) -> None:
        check_number("Huber", "delta", self.delta, "(0, inf)")

    def __call__(self, prediction: Array, target: Array) -> Array:
        """Predictions and targets of one shape, (rows, …)."""
        distance = abs(prediction - matching(self.name, prediction, target))
        bounded = namespace(distance).clip(distance, max=float(self.delta))
        return row_means(bounded * (distance - bounded * 0.5))
