"""The user's own files as data sets: ``.csv``, ``.tsv``, ``.npz`` and ``.h5``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from nnkit.data.array_files import read_arrays, read_x
from nnkit.data.arrays import Array, to_host
from nnkit.data.checks.advice import warn_duplicates
from nnkit.data.checks.common import convert
from nnkit.data.csv_file import read_csv
from nnkit.data.dataset import Dataset
from nnkit.data.encode import TEXT, encode_target, numbers_or_text
from nnkit.data.scaling import Scaling
from nnkit.data.splits import Indices, split_indices
from nnkit.errors import ArgumentError, DataError, FileError, ShapeError

TABLES = (".csv", ".tsv")
SUFFIXES = (*TABLES, ".npz", ".h5", ".hdf5")
_TEST = 0.2
CALLER = 4  # frames from here up to the call of ``load``, where warnings point


def load_file(
    path: Path, target: str | None = None, seed: int = 0, standardize: bool = True, time_ordered: bool = False
) -> Dataset:
    """Return the data set in a file; by default 20 % of its rows, stratified for classes, are for testing.

    * ``.csv``, ``.tsv``: a header, numbers, and in the target's column (``target``, the last by default) numbers or
      text. Text is classes; so are whole numbers with at most 20 different values, each twice or more on average, and
      codes such as 007 or 1e3, which keep their writing. The features are standardised with the mean and the standard
      deviation of the training rows, kept as ``scaling``, unless ``standardize`` is False; they are then as in the
      file, in float64. The target is left as it is.
    * ``.npz``, ``.h5``: arrays x and y, or x_train, y_train, x_test and y_test. Nothing is scaled. Text is classes, and
      so are one-hot rows and integers with at most 20 different values or from 0 up without a gap; floats are numbers.

    With ``time_ordered`` the last rows are for testing. Rows that are in both parts are reported by a warning.

    Raises:
        FileError: a file that is missing, damaged, or not what its name says.
        DataError, ShapeError: what is in it cannot be trained on.
        ArgumentError: ``target`` given for a file without columns.
    """
    if _suffix(path) in TABLES:
        return _from_csv(path, target, seed, standardize, time_ordered)
    if target is not None:
        raise ArgumentError(
            f"target={target!r} names a column of a CSV file; in {path.name} the target is y: leave it out"
        )
    return _from_arrays(path, read_arrays(path), seed, time_ordered)


def read_features(path: Path, features: Sequence[str] | None = None, target: str | None = None) -> Array:
    """Return features to predict from, as they are in the file.

    A CSV file may have its columns in any order and may have more of them, the target included; those in ``features``
    are taken, or all but ``target`` when ``features`` is None. ``.npz`` and ``.h5`` have x, or x_test.

    Raises:
        FileError, DataError, ShapeError: as ``load_file``; a column the network was trained on is not there.
    """
    if _suffix(path) in TABLES:
        return convert(read_csv(path, features, target, want_target=False).numbers, "float64", path.name)
    arrays = read_x(path)
    (key,) = arrays
    return _float32(path, arrays, key)


def _suffix(path: Path) -> str:
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise FileError(
            f"{path} has the suffix {suffix!r}; data files are {', '.join(SUFFIXES)}: convert it to one of them"
        )
    return suffix


def _from_csv(path: Path, target: str | None, seed: int, standardize: bool, time_ordered: bool) -> Dataset:
    table = read_csv(path, None, target, want_target=True)
    y, classes = encode_target(numbers_or_text(table.cells), f"{path.name}: the target {table.target!r}")
    train, test = _split(path, y, classes, seed, time_ordered)
    convert(table.numbers, "float32", path.name)  # for its errors: the scaling is taken from the exact numbers
    scaling = Scaling.fit(table.numbers[train]) if standardize else None
    x = table.numbers if scaling is None else scaling.apply(table.numbers)
    warn_duplicates(x[train], x[test], "training", "test", CALLER)
    return Dataset(
        *(x[train], y[train], x[test], y[test]),
        name=path.name,
        classes=classes,
        scaling=scaling,
        features=table.names,
        target=table.target,
    )


def _from_arrays(path: Path, arrays: dict[str, Array], seed: int, time_ordered: bool) -> Dataset:
    if "x" in arrays:
        x, target = _float32(path, arrays, "x"), arrays["y"]
        _require_same_rows(path, x, target, "x", "y")
        y, classes = encode_target(target, f"{path.name}: y", counted=True)
        train, test = _split(path, y, classes, seed, time_ordered)
        warn_duplicates(x[train], x[test], "training", "test", CALLER)
        return Dataset(x[train], y[train], x[test], y[test], name=path.name, classes=classes)
    parts = [_float32(path, arrays, key) for key in ("x_train", "x_test")]
    for part, x in zip(("train", "test"), parts, strict=True):
        _require_same_rows(path, x, arrays[f"y_{part}"], f"x_{part}", f"y_{part}")
    together = [arrays["y_train"], arrays["y_test"]]
    if parts[0].shape[1:] != parts[1].shape[1:] or together[0].shape[1:] != together[1].shape[1:]:
        raise ShapeError(
            f"{path.name}: rows of x_train and x_test have the shapes {parts[0].shape[1:]} and {parts[1].shape[1:]}, "
            f"of y {together[0].shape[1:]} and {together[1].shape[1:]}; training and test rows must be alike"
        )
    if len({y.dtype.kind in TEXT for y in together}) > 1:
        raise DataError(
            f"{path.name}: y_train holds {together[0].dtype} and y_test {together[1].dtype}, one of which is text and "
            "the other numbers; store both as text, or both as numbers"
        )
    y, classes = encode_target(np.concatenate(together), f"{path.name}: y", counted=True)
    cut = len(parts[0])
    warn_duplicates(parts[0], parts[1], "training", "test", CALLER)
    return Dataset(parts[0], y[:cut], parts[1], y[cut:], name=path.name, classes=classes)


def _split(
    path: Path, y: Array, classes: tuple[str, ...] | None, seed: int, time_ordered: bool
) -> tuple[Indices, Indices]:
    train, test = split_indices(len(y), _TEST, seed, None if classes is None else y, not time_ordered)
    if classes is not None and not len(test):  # a class with one row gives none away
        raise DataError(
            f"{path.name} has {len(y)} rows of {len(classes)} classes, too few to keep one for testing; each class "
            "needs two rows or more"
        )
    return train, test


def _float32(path: Path, arrays: dict[str, Array], key: str) -> Array:
    argument = f"{path.name}: {key}"
    values = to_host(arrays[key], argument)
    if values.ndim == 1:
        raise ShapeError(
            f"{argument} has shape {values.shape}, expected rows and columns; store {key}.reshape(-1, 1) for one "
            f"feature, or {key}.reshape(1, -1) for one row"
        )
    return convert(values, "float32", argument)


def _require_same_rows(path: Path, x: Array, y: Array, x_name: str, y_name: str) -> None:
    if y.ndim == 0 or len(x) != len(y):
        rows = len(y) if y.ndim else "no"
        raise ShapeError(f"{path.name}: {x_name} has {len(x)} rows and {y_name} has {rows}; each row needs its target")
