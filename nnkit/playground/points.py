"""Points in the plane to learn from: shapes with classes, and surfaces with values, drawn from a seed."""

from __future__ import annotations

from collections.abc import Callable
from math import pi

import numpy as np

from nnkit.data.arrays import Array

RANGE = 6.0
"""The plane goes from −6 to 6 in both directions."""
Drawn = tuple[Array, Array]
Draw = Callable[[np.random.Generator, int, int, float], Drawn]


def drawn(name: str, rows: int, classes: int, noise: float, seed: int) -> Drawn:
    """Points (rows, 2) and their labels (integers) or values (−1 to 1); ``noise`` is from 0 to 1.

    >>> x, y = drawn("spiral", rows=90, classes=3, noise=0.1, seed=0)
    >>> x.shape, np.bincount(y).tolist()
    ((90, 2), [30, 30, 30])
    """
    draw = CLASSIFICATION.get(name) or REGRESSION[name]
    return draw(np.random.default_rng(seed), rows, classes, noise)


def _circle(random: np.random.Generator, rows: int, classes: int, noise: float) -> Drawn:
    """Rings around each other, the innermost filled; the last one ends at radius 5.

    Noise moves points after they have their classes.
    """
    y = np.arange(rows) % classes
    width = 5 / (classes - 0.5 + 0.2 * (classes - 1))
    inner = np.where(y == 0, 0.0, width * (1.2 * y - 0.5))
    radius = random.uniform(inner, width * (1.2 * y + 0.5))
    x = _polar(radius, random.uniform(0, 2 * pi, rows))
    return x + random.uniform(-noise, noise, x.shape) * 5 / 3, y


def _xor(random: np.random.Generator, rows: int, classes: int, noise: float) -> Drawn:
    """The class says whether both coordinates have the same sign; a gap stays along the axes."""
    x = random.uniform(-5, 5, (rows, 2))
    x += np.where(x > 0, 0.3, -0.3)
    moved = x + random.uniform(-5, 5, x.shape) * noise
    return x, (moved[:, 0] * moved[:, 1] < 0).astype(np.int64)


def _gauss(random: np.random.Generator, rows: int, classes: int, noise: float) -> Drawn:
    """Clouds around the centre, the first one on the upper right, of deviation 0.7 to 2.1."""
    y = np.arange(rows) % classes
    centres = _polar(np.full(rows, 2.0 * 2**0.5), pi / 4 + 2 * pi * y / classes)
    return centres + random.normal(0, 0.7 + 2.8 * noise, (rows, 2)), y


def _spiral(random: np.random.Generator, rows: int, classes: int, noise: float) -> Drawn:
    """Arms that turn 1.75 times as they go out to radius 5."""
    y = np.arange(rows) % classes
    way = random.uniform(0, 1, rows)
    x = _polar(5 * way, 2 * pi * (1.75 * way + y / classes))
    return x + random.uniform(-1, 1, x.shape) * noise, y


def _moons(random: np.random.Generator, rows: int, classes: int, noise: float) -> Drawn:
    """Two half circles that interlock."""
    y = np.arange(rows) % 2
    angle = random.uniform(0, pi, rows) + pi * y
    x = _polar(np.full(rows, 3.0), angle) + np.where(y == 0, -1.5, 1.5)[:, None] * [1.0, 0.0]
    return x + np.where(y == 0, -0.75, 0.75)[:, None] * [0.0, 1.0] + random.normal(0, 0.2 + 2 * noise, (rows, 2)), y


def _plane(random: np.random.Generator, rows: int, classes: int, noise: float) -> Drawn:
    """The value grows from the lower left, −1, to the upper right, 1."""
    x = random.uniform(-RANGE, RANGE, (rows, 2))
    moved = x + random.uniform(-RANGE, RANGE, x.shape) * noise
    return x, np.clip(moved.sum(axis=1) / (2 * RANGE), -1, 1)


def _multi_gauss(random: np.random.Generator, rows: int, classes: int, noise: float) -> Drawn:
    """Three hills and three hollows of height 1 that fall off to 0 at a distance of 2."""
    centres = np.array([(-4, 2.5), (0, 2.5), (4, 2.5), (-4, -2.5), (0, -2.5), (4, -2.5)])
    signs = np.array([1, -1, 1, -1, 1, -1])
    x = random.uniform(-RANGE, RANGE, (rows, 2))
    moved = x + random.uniform(-RANGE, RANGE, x.shape) * noise
    heights = np.clip(1 - np.linalg.norm(moved[:, None] - centres, axis=2) / 2, 0, None) * signs
    return x, np.take_along_axis(heights, np.abs(heights).argmax(axis=1)[:, None], axis=1)[:, 0]


def _polar(radius: Array, angle: Array) -> Array:
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)


CLASSIFICATION: dict[str, Draw] = {"circle": _circle, "xor": _xor, "gauss": _gauss, "spiral": _spiral, "moons": _moons}
REGRESSION: dict[str, Draw] = {"plane": _plane, "multi-gauss": _multi_gauss}
WITH_CLASSES = ("circle", "gauss", "spiral")
"""Those that have as many classes as one likes."""


def classes_of(name: str, wanted: int) -> int:
    """How many classes points have; two, unless they may have as many as one likes."""
    return wanted if name in WITH_CLASSES else 2
