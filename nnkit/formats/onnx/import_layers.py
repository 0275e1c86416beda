"""Fitted pieces as a network of nnkit's layers with their values."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from nnkit.data.arrays import Array
from nnkit.data.preprocessing import Preprocessing
from nnkit.errors import ArgumentError, DataError, ShapeError
from nnkit.formats.onnx.import_fitting import Fitted
from nnkit.formats.onnx.import_pieces import Drop, Linear, Named, Norm, Piece, Row, Slopes, plain
from nnkit.network import Network
from nnkit.nn import Activation, Dense, Dropout, Flatten, Module, PReLU, Sequential


def dtype_of(pieces: Iterable[Piece], otherwise: str) -> str:
    """``"float64"`` where a layer has values with so many digits; that of the input where there are no values."""
    values: list[Array] = []
    for piece in pieces:
        if isinstance(piece, Linear):
            values.append(piece.weight)
        elif isinstance(piece, Norm):
            values += piece.values.values()
    if not values:
        return otherwise
    return "float64" if any(array.dtype == np.float64 for array in values) else "float32"


def network_of(fit: Fitted, row: Row, dtype: str, device: str) -> Network:
    """The network of fitted pieces for rows of a shape."""
    layers, values = _layers(fit.pieces, dtype)
    try:
        network = Network(Sequential(layers), row, dtype=dtype, device=device)
        shapes = network._model.layout.shapes
        network.set_parameters({path: np.broadcast_to(value, shapes[path]) for path, value in values.items()})
    except (ArgumentError, DataError, ShapeError) as error:
        raise ValueError(f"cannot be built with nnkit's layers: {error}") from error
    if fit.scaling is not None:
        network.preprocessing = Preprocessing(scaling=fit.scaling)
    return network


def _layers(pieces: list[Piece], dtype: str) -> tuple[list[Module], dict[str, Array]]:
    """The layers, and the values of their leaves by path; an activation after Dense becomes part of it."""
    layers: list[Module] = []
    values: dict[str, Array] = {}
    for piece in pieces:
        path = f"layers.{len(layers)}"
        if isinstance(piece, Linear):
            layers.append(Dense(piece.weight.shape[1], bias=piece.bias is not None))
            values[f"{path}.weight"] = piece.weight
            if piece.bias is not None:
                values[f"{path}.bias"] = piece.bias
        elif isinstance(piece, Norm):
            layers.append(_norm(piece, dtype))
            values |= {f"{path}.{name}": value for name, value in piece.values.items()}
        elif isinstance(piece, Named | Slopes):
            activation = PReLU() if isinstance(piece, Slopes) else _activation(piece, dtype)
            before = layers[-1] if layers else None
            if isinstance(before, Dense) and _bare(before):
                path = f"layers.{len(layers) - 1}.activation"
                layers[-1] = Dense(before.units, activation, before.bias is not None)
            else:
                layers.append(activation)
            if isinstance(piece, Slopes):
                values[f"{path}.slope"] = piece.slope
        else:
            layers.append(Dropout(_number(piece.rate, dtype)) if isinstance(piece, Drop) else Flatten())
    return layers, values


def _bare(layer: Dense) -> bool:
    """Whether a layer has no activation."""
    return isinstance(layer.activation, Activation) and layer.activation.name == "identity"


def _activation(piece: Named, dtype: str) -> Activation:
    return Activation(piece.name, **{name: _number(value, dtype) for name, value in piece.parameters.items()})


def _norm(piece: Norm, dtype: str) -> Module:
    """The layer with its numbers as people write them."""
    return type(piece.layer)(**{name: _number(value, dtype) for name, value in piece.layer.config().items()})


def _number(value: Any, dtype: str) -> Any:
    """In a network of float32, the shortest number that is the same there."""
    return plain(value) if isinstance(value, float) and dtype == "float32" else value
