"""Names that nnkit writes beside the nodes: of classes, of columns, and of what is predicted.

Other tools may use the same keys for something else, so what is no such name, or does not fit the network, is left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from nnkit.checkpoint.text import parsed
from nnkit.data.class_names import checked
from nnkit.data.preprocessing import Preprocessing
from nnkit.errors import ArgumentError, DataError


def classes_of(metadata: Mapping[str, Any], count: int) -> tuple[str, ...] | None:
    """The names of so many classes, if the file has them."""
    try:
        return checked(_value(metadata, "classes"), count)
    except ArgumentError:
        return None


def columns_of(metadata: Mapping[str, Any], row: tuple[int, ...], kept: Preprocessing | None) -> Preprocessing | None:
    """What is kept of rows of this shape, with the names of their columns and of the target, if the file has them."""
    found: dict[str, Any] = {}
    for name in ("features", "target"):
        try:
            value = getattr(Preprocessing.from_dict({name: _value(metadata, name)}), name)
        except DataError:
            continue
        if value is not None and (name == "target" or (len(value),) == row):
            found[name] = value
    return replace(kept or Preprocessing(), **found) if found else kept


def _value(metadata: Mapping[str, Any], name: str) -> Any:
    """What stands there as JSON; None for anything else."""
    text = metadata.get(name)
    try:
        return parsed(text.encode()) if isinstance(text, str) else None
    except ValueError:
        return None
