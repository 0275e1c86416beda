"""Writing a network's parameters and states as Keras writes those of its model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from nnkit import nn
from nnkit.checkpoint.stream import Stream
from nnkit.checkpoint.target import writing
from nnkit.data.arrays import Array
from nnkit.errors import ArgumentError, DataError
from nnkit.formats.keras_weights.counterparts import FIXED_ACTIVATIONS, LACKING_ACTIVATIONS
from nnkit.formats.keras_weights.tree import OTHERS, Layer, keras_layers

if TYPE_CHECKING:
    from nnkit.network import Network


def export(network: Network, path: Path) -> None:
    """Write the file that ``model.load_weights(path)`` of the equivalent ``keras.Sequential`` reads.

    Each layer is the layer of Keras that :mod:`nnkit.formats.keras_weights` has in its table, in the same order; a
    Sequential in it is a ``keras.Sequential`` in that place. What a file of weights does not hold is to be the same
    in the model: activations, numbers of groups, rates, and each ``epsilon=``.

    Raises:
        ArgumentError: a layer, or an option of one, that Keras does not have.
        DataError: a parameter is NaN or infinite.
        FileError: the file cannot be written. An old one stays as it was.
    """
    layers = [layer for top in keras_layers(network) for layer in top.walk()]
    for layer in layers:
        _check_activation(layer)
    arrays = _arrays(network, layers)
    with writing(path, "net.weights.h5") as new:
        _write(new, {"": "sequential"} | {layer.place: layer.path or "whole" for layer in layers}, arrays)


def _check_activation(layer: Layer) -> None:
    """Refuse what Keras has no function for."""
    module = layer.module.activation if isinstance(layer.module, nn.Dense) else layer.module
    if isinstance(module, nn.Activation) and module.named:
        fixed = FIXED_ACTIVATIONS if module.parameters else {}
        if reason := (LACKING_ACTIVATIONS | fixed).get(module.name):
            raise ArgumentError(f"{layer} has the activation {module!r}: {reason}; {OTHERS}")


def _arrays(network: Network, layers: Sequence[Layer]) -> dict[str, Array]:
    """The variables by their places, little-endian and finite."""
    arrays, values = {}, network._model.values()
    dtype = np.dtype(network.dtype).newbyteorder("<")
    for layer in layers:
        for number, (leaf, shape) in enumerate(layer.variables):
            value = np.asarray(values[leaf], dtype=dtype, order="C").reshape(shape)
            if not np.isfinite(value).all():
                raise DataError(
                    f"'{leaf}' holds NaN or infinity, and a network with that is not exported; "
                    "train again with a smaller learning rate"
                )
            arrays[f"{layer.place}/vars/{number}"] = value
    return arrays


def _write(path: Path, names: Mapping[str, str], arrays: Mapping[str, Array]) -> None:
    import h5py

    with path.open("xb+", buffering=0) as raw:
        stream = Stream(raw)
        with h5py.File(stream, "w", libver=("v108", "v108")) as file:
            for place, name in names.items():
                file.create_group(f"{place}/vars").attrs["name"] = name
            for place, array in arrays.items():
                file.create_dataset(place, data=array)
                stream.check()
        stream.check()
