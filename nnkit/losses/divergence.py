"""How far one distribution over classes is from another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from nnkit.losses.classes import spread
from nnkit.losses.loss import Loss, Pair, log_of, row_means
from nnkit.ops import log_softmax, namespace

Array = Any


@dataclass(frozen=True)
class KLDivergence(Loss):
    """Σ tᵢ log(tᵢ / pᵢ) over the classes i, for class probabilities p and targets t along the last axis; 0 log 0 = 0.

    It is the cross-entropy less the entropy of the targets: 0 where p = t, and with the same derivatives. Targets are
    as for :class:`CrossEntropy`. With softmax or log_softmax as output activation it is computed from the values before
    it. Kullback, Leibler, "On information and sufficiency", Annals of Mathematical Statistics 22, 1951.

    >>> import numpy as np
    >>> KLDivergence()(np.asarray([[0.5, 0.5], [0.2, 0.8]]), np.asarray([[1.0, 0.0], [0.2, 0.8]])).round(6)
    array([0.693147, 0.      ])
    """

    name: ClassVar[str] = "kl_divergence"
    targets: ClassVar[Literal["classes"]] = "classes"
    domain: ClassVar[Literal["distribution"]] = "distribution"

    def __call__(self, prediction: Array, target: Array) -> Array:
        """Probabilities of shape (rows, …, classes); targets of that shape, or integers of shape (rows, …)."""
        return self._from_logarithms(log_of(prediction), target)

    @property
    def paired(self) -> Mapping[str, Pair]:
        """From the values before softmax or log_softmax."""
        return {"softmax": self._from_logits, "log_softmax": self._from_logits}

    def _from_logits(self, logits: Array, target: Array) -> Array:
        return self._from_logarithms(log_softmax(logits), target)

    def _from_logarithms(self, log_p: Array, target: Array) -> Array:
        share = spread(self.name, log_p, target)
        return row_means(namespace(log_p).sum(share * (log_of(share) - log_p), axis=-1))
