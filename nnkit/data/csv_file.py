"""CSV files: a header, then rows of numbers, with text in the target's column. Errors name the line."""

from __future__ import annotations

import csv
import difflib
import io
import itertools
import operator
from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np

from nnkit.data.arrays import Array
from nnkit.data.checks.common import count
from nnkit.errors import DataError, FileError

_MISSING = {"", "nan", "na", "n/a", "null", "?"}
_MISSING_NUMBER = _MISSING | {"none", "-"}  # in a target these may be the name of a class
_DELIMITERS = ",;\t"
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
    separate; a byte-order mark, quotes and blank lines are understood; the encoding is UTF-8.

    Raises:
        FileError: missing, not text, not UTF-8, or with broken quotes.
        DataError: empty; no header, or one with equal or empty names; a column that is not there; lines of another
            length; text or missing values where numbers are needed. The message has the line and the column.
    """
    with _open(path) as stream, _parsed(stream, path) as (header, rows):
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
            raise DataError(f"{path.name} has the column {header[0]!r} only; features and a target are needed")
        wanted = [target] if want_target and target is not None else []
        numbers, cells, lines = _read_rows(path, header, rows, names, wanted)
        for name, column in zip(wanted, cells, strict=True):
            check_complete(path.name, name, column, lines)
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
        try:
            values.extend(map(float, picked))
        except ValueError:
            _explain(path, line, names, picked, (pick(row) for _, row in rows if len(row) == len(header)))
        if "_" in "".join(picked):  # Python reads 1_000 as a number; in a file it is a name
            _explain(path, line, names, picked, (pick(row) for _, row in rows if len(row) == len(header)))
        lines.append(line)
        for column, cell in zip(cells, pick_texts(row), strict=True):
            column.append(cell.strip())
    if not lines:
        raise DataError(f"{path.name} has a header and no rows; add rows to learn from")
    numbers = np.asarray(values).reshape(len(lines), len(names))
    if not np.isfinite(numbers).all():
        gaps = ~np.isfinite(numbers)
        row_at, column_at = np.argwhere(gaps)[0].tolist()
        cell, more = str(numbers[row_at, column_at]), int(gaps.any(axis=1).sum()) - 1
        raise DataError(_missing(path.name, lines[row_at], names[column_at], cell, more))
    return numbers, cells, np.asarray(lines)


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

    >>> read_columns(io.BytesIO(b"kind,width,age\\nrose,2.5,3\\n"), Path("flowers.csv")).texts
    {'kind': ['rose'], 'age': ['3']}
    """
    with _parsed(stream, path) as (header, rows):
        first = list(itertools.islice(rows, _LOOKED_AT))
        columns = itertools.zip_longest(*(row for _, row in first), fillvalue="")
        found = dict(zip(header, columns, strict=False))
        texts = [name for name in header if name == header[-1] or _are_text(found.get(name, ()))]
        names = tuple(name for name in header if name not in texts)
        numbers, cells, lines = _read_rows(path, header, itertools.chain(first, rows), names, texts)
        return Columns(header, dict(zip(names, numbers.T, strict=True)), dict(zip(texts, cells, strict=True)), lines)


def check_complete(file: str, name: str, cells: list[str], lines: Array) -> None:
    """Refuse a target with missing values: DataError with the line of the first."""
    gaps = [at for at, cell in enumerate(cells) if cell.lower() in _MISSING]
    if gaps:
        raise DataError(_missing(file, lines[gaps[0]], name, cells[gaps[0]], len(gaps) - 1))


@contextmanager
def _open(path: Path) -> Iterator[BinaryIO]:
    """The bytes of a file; errors of reading become FileError."""
    try:
        if path.is_dir():
            raise FileError(f"{path} is a folder; name the file in it")
        with path.open("rb") as stream:
            yield stream
    except FileNotFoundError as error:
        raise FileError(f"{path} does not exist; check the path") from error
    except FileError:
        raise
    except OSError as error:
        raise FileError(f"{path} cannot be read: {error.strerror}; check its permissions") from error


