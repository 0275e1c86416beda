"""Which resources of a training are drawn together over time."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from nnkit.measure.units import bytes_scale, joules_text, mean_of_known

OWN = "this process"
LEAST = 2
"""Points that make a curve."""


class Trace(NamedTuple):
    """Values of one probe at points in time; NaN where there is none."""

    name: str
    elapsed_s: Sequence[float]
    values: Sequence[float]
    note: str = ""


class Axis(NamedTuple):
    """What shares one scale, and what the scale is in."""

    label: str
    traces: list[Trace]


class Strip(NamedTuple):
    """A title over one scale or two."""

    title: str
    axes: list[Axis]


def strips(resources: Mapping[str, Any]) -> list[Strip]:
    """Processor, GPU and power, as far as they are known at two points or more.

    >>> over_time = {"elapsed_s": [0.2, 0.4], "cpu_percent": [90.0, 99.0], "power_w": None, "rss_bytes": [5e7, 6e7]}
    >>> [(strip.title, [axis.label for axis in strip.axes]) for strip in strips({"host": {"over_time": over_time}})]
    [('processor', ['CPU, % of one core', 'memory, MB'])]
    """
    processor, gpu = Part("processor", resources.get("host")), Part("GPU", resources.get("device"))
    found = [
        Strip(processor.name, [processor.axis("cpu_percent", "CPU, % of one core"), processor.memory("rss_bytes")]),
        Strip(
            gpu.name,
            [gpu.axis("utilisation_percent", "busy, %"), gpu.memory("memory_used_bytes", "process_memory_bytes")],
        ),
        Strip("power", [Axis("power, W", [*processor.power(), *gpu.power()])]),
    ]
    known = [Strip(strip.title, [axis for axis in strip.axes if axis.traces]) for strip in found]
    return [strip for strip in known if strip.axes]


class Part:
    """What the record says of host or device."""

    def __init__(self, name: str, figures: Mapping[str, Any] | None) -> None:
        self.name = name
        self._figures = figures or {}

    def axis(self, column: str, label: str) -> Axis:
        """One column with a scale of its own."""
        return Axis(label, list(self._traces(column)))

    def memory(self, column: str, own: str | None = None) -> Axis:
        """A column of bytes, in the unit that suits it, and that of this process alone."""
        traces = list(self._traces(column))
        if own is not None:
            traces += [trace._replace(name=OWN) for trace in self._traces(own)]
        scale, unit = bytes_scale(max((known for trace in traces for known in finite(trace)), default=0.0))
        return Axis(f"memory, {unit}", [trace._replace(values=[x / scale for x in trace.values]) for trace in traces])

    def power(self) -> Iterator[Trace]:
        """Watts, with a note of how much an epoch took."""
        mean = mean_of_known(self._figures.get("energy_per_epoch_j"))
        note = "" if mean is None else f"{joules_text(mean)} an epoch"
        return (trace._replace(note=note) for trace in self._traces("power_w"))

    def _traces(self, column: str) -> Iterator[Trace]:
        """Yield the column, where it has points enough for a curve."""
        over_time = self._figures.get("over_time") or {}
        values = [math.nan if value is None else value for value in over_time.get(column) or ()]
        trace = Trace(self.name, over_time.get("elapsed_s", ()), values)
        if len(finite(trace)) >= LEAST:
            yield trace


def finite(trace: Trace) -> list[float]:
    """The values that are known."""
    return list(filter(math.isfinite, trace.values))
