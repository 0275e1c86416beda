"""Ending training by the clock."""

from __future__ import annotations

from typing import Any

from nnkit.measure.units import parse_seconds, seconds_text
from nnkit.training.callbacks.callback import Callback, Training


class TimeLimit(Callback):
    """Ends training when it has taken so long: ``"10 min"``, ``"1.5 h"``, or a number of seconds.

    The time counts from the call of ``fit``, preparation and compilation included. Training ends within a block of
    steps (about 30 ms, or one step if that is longer), in the middle of an epoch too; the network keeps its last step,
    and the record says so. Scoring the validation data, where there are any, comes on top.

    >>> import nnkit
    >>> net = nnkit.FeedForward(inputs=1, outputs=1, seed=0)
    >>> run = net.fit([[0.0], [1.0]], [0.0, 1.0], epochs=10**6, progress=False, callbacks=TimeLimit(0.2))
    >>> run.stopped
    'the time limit of 200 ms is reached'
    """

    every = "1 ms"  # that is, after every block

    def __init__(self, limit: str | float) -> None:
        self.limit_s = parse_seconds("TimeLimit: limit", limit)

    def config(self) -> dict[str, Any]:
        """The argument that makes it again."""
        return {"limit": self.limit_s}

    def due(self, training: Training) -> None:
        """Stop, if it is time."""
        if training.elapsed_s >= self.limit_s:
            training.stop(f"the time limit of {seconds_text(self.limit_s)} is reached")
