"""Constraints on single numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from nnkit.constraints.constraint import Array, Constraint
from nnkit.ops import relu


@dataclass(frozen=True)
class NonNegative(Constraint):
    """max(w, 0): no weight is below 0.

    Lee, Seung, "Learning the parts of objects by non-negative matrix factorization", Nature 401, 1999.

    >>> import numpy as np
    >>> NonNegative()(np.asarray([-1.0, 2.0]))
    array([0., 2.])
    """

    name: ClassVar[str] = "non_negative"

    def __call__(self, weight: Array) -> Array:
        """The parameter as it is to be."""
        return relu(weight)
