"""nnkit: ``fit`` and ``test``; each call of ``fit`` goes on with the same optimiser."""

from __future__ import annotations

import nnkit
from contest.learning import Learner, Task


def learner(task: Task, mode: str) -> Learner:
    """``mode`` is that of ``fit(compile=…)``."""
    net = nnkit.FeedForward(784, 10, [task.hidden], output_activation="softmax", seed=task.seed)
    adam = nnkit.optimizers.Adam(1e-3)
    x, y, x_test, y_test = task.data

    def epoch() -> None:
        net.fit(x, y, epochs=1, batch_size=task.batch, optimizer=adam, compile=mode, progress=False)

    return epoch, lambda: float(net.test(x_test, y_test).accuracy or 0.0)
