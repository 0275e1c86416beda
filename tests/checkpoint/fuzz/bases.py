"""The valid files that are mutated. Another kind of file is one function here and its row in ``BASES``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import h5py
import numpy as np

import nnkit
from nnkit.checkpoint.checksum import digest
from nnkit.data import Preprocessing, Scaling
from nnkit.nn import Dense, Module
from tests.checkpoint.files import small
from tests.checkpoint.hostile.states import checkpoint
from tests.checkpoint.raw import Span, spans
from tests.checkpoint.test_into import Mixed


class Base(NamedTuple):
    """One valid file and what is known of it."""

    name: str
    data: bytes
    into: Callable[[], Module] | None
    """Makes the module for a network that the file cannot describe."""
    sealed: list[Span]
    """Structures of the library that have a checksum."""
    values: dict[str, tuple[int, int]]
    """Where the values of each data set stand, as start and end, if they stand in one piece."""
    sums: dict[str, int]
    """Where the checksum of each data set stands in the text of them."""


def deep() -> nnkit.Network:
    """More layers than links that fit into the header of a group."""
    return nnkit.Sequential([Dense(2, "tanh") for _ in range(12)], input_shape=(3,), seed=2)


def trained() -> nnkit.Network:
    """With classes, a scaling, names of columns, a loss and an optimiser; every layer is of another kind."""
    layers = [
        Dense(4, "swish", l2=0.1), nnkit.nn.GroupNorm(2), nnkit.nn.Dropout(0.1), nnkit.nn.WeightNorm(Dense(4)),
        nnkit.nn.LayerNorm(), nnkit.nn.GaussianNoise(0.1), nnkit.nn.SpectralNorm(Dense(4, "elu")), nnkit.nn.RMSNorm(),
        nnkit.nn.BatchNorm(), Dense(2, "softmax"),
    ]  # fmt: skip
    net = nnkit.Sequential(layers, input_shape=(3,), seed=3, dtype="float64")
    x = np.random.default_rng(0).normal(size=(20, 3))
    net.fit(x, (x[:, 0] > 0).astype(int), epochs=1, optimizer=nnkit.optimizers.SGD(0.1, momentum=0.9), progress=False)
    net.classes, net.preprocessing = ("no", "yes"), Preprocessing(Scaling(np.zeros(3), np.ones(3)), ("a", "b", "ç"))
    return net


def own() -> nnkit.Network:
    """Modules of one's own."""
    return nnkit.Network(Mixed(), input_shape=(3,), seed=2)


def _saved(make: Callable[[], nnkit.Network], path: Path) -> None:
    make().save(path)


def _write(path: Path, data: bytes) -> None:
    path.write_bytes(data)


def _rewritten(path: Path, **options: Any) -> None:
    """As another program writes it that packs arrays, in another form of the format."""
    small().save(path)
    with h5py.File(path) as old, h5py.File(path.with_name("new.h5"), "w", **options) as new:
        old.visititems(lambda name, thing: _copied(new, name, thing))
    path.with_name("new.h5").replace(path)


def _copied(new: h5py.File, name: str, thing: Any) -> None:
    if isinstance(thing, h5py.Group):
        new.require_group(name)
        return
    packed = {"chunks": tuple(max(1, size // 2) for size in thing.shape), "compression": "gzip", "shuffle": True}
    new.create_dataset(name, data=thing[()], dtype=thing.dtype, **(packed if thing.shape and thing.size else {}))


BASES: dict[str, tuple[Callable[[Path], None], Callable[[], Module] | None]] = {
    "small": (lambda path: _saved(small, path), None),
    "deep": (lambda path: _saved(deep, path), None),
    "trained": (lambda path: _saved(trained, path), None),
    "checkpoint": (lambda path: _write(path, checkpoint()), None),
    "own": (lambda path: _saved(own, path), Mixed),
    "earliest": (lambda path: _rewritten(path, libver="earliest"), None),
    "packed": (lambda path: _rewritten(path, libver=("v108", "v108")), None),
    "latest": (lambda path: _rewritten(path, libver="latest"), None),
}
"""How each is written, and the module that it needs."""


def bases(folder: Path) -> list[Base]:
    """All of them, in their order."""
    return [_base(name, write, into, folder / f"{name}.h5") for name, (write, into) in BASES.items()]


def _base(name: str, write: Callable[[Path], None], into: Callable[[], Module] | None, path: Path) -> Base:
    write(path)
    data = path.read_bytes()
    values: dict[str, tuple[int, int]] = {}
    with h5py.File(path) as file:
        file.visititems(lambda place, thing: values.update(_span(place, thing)))
        start, end = values["checksums"]
        text = data[start:end]
        known = {place: digest(np.asarray(file[place][()])) for place in values if place != "checksums"}
    sums = {place: start + text.index(found.encode()) for place, found in known.items()}
    return Base(name, data, into, spans(data), values, sums)


def _span(place: str, thing: Any) -> dict[str, tuple[int, int]]:
    if not isinstance(thing, h5py.Dataset) or thing.chunks or thing.id.get_offset() is None:
        return {}
    start = thing.id.get_offset()
    return {place: (start, start + thing.id.get_storage_size())}
