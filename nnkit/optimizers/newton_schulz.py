"""The orthogonal matrix next to a matrix, nearly, by products alone."""

from __future__ import annotations

from typing import Any

from nnkit.ops import namespace

Array = Any

COEFFICIENTS = (3.4445, -4.7750, 2.0315)


def orthogonalized(
    matrix: Array, steps: int = 5, eps: float | Array = 1e-7, coefficients: tuple[float, float, float] = COEFFICIENTS
) -> Array:
    """U S Vᵀ for the singular value decomposition U Σ Vᵀ of the matrix, with all of S between about 0.7 and 1.2.

    X ← X / ‖X‖, then in each of ``steps`` X ← a X + b (X Xᵀ) X + c (X Xᵀ)² X, which takes every singular value σ to
    a σ + b σ³ + c σ⁵. The published a, b and c are steep at 0 and never settle at 1, which five steps need not do. The
    products are those of the shorter side; a matrix of zeros stays one. Jordan and others, "Muon: an optimizer for
    hidden layers in neural networks", 2024.

    >>> import numpy as np
    >>> np.linalg.svd(orthogonalized(np.diag([5.0, 3.0, 0.1])), compute_uv=False).round(2)
    array([0.97, 0.8 , 0.71])
    """
    xp = namespace(matrix)
    a, b, c = coefficients
    flipped = matrix.shape[0] > matrix.shape[1]
    x = matrix.mT if flipped else matrix
    x = x / xp.maximum(xp.sqrt(xp.sum(xp.square(x))), eps)
    for _ in range(steps):
        gram = x @ x.mT
        x = x * a + (gram * b + (gram @ gram) * c) @ x
    return x.mT if flipped else x
