"""Cross-entropies in which rows that are right already count for less."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from nnkit.hyperparameters import check_number
from nnkit.losses.classes import spread
from nnkit.losses.loss import Loss, Pair, log_of, matching, row_means
from nnkit.ops import log_softmax, namespace, softplus

Array = Any


@dataclass(frozen=True)
class BinaryFocal(Loss):
    """mean of w (1 − q)^γ times the binary cross-entropy, for probabilities p and targets t that are 0, 1 or between.

    q = t p + (1 − t) (1 − p) is the probability of what is true, so (1 − q)^γ leaves out what is known already; γ = 0
    gives the cross-entropy itself. w = α t + (1 − α) (1 − t) balances yes and no; ``alpha=None`` stands for w = 1. The
    defaults are those of the paper: Lin and others, "Focal loss for dense object detection", ICCV 2017.

    With the sigmoid as output activation it is computed from the values before it, where 1 − q keeps its digits.

    >>> import numpy as np
    >>> BinaryFocal(alpha=None)(np.asarray([[0.5], [0.9]]), np.asarray([[1.0], [1.0]])).round(6)
    array([0.173287, 0.001054])
    """

    gamma: float = 2.0
    alpha: float | None = 0.25

    name: ClassVar[str] = "binary_focal"
    targets: ClassVar[Literal["binary"]] = "binary"
    domain: ClassVar[Literal["probability"]] = "probability"

    def __post_init__(self) -> None:
        check_number("BinaryFocal", "gamma", self.gamma, "[0, inf)")
        if self.alpha is not None:
            check_number("BinaryFocal", "alpha", self.alpha, "[0, 1]")

    def __call__(self, prediction: Array, target: Array) -> Array:
        """Probabilities and targets of one shape, (rows, …)."""
        target = matching(self.name, prediction, target)
        no, entropy = 1.0 - prediction, log_of(prediction) * target
        return self._focused(target, prediction, no, -(entropy + (1.0 - target) * log_of(no)))

    @property
    def paired(self) -> Mapping[str, Pair]:
        """From the values before the sigmoid."""
        return {"sigmoid": self._from_logits}

    def _from_logits(self, logits: Array, target: Array) -> Array:
        xp, target = namespace(logits), matching(self.name, logits, target)
        yes, no = xp.exp(-softplus(-logits)), xp.exp(-softplus(logits))
        return self._focused(target, yes, no, softplus(logits) - logits * target)

    def _focused(self, target: Array, yes: Array, no: Array, entropy: Array) -> Array:
        """From the probabilities of yes and of no, and the cross-entropy."""
        focus = _power(yes * (1.0 - target) + no * target, self.gamma)
        if self.alpha is not None:
            focus = focus * (target * (2.0 * self.alpha - 1.0) + (1.0 - self.alpha))
        return row_means(focus * entropy)


@dataclass(frozen=True)
class Focal(Loss):
    """−α Σ tᵢ (1 − pᵢ)^γ log pᵢ over the classes i, for class probabilities p along the last axis.

    Targets are as for :class:`CrossEntropy`, which γ = 0 and α = 1 give. α is one number that scales the loss, as in
    Keras; classes weigh differently by ``fit(class_weight=…)``. Lin and others, "Focal loss for dense object
    detection", ICCV 2017, for several classes.

    With softmax or log_softmax as output activation it is computed from the values before it.

    >>> import numpy as np
    >>> Focal(alpha=1.0)(np.asarray([[0.5, 0.5], [0.1, 0.9]]), np.asarray([0, 1])).round(6)
    array([0.173287, 0.001054])
    """

    gamma: float = 2.0
    alpha: float = 0.25

    name: ClassVar[str] = "focal"
    targets: ClassVar[Literal["classes"]] = "classes"
    domain: ClassVar[Literal["distribution"]] = "distribution"

    def __post_init__(self) -> None:
        check_number("Focal", "gamma", self.gamma, "[0, inf)")
        check_number("Focal", "alpha", self.alpha, "(0, inf)")

    def __call__(self, prediction: Array, target: Array) -> Array:
        """Probabilities of shape (rows, …, classes); targets of that shape, or integers of shape (rows, …)."""
        return self._focused(log_of(prediction), 1.0 - prediction, target)

    @property
    def paired(self) -> Mapping[str, Pair]:
        """From the values before softmax or log_softmax."""
        return {"softmax": self._from_logits, "log_softmax": self._from_logits}

    def _from_logits(self, logits: Array, target: Array) -> Array:
        log_p = log_softmax(logits)
        return self._focused(log_p, -namespace(logits).expm1(log_p), target)

    def _focused(self, log_p: Array, miss: Array, target: Array) -> Array:
        """From the logarithms of the probabilities, and from 1 less the probabilities."""
        share = spread(self.name, log_p, target) * (-self.alpha)
        return row_means(namespace(log_p).sum(share * _power(miss, self.gamma) * log_p, axis=-1))


def _power(x: Array, exponent: float) -> Array:
    """x^γ for x ≥ 0, by logarithms: where x is 0, so is the derivative, also for γ below 1."""
    return namespace(x).exp(log_of(x) * float(exponent))
