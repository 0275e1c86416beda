"""Modules by their descriptions: whether one can be rebuilt from names alone, and rebuilding it."""

from __future__ import annotations

from typing import Any

from nnkit import initializers
from nnkit.checkpoint.compare import difference
from nnkit.checkpoint.text import parsed, written
from nnkit.nn import Module, Parameter
from nnkit.nn.leaves import From
from nnkit.nn.module import declared
from nnkit.nn.serial import from_config, is_custom, to_config
from nnkit.training.layout import Layout


def description(module: Module, layout: Layout) -> dict[str, Any]:
    """The module for the file; marked as custom where classes, functions or weights in it have no name of nnkit's."""
    config = to_config(module)
    if is_custom(config):
        return config
    try:
        again = Layout.of(rebuilt(parsed(written(config))), layout.input_shape, layout.dtype)
    except (ValueError, TypeError, RecursionError):
        return {"layer": type(module).__name__, "custom": True}
    same = again.parameters == layout.parameters and again.states == layout.states
    return config if same else {"layer": type(module).__name__, "custom": True}


def rebuilt(config: Any) -> Module:
    """The module that a description from a file stands for; ValueError says why there is none."""
    try:
        module = from_config(config)
        for leaf in declared(module).values():
            if isinstance(leaf, Parameter) and not isinstance(leaf.initializer, From):
                initializers.get(leaf.initializer)
        again = to_config(module)
    except Exception as error:  # anything can stand in a file, and the layers see it first
        raise ValueError(f"the module cannot be built: {error}") from error
    if odd := difference(config, again, "module"):
        raise ValueError(f"{odd} is not what nnkit writes")
    return module
