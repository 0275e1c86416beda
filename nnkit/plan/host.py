"""Values of a plan as NumPy arrays, for backends: constants, and views of arrays."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from nnkit.graph.ir import Node
from nnkit.graph.primitives.creation import Constant
from nnkit.graph.primitives.random import MASK

Array = npt.NDArray[Any]


def constant(node: Node) -> Array:
    """The array of a constant or of a range."""
    options = node.options
    if node.operation == "arange":
        return np.arange(options["start"], options["stop"], options["step"], dtype=options["dtype"])
    value = options["value"]
    if isinstance(value, Constant):
        return value.array.astype(options["dtype"], copy=False)
    if node.dtype.startswith("uint"):
        value &= MASK if node.dtype == "uint32" else (1 << 64) - 1
    return np.asarray(value, dtype=node.dtype)


def view(node: Node, source: Any) -> Any:
    """Another look at ``source``, for the shape operations."""
    options = node.options
    if node.operation == "reshape":
        return source.reshape(options["shape"], copy=False)
    if node.operation == "permute_dims":
        return source.transpose(options["axes"])
    if node.operation == "broadcast_to":
        return np.broadcast_to(source, options["shape"])
    if node.operation == "flip":
        return source[tuple(slice(None, None, -1 if a in options["axis"] else 1) for a in range(source.ndim))]
    spans = zip(options["start"], options["stop"], options["step"], strict=True)
    return source[tuple(slice(*span) for span in spans)]
