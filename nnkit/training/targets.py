"""Checking and converting what a network is trained towards, by the kind of its loss."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from nnkit.data.checks import binary, labels, numbers
from nnkit.errors import ShapeError
from nnkit.training.layout import Layout
from nnkit.training.objective import Objective

Array = npt.NDArray[Any]


def targets(objective: Objective, layout: Layout, y: Any, rows: int, argument: str = "y") -> Array:
    """``y`` as the array that the loss reads: labels (rows,), or one number for each output."""
    outputs = _outputs(layout)
    if objective.loss.targets == "classes":
        return labels(y, rows, outputs, argument, layout.dtype)
    if objective.loss.targets == "binary":
        return binary(y, rows, outputs, layout.dtype, argument)
    minimum = 0.0 if objective.loss.name == "poisson" else None
    return numbers(y, rows, outputs, layout.dtype, argument, minimum)


def signature(target: Array) -> tuple[tuple[int, ...], str]:
    """Shape of one row and data type, as graphs need them."""
    return target.shape[1:], str(target.dtype)


def class_numbers(objective: Objective, target: Array) -> Array | None:
    """The class of each row, for stratified splits and class weights; None for numbers and for several yes and no."""
    if objective.loss.targets == "classes":
        return target if target.ndim == 1 else np.argmax(target, axis=1)
    if objective.loss.targets == "binary" and target.shape[1] == 1:
        return (target[:, 0] > 0.5).astype(np.int64)
    return None


def _outputs(layout: Layout) -> int:
    if len(layout.output_shape) != 1:
        raise ShapeError(
            f"training needs one row of outputs for each sample, but the network's output has shape (rows, "
            f"{', '.join(map(str, layout.output_shape))}); end it with nnkit.nn.Flatten() or Dense(…)"
        )
    return layout.output_shape[0]
