"""scikit-learn: each call of ``partial_fit`` is one shuffled epoch in batches."""

from __future__ import annotations

import numpy as np
from sklearn.neural_network import MLPClassifier

from contest.workloads import Block, Workload, digits


def block(workload: Workload, mode: str) -> Block:
    """Its network has ReLU, softmax, cross-entropy and Adam too."""
    model = MLPClassifier(workload.sizes[1:-1], batch_size=workload.batch, alpha=0.0, random_state=0)
    x, y, _ = workload.data()
    classes = np.arange(workload.sizes[-1])

    def run() -> None:
        for _ in range(workload.epochs):
            model.partial_fit(x, y, classes=classes)

    return run


def epoch(mode: str) -> Block:
    """One epoch of ``partial_fit``."""
    model = MLPClassifier((128,), batch_size=64, alpha=0.0, random_state=0)
    x, y = digits()
    return lambda: model.partial_fit(x, y, classes=np.arange(10)) and None
