"""What a loss is: how wrong predictions are, one value for each row."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Literal, get_args

from nnkit.arguments import KnownArguments
from nnkit.errors import ShapeError
from nnkit.hyperparameters import config_of
from nnkit.ops import namespace

Array = Any
Pair = Callable[[Array, Array], Array]
Targets = Literal["numbers", "binary", "classes", "signs", "groups"]
Domain = Literal["any", "positive", "probability", "distribution", "signed"]
TARGETS, DOMAINS = get_args(Targets), get_args(Domain)


class Loss(KnownArguments, ABC):
    """A function of predictions and targets, traced into the training step; it gives one value for each row.

    The value of a row is the mean over its outputs. The mean over the rows, weighted or not, is taken by the step.
    Subclasses are frozen dataclasses whose fields are the hyper-parameters; one without any may be a plain class.

    ``targets`` says what the targets are: "numbers" (``minimum`` at least, if it is given), "binary" (0 or 1, or
    between), "classes" (integer labels, or one probability for each class), "signs" (−1 or 1), "groups" (integer labels
    that need no output each). ``domain`` says what the predictions must be: "any", "positive", "probability" (each
    between 0 and 1), "distribution" (summing to 1 along the last axis), "signed" (free to have either sign; for
    "binary" targets, above 0 for yes). ``of_error`` says that it depends on prediction − target alone, and can
    be taken in other units.
    """

    name: ClassVar[str]
    targets: ClassVar[Targets]
    domain: ClassVar[Domain]
    minimum: ClassVar[float | None] = None
    of_error: ClassVar[bool] = False

    @abstractmethod
    def __call__(self, prediction: Array, target: Array) -> Array:
        """The loss of each row, shape (rows,), in the dtype of the predictions."""

    @property
    def paired(self) -> Mapping[str, Pair]:
        """Output activation → the same loss from the values *before* that activation.

        Such a canonical pair is stable where the activation saturates, and its derivative with respect to those values
        is (prediction − target) / outputs.
        """
        return {}

    def targets_for(self, outputs: int) -> int:
        """How many numbers the targets of a row have, for so many outputs; the first outputs estimate them."""
        return outputs

    def outputs_for(self, targets: int) -> int:
        """How many outputs estimate so many numbers: ``targets_for`` the other way round."""
        return targets

    def config(self) -> dict[str, Any]:
        """The loss as plain data for JSON; ``losses.from_config`` reads it back."""
        return config_of(self)


def matching(name: str, prediction: Array, target: Array) -> Array:
    """The targets in the dtype of the predictions. Their shapes must be equal: to broadcast here is always a slip."""
    if tuple(prediction.shape) != tuple(target.shape):
        raise ShapeError(
            f"loss '{name}': predictions have shape {tuple(prediction.shape)} and targets {tuple(target.shape)}; "
            "they must be equal, so reshape the targets"
        )
    return in_dtype_of(prediction, target)


def in_dtype_of(prediction: Array, target: Array) -> Array:
    """The targets in the dtype of the predictions."""
    return target if target.dtype == prediction.dtype else namespace(target).astype(target, prediction.dtype)


def signs(name: str, prediction: Array, target: Array) -> Array:
    """1 where a target is above 0, and else −1, in the dtype of the predictions, whose shape the targets must have."""
    xp, above = namespace(target), target > 0
    return matching(name, prediction, xp.astype(above, prediction.dtype)) * 2.0 - 1.0


def row_means(values: Array) -> Array:
    """The mean over all axes but the first: one value for each row."""
    axes = tuple(range(1, values.ndim))
    return namespace(values).mean(values, axis=axes) if axes else values


def log_of(p: Array) -> Array:
    """log p for p ≥ 0, where p below the smallest normal number of its dtype counts as that number.

    So log 0 is −87.3 in float32 and −708.4 in float64, finite, with derivative 0.
    """
    xp = namespace(p)
    least = float(xp.finfo(p.dtype).smallest_normal)
    return xp.log(xp.clip(p, min=least))
