"""Reading a network from a file that is not trusted: every check comes before anything is built."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

import numpy as np

from nnkit.checkpoint.apart import opened_apart
from nnkit.checkpoint.architecture import Architecture, check_keys
from nnkit.checkpoint.container import DAMAGED, opened
from nnkit.checkpoint.extent import check_extent
from nnkit.checkpoint.finite import check_finite
from nnkit.checkpoint.modules import rebuilt
from nnkit.checkpoint.places import CHECKSUMS, FORMAT, TEXTS, TOP, as_path, groups, places
from nnkit.checkpoint.readable import Readable
from nnkit.checkpoint.text import parsed
from nnkit.checkpoint.training import Training
from nnkit.data.arrays import Array
from nnkit.errors import ArgumentError, NnkitWarning
from nnkit.network import Network
from nnkit.nn import Module
from nnkit.nn.serial import is_custom
from nnkit.training.layout import Layout

T = TypeVar("T")


def load(
    path: str | os.PathLike[str], device: str = "cpu", into: Module | None = None, untrusted: bool = False
) -> Network:
    """The network that ``net.save(path)`` wrote, with its classes, preprocessing and loss.

    Args:
        path: the file. Nothing in it is run or imported, and it is checked as a whole before anything is built.
        device: where the network is to be: ``"cpu"``, ``"cuda"``, or ``"auto"``, the GPU if one can be used. Where it
            was trained does not matter: one from a GPU is on the processor unless something else is asked for.
        into: for a network with layers or functions of your own, the module, built as it was when it was saved; its
            leaves must have the paths and shapes of those in the file.
        untrusted: for a file from somebody you do not know. The HDF5 library, which has had errors of memory, then
            reads it in a process of its own that has limits of memory and time and can open, start and send nothing;
            every answer is checked again here. NaN is an error, not a warning. It takes about a second more.

    Raises:
        ArgumentError: ``untrusted`` on a system without such limits (Windows).
        FileError: the file is missing, damaged, of a newer version, or does not fit ``into``.

    >>> import nnkit, tempfile, os
    >>> path = os.path.join(tempfile.mkdtemp(), "net.h5")
    >>> net = nnkit.FeedForward(inputs=2, hidden=[4], outputs=1, seed=0)
    >>> net.save(path)
    >>> bool((nnkit.load(path).predict([[1.0, 2.0]]) == net.predict([[1.0, 2.0]])).all())
    True
    """
    if into is not None and not isinstance(into, Module):
        raise ArgumentError(f"into must be a module, such as MyModule() with its brackets, got {into!r}")
    with (opened_apart if untrusted else opened)(as_path(path)) as file:
        found = read(file, into)
        values = _values(file, found, strict=untrusted)
    architecture, training = found.architecture, found.training
    network = Network(
        found.module, architecture.input_shape, dtype=architecture.dtype, device=device, seed=architecture.seed
    )
    network._model.store.write(values)
    network._model.as_drawn = False
    network.classes, network.preprocessing = architecture.classes, architecture.preprocessing
    network._loss = "auto" if training.loss is None else training.loss
    network._optimizer = training.optimizer
    if training.own_loss is not None:
        warnings.warn(
            f"the network was trained with your own loss '{training.own_loss}', which the file does not hold: "
            "give it to net.test(x, y, loss=…)",
            NnkitWarning,
            stacklevel=2,
        )
    return network


class Read(NamedTuple):
    """What a file says of a network; its structure is known to be right, and its values are still in it."""

    architecture: Architecture
    training: Training
    module: Module
    layout: Layout
    sums: dict[str, str]


def read(file: Readable, into: Module | None) -> Read:
    """Everything but the values; ``into`` is the module of a network that the file cannot describe."""
    sums = _checksums(file)
    architecture = _described(file, "architecture", sums, Architecture.from_dict)
    training = _described(file, "training", sums, Training.from_dict)
    module, layout = _module(file, architecture, into)
    fix = DAMAGED if into is None else f"build into={type(into).__name__}(…) as it was when the network was saved"
    leaves = places(layout)
    file.check_tree(set(leaves.values()), groups(leaves), fix)
    file.check_sizes({place: layout.shapes[leaf] for leaf, place in leaves.items()}, layout.dtype, fix)
    try:
        check_keys(sums, {"format", *TEXTS, *leaves.values()})
    except ValueError as error:
        raise file.refused(CHECKSUMS, str(error)) from error
    return Read(architecture, training, module, layout, sums)


def _checksums(file: Readable) -> dict[str, str]:
    """The checksums, from a file whose version is known and that has at its top what it should."""
    if not file.has("format"):
        raise file.refused("", "has no /format, so that nnkit did not write it", "give a file that net.save wrote")
    version = file.whole_number("format")
    if version > FORMAT:
        raise file.refused(
            "format", f"is {version}, and this nnkit reads versions up to {FORMAT}", "install a newer nnkit"
        )
    if version < 1:
        raise file.refused("format", f"is {version}, and versions begin at 1")
    file.check_top({*TOP, "parameters", "state"})
    sums: dict[str, str] = _parsed(file, CHECKSUMS, file.text(CHECKSUMS), _texts_only)
    file.check_digest("format", np.array(version, "<i8"), sums.get("format", ""))
    return sums


def _texts_only(found: Any) -> dict[str, str]:
    if not isinstance(found, dict) or not all(isinstance(value, str) for value in found.values()):
        raise ValueError("is not an object of texts")
    return found


def _described(file: Readable, name: str, sums: dict[str, str], make: Callable[[Any], T]) -> T:
    """What stands in a JSON text, after its checksum."""
    text = file.text(name)
    file.check_digest(name, np.array(text), sums.get(name, ""))
    return _parsed(file, name, text, make)


def _parsed(file: Readable, name: str, text: bytes, make: Callable[[Any], T]) -> T:
    try:
        return make(parsed(text))
    except (ValueError, OverflowError) as error:
        raise file.refused(name, str(error)) from error


def _module(file: Readable, architecture: Architecture, into: Module | None) -> tuple[Module, Layout]:
    """The module and its layout, by a trace that knows shapes alone."""
    if into is not None:
        return into, Layout.of(into, architecture.input_shape, architecture.dtype)
    if is_custom(architecture.module):
        raise file.refused(
            "architecture",
            "has classes, functions or shared weights of your own, which a file cannot hold",
            "build the module as it was and write nnkit.load(path, into=module)",
        )
    check_extent(file, architecture)
    try:
        module = rebuilt(architecture.module)
        return module, Layout.of(module, architecture.input_shape, architecture.dtype)
    except Exception as error:  # anything can stand in a file, and the layers see it first
        raise file.refused("architecture", f"cannot be built: {error}") from error


def _values(file: Readable, found: Read, strict: bool) -> dict[str, Array]:
    """The values of all leaves."""
    leaves = places(found.layout)
    values = {leaf: file.numbers(place, found.sums[place]) for leaf, place in leaves.items()}
    check_finite(file, {leaves[leaf]: value for leaf, value in values.items()}, strict)
    return values
