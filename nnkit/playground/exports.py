"""The network of a page as a file that others read."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from nnkit.playground.archive import written
from nnkit.playground.code import python_code
from nnkit.playground.lab import Lab
from nnkit.playground.rules import OneOf
from nnkit.playground.strokes import Strokes
from nnkit.playground.table import Table
from nnkit.playground.units import for_a_file

Given = Strokes | Table | None


def exported(form: Any, lab: Lab, given: Given) -> tuple[str, str, bytes]:
    """Name, media type and content of the file; ValueError or NnkitError where there is none."""
    try:
        name = OneOf(tuple(FORMS))(form)
    except ValueError as error:
        raise ValueError(f"format {error}") from None
    return FORMS[name](lab, given)


def _python(lab: Lab, given: Given) -> tuple[str, str, bytes]:
    code = python_code(lab.settings, given, epochs=max(1, round(lab.epoch)), remarks=lab.remarks)
    return "network.py", "text/x-python", code.encode()


def _json(lab: Lab, given: Given) -> tuple[str, str, bytes]:
    return "network.json", "application/json", written(lab.settings, lab.network.parameters(), given)


def _h5(lab: Lab, given: Given) -> tuple[str, str, bytes]:
    return "network.h5", "application/x-hdf5", _file("net.h5", for_a_file(lab).save)


def _onnx(lab: Lab, given: Given) -> tuple[str, str, bytes]:
    return "network.onnx", "application/octet-stream", _file("net.onnx", for_a_file(lab).export)


def _file(name: str, write: Callable[[Path], None]) -> bytes:
    """What a function writes to a file."""
    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder) / name)
        return (Path(folder) / name).read_bytes()


FORMS: dict[str, Callable[[Lab, Given], tuple[str, str, bytes]]] = {
    "python": _python,
    "h5": _h5,
    "onnx": _onnx,
    "json": _json,
}
