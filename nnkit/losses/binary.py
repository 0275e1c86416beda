"""Losses for targets that are 0 or 1, one or several for each row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from nnkit.losses.loss import Loss, Pair, log_of, matching, row_means
from nnkit.ops import softplus

Array = Any


@dataclass(frozen=True)
class BinaryCrossEntropy(Loss):
    """mean of −t log p − (1 − t) log(1 − p), for probabilities p and targets t that are 0, 1 or between.

    With the sigmoid as output activation it is computed from the values z before it, as softplus(z) − z t, which stays
    exact however large z is. From probabilities alone, log 0 counts as the logarithm of the smallest normal number.

    >>> import numpy as np
    >>> BinaryCrossEntropy()(np.asarray([[0.5], [1.0]]), np.asarray([[1.0], [1.0]])).round(6)
    array([0.693147, 0.      ])
    """

    name: ClassVar[str] = "binary_cross_entropy"
    targets: ClassVar[Literal["binary"]] = "binary"
    domain: ClassVar[Literal["probability"]] = "probability"

    def __call__(self, prediction: Array, target: Array) -> Array:
        """Probabilities and targets of one shape, (rows, …)."""
        target = matching(self.name, prediction, target)
        return row_means(-(target * log_of(prediction) + (1.0 - target) * log_of(1.0 - prediction)))

    @property
    def paired(self) -> Mapping[str, Pair]:
        """From the values before the sigmoid."""
        return {"sigmoid": self._from_logits}

    def _from_logits(self, logits: Array, target: Array) -> Array:
        return row_means(softplus(logits) - logits * matching(self.name, logits, target))
