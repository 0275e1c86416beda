"""Scalers of scikit-learn as the standardisation that a network does itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from nnkit.data import Scaling
from nnkit.data.arrays import Array
from nnkit.errors import ArgumentError
from nnkit.formats.scikit.objects import fitted, kind

SCALERS = ("StandardScaler", "MinMaxScaler", "MaxAbsScaler", "RobustScaler")


def scaling(steps: Sequence[tuple[str, Any]], columns: int) -> Scaling | None:
    """What the steps of a pipeline do, one after the other, to rows of so many columns; None for nothing.

    Each subtracts a number and divides by one: (x − m) / s and (x − n) / t after it are (x − (m + n s)) / (s t).

    >>> from sklearn.preprocessing import MaxAbsScaler
    >>> scaling([("scale", MaxAbsScaler().fit([[2.0], [-4.0]]))], 1).to_dict()
    {'mean': [0.0], 'scale': [4.0]}
    """
    found = [_figures(name, step) for name, step in steps]
    if not found:
        return None
    mean, scale = np.zeros(columns), np.ones(columns)
    for after, by in found:
        mean, scale = mean + after * scale, scale * by
    return Scaling(mean, scale)


def _figures(name: str, step: Any) -> tuple[Array | float, Array | float]:
    """What the step subtracts, and what it then divides by."""
    which = kind(step, *SCALERS)
    if which is None:
        raise ArgumentError(
            f"from_sklearn: step '{name}' of the pipeline is {type(step).__name__}; before the network there may be "
            f"{', '.join(SCALERS)} and 'passthrough', so do the rest yourself and pass the last steps: pipeline[n:]"
        )
    scale = fitted(step, "scale_")
    if which in ("MinMaxScaler", "MaxAbsScaler") and vars(step).get("clip", False):
        raise ArgumentError(
            f"from_sklearn: step '{name}' of the pipeline, {which}(clip=True), cuts off values, which a network's "
            "scaling does not; fit it with clip=False, or scale the rows yourself and pass the network alone"
        )
    if which == "MinMaxScaler":
        return -fitted(step, "min_") / scale, 1 / scale
    mean: Any = 0.0
    if which == "StandardScaler" and step.with_mean:
        mean = fitted(step, "mean_")
    if which == "RobustScaler" and step.with_centering:
        mean = fitted(step, "center_")
    return mean, 1.0 if scale is None else scale
