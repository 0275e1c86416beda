"""What a network makes of the rows and targets that it is given, whichever library they come from."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy.typing as npt

from nnkit.data.checks import features, shaped, warn_scaled_twice
from nnkit.data.checks.common import convert
from nnkit.data.class_names import numbered
from nnkit.data.preprocessing import Preprocessing
from nnkit.data.scaling import Scaling
from nnkit.errors import ArgumentError
from nnkit.nn import Module
from nnkit.nn.module import walk
from nnkit.training.layout import Layout
from nnkit.training.objective import Objective
from nnkit.training.targets import classes_told_apart, targets

Array = npt.NDArray[Any]


class Intake(NamedTuple):
    """Columns picked and standardised, classes numbered, everything checked and converted."""

    shape: tuple[int, ...]
    """Of one row."""
    dtype: str
    layer: str | None = None
    """How errors name the layer that receives the rows."""
    preprocessing: Preprocessing | None = None
    classes: tuple[str, ...] | None = None

    @property
    def scaling(self) -> Scaling | None:
        """How rows are standardised, if they are."""
        return None if self.preprocessing is None else self.preprocessing.scaling

    def rows(self, x: Any, argument: str = "x") -> Array:
        """``x`` as the network takes it: (rows, \\*shape) in its dtype."""
        return self.scaled(self.measured(x, argument), argument)

    def measured(self, x: Any, argument: str = "x", exact: bool = False) -> Array:
        """``x`` checked: in the network's dtype, or ``exact``, as it was measured, for what is standardised."""
        picked = x if self.preprocessing is None else self.preprocessing.columns(x, argument)
        if not exact and self.scaling is None:
            return features(picked, self.shape, self.dtype, argument, self.layer)
        raw = shaped(picked, self.shape, argument, self.layer)
        return convert(raw, str(raw.dtype) if raw.dtype.kind == "f" else "float64", argument)

    def scaled(self, measured: Array, argument: str = "x") -> Array:
        """What ``measured`` gave, standardised if the network does that."""
        if self.preprocessing is None or self.scaling is None:
            return measured
        warn_scaled_twice(self.preprocessing, measured, argument, stacklevel=5)
        return convert(self.scaling.apply(measured, self.dtype), self.dtype, argument)

    def targets(self, objective: Objective, layout: Layout, y: Any, rows: int, argument: str = "y") -> Array:
        """``y`` as the loss takes it; text as the numbers of its classes."""
        count = classes_told_apart(objective, layout)
        numbers = y if count is None else numbered(y, self.classes, count, argument)[0]
        return targets(objective, layout, numbers, rows, argument)

    def named(self, objective: Objective, layout: Layout, x: Any, y: Any) -> Intake:
        """With the names of columns and classes that the data bring along, where none are known yet."""
        count = classes_told_apart(objective, layout)
        classes = self.classes if count is None else numbered(y, self.classes, count)[1]
        return self._replace(preprocessing=self.preprocessing or Preprocessing.of_table(x), classes=classes)

    def standardising(self, rows: Array) -> Intake:
        """With the scaling of these rows, unless there is one: the weights go with the scaling they were trained on."""
        if self.scaling is not None:
            return self
        if len(self.shape) != 1:
            raise ArgumentError(
                f"standardize=True is for rows of columns, and this network takes rows of shape {self.shape}; "
                "scale them before, such as pixels by x / 255"
            )
        kept = self.preprocessing or Preprocessing()
        return self._replace(preprocessing=kept.scaled_by(Scaling.fit(rows)))


def first_layer(module: Module, layout: Layout) -> str | None:
    """How errors name the layer that the data enters: ``layer 'layers.0' (Dense)``."""
    kinds = {path: type(part).__name__ for path, part in walk(module) if isinstance(part, Module)}
    for path in layout.parameters:
        owner = path.rpartition(".")[0]
        return f"layer '{owner}' ({kinds[owner]})" if owner in kinds else None
    return None
