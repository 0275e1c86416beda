"""Activations, by family: functions of an array, and the table that finds them by name."""

from nnkit.nn.activations.distributions import log_softmax, softmax, sparsemax
from nnkit.nn.activations.gates import gelu, gelu_tanh, glu, hard_swish, mish, silu
from nnkit.nn.activations.pieces import maxout
from nnkit.nn.activations.positive import exponential, softplus, squareplus
from nnkit.nn.activations.rectifiers import celu, elu, leaky_relu, relu, relu6, selu, threshold
from nnkit.nn.activations.shrinkage import hard_shrink, soft_shrink, tanh_shrink
from nnkit.nn.activations.sigmoids import hard_sigmoid, hard_tanh, log_sigmoid, sigmoid, softsign, tanh
from nnkit.nn.activations.table import ACTIVATIONS, ALIASES, MODULES, Row, get, identity

__all__ = [
    "ACTIVATIONS",
    "ALIASES",
    "MODULES",
    "Row",
    "celu",
    "elu",
    "exponential",
    "gelu",
    "gelu_tanh",
    "get",
    "glu",
    "hard_shrink",
    "hard_sigmoid",
    "hard_swish",
    "hard_tanh",
    "identity",
    "leaky_relu",
    "log_sigmoid",
    "log_softmax",
    "maxout",
    "mish",
    "relu",
    "relu6",
    "selu",
    "sigmoid",
    "silu",
    "soft_shrink",
    "softmax",
    "softplus",
    "softsign",
    "sparsemax",
    "squareplus",
    "tanh",
    "tanh_shrink",
    "threshold",
]
