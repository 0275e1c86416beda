"""Modules as JSON-able data and back, for nnkit's own layers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nnkit.errors import ArgumentError
from nnkit.names import lookup
from nnkit.nn.activation import Activation, PReLU
from nnkit.nn.dense import Dense
from nnkit.nn.dropout import Dropout
from nnkit.nn.module import Module
from nnkit.nn.normalization import BatchNorm, LayerNorm
from nnkit.nn.structure import Flatten, Sequential

LAYERS: dict[str, type[Module]] = {
    kind.__name__.lower(): kind
    for kind in (Activation, BatchNorm, Dense, Dropout, Flatten, LayerNorm, PReLU, Sequential)
}


def to_config(module: Module) -> dict[str, Any]:
    """``{"layer": class name, …}``; a layer of the user's own is marked by ``"custom": true`` and cannot be rebuilt.

    >>> to_config(Dropout(0.5))
    {'layer': 'Dropout', 'rate': 0.5}
    """
    config = module.config()
    name = type(module).__name__
    if config is None or LAYERS.get(name.lower()) is not type(module):
        return {"layer": name, "custom": True}
    return {"layer": name} | {key: _plain(value) for key, value in config.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, Module):
        return to_config(value)
    if isinstance(value, list):
        return [_plain(part) for part in value]
    return value.config() if hasattr(value, "config") else value


def from_config(config: Mapping[str, Any]) -> Module:
    """The layer that ``to_config`` described, with fresh leaves.

    >>> from_config({"layer": "Dropout", "rate": 0.5})
    Dropout(0.5)
    """
    if config.get("custom"):
        raise ArgumentError(
            f"the file holds your own module '{config['layer']}'; load it with nnkit.load(path, into={config['layer']}())"
        )
    kind: Any = lookup("layer", config.get("layer"), LAYERS)
    options = {name: _built(value) for name, value in config.items() if name != "layer"}
    made: Module = kind(**options)
    return made


def is_custom(config: Any) -> bool:
    """Whether any layer of the description is the user's own."""
    if isinstance(config, Mapping):
        return bool(config.get("custom")) or any(map(is_custom, config.values()))
    return isinstance(config, list) and any(map(is_custom, config))


def _built(value: Any) -> Any:
    if isinstance(value, Mapping) and "layer" in value:
        return from_config(value)
    if isinstance(value, Mapping):
        from nnkit import initializers

        return initializers.from_config(value)
    return [_built(part) for part in value] if isinstance(value, list) else value
