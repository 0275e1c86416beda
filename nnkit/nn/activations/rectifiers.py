"""Rectifiers: x where it is positive, something flat or gently sloped where it is not."""

from __future__ import annotations

from typing import Any

from nnkit.ops import namespace, relu

Array = Any

__all__ = ["celu", "elu", "leaky_relu", "relu", "relu6", "selu", "threshold"]

# Klambauer and others, 2017: the fixed point of mean 0 and variance 1.
SELU_ALPHA = 1.6732632423543772
SELU_SCALE = 1.0507009873554805


def relu6(x: Array) -> Array:
    """min(max(x, 0), 6), with derivative 0 at both ends. Elementwise.

    Krizhevsky, "Convolutional deep belief networks on CIFAR-10", 2010.

    >>> import numpy as np
    >>> relu6(np.asarray([-1.0, 2.0, 9.0]))
    array([0., 2., 6.])
    """
    return namespace(x).clip(x, 0.0, 6.0)


def leaky_relu(x: Array, slope: float = 0.01) -> Array:
    """x where x > 0, else slope · x. Elementwise.

    Maas, Hannun, Ng, "Rectifier nonlinearities improve neural network acoustic models", ICML 2013.

    >>> import numpy as np
    >>> leaky_relu(np.asarray([-1.0, 2.0]))
    array([-0.01,  2.  ])
    """
    return namespace(x).where(x > 0, x, x * float(slope))


def threshold(x: Array, threshold: float = 1.0, value: float = 0.0) -> Array:
    """x where x > threshold, else value, with derivative 0 at the threshold. Elementwise.

    Konda, Memisevic, Krueger, "Zero-bias autoencoders and the benefits of co-adapting features", ICLR 2015.

    >>> import numpy as np
    >>> threshold(np.asarray([0.5, 1.0, 2.0]))
    array([0., 0., 2.])
    """
    return namespace(x).where(x <= float(threshold), float(value), x)  # in this order, so that NaN stays NaN


def elu(x: Array, alpha: float = 1.0) -> Array:
    """x where x > 0, else α (exp(x) − 1). Elementwise.

    Clevert, Unterthiner, Hochreiter, "Fast and accurate deep network learning by exponential linear units", ICLR 2016.

    >>> import numpy as np
    >>> elu(np.asarray([-1000.0, 0.0, 1000.0]))
    array([  -1.,    0., 1000.])
    """
    return relu(x) + namespace(x).expm1(_negative(x)) * float(alpha)


def celu(x: Array, alpha: float = 1.0) -> Array:
    """x where x > 0, else α (exp(x/α) − 1): its derivative is continuous for every α. Elementwise.

    Barron, "Continuously differentiable exponential linear units", 2017.

    >>> import numpy as np
    >>> celu(np.asarray([-1000.0, 0.0, 1000.0]), alpha=2.0)
    array([  -2.,    0., 1000.])
    """
    return relu(x) + namespace(x).expm1(_negative(x) * (1.0 / alpha)) * float(alpha)


def selu(x: Array) -> Array:
    """λ · elu(x, α) with α = 1.6733 and λ = 1.0507, which keep mean 0 and variance 1 from layer to layer. Elementwise.

    Klambauer, Unterthiner, Mayr, Hochreiter, "Self-normalizing neural networks", NeurIPS 2017.

    >>> import numpy as np
    >>> selu(np.asarray([-1000.0, 1.0])).round(4)
    array([-1.7581,  1.0507])
    """
    return elu(x, alpha=SELU_ALPHA) * SELU_SCALE


def _negative(x: Array) -> Array:
    """min(x, 0) with derivative 1 at 0, so that an exponential of it does not overflow and joins relu smoothly."""
    return namespace(x).where(x > 0, 0.0, x)
