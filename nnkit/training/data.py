"""The rows that a network trains on and is validated with, checked, converted and split."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from nnkit.data.batches import joined
from nnkit.data.checks import class_weights, features, warn_duplicates, warn_unscaled, weights
from nnkit.data.splits import split_indices
from nnkit.errors import ArgumentError, DataError
from nnkit.training.layout import Layout
from nnkit.training.objective import Objective
from nnkit.training.targets import class_numbers, targets

Array = npt.NDArray[Any]
CALLER = 6  # frames from ``prepare`` up to the call of ``Network.fit``, where warnings point


@dataclass(frozen=True)
class Rows:
    """Features, targets and weights, and which rows of them are meant."""

    x: Array
    y: Array
    weight: Array | None
    indices: Array

    def chosen(self) -> tuple[Array, Array, Array | None]:
        """Copies of the rows that are meant."""
        weight = None if self.weight is None else self.weight[self.indices]
        return self.x[self.indices], self.y[self.indices], weight


@dataclass(frozen=True)
class TrainingData:
    """Rows to train on, and rows to validate with if there are any."""

    train: Rows
    validation: Rows | None

    @property
    def split_off(self) -> Array | None:
        """Which rows of the given data validate while all others train; None if none were split off."""
        if self.validation is None or self.validation.x is not self.train.x:
            return None
        return self.validation.indices


def first_layer(layout: Layout, kinds: dict[str, str]) -> str | None:
    """How errors name the layer that the data enters: ``layer 'layers.0' (Dense)``."""
    for path in layout.parameters:
        owner = path.rpartition(".")[0]
        return f"layer '{owner}' ({kinds[owner]})" if owner in kinds else None
    return None


def prepare(
    x: Any,
    y: Any,
    *,
    layout: Layout,
    objective: Objective,
    layer: str | None,
    seed: int,
    validation_split: float,
    validation_data: Any,
    sample_weight: Any,
    class_weight: Any,
    shuffle: bool,
) -> TrainingData:
    """Everything checked before anything is changed."""
    if validation_data is not None and validation_split:
        raise ArgumentError("give either validation_split or validation_data, not both")
    x, y = joined(x) if y is None else (x, y)
    inputs = features(x, layout.input_shape, layout.dtype, "x", layer)
    target = targets(objective, layout, y, len(inputs))
    weight = _weights(objective, layout, target, sample_weight, class_weight)
    warn_unscaled(inputs, stacklevel=CALLER)
    train, rest = split_indices(len(inputs), validation_split, seed, class_numbers(objective, target), shuffle)
    rows = Rows(inputs, target, weight, train)
    _require_weight(rows, "training")
    validation: Rows | None = None
    if validation_data is not None:
        validation = _given(validation_data, layout, objective, layer)
    elif len(rest):
        validation = Rows(inputs, target, weight, rest)
        _require_weight(validation, "validation")
    if validation is not None:
        warn_duplicates(
            inputs[train] if len(rest) else inputs, validation.chosen()[0], "training", "validation", CALLER
        )
    return TrainingData(rows, validation)


def _require_weight(rows: Rows, part: str) -> None:
    if rows.weight is not None and not rows.weight[rows.indices].any():
        raise DataError(
            f"all {len(rows.indices)} rows of the {part} data weigh 0 after the split, so their loss means nothing; "
            "use another validation_split or seed, or leave those rows out"
        )


def _weights(
    objective: Objective, layout: Layout, target: Array, sample_weight: Any, class_weight: Any
) -> Array | None:
    weight = None if sample_weight is None else weights(sample_weight, len(target), layout.dtype)
    if class_weight is None:
        return weight
    classes = class_numbers(objective, target)
    if classes is None:
        raise ArgumentError(
            f"class_weight needs classes, but loss '{objective.loss.name}' has none here; use sample_weight"
        )
    count = layout.output_shape[0] if objective.loss.targets == "classes" else 2
    by_class = class_weights(class_weight, classes, count).astype(layout.dtype)
    return by_class if weight is None else weight * by_class


def _given(validation_data: Any, layout: Layout, objective: Objective, layer: str | None) -> Rows:
    if not isinstance(validation_data, (tuple, list)) or len(validation_data) not in (2, 3):
        raise ArgumentError("validation_data must be (x, y) or (x, y, sample_weight)")
    x = features(validation_data[0], layout.input_shape, layout.dtype, "validation x", layer)
    y = targets(objective, layout, validation_data[1], len(x), "validation y")
    weight = weights(validation_data[2], len(x), layout.dtype) if len(validation_data) == 3 else None
    return Rows(x, y, weight, np.arange(len(x)))
