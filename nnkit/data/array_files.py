"""Arrays in ``.npz`` and ``.h5`` files, under the names x and y, or x_train, y_train, x_test and y_test.

A file is not trusted: no pickle, no links to other files, and sizes are compared with what is stored before anything is
allocated.
"""

from __future__ import annotations

import math
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from nnkit.data.arrays import Array
from nnkit.errors import DataError, FileError

WHOLE = ("x", "y")
SPLIT = ("x_train", "y_train", "x_test", "y_test")
_RATIO = 1100  # no stream of deflate unpacks to more than this many times its size
_CHUNK = 1 << 22  # elements; HDF5 itself chooses chunks far below this

Arrays = dict[str, Array]


def read_arrays(path: Path) -> Arrays:
    """Return the arrays of a data file: x and y, or the four of a split; anything else in the file is left alone."""
    return _READERS[path.suffix.lower()](path, _choose)


def read_x(path: Path) -> Arrays:
    """Return the features alone, for prediction: x, or x_test where there is no x."""
    return _READERS[path.suffix.lower()](path, _choose_features)


def _choose(path: Path, present: set[str]) -> tuple[str, ...]:
    for keys in (SPLIT, WHOLE):
        if present.issuperset(keys):
            return keys
    wanted = SPLIT if present & set(SPLIT) else WHOLE
    missing = ", ".join(key for key in wanted if key not in present)
    raise DataError(f"{path.name} lacks {missing}; it has {_listed(present)}, expected x, y or {', '.join(SPLIT)}")


def _choose_features(path: Path, present: set[str]) -> tuple[str, ...]:
    for key in ("x", "x_test"):
        if key in present:
            return (key,)
    raise DataError(f"{path.name} has no x to predict from; it has {_listed(present)}; name the array x")


def _listed(present: set[str]) -> str:
    return ", ".join(sorted(present)[:10]) or "nothing"


Choice = Callable[[Path, set[str]], tuple[str, ...]]


def _read_npz(path: Path, choose: Choice) -> Arrays:
    try:
        with zipfile.ZipFile(path) as archive:
            present = {name.removesuffix(".npy") for name in archive.namelist() if name.endswith(".npy")}
            return {key: _read_member(path, archive, key) for key in choose(path, present)}
    except FileError:
        raise
    except FileNotFoundError as error:
        raise FileError(f"{path} does not exist; check the path") from error
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, OSError, RuntimeError) as error:
        raise FileError(f"{path} is damaged or no .npz file: {error}; write it with numpy.savez") from error


def _read_member(path: Path, archive: zipfile.ZipFile, key: str) -> Array:
    info = archive.getinfo(f"{key}.npy")
    if info.file_size > _RATIO * max(info.compress_size, 1):
        raise FileError(f"{path}: {key} claims {info.file_size} bytes and stores {info.compress_size}; it is damaged")
    try:
        with archive.open(info) as stream:
            declared = _declared_bytes(stream)
            if declared != info.file_size - stream.tell():
                raise FileError(
                    f"{path}: {key} declares {declared} bytes and has {info.file_size - stream.tell()}; it is damaged"
                )
        with archive.open(info) as stream:
            return np.lib.format.read_array(stream, allow_pickle=False)
    except ValueError as error:
        raise FileError(f"{path}: {key} cannot be read: {error}; store plain numbers or text") from error


def _declared_bytes(stream: Any) -> int:
    """The size that the header of a .npy file announces; objects (pickled) are refused."""
    version = np.lib.format.read_magic(stream)
    read = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}.get(version)
    if read is None:
        raise ValueError(f"version {version} of the .npy format is not supported")
    shape, _, dtype = read(stream)
    if dtype.hasobject:
        raise ValueError("it holds Python objects, and nnkit loads no pickle")
    return math.prod(shape) * dtype.itemsize


def _read_h5(path: Path, choose: Choice) -> Arrays:
    import h5py

    if not path.is_file():
        raise FileError(f"{path} does not exist, or is no file; check the path")
    try:
        with h5py.File(path, "r") as file:
            return {key: _read_dataset(path, h5py, file, key) for key in choose(path, set(file))}
    except FileError:
        raise
    except (OSError, RuntimeError, KeyError) as error:
        raise FileError(f"{path} is damaged or no HDF5 file: {error}; write it with h5py") from error


def _read_dataset(path: Path, h5py: Any, file: Any, key: str) -> Array:
    if not isinstance(file.get(key, getlink=True), h5py.HardLink):
        raise FileError(f"{path}: {key} is a link; store the array itself")
    dataset = file[key]
    if not isinstance(dataset, h5py.Dataset) or dataset.is_virtual or dataset.external:
        raise FileError(f"{path}: {key} is not an array stored in this file; store the array itself")
    text = h5py.check_string_dtype(dataset.dtype) is not None
    if dataset.dtype.kind not in "biufS" and not text:
        raise FileError(f"{path}: {key} has the type {dataset.dtype}; store plain numbers or text")
    stored = dataset.id.get_storage_size()
    if dataset.size * dataset.dtype.itemsize > _RATIO * stored:
        raise FileError(f"{path}: {key} declares the shape {dataset.shape} and stores {stored} bytes; it is damaged")
    if math.prod(dataset.chunks or ()) > max(2 * dataset.size, _CHUNK):  # a chunk is unpacked as a whole
        raise FileError(
            f"{path}: {key} has chunks of shape {dataset.chunks} for an array of {dataset.shape}; it is damaged"
        )
    return np.asarray(dataset.asstr()[()] if text else dataset[()])


_READERS: dict[str, Callable[[Path, Choice], Arrays]] = {".npz": _read_npz, ".h5": _read_h5, ".hdf5": _read_h5}
