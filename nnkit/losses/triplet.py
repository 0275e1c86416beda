"""A loss that brings rows of one label together and keeps those of others away."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from nnkit.errors import ArgumentError, ShapeError
from nnkit.hyperparameters import check_number
from nnkit.losses.loss import Loss
from nnkit.ops import namespace, relu, softplus, stop_gradient

Array = Any


@dataclass(frozen=True)
class Triplet(Loss):
    """max(0, margin + d(a, p) − d(a, n)) for each row a, rows p of its label and rows n of others, all of one batch.

    d is the Euclidean distance between rows of outputs. ``mining="hard"`` takes the farthest p and the nearest n of
    each a; ``"all"`` the mean over all p and n. ``margin=None`` is the soft margin, log(1 + exp(d(a, p) − d(a, n))),
    which goes on pulling; it goes with "hard". A row that has no p or no n in its batch has the loss 0, so batches need
    several rows of each label. Labels are integers from 0; with one below 0 a row is in no triplet.

    Hermans, Beyer, Leibe, "In defense of the triplet loss for person re-identification", arXiv 1703.07737, 2017.

    >>> import numpy as np
    >>> Triplet(margin=1.0)(np.asarray([[0.0], [1.0], [1.5], [9.0]]), np.asarray([0, 0, 1, 1]))
    array([0.5, 1.5, 8. , 0.5])
    """

    margin: float | None = 1.0
    mining: Literal["hard", "all"] = "hard"

    name: ClassVar[str] = "triplet"
    targets: ClassVar[Literal["groups"]] = "groups"
    domain: ClassVar[Literal["any"]] = "any"

    def __post_init__(self) -> None:
        if self.mining not in ("hard", "all"):
            raise ArgumentError(f"Triplet: mining is {self.mining!r}, expected 'hard' or 'all'")
        if self.margin is not None:
            check_number("Triplet", "margin", self.margin, "[0, inf)")
        elif self.mining == "all":
            raise ArgumentError("Triplet: margin is None, the soft margin, which needs mining='hard'; give a margin")

    def __call__(self, prediction: Array, target: Array) -> Array:
        """Outputs of shape (rows, size) and integer labels of shape (rows,)."""
        xp = namespace(prediction)
        if prediction.ndim != 2 or tuple(target.shape) != (prediction.shape[0],):
            raise ShapeError(
                f"loss '{self.name}': predictions have shape {tuple(prediction.shape)} and targets "
                f"{tuple(target.shape)}; expected predictions (rows, size) and one integer label for each row"
            )
        same, other = _partners(target)
        complete = xp.any(same, axis=1) & xp.any(other, axis=1)
        between = self._all if self.mining == "all" else self._hard
        return between(_distances(prediction), same, other) * xp.astype(complete, prediction.dtype)

    def _hard(self, distance: Array, same: Array, other: Array) -> Array:
        xp = namespace(distance)
        far = xp.full_like(distance, float(xp.finfo(distance.dtype).max))
        farthest = xp.max(distance * xp.astype(same, distance.dtype), axis=1)
        nearest = xp.min(xp.where(other, distance, far), axis=1)
        gap = farthest - nearest
        return softplus(gap) if self.margin is None else relu(gap + float(self.margin))

    def _all(self, distance: Array, same: Array, other: Array) -> Array:
        """By sorting the d(a, n) and margin + d(a, p) of each row together: behind n of the former, with the sum S, the
        latter d adds n d − S. No array has more than twice rows² elements."""
        xp, zeros = namespace(distance), distance * 0.0
        is_p, is_n = (xp.astype(which, distance.dtype) for which in (same, other))
        values = xp.concat([distance + float(self.margin or 0.0), distance], axis=1)
        order = xp.argsort(stop_gradient(values), axis=1)
        p, n, values = (
            xp.take_along_axis(part, order, axis=1)
            for part in (xp.concat([is_p, zeros], axis=1), xp.concat([zeros, is_n], axis=1), values)
        )
        count, total = xp.cumulative_sum(n, axis=1), xp.cumulative_sum(n * values, axis=1)
        triplets = xp.sum(is_p, axis=1) * xp.sum(is_n, axis=1)
        return xp.sum(p * (values * count - total), axis=1) / xp.clip(triplets, min=1.0)


def _partners(labels: Array) -> tuple[Array, Array]:
    """Which rows have the same label as each, itself left out, and which have another: two tables of (rows, rows)."""
    xp = namespace(labels)
    place = xp.arange(labels.shape[0], device=labels.device)
    real = labels >= 0
    both = xp.expand_dims(real, axis=1) & xp.expand_dims(real, axis=0)
    equal = xp.expand_dims(labels, axis=1) == xp.expand_dims(labels, axis=0)
    itself = xp.expand_dims(place, axis=1) == xp.expand_dims(place, axis=0)
    return equal & both & ~itself, ~equal & both


def _distances(x: Array) -> Array:
    """Euclidean distances between all rows, by their products. They are taken from the mean row, to lose few digits,
    and where a distance is 0 so is its derivative."""
    xp = namespace(x)
    x = x - stop_gradient(xp.mean(x, axis=0, keepdims=True))
    squares = xp.sum(xp.square(x), axis=1)
    apart = xp.expand_dims(squares, axis=1) + xp.expand_dims(squares, axis=0) - 2.0 * (x @ xp.matrix_transpose(x))
    return xp.sqrt(xp.clip(apart, min=float(xp.finfo(x.dtype).smallest_normal)))
