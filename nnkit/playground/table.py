"""A CSV file that a person drops on the page: what is learned of it, and brought to the plane."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from nnkit.data.arrays import Array
from nnkit.data.encode import encode_target
from nnkit.errors import DataError
from nnkit.playground import points
from nnkit.playground.plane import Plane, held_out
from nnkit.playground.settings import Settings
from nnkit.playground.sheet import MOST_CLASSES, Sheet, check_name, read_sheet, short

RANGE = 5.0
"""Columns go from −5 to 5 on the page."""


@dataclass(frozen=True, eq=False)
class Table:
    """The rows of a file, and which of its columns is to be learned.

    Args:
        sheet: all columns.
        target: the name of the one that is learned.
        labels: int64 (rows,) that count ``classes``, or None.
        values: float64 (rows,), as they were measured, or None.
    """

    sheet: Sheet
    target: str
    labels: Array | None = None
    values: Array | None = None
    classes: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Of the file."""
        return self.sheet.name

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns to learn from: all others that are numbers."""
        return self.sheet.numbers_beside(self.target)

    @cached_property
    def numbers(self) -> Array:
        """Of ``columns``, as they were measured, (rows, columns), float64."""
        return np.stack([np.asarray(self.sheet.columns[name]) for name in self.columns], axis=1)

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
        return self if target in ("", self.target) else table_of(self.sheet, target)


def read_table(content: bytes, name: str, target: str = "") -> Table:
    """The table in the bytes of a CSV file; its target is the last column that can be one, if none is named.

    Text is classes; so are whole numbers with at most 10 different values, each twice or more on average. Other columns
    of text are left out.

    Raises:
        DataError: what is wrong with the file, where, and what to do.

    >>> rows = "".join(f"{i},{i % 7},{'odd' if i % 2 else 'even'}\\n" for i in range(20))
    >>> table = read_table(f"a,b,kind\\n{rows}".encode(), "numbers.csv")
    >>> table.numbers.shape, table.columns, table.target, table.classes
    ((20, 2), ('a', 'b'), 'kind', ('even', 'odd'))
    """
    sheet = read_sheet(content, name)
    return table_of(sheet, target or sheet.usual_target)


def table_of(sheet: Sheet, target: str) -> Table:
    """Columns of which one is the target, after all checks.

    Raises:
        DataError: as :func:`read_table`.
    """
    what = f"{sheet.name}: the target {target!r}"
    try:
        different = sheet.learned(target)
        labels, classes = encode_target(different, what)
    except DataError as error:
        raise DataError(short(str(error))) from None
    if classes is None or (different.dtype.kind == "i" and len(classes) > MOST_CLASSES):
        return Table(sheet, target, values=_values(different, what))
    _check_classes(what, classes, len(different))
    for each in classes:
        check_name(sheet.name, "class", each)
    return Table(sheet, target, labels=labels.astype(np.int64), classes=classes)


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
        f"{table.name}: {rows:,} rows, {columns} columns, {what}{table.sheet.left_out(table.target)}",
        tuple(_widened(*_span(column)) for column in table.numbers.T),
        (-1.0, 1.0) if table.values is None else _span(table.values),
        table.target,
        tuple(table.sheet.columns),
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
