"""Every activation and every loss, differentiated to the second order, beside finite differences."""

from __future__ import annotations

import numpy as np
import pytest

from nnkit import losses
from nnkit.gradient_check import check_function
from nnkit.nn.activations import ACTIVATIONS

# Away from 0, ±0.5, ±1, ±3 and 6, where activations have their kinks.
POINTS = np.asarray(
    [[-4.3, -2.2, -1.3, -0.7, -0.31, -0.12], [0.13, 0.33, 0.71, 1.4, 2.3, 5.1], [6.7, -0.27, 0.62, -1.7, 3.4, -3.6]]
)
RNG = np.random.default_rng(3)
LOGITS = RNG.normal(size=(5, 4))
TARGETS = {
    "numbers": RNG.uniform(2.5, 3.5, size=(5, 4)),  # further than Huber's δ from most predictions
    "binary": RNG.integers(0, 2, size=(5, 4)).astype(np.float64),
    "classes": RNG.integers(0, 4, size=5),
    "groups": np.asarray([0, 1, 0, 1, 0]),
    "signs": np.asarray([1.0, -1.0, 1.0, -1.0, 1.0]),
}
OUTPUTS = {"margin_ranking": 2}


@pytest.mark.parametrize("name", sorted(ACTIVATIONS))
def test_activations(name: str) -> None:
    check_function(ACTIVATIONS[name].function, POINTS)


@pytest.mark.parametrize("name", sorted(losses.LOSSES))
def test_losses(name: str) -> None:
    loss = losses.get(name)
    raised = np.exp(LOGITS)
    predictions = {
        "any": LOGITS,
        "signed": LOGITS,
        "positive": raised,
        "probability": raised / (1 + raised),
        "distribution": raised / raised.sum(axis=1, keepdims=True),
    }
    given = predictions[loss.domain][:, : OUTPUTS.get(name, 4)]
    target = TARGETS[loss.targets]
    target = target[:, : loss.targets_for(4)] if loss.targets == "numbers" else target
    check_function(lambda prediction: loss(prediction, prediction.__array_namespace__().asarray(target)), given)


@pytest.mark.parametrize(
    ("name", "activation"), [(name, pair) for name in sorted(losses.LOSSES) for pair in losses.get(name).paired]
)
def test_canonical_pairs(name: str, activation: str) -> None:
    loss = losses.get(name)
    target = TARGETS[loss.targets]
    check_function(lambda logits: loss.paired[activation](logits, logits.__array_namespace__().asarray(target)), LOGITS)
