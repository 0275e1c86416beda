"""The metrics that a user asked for: checked against the network, and computed exactly from predictions."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt

from nnkit import metrics
from nnkit.errors import ArgumentError, DataError, NnkitWarning
from nnkit.metrics import Metric
from nnkit.metrics.notes import collected
from nnkit.nn.activations import ACTIVATIONS
from nnkit.training.layout import Layout
from nnkit.training.objective import Objective
from nnkit.training.result import Scores

Array = npt.NDArray[Any]
MEANT = {"classes": "classes", "binary": "yes and no", "numbers": "numbers"}
PROBABILITIES = ("probability", "distribution")
TAKEN = {"loss", "metrics", "to_dict", *(known.name for known in fields(Scores))}


@dataclass(frozen=True)
class Asked:
    """Metrics for one kind of targets, each with a name of its own."""

    metrics: tuple[Metric, ...]
    objective: Objective

    @classmethod
    def of(cls, given: Any, objective: Objective, layout: Layout) -> Asked:
        """By names, objects and functions, one or several; what cannot go with the network is refused."""
        found = tuple(metrics.get(one) for one in _several(given))
        names = [metric.name for metric in found]
        for metric in found:
            if names.count(metric.name) > 1:
                raise ArgumentError(f"metrics has '{metric.name}' twice; give each another name, or leave one out")
            _check_name(metric)
            _check_kind(metric, objective, layout)
        return cls(found, objective)

    @property
    def targets(self) -> str:
        """The kind of the targets."""
        return self.objective.loss.targets

    @property
    def names(self) -> list[str]:
        """What they are called."""
        return [metric.name for metric in self.metrics]

    def without(self, name: str) -> Asked:
        """All others."""
        return Asked(tuple(metric for metric in self.metrics if metric.name != name), self.objective)

    def figures(self, y: Array, prediction: Array, weight: Array | None) -> dict[str, float]:
        """The exact values, for ``Network.test``; UndefinedMetricError where there is none."""
        with collected() as notes:
            found = {metric.name: self._figure(metric, y, prediction, weight) for metric in self.metrics}
        for text in notes:
            warnings.warn(text, NnkitWarning, stacklevel=5)
        return found

    def known(self, y: Array, prediction: Array, weight: Array | None) -> tuple[dict[str, float], dict[str, str]]:
        """The exact values, NaN where there is none, and for those that need one a word on why."""
        found, reasons = {}, {}
        for metric in self.metrics:
            with collected() as notes:
                try:
                    found[metric.name] = self._figure(metric, y, prediction, weight)
                except DataError as error:
                    found[metric.name] = float("nan")
                    notes.append(str(error))
            if notes:
                reasons[metric.name] = notes[0]
        return found, reasons

    def _figure(self, metric: Metric, y: Array, prediction: Array, weight: Array | None) -> float:
        read = prediction if metric.form == "own" else self.objective.above_half(prediction)
        weight = weight if metric.weighted else None
        if metric.columns is not None and self.targets == "binary" and y.shape[1] > 1:
            value = metric.columns((y > 0.5).astype(np.int64), read, weight)
        else:
            value = metric(*_reading(metric, self.targets, y, read, weight))
        try:
            if isinstance(value, str):
                raise TypeError
            return float(value)
        except (TypeError, ValueError):
            raise ArgumentError(f"metric '{metric.name}' returned {value!r:.80}; expected a number") from None


def _several(given: Any) -> Iterable[Any]:
    if given is None:
        return []
    if isinstance(given, (str, Metric)) or callable(given):
        return [given]
    if not isinstance(given, Iterable):
        raise ArgumentError(
            f"metrics is {given!r}; expected a list of names, nnkit.metrics.Metric objects or functions"
        )
    return given


def _check_name(metric: Metric) -> None:
    own = metric.form == "own" or metrics.METRICS.get(metric.name, metric).function is not metric.function
    if metric.name.startswith("val_") or (own and metric.name in TAKEN):
        raise ArgumentError(f"a metric of your own is named '{metric.name}', which is taken; give it another name")


def _check_kind(metric: Metric, objective: Objective, layout: Layout) -> None:
    loss = objective.loss
    if loss.targets not in metric.targets:
        fitting = [name for name, row in metrics.METRICS.items() if loss.targets in row.targets and "_" not in name]
        raise ArgumentError(
            f"metric '{metric.name}' is for {' or '.join(MEANT[kind] for kind in metric.targets)}, but the targets of "
            f"loss '{loss.name}' are {MEANT[loss.targets]}; use {', '.join(fitting)} or a function of your own"
        )
    known = ACTIVATIONS.get(objective.activation)
    if metric.form == "shares" and known is not None and known.domain not in PROBABILITIES:
        raise ArgumentError(
            f"metric '{metric.name}' needs probabilities, but the output activation is '{objective.activation}'; "
            "use 'softmax' or 'sigmoid'"
        )
    if metric.classes > layout.output_shape[0]:
        raise ArgumentError(
            f"metric '{metric.name}' needs {metric.classes} classes or more, the network has {layout.output_shape[0]}; "
            "it would always be 1"
        )


def _reading(
    metric: Metric, targets: str, y: Array, prediction: Array, weight: Array | None
) -> tuple[Array, Array, Array | None]:
    """What the metric reads. Of several answers in a row every one counts, with the weight of the row."""
    if metric.form == "numbers":
        return y, prediction[:, : y.shape[1]], weight
    if metric.form == "own":
        return _flat(y).copy(), _flat(prediction).copy(), None if weight is None else weight.copy()
    if targets == "classes":
        return np.argmax(y, axis=1) if metric.form == "labels" and y.ndim == 2 else y, prediction, weight
    answers = (y > 0.5).astype(np.int64) if metric.form == "labels" else y
    return answers.ravel(), prediction.ravel(), None if weight is None else np.repeat(weight, y.shape[1])


def _flat(values: Array) -> Array:
    return values[:, 0] if values.ndim == 2 and values.shape[1] == 1 else values
