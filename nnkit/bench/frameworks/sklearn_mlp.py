"""scikit-learn: each call of ``partial_fit`` is one shuffled epoch in batches."""

from __future__ import annotations

from typing import Any

from nnkit.bench.contestant import Block
from nnkit.bench.frameworks.calls import calls
from nnkit.bench.job import Job
from nnkit.errors import ArgumentError
from nnkit.names import lookup

ACTIVATIONS = {"relu": "relu", "tanh": "tanh", "sigmoid": "logistic", "identity": "identity"}
OPTIMIZERS = {"adam": "adam", "sgd": "sgd"}


def step(job: Job, mode: str) -> tuple[Block, int]:
    """Its networks have softmax with cross-entropy, or the squared error, too."""
    _, epoch = _trained(job)

    def run() -> None:
        for _ in range(job.epochs):
            epoch()

    return run, job.steps


def predict(job: Job, mode: str, rows: int) -> tuple[Block, int]:
    """``predict_proba`` for classes, ``predict`` for numbers."""
    model, epoch = _trained(job)
    epoch()
    ask = model.predict if job.targets == "numbers" else model.predict_proba
    x = job.rows(rows).reshape(rows, -1)
    return calls(job, rows, lambda: ask(x))


def _trained(job: Job) -> tuple[Any, Block]:
    """The model, and one epoch of its training."""
    import numpy as np
    from sklearn.neural_network import MLPClassifier, MLPRegressor

    layers = job.dense_layers()
    activations = list(dict.fromkeys(activation for _, activation in layers[:-1])) or ["identity"]
    if len(activations) > 1:
        raise ArgumentError(f"scikit-learn has one activation for all hidden layers, not {', '.join(activations)}")
    options: dict[str, Any] = {
        "hidden_layer_sizes": [units for units, _ in layers[:-1]],
        "activation": lookup("activation", activations[0], ACTIVATIONS),
        "solver": lookup("optimizer", job.optimizer, OPTIMIZERS),
        "batch_size": job.batch,
        "alpha": 0.0,
        "momentum": 0.0,
        "random_state": 0,
    }
    x, y, _ = job.flat_data()
    if job.targets == "numbers":
        regressor = MLPRegressor(**options)
        return regressor, lambda: regressor.partial_fit(x, y)
    classifier = MLPClassifier(**options)
    classes = np.arange(max(job.outputs, 2))
    answers = y.ravel() if job.outputs == 1 else y
    return classifier, lambda: classifier.partial_fit(x, answers, classes=classes)
