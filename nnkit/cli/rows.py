"""Rows as a saved network wants them: its columns in its order, its numbers of the classes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from nnkit import data
from nnkit.data import Dataset, Preprocessing
from nnkit.data.files import TABLES, read_features
from nnkit.data.load import is_file
from nnkit.errors import ArgumentError, DataError, ShapeError
from nnkit.network import Network
from nnkit.training.objective import objective

Array = Any


def preprocessing(dataset: Dataset, time_ordered: bool) -> Preprocessing | None:
    """What has to be kept with a network so that it finds its columns and its test rows in files."""
    if dataset.features is None and not time_ordered:
        return None
    return Preprocessing(features=dataset.features, target=dataset.target, time_ordered=time_ordered)


def test_rows(network: Network, name: str, target: str | None, data_dir: str | None) -> tuple[Dataset, Array, Array]:
    """A data set and its own test rows, features and targets, treated like the rows that the network was trained on."""
    kept = network.preprocessing or Preprocessing()
    target = target_of(kept, name, target)
    dataset = data.load(
        name,
        data_dir=data_dir,
        target=target,
        standardize=kept.scaling is None,
        time_ordered=kept.time_ordered and is_file(name),
    )
    columns = _columns(dataset, kept.features)
    x = dataset.x_test if columns is None else dataset.x_test[:, columns]
    _check_shape(network, x, dataset.name)
    return dataset, x, _labels(network, dataset)


def target_of(kept: Preprocessing, name: str, given: str | None) -> str | None:
    """The column to predict of the data of this name: the one that is given, or of a table the one that is kept.

    >>> target_of(Preprocessing(target="price"), "houses.tsv", None)
    'price'
    """
    return kept.target if given is None and name.lower().endswith(TABLES) else given


def new_rows(network: Network, path: str) -> Array:
    """The features in a file, to predict from."""
    if not Path(path).suffix:
        raise ArgumentError(
            f"--data takes a .csv, .npz or .h5 file with rows to predict from, got '{path}'; "
            "'nnkit test' scores a network on a data set"
        )
    kept = network.preprocessing or Preprocessing()
    x = read_features(Path(path).expanduser(), kept.features, kept.target)
    _check_shape(network, x, path)
    return x


def _columns(dataset: Dataset, wanted: Sequence[str] | None) -> list[int] | None:
    """Where the data set has the network's columns; None where columns have no names."""
    if wanted is None or dataset.features is None:
        return None
    absent = [name for name in wanted if name not in dataset.features]
    if absent:
        raise DataError(
            f"{dataset.name} has no column {', '.join(map(repr, absent))}, which the network was trained on; "
            f"it has {', '.join(map(repr, dataset.features))}"
        )
    return [dataset.features.index(name) for name in wanted]


def _labels(network: Network, dataset: Dataset) -> Array:
    """The targets of the test rows, with the network's numbers for the classes."""
    known, found = network.classes, dataset.classes
    if known is None and found is not None and objective(network.module, network._loss).loss.targets == "numbers":
        return _numbers(dataset, found)
    if known == found or known is None:
        return dataset.y_test
    unknown = ["numbers"] if found is None else [f"the class '{name}'" for name in found if name not in known]
    if found is None or unknown:
        raise DataError(
            f"{dataset.name} has {', '.join(unknown[:3])} to predict, but the network knows the classes "
            f"{_listed(known)}; test it on data with those, or check --target"
        )
    return np.array([known.index(name) for name in found], dtype=np.int32)[dataset.y_test]


def _numbers(dataset: Dataset, names: Sequence[str]) -> Array:
    """The targets of the test rows for a network that predicts numbers: whole ones that were taken for classes."""
    if not all(name.removeprefix("-").isdecimal() for name in names):
        raise DataError(
            f"{dataset.name} has the classes {_listed(names)} to predict, but the network predicts numbers; "
            "test it on data with numbers, or check --target"
        )
    return np.array([float(name) for name in names], dtype=np.float32)[dataset.y_test]


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:10]) + (", …" if len(names) > 10 else "")


def _check_shape(network: Network, x: Array, name: str) -> None:
    if x.shape[1:] != network.input_shape:
        wanted, got = ("×".join(map(str, shape)) for shape in (network.input_shape, x.shape[1:]))
        raise ShapeError(
            f"the network takes {wanted} inputs, but {name} has {got}; use data like those that it was trained on"
        )
