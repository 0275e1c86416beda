"""Losses for targets that count events."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from nnkit.losses.loss import Loss, Pair, log_of, matching, row_means
from nnkit.ops import namespace

Array = Any


@dataclass(frozen=True)
class Poisson(Loss):
    """mean of p − t log p: the negative log-likelihood of counts t when p are expected, without the constant log t!.

    With the exponential as output activation it is computed from the values z before it, as exp(z) − t z. From positive
    predictions alone, log 0 counts as the logarithm of the smallest normal number.

    >>> import numpy as np
    >>> Poisson()(np.asarray([[1.0], [2.0]]), np.asarray([[3.0], [0.0]]))
    array([1., 2.])
    """

    name: ClassVar[str] = "poisson"
    targets: ClassVar[Literal["numbers"]] = "numbers"
    domain: ClassVar[Literal["positive"]] = "positive"
    minimum: ClassVar[float | None] = 0.0

    def __call__(self, prediction: Array, target: Array) -> Array:
        """Positive predictions and targets ≥ 0 of one shape, (rows, …)."""
        return row_means(prediction - matching(self.name, prediction, target) * log_of(prediction))

    @property
    def paired(self) -> Mapping[str, Pair]:
        """From the values before the exponential."""
        return {"exponential": self._from_logarithms}

    def _from_logarithms(self, logarithms: Array, target: Array) -> Array:
        expected = namespace(logarithms).exp(logarithms)
        return row_means(expected - matching(self.name, logarithms, target) * logarithms)
