"""The course of a training as a figure of matplotlib."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from nnkit.errors import MissingExtraError
from nnkit.training.panels import panels

WIDTH, HEIGHT = 4.6, 3.2  # inches of a panel


def plot(history: Mapping[str, Sequence[float]], scores: Any = None) -> Any:
    """A panel for the loss and one for each metric, with its validation; and the confusion matrix of ``scores``."""
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingExtraError('plots are drawn with matplotlib: pip install "nnkit[plot]"') from error
    found = panels(history)
    matrix = None if scores is None else scores.confusion
    count = len(found) + (matrix is not None)
    figure = Figure(figsize=(WIDTH * max(count, 1), HEIGHT), layout="constrained")
    axes = figure.subplots(1, max(count, 1), squeeze=False)[0]
    for panel, (title, series) in zip(axes, found.items(), strict=False):
        for name, values in series.items():
            panel.plot(range(1, len(values) + 1), values, label=name, marker="o" if len(values) == 1 else "")
        panel.set(title=title, xlabel="epoch")
        panel.legend()
    if matrix is not None:
        _matrix(axes[-1], matrix, scores.classes)
    return figure


def _matrix(panel: Any, matrix: Any, classes: Sequence[str] | None) -> None:
    names = classes or list(map(str, range(len(matrix))))
    panel.imshow(matrix / matrix.sum(axis=1, keepdims=True).clip(1), cmap="Blues", vmin=0.0, vmax=1.0)
    panel.set(title="confusion", xlabel="predicted", ylabel="true class")
    panel.set_xticks(range(len(names)), names)
    panel.set_yticks(range(len(names)), names)
    for row, counts in enumerate(matrix):
        for column, number in enumerate(counts):
            dark = number > counts.sum() / 2
            panel.text(column, row, f"{number}", ha="center", va="center", color="white" if dark else "black")
