"""The course of a training as a figure of matplotlib."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from nnkit.errors import MissingExtraError
from nnkit.measure.units import seconds_scale, seconds_text
from nnkit.training.panels import panels
from nnkit.training.strips import Axis, Strip, finite, strips

WIDTH, HEIGHT = 4.6, 3.2  # inches of a panel
MARKED = 8
"""Epochs that are marked on an axis of time."""


def plot(
    history: Mapping[str, Sequence[float]], time: Mapping[str, Any], resources: Mapping[str, Any], scores: Any = None
) -> Any:
    """A panel for the loss and one for each metric, with its validation; and the confusion matrix of ``scores``.

    Below them stand processor, GPU and power over time.
    """
    try:
        from matplotlib.figure import Figure
        from matplotlib.layout_engine import ConstrainedLayoutEngine
    except ImportError as error:
        raise MissingExtraError('plots are drawn with matplotlib: pip install "nnkit[plot]"') from error
    matrix = None if scores is None else scores.confusion
    found, used = panels(history), strips(resources)
    count = max(len(found) + (matrix is not None), 1)
    size = (WIDTH * max(count, len(used)), HEIGHT * (2 if used else 1))
    figure = Figure(figsize=size, layout=ConstrainedLayoutEngine(w_pad=0.08, h_pad=0.08))
    above, *below = figure.subfigures(2 if used else 1, 1, squeeze=False)[:, 0]
    axes = above.subplots(1, count, squeeze=False)[0]
    _course(axes, found)
    if matrix is not None:
        _matrix(axes[-1], matrix, scores.classes)
    for row in below:
        for panel, strip in zip(row.subplots(1, len(used), squeeze=False)[0], used, strict=True):
            _strip(panel, strip, time)
    if not below:
        said = f"resources over time: a run of {seconds_text(time['elapsed_s'])} is too short for two samples"
        figure.supxlabel(said, fontsize="small", color="grey")
    return figure


def _course(axes: Sequence[Any], found: Mapping[str, Mapping[str, Sequence[float]]]) -> None:
    for panel, (title, series) in zip(axes, found.items(), strict=False):
        for name, values in series.items():
            panel.plot(range(1, len(values) + 1), values, label=name, marker="o" if len(values) == 1 else "")
        panel.set(title=title, xlabel="epoch")
        panel.xaxis.get_major_locator().set_params(integer=True)
        panel.legend()


def _strip(panel: Any, strip: Strip, time: Mapping[str, Any]) -> None:
    """One or two scales over the time of the run, with the ends of epochs above."""
    scale, unit = seconds_scale(time["elapsed_s"])
    panel.set(title=strip.title, xlabel=f"time, {unit}", xlim=(0.0, time["elapsed_s"] / scale))
    _curves(panel, strip.axes[0], scale, 0, 1.1)
    for axis in strip.axes[1:]:
        _curves(panel.twinx(), axis, scale, 1, 1.3)  # so that both have a height of their own
    _epochs(panel, [end / scale for end in time.get("epochs_end_s") or ()])


def _curves(panel: Any, axis: Axis, scale: float, first: int, room: float) -> None:
    """Steps, for a value tells of the time since the one before; named by a legend or by the colour of their scale.

    Colours count from the ``first`` one.
    """
    named = len(axis.traces) > 1 or axis.traces[0].note != ""
    for number, trace in enumerate(axis.traces):
        times = [0.0, *(at / scale for at in trace.elapsed_s)]
        values = [trace.values[0], *trace.values]
        look = {"color": f"C{first + number}", "linewidth": 1.2, "drawstyle": "steps-pre"}
        panel.plot(times, values, label=", ".join(filter(None, (trace.name, trace.note))), **look)
    highest = max(value for trace in axis.traces for value in finite(trace))
    panel.set_ylim(0.0, (1.5 if named else room) * highest or 1.0)
    panel.set_ylabel(axis.label)
    if named:
        panel.legend(loc="upper right")
    else:
        panel.yaxis.label.set_color(f"C{first}")


def _epochs(panel: Any, ends: Sequence[float]) -> None:
    """Faint lines where epochs ended, with their numbers above."""
    step = _every(len(ends))
    marked = range(step, len(ends) + 1, step)
    for epoch in marked:
        panel.axvline(ends[epoch - 1], color="grey", alpha=0.25, linewidth=0.8)
    above = panel.secondary_xaxis("top")
    names = [f"epoch {epoch}" if epoch == marked[0] else f"{epoch}" for epoch in marked]
    above.set_xticks([ends[epoch - 1] for epoch in marked], names, color="grey", fontsize="small")
    above.tick_params(length=0)


def _every(count: int) -> int:
    """How many epochs lie between two marks: 1, 2, 5, 10, …

    >>> _every(8), _every(9), _every(100)
    (1, 2, 20)
    """
    tens: int = 10 ** max(len(str(count // MARKED)) - 1, 0)
    return next(digit * tens for digit in (1, 2, 5, 10) if count <= MARKED * digit * tens)


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
