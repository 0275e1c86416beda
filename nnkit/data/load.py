"""``load``: a data set by its name, or from the user's own file."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from nnkit.data.dataset import Dataset
from nnkit.data.digits import digits
from nnkit.data.files import load_file
from nnkit.data.mnist import SOURCES, mnist
from nnkit.data.synthetic import TABLE, synthetic
from nnkit.errors import ArgumentError
from nnkit.names import lookup

DataDir = str | os.PathLike[str] | None


def load(
    name: str | os.PathLike[str],
    data_dir: DataDir = None,
    seed: int = 0,
    target: str | None = None,
    standardize: bool = True,
    time_ordered: bool = False,
) -> Dataset:
    """Return a data set: features and targets for training and for testing.

    Args:
        name: ``digits`` (needs scikit-learn), ``mnist``, ``fashion_mnist`` (downloaded once), ``xor``, ``moons``,
            ``circles``, ``spiral``, ``blobs``, ``sine`` (drawn from ``seed``), or the path of a ``.csv``, ``.tsv``,
            ``.npz`` or ``.h5`` file.
        data_dir: the folder with the files of MNIST or Fashion-MNIST; else ``NNKIT_DATA_DIR``, else the user's cache.
        seed: draws the synthetic sets, and the test rows of a file; the split of ``digits`` is fixed.
        target: the column of a CSV file to predict; the last one by default.
        standardize: False leaves the columns of a CSV file as they were measured, in float64, for
            ``net.fit(…, standardize=True)``, after which the scaling travels with the network.
        time_ordered: the last rows of a file are for testing, rather than rows drawn from ``seed``.

    Raises:
        ArgumentError: an unknown name; a ``target`` where there are no columns to choose from.
        FileError, DataError, MissingExtraError: what is wrong with the file, or what to install.

    >>> load("moons").x_train.shape
    (800, 2)
    """
    if is_file(name):
        return load_file(Path(name).expanduser(), target, seed, standardize, time_ordered)
    if not isinstance(name, str):
        raise ArgumentError(
            f"a data set is a name or the path of a file, got {type(name).__name__}; arrays and tables go to a network "
            "directly: net.fit(x, y)"
        )
    make = lookup("data set", name, _NAMED, _ALIASES)
    if target is not None:
        raise ArgumentError(
            f"target={target!r} names a column of a CSV file; the data set {name!r} has its own; leave it out"
        )
    if time_ordered:
        raise ArgumentError(
            f"time_ordered=True is for files; the data set {name!r} has its own test rows; leave it out"
        )
    return make(data_dir, seed)


def is_file(name: str | os.PathLike[str]) -> bool:
    """Whether a file is meant: its path has a folder or a suffix in it, which no name has."""
    if not isinstance(name, str):
        return isinstance(name, os.PathLike)
    return "/" in name or os.sep in name or bool(Path(name).suffix)


def _synthetic(name: str) -> Callable[[DataDir, int], Dataset]:
    return lambda data_dir, seed: synthetic(name, seed)


def _mnist(name: str) -> Callable[[DataDir, int], Dataset]:
    return lambda data_dir, seed: mnist(name, data_dir)


_NAMED: dict[str, Callable[[DataDir, int], Dataset]] = {
    "digits": lambda data_dir, seed: digits(),
    **{name: _mnist(name) for name in SOURCES},
    **{name: _synthetic(name) for name in TABLE},
}
_ALIASES = {"fashion": "fashion_mnist", "fashionmnist": "fashion_mnist"}
