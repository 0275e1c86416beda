"""Checking and converting what a network is trained towards, by the kind of its loss."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import numpy.typing as npt

from nnkit.data.checks import binary, groups, labels, numbers, signs
from nnkit.errors import NnkitWarning, ShapeError
from nnkit.nn import Module
from nnkit.nn.activations import ACTIVATIONS
from nnkit.training.layout import Layout
from nnkit.training.objective import Objective

Array = npt.NDArray[Any]


def targets(objective: Objective, layout: Layout, y: Any, rows: int, argument: str = "y") -> Array:
    """``y`` as the array that the loss reads: labels (rows,), or as many numbers as belong to the outputs."""
    loss, outputs = objective.loss, _outputs(layout)
    columns = loss.targets_for(outputs)
    if loss.targets == "classes":
        return labels(y, rows, outputs, argument, layout.dtype)
    if loss.targets == "groups":
        return groups(y, rows, argument)
    if loss.targets == "signs":
        return signs(y, rows, columns, layout.dtype, argument, outputs_each=0)
    if loss.targets == "binary":
        answers = signs if loss.domain == "signed" else binary
        return answers(y, rows, columns, layout.dtype, argument)
    return numbers(y, rows, columns, layout.dtype, argument, loss.minimum, outputs // columns)


def warn_out_of_reach(objective: Objective, target: Array, stacklevel: int) -> None:
    """Give one NnkitWarning where numbers are to be predicted that the output activation never gives."""
    known = ACTIVATIONS.get(objective.activation)
    if objective.loss.targets != "numbers" or objective.units is not None or known is None or not target.size:
        return
    (least, most), low, high = known.bounds, float(target.min()), float(target.max())
    if least <= low and high <= most:
        return
    bound, beyond = (f"below {least:g}", low) if low < least else (f"above {most:g}", high)
    warnings.warn(
        f"y goes to {beyond:g}, and the output activation '{known.name}' gives nothing {bound}; "
        "use output_activation='identity', or scale the targets",
        NnkitWarning,
        stacklevel=stacklevel + 1,
    )


def usual_signature(objective: Objective, layout: Layout) -> tuple[tuple[int, ...], str]:
    """Shape of one row of targets and their data type, where there are none yet: labels, if there may be some."""
    if objective.loss.targets in ("classes", "groups"):
        return (), "int32"
    shape = layout.output_shape
    return (*shape[:-1], *(objective.loss.targets_for(width) for width in shape[-1:])), layout.dtype


def signature(target: Array) -> tuple[tuple[int, ...], str]:
    """Shape of one row and data type, as graphs need them."""
    return target.shape[1:], str(target.dtype)


def classes_told_apart(objective: Objective, layout: Layout) -> int | None:
    """How many classes the network tells apart; None for numbers, and for several answers of yes or no."""
    if objective.loss.targets == "classes":
        return _outputs(layout)
    return 2 if objective.loss.targets == "binary" and objective.loss.targets_for(_outputs(layout)) == 1 else None


def names_for(module: Module, layout: Layout) -> int:
    """How many names of classes go with the outputs, whatever the loss: two with one output, unless it is a softmax."""
    width = layout.output_shape[-1] if layout.output_shape else 1
    known = ACTIVATIONS.get(module.output_activation())
    whole = known is not None and known.domain in ("distribution", "log_distribution")
    return 2 if width == 1 and not whole else width


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
