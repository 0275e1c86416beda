"""Files of rows that are too large for a page are refused before they are read, in a fraction of a second."""

from __future__ import annotations

import csv
import re

import numpy as np

from nnkit.errors import DataError
from nnkit.playground.settings import MOST_COLUMNS

MOST_BYTES = 16_000_000
FEWEST_ROWS, MOST_ROWS = 10, 50_000
MOST_BLANK = 1_000_000
FEWEST_COLUMNS = 2


def refuse_large(content: bytes, name: str) -> None:
    """Refuse bytes of more rows or columns than a page takes; whatever they are."""
    if len(content) > MOST_BYTES:
        raise DataError(
            f"{name} has {len(content):,} bytes, and {MOST_BYTES:,} are the most; leave rows or columns out, or train "
            "on it with nnkit.data.load"
        )
    lines, blank = _lines(content)
    if blank > MOST_BLANK:  # a second for the reader, and no row
        raise DataError(f"{name} has more than {MOST_BLANK:,} blank lines; take them out")
    if lines > MOST_ROWS + 1 and b'"' not in content:  # within quotes, a row may have lines
        raise DataError(f"{name} has {lines - 1:,} rows, and {MOST_ROWS:,} are the most; {advice(lines)}")
    first = re.match(rb"[^\r\n]*", content)
    assert first is not None
    delimiters = max(first.group().count(mark) for mark in (b",", b";", b"\t"))
    if delimiters > 100 * MOST_COLUMNS:  # not worth a look at quotes; else the header is read, and then counted
        refuse_wide(name, delimiters)
    refuse_wide(name, _width(first.group()) - 1)


def _lines(content: bytes) -> tuple[int, int]:
    """Lines that are not blank, and those that are; with two marks at the end of a line, there is one between them."""
    letters = np.frombuffer(content, np.uint8)
    ends = np.concatenate([[True], (letters == ord("\n")) | (letters == ord("\r"))])
    return int(np.count_nonzero(ends[:-1] & ~ends[1:])), int(np.count_nonzero(ends[:-1] & ends[1:]))


def _width(line: bytes) -> int:
    """Columns of the header, as the reader will see them."""
    text = line.decode("utf-8", "replace")
    try:
        return max(len(next(csv.reader([text], delimiter=mark), [])) for mark in ",;\t")
    except csv.Error:  # the reader says what is wrong
        return FEWEST_COLUMNS + 1


def refuse_wide(name: str, columns: int) -> None:
    """The same for the number of columns beside the target."""
    if columns > MOST_COLUMNS:
        raise DataError(
            f"{name} has {columns:,} columns beside the target, and {MOST_COLUMNS} are the most; keep the columns that "
            "matter"
        )


def advice(rows: int) -> str:
    """What to do where there are too few or too many."""
    return "add rows to learn from" if rows < FEWEST_ROWS else "take a sample of them, or train with nnkit.data.load"
