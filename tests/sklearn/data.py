"""Small tables for the estimators."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.peers import peer

peer("sklearn")  # the tests of this folder need it; without it they are skipped


def blobs(classes: int = 3, rows: int = 60, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Rows of four numbers around one centre for each class, and the number of the class."""
    rng = np.random.default_rng(seed)
    labels = np.arange(rows) % classes
    return rng.normal(size=(rows, 4)) * 0.5 + 3 * np.eye(4)[labels], labels


def waves(outputs: int | None = None, rows: int = 60, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Rows of four numbers, and one smooth function of them, or several."""
    x = np.random.default_rng(seed).normal(size=(rows, 4))
    y = np.sin(x[:, :1] * np.arange(1, (outputs or 1) + 1)) + x[:, 1:2]
    return x, (y[:, 0] if outputs is None else y)


def same(a: Any, b: Any) -> bool:
    """Whether the networks of two estimators are equal to the bit."""
    left, right = a.network_.parameters(), b.network_.parameters()
    return left.keys() == right.keys() and all(left[name].tobytes() == right[name].tobytes() for name in left)
