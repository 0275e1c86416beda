"""Python and NumPy values as JSON can hold them, with a note for every number that it cannot."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from typing import Any

import numpy as np

from nnkit.errors import ArgumentError


def plain(value: object, path: str, notes: dict[str, str]) -> Any:
    """Return `value` in the types of JSON. NaN and infinity become None, and `notes[path]` says what they were.

    Raises:
        ArgumentError: a value of a type that JSON cannot hold, with its path.

    >>> notes = {}
    >>> plain({"loss": [np.float32(0.5), float("nan")]}, "history", notes), notes
    ({'loss': [0.5, None]}, {'history.loss': 'entry 2 was nan'})
    """
    if isinstance(value, np.generic | np.ndarray):
        value = value.tolist()
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return _finite(value, path, "it was", notes)
    if isinstance(value, Mapping):
        return {
            str(name): plain(inner, f"{path}.{name}" if path else str(name), notes) for name, inner in value.items()
        }
    if isinstance(value, list | tuple):
        return [_item(item, index, path, notes) for index, item in enumerate(value, start=1)]
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    raise ArgumentError(
        f"the record cannot hold {path} = {value!r} ({type(value).__name__}); "
        "give numbers, text, lists, dictionaries or None"
    )


def _item(item: object, index: int, path: str, notes: dict[str, str]) -> Any:
    if isinstance(item, float | np.floating):
        return _finite(float(item), path, f"entry {index} was", notes)
    return plain(item, path, notes)


def _finite(value: float, path: str, what: str, notes: dict[str, str]) -> float | None:
    if math.isfinite(value):
        return float(value)
    note = f"{what} {value}"
    notes[path] = f"{notes[path]}, {note}" if path in notes else note
    return None
