"""Losses for rows of outputs that are directions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from nnkit.losses.loss import Loss, matching, row_means
from nnkit.ops import namespace, stop_gradient

Array = Any


@dataclass(frozen=True)
class CosineSimilarity(Loss):
    """1 − cos of the angle between prediction and target, vectors along the last axis: 0 if equal, 2 if opposite.

    The lengths do not count, and are taken out first, so that none is too large. The cosine with a vector of zeros is
    0. PyTorch's ``CosineEmbeddingLoss`` for pairs that belong together is the same; Keras's loss of this name is less
    by 1. Salton, Wong, Yang, "A vector space model for automatic indexing", Communications of the ACM 18, 1975.

    >>> import numpy as np
    >>> CosineSimilarity()(np.asarray([[3.0, 0.0], [0.0, 2.0]]), np.asarray([[1.0, 0.0], [0.0, -1.0]]))
    array([0., 2.])
    """

    name: ClassVar[str] = "cosine_similarity"
    targets: ClassVar[Literal["numbers"]] = "numbers"
    domain: ClassVar[Literal["any"]] = "any"

    def __call__(self, prediction: Array, target: Array) -> Array:
        """Predictions and targets of one shape, (rows, …, size)."""
        product = _direction(prediction) * _direction(matching(self.name, prediction, target))
        return row_means(1.0 - namespace(product).sum(product, axis=-1))


def _direction(x: Array) -> Array:
    """Vectors of length 1; zeros stay zeros, with a derivative that is finite."""
    xp = namespace(x)
    top = stop_gradient(xp.max(abs(x), axis=-1, keepdims=True))
    x = x / xp.where(top > 0, top, xp.ones_like(top))
    # Where x is not 0, the sum is 1 at least.
    return x / xp.sqrt(xp.clip(xp.sum(xp.square(x), axis=-1, keepdims=True), min=0.5))
