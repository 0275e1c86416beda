"""The extra primitives and the functions composed of the standard's, for traced arrays and arrays of any library."""

from nnkit.ops.composed import (
    log_sigmoid,
    log_softmax,
    logsumexp,
    one_hot,
    relu,
    sigmoid,
    softmax,
    softplus,
)
from nnkit.ops.extra import (
    erf,
    namespace,
    random_bits,
    random_normal,
    random_uniform,
    scatter_add,
    stop_gradient,
)

__all__ = [
    "erf",
    "log_sigmoid",
    "log_softmax",
    "logsumexp",
    "namespace",
    "one_hot",
    "random_bits",
    "random_normal",
    "random_uniform",
    "relu",
    "scatter_add",
    "sigmoid",
    "softmax",
    "softplus",
    "stop_gradient",
]
