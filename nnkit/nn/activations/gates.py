"""Gates: x times how open it is."""

from __future__ import annotations

from math import pi, sqrt
from typing import Any

from nnkit.nn.activations.pieces import pieces_of
from nnkit.nn.activations.sigmoids import hard_sigmoid
from nnkit.ops import erf, namespace, sigmoid, softplus

Array = Any

__all__ = ["gelu", "gelu_tanh", "glu", "hard_swish", "mish", "silu"]


def gelu(x: Array) -> Array:
    """x Φ(x) = x (1 + erf(x/√2)) / 2, with the exact normal distribution function. Elementwise.

    Hendrycks, Gimpel, "Gaussian error linear units (GELUs)", 2016.

    >>> import numpy as np
    >>> gelu(np.asarray([-1.0, 0.0, 1.0])).round(6)
    array([-0.158655,  0.      ,  0.841345])
    """
    return x * (erf(x * sqrt(0.5)) * 0.5 + 0.5)


def gelu_tanh(x: Array) -> Array:
    """x (1 + tanh(√(2/π) (x + 0.044715 x³))) / 2, the approximation of ``gelu`` in the same paper. Elementwise.

    >>> import numpy as np
    >>> gelu_tanh(np.asarray([-1.0, 0.0, 1.0])).round(6)
    array([-0.158808,  0.      ,  0.841192])
    """
    xp = namespace(x)
    inner = (xp.square(x) * 0.044715 + 1.0) * (x * sqrt(2 / pi))
    return x * (xp.tanh(inner) * 0.5 + 0.5)


def silu(x: Array) -> Array:
    """x σ(x), also called swish. Elementwise.

    Elfwing, Uchibe, Doya, "Sigmoid-weighted linear units for neural network function approximation in reinforcement
    learning", Neural Networks 107, 2018.

    >>> import numpy as np
    >>> silu(np.asarray([-1.0, 0.0, 1.0])).round(6)
    array([-0.268941,  0.      ,  0.731059])
    """
    return x * sigmoid(x)


def hard_swish(x: Array) -> Array:
    """x · hard_sigmoid(x). Elementwise.

    Howard and others, "Searching for MobileNetV3", ICCV 2019.

    >>> import numpy as np
    >>> hard_swish(np.asarray([-4.0, 3.0, 6.0]))
    array([-0.,  3.,  6.])
    """
    return x * hard_sigmoid(x)


def mish(x: Array) -> Array:
    """x tanh(softplus(x)). Elementwise.

    Misra, "Mish: a self regularized non-monotonic activation function", BMVC 2020.

    >>> import numpy as np
    >>> mish(np.asarray([-1.0, 0.0, 1.0])).round(6)
    array([-0.303401,  0.      ,  0.865098])
    """
    return x * namespace(x).tanh(softplus(x))


def glu(x: Array) -> Array:
    """a σ(b), where a and b are the first and second half of the last axis: (…, 2n) becomes (…, n).

    Raises ``ShapeError`` for an odd last axis. Dauphin, Fan, Auli, Grangier, "Language modeling with gated
    convolutional networks", ICML 2017.

    >>> import numpy as np
    >>> glu(np.asarray([[1.0, 2.0, 0.0, 1000.0]]))
    array([[0.5, 2. ]])
    """
    half = pieces_of("glu", x, 2)
    return x[..., :half] * sigmoid(x[..., half:])
