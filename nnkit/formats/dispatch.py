"""Which format a file is in, by the end of its name, and what nnkit does with it."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from nnkit import checkpoint
from nnkit.checkpoint.places import as_path
from nnkit.errors import ArgumentError
from nnkit.formats import keras_weights, onnx, own, safetensors
from nnkit.nn import Module

if TYPE_CHECKING:
    from nnkit.network import Network


class Format(NamedTuple):
    """One format: what it is called, and the functions that write and read it; None for what it cannot do."""

    name: str
    export: Callable[..., None] | None = None
    options: tuple[str, ...] = ()
    """Options of ``export`` that have a meaning in it."""
    load: Callable[[Path, str], Network] | None = None
    """A whole network, on a device."""
    load_parameters: Callable[..., None] | None = None
    load_options: tuple[str, ...] = ()
    """Options of ``load_parameters`` that have a meaning in it."""


FORMATS = {
    ".onnx": Format("ONNX", onnx.export, ("opset",), load=onnx.load),
    ".safetensors": Format(
        "safetensors",
        safetensors.export,
        ("layout",),
        load_parameters=safetensors.load_parameters,
        load_options=("layout",),
    ),
    ".weights.h5": Format("Keras weights", keras_weights.export, load_parameters=keras_weights.load_parameters),
}
"""By the end of the name. All other files are nnkit's own, HDF5."""
OWN = Format("nnkit's own format", load_parameters=own.load_parameters)


STRANGE = {
    **dict.fromkeys((".pt", ".pth"), "PyTorch"),
    **dict.fromkeys((".npy", ".npz"), "NumPy"),
    **dict.fromkeys((".pkl", ".pickle", ".joblib"), "pickle"),
    **dict.fromkeys((".tar", ".gz", ".tgz", ".zip"), "an archiver"),
    ".keras": "Keras",
    ".json": "JSON, as run.save writes it",
    ".csv": "a spreadsheet",
}
"""By the end of the name, of what other files are; under it nobody would look for a network in HDF5."""


def check_own(path: str | os.PathLike[str], call: str = "save") -> None:
    """Refuse to save to a name that ends like another format.

    >>> check_own("net.h5")
    """
    target = as_path(path)
    found, strange = _found(target), STRANGE.get(target.suffix.lower())
    other = strange if found is None else f"{found.name}, which net.export writes"
    if other is not None:
        raise ArgumentError(
            f"{call}: '{target.name}' ends like a file of {other}; {call} writes nnkit's own format, HDF5, to a name "
            "such as 'net.h5'"
        )


def export(network: Network, path: str | os.PathLike[str], **options: Any) -> None:
    """Write a network to a file of the format that the end of its name says; options that are None are left out."""
    target = as_path(path)
    found = _found(target)
    if found is None or found.export is None:
        raise ArgumentError(
            f"export: the end of '{target.name}' names no format; it can be {', '.join(FORMATS)}. "
            "net.save writes nnkit's own"
        )
    found.export(network, target, **_given("export", target, found, found.options, options))


def load(
    path: str | os.PathLike[str], device: str = "cpu", into: Module | None = None, untrusted: bool = False
) -> Network:
    """The network in a file: one that ``net.save`` wrote, or an ONNX network (``.onnx``).

    ``untrusted`` is for files of ``net.save`` from somebody you do not know: see ``nnkit.checkpoint.load``.
    """
    source = as_path(path)
    found = _found(source)
    if source.suffix.lower() == ".json":
        raise ArgumentError(
            f"'{source.name}' ends like the record of a run, which nnkit.measure.load_record(path) reads; nnkit.load "
            "reads networks"
        )
    if found is None:
        return checkpoint.load(source, device, into, untrusted)
    if found.load is None:
        raise ArgumentError(
            f"'{source.name}' ({found.name}) holds parameters and no network; make the network, "
            "and call net.load_parameters(path)"
        )
    if into is not None:
        raise ArgumentError(f"into= is for files that net.save wrote; '{source.name}' says what its layers are")
    if untrusted:
        raise ArgumentError(
            f"untrusted=True is for files that net.save wrote, whose library reads them in a process of its own; "
            f"'{source.name}' ({found.name}) is read in this one: leave untrusted out if you trust it"
        )
    return found.load(source, device)


def load_parameters(network: Network, path: str | os.PathLike[str], **options: Any) -> None:
    """Copy the parameters and states in a file into a network; all of them or none. Options as in :func:`export`."""
    source = as_path(path)
    found = _found(source) or OWN
    if found.load_parameters is None:
        raise ArgumentError(f"load_parameters: '{source.name}' ({found.name}) holds a network; nnkit.load reads it")
    found.load_parameters(network, source, **_given("load_parameters", source, found, found.load_options, options))


def _given(call: str, path: Path, found: Format, known: tuple[str, ...], options: dict[str, Any]) -> dict[str, Any]:
    """The options that are not None; those without a meaning in the format are refused."""
    given = {name: value for name, value in options.items() if value is not None}
    for name in sorted(given.keys() - set(known)):
        raise ArgumentError(f"{call}: {name}={given[name]!r} has no meaning in {found.name} ('{path.name}')")
    return given


def _found(path: Path) -> Format | None:
    return next((kind for end, kind in FORMATS.items() if path.name.lower().endswith(end)), None)
