"""Losses for positive numbers, in which an error counts as a share of the target."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from nnkit.hyperparameters import check_number
from nnkit.losses.loss import Loss, matching, row_means
from nnkit.ops import namespace

Array = Any


@dataclass(frozen=True)
class MeanAbsolutePercentageError(Loss):
    """100 · mean |prediction − t| / max(|t|, ε): the absolute error in percent of the target t.

    ``eps`` ε bounds what a target near 0 costs. A prediction below a target costs at most 100, one above it any number,
    so what is learned is rather too low than too high: Tofallis, "A better measure of relative prediction accuracy for
    model selection and model estimation", Journal of the Operational Research Society 66, 2015.

    >>> import numpy as np
    >>> MeanAbsolutePercentageError()(np.asarray([[9.0], [3.0]]), np.asarray([[10.0], [2.0]]))
    array([10., 50.])
    """

    eps: float = 1e-7

    name: ClassVar[str] = "mean_absolute_percentage_error"
    targets: ClassVar[Literal["numbers"]] = "numbers"
    domain: ClassVar[Literal["any"]] = "any"

    def __post_init__(self) -> None:
        check_number("MeanAbsolutePercentageError", "eps", self.eps, "(0, inf)")

    def __call__(self, prediction: Array, target: Array) -> Array:
        """Predictions and targets of one shape, (rows, …)."""
        target = matching(self.name, prediction, target)
        whole = namespace(prediction).clip(abs(target), min=float(self.eps))
        return row_means(abs(prediction - target) / whole) * 100.0


@dataclass(frozen=True)
class MeanSquaredLogarithmicError(Loss):
    """mean (log(1 + prediction) − log(1 + t))² for targets t ≥ 0: the squared error on a scale of ratios.

    A prediction below 0 counts as 0, with derivative 0; with the output activation softplus or exponential there is
    none. Törnqvist, Vartia, Vartia, "How should relative changes be measured?", The American Statistician 39, 1985.

    >>> import numpy as np
    >>> MeanSquaredLogarithmicError()(np.asarray([[np.e - 1.0], [0.0]]), np.asarray([[0.0], [np.e**2 - 1.0]]))
    array([1., 4.])
    """

    name: ClassVar[str] = "mean_squared_logarithmic_error"
    targets: ClassVar[Literal["numbers"]] = "numbers"
    domain: ClassVar[Literal["any"]] = "any"
    minimum: ClassVar[float | None] = 0.0

    def __call__(self, prediction: Array, target: Array) -> Array:
        """Predictions, and targets ≥ 0, of one shape, (rows, …)."""
        xp = namespace(prediction)
        error = xp.log1p(xp.clip(prediction, min=0.0)) - xp.log1p(matching(self.name, prediction, target))
        return row_means(xp.square(error))
