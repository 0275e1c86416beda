"""The text of a CSV file: its delimiter, its header, and its rows as cells with the numbers of their lines."""

from __future__ import annotations

import csv
import io
import itertools
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from nnkit.data.csv_cells import is_number
from nnkit.errors import DataError, FileError

_DELIMITERS = ",;\t"
_LOOKED_AT = 100
"""Rows that tell whether the first line is one of them."""


@contextmanager
def opened(path: Path) -> Iterator[BinaryIO]:
    """The bytes of a file; errors of reading become FileError."""
    try:
        if path.is_dir():
            raise FileError(f"{path} is a folder; name the file in it")
        if path.exists() and not path.is_file():
            raise FileError(
                f"{path} is no ordinary file, such as a pipe, which can be read once only; save it as a file"
            )
        with path.open("rb") as stream:
            yield stream
    except FileNotFoundError as error:
        raise FileError(f"{path} does not exist; check the path") from error
    except FileError:
        raise
    except OSError as error:
        raise FileError(f"{path} cannot be read: {error.strerror}; check its permissions") from error


@contextmanager
def parsed(stream: BinaryIO, path: Path) -> Iterator[tuple[tuple[str, ...], Iterator[tuple[int, list[str]]]]]:
    """The header, and the rows that are not blank with the number of their line; what is no CSV becomes FileError."""
    _require_text(stream, path)
    try:
        with io.TextIOWrapper(stream, encoding="utf-8-sig", newline="") as text:
            first = text.readline()
            if first.startswith("sep="):
                raise DataError(f"{path.name} begins with {first.strip()!r}, which spreadsheets read; remove that line")
            delimiter = max(_DELIMITERS, key=lambda d: len(next(csv.reader([first], delimiter=d))))
            text.seek(0)
            reader = csv.reader(text, delimiter=delimiter, strict=True)
            names = next(reader)
            rows = ((reader.line_num, row) for row in reader if not _is_blank(row))
            start = list(itertools.islice(rows, _LOOKED_AT))
            yield _header(path, names, [row for _, row in start]), itertools.chain(start, rows)
    except UnicodeDecodeError as error:
        raise FileError(f"{path} is not UTF-8 text (byte {error.start}): save it as UTF-8") from error
    except csv.Error as error:
        raise FileError(f"{path} is no well-formed CSV file: {error}; check its quotes") from error


def _require_text(stream: BinaryIO, path: Path) -> None:
    start = stream.read(4096)
    stream.seek(0)
    if not start.strip(b"\xef\xbb\xbf \t\r\n"):
        raise DataError(f"{path.name} is empty; expected a line with the names of the columns, then rows")
    if b"\0" in start:
        raise FileError(f"{path} is not UTF-8 text: it has zero bytes in it; save it as CSV in UTF-8")


def _is_blank(row: list[str]) -> bool:
    """Whether a line is empty or of spaces; empty quotes alone are a missing value."""
    return not row or (len(row) == 1 and row[0].isspace())


def _header(path: Path, cells: list[str], below: list[list[str]]) -> tuple[str, ...]:
    """The names of the columns; ``below`` are the first lines after them."""
    names = tuple(cell.strip() for cell in cells)
    numbers = [name for name in names if is_number(name)]
    if len(numbers) == len(names) or (numbers and _is_row(names, below)):
        raise DataError(
            f"{path.name} begins with numbers ({', '.join(numbers[:3])}); add a first line with the columns' names"
        )
    twice = sorted(name for name, times in Counter(names).items() if times > 1 and name)
    if twice:
        raise DataError(f"{path.name} has two columns named {twice[0]!r}; give each its own name")
    if "" in names:
        written = "" if names[0] else ", or leave out the numbers of the rows: to_csv(…, index=False) in pandas"
        raise DataError(f"{path.name} has no name for column {names.index('') + 1}; name it in the first line{written}")
    return names


def _is_row(names: tuple[str, ...], below: list[list[str]]) -> bool:
    """Whether names, some of them numbers, look like one more row: they are of its kinds, and mostly fractions (a year
    may be a name), or a text among them recurs in its column."""
    columns = list(zip(names, itertools.zip_longest(*below, fillvalue=""), strict=False))
    if not all(is_number(name) or not is_number(column[0]) for name, column in columns):
        return False
    fractions = [name for name in names if is_number(name) and not name.isdigit()]
    recurs = any(name in map(str.strip, column) for name, column in columns if not is_number(name))
    return recurs or 2 * len(fractions) >= len(names)
