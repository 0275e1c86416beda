"""The rows that a network learns from, and how they lie in the plane that a page shows."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from nnkit.data.arrays import Array
from nnkit.data.splits import split_indices
from nnkit.playground.features import DERIVED, derived
from nnkit.playground.points import RANGE


@dataclass(frozen=True, eq=False)
class Plane:
    """Rows of ``columns``, in the units of the page: −6 to 6.

    Args:
        rows: (rows, columns), float64.
        target: labels (rows,), whole numbers that count ``classes``, or values (rows,) from −1 to 1 if these are empty.
        test: which rows are for testing, (rows,) of bool.
        columns: their names; of points these are x₁ and x₂, from which features are derived.
        axes: the two columns that the plane shows.
        summary: a sentence for the page.
        ends: what −6 and 6 of each column were before it came to the page's units; empty where it is in these.
        values: what −1 and 1 of the target were.
        target_name: the column of a table that it is.
        targets: all columns of the table.
    """

    rows: Array
    target: Array
    test: Array
    classes: tuple[str, ...]
    columns: tuple[str, ...] = ("x₁", "x₂")
    axes: tuple[int, int] = (0, 1)
    summary: str = ""
    ends: tuple[tuple[float, float], ...] = ()
    values: tuple[float, float] = (-1.0, 1.0)
    target_name: str = ""
    targets: tuple[str, ...] = ()
    of_points: bool = True

    @property
    def offered(self) -> dict[str, str]:
        """Names and labels of the features that there are."""
        if self.of_points:
            return {name: label for name, (label, _) in DERIVED.items()}
        return {name: name for name in self.columns}

    def features(self, rows: Array, names: tuple[str, ...]) -> Array:
        """What the network gets of rows, (rows, features) in float32."""
        if self.of_points:
            return derived(rows, names)
        return rows[:, [self.columns.index(name) for name in names]].astype(np.float32)

    @cached_property
    def points(self) -> Array:
        """The rows in the plane, (rows, 2)."""
        return self.rows[:, list(self.axes)]

    def grid(self, side: int) -> Array:
        """Rows at the middles of side × side fields of the plane, from the upper left; other columns at their means."""
        middles = (np.arange(side) + 0.5) / side * 2 * RANGE - RANGE
        across, down = np.meshgrid(middles, middles[::-1])
        means = self.rows.mean(axis=0) if len(self.rows) else np.zeros(len(self.columns))
        found = np.tile(means, (side * side, 1))
        found[:, self.axes[0]], found[:, self.axes[1]] = across.reshape(-1), down.reshape(-1)
        return found


def held_out(target: Array, share: float, seed: int, stratified: bool) -> Array:
    """Which rows are for testing: a share of all, of each class alike."""
    found = np.zeros(len(target), dtype=bool)
    _, test = split_indices(len(target), share, seed, labels=target if stratified else None)
    found[test] = True
    return found
