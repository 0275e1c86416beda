"""Points in the plane, or rows of a table that it shows two columns of."""

from __future__ import annotations

import struct
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from nnkit.data.arrays import Array
from nnkit.playground import frames
from nnkit.playground.features import chosen_features
from nnkit.playground.goal import goal_for, targets
from nnkit.playground.maps import GRID, as_map, small_maps, within
from nnkit.playground.plane import Plane
from nnkit.playground.points import RANGE
from nnkit.playground.settings import DRAWN, TABLE, Settings
from nnkit.playground.subject import Rows

if TYPE_CHECKING:
    from nnkit.playground.lab import Lab

SHOWN = 2000
"""Points that a page gets; a part of all, where there are more."""


class OnPlane:
    """The subject of a network that learns points."""

    def __init__(self, settings: Settings, plane: Plane) -> None:
        self.plane = plane
        self.inputs = chosen_features(settings.features, tuple(plane.offered))
        self.classes, self.summary = plane.classes, plane.summary
        self.problem = "classification" if plane.classes else "regression"
        self.goal = goal_for(settings, len(plane.classes))
        self.unit, self.zero = 1.0, 0.0
        if not plane.classes and self.goal.low is not None and self.goal.high is not None:
            self.unit = (plane.values[1] - plane.values[0]) / (self.goal.high - self.goal.low)
            self.zero = plane.values[0] - self.goal.low * self.unit
        features = plane.features(plane.rows, self.inputs)
        target = targets(self.goal, plane.target, len(plane.classes))
        self.x_train, self.y_train = features[~plane.test], target[~plane.test]
        self._both: tuple[Rows, Rows] = (
            (self.x_train, self.y_train, plane.target[~plane.test]),
            (features[plane.test], target[plane.test], plane.target[plane.test]),
        )
        self.hovered: tuple[int, int] | None = None

    @property
    def ready(self) -> bool:
        """Whether there is a row to learn from."""
        return len(self.x_train) > 0

    def settled(self, settings: Settings) -> Settings:
        """With the features, axes and classes that there are."""
        found = replace(settings, features=self.inputs, problem=self.problem)
        if settings.data == TABLE:
            found = replace(found, target=self.plane.target_name)
        if not self.plane.of_points:
            found = replace(found, axes=tuple(self.plane.columns[at] for at in self.plane.axes))
        return replace(found, classes=len(self.classes)) if settings.data == DRAWN and self.classes else found

    def scored_rows(self, whole: bool) -> Iterator[Rows]:
        """All of them."""
        return iter(self._both)

    @cached_property
    def grid(self) -> Array:
        """The features of the fields of the large map."""
        return self.plane.features(self.plane.grid(GRID), self.inputs)

    def event(self) -> dict[str, Any]:
        """Points, axes, classes and the maps of all features that there are."""
        plane = self.plane
        shown = np.linspace(0, len(plane.rows) - 1, min(SHOWN, len(plane.rows))).astype(np.int64)
        label = plane.target[shown]
        return {
            "kind": self.problem,
            "points": {
                "x": plane.points[shown, 0].round(3).tolist(),
                "y": plane.points[shown, 1].round(3).tolist(),
                "label": label.tolist() if plane.classes else label.round(3).tolist(),
                "test": plane.test[shown].tolist(),
            },
            "range": [-RANGE, RANGE],
            "ends": [plane.ends[at] for at in plane.axes] if plane.ends else [(-RANGE, RANGE)] * 2,
            "values": plane.values,
            "axes": [plane.columns[at] for at in plane.axes],
            "classes": list(plane.classes),
            "features": self._offered(),
            "rows": [int((~plane.test).sum()), int(plane.test.sum())],
            "summary": self.summary,
            "columns": None if plane.of_points else list(plane.columns),
            "targets": list(plane.targets),
            "target": plane.target_name,
        }

    def _offered(self) -> list[dict[str, str]]:
        names = tuple(self.plane.offered)
        maps = small_maps(within(self.plane.features(self.plane.grid(GRID), names).T).T)
        size = len(maps) // len(names)
        return [
            {"name": name, "label": label, "map": b64encode(maps[at * size : (at + 1) * size]).decode()}
            for at, (name, label) in enumerate(self.plane.offered.items())
        ]

    def sections(self, lab: Lab) -> dict[int, bytes]:
        """Maps of all neurons and of the output, parameters and gradients."""
        values = lab.activations(self.grid)
        parameters = lab.network.parameters()
        sections = self._output(values[-1]) | {
            frames.MAPS: small_maps(np.concatenate([*values[:-1], self._signed(values[-1])], axis=1)),
            frames.PARAMETERS: _flat(parameters),
        }
        if self.ready:
            with np.errstate(all="ignore"):
                gradients = lab.network.gradients(self.x_train, self.y_train, loss=self.goal.loss)
            sections[frames.GRADIENTS] = _flat(gradients)
            lab.dead_layer = _dead([gradients[layer.bias].any() for layer in lab.layers if layer.bias])
        if self.hovered is not None and lab.has_neuron(*self.hovered):  # it may have been taken away since
            layer, number = self.hovered
            large = self._signed(values[-1]) if layer == len(values) else values[layer - 1]
            sections[frames.LARGE] = struct.pack("<HH", layer, number) + as_map(within(large[:, number][None]))
        return sections

    def _output(self, values: Array) -> dict[int, bytes]:
        """The large map, and the classes where there are more than two."""
        if len(self.classes) <= 2:
            shown = self._signed(values)
            return {frames.OUTPUT: as_map(shown[:, -1])}
        likely = values.argmax(axis=1)
        best = self._shares(values)[np.arange(len(values)), likely]
        return {frames.OUTPUT: as_map(best), frames.CLASS: likely.astype(np.uint8).tobytes()}

    def _signed(self, values: Array) -> Array:
        """Outputs on a scale from −1, which is no, the first class or the lowest value, to 1."""
        low, high = (0.0, 1.0) if self.goal.low is None or self.goal.high is None else (self.goal.low, self.goal.high)
        return (values - low) / (high - low) * 2 - 1

    def _shares(self, values: Array) -> Array:
        """How sure it is of each class: probabilities, or outputs between those of no and of yes."""
        return (self._signed(values) + 1) / 2


def _dead(moved: list[bool]) -> int | None:
    """The last hidden layer, from 1, that no slope comes to, though there is one at the outputs."""
    *hidden, outputs = moved
    still = [number for number, each in enumerate(hidden, 1) if not each]
    return still[-1] if still and outputs else None


def _flat(arrays: dict[str, Array]) -> bytes:
    return b"".join(np.ascontiguousarray(array, dtype="<f4").tobytes() for array in arrays.values())
