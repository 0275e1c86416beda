"""Layers: pure modules that declare their leaves and know no device, optimiser or file."""

from nnkit.nn.activation import Activation, PReLU
from nnkit.nn.dense import Dense
from nnkit.nn.dropout import Dropout
from nnkit.nn.leaves import Parameter, Penalty, State
from nnkit.nn.module import Module
from nnkit.nn.normalization import BatchNorm, LayerNorm
from nnkit.nn.structure import Flatten, Sequential
from nnkit.nn.tracing import Run

__all__ = [
    "Activation",
    "BatchNorm",
    "Dense",
    "Dropout",
    "Flatten",
    "LayerNorm",
    "Module",
    "PReLU",
    "Parameter",
    "Penalty",
    "Run",
    "Sequential",
    "State",
]
