"""What the network gets of a point: its coordinates, and what is computed from them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from nnkit.data.arrays import Array

DERIVED: dict[str, tuple[str, Callable[[Array, Array], Array]]] = {
    "x1": ("x₁", lambda a, b: a),
    "x2": ("x₂", lambda a, b: b),
    "x1^2": ("x₁²", lambda a, b: a * a),
    "x2^2": ("x₂²", lambda a, b: b * b),
    "x1x2": ("x₁x₂", lambda a, b: a * b),
    "sin(x1)": ("sin x₁", lambda a, b: np.sin(a)),
    "sin(x2)": ("sin x₂", lambda a, b: np.sin(b)),
}
"""Label and formula of each feature of two coordinates, in the order in which a page shows them."""
COORDINATES = tuple(DERIVED)[:2]
"""The features that are derived from nothing."""


def chosen_features(wanted: Sequence[str], offered: Sequence[str]) -> tuple[str, ...]:
    """The features that are wanted and that there are; else coordinates, or all columns of a table.

    >>> chosen_features(["x2", "width"], list(DERIVED)), chosen_features([], list(DERIVED))
    (('x2',), ('x1', 'x2'))
    >>> chosen_features([], ["width", "height", "depth"])
    ('width', 'height', 'depth')
    """
    usual = COORDINATES if tuple(offered) == tuple(DERIVED) else offered
    return tuple(name for name in wanted if name in offered) or tuple(usual)


def derived(x: Array, names: Sequence[str]) -> Array:
    """The features of points (rows, 2), one column for each name, in float32.

    >>> derived(np.array([[2.0, 3.0]]), ["x1", "x1x2", "x2^2"]).tolist()
    [[2.0, 6.0, 9.0]]
    """
    columns = [DERIVED[name][1](x[:, 0], x[:, 1]) for name in names]
    return np.stack(columns, axis=1).astype(np.float32)
