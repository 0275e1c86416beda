"""Writing a network to a file."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from nnkit._version import __version__
from nnkit.checkpoint import epochs
from nnkit.checkpoint.architecture import Architecture
from nnkit.checkpoint.container import plausible
from nnkit.checkpoint.places import FORMAT, GROUPS, WRITER, as_path, groups, places
from nnkit.checkpoint.sample import Sample
from nnkit.checkpoint.sources import Held, Kept, Source
from nnkit.checkpoint.target import writing
from nnkit.checkpoint.text import parsed, written
from nnkit.checkpoint.training import Training
from nnkit.checkpoint.writing import nbytes, write
from nnkit.data.arrays import Array
from nnkit.errors import ArgumentError

if TYPE_CHECKING:
    from pathlib import Path

    from nnkit.network import Network

Sources = dict[str, Source]


def save(network: Network, path: str | os.PathLike[str], compress: bool = False) -> None:
    """Write a network to an HDF5 file, in one step: readers and crashes find the old file or the whole new one.

    With ``compress``, arrays are packed with gzip: a tenth smaller for trained weights, and much slower.

    Raises:
        ArgumentError: ``net.classes`` or ``net.preprocessing`` cannot be kept in a file.
        DataError: a parameter is NaN or infinite; the old file is worth more.
        FileError: the file cannot be written. An old one stays as it was.

    >>> import nnkit, pathlib, tempfile
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "net.h5"
    >>> save(nnkit.FeedForward(inputs=2, outputs=1, seed=0), path)
    >>> nnkit.load(path).input_shape
    (2,)
    """
    if not isinstance(compress, bool):
        raise ArgumentError(f"compress must be True or False, got {compress!r}")
    target = as_path(path)
    found = described(network, Training.of(network)) | epochs.sources(network._past)
    store, dtype = network._model.store, network.dtype
    shapes = network._model.layout.shapes
    values: Sources = {
        place: Kept(store, leaf, shapes[leaf], dtype) for leaf, place in places(network._model.layout).items()
    }
    finite = {place: leaf for leaf, place in places(network._model.layout).items()}
    write_whole(target, found | values | sampled(network), finite, compress)


def write_whole(target: Path, sources: Sources, finite: dict[str, str], pack: bool = False) -> None:
    """Write data sets to a file that takes the place of ``target`` once it is complete."""
    inner = {*GROUPS[FORMAT], *groups(sources)}
    with writing(target) as new:
        write(new, inner, sources, finite, pack)
        if pack and not plausible(sum(map(nbytes, sources.values())), new.stat().st_size):
            new.unlink()  # nobody would read a file that unpacks to so many times its size
            write(new, inner, sources, finite, False)


def described(network: Network, training: Training) -> Sources:
    """What the network is: the texts, but those about its last training."""
    texts = {name: Held(text) for name, text in _texts(network, training).items()}
    return {"format": Held(np.array(FORMAT, "<i8")), **texts, WRITER: Held(_writer())}


def sampled(network: Network, values: Mapping[str, Array] | None = None) -> Sources:
    """The stored sample, of the network as it is or with these values."""
    sample = Sample.of(network, values)
    return {"sample/inputs": Held(sample.inputs), "sample/outputs": Held(sample.outputs)}


@cache
def _writer() -> bytes:
    import h5py

    versions = {"numpy": np.__version__, "h5py": h5py.__version__, "python": platform.python_version()}
    return written({"nnkit": __version__, **versions})


def _texts(network: Network, training: Training) -> dict[str, bytes]:
    """The JSON texts; what could not be read back is not written."""
    try:
        texts = {"architecture": written(Architecture.of(network).to_dict()), "training": written(training.to_dict())}
        Architecture.from_dict(parsed(texts["architecture"]))
        Training.from_dict(parsed(texts["training"]))
    except (AttributeError, ValueError, TypeError, RecursionError) as error:
        raise ArgumentError(
            f"the network's description {error}; net.classes must be names, and net.preprocessing a "
            "nnkit.data.Preprocessing"
        ) from error
    return texts
