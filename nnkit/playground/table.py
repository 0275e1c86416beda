"""A CSV file that a person drops on the page: read, and brought to the plane."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from nnkit.data.arrays import Array
from nnkit.data.checks.common import convert, count
from nnkit.data.csv_file import check_complete, is_number, read_columns
from nnkit.data.encode import encode_target, numbers_or_text, whole_or_not
from nnkit.errors import DataError, FileError
from nnkit.names import nearest
from nnkit.playground import points
from nnkit.playground.plane import Plane, held_out
from nnkit.playground.settings import LONGEST_NAME, Settings
from nnkit.playground.table_size import FEWEST_COLUMNS, FEWEST_ROWS, MOST_ROWS, advice, refuse_large, refuse_wide

MOST_CLASSES = 10
LONGEST_FILE_NAME = 60
LONGEST_MESSAGE = 400
RANGE = 5.0
"""Columns go from −5 to 5 on the page."""
Column = Array | list[str]
"""Numbers as they were measured, float64 (rows,), or text."""


@dataclass(frozen=True, eq=False)
class Table:
    """The rows of a file, and which of its columns is to be learned.

    Args:
        content: all columns, in the order of the file.
        lines: where each row stands in the file.
        target: the name of the column to be learned.
        labels: int64 (rows,) that count ``classes``, or None.
        values: float64 (rows,), as they were measured, or None.
    """

    name: str
    content: Mapping[str, Column]
    lines: Array
    target: str
    labels: Array | None = None
    values: Array | None = None
    classes: tuple[str, ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns to learn from: all others that are numbers."""
        return _features(self.content, self.target)

    @property
    def texts(self) -> tuple[str, ...]:
        """Names of those that are left out."""
        return _others(self.content, self.target)

    @cached_property
    def numbers(self) -> Array:
        """Of ``columns``, as they were measured, (rows, columns), float64."""
        return np.stack([np.asarray(self.content[name]) for name in self.columns], axis=1)

    @property
    def cells(self) -> list[str] | list[float]:
        """The target of each row as the file has it: the name of its class, or its value."""
        if self.labels is not None:
            return [self.classes[label] for label in self.labels.tolist()]
        assert self.values is not None
        return list(self.values.tolist())

    def aimed_at(self, target: str) -> Table:
        """The same rows with another target; empty is the one that it has.

        Raises:
            DataError: as :func:`read_table`.
        """
        return self if target in ("", self.target) else table_of(self.name, self.content, self.lines, target)


def read_table(content: bytes, name: str, target: str = "") -> Table:
    """The table in the bytes of a CSV file.

    The target is the last column that can be one. Text is classes; so are whole numbers with at most 10 different
    values, each twice or more on average. Other columns of text are left out.

    Raises:
        DataError: what is wrong with the file, where, and what to do.

    >>> rows = "".join(f"{i},{i % 7},{'odd' if i % 2 else 'even'}\\n" for i in range(20))
    >>> table = read_table(f"a,b,kind\\n{rows}".encode(), "numbers.csv")
    >>> table.numbers.shape, table.columns, table.target, table.classes
    ((20, 2), ('a', 'b'), 'kind', ('even', 'odd'))
    """
    name = file_name(name)
    refuse_large(content, name)
    try:
        found = read_columns(io.BytesIO(content), Path(name))
    except (DataError, FileError) as error:
        raise DataError(_short(str(error))) from None
    read = {**found.numbers, **{each: column_of(cells) for each, cells in found.texts.items()}}
    columns = {each: read[each] for each in found.names}
    return table_of(name, columns, found.lines, target or _usual_target(columns))


def table_of(name: str, content: Mapping[str, Column], lines: Array, target: str) -> Table:
    """A table of columns of which one is the target, after all checks.

    Raises:
        DataError: as :func:`read_table`.
    """
    refuse_wide(name, len(content) - 1)
    for column in content:
        _check_name(name, "column", column)
    rows = len(lines)
    if not FEWEST_ROWS <= rows <= MOST_ROWS:
        raise DataError(f"{name} has {count(rows, 'row')}, expected {FEWEST_ROWS} to {MOST_ROWS:,}; {advice(rows)}")
    _check_target(name, content, target)
    _check_features(name, content, target)
    what = f"{name}: the target {target!r}"
    try:
        different = _different(name, content, target, lines)
        labels, classes = encode_target(different, what)
    except DataError as error:
        raise DataError(_short(str(error))) from None
    if classes is None or (different.dtype.kind == "i" and len(classes) > MOST_CLASSES):
        return Table(name, content, lines, target, values=_values(different, what))
    _check_classes(what, classes, rows)
    for each in classes:
        _check_name(name, "class", each)
    return Table(name, content, lines, target, labels=labels.astype(np.int64), classes=classes)


