"""CSV files: a header, then rows of numbers, with text in the target's column. Errors name the line."""

from __future__ import annotations

import difflib
import itertools
import math
import operator
from array import array
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np

from nnkit.data.arrays import Array
from nnkit.data.checks.common import count
from nnkit.data.csv_cells import are_text, check_target, explain, number
from nnkit.data.csv_text import opened, parsed
from nnkit.errors import DataError

_LOOKED_AT = 100
"""Rows that tell what a column is."""


@dataclass(frozen=True)
class Table:
    """Columns of a CSV file: numbers (rows, columns) as float64, their names, and the target's cells if wanted."""

    numbers: Array
    names: tuple[str, ...]
    target: str | None
    cells: list[str]


def read_csv(path: Path, names: Sequence[str] | None, target: str | None, want_target: bool) -> Table:
    """Read the columns ``names`` as numbers (all but the target when None) and the target's cells as text.

    ``target`` None is the last column. Without ``want_target`` the file need not have it. Commas, semicolons and tabs
    separate; a byte-order mark, quotes and blank lines are understood; true and false are 1 and 0. The encoding is
    UTF-8.

    Raises:
        FileError: missing, not text, not UTF-8, or with broken quotes.
        DataError: empty; no header, or one with equal or empty names; a column that is not there; lines of another
            length; text or missing values where numbers are needed. The message has the line and the column.
    """
    with opened(path) as stream, parsed(stream, path) as (header, rows):
        if want_target:
            target = _column(path, header, header[-1] if target is None else target)
        names = tuple(name for name in header if name != target) if names is None else tuple(names)
        absent = [name for name in names if name not in header]
        if absent:
            raise DataError(
                f"{path.name} has no column {', '.join(map(repr, absent))}, which the network was trained on; "
                f"it has {', '.join(map(repr, header))}"
            )
        if not names:
            raise DataError(
                f"{path.name} has the column {header[0]!r} only; features and a target are needed, with commas, "
                "semicolons or tabs between them"
            )
        wanted = [target] if want_target and target is not None else []
        numbers, cells, lines = _read_rows(path, header, rows, names, wanted)
        for name, column in zip(wanted, cells, strict=True):
            check_target(path.name, name, column, lines)
        return Table(numbers, names, target if want_target else None, cells[0] if cells else [])


def _read_rows(
    path: Path,
    header: tuple[str, ...],
    rows: Iterator[tuple[int, list[str]]],
    names: Sequence[str],
    texts: Sequence[str],
) -> tuple[Array, list[list[str]], Array]:
    """Numbers (rows, names), the cells of each column of text, and the line of each row."""
    values, lines = array("d"), array("q")
    cells: list[list[str]] = [[] for _ in texts]
    pick, pick_texts = (_picker([header.index(name) for name in wanted]) for wanted in (names, texts))
    for line, row in rows:
        if len(row) != len(header):
            raise DataError(
                f"{path.name}, line {line} has {count(len(row), 'value')}, the header has {len(header)}; "
                f"complete the line, or put quotes around text with a delimiter in it"
            )
        picked = pick(row)
        found = _numbers(picked)
        if found is None:
            explain(path.name, line, names, picked, (pick(row) for _, row in rows if len(row) == len(header)))
        values.extend(found)
        lines.append(line)
        for column, cell in zip(cells, pick_texts(row), strict=True):
            column.append(cell.strip())
    if not lines:
        raise DataError(f"{path.name} has a header and no rows; add rows to learn from")
    return np.asarray(values).reshape(len(lines), len(names)), cells, np.asarray(lines)


def _numbers(cells: Sequence[str]) -> list[float] | None:
    """Finite numbers, or None if one of the cells is something else."""
    if "_" in "".join(cells):  # Python reads 1_000 as a number; in a file it is a name
        return None
    try:
        found = list(map(float, cells))
    except ValueError:
        try:
            found = list(map(number, cells))
        except ValueError:
            return None
    return found if all(map(math.isfinite, found)) else None


@dataclass(frozen=True)
class Columns:
    """All columns of a CSV file.

    Args:
        names: in the order of the file.
        numbers: without the last one, float64 by name.
        texts: the last one, and those in which a tenth of the first cells is text, as the file has them.
        lines: where each row stands.
    """

    names: tuple[str, ...]
    numbers: dict[str, Array]
    texts: dict[str, list[str]]
    lines: Array


def read_columns(stream: BinaryIO, path: Path) -> Columns:
    """All columns in the bytes of a file, which is closed, for those who choose the target afterwards.

    Text may lack values; nothing else may. ``path`` is what errors call the file.

    Raises:
        FileError, DataError: as :func:`read_csv`.

    >>> import io
    >>> read_columns(io.BytesIO(b"kind,width,age\\nrose,2.5,3\\n"), Path("flowers.csv")).texts
    {'kind': ['rose'], 'age': ['3']}
    """
    with parsed(stream, path) as (header, rows):
        first = list(itertools.islice(rows, _LOOKED_AT))
        columns = itertools.zip_longest(*(row for _, row in first), fillvalue="")
        found = dict(zip(header, columns, strict=False))
        texts = [name for name in header if name == header[-1] or are_text(found.get(name, ()))]
        names = tuple(name for name in header if name not in texts)
        numbers, cells, lines = _read_rows(path, header, itertools.chain(first, rows), names, texts)
        return Columns(header, dict(zip(names, numbers.T, strict=True)), dict(zip(texts, cells, strict=True)), lines)


def _column(path: Path, header: tuple[str, ...], name: str) -> str:
    if name in header:
        return name
    near = difflib.get_close_matches(name, header, n=1, cutoff=0.5)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    raise DataError(f"{path.name} has no column {name!r}.{hint} It has {', '.join(map(repr, header))}")


def _picker(columns: list[int]) -> Callable[[list[str]], Sequence[str]]:
    """A function that takes the columns out of a row; ``itemgetter`` is fast and gives no tuple for one column."""
    if len(columns) > 1:
        return operator.itemgetter(*columns)
    return operator.itemgetter(slice(columns[0], columns[0] + 1) if columns else slice(0))
