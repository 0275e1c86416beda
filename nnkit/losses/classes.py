"""Losses for targets that are one of several classes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from nnkit.errors import ShapeError
from nnkit.hyperparameters import check_number
from nnkit.losses.loss import Loss, Pair, in_dtype_of, log_of, row_means
from nnkit.ops import namespace, one_hot, stop_gradient

Array = Any


@dataclass(frozen=True)
class CrossEntropy(Loss):
    """−Σ tᵢ log pᵢ over the classes i, for class probabilities p along the last axis.

    Targets are integer labels, of the shape of the predictions without its last axis, or probabilities t of the same
    shape (one-hot rows, for example). ``label_smoothing`` ε replaces t by (1 − ε) t + ε / classes: Szegedy and others,
    "Rethinking the Inception architecture for computer vision", CVPR 2016.

    With softmax or log_softmax as output activation it is computed from the values z before it, as
    log Σ exp(z) − Σ tᵢ zᵢ with the largest z taken out of all first, which stays exact however large they are. From
    probabilities alone, log 0 counts as the logarithm of the smallest normal number.

    >>> import numpy as np
    >>> CrossEntropy()(np.asarray([[0.5, 0.5], [0.25, 0.75]]), np.asarray([0, 1])).round(6)
    array([0.693147, 0.287682])
    """

    label_smoothing: float = 0.0

    name: ClassVar[str] = "cross_entropy"
    targets: ClassVar[Literal["classes"]] = "classes"
    domain: ClassVar[Literal["distribution"]] = "distribution"

    def __post_init__(self) -> None:
        check_number("CrossEntropy", "label_smoothing", self.label_smoothing, "[0, 1)")

    def __call__(self, prediction: Array, target: Array) -> Array:
        """Probabilities of shape (rows, …, classes); targets of that shape, or integers of shape (rows, …)."""
        return row_means(-self._expected(log_of(prediction), target))

    @property
    def paired(self) -> Mapping[str, Pair]:
        """From the values before softmax or log_softmax."""
        return {"softmax": self._from_logits, "log_softmax": self._from_logits}

    def _from_logits(self, logits: Array, target: Array) -> Array:
        xp = namespace(logits)
        centred = logits - stop_gradient(xp.max(logits, axis=-1, keepdims=True))
        log_total = xp.log(xp.sum(xp.exp(centred), axis=-1))
        return row_means(log_total * self._mass(logits, target) - self._expected(centred, target))

    def _expected(self, values: Array, target: Array) -> Array:
        """Σ tᵢ valuesᵢ with t smoothed. Labels become 0 and 1, which fuses with its neighbours; a lookup would not."""
        xp = namespace(values)
        target = spread(self.name, values, target)
        hit = xp.sum(target * values, axis=-1)
        if not self.label_smoothing:
            return hit
        return hit * (1.0 - self.label_smoothing) + xp.mean(values, axis=-1) * float(self.label_smoothing)

    def _mass(self, values: Array, target: Array) -> Array | float:
        """Σ tᵢ with t smoothed: 1 for labels, and for probabilities up to their rounding."""
        if target.ndim < values.ndim:
            return 1.0
        total = namespace(values).sum(spread(self.name, values, target), axis=-1)
        return total * (1.0 - self.label_smoothing) + float(self.label_smoothing)


def spread(name: str, values: Array, target: Array) -> Array:
    """Targets of the loss ``name`` as one number for each class, in the dtype of ``values``."""
    shape, xp = tuple(values.shape), namespace(target)
    if tuple(target.shape) == shape and len(shape) > 1:
        return in_dtype_of(values, target)
    if tuple(target.shape) == shape[:-1] and len(shape) > 1 and xp.isdtype(target.dtype, "integral"):
        return one_hot(target, shape[-1], values.dtype)
    raise ShapeError(
        f"loss '{name}': predictions have shape {shape} and targets {tuple(target.shape)} of {target.dtype}; "
        "with predictions (rows, classes), targets are integer labels (rows,) or probabilities (rows, classes)"
    )
