"""Running means: metrics that are sums over rows, added up by the training step while the weights move."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from nnkit.backend import Leaf
from nnkit.graph import Trace, TracedArray
from nnkit.metrics import Metric, Running
from nnkit.training.asked import Asked
from nnkit.training.objective import Objective

PREFIX = "metric.mean."


@dataclass(frozen=True)
class Means:
    """The sums of some metrics, one for each output that estimates a target where they are means of outputs."""

    metrics: tuple[Metric, ...] = ()
    targets: str = "numbers"
    outputs: int = 1

    @classmethod
    def of(cls, asked: Asked, outputs: int) -> Means:
        """Those of the metrics that are sums over rows."""
        return cls(tuple(metric for metric in asked.metrics if metric.running is not None), asked.targets, outputs)

    @property
    def names(self) -> list[str]:
        """What the means are called."""
        return [metric.name for metric in self.metrics]

    @property
    def key(self) -> tuple[Any, ...]:
        """What the graph depends on; nothing where there are no metrics."""
        return tuple((metric.name, metric.running, metric.weighted) for metric in self.metrics)

    def leaves(self) -> list[Leaf]:
        """The sums in the store."""
        return [Leaf(PREFIX + metric.name, "metric", self._shape(metric), "float64") for metric in self.metrics]

    def zeros(self) -> dict[str, Any]:
        """What an epoch begins with."""
        return {leaf.name: np.zeros(leaf.shape) for leaf in self.leaves()}

    def add(
        self, trace: Trace, objective: Objective, out: TracedArray, target: TracedArray, weight: TracedArray | None
    ) -> dict[str, TracedArray]:
        """The sums after one more batch, each row in float64."""
        if not self.metrics:
            return {}
        xp = trace.namespace
        prediction = objective.above_half(xp.astype(objective.predictions(out), "float64"))
        if target.ndim == out.ndim:  # the first outputs estimate the targets
            target, prediction = xp.astype(target, "float64"), prediction[..., : target.shape[-1]]
        outputs = {}
        for metric in self.metrics:
            values = _running(metric).per_row(self.targets, target, prediction)
            if metric.weighted and weight is not None:
                values = values * xp.reshape(xp.astype(weight, "float64"), (-1, *(1,) * (values.ndim - 1)))
            name = PREFIX + metric.name
            before = trace.input(name, "state", self._shape(metric), "float64")
            outputs[name] = before + xp.sum(values, axis=0)
        return outputs

    def figures(self, sums: Mapping[str, Any], rows: float, weight: float) -> dict[str, float]:
        """The means so far."""
        return {
            metric.name: _finished(_running(metric), sums[PREFIX + metric.name], weight if metric.weighted else rows)
            for metric in self.metrics
        }

    def _shape(self, metric: Metric) -> tuple[int, ...]:
        return (self.outputs,) if _running(metric).per_output else ()


def _running(metric: Metric) -> Running:
    assert metric.running is not None
    return metric.running


def _finished(running: Running, sums: Any, count: float) -> float:
    each = [running.finish(float(total) / max(count, 1e-300)) for total in np.ravel(sums)]
    return sum(each) / len(each)