def plane_of(table: Table, settings: Settings) -> Plane:
    """The rows in the units of the page: each column from −5 to 5, values from −1 to 1.

    The axes are those of the settings as far as the table has them, then its first columns. Of two columns features
    are derived, as of points.
    """
    table = table.aimed_at(settings.target)
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
        f"{table.name}: {rows:,} rows, {columns} columns, {what}{_left_out(table.texts)}",
        tuple(_widened(*_span(column)) for column in table.numbers.T),
        (-1.0, 1.0) if table.values is None else _span(table.values),
        table.target,
        tuple(table.content),
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


def column_of(cells: list[str]) -> Column:
    """What a column of text is: numbers, if all of it are."""
    found = numbers_or_text(cells)
    return found.astype(np.float64) if found.dtype.kind in "if" and np.isfinite(found).all() else cells


def _usual_target(content: Mapping[str, Column]) -> str:
    """The last column, unless names or notes are in it: then the last one without, if enough others are left."""
    able = [name for name, column in content.items() if not isinstance(column, list) or not _are_names(column)]
    enough = able and len(_features(content, able[-1])) >= FEWEST_COLUMNS
    return able[-1] if enough else [*content][-1]


def _are_names(cells: list[str]) -> bool:
    """Whether nearly each is another, and none is a number: numbers with a gap among them are to be refused."""
    return 2 * len(set(cells)) > len(cells) and not any(map(is_number, cells))


def _features(content: Mapping[str, Column], target: str) -> tuple[str, ...]:
    return tuple(name for name, column in content.items() if name != target and not isinstance(column, list))


def _others(content: Mapping[str, Column], target: str) -> tuple[str, ...]:
    return tuple(name for name, column in content.items() if name != target and isinstance(column, list))


def _different(name: str, content: Mapping[str, Column], target: str, lines: Array) -> Array:
    """The target as whole numbers, as numbers or as text."""
    column = content[target]
    if isinstance(column, list):
        check_complete(name, target, column, lines)
        return numbers_or_text(column)
    return whole_or_not(column)


def _left_out(names: Sequence[str]) -> str:
    """A part of a sentence."""
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return f"; left out (not only numbers): {', '.join(map(repr, names[:3]))}{more}" if names else ""


def _check_target(name: str, content: Mapping[str, Column], target: str) -> None:
    if target not in content:
        near = nearest(target, content)
        hint = f". Did you mean {near!r}?" if near else "."
        raise DataError(_short(f"{name} has no column {target!r}{hint} It has {', '.join(map(repr, content))}"))


def _check_features(name: str, content: Mapping[str, Column], target: str) -> None:
    """Two columns of numbers at least, none beyond float32, in which networks are: the page scales the exact ones."""
    columns = _features(content, target)
    if len(columns) < FEWEST_COLUMNS:
        raise DataError(
            f"{name} has {count(len(columns), 'column')} of numbers beside the target {target!r}, and the plane shows "
            f"two{_left_out(_others(content, target))}; add a column, if only one of zeros"
        )
    for column in columns:
        try:
            convert(np.asarray(content[column]), "float32", f"{name}, column {column!r}")
        except DataError as error:
            raise DataError(_short(str(error))) from None


def _check_name(file: str, kind: str, name: str) -> None:
    if not 0 < len(name) <= LONGEST_NAME or not name.isprintable():
        raise DataError(
            _short(f"{file} has the {kind} {name!r}")
            + f"; expected a name of at most {LONGEST_NAME} characters that can be printed: give it another"
        )


def _check_classes(what: str, classes: Sequence[str], rows: int) -> None:
    if 2 * len(classes) > rows:
        raise DataError(
            f"{what} has {len(classes)} different texts in {rows} rows; that is no class to learn: choose another "
            "column as the target, or put it last in the file"
        )
    if len(classes) > MOST_CLASSES:
        raise DataError(
            f"{what} has {len(classes)} classes, and {MOST_CLASSES} are the most; put some together, or choose another "
            "column as the target"
        )


def _values(values: Array, what: str) -> Array:
    if values.min() == values.max():
        raise DataError(
            f"{what} is {values[0]:g} in every row; there is nothing to learn: choose another column as the target, or "
            "put it last in the file"
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


def _short(message: str) -> str:
    """A message in which the file may have put a long cell."""
    return message if len(message) <= LONGEST_MESSAGE else f"{message[: LONGEST_MESSAGE - 3]}..."
