"""The cells of a CSV file: numbers, text, or missing; and what is said of those that should have been numbers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from nnkit.data.arrays import Array
from nnkit.data.checks.common import count
from nnkit.errors import DataError

_MISSING = {"", "nan", "na", "n/a", "null", "?"}
_MISSING_NUMBER = _MISSING | {"none", "-"}  # in a target these may be the name of a class


def check_complete(file: str, name: str, cells: list[str], lines: Array) -> None:
    """Refuse a target with missing values: DataError with the line of the first."""
    gaps = [at for at, cell in enumerate(cells) if cell.lower() in _MISSING]
    if gaps:
        raise DataError(missing(file, lines[gaps[0]], name, cells[gaps[0]], len(gaps) - 1))


def are_text(cells: Iterable[str]) -> bool:
    """Whether they are more than numbers with a few slips; missing ones tell nothing."""
    known = [cell for cell in cells if cell.strip().lower() not in _MISSING_NUMBER]
    # A decimal comma is no text: ``explain`` has better words for it.
    texts = sum("_" in cell or not is_number(cell.replace(",", ".", 1)) for cell in known)
    return 10 * texts >= len(known) > 0


def explain(path: Path, line: int, names: Sequence[str], cells: Sequence[str], rest: Iterable[Sequence[str]]) -> None:
    """Say which cell of a line is no number, and why; ``rest`` are the cells of the lines that follow."""
    name, cell = next((n, c.strip()) for n, c in zip(names, cells, strict=True) if "_" in c or not is_number(c))
    if cell.lower() in _MISSING_NUMBER:
        more = sum(any(other.strip().lower() in _MISSING_NUMBER for other in others) for others in rest)
        raise DataError(missing(path.name, line, name, cell, more))
    if is_number(cell.replace(",", ".", 1)) and "_" not in cell:
        raise DataError(f"{path.name}, line {line}: {cell!r} in column {name!r} has a decimal comma; write a point")
    raise DataError(
        f"{path.name}, line {line}: column {name!r} holds text ({cell!r}); networks take numbers: leave it out, "
        f"or encode it, for example as one column of 0 and 1 for each of its values"
    )


def missing(file: str, line: int, name: str, cell: str, more: int) -> str:
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
