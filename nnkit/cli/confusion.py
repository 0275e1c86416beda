"""Which classes were taken for which: a table where it fits, else the most frequent mix-ups."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from nnkit.cli.output import safe

MOST_CLASSES = 20
MOST_MIX_UPS = 10


def confusion_text(confusion: NDArray[np.int64], classes: Sequence[str] | None, width: int) -> str:
    """The confusion matrix (rows are the true classes) in at most ``width`` columns.

    >>> print(confusion_text(np.array([[9, 1], [0, 8]]), ("cat", "dog"), width=40))
    true \\ predicted
           cat  dog
      cat    9    1
      dog    0    8
    """
    names = [safe(str(name)) for name in (range(len(confusion)) if classes is None else classes)]
    if len(names) <= MOST_CLASSES:
        plain = _table(confusion, names, names)
        numbered = _table(confusion, [f"{number} {name}" for number, name in enumerate(names)], None)
        for lines in (plain, numbered):
            if max(map(len, lines)) <= width:
                return "\n".join(lines)
    return "\n".join(_mix_ups(confusion, names))


def _table(confusion: NDArray[np.int64], names: list[str], heads: list[str] | None) -> list[str]:
    """Each column as wide as its widest entry; without ``heads`` they are numbered."""
    heads = heads or [str(number) for number in range(len(names))]
    first = max(map(len, names)) + 2
    cells = [[str(count) for count in row] for row in confusion.tolist()]
    widths = [max(len(head), *(len(row[at]) for row in cells)) + 2 for at, head in enumerate(heads)]
    lines = [_row(" " * first, heads, widths)]
    lines += [_row(name.rjust(first), row, widths) for name, row in zip(names, cells, strict=True)]
    return ["true \\ predicted", *lines]


def _row(start: str, cells: list[str], widths: list[int]) -> str:
    return start + "".join(cell.rjust(size) for cell, size in zip(cells, widths, strict=True))


def _mix_ups(confusion: NDArray[np.int64], names: list[str]) -> list[str]:
    wrong = confusion.copy()
    np.fill_diagonal(wrong, 0)
    order = np.argsort(-wrong, axis=None, kind="stable")[:MOST_MIX_UPS]
    pairs = [(at // len(names), at % len(names)) for at in order.tolist() if wrong.flat[at]]
    if not pairs:
        return ["no class was taken for another"]
    return [
        "most frequent mix-ups",
        *(f"  {wrong[true, taken]} × {names[true]} taken for {names[taken]}" for true, taken in pairs),
    ]
