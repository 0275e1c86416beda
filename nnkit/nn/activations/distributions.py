"""Distributions over the last axis: class probabilities and their logarithms."""

from __future__ import annotations

from typing import Any

from nnkit.ops import log_softmax, namespace, relu, softmax, stop_gradient

Array = Any

__all__ = ["log_softmax", "softmax", "sparsemax"]


def sparsemax(x: Array) -> Array:
    """The nearest distribution to x along the last axis: max(x − τ, 0) with τ such that it sums to 1.

    Unlike softmax it gives exact zeros. The support (where the result is positive) is found by sorting, as a constant
    for differentiation; τ is then (Σ x − 1) / n over its n members. Martins, Astudillo, "From softmax to sparsemax",
    ICML 2016.

    >>> import numpy as np
    >>> sparsemax(np.asarray([[0.5, 0.0, -2.0], [0.0, 1000.0, 0.0]]))
    array([[0.75, 0.25, 0.  ],
           [0.  , 1.  , 0.  ]])
    """
    xp = namespace(x)
    x = x - stop_gradient(xp.max(x, axis=-1, keepdims=True))
    support = _support(xp, stop_gradient(x))
    tau = (xp.sum(x * support, axis=-1, keepdims=True) - 1.0) / xp.sum(support, axis=-1, keepdims=True)
    return relu(x - tau) * support


def _support(xp: Any, x: Array) -> Array:
    """1 where the sparsemax of x is positive, else 0: the k largest for the greatest k with 1 + k xₖ > x₁ + … + xₖ."""
    descending = xp.sort(x, axis=-1, descending=True)
    count = xp.arange(1, x.shape[-1] + 1, dtype=x.dtype, device=x.device)
    total = xp.cumulative_sum(descending, axis=-1)
    inside = xp.astype(descending * count + 1.0 > total, x.dtype)
    size = xp.sum(inside, axis=-1, keepdims=True)
    tau = (xp.sum(descending * inside, axis=-1, keepdims=True) - 1.0) / size
    return xp.astype(x > tau, x.dtype)
