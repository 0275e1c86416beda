"""Small data sets drawn from a seed: points in the plane with classes, and a noisy sine for regression."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from nnkit.data.arrays import Array
from nnkit.data.dataset import Dataset
from nnkit.data.splits import split_indices

_ROWS = 1000
_TEST = 0.2

Points = tuple[Array, Array]


def synthetic(name: str, seed: int) -> Dataset:
    """Return the data set ``name`` of ``TABLE``: 1000 rows, 20 % for testing, float32 features within about ±3."""
    x, y = TABLE[name](np.random.default_rng(seed))
    x = x.astype(np.float32)
    if y.dtype.kind == "f":
        train, test = split_indices(_ROWS, _TEST, seed)
        y, classes = y.astype(np.float32), None
    else:
        train, test = split_indices(_ROWS, _TEST, seed, labels=y)
        y, classes = y.astype(np.int32), tuple(str(c) for c in range(int(y.max()) + 1))
    return Dataset(x[train], y[train], x[test], y[test], name=name, classes=classes)


def _xor(random: np.random.Generator) -> Points:
    """Points in the square −1 … 1; the class says whether the signs of the coordinates differ."""
    x = random.uniform(-1, 1, (_ROWS, 2))
    return x, (x[:, 0] > 0) != (x[:, 1] > 0)


def _moons(random: np.random.Generator) -> Points:
    """Two half circles that interlock."""
    y = _labels(2)
    angle = random.uniform(0, np.pi, _ROWS)
    upper = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    lower = np.stack([1 - np.cos(angle), 0.5 - np.sin(angle)], axis=1)
    return np.where(y[:, None] == 0, upper, lower) + random.normal(0, 0.1, (_ROWS, 2)), y


def _circles(random: np.random.Generator) -> Points:
    """A circle of radius 1 around one of radius 1/2."""
    y = _labels(2)
    angle = random.uniform(0, 2 * np.pi, _ROWS)
    return _polar(np.where(y == 0, 1.0, 0.5), angle) + random.normal(0, 0.08, (_ROWS, 2)), y


def _spiral(random: np.random.Generator) -> Points:
    """Three arms that each turn by two thirds of a circle as they go out to radius 1."""
    y = _labels(3)
    radius = np.sqrt(random.uniform(0, 1, _ROWS))
    angle = 2 * np.pi / 3 * (y + 2 * radius) + random.normal(0, 0.15, _ROWS)
    return _polar(radius, angle), y


def _blobs(random: np.random.Generator) -> Points:
    """Three Gaussian clouds on a circle of radius 2."""
    y = _labels(3)
    return _polar(np.full(_ROWS, 2.0), 2 * np.pi / 3 * y) + random.normal(0, 0.5, (_ROWS, 2)), y


def _sine(random: np.random.Generator) -> Points:
    """y = sin(x) + noise of standard deviation 0.1, for x in −π … π."""
    x = random.uniform(-np.pi, np.pi, (_ROWS, 1))
    return x, np.sin(x[:, 0]) + random.normal(0, 0.1, _ROWS)


def _labels(classes: int) -> Array:
    return np.arange(_ROWS) % classes


def _polar(radius: Array, angle: Array) -> Array:
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)


TABLE: dict[str, Callable[[np.random.Generator], Points]] = {
    "xor": _xor,
    "moons": _moons,
    "circles": _circles,
    "spiral": _spiral,
    "blobs": _blobs,
    "sine": _sine,
}
