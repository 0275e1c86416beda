"""The figures of ``test``, from predictions and targets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from nnkit.metrics import binary, classification, regression
from nnkit.names import listed
from nnkit.training.objective import Objective
from nnkit.training.result import Scores

Array = npt.NDArray[Any]
Names = tuple[str, ...]
_SHOWN = 5


def scored(
    goal: Objective,
    names: Names | None,
    loss: float,
    y: Array,
    predictions: Array,
    asked: Mapping[str, float],
    elapsed_s: float,
) -> Scores:
    """The figures that suit the kind of targets, and those that were ``asked`` for."""
    found = _usual(goal, y, predictions)
    kept = {name: value for name, value in found.items() if name in Scores.__dataclass_fields__}
    kept |= {name: value for name, value in asked.items() if name in Scores.__dataclass_fields__}
    others = {name: value for name, value in asked.items() if name not in kept}
    notes = () if "confusion" not in found else tuple(_notes(found["confusion"], names, "per_class" in found))
    return Scores(loss, len(y), classes=names, elapsed_s=elapsed_s, metrics=others, notes=notes, **kept)


def _usual(goal: Objective, y: Array, predictions: Array) -> dict[str, Any]:
    kind = goal.loss.targets
    if kind == "classes":
        return classification(predictions, y if y.ndim == 1 else np.argmax(y, axis=1), predictions.shape[1])
    if kind == "binary":
        return binary(predictions, y > 0.5, goal.threshold)
    return regression(predictions[:, : y.shape[1]], y) if kind == "numbers" else {}


def _notes(confusion: Array, names: Names | None, several: bool) -> Iterator[str]:
    """Which parts of the figures would be 0 / 0. Of fewer rows than classes nobody expects all of them."""
    rows, predicted = confusion.sum(axis=1), confusion.sum(axis=0)
    if confusion.sum() < len(confusion):
        return
    for below, above, what, figure in (
        (predicted, rows, "never predicted", "precision"),
        (rows, predicted, "without rows in these data", "recall"),
    ):
        lacking = np.flatnonzero((below == 0) & (above > 0))
        if several and len(lacking):
            yield f"{_named(lacking, names)} {what}, so the {figure} there would be 0/0; it counts as 0 in the mean"
        elif not several and below[1] == 0:
            yield f"{_named(np.array([1]), names)} {what}, so the {figure} would be 0/0; it is NaN"


def _named(classes: Array, names: Names | None) -> str:
    shown = [str(number) if names is None else repr(names[number]) for number in classes.tolist()]
    return f"class {shown[0]} is" if len(classes) == 1 else f"classes {listed(shown, _SHOWN)} are"
