"""Writing a network to a file."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from nnkit.checkpoint.architecture import Architecture
from nnkit.checkpoint.checksum import digest
from nnkit.checkpoint.places import CHECKSUMS, FORMAT, as_path, groups, places
from nnkit.checkpoint.stream import Stream
from nnkit.checkpoint.target import writing
from nnkit.checkpoint.text import parsed, written
from nnkit.checkpoint.training import Training
from nnkit.data.arrays import Array
from nnkit.errors import ArgumentError, DataError

if TYPE_CHECKING:
    from nnkit.network import Network


def save(network: Network, path: str | os.PathLike[str]) -> None:
    """Write a network to an HDF5 file, in one step: readers and crashes find the old file or the whole new one.

    Raises:
        ArgumentError: ``net.classes`` or ``net.preprocessing`` cannot be kept in a file.
        DataError: a parameter is NaN or infinite; the old file is worth more.
        FileError: the file cannot be written. An old one stays as it was.

    >>> import nnkit, tempfile
    >>> path = Path(tempfile.mkdtemp()) / "net.h5"
    >>> save(nnkit.FeedForward(inputs=2, outputs=1, seed=0), path)
    >>> nnkit.load(path).input_shape
    (2,)
    """
    target = as_path(path)
    arrays, inner = _contents(network), groups(places(network._model.layout))
    with writing(target) as new:
        _write(new, arrays, inner)


def _contents(network: Network) -> dict[str, Array]:
    """Every data set of the file by its place."""
    arrays = {"format": np.array(FORMAT, "<i8"), **_texts(network)}
    values = network._model.values()
    for leaf, place in places(network._model.layout).items():
        value = np.asarray(values[leaf], dtype=np.dtype(network.dtype).newbyteorder("<"), order="C")
        if not np.isfinite(value).all():
            raise DataError(
                f"'{leaf}' holds NaN or infinity, and a network with that is not saved; "
                "train again with a smaller learning rate"
            )
        arrays[place] = value
    sums = {place: digest(array) for place, array in arrays.items()}
    return arrays | {CHECKSUMS: np.array(written(sums))}


def _texts(network: Network) -> dict[str, Array]:
    """The JSON texts; what could not be read back is not written."""
    try:
        texts = {
            "architecture": written(Architecture.of(network).to_dict()),
            "training": written(Training.of(network).to_dict()),
        }
        Architecture.from_dict(parsed(texts["architecture"]))
        Training.from_dict(parsed(texts["training"]))
    except (AttributeError, ValueError, TypeError, RecursionError) as error:
        raise ArgumentError(
            f"the network's description {error}; net.classes must be names, and net.preprocessing a "
            "nnkit.data.Preprocessing"
        ) from error
    return {name: np.array(text) for name, text in texts.items()}


def _write(path: Path, arrays: Mapping[str, Array], inner: set[str]) -> None:
    import h5py

    with path.open("xb+", buffering=0) as raw:
        stream = Stream(raw)
        # The format of HDF5 1.8 has checksums in its own structures, and every version since then reads it.
        with h5py.File(stream, "w", libver=("v108", "v108")) as file:
            for group in sorted(inner):
                file.require_group(group)
            for place, array in arrays.items():
                file.create_dataset(place, data=_typed(h5py, array))
                stream.check()
        stream.check()


def _typed(h5py: Any, array: Array) -> Array:
    """The array; text is marked as UTF-8."""
    return array.astype(h5py.string_dtype("utf-8", array.dtype.itemsize)) if array.dtype.kind == "S" else array