@contextmanager
def _parsed(stream: BinaryIO, path: Path) -> Iterator[tuple[tuple[str, ...], Iterator[tuple[int, list[str]]]]]:
    """The header, and the rows that are not blank with the number of their line; what is no CSV becomes FileError."""
    _require_text(stream, path)
    try:
        with io.TextIOWrapper(stream, encoding="utf-8-sig", newline="") as text:
            first = text.readline()
            delimiter = max(_DELIMITERS, key=lambda d: len(next(csv.reader([first], delimiter=d))))
            text.seek(0)
            reader = csv.reader(text, delimiter=delimiter, strict=True)
            names = next(reader)
            rows = ((reader.line_num, row) for row in reader if row)
            second = list(itertools.islice(rows, 1))
            header = _header(path, names, second[0][1] if second else [])
            yield header, itertools.chain(second, rows)
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


def _header(path: Path, cells: list[str], second: list[str]) -> tuple[str, ...]:
    """The names of the columns; ``second`` is the line below."""
    names = tuple(cell.strip() for cell in cells)
    numbers = [name for name in names if is_number(name)]
    fractions = [name for name in numbers if not name.isdigit()]  # a year may be a name
    alike = all(is_number(name) or not is_number(cell) for name, cell in zip(names, second, strict=False))
    if len(numbers) == len(names) or (alike and 2 * len(fractions) >= len(names)):
        raise DataError(
            f"{path.name} begins with numbers ({', '.join(numbers[:3])}); add a first line with the columns' names"
        )
    twice = sorted(name for name, times in Counter(names).items() if times > 1 and name)
    if twice:
        raise DataError(f"{path.name} has two columns named {twice[0]!r}; give each its own name")
    if "" in names:
        raise DataError(f"{path.name} has no name for column {names.index('') + 1}; name it in the first line")
    return names


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


def _are_text(cells: Iterable[str]) -> bool:
    """Whether they are more than numbers with a few slips; missing ones tell nothing."""
    known = [cell for cell in cells if cell.strip().lower() not in _MISSING_NUMBER]
    # A decimal comma is no text: ``_explain`` has better words for it.
    texts = sum("_" in cell or not is_number(cell.replace(",", ".", 1)) for cell in known)
    return 10 * texts >= len(known) > 0


def _explain(path: Path, line: int, names: Sequence[str], cells: Sequence[str], rest: Iterable[Sequence[str]]) -> None:
    """Say which cell of a line is no number, and why; ``rest`` are the cells of the lines that follow."""
    name, cell = next((n, c.strip()) for n, c in zip(names, cells, strict=True) if "_" in c or not is_number(c))
    if cell.lower() in _MISSING_NUMBER:
        more = sum(any(other.strip().lower() in _MISSING_NUMBER for other in others) for others in rest)
        raise DataError(_missing(path.name, line, name, cell, more))
    if is_number(cell.replace(",", ".", 1)) and "_" not in cell:
        raise DataError(f"{path.name}, line {line}: {cell!r} in column {name!r} has a decimal comma; write a point")
    raise DataError(
        f"{path.name}, line {line}: column {name!r} holds text ({cell!r}); networks take numbers: leave it out, "
        f"or encode it, for example as one column of 0 and 1 for each of its values"
    )


def _missing(file: str, line: int, name: str, cell: str, more: int) -> str:
    """What to do about a gap; ``more`` further lines have some."""
    shown = f" ({cell!r})" if cell else ""
    others = f", and {count(more, 'more line')} {'have gaps' if more > 1 else 'has a gap'}" if more else ""
    remedy = "fill them in, or remove the lines" if more else "fill it in, or remove the line"
    return f"{file}, line {line}: the value in column {name!r} is missing{shown}{others}; {remedy}"


def is_number(cell: str) -> bool:
    """Whether Python reads it as one, infinity and NaN too."""
    try:
        float(cell)
    except ValueError:
        return False
    return True
