"""Losses of support vector machines: scores of the right class must win by a margin of 1."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from nnkit.losses.classes import spread
from nnkit.losses.loss import Loss, row_means, signs
from nnkit.ops import namespace, relu

Array = Any


@dataclass(frozen=True)
class Hinge(Loss):
    """mean max(0, 1 − s z) for scores z of any sign, above 0 for yes, and s = 1 for yes and −1 for no.

    Targets are 0 and 1, or −1 and 1: what is above 0 is yes. Cortes, Vapnik, "Support-vector networks", Machine
    Learning 20, 1995.

    >>> import numpy as np
    >>> Hinge()(np.asarray([[2.0], [0.5], [0.5]]), np.asarray([[1], [1], [0]]))
    array([0. , 0.5, 1.5])
    """

    name: ClassVar[str] = "hinge"
    targets: ClassVar[Literal["binary"]] = "binary"
    domain: ClassVar[Literal["signed"]] = "signed"

    def __call__(self, prediction: Array, target: Array) -> Array:
        """Scores and targets of one shape, (rows, …)."""
        return row_means(_shortfall(self.name, prediction, target))


@dataclass(frozen=True)
class SquaredHinge(Loss):
    """mean max(0, 1 − s z)², with scores and targets as for :class:`Hinge`; smooth where the margin is reached.

    Tang, "Deep learning using linear support vector machines", ICML workshop 2013.

    >>> import numpy as np
    >>> SquaredHinge()(np.asarray([[2.0], [0.5], [0.5]]), np.asarray([[1], [1], [-1]]))
    array([0.  , 0.25, 2.25])
    """

    name: ClassVar[str] = "squared_hinge"
    targets: ClassVar[Literal["binary"]] = "binary"
    domain: ClassVar[Literal["signed"]] = "signed"

    def __call__(self, prediction: Array, target: Array) -> Array:
        """Scores and targets of one shape, (rows, …)."""
        return row_means(namespace(prediction).square(_shortfall(self.name, prediction, target)))


@dataclass(frozen=True)
class CategoricalHinge(Loss):
    """max(0, 1 + max zⱼ − zᵢ) for scores z along the last axis, the right class i and all others j.

    Targets are as for :class:`CrossEntropy`; with probabilities, zᵢ is Σ tᵢ zᵢ, and j are the classes with t = 0.
    Crammer, Singer, "On the algorithmic implementation of multiclass kernel-based vector machines", JMLR 2, 2001. Keras
    takes max zⱼ to be 0 at least, which is the same for scores that are not negative.

    >>> import numpy as np
    >>> CategoricalHinge()(np.asarray([[2.0, 0.5, 1.5], [2.0, 0.5, 1.5]]), np.asarray([0, 1]))
    array([0.5, 2.5])
    """

    name: ClassVar[str] = "categorical_hinge"
    targets: ClassVar[Literal["classes"]] = "classes"
    domain: ClassVar[Literal["any"]] = "any"

    def __call__(self, prediction: Array, target: Array) -> Array:
        """Scores of shape (rows, …, classes); targets of that shape, or integers of shape (rows, …)."""
        xp = namespace(prediction)
        share = spread(self.name, prediction, target)
        lowest = xp.full_like(prediction, float(xp.finfo(prediction.dtype).min))
        other = xp.max(xp.where(share > 0, lowest, prediction), axis=-1)
        return row_means(relu(other - xp.sum(share * prediction, axis=-1) + 1.0))


def _shortfall(name: str, scores: Array, target: Array) -> Array:
    """What is missing to the margin, element by element."""
    return relu(1.0 - scores * signs(name, scores, target))
