"""What a step tells of the health of a network: how its units answer, its gradients, and how far the update goes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np

from nnkit.diagnosis.step import Array, Step
from nnkit.graph.ir import Graph, Node
from nnkit.plan.schedule import guarded

CUT_OFF = ("relu", "relu6")
"""Activations that give 0 and no derivative to a unit whose sums are all negative."""
BOUNDS = {"tanh": (-1.0, 1.0), "hard_tanh": (-1.0, 1.0), "sigmoid": (0.0, 1.0), "hard_sigmoid": (0.0, 1.0)}
"""Activations whose derivative vanishes near both ends, and these ends."""
NEAR = 0.005
"""What counts as near, as a share of the distance between the ends: tanh has 2 % of its slope there."""


@dataclass(frozen=True)
class Vitals:
    """By layer the share of units that are dead and of answers at an end; by weight the sizes of gradient and update.

    Sizes are root mean squares; ``before`` has those of the weights before training, where they are known.
    """

    dead: dict[str, float] = field(default_factory=dict)
    saturated: dict[str, float] = field(default_factory=dict)
    weights: dict[str, float] = field(default_factory=dict)
    gradients: dict[str, float] = field(default_factory=dict)
    updates: dict[str, float] = field(default_factory=dict)
    before: Mapping[str, float] = field(default_factory=dict)


def vitals(step: Step, activations: Mapping[str, str], before: Mapping[str, Array] = MappingProxyType({})) -> Vitals:
    """Of a training step; ``activations`` has the name of the activation at each path, ``before`` first weights.

    There are no sizes of updates where the step makes none, because a search on the host does.
    """
    found = Vitals(before={path: size(value) for path, value in before.items() if value.ndim > 1})
    answers = {node: path for path in activations if (node := _answer(step.graph, path)) is not None}
    gradient, new = _gradient(step.graph), step.graph.output.get("parameter")
    for i, value in step.evaluated():
        if i in answers:
            _look_at_units(found, answers[i], activations[answers[i]], value)
        if i == gradient:
            _note_sizes(found.gradients, step, value)
        if i == new:
            _note_sizes(found.updates, step, value - step.inputs["parameter"])
    _note_sizes(found.weights, step, step.inputs["parameter"])
    return found


def size(values: Array) -> float:
    """Root mean square, 0 of nothing."""
    return float(np.sqrt(np.mean(np.square(values.astype(np.float64))))) if values.size else 0.0


def _note_sizes(where: dict[str, float], step: Step, flat: Array) -> None:
    """Of matrices; biases are few, and 0 at first."""
    where |= {path: size(leaf) for path, leaf in step.leaves(flat) if leaf.ndim > 1}


def _look_at_units(found: Vitals, path: str, name: str, value: Array) -> None:
    answers = value.reshape(-1, value.shape[-1])
    if name in CUT_OFF:
        found.dead[path] = float((answers <= 0).all(axis=0).mean())
    if name in BOUNDS:
        low, high = BOUNDS[name]
        margin = NEAR * (high - low)
        found.saturated[path] = float(((answers < low + margin) | (answers > high - margin)).mean())


def _answer(graph: Graph, path: str) -> int | None:
    """The node whose value leaves the layer at this path."""
    own = [i for i, node in graph if node.origin.path == path and _forward(node)]
    leaving = [i for i in own if any(graph.nodes[user].origin.path != path for user in graph.users[i])]
    return max((i for i in leaving if graph.nodes[i].dtype.startswith("float")), default=None)


def _forward(node: Node) -> bool:
    return node.origin.phase == "forward"


def _gradient(graph: Graph) -> int:
    """The flat vector, which the guard looks at."""
    shape = graph.nodes[graph.inputs["parameter"]].shape
    return next(i for i in guarded(graph) if graph.nodes[i].shape == shape)
