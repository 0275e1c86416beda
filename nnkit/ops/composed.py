"""Functions composed of the standard's, written so that nothing overflows; derivatives follow from their parts."""

from __future__ import annotations

from typing import Any

from nnkit.graph.tracing import TracedArray
from nnkit.ops.extra import namespace, stop_gradient

Array = Any


def relu(x: Array) -> Array:
    """max(x, 0), with relu'(0) = 0. NaN stays NaN.

    >>> import numpy as np
    >>> relu(np.asarray([-1.0, 2.0]))
    array([0., 2.])
    """
    if isinstance(x, TracedArray):
        return x.trace.record("maximum", (x, 0), ties="second")
    xp = namespace(x)
    return xp.maximum(x, xp.zeros_like(x))


def sigmoid(x: Array) -> Array:
    """1 / (1 + exp(−x)), as (1 + tanh(x/2)) / 2, which neither overflows nor needs a selection.

    Its error is that of numbers near 1, ε/2, so that it is 0 from −20 down in float32 and from −38 down in float64.
    ``log_sigmoid`` and the losses on values before it keep all digits.

    >>> import numpy as np
    >>> sigmoid(np.asarray([-1000.0, 0.0, 1000.0]))
    array([0. , 0.5, 1. ])
    """
    return namespace(x).tanh(x * 0.5) * 0.5 + 0.5


def softplus(x: Array) -> Array:
    """log(1 + exp(x)) = max(x, 0) + log1p(exp(−|x|)); its derivative is the sigmoid.

    >>> import numpy as np
    >>> softplus(np.asarray([-1000.0, 1000.0]))
    array([   0., 1000.])
    """
    xp = namespace(x)
    return xp.logaddexp(x, xp.zeros_like(x))


def log_sigmoid(x: Array) -> Array:
    """log(sigmoid(x)) = −softplus(−x), exact where the sigmoid itself rounds to 0. Elementwise.

    >>> import numpy as np
    >>> log_sigmoid(np.asarray([-1000.0, 1000.0]))
    array([-1000.,    -0.])
    """
    return -softplus(-x)


def logsumexp(x: Array, axis: int = -1, keepdims: bool = False) -> Array:
    """log Σ exp(x) along ``axis``; the largest value is taken out first, as a constant for differentiation.

    >>> import numpy as np
    >>> float(logsumexp(np.asarray([1000.0, 1000.0]))) == 1000 + float(np.log(2))
    True
    """
    xp = namespace(x)
    top = stop_gradient(xp.max(x, axis=axis, keepdims=True))
    total = top + xp.log(xp.sum(xp.exp(x - top), axis=axis, keepdims=True))
    return total if keepdims else xp.squeeze(total, axis=axis)


def log_softmax(x: Array, axis: int = -1) -> Array:
    """x − logsumexp(x): the logarithms of the softmax, exact where the softmax itself rounds to 0.

    The largest value is taken out of both terms first, so that no digits are lost where all of x is far from 0.

    >>> import numpy as np
    >>> log_softmax(np.asarray([0.0, 1000.0]))
    array([-1000.,     0.])
    """
    xp = namespace(x)
    centred = x - stop_gradient(xp.max(x, axis=axis, keepdims=True))
    return centred - xp.log(xp.sum(xp.exp(centred), axis=axis, keepdims=True))


def softmax(x: Array, axis: int = -1) -> Array:
    """exp(x) / Σ exp(x) along ``axis``: positive, summing to 1.

    >>> import numpy as np
    >>> softmax(np.asarray([0.0, 1000.0]))
    array([0., 1.])
    """
    xp = namespace(x)
    raised = xp.exp(x - stop_gradient(xp.max(x, axis=axis, keepdims=True)))
    return raised / xp.sum(raised, axis=axis, keepdims=True)


def one_hot(labels: Array, classes: int, dtype: Any) -> Array:
    """A last axis of length ``classes`` that is 1 at the label and 0 elsewhere."""
    xp = namespace(labels)
    slots = xp.arange(classes, dtype=labels.dtype, device=labels.device)
    return xp.astype(xp.expand_dims(labels, axis=-1) == slots, dtype)
