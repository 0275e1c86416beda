"""Reading parameters and states from a file of Keras's that is not trusted."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from nnkit import nn
from nnkit.checkpoint.container import Container, opened
from nnkit.errors import FileError
from nnkit.formats.keras_weights.found import layers_in
from nnkit.formats.keras_weights.pairing import Wanted, paired
from nnkit.formats.keras_weights.tree import Shape, keras_layers
from nnkit.formats.matching import mismatch

if TYPE_CHECKING:
    from nnkit.network import Network

Array = Any
WANTED = "a file that a Keras model's save_weights, or net.export, wrote"
ATTRIBUTES = 8  # Keras writes one or two, and nnkit reads none; more than eight have an index, which is refused
THINGS = 10  # in a file for each layer, those without variables included
DTYPES = ("float16", "float32", "float64")


def load_parameters(network: Network, path: Path) -> None:
    """Copy the parameters and states that a Keras model's ``save_weights`` wrote into an equivalent network.

    Layers are matched by class, and within a class by the numbers in their names, which is the order of the model's
    layers; a Sequential in a Sequential matches a model in the model. Whatever Keras kept of its training is left
    aside. A PReLU whose slope is shared by all features gets it for each of them. Nothing changes unless all arrays
    are there and no others, with the right shapes.

    Raises:
        ArgumentError: the network has a layer that Keras does not have.
        FileError: the file is missing, damaged, or not that of such a model.
    """
    layers = keras_layers(network)
    count = sum(1 for top in layers for _ in top.walk())
    with opened(path, WANTED, ATTRIBUTES) as file:
        found = layers_in(file, THINGS * (count + 1))
        wanted = paired(file, layers, found)
        shapes = {place: file.shape(place) or () for top in found for layer in top.walk() for place in layer.variables}
        _check_match(file, wanted, shapes)
        file.check_sizes(shapes, *DTYPES, fix="use another copy, or save the weights of a Keras model in float32")
        values = _values(file, wanted, network)
    network.set_parameters(values)


def _check_match(file: Container, wanted: Wanted, shapes: Mapping[str, Shape]) -> None:
    """Refuse other places or shapes than those that are wanted."""
    expected = {place: shape for place, (_, _, shape) in wanted.items()}
    for place, (layer, _, shape) in wanted.items():
        if isinstance(layer.module, nn.PReLU) and shapes.get(place) == (1,) * len(shape):
            expected[place] = shapes[place]
    text = mismatch({f"/{place}": shape for place, shape in expected.items()}, {f"/{p}": s for p, s in shapes.items()})
    if text is None:
        return
    odd = sorted(place for place in expected if shapes.get(place) != expected[place])
    owner = f" (/{odd[0]} is for {wanted[odd[0]][0]})" if odd else ""
    raise FileError(f"{file.path} {text}{owner}; give the network the layers that the Keras model has")


def _values(file: Container, wanted: Wanted, network: Network) -> dict[str, Array]:
    """The value of each leaf in the network's data type and shape."""
    values: dict[str, Array] = {}
    for place, (layer, leaf, _) in wanted.items():
        with np.errstate(over="ignore"):
            value = file.numbers(place).astype(network.dtype)
        if not np.isfinite(value).all():
            raise file.refused(place, f"holds NaN, infinity, or a number beyond {network.dtype}")
        shape = network._model.layout.shapes[leaf]
        value = value.reshape(shape) if value.size > 1 else np.full(shape, value)
        if leaf in values and not np.array_equal(values[leaf], value):
            raise file.refused(place, f"differs from the other values for '{leaf}', which {layer} shares")
        values[leaf] = value
    return values
