"""How a run and its scores look in a notebook."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from nnkit.display import confusion, curves, preformatted
from nnkit.measure.units import seconds_scale
from nnkit.training.panels import panels
from nnkit.training.strips import Trace, strips

ENOUGH = 5
"""Points over time that make a picture worth its place on a page: those of a second."""


def run_page(history: Mapping[str, Sequence[float]], resources: Mapping[str, Any], text: str) -> str:
    """The curves side by side, those of resources over time in a row of their own, and the closing table."""
    axes = [axis for strip in strips(resources) for axis in strip.axes]
    used = [_over_time(axis.label, trace) for axis in axes for trace in axis.traces if len(trace.values) >= ENOUGH]
    rows = [[curves(series, title) for title, series in panels(history).items()], used]
    return "\n".join([*(_side_by_side(row) for row in rows if row), preformatted(text)])


def _side_by_side(pictures: Sequence[str]) -> str:
    inner = "\n".join(pictures)
    return f'<div style="display:flex;flex-wrap:wrap;gap:1em">\n{inner}\n</div>'


def _over_time(label: str, trace: Trace) -> str:
    scale, unit = seconds_scale(trace.elapsed_s[-1])
    times = [at / scale for at in trace.elapsed_s]
    return curves({trace.name: trace.values}, label, times=times, unit=unit)


def scores_page(text: str, matrix: Any, classes: Sequence[str] | None) -> str:
    """The figures, and the confusion matrix if there is one."""
    if matrix is None:
        return preformatted(text)
    names = classes or [str(number) for number in range(len(matrix))]
    return f"{preformatted(text)}\n{confusion(matrix.tolist(), names)}"
