"""scikit-learn: ``partial_fit`` for an epoch, and ``score``."""

from __future__ import annotations

import numpy as np
from sklearn.neural_network import MLPClassifier

from contest.learning import Learner, Task


def learner(task: Task, mode: str) -> Learner:
    """There is one mode."""
    model = MLPClassifier((task.hidden,), batch_size=task.batch, alpha=0.0, random_state=task.seed)
    x, y, x_test, y_test = task.data

    def epoch() -> None:
        model.partial_fit(x, y, classes=np.arange(10))

    return epoch, lambda: float(model.score(x_test, y_test))
