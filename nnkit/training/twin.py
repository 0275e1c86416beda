"""A second network with the values of a first, and scores with the weights of a moment that are computed later."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from nnkit.training.asked import Asked
from nnkit.training.data import TrainingData
from nnkit.training.objective import Objective

if TYPE_CHECKING:
    from nnkit.network import Network


def twin(network: Network, values: Mapping[str, Any] | None = None) -> Network:
    """Another network of the same kind, with these values or those of the first."""
    made = type(network)(
        network.module, network.input_shape, dtype=network.dtype, device=network.device, seed=network.seed
    )
    made.set_parameters(network._model.values() if values is None else values)
    return made


def score_later(network: Network, goal: Objective, data: TrainingData, asked: Asked) -> Callable[[], dict[str, Any]]:
    """A function that scores the training rows with the weights of this moment, whatever happens to the network."""
    values = network._model.values()

    def score() -> dict[str, Any]:
        chosen = data.train.chosen()
        began = time.perf_counter()
        return twin(network, values)._scores(goal, *chosen, began, lambda *given: asked.known(*given)[0]).to_dict()

    return score
