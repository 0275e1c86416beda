"""The rows that a network trains on and is validated with, checked, converted and split."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from nnkit.data.batches import joined
from nnkit.data.checks import class_weights, warn_duplicates, warn_other_order, warn_unscaled, weights
from nnkit.data.class_names import Names, by_number
from nnkit.data.splits import split_indices
from nnkit.errors import ArgumentError, DataError
from nnkit.training.intake import Intake
from nnkit.training.layout import Layout
from nnkit.training.objective import Objective
from nnkit.training.targets import class_numbers, warn_out_of_reach

Array = npt.NDArray[Any]
CALLER = 8  # frames from ``prepare`` up to the call of ``Network.fit``, where warnings point


@dataclass(frozen=True)
class Rows:
    """Features, targets and weights, and which rows of them are meant."""

    x: Array
    y: Array
    weight: Array | None
    indices: Array

    @property
    def arrays(self) -> dict[str, Array]:
        """What there is of each row, by the names of a step's inputs."""
        found = {"x": self.x, "y": self.y}
        return found if self.weight is None else found | {"weight": self.weight}

    def chosen(self) -> tuple[Array, Array, Array | None]:
        """Copies of the rows that are meant."""
        weight = None if self.weight is None else self.weight[self.indices]
        return self.x[self.indices], self.y[self.indices], weight


@dataclass(frozen=True)
class TrainingData:
    """Rows to train on, and rows to validate with if there are any."""

    train: Rows
    validation: Rows | None
    intake: Intake
    """How the data became these rows, with what they taught of it: names of classes, a scaling."""

    @property
    def split_off(self) -> Array | None:
        """Which rows of the given data validate while all others train; None if none were split off."""
        if self.validation is None or self.validation.x is not self.train.x:
            return None
        return self.validation.indices


def prepare(
    x: Any,
    y: Any,
    *,
    intake: Intake,
    layout: Layout,
    objective: Objective,
    seed: int,
    validation_split: float,
    validation_data: Any,
    sample_weight: Any,
    class_weight: Any,
    shuffle: bool,
    time_ordered: bool,
    standardize: bool,
) -> TrainingData:
    """Everything checked before anything is changed."""
    if validation_data is not None and validation_split:
        raise ArgumentError("give either validation_split or validation_data, not both")
    x, y = joined(x) if y is None else (x, y)
    intake = intake.named(objective, layout, x, y)
    measured = intake.measured(x, exact=standardize)
    target = intake.targets(objective, layout, y, len(measured))
    weight = _weights(objective, layout, target, sample_weight, class_weight, intake.classes)
    classes = class_numbers(objective, target)
    train, rest = split_indices(len(measured), validation_split, seed, classes, shuffle and not time_ordered)
    if validation_split and not len(rest):
        raise DataError(
            f"validation_split is {validation_split:g}, but none of the {len(measured)} rows can be split off: every "
            "class has one row, which is needed for training; use more rows, or validation_data="
        )
    intake = intake.standardising(measured[train]) if standardize else intake
    inputs = intake.scaled(measured)
    warn_other_order(x, y, stacklevel=CALLER)
    warn_unscaled(inputs, stacklevel=CALLER)
    warn_out_of_reach(objective, target, stacklevel=CALLER)
    rows = Rows(inputs, target, weight, train)
    _require_weight(rows, "training")
    validation: Rows | None = None
    if validation_data is not None:
        validation = _given(validation_data, layout, objective, intake)
    elif len(rest):
        validation = Rows(inputs, target, weight, rest)
        _require_weight(validation, "validation")
    if validation is not None:
        warn_duplicates(
            inputs[train] if len(rest) else inputs, validation.chosen()[0], "training", "validation", CALLER
        )
    return TrainingData(rows, validation, intake)


def _require_weight(rows: Rows, part: str) -> None:
    if rows.weight is not None and not rows.weight[rows.indices].any():
        raise DataError(
            f"all {len(rows.indices)} rows of the {part} data weigh 0 after the split, so their loss means nothing; "
            "use another validation_split or seed, or leave those rows out"
        )


def _weights(
    objective: Objective, layout: Layout, target: Array, sample_weight: Any, class_weight: Any, names: Names | None
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
    shares = target if objective.loss.targets == "classes" and target.ndim == 2 else classes
    by_class = class_weights(by_number(class_weight, names), shares, count).astype(layout.dtype)
    return by_class if weight is None else weight * by_class


def _given(validation_data: Any, layout: Layout, objective: Objective, intake: Intake) -> Rows:
    if not isinstance(validation_data, (tuple, list)) or len(validation_data) not in (2, 3):
        raise ArgumentError("validation_data must be (x, y) or (x, y, sample_weight)")
    x = intake.rows(validation_data[0], "validation x")
    y = intake.targets(objective, layout, validation_data[1], len(x), "validation y")
    weight = weights(validation_data[2], len(x), layout.dtype) if len(validation_data) == 3 else None
    return Rows(x, y, weight, np.arange(len(x)))
