"""Functions whose values are positive: expected counts, scales, variances."""

from __future__ import annotations

from math import sqrt
from typing import Any

from nnkit.ops import namespace, softplus

Array = Any

__all__ = ["exponential", "softplus", "squareplus"]


def exponential(x: Array) -> Array:
    """exp(x). Elementwise; overflows to infinity above 88 in float32 and 709 in float64.

    >>> import numpy as np
    >>> exponential(np.asarray([0.0, 1.0])).round(6)
    array([1.      , 2.718282])
    """
    return namespace(x).exp(x)


def squareplus(x: Array, b: float = 4.0) -> Array:
    """(x + √(x² + b)) / 2, a softplus without exponentials. Elementwise.

    For negative x as (b/2) / (√(x² + b) − x), which is the same and loses no digits. Barron, "Squareplus: a
    softplus-like algebraic rectifier", 2021.

    >>> import numpy as np
    >>> squareplus(np.asarray([-1e9, 0.0, 1e9]))
    array([1.e-09, 1.e+00, 1.e+09])
    """
    xp = namespace(x)
    root = xp.hypot(x, sqrt(b))
    below = b / 2 / (root - xp.minimum(x, 0.0))
    return xp.where(x < 0, below, (x + root) * 0.5)
