"""Initialisers: the values that weights start from, drawn on the host in float64."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from nnkit import hyperparameters
from nnkit.initializers.constants import Constant, Identity
from nnkit.initializers.initializer import Initializer, fans, generator
from nnkit.initializers.plain import Normal, TruncatedNormal, Uniform
from nnkit.initializers.scaled import Orthogonal, VarianceScaling
from nnkit.names import lookup

__all__ = [
    "ALIASES",
    "INITIALIZERS",
    "Constant",
    "Identity",
    "Initializer",
    "Normal",
    "Orthogonal",
    "TruncatedNormal",
    "Uniform",
    "VarianceScaling",
    "fans",
    "from_config",
    "generator",
    "get",
]

_CLASSES = (Constant, Identity, Normal, Orthogonal, TruncatedNormal, Uniform, VarianceScaling)

INITIALIZERS: dict[str, Callable[[], Initializer]] = {made.name: made for made in _CLASSES} | {
    "zeros": Constant,
    "ones": partial(Constant, 1.0),
    # Glorot, Bengio, "Understanding the difficulty of training deep feedforward neural networks", AISTATS 2010.
    "glorot_normal": partial(VarianceScaling, 1.0, "fan_average", "normal"),
    "glorot_uniform": partial(VarianceScaling, 1.0, "fan_average", "uniform"),
    # He, Zhang, Ren, Sun, "Delving deep into rectifiers", ICCV 2015; a normal that is not truncated, as in the paper.
    "he_normal": partial(VarianceScaling, 2.0, "fan_in", "normal"),
    "he_uniform": partial(VarianceScaling, 2.0, "fan_in", "uniform"),
    # LeCun, Bottou, Orr, Müller, "Efficient backprop", 1998.
    "lecun_normal": partial(VarianceScaling, 1.0, "fan_in", "normal"),
    "lecun_uniform": partial(VarianceScaling, 1.0, "fan_in", "uniform"),
}
ALIASES = {
    "zero": "zeros",
    "one": "ones",
    "glorot": "glorot_uniform",
    "he": "he_normal",
    "kaiming": "he_normal",
    "lecun": "lecun_normal",
    "trunc_normal": "truncated_normal",
    "xavier": "glorot_uniform",
    "xavier_normal": "glorot_normal",
    "xavier_uniform": "glorot_uniform",
    "kaiming_normal": "he_normal",
    "kaiming_uniform": "he_uniform",
    "random_normal": "normal",
    "random_uniform": "uniform",
    "eye": "identity",
}


def get(initializer: str | Initializer) -> Initializer:
    """An initialiser by name or alias; an object is returned as it is.

    >>> get("he_normal")
    VarianceScaling(scale=2.0, mode='fan_in', distribution='normal')
    """
    if isinstance(initializer, Initializer):
        return initializer
    return lookup("initializer", initializer, INITIALIZERS, ALIASES)()


def from_config(config: Mapping[str, Any]) -> Initializer:
    """The initialiser that ``Initializer.config`` described.

    >>> from_config(Normal(0.02).config())
    Normal(std=0.02, mean=0.0)
    """
    return hyperparameters.from_config("initializer", config, {made.name: made for made in _CLASSES})
