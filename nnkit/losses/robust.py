"""Losses for numbers with outliers, and for their quantiles: functions of e = prediction − target."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from nnkit.hyperparameters import check_number
from nnkit.losses.loss import Loss, matching, row_means
from nnkit.ops import namespace, relu

Array = Any

_FAR = 20.0  # beyond it log cosh e is |e| − log 2 to the last digit of float64


@dataclass(frozen=True)
class LogCosh(Loss):
    """mean log cosh e: e² / 2 for small errors and |e| − log 2 for large ones, smooth between them.

    Computed as log(1 + 2 sinh²(m / 2)) + |e| − m with m = min(|e|, 20), which neither overflows nor loses the digits
    of a small error. Its derivative is tanh e. Green, "Bayesian reconstructions from emission tomography data using a
    modified EM algorithm", IEEE Transactions on Medical Imaging 9, 1990.

    >>> import numpy as np
    >>> LogCosh()(np.asarray([[1e-8], [1000.0]]), np.asarray([[0.0], [0.0]]))
    array([5.00000000e-17, 9.99306853e+02])
    """

    name: ClassVar[str] = "log_cosh"
    targets: ClassVar[Literal["numbers"]] = "numbers"
    domain: ClassVar[Literal["any"]] = "any"
    of_error: ClassVar[bool] = True

    def __call__(self, prediction: Array, target: Array) -> Array:
        """Predictions and targets of one shape, (rows, …)."""
        xp = namespace(prediction)
        distance = abs(prediction - matching(self.name, prediction, target))
        # Both are constant for one of the pieces, so that the derivative of the other is not a small rest of 1 − 1.
        near, beyond = xp.minimum(distance, _FAR), xp.maximum(distance, _FAR) - _FAR
        return row_means(xp.log1p(xp.square(xp.sinh(near * 0.5)) * 2.0) + beyond)


@dataclass(frozen=True)
class Quantile(Loss):
    """mean of τ (t − p) where the target t is above the prediction p, and of (1 − τ) (p − t) where it is below.

    The p that makes its expectation least is the quantile τ of t: the median for τ = 1/2. At p = t the derivative is 0.
    Also known as the pinball loss. Koenker, Bassett, "Regression quantiles", Econometrica 46, 1978.

    >>> import numpy as np
    >>> Quantile(tau=0.9)(np.asarray([[1.0], [1.0]]), np.asarray([[2.0], [0.0]])).round(6)
    array([0.9, 0.1])
    """

    tau: float = 0.5

    name: ClassVar[str] = "quantile"
    targets: ClassVar[Literal["numbers"]] = "numbers"
    domain: ClassVar[Literal["any"]] = "any"
    of_error: ClassVar[bool] = True

    def __post_init__(self) -> None:
        check_number("Quantile", "tau", self.tau, "(0, 1)")

    def __call__(self, prediction: Array, target: Array) -> Array:
        """Predictions and targets of one shape, (rows, …)."""
        error = prediction - matching(self.name, prediction, target)
        return row_means(relu(-error) * float(self.tau) + relu(error) * (1.0 - self.tau))
