"""All columns of a CSV file that a person drops on the page, of which each may be the one that is learned."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from nnkit.data.arrays import Array
from nnkit.data.checks.common import convert, count
from nnkit.data.csv_cells import check_target, is_number
from nnkit.data.csv_file import read_columns
from nnkit.data.encode import numbers_or_text, whole_or_not
from nnkit.errors import DataError, FileError
from nnkit.names import listed, nearest
from nnkit.playground.settings import LONGEST_NAME
from nnkit.playground.table_size import FEWEST_COLUMNS, FEWEST_ROWS, MOST_ROWS, advice, refuse_large, refuse_wide

MOST_CLASSES = 10
LONGEST_FILE_NAME = 60
LONGEST_MESSAGE = 400
Column = Array | list[str]
"""Numbers as they were measured, float64 (rows,), or text."""


@dataclass(frozen=True, eq=False)
class Sheet:
    """The columns of a file, after all checks that no target needs.

    Args:
        name: of the file.
        columns: in its order.
        lines: where each row stands in it.

    Raises:
        DataError: too many columns, too many or too few rows, a name of a column that cannot be shown.
    """

    name: str
    columns: Mapping[str, Column]
    lines: Array

    def __post_init__(self) -> None:
        refuse_wide(self.name, len(self.columns) - 1)
        for column in self.columns:
            check_name(self.name, "column", column)
        rows = len(self.lines)
        if not FEWEST_ROWS <= rows <= MOST_ROWS:
            raise DataError(
                f"{self.name} has {count(rows, 'row')}, expected {FEWEST_ROWS} to {MOST_ROWS:,}; {advice(rows)}"
            )

    def numbers_beside(self, target: str) -> tuple[str, ...]:
        """Names of all other columns that are numbers."""
        return tuple(name for name, column in self.columns.items() if name != target and not isinstance(column, list))

    def texts_beside(self, target: str) -> tuple[str, ...]:
        """Names of those that are not."""
        return tuple(name for name, column in self.columns.items() if name != target and isinstance(column, list))

    def left_out(self, target: str) -> str:
        """A part of a sentence that names them, if there are any."""
        names = [repr(name) for name in self.texts_beside(target)]
        return f"; left out (not only numbers): {listed(names, most=3)}" if names else ""

    @property
    def usual_target(self) -> str:
        """The last column that can be learned, or the last of all where none can."""
        able = [name for name, column in self.columns.items() if _differs(column) and self._features_are_left(name)]
        return able[-1] if able else [*self.columns][-1]

    def _features_are_left(self, target: str) -> bool:
        return len(self.numbers_beside(target)) >= FEWEST_COLUMNS

    def learned(self, target: str) -> Array:
        """A column as whole numbers, as numbers or as text, if the others are enough to learn it from.

        Raises:
            DataError: there is no such column, or cells of it are missing; fewer than two others are numbers; some of
                them are beyond float32, in which networks are (the page scales the exact ones).
        """
        if target not in self.columns:
            near = nearest(target, self.columns)
            hint = f". Did you mean {near!r}?" if near else "."
            raise DataError(
                short(f"{self.name} has no column {target!r}{hint} It has {', '.join(map(repr, self.columns))}")
            )
        self._check_features(target)
        column = self.columns[target]
        if isinstance(column, list):
            check_target(self.name, target, column, self.lines)
            return numbers_or_text(column)
        return whole_or_not(column)

    def _check_features(self, target: str) -> None:
        names = self.numbers_beside(target)
        if not self._features_are_left(target):
            raise DataError(
                f"{self.name} has {count(len(names), 'column')} of numbers beside the target {target!r}, and the plane "
                f"shows two{self.left_out(target)}; add a column, if only one of zeros"
            )
        for name in names:
            convert(np.asarray(self.columns[name]), "float32", f"{self.name}, column {name!r}")


def read_sheet(content: bytes, name: str) -> Sheet:
    """The columns in the bytes of a CSV file; DataError where that is none, or too large for a page."""
    name = file_name(name)
    refuse_large(content, name)
    try:
        found = read_columns(io.BytesIO(content), Path(name))
    except (DataError, FileError) as error:
        raise DataError(short(str(error))) from None
    read = {**found.numbers, **{each: column_of(cells) for each, cells in found.texts.items()}}
    return Sheet(name, {each: read[each] for each in found.names}, found.lines)


def column_of(cells: list[str]) -> Column:
    """What a column of text is: numbers, if all of it are.

    >>> column_of(["1", "2.5"]), column_of(["1", "two"])
    (array([1. , 2.5]), ['1', 'two'])
    """
    found = numbers_or_text(cells)
    return found.astype(np.float64) if found.dtype.kind in "if" and np.isfinite(found).all() else cells


def file_name(name: str) -> str:
    """The last part of a path, without what cannot be printed, and not too long.

    >>> file_name("C:\\\\data\\\\flow\\ters.csv"), file_name("")
    ('flowers.csv', 'table.csv')
    """
    last = re.split(r"[/\\]", name)[-1]
    plain = "".join(letter for letter in last if letter.isprintable())[-LONGEST_FILE_NAME:].strip()
    return plain if plain.strip(".") else "table.csv"


def check_name(file: str, kind: str, name: str) -> None:
    """Refuse what cannot be shown on the page."""
    if not 0 < len(name) <= LONGEST_NAME or not name.isprintable():
        raise DataError(
            short(f"{file} has the {kind} {name!r}")
            + f"; expected a name of at most {LONGEST_NAME} characters that can be printed: give it another"
        )


def short(message: str) -> str:
    """A message in which the file may have put a long cell."""
    return message if len(message) <= LONGEST_MESSAGE else f"{message[: LONGEST_MESSAGE - 3]}..."


def _differs(column: Column) -> bool:
    """Whether it is numbers, classes, or numbers with gaps, which are to be told of; no names, no notes."""
    if not isinstance(column, list):
        return bool(column.min() < column.max())
    filled = [cell for cell in column if cell]
    different = set(filled)
    some = any(map(is_number, different))
    return some or (1 < len(different) <= MOST_CLASSES and 2 * len(different) <= len(filled))
