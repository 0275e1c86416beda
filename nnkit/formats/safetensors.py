"""Parameters and states in a safetensors file, under nnkit's names or under PyTorch's."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from nnkit._version import __version__
from nnkit.checkpoint.modules import description
from nnkit.checkpoint.text import written
from nnkit.data.arrays import Array
from nnkit.errors import ArgumentError, DataError, FileError, NnkitWarning
from nnkit.formats.reading import Reading, as_nnkit
from nnkit.formats.tensor_file import TensorFile, write
from nnkit.formats.torch_layers import pieces
from nnkit.formats.torch_names import equivalent, state_dict
from nnkit.formats.torch_reading import as_torch
from nnkit.names import lookup

if TYPE_CHECKING:
    from nnkit.network import Network

LAYOUTS = {name: name for name in ("nnkit", "torch")}
LONGEST = 100_000  # characters of a description that is there for people


def export(network: Network, path: Path, layout: str = "nnkit") -> None:
    """Write the parameters and states, in the network's data type.

    Args:
        network: where they are taken from.
        path: the file.
        layout: ``"nnkit"``: the names are the paths of :meth:`nnkit.Network.parameters`, the shapes nnkit's, a weight
            (inputs, units). ``"torch"``: names and shapes are those of the ``state_dict`` of the model that
            :func:`nnkit.formats.torch_names.equivalent` gives, a weight (units, inputs).

    Raises:
        ArgumentError: the layout is unknown, or PyTorch has no counterpart of a layer.
        DataError: a parameter is NaN or infinite.
        FileError: the file cannot be written. An old one stays as it was.

    >>> import nnkit, tempfile
    >>> path = Path(tempfile.mkdtemp()) / "net.safetensors"
    >>> net, other = (nnkit.FeedForward(inputs=2, outputs=1, seed=seed) for seed in (1, 2))
    >>> net.export(path)
    >>> other.load_parameters(path)
    >>> bool((other.predict([[1.0, 2.0]]) == net.predict([[1.0, 2.0]])).all())
    True
    """
    layout = lookup("layout", layout, LAYOUTS)
    values = _finite(network._model.values())
    arrays = state_dict(network, values) if layout == "torch" else values
    try:
        write(path, arrays, _metadata(network, layout))
    except ValueError as error:
        raise ArgumentError(f"the header of a safetensors file for this network {error}") from error
    if network.preprocessing is not None and network.preprocessing.scaling is not None:
        warnings.warn(
            f"'{path.name}' holds the parameters and not net.preprocessing.scaling, by which net.predict standardises "
            "rows: what reads it has to do that too",
            NnkitWarning,
            stacklevel=4,
        )


def _finite(values: Mapping[str, Array]) -> dict[str, Array]:
    for leaf, value in values.items():
        if not np.isfinite(value).all():
            raise DataError(
                f"'{leaf}' holds NaN or infinity, and a network with that is not exported; "
                "train again with a smaller learning rate"
            )
    return dict(values)


def _metadata(network: Network, layout: str) -> dict[str, str]:
    """For people, and to tell the layouts apart where names and shapes do not."""
    found = {"format": "pt" if layout == "torch" else "nnkit", "layout": layout, "nnkit": __version__}
    text = {"nnkit": _architecture, "torch": _module}[layout](network)
    return found | {name: value for name, value in text.items() if len(value) <= LONGEST}


def _architecture(network: Network) -> dict[str, str]:
    module = description(network.module, network._model.layout)
    return {"architecture": written({"input_shape": network.input_shape, "module": module}).decode()}


def _module(network: Network) -> dict[str, str]:
    try:
        return {"module": equivalent(network)}
    except ArgumentError:  # an activation that PyTorch lacks has no parameters
        return {}


def load_parameters(network: Network, path: Path, layout: str | None = None) -> None:
    """Copy the parameters and states in a file into a network: all of them or none.

    Args:
        network: where they go to. The file says nothing of activations: they have to be those that it was trained with.
        path: the file. float64, float32, float16 and bfloat16 are converted to the network's data type.
        layout: ``"nnkit"`` or ``"torch"``, as in :func:`export`. Without it, the one that fits by names and shapes.
            In a ``state_dict``, the modules with parameters are taken in the order of their numbers (``net.2.weight``
            comes before ``net.10.weight``), whatever stands before these and whatever numbers are left out.

    Raises:
        ArgumentError: the layout is unknown, or ``layout="torch"`` and PyTorch has no counterpart of a layer.
        FileError: the file is missing, damaged, of another kind, fits the network in neither layout or, with matrices
            that are square, in both; or it holds NaN.

    >>> import nnkit
    >>> load_parameters(nnkit.FeedForward(inputs=2, outputs=1), Path("absent.safetensors"))
    Traceback (most recent call last):
        ...
    nnkit.errors.FileError: absent.safetensors does not exist; check the name and the folder
    """
    layouts = list(LAYOUTS) if layout is None else [lookup("layout", layout, LAYOUTS)]
    file = TensorFile(path, len(network._model.layout.shapes))
    if layouts == ["torch"]:
        pieces(network)  # what PyTorch does not have is an error here, and else one reading less
    readings = _readings(network, file)
    fitting = [name for name in layouts if name in readings and readings[name].problem is None]
    if not fitting:
        raise _misfit(path, readings, layouts)
    values = {name: _values(network, file, readings[name]) for name in fitting}
    network.set_parameters(values[_meant(file, values)])


def _readings(network: Network, file: TensorFile) -> dict[str, Reading]:
    """The file in each layout that the network has."""
    readings = {"nnkit": as_nnkit(network, file.shapes)}
    try:
        return readings | {"torch": as_torch(network, file.shapes)}
    except ArgumentError:  # a layer that PyTorch does not have
        return readings


def _misfit(path: Path, readings: Mapping[str, Reading], layouts: list[str]) -> FileError:
    """The error for a file that fits in none of the layouts that it may have: about the one that it fits best."""
    name = min((name for name in layouts if name in readings), key=lambda name: readings[name].faults)
    fits = [other for other, reading in readings.items() if reading.problem is None]
    fix = f"it fits with layout={fits[0]!r}" if fits else readings[name].fix
    return FileError(f"{path} {readings[name].problem}; {fix} (read as layout={name!r})")


def _values(network: Network, file: TensorFile, reading: Reading) -> dict[str, Array]:
    """What each leaf becomes."""
    file.check_floats(reading.places)
    values: dict[str, Array] = {}
    for name, place in reading.places.items():
        value = place.form.back(file.numbers(name, network.dtype), place.shape)
        if place.leaf in values and not np.array_equal(values[place.leaf], value):
            raise file.refused(
                name, f"is another array than the one before it for '{place.leaf}'", "the network shares it: save it so"
            )
        values[place.leaf] = value
    return values


def _meant(file: TensorFile, values: Mapping[str, Mapping[str, Array]]) -> str:
    """The layout, where more than one fits: it matters for square matrices alone, and a file can say which it has."""
    first, *others = values
    if all(np.array_equal(values[first][leaf], values[other][leaf]) for other in others for leaf in values[first]):
        return first
    said = {"pt": "torch", "nnkit": "nnkit"}.get(file.metadata.get("format", ""))
    if said is None:
        raise FileError(
            f"{file.path} fits the network in two ways, with its weights as (inputs, units) and as PyTorch's (units, "
            "inputs): its matrices are square and its names are those of both; give layout='nnkit' or layout='torch'"
        )
    return said
