"""A CSV file that a person drops on the page: read, and brought to the plane."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from nnkit.data.arrays import Array
from nnkit.data.checks.common import convert, count
from nnkit.data.csv_file import read_stream
from nnkit.data.encode import encode_target, numbers_or_text
from nnkit.errors import DataError, FileError
from nnkit.playground import points
from nnkit.playground.plane import Plane, held_out
from nnkit.playground.settings import LONGEST_NAME, MOST_COLUMNS, Settings

MOST_BYTES = 16_000_000
FEWEST_ROWS, MOST_ROWS = 10, 50_000
FEWEST_COLUMNS = 2
MOST_CLASSES = 10
LONGEST_FILE_NAME = 60
LONGEST_MESSAGE = 400
RANGE = 5.0
"""Columns go from −5 to 5 on the page."""


@dataclass(frozen=True, eq=False)
class Table:
    """The rows of a file.

    Args:
        numbers: as they were measured, (rows, columns), float64.
        columns: their names.
        target: the name of the last column.
        labels: int64 (rows,) that count ``classes``, or None.
        values: float64 (rows,), as they were measured, or None.
    """

    name: str
    numbers: Array
    columns: tuple[str, ...]
    target: str
    labels: Array | None = None
    values: Array | None = None
    classes: tuple[str, ...] = ()

    @property
    def cells(self) -> list[str] | list[float]:
        """The target of each row as the file has it: the name of its class, or its value."""
        if self.labels is not None:
            return [self.classes[label] for label in self.labels.tolist()]
        assert self.values is not None
        return list(self.values.tolist())


def read_table(content: bytes, name: str) -> Table:
    """The table in the bytes of a CSV file: numbers, and in the last column the target.

    Text is classes; so are whole numbers with at most 10 different values, each twice or more on average.

    Raises:
        DataError: what is wrong with the file, where, and what to do.

    >>> rows = "".join(f"{i},{i % 7},{'odd' if i % 2 else 'even'}\\n" for i in range(20))
    >>> table = read_table(f"a,b,kind\\n{rows}".encode(), "numbers.csv")
    >>> table.numbers.shape, table.columns, table.target, table.classes
    ((20, 2), ('a', 'b'), 'kind', ('even', 'odd'))
    """
    name = file_name(name)
    _refuse_large(content, name)
    try:
        found = read_stream(io.BytesIO(content), Path(name), None, None, want_target=True)
    except (DataError, FileError) as error:
        raise DataError(_short(str(error))) from None
    assert found.target is not None
    return table_of(name, found.names, found.target, found.numbers, found.cells)


def table_of(name: str, columns: tuple[str, ...], target: str, numbers: Array, cells: list[str]) -> Table:
    """A table of numbers (rows, columns) and the target's cells, one for each row, after all checks.

    Raises:
        DataError: as :func:`read_table`.
    """
    _refuse_wide(name, len(columns))
    if len(columns) < FEWEST_COLUMNS:
        raise DataError(
            f"{name} has one column beside the target, and the plane shows two; add a column, if only one of zeros"
        )
    for column in (*columns, target):
        _check_name(name, "column", column)
    rows = len(cells)
    if not FEWEST_ROWS <= rows <= MOST_ROWS:
        raise DataError(f"{name} has {count(rows, 'row')}, expected {FEWEST_ROWS} to {MOST_ROWS:,}; {_advice(rows)}")
    what = f"{name}: the target {target!r}"
    different = numbers_or_text(cells)
    try:
        convert(numbers, "float32", name)  # for its errors: the page scales the exact numbers
        labels, classes = encode_target(different, what)
    except DataError as error:
        raise DataError(_short(str(error))) from None
    if classes is None or (different.dtype.kind == "i" and len(classes) > MOST_CLASSES):
        return Table(name, numbers, columns, target, values=_values(different, what))
    _check_classes(what, classes, rows)
    for each in classes:
        _check_name(name, "class", each)
    return Table(name, numbers, columns, target, labels=labels.astype(np.int64), classes=classes)


def plane_of(table: Table, settings: Settings) -> Plane:
    """The rows in the units of the page: each column from −5 to 5, values from −1 to 1.

    The axes are those of the settings as far as the table has them, then its first columns. Of two columns features
    are derived, as of points.
    """
    target = scaled(table.values, 1) if table.labels is None and table.values is not None else table.labels
    assert target is not None
    what = f"{len(table.classes)} classes of {table.target!r}" if table.classes else f"values of {table.target!r}"
    rows, columns = table.numbers.shape
    return Plane(
        scaled(table.numbers, RANGE),
        target,
        held_out(target, settings.test_share, settings.seed, stratified=bool(table.classes)),
        table.classes,
        table.columns,
        _axes(table.columns, settings.axes),
        f"{table.name}: {rows:,} rows, {columns} columns, {what}",
        tuple(_widened(*_span(column)) for column in table.numbers.T),
        (-1.0, 1.0) if table.values is None else _span(table.values),
        table.target,
        of_points=columns == 2,
    )


def scaled(values: Array, limit: float) -> Array:
    """Each column, from its least value to its greatest, brought to −limit … limit; constant columns are 0.

    >>> scaled(np.array([[1.0, 7.0], [3.0, 7.0], [2.0, 7.0]]), 5).tolist()
    [[-5.0, 0.0], [5.0, 0.0], [0.0, 0.0]]
    """
    low, high = values.min(axis=0), values.max(axis=0)
    share = (values - low) / np.where(high > low, high - low, 1.0)
    return np.where(high > low, share * 2 * limit - limit, 0.0)


def file_name(name: str) -> str:
    """The last part of a path, without what cannot be printed, and not too long.

    >>> file_name("C:\\\\data\\\\flow\\ters.csv"), file_name("")
    ('flowers.csv', 'table.csv')
    """
    last = re.split(r"[/\\]", name)[-1]
    plain = "".join(letter for letter in last if letter.isprintable())[-LONGEST_FILE_NAME:].strip()
    return plain if plain.strip(".") else "table.csv"


def _refuse_large(content: bytes, name: str) -> None:
    """Refuse what is larger than the page can be, before it is read: in a fraction of a second, whatever it is."""
    if len(content) > MOST_BYTES:
        raise DataError(
            f"{name} has {len(content):,} bytes, and {MOST_BYTES:,} are the most; leave rows or columns out, or train "
            "on it with nnkit.data.load"
        )
    lines = _lines(content)
    if lines > MOST_ROWS + 1:
        raise DataError(f"{name} has {lines - 1:,} rows, and {MOST_ROWS:,} are the most; {_advice(lines)}")
    first = re.match(rb"[^\r\n]*", content)
    assert first is not None
    delimiters = max(first.group().count(mark) for mark in (b",", b";", b"\t"))
    if delimiters > 100 * MOST_COLUMNS:  # not worth a look at quotes; else the header is read, and then counted
        _refuse_wide(name, delimiters)
    _refuse_wide(name, _width(first.group()) - 1)


def _lines(content: bytes) -> int:
    """Lines that are not blank; in a fraction of a second."""
    letters = np.frombuffer(content, np.uint8)
    ends = np.concatenate([[True], (letters == ord("\n")) | (letters == ord("\r"))])
    return int(np.count_nonzero(ends[:-1] & ~ends[1:]))


def _width(line: bytes) -> int:
    """Columns of the header, as the reader will see them."""
    text = line.decode("utf-8", "replace")
    try:
        return max(len(next(csv.reader([text], delimiter=mark), [])) for mark in ",;\t")
    except csv.Error:  # the reader says what is wrong
        return FEWEST_COLUMNS + 1


def _refuse_wide(name: str, columns: int) -> None:
    if columns > MOST_COLUMNS:
        raise DataError(
            f"{name} has {columns:,} columns beside the target, and {MOST_COLUMNS} are the most; keep the columns that "
            "matter"
        )


def _check_name(file: str, kind: str, name: str) -> None:
    if not 0 < len(name) <= LONGEST_NAME or not name.isprintable():
        raise DataError(
            _short(f"{file} has the {kind} {name!r}")
            + f"; expected a name of at most {LONGEST_NAME} characters that can be printed: give it another"
        )


def _check_classes(what: str, classes: Sequence[str], rows: int) -> None:
    if len(classes) > MOST_CLASSES:
        raise DataError(
            f"{what} has {len(classes)} classes, and {MOST_CLASSES} are the most; put some together, or choose another "
            "target as the last column"
        )
    if 2 * len(classes) > rows:
        raise DataError(
            f"{what} has {len(classes)} different texts in {rows} rows; that is no class to learn: choose another "
            "target as the last column"
        )


def _values(values: Array, what: str) -> Array:
    if values.min() == values.max():
        raise DataError(
            f"{what} is {values[0]:g} in every row; there is nothing to learn: choose another target as the last column"
        )
    return values.astype(np.float64)


def _axes(columns: tuple[str, ...], wanted: tuple[str, ...]) -> tuple[int, int]:
    known = [name for name in wanted if name in columns]
    first, second = [*known, *(name for name in columns if name not in known)][:2]
    return columns.index(first), columns.index(second)


def _span(values: Array) -> tuple[float, float]:
    return float(values.min()), float(values.max())


def _widened(low: float, high: float) -> tuple[float, float]:
    """From the range of a column to the ends of the plane."""
    margin = (high / 2 - low / 2) * (points.RANGE / RANGE - 1)
    return low - margin, high + margin


def _advice(rows: int) -> str:
    return "add rows to learn from" if rows < FEWEST_ROWS else "take a sample of them, or train with nnkit.data.load"


def _short(message: str) -> str:
    """A message in which the file may have put a long cell."""
    return message if len(message) <= LONGEST_MESSAGE else f"{message[: LONGEST_MESSAGE - 3]}..."
