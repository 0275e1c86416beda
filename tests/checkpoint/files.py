"""Making files that are not as nnkit writes them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np

import nnkit
from nnkit.checkpoint.checksum import digest

WEIGHT = "parameters/layers/0/weight"
ROWS = np.linspace(-2.0, 2.0, 15).reshape(5, 3)


def small() -> nnkit.Network:
    """3 inputs, 4 + 2 neurons, with states and a trained slope."""
    layers = [nnkit.nn.Dense(4, "prelu"), nnkit.nn.BatchNorm(), nnkit.nn.Dense(2)]
    return nnkit.Sequential(layers, input_shape=(3,), seed=1)


def edited(path: Path, edit: Callable[[h5py.File], object]) -> None:
    """Change the file with h5py; its checksums are made to agree with what then stands there."""
    with h5py.File(path, "r+") as file:
        edit(file)
        sums: dict[str, str] = {}
        file.visititems(lambda name, thing: sums.update(checksum_of(name, thing)))
        replace(file, "checksums", json.dumps(sums).encode())


def checksum_of(name: str, thing: Any) -> dict[str, str]:
    """The entry of a data set among the checksums; empty if its values are elsewhere or cannot be had."""
    if not isinstance(thing, h5py.Dataset) or thing.shape is None or name == "checksums":
        return {}
    if thing.is_virtual or thing.external or thing.dtype.hasobject or thing.size > 1_000_000:
        return {name: ""}
    try:
        return {name: digest(np.asarray(thing[()]))}
    except OSError:
        return {name: ""}


def replace(file: h5py.File, place: str, value: Any, **options: Any) -> None:
    """Another data set in its place; bytes become text as nnkit writes it."""
    del file[place]
    if isinstance(value, bytes):
        value = np.array(value).astype(h5py.string_dtype("utf-8", max(len(value), 1)))
    file.create_dataset(place, data=value, **options)


def described(path: Path, change: Callable[[dict[str, Any]], object], name: str = "architecture") -> None:
    """Change a JSON text of the file."""
    with h5py.File(path) as file:
        found = json.loads(file[name][()])
    change(found)
    edited(path, lambda file: replace(file, name, json.dumps(found).encode()))
