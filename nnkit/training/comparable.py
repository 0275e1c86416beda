"""Networks whose losses at different weights can be compared, which a method that searches must do."""

from __future__ import annotations

from collections.abc import Iterable

from nnkit.errors import ArgumentError
from nnkit.graph.ir import Node
from nnkit.optimizers import Optimizer
from nnkit.training.layout import Layout


def check_comparable(optimizer: Optimizer, layout: Layout, step: Iterable[Node]) -> None:
    """Refuse layers that count along, parameters that are brought back, and random numbers."""
    compares = f"optimizer '{optimizer.name}' compares losses at different weights"
    if layout.states:
        raise ArgumentError(
            f"{compares}, and this network has layers that count along in each step: leave out BatchNorm and the like "
            "(LayerNorm is fine), or choose another optimizer"
        )
    if layout.constraints:
        path, constraint = next(iter(layout.constraints.items()))
        raise ArgumentError(
            f"optimizer '{optimizer.name}' goes where the loss falls, and parameter '{path}' has the constraint "
            f"'{constraint.name}': leave it out, or choose another optimizer"
        )
    if any(node.operation == "random_bits" for node in step):
        raise ArgumentError(
            f"{compares}, and this network draws random numbers in each step: leave out Dropout and the like, or "
            "choose another optimizer"
        )
