"""Shrinkage: values near 0 become 0, or nearly so."""

from __future__ import annotations

from typing import Any

from nnkit.ops import namespace, relu

Array = Any

__all__ = ["hard_shrink", "soft_shrink", "tanh_shrink"]


def soft_shrink(x: Array, threshold: float = 0.5) -> Array:
    """x moved towards 0 by ``threshold`` t, and 0 where |x| ≤ t: max(x − t, 0) − max(−x − t, 0). Elementwise.

    Donoho, "De-noising by soft-thresholding", IEEE Transactions on Information Theory 41, 1995.

    >>> import numpy as np
    >>> soft_shrink(np.asarray([-2.0, 0.5, 1.0]))
    array([-1.5,  0. ,  0.5])
    """
    return relu(x - float(threshold)) - relu(-x - float(threshold))


def hard_shrink(x: Array, threshold: float = 0.5) -> Array:
    """x where |x| > ``threshold``, else 0. Elementwise.

    Donoho, Johnstone, "Ideal spatial adaptation by wavelet shrinkage", Biometrika 81, 1994.

    >>> import numpy as np
    >>> hard_shrink(np.asarray([-2.0, 0.5, 1.0]))
    array([-2.,  0.,  1.])
    """
    return x * namespace(x).astype(abs(x) > float(threshold), x.dtype)


def tanh_shrink(x: Array) -> Array:
    """x − tanh(x). Elementwise.

    >>> import numpy as np
    >>> tanh_shrink(np.asarray([0.0, 1000.0]))
    array([  0., 999.])
    """
    return x - namespace(x).tanh(x)
