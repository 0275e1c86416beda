"""Layers: pure modules that declare their leaves and know no device, optimiser or file."""

from typing import TYPE_CHECKING

from nnkit.elsewhere import LAYERS, missing
from nnkit.nn.activation import Activation, PReLU
from nnkit.nn.activity import ActivityRegularization
from nnkit.nn.dense import Dense
from nnkit.nn.dropout import AlphaDropout, Dropout, GaussianDropout
from nnkit.nn.group_norm import GroupNorm
from nnkit.nn.leaves import From, Parameter, Penalty, State
from nnkit.nn.module import Module
from nnkit.nn.noise import GaussianNoise
from nnkit.nn.normalization import BatchNorm, LayerNorm
from nnkit.nn.rescaling import Rescaling
from nnkit.nn.rms_norm import RMSNorm
from nnkit.nn.spectral_norm import SpectralNorm
from nnkit.nn.structure import Flatten, Sequential
from nnkit.nn.tracing import Run
from nnkit.nn.weight_norm import WeightNorm

__all__ = [
    "Activation",
    "ActivityRegularization",
    "AlphaDropout",
    "BatchNorm",
    "Dense",
    "Dropout",
    "Flatten",
    "From",
    "GaussianDropout",
    "GaussianNoise",
    "GroupNorm",
    "LayerNorm",
    "Module",
    "PReLU",
    "Parameter",
    "Penalty",
    "RMSNorm",
    "Rescaling",
    "Run",
    "Sequential",
    "SpectralNorm",
    "State",
    "WeightNorm",
]

if not TYPE_CHECKING:
    __getattr__ = missing(__name__, LAYERS)
