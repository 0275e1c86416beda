"""The step that Adam and AdamW share: a running mean of the gradient over the root of a running mean of its square."""

from __future__ import annotations

from collections.abc import Mapping
from math import inf, log
from typing import Any

from nnkit.errors import ArgumentError
from nnkit.hyperparameters import check_number
from nnkit.ops import namespace

Array = Any

MOMENTS = ("first", "second")


def check(owner: str, betas: object, eps: object) -> None:
    """Refuse decay rates outside [0, 1) and a negative ε."""
    if not isinstance(betas, tuple) or len(betas) != 2:
        raise ArgumentError(f"{owner}: betas is {betas!r}, expected a pair of numbers such as (0.9, 0.999)")
    for number, beta in enumerate(betas):
        check_number(owner, f"betas[{number}]", beta, "[0, 1)")
    check_number(owner, "eps", eps, "[0, inf)")


def settings(betas: tuple[float, float], eps: float) -> dict[str, float]:
    """1 − β and log β in double: in float32, 1 − 0.999 would keep four digits and 1 − 0.999ᵗ fewer."""
    complements = {f"one_minus_beta{i}": 1.0 - beta for i, beta in enumerate(betas, start=1)}
    logarithms = {f"log_beta{i}": log(beta) if beta else -inf for i, beta in enumerate(betas, start=1)}
    return complements | logarithms | {"eps": float(eps)}


def change(
    gradient: Array, moments: Mapping[str, Array], settings: Mapping[str, Array], step: Array, rate: Array
) -> tuple[Array, dict[str, Array]]:
    """η · m̂ / (√v̂ + ε), to be subtracted from the parameter, and the new moments.

    m ← β₁ m + (1 − β₁) g, v ← β₂ v + (1 − β₂) g², m̂ = m / (1 − β₁ᵗ), v̂ = v / (1 − β₂ᵗ). The fraction is multiplied
    above and below by √(1 − β₂ᵗ), so that all corrections act on 0-d values and the arrays are passed over least often.
    """
    xp = namespace(gradient)
    first, second = moments["first"], moments["second"]
    first = first + (gradient - first) * settings["one_minus_beta1"]
    second = second + (xp.square(gradient) - second) * settings["one_minus_beta2"]
    bias1 = -xp.expm1(step * settings["log_beta1"])
    root2 = xp.sqrt(-xp.expm1(step * settings["log_beta2"]))
    ratio = first / (xp.sqrt(second) + settings["eps"] * root2)
    return ratio * (rate * root2 / bias1), {"first": first, "second": second}
