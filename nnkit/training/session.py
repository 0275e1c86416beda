"""A training of a network: what it needs of the network, and what it leaves in it."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

from nnkit.errors import NnkitWarning
from nnkit.training.asked import Asked
from nnkit.training.configuration import Started
from nnkit.training.fit import Hooks, fit, prepared
from nnkit.training.keeper import Keeper
from nnkit.training.measured import Scoring
from nnkit.training.objective import objective
from nnkit.training.options import Options
from nnkit.training.past import Past
from nnkit.training.result import TrainingRun
from nnkit.training.resumed import Resumed
from nnkit.training.twin import score_later

if TYPE_CHECKING:
    from nnkit.network import Network

Keep = Callable[[Started], Keeper]


def train(
    network: Network, x: Any, y: Any, options: Options, keep: Keep | None = None, resumed: Resumed | None = None
) -> TrainingRun:
    """``Network.fit`` from its beginning, or from where it was ``resumed``; ``keep`` makes what writes checkpoints."""
    outcome = fit(network._model, x, y, options, hooks(network, options.loss, keep, resumed))
    network._loss, network._optimizer = options.loss, network._model.optimizer
    network._past = Past.of(outcome.record)
    run = TrainingRun(outcome.record, network)
    for warning in outcome.warnings:
        warnings.warn(warning, NnkitWarning, stacklevel=4)
    if outcome.failure is not None:
        with suppress(AttributeError):  # an error that takes no attributes
            outcome.failure.run = run  # type: ignore[attr-defined]
        raise outcome.failure
    return run


def ended(network: Network, x: Any, y: Any, options: Options, resumed: Resumed) -> Callable[[], dict[str, Any]]:
    """What scores the rows of a training that has ended, with the weights that it ended with; others are refused."""
    goal = objective(network.module, options.loss)
    data = prepared(network._model, goal, x, y, options, network._intake)
    resumed.require_same_data(data)
    return score_later(network, goal, data, Asked.of(options.metrics, goal, network._model.layout))


def hooks(network: Network, loss: Any, keep: Keep | None = None, resumed: Resumed | None = None) -> Hooks:
    """What the network gives to a training with this loss."""
    scoring = Scoring(network._evaluator.score, partial(score_later, network))
    return Hooks(network._intake, network._adopt, scoring, partial(_save, network, loss), keep, resumed)


def _save(network: Network, loss: Any, path: str | os.PathLike[str]) -> None:
    """Save in the middle of a training with this loss."""
    network._loss, network._optimizer = loss, network._model.optimizer
    network.save(path)
