"""Modules as JSON-able data and back, for nnkit's own layers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nnkit import constraints, initializers
from nnkit.errors import ArgumentError
from nnkit.names import lookup
from nnkit.nn.activation import Activation, PReLU
from nnkit.nn.activity import ActivityRegularization
from nnkit.nn.dense import Dense
from nnkit.nn.dropout import AlphaDropout, Dropout, GaussianDropout
from nnkit.nn.group_norm import GroupNorm
from nnkit.nn.module import Module, join
from nnkit.nn.noise import GaussianNoise
from nnkit.nn.normalization import BatchNorm, LayerNorm
from nnkit.nn.rescaling import Rescaling
from nnkit.nn.rms_norm import RMSNorm
from nnkit.nn.spectral_norm import SpectralNorm
from nnkit.nn.structure import Flatten, Sequential
from nnkit.nn.weight_norm import WeightNorm

LAYERS: dict[str, type[Module]] = {
    kind.__name__.lower(): kind
    for kind in (
        Activation,
        ActivityRegularization,
        AlphaDropout,
        BatchNorm,
        Dense,
        Dropout,
        Flatten,
        GaussianDropout,
        GaussianNoise,
        GroupNorm,
        LayerNorm,
        PReLU,
        Rescaling,
        RMSNorm,
        Sequential,
        SpectralNorm,
        WeightNorm,
    )
}


def to_config(module: Module) -> dict[str, Any]:
    """``{"layer": class name, …}``; a layer of the user's own is marked by ``"custom": true`` and cannot be rebuilt.

    A layer that stands in several places is described in the first; in the others is ``{"same_as": its path}``.

    >>> to_config(Dropout(0.5))
    {'layer': 'Dropout', 'rate': 0.5}
    """
    return _config(module, "", {})


def _config(module: Module, path: str, seen: dict[int, str]) -> dict[str, Any]:
    if id(module) in seen:
        return {"same_as": seen[id(module)]}
    seen[id(module)] = path
    config = module.config()
    name = type(module).__name__
    if config is None or LAYERS.get(name.lower()) is not type(module):
        return {"layer": name, "custom": True}
    return {"layer": name} | {key: _plain(value, join(path, key), seen) for key, value in config.items()}


def _plain(value: Any, path: str, seen: dict[int, str]) -> Any:
    if isinstance(value, Module):
        return _config(value, path, seen)
    if isinstance(value, list):
        return [_plain(part, join(path, str(number)), seen) for number, part in enumerate(value)]
    return value.config() if hasattr(value, "config") else value


def from_config(config: Mapping[str, Any]) -> Module:
    """The layer that ``to_config`` described, with fresh leaves.

    >>> from_config({"layer": "Dropout", "rate": 0.5})
    Dropout(0.5)
    """
    return _made(config, "", {})


def _made(config: Mapping[str, Any], path: str, made: dict[str, Module]) -> Module:
    if "same_as" in config:
        return lookup("layer path", config["same_as"], made)
    if config.get("custom"):
        raise ArgumentError(
            f"'{config.get('layer')}' is a layer of your own; build it yourself, and load a file of it with "
            "nnkit.load(path, into=module)"
        )
    kind: Any = lookup("layer", config.get("layer"), LAYERS)
    options = {name: _built(value, join(path, name), made) for name, value in config.items() if name != "layer"}
    made[path] = kind(**options)
    return made[path]


def is_custom(config: Any) -> bool:
    """Whether any layer of the description is the user's own."""
    if isinstance(config, Mapping):
        return bool(config.get("custom")) or any(map(is_custom, config.values()))
    return isinstance(config, list) and any(map(is_custom, config))


def _built(value: Any, path: str, made: dict[str, Module]) -> Any:
    if isinstance(value, Mapping) and ("layer" in value or "same_as" in value):
        return _made(value, path, made)
    if isinstance(value, Mapping):
        made_of = constraints if value.get("name") in constraints.CONSTRAINTS else initializers
        return made_of.from_config(value)
    if isinstance(value, list):
        return [_built(part, join(path, str(number)), made) for number, part in enumerate(value)]
    return value
