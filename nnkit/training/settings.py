"""Hyper-parameters of a training that is under way: what they are, and an optimiser in which some are changed."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any, TypeVar

import numpy as np

from nnkit.errors import ArgumentError
from nnkit.optimizers import Optimizer
from nnkit.optimizers.optimizer import as_schedule
from nnkit.optimizers.schedules import Schedule

Part = TypeVar("Part", bound=Optimizer | Schedule)
RATE = "learning_rate"
PREFIX = "setting.optimizer."


def named(optimizer: Optimizer) -> dict[str, float]:
    """The values of an optimiser's settings by their names in the store."""
    return {f"{PREFIX}{name}": value for name, value in optimizer.settings().items()}


def check_settings(optimizer: Optimizer, dtype: str) -> None:
    """Refuse hyper-parameters that are no longer what they were in the network's dtype: infinite, or zero."""
    for name, value in optimizer.settings().items():
        with np.errstate(over="ignore", under="ignore"):
            stored = float(np.asarray(value, dtype=dtype))
        if math.isfinite(value) and (not math.isfinite(stored) or bool(stored) != bool(value)):
            raise ArgumentError(
                f"{name}={value!r} of the optimizer becomes {stored:g} in {dtype}; choose a moderate number"
            )


def changed(optimizer: Optimizer, values: Mapping[str, Any]) -> Optimizer:
    """The optimiser with other hyper-parameters, its own or those of a schedule or optimiser inside.

    The program of the step stays, so what it leaves out because it is 0 cannot be brought in, nor the other way round.

    >>> from nnkit.optimizers import SGD, ClipByGlobalNorm
    >>> changed(ClipByGlobalNorm(SGD(0.1), max_norm=1.0), {"learning_rate": 0.05}).optimizer.learning_rate
    0.05
    """
    made = optimizer
    for name, value in values.items():
        found = _replaced(made, name, value)
        if found is None:
            known = ", ".join(sorted(_names(optimizer)))
            raise ArgumentError(f"set: the optimizer of this training has no '{name}'; it has {known}")
        made = found
        if made.settings().keys() != optimizer.settings().keys():
            raise ArgumentError(
                f"set: {name}={value!r} would need another program, because the optimizer was made with a {name} that "
                "works differently; make the optimizer with one of the same kind (0 or not 0)"
            )
    return made


def learning_rate(optimizer: Optimizer, update: int) -> float | None:
    """The rate of an update, counted from 1, by the schedule; None if there is none."""
    found = _rate(optimizer)
    return None if found is None else as_schedule(found).at(max(update, 1))


def base_learning_rate(optimizer: Optimizer) -> float | None:
    """The rate that a change of ``learning_rate`` replaces; None if there is none."""
    found = _rate(optimizer)
    return getattr(found, RATE, None) if isinstance(found, Schedule) else found


def _rate(optimizer: Optimizer) -> Any:
    parts = {field.name: getattr(optimizer, field.name) for field in fields(optimizer)}  # type: ignore[arg-type]
    if RATE in parts:
        return parts[RATE]
    inner = (_rate(part) for part in parts.values() if isinstance(part, Optimizer))
    return next((found for found in inner if found is not None), None)


def _replaced(part: Part, name: str, value: Any) -> Part | None:
    """A part with another value of that name in it, or in the first part of it that has one."""
    parts = {field.name: getattr(part, field.name) for field in fields(part)}  # type: ignore[arg-type]
    if name in parts and not isinstance(parts[name], Optimizer | Schedule):
        return replace(part, **{name: value})  # type: ignore[type-var]
    for inner, found in parts.items():
        if isinstance(found, Optimizer | Schedule) and (made := _replaced(found, name, value)) is not None:
            return replace(part, **{inner: made})  # type: ignore[type-var]
    return None


def _names(part: Any) -> set[str]:
    parts = {field.name: getattr(part, field.name) for field in fields(part)}
    inner = {name for found in parts.values() if isinstance(found, Optimizer | Schedule) for name in _names(found)}
    return inner | {name for name, found in parts.items() if not isinstance(found, Optimizer | Schedule)}
