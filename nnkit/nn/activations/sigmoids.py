"""Sigmoids: S-shaped, between two bounds."""

from __future__ import annotations

from typing import Any

from nnkit.ops import log_sigmoid, namespace, sigmoid

Array = Any

__all__ = ["hard_sigmoid", "hard_tanh", "log_sigmoid", "sigmoid", "softsign", "tanh"]


def hard_sigmoid(x: Array) -> Array:
    """x/6 + 1/2, kept between 0 and 1: straight from −3 to 3, with derivative 0 at both ends. Elementwise.

    Howard and others, "Searching for MobileNetV3", ICCV 2019.

    >>> import numpy as np
    >>> hard_sigmoid(np.asarray([-4.0, 0.0, 4.0]))
    array([0. , 0.5, 1. ])
    """
    return namespace(x).clip(x + 3.0, 0.0, 6.0) * (1 / 6)


def tanh(x: Array) -> Array:
    """The hyperbolic tangent, between −1 and 1. Elementwise.

    >>> import numpy as np
    >>> tanh(np.asarray([-1000.0, 0.0, 1000.0]))
    array([-1.,  0.,  1.])
    """
    return namespace(x).tanh(x)


def hard_tanh(x: Array, low: float = -1.0, high: float = 1.0) -> Array:
    """x, kept between ``low`` and ``high``, with derivative 0 at both ends. Elementwise.

    Collobert, "Large scale machine learning", thesis, 2004.

    >>> import numpy as np
    >>> hard_tanh(np.asarray([-4.0, 0.5, 4.0]))
    array([-1. ,  0.5,  1. ])
    """
    return namespace(x).clip(x, float(low), float(high))


def softsign(x: Array) -> Array:
    """x / (1 + |x|), between −1 and 1, approached slowly. Elementwise.

    Turian, Bergstra, Bengio, "Quadratic features and deep architectures for chunking", NAACL 2009.

    >>> import numpy as np
    >>> softsign(np.asarray([-1.0, 0.0, 3.0]))
    array([-0.5 ,  0.  ,  0.75])
    """
    return x / (abs(x) + 1.0)
