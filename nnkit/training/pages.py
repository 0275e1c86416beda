"""How a run and its scores look in a notebook."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from nnkit.display import confusion, curves, preformatted
from nnkit.training.panels import panels


def run_page(history: Mapping[str, Sequence[float]], text: str) -> str:
    """The curves side by side, and the closing table."""
    pictures = "\n".join(curves(series, title) for title, series in panels(history).items())
    return f'<div style="display:flex;flex-wrap:wrap;gap:1em">\n{pictures}\n</div>\n{preformatted(text)}'


def scores_page(text: str, matrix: Any, classes: Sequence[str] | None) -> str:
    """The figures, and the confusion matrix if there is one."""
    if matrix is None:
        return preformatted(text)
    names = classes or [str(number) for number in range(len(matrix))]
    return f"{preformatted(text)}\n{confusion(matrix.tolist(), names)}"
