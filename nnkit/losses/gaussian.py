"""A loss for predictions that say how sure they are: a mean and a variance for each target."""

from __future__ import annotations

from dataclasses import dataclass
from math import log
from typing import Any, ClassVar, Literal

from nnkit.errors import ShapeError
from nnkit.hyperparameters import check_number
from nnkit.losses.loss import Loss, in_dtype_of, row_means
from nnkit.ops import namespace

Array = Any


@dataclass(frozen=True)
class GaussianNLL(Loss):
    """mean of (log v + (t − μ)² / v) / 2: the negative log-likelihood of normal targets, without its constant.

    For k targets the network has 2 k outputs: first the k means μ, then k numbers s that give the variances
    v = ε + exp s. ``eps`` ε is the least variance, without which the loss of a target that is met would have no bound;
    in it the variance is smooth, so that no output is stuck there. ``predict`` gives μ and s; the scores of ``test``
    are those of the means. The outputs must be free to have any sign: ``output_activation="identity"``.

    Nix, Weigend, "Estimating the mean and variance of the target probability distribution", ICNN 1994.

    >>> import numpy as np
    >>> GaussianNLL()(np.asarray([[1.0, 0.0], [1.0, 2.0]]), np.asarray([[3.0], [1.0]])).round(4)
    array([2., 1.])
    """

    eps: float = 1e-6

    name: ClassVar[str] = "gaussian_nll"
    targets: ClassVar[Literal["numbers"]] = "numbers"
    domain: ClassVar[Literal["signed"]] = "signed"

    def __post_init__(self) -> None:
        check_number("GaussianNLL", "eps", self.eps, "(0, inf)")

    def targets_for(self, outputs: int) -> int:
        """One for a mean and a variance."""
        if outputs % 2:
            raise ShapeError(
                f"loss '{self.name}' needs two outputs for each target, means first and then logarithms of variances, "
                f"and the network has {outputs}; build it with twice as many outputs as there are targets"
            )
        return outputs // 2

    def outputs_for(self, targets: int) -> int:
        """A mean and a variance for each."""
        return 2 * targets

    def variances(self, prediction: Array) -> Array:
        """The variances v in predictions of shape (rows, …, 2 k), of which (rows, …, k) remain.

        >>> import numpy as np
        >>> GaussianNLL(eps=0.5).variances(np.asarray([[3.0, 0.0]]))
        array([[1.5]])
        """
        return namespace(prediction).exp(self._log_variances(prediction))

    def _log_variances(self, prediction: Array) -> Array:
        xp, log_variance = namespace(prediction), prediction[..., prediction.shape[-1] // 2 :]
        return xp.logaddexp(log_variance, xp.full_like(log_variance, log(self.eps)))

    def __call__(self, prediction: Array, target: Array) -> Array:
        """Predictions of shape (rows, …, 2 k) and targets of shape (rows, …, k)."""
        xp, shape = namespace(prediction), tuple(target.shape)
        if not shape or tuple(prediction.shape) != (*shape[:-1], 2 * shape[-1]):
            raise ShapeError(
                f"loss '{self.name}': predictions have shape {tuple(prediction.shape)} and targets {shape}; "
                "with targets (rows, k), predictions are (rows, 2 k), k means and then k logarithms of variances"
            )
        count = shape[-1]
        error = in_dtype_of(prediction, target) - prediction[..., :count]
        log_variance = self._log_variances(prediction)
        return row_means(log_variance + xp.square(error) * xp.exp(-log_variance)) * 0.5
