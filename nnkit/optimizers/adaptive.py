"""What Adam and its relatives share: running means of the gradient and of its square, corrected for their start."""

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
    check_betas(owner, betas)
    check_number(owner, "eps", eps, "[0, inf)")


def check_betas(owner: str, betas: object) -> None:
    """Refuse decay rates outside [0, 1)."""
    if not isinstance(betas, tuple) or len(betas) != 2:
        raise ArgumentError(f"{owner}: betas is {betas!r}, expected a pair of numbers such as (0.9, 0.999)")
    for number, beta in enumerate(betas):
        check_number(owner, f"betas[{number}]", beta, "[0, 1)")


def check_flag(owner: str, name: str, value: object) -> None:
    """Refuse what is neither True nor False."""
    if not isinstance(value, bool):
        raise ArgumentError(f"{owner}: {name} is {value!r}, expected True or False")


def decay(name: str, beta: float) -> dict[str, float]:
    """1 − β and log β in double: in float32, 1 − 0.999 would keep four digits and 1 − 0.999ᵗ fewer."""
    return {f"one_minus_{name}": 1.0 - beta, f"log_{name}": log(beta) if beta else -inf}


def settings(betas: tuple[float, float], eps: float) -> dict[str, float]:
    """Those of both decay rates, and ε."""
    return decay("beta1", betas[0]) | decay("beta2", betas[1]) | {"eps": float(eps)}


def means(
    gradient: Array, moments: Mapping[str, Array], settings: Mapping[str, Array], step: Array
) -> tuple[Array, Array, Array, Array]:
    """m ← β₁ m + (1 − β₁) g and v ← β₂ v + (1 − β₂) g², and how much of each there is, 1 − β₁ᵗ and 1 − β₂ᵗ."""
    xp = namespace(gradient)
    first, second = moments["first"], moments["second"]
    first = first + (gradient - first) * settings["one_minus_beta1"]
    second = second + (xp.square(gradient) - second) * settings["one_minus_beta2"]
    return first, second, so_far(step, settings, "beta1"), so_far(step, settings, "beta2")


def so_far(step: Array | int, settings: Mapping[str, Array], name: str) -> Array:
    """1 − βᵗ, the sum of the weights of a running mean after t steps."""
    logarithm = step * settings[f"log_{name}"]
    return -namespace(logarithm).expm1(logarithm)


def direction(
    gradient: Array, moments: Mapping[str, Array], settings: Mapping[str, Array], step: Array
) -> tuple[Array, Array, dict[str, Array]]:
    """m̂ / (√v̂ + ε) as a product of an array and a 0-d factor, and the new moments.

    m̂ = m / (1 − β₁ᵗ), v̂ = v / (1 − β₂ᵗ). The fraction is multiplied above and below by √(1 − β₂ᵗ), so that all
    corrections act on 0-d values and the arrays are passed over least often. With a moment ``largest`` the largest v so
    far stands in the place of v.
    """
    xp = namespace(gradient)
    first, second, bias1, bias2 = means(gradient, moments, settings, step)
    moved = {"first": first, "second": second}
    if "largest" in moments:
        second = moved["largest"] = xp.maximum(moments["largest"], second)
    root2 = xp.sqrt(bias2)
    return first / (xp.sqrt(second) + settings["eps"] * root2), root2 / bias1, moved


def change(
    gradient: Array, moments: Mapping[str, Array], settings: Mapping[str, Array], step: Array, rate: Array
) -> tuple[Array, dict[str, Array]]:
    """η · m̂ / (√v̂ + ε), to be subtracted from the parameter, and the new moments."""
    ratio, factor, moved = direction(gradient, moments, settings, step)
    return ratio * (rate * factor), moved
