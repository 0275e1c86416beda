"""Means with confidence intervals of a few repeated figures."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Estimate:
    """The mean of some figures, their standard deviation, and how far the true mean may lie on either side (95 %).

    ``half_width`` = t · deviation / √n with Student's t for n − 1 degrees of freedom ("The probable error of a mean",
    Biometrika 1908); it takes figures that scatter normally around their mean. It is infinite for a single figure.
    """

    mean: float
    deviation: float
    half_width: float
    count: int

    def __str__(self) -> str:
        return f"{self.mean:.4g} ± {self.half_width:.2g}"


def estimate(figures: Sequence[float]) -> Estimate:
    """Of one figure or more.

    >>> str(estimate([0.91, 0.93, 0.92]))
    '0.92 ± 0.025'
    """
    count = len(figures)
    mean = math.fsum(figures) / count
    if count == 1:
        return Estimate(mean, 0.0, math.inf, 1)
    deviation = math.sqrt(math.fsum((figure - mean) ** 2 for figure in figures) / (count - 1))
    return Estimate(mean, deviation, student(count - 1) * deviation / math.sqrt(count), count)


def student(freedom: int, confidence: float = CONFIDENCE) -> float:
    """The t between −t and t of which Student's distribution with so many degrees of freedom has this share.

    >>> round(student(4), 4)
    2.7764
    """
    low, high = 0.0, 1e4
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if _within(middle, freedom) < confidence else (low, middle)
    return (low + high) / 2


def _within(t: float, freedom: int) -> float:
    """The share between −t and t: a sum of powers of cos θ with tan θ = t / √freedom (Abramowitz, Stegun 26.7)."""
    angle = math.atan(t / math.sqrt(freedom))
    sine, cosine = math.sin(angle), math.cos(angle)
    odd = freedom % 2
    term = total = cosine if odd else 1.0
    for k in range(1, (freedom - odd) // 2):
        term *= cosine**2 * (2 * k / (2 * k + 1) if odd else (2 * k - 1) / (2 * k))
        total += term
    if odd:
        return 2 / math.pi * (angle + (sine * total if freedom > 1 else 0.0))
    return sine * total
