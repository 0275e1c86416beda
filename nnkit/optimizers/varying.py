"""Hyper-parameters beside the learning rate that are a number, or a schedule of the same number of updates."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nnkit.hyperparameters import check_number
from nnkit.optimizers.schedules import Schedule

Array = Any
Varying = float | Schedule


def check(owner: str, name: str, value: object, interval: str) -> None:
    """Refuse a number outside ``interval``, and a schedule whose own number, from which it rises or falls, is."""
    check_number(owner, name, value.learning_rate if isinstance(value, Schedule) else value, interval)


def settings(name: str, value: Varying) -> dict[str, float]:
    """The setting of a number, under its name; those of a schedule, each after the name and a dot.

    >>> settings("momentum", 0.9)
    {'momentum': 0.9}
    """
    if not isinstance(value, Schedule):
        return {name: float(value)}
    return {f"{name}.{inner}": number for inner, number in value.settings().items()}


def at(name: str, value: Varying, step: Array, settings: Mapping[str, Array]) -> Array:
    """The value in update ``step``, 0-d."""
    if not isinstance(value, Schedule):
        return settings[name]
    return value(step, {inner: settings[f"{name}.{inner}"] for inner in value.settings()})
