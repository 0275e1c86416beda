"""A confusion matrix as a table whose cells are the darker, the more rows they hold."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape


def confusion(counts: Sequence[Sequence[int]], classes: Sequence[str]) -> str:
    """Rows are the true classes, columns the predicted ones; the shade is the share of the true class.

    That of mistakes is its square root, so that the few of a good network are seen.

    >>> confusion([[3, 1], [0, 2]], ["no", "yes"]).count("<td")
    4
    """
    head = "".join(f'<th style="text-align:right">{escape(name)}</th>' for name in classes)
    lines = [f'<tr><th title="true class">true ╲ predicted</th>{head}</tr>']
    for number, (name, row) in enumerate(zip(classes, counts, strict=True)):
        total = max(sum(row), 1)
        cells = "".join(_cell(int(count), count / total, column == number) for column, count in enumerate(row))
        lines.append(f"<tr><th>{escape(name)}</th>{cells}</tr>")
    return "<table>\n" + "\n".join(lines) + "\n</table>"


def _cell(count: int, share: float, right: bool) -> str:
    colour, strength = ("59, 125, 216", share) if right else ("224, 90, 57", share**0.5)
    shade = f"background:rgba({colour}, {0.85 * strength:.2f})" if count else "opacity:.45"
    return f'<td style="text-align:right;{shade}">{count:,}</td>'
