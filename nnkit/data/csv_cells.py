"""The cells of a CSV file: numbers, text, or missing; and what is said of those that should have been numbers."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from typing import NoReturn

from nnkit.data.arrays import Array
from nnkit.data.checks.common import count
from nnkit.data.encode import are_many
from nnkit.errors import DataError

_MISSING = {"", "nan", "-nan", "na", "n/a", "null", "?"}
_MISSING_NUMBER = _MISSING | {"none", "-"}  # in a target these may be the name of a class
_BOOLS = {"true": 1.0, "false": 0.0}
_IN_THOUSANDS = re.compile(r"[+-]?\d{1,3}(,\d{3})+(\.\d*)?")


def check_target(file: str, name: str, cells: list[str], lines: Array) -> None:
    """Refuse a target with missing values, or of numbers with a few slips: DataError with the line of the first."""
    gaps = [at for at, cell in enumerate(cells) if cell.lower() in _MISSING]
    if gaps:
        raise DataError(_missing(file, lines[gaps[0]], name, cells[gaps[0]], len(gaps) - 1))
    slips = [at for at, cell in enumerate(cells) if not _is_plain(cell)]
    if slips and are_many(set(cells), len(cells)) and not are_text(cells):
        remedy = "most of the target is numbers: correct this value, or remove the line"
        _refuse(file, lines[slips[0]], name, cells[slips[0]], [[cells[at]] for at in slips[1:]], remedy)


def are_text(cells: Iterable[str]) -> bool:
    """Whether they are more than numbers with a few slips; missing ones tell nothing."""
    known = [cell for cell in cells if cell.strip().lower() not in _MISSING_NUMBER]
    # A comma is no text: ``_refuse`` has better words for it.
    texts = sum("_" in cell or not (is_number(cell) or _has_comma(cell.strip())) for cell in known)
    return 10 * texts >= len(known) > 0


def number(cell: str) -> float:
    """A cell as a number, true and false as 1 and 0; ValueError where it is none."""
    truth = _BOOLS.get(cell.strip().lower())
    return float(cell) if truth is None else truth


def explain(
    file: str, line: int, names: Sequence[str], cells: Sequence[str], rest: Iterable[Sequence[str]]
) -> NoReturn:
    """Say which cell of a line is no number, and why; ``rest`` are the cells of the lines that follow."""
    name, cell = next((n, c.strip()) for n, c in zip(names, cells, strict=True) if not _is_plain(c))
    remedy = (
        "networks take numbers: leave it out, or encode it, for example as one column of 0 and 1 for each of its values"
    )
    _refuse(file, line, name, cell, rest, remedy)


def is_number(cell: str) -> bool:
    """Whether Python reads it as one, infinity and NaN too."""
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _refuse(file: str, line: int, name: str, cell: str, rest: Iterable[Sequence[str]], remedy: str) -> NoReturn:
    """What is wrong with a cell that should have been a number, and what to do, the ``remedy`` if it is text."""
    if cell.lower() in _MISSING_NUMBER:
        more = sum(any(other.strip().lower() in _MISSING_NUMBER for other in others) for others in rest)
        raise DataError(_missing(file, line, name, cell, more))
    where = f"{file}, line {line}: {cell!r} in column {name!r}"
    if _IN_THOUSANDS.fullmatch(cell):
        raise DataError(f"{where} has a comma; leave it out if it parts thousands, write a point if decimals follow")
    if _has_comma(cell) and "_" not in cell:
        raise DataError(f"{where} has a decimal comma; write a point")
    if is_number(cell) and "_" not in cell:
        word = "is infinite" if "n" in cell.lower() else "is too large for a number (at most 1.8e+308)"
        raise DataError(f"{where} {word}; correct it, or remove the line")
    raise DataError(f"{file}, line {line}: column {name!r} holds text ({cell!r}); {remedy}")


def _is_plain(cell: str) -> bool:
    """Whether it is a finite number, or true or false; Python reads 1_000 as a number, in a file it is a name."""
    try:
        return math.isfinite(number(cell)) and "_" not in cell
    except ValueError:
        return False


def _has_comma(cell: str) -> bool:
    """Whether it is a number with a decimal comma, or with commas between thousands."""
    return "," in cell and (is_number(cell.replace(",", ".", 1)) or _IN_THOUSANDS.fullmatch(cell) is not None)


def _missing(file: str, line: int, name: str, cell: str, more: int) -> str:
    """What to do about a gap; ``more`` further lines have some."""
    shown = f" ({cell!r})" if cell else ""
    others = f", and {count(more, 'more line')} {'have gaps' if more > 1 else 'has a gap'}" if more else ""
    remedy = "fill them in, or remove the lines" if more else "fill it in, or remove the line"
    return f"{file}, line {line}: the value in column {name!r} is missing{shown}{others}; {remedy}"
