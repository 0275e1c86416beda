"""A loss for the order of two outputs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from nnkit.errors import ShapeError
from nnkit.hyperparameters import check_number
from nnkit.losses.loss import Loss, signs
from nnkit.ops import namespace, relu

Array = Any


@dataclass(frozen=True)
class MarginRanking(Loss):
    """max(0, margin − s (a − b)) for the two outputs a and b of a row: a is to win where s = 1, and b where s = −1.

    Targets are one for each row: −1 and 1, or 0 and 1; what is above 0 says that a is to win. Herbrich, Graepel,
    Obermayer, "Large margin rank boundaries for ordinal regression", Advances in large margin classifiers, 2000.

    >>> import numpy as np
    >>> MarginRanking(margin=1.0)(np.asarray([[3.0, 1.0], [3.0, 1.0]]), np.asarray([1, -1]))
    array([0., 3.])
    """

    margin: float = 0.0

    name: ClassVar[str] = "margin_ranking"
    targets: ClassVar[Literal["signs"]] = "signs"
    domain: ClassVar[Literal["any"]] = "any"

    def __post_init__(self) -> None:
        check_number("MarginRanking", "margin", self.margin, "[0, inf)")

    def targets_for(self, outputs: int) -> int:
        """One for the two outputs."""
        if outputs != 2:
            raise ShapeError(
                f"loss '{self.name}' compares two outputs, and the network has {outputs}; build it with outputs=2"
            )
        return 1

    def outputs_for(self, targets: int) -> int:
        """Two for their order."""
        return 2 * targets

    def __call__(self, prediction: Array, target: Array) -> Array:
        """Predictions of shape (rows, 2); targets of shape (rows,) or (rows, 1)."""
        shape = tuple(prediction.shape)
        if len(shape) != 2 or shape[1] != 2 or tuple(target.shape) not in ((shape[0],), (shape[0], 1)):
            raise ShapeError(
                f"loss '{self.name}': predictions have shape {shape} and targets {tuple(target.shape)}; "
                "expected predictions (rows, 2) and targets (rows,)"
            )
        ahead = prediction[:, 0] - prediction[:, 1]
        sign = signs(self.name, ahead, namespace(target).reshape(target, (shape[0],)))
        return relu(float(self.margin) - ahead * sign)
