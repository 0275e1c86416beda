"""A few inputs and what the network makes of them: the same weights with other predictions are noticed at once."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from nnkit.data.arrays import Array
from nnkit.graph import interpret
from nnkit.training.graphs import BATCH, leafwise_graph

if TYPE_CHECKING:
    from nnkit.network import Network

ROWS = 4
NUMBERS = 1 << 20
"""That all inputs have together, at most, if one row has no more."""
LIMITS = {"float32": 1e-4, "float64": 1e-9}
"""How far predictions may be from those that were saved, as a share of the largest: other processors and devices round
in other ways, and sums of thousands of products carry that on."""


class Sample(NamedTuple):
    """Inputs as they enter the first layer, and the network's outputs."""

    inputs: Array
    outputs: Array

    @classmethod
    def of(cls, network: Network, values: Mapping[str, Array] | None = None) -> Sample:
        """Normal numbers, the same for every network of that shape and type; none are the user's data.

        With ``values``, what the network makes of them with these: on the host, while it may be in training.
        """
        drawn = np.random.default_rng(0).standard_normal(inputs_shape(network.input_shape))
        inputs = drawn.astype(network.dtype)
        return cls(inputs, outputs_for(network, inputs) if values is None else _outputs_with(network, inputs, values))

    def difference(self, network: Network) -> float:
        """How far the predictions of this network are from the outputs, as a share of the largest; NaN where one of
        them is no number and the other is."""
        found = outputs_for(network, self.inputs).astype(np.float64)
        known = self.outputs.astype(np.float64)
        finite = np.isfinite(known)
        if not np.array_equal(np.where(finite, 0.0, known), np.where(np.isfinite(found), 0.0, found), equal_nan=True):
            return float("nan")
        largest = np.abs(known[finite]).max(initial=0.0)
        return float(np.abs(found[finite] - known[finite]).max(initial=0.0) / (largest or 1.0))


def inputs_shape(input_shape: tuple[int, ...]) -> tuple[int, ...]:
    """The shape of a sample's inputs; one row at least.

    >>> inputs_shape((784,))
    (4, 784)
    """
    return (max(1, min(ROWS, NUMBERS // prod(input_shape))), *input_shape)


def outputs_for(network: Network, inputs: Array) -> Array:
    """The network's outputs, uncompiled, as training left it."""
    with np.errstate(all="ignore"):
        return network._evaluator.predict(inputs, "off")


def _outputs_with(network: Network, inputs: Array, values: Mapping[str, Array]) -> Array:
    """Its outputs with other values."""
    graph = leafwise_graph(network._model.layout, network.module, len(inputs))
    with np.errstate(all="ignore"):
        found: Array = interpret(graph, np, {**values, BATCH: inputs})["prediction"]
    return found
