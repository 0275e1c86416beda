"""All of a page in one file: settings, weights and data as JSON, which whoever sends it may have made up."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

import numpy as np

from nnkit.data.arrays import Array
from nnkit.playground.rules import shown
from nnkit.playground.settings import Settings
from nnkit.playground.sheet import Column, Sheet, column_of, file_name
from nnkit.playground.strokes import Strokes, strokes
from nnkit.playground.table import Table, table_of
from nnkit.playground.table_size import MOST_BYTES

MARK, VERSION = "nnkit playground", 1
MOST_SETTINGS, MOST_PARAMETERS = 100, 100
LONGEST_NUMBER = 1000
KNOWN = (MARK, "settings", "parameters", "points", "table")
LARGEST = float(str(np.finfo(np.float32).max))
"""The greatest float32 in few digits, which is a little more than itself."""


@dataclass(frozen=True)
class Archive:
    """What a file has: settings, not yet checked, for ``Settings.changed``; arrays by path, float32; and data."""

    settings: dict[str, Any]
    parameters: dict[str, Array]
    given: Table | Strokes | None = None


def written(settings: Settings, parameters: Mapping[str, Array], given: Table | Strokes | None = None) -> bytes:
    """The file; numbers read back as the same float32, those of a table as the same float64.

    Raises:
        ValueError: weights that are no numbers; a file that nobody could read back, as it would be too large.

    >>> written(Settings(), {"weight": np.float32([[0.1, 2]])})[-37:]
    b'"parameters":{"weight":[[0.1,2.0]]}}\\n'
    """
    for path, value in parameters.items():
        if not np.isfinite(value).all():
            raise ValueError(f"{path} has weights that are no finite numbers any more; reset the network, then export")
    content: dict[str, Any] = {MARK: VERSION, "settings": settings.to_dict()}
    content["parameters"] = {path: _nested(np.asarray(value)) for path, value in parameters.items()}
    if isinstance(given, Strokes):
        content["points"] = [list(point) for point in given.points]
    if isinstance(given, Table):
        content["table"] = _described(given)
    found = json.dumps(content, separators=(",", ":"), allow_nan=False).encode() + b"\n"
    if len(found) > MOST_BYTES:
        raise ValueError(
            f"the file would have {len(found):,} bytes, and {MOST_BYTES:,} are the most that can be read again; "
            "export the network as h5, and keep the data by themselves"
        )
    return found


def read(content: bytes) -> Archive:
    """What ``written`` wrote. Nothing in the file is trusted, and nothing but plain data is made of it.

    Raises:
        ValueError: what is wrong with it, and where.

    >>> read(written(Settings(rate=0.5), {})).settings["rate"]
    0.5
    """
    if len(content) > MOST_BYTES:
        raise ValueError(
            f"the file has {len(content):,} bytes, and {MOST_BYTES:,} are the most; expected what a page exported"
        )
    found = _parsed(content)
    if not isinstance(found, dict) or MARK not in found:
        raise ValueError(f'the file is none that a page exported: expected an object with "{MARK}": {VERSION}')
    if type(found[MARK]) is not int or found[MARK] != VERSION:
        raise ValueError(
            f"the file has version {shown(found[MARK])}, and this nnkit reads version {VERSION}; update it"
        )
    strange = [name for name in found if name not in KNOWN]
    if strange:
        raise ValueError(f"the file has {shown(strange[0])}, expected {', '.join(KNOWN[1:])} and nothing else")
    return Archive(_settings(found.get("settings", {})), _parameters(found.get("parameters", {})), _given(found))


# -- writing


def _nested(array: Array) -> Any:
    if array.ndim > 1:
        return [_nested(part) for part in array]
    # NumPy writes as many digits as tell a number from its neighbours in its own type: 0.1, not 0.10000000149.
    plain = [float(str(value)) for value in array.reshape(-1)]
    return plain if array.ndim else plain[0]


def _described(table: Table) -> dict[str, Any]:
    texts = table.sheet.texts_beside(table.target)
    return {
        "name": table.name,
        "columns": list(table.columns),
        "target": table.target,
        "numbers": table.numbers.tolist(),
        "cells": table.cells,
        "order": list(table.sheet.columns),
        **({"texts": {name: table.sheet.columns[name] for name in texts}} if texts else {}),
    }


# -- reading


def _parsed(content: bytes) -> Any:
    try:
        return json.loads(content.decode(), parse_constant=_no_number, parse_int=_whole)
    except UnicodeDecodeError as error:
        raise ValueError(f"the file is not UTF-8 text (byte {error.start}); expected what a page exported") from None
    except RecursionError:
        raise ValueError("the file has lists in lists beyond all measure; expected what a page exported") from None
    except json.JSONDecodeError as error:
        raise ValueError(f"the file is no JSON: {error}; expected what a page exported") from None


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"the file has {name} in it, which is no number; expected what a page exported")


def _whole(text: str) -> int:
    if len(text) > LONGEST_NUMBER:
        raise ValueError(f"the file has a number of {len(text):,} digits; expected what a page exported")
    return int(text)


def _settings(found: Any) -> dict[str, Any]:
    if not isinstance(found, dict) or len(found) > MOST_SETTINGS:
        raise ValueError(f"the settings are {shown(found)}, expected an object with a value for each name")
    for name, value in found.items():
        if not all(_is_plain(each) for each in (value if isinstance(value, list) else [value])):
            raise ValueError(f"the setting {shown(name)} is {shown(value)}, expected a number, text, or a list of such")
    return found


def _is_plain(value: Any) -> bool:
    return value is None or type(value) in (str, bool, int, float)


def _parameters(found: Any) -> dict[str, Array]:
    if not isinstance(found, dict) or len(found) > MOST_PARAMETERS:
        raise ValueError(f"the parameters are {shown(found)}, expected an object with an array for each path")
    return {path: _array(value, f"the parameter {shown(path)}").astype(np.float32) for path, value in found.items()}


def _array(value: Any, what: str) -> Array:
    """A number, a list of numbers, or a list of such lists, in float64: finite numbers that float32 has room for."""
    if not isinstance(value, list):
        return _numbers([value], what).reshape(())
    if not value or not isinstance(value[0], list):
        return _numbers(value, what)
    widths = {len(row) if isinstance(row, list) else -1 for row in value}
    if len(widths) > 1 or widths == {0}:
        raise ValueError(f"{what} has rows of different lengths, or empty ones; expected numbers in rows and columns")
    return np.stack([_numbers(row, what) for row in value])


def _numbers(row: list[Any], what: str) -> Array:
    for value in row:
        if type(value) not in (int, float) or not -LARGEST <= value <= LARGEST:
            raise ValueError(f"{what} has {shown(value)} in it, expected finite numbers in the range of float32")
    return np.array(row, dtype=np.float64)


def _given(found: dict[str, Any]) -> Table | Strokes | None:
    if "points" in found and "table" in found:
        raise ValueError("the file has points and a table; expected one of them: take the other one out")
    if "points" in found:
        return strokes(found["points"])
    return _table(found["table"]) if "table" in found else None


def _table(found: Any) -> Table:
    if not isinstance(found, dict) or {*found} - {"order", "texts"} != {
        "name",
        "columns",
        "target",
        "numbers",
        "cells",
    }:
        raise ValueError(f"the table is {shown(found)}, expected its name, columns, target, numbers and cells")
    name, columns, target, texts = found["name"], found["columns"], found["target"], found.get("texts", {})
    if not isinstance(name, str) or not isinstance(target, str) or not _texts(columns):
        raise ValueError("the table has names that are no text; expected text for the file, the columns and the target")
    if not isinstance(texts, dict):
        raise ValueError(f"the table has the texts {shown(texts)}, expected an object with a list for each name")
    if len({*columns, *texts, target}) <= len(columns) + len(texts):
        raise ValueError("the table has two columns of one name; give each its own")
    numbers, cells = _array(found["numbers"], "the table"), found["cells"]
    if (
        numbers.ndim != 2
        or numbers.shape[1] != len(columns)
        or not isinstance(cells, list)
        or len(cells) != len(numbers)
    ):
        raise ValueError(
            f"the table has numbers of shape {numbers.shape}; expected {len(columns)} columns and a cell for each row"
        )
    if not all(_texts(column) and len(column) == len(cells) for column in texts.values()):
        raise ValueError("the table has texts that are none, or not one for each row; expected text for each row")
    every: dict[str, Column] = {
        **dict(zip(columns, numbers.T, strict=True)),
        **{name: column_of(column) for name, column in texts.items()},
        target: column_of(cells) if _texts(cells) else _numbers(cells, "the target of the table"),
    }
    order = found.get("order", list(every))
    if not _texts(order) or sorted(order) != sorted(every):
        raise ValueError(f"the table has the order {shown(order)}, expected the names of all its columns, each once")
    lines = np.arange(len(cells)) + 2  # where they may have stood, below a header
    return table_of(Sheet(file_name(name), {each: every[each] for each in order}, lines), target)


def _texts(found: Any) -> bool:
    return isinstance(found, list) and all(isinstance(value, str) for value in found)
