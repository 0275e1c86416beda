"""What ``precision=`` means: the data type that matrix products round their operands to."""

from __future__ import annotations

from typing import Any

import numpy as np

from nnkit.errors import ArgumentError
from nnkit.optimizers import LossScale, Optimizer
from nnkit.optimizers.wrappers.scaling import SKIPPED
from nnkit.plan import Target
from nnkit.training.model import Model

PRECISIONS = {"float32": "float32", "tf32": "tf32", "mixed_float16": "float16", "mixed_bfloat16": "bfloat16"}
"""Name → data type of the operands of products; all else is in the network's own type."""
FULL = "float32"


def check_precision(precision: object, dtype: str) -> None:
    """Refuse a name that is none, and rounding in a network of another type."""
    if not isinstance(precision, str) or precision not in PRECISIONS:
        raise ArgumentError(f"precision must be one of {', '.join(map(repr, PRECISIONS))}, got {precision!r}")
    if precision != FULL and dtype != FULL:
        raise ArgumentError(
            f"precision={precision!r} is for networks in float32, and this one is in {dtype}; leave it out, or make "
            "the network with dtype='float32'"
        )


def scaled(optimizer: Optimizer, precision: str, last: Optimizer | None) -> Optimizer:
    """The optimiser with the loss scaling that float16 needs; the ``last`` one, if it was around the same optimiser."""
    if precision != "mixed_float16" or isinstance(optimizer, LossScale):
        return optimizer
    if isinstance(last, LossScale) and last.optimizer is optimizer:
        return last
    if not optimizer.by_steps:
        raise ArgumentError(
            f"precision={precision!r} scales the loss from step to step, and {optimizer!r} searches for its own steps; "
            "use precision='float32' with it"
        )
    return LossScale(optimizer)


def rounded_to(precision: str, target: Target) -> str:
    """The data type that products on a device read: those asked for, or float32 where the device has none."""
    dtype = PRECISIONS[precision]
    return dtype if dtype in dict(target.rounded) else FULL


def loss_scale(model: Model, optimizer: Optimizer) -> dict[str, Any] | None:
    """Where dynamic loss scaling has arrived, and how many steps it has skipped; None without it.

    The optimiser is the one that trained, whose schedules know their ends.
    """
    if not isinstance(optimizer, LossScale):
        return None
    kept = model.store.read(f"moment.{name}" for name in optimizer.moments)
    moments = {name.removeprefix("moment."): value for name, value in kept.items()}
    settings = {name: np.asarray(value, model.layout.dtype) for name, value in optimizer.settings().items()}
    return {"scale": float(optimizer.scale(moments, settings)), "skipped": int(moments[SKIPPED])}
