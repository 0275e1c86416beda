"""Small networks and data, and a replica of their training in plain NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np

import nnkit
from nnkit.data.splits import epoch_order
from nnkit.training.result import TrainingRun

Values = dict[str, np.ndarray]


def blobs(rows: int = 50, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Rows of three numbers around one of three centres, and which centre it was."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 3, rows)
    return rng.normal(size=(rows, 3)) + 1.5 * np.eye(3)[labels], labels


def network(**options: Any) -> nnkit.Network:
    """3 inputs, 4 tanh neurons, 3 classes, in float64."""
    given = {"activation": "tanh", "output_activation": "softmax", "dtype": "float64", "seed": 5} | options
    return nnkit.FeedForward(inputs=3, outputs=given.pop("outputs", 3), hidden=[4], **given)


def fit(net: nnkit.Network, x: Any, y: Any, **options: Any) -> TrainingRun:
    """Training without a display."""
    return net.fit(x, y, **({"progress": False} | options))


def values(net: nnkit.Network) -> Values:
    """Parameters and states."""
    return net._model.values()


def same(a: Values, b: Values) -> bool:
    """Whether all arrays are equal to the bit."""
    return a.keys() == b.keys() and all(a[name].tobytes() == b[name].tobytes() for name in a)


class Replica:
    """What stochastic gradient descent does to ``network()``, written out by hand."""

    def __init__(self, start: Values, seed: int = 5, l1: float = 0.0, l2: float = 0.0) -> None:
        self.values = {name: value.copy() for name, value in start.items()}
        self.seed, self.l1, self.l2 = seed, l1, l2
        self.epochs = 0

    def epoch(self, x: np.ndarray, y: np.ndarray, rate: float, batch: int, weight: Any = None) -> tuple[float, float]:
        """Train for one epoch; the means of loss and accuracy over its rows, with the weights at each moment."""
        order = epoch_order(np.arange(len(x)), self.seed, self.epochs)
        weight = np.ones(len(x)) if weight is None else weight
        self.epochs += 1
        loss, correct, total = 0.0, 0, 0.0
        for start in range(0, len(x), batch):
            rows = order[start : start + batch]
            share = weight[rows].sum()
            value, hits, gradients = self.step(x[rows], y[rows], weight[rows])
            loss, correct, total = loss + value * share, correct + hits, total + share
            for name, gradient in gradients.items():
                self.values[name] -= rate * gradient
        return loss / total, correct / len(x)

    def step(self, x: np.ndarray, y: np.ndarray, weight: np.ndarray) -> tuple[float, int, Values]:
        """Loss, number of correct predictions and gradients of one batch."""
        first, second = self.values["layers.0.weight"], self.values["layers.1.weight"]
        hidden = np.tanh(x @ first + self.values["layers.0.bias"])
        scores = hidden @ second + self.values["layers.1.bias"]
        p = np.exp(scores - scores.max(axis=1, keepdims=True))
        p /= p.sum(axis=1, keepdims=True)
        share = weight / weight.sum()
        loss = -(share * np.log(p[np.arange(len(y)), y])).sum()
        error = (p - np.eye(3)[y]) * share[:, None]
        back = (error @ second.T) * (1 - hidden**2)
        gradients = {
            "layers.0.weight": x.T @ back,
            "layers.0.bias": back.sum(axis=0),
            "layers.1.weight": hidden.T @ error,
            "layers.1.bias": error.sum(axis=0),
        }
        for name in ("layers.0.weight", "layers.1.weight"):
            w = self.values[name]
            loss += self.l1 * np.abs(w).sum() + self.l2 * (w**2).sum()
            gradients[name] = gradients[name] + self.l1 * np.sign(w) + 2 * self.l2 * w
        return float(loss), int((p.argmax(axis=1) == y).sum()), gradients
