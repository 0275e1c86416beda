"""What is done to the rows of a table before a network sees them; it travels with the network."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from nnkit.data.arrays import Array, library
from nnkit.data.scaling import Scaling
from nnkit.errors import DataError


@dataclass(frozen=True, eq=False)
class Preprocessing:
    """Which columns of a table a network takes, and how they are standardised.

    Args:
        scaling: the standardisation that rows go through, in training, tests and predictions; None if they are taken
            as they are.
        features: names of the columns, in the network's order, if they have names.
        target: name of the column that is predicted.
        time_ordered: rows of its files follow each other in time, so that the last ones are for tests.

    >>> kept = Preprocessing(features=("height", "weight"), target="species")
    >>> kept.to_dict()
    {'scaling': None, 'features': ['height', 'weight'], 'target': 'species', 'time_ordered': False}
    """

    scaling: Scaling | None = None
    features: tuple[str, ...] | None = None
    target: str | None = None
    time_ordered: bool = False

    @classmethod
    def of_table(cls, x: Any) -> Preprocessing | None:
        """The names of the columns where ``x`` is a pandas table whose columns are all named by text."""
        names = _column_names(x)
        return None if names is None else cls(features=names)

    def scaled_by(self, scaling: Scaling) -> Preprocessing:
        """The same columns, standardised."""
        return replace(self, scaling=scaling)

    def columns(self, x: Any, argument: str) -> Any:
        """The network's columns of a pandas table, by their names; anything else as it is."""
        names = None if self.features is None else _column_names(x)
        if self.features is None or names is None or names == self.features:
            return x
        absent = [name for name in self.features if name not in names]
        if absent:
            raise DataError(
                f"{argument} has no column {', '.join(map(repr, absent))}, which the network was trained on; "
                f"it has {', '.join(map(repr, names))}"
            )
        return x[list(self.features)]

    def scaled_twice(self, table: Array) -> str | None:
        """What suggests that these rows were standardised before; None if nothing does, or there are too few of them.

        Every column then has a mean within 1 of 0 and a small spread, and in some of them that is more than three
        standard deviations away from what the network was trained on.
        """
        if self.scaling is None or len(table) < _ENOUGH:
            return None
        mean, spread = (getattr(table[:_LOOKED_AT], name)(axis=0, dtype=np.float64) for name in ("mean", "std"))
        away = np.abs(mean - self.scaling.mean) / self.scaling.scale
        column = int(np.argmax(away))
        if (np.abs(mean) > 1).any() or (spread > 3).any() or away[column] < 3:
            return None
        return (
            f"column {column} has a mean of {mean[column]:.2g}, and {self.scaling.mean[column]:.4g} in training; this "
            "network standardises its rows itself, so pass them as they were measured"
        )

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Preprocessing) and self.to_dict() == other.to_dict()

    __hash__ = None  # type: ignore[assignment]

    def to_dict(self) -> dict[str, Any]:
        """Plain data, for JSON; ``from_dict`` reads it back exactly."""
        return {
            "scaling": None if self.scaling is None else self.scaling.to_dict(),
            "features": None if self.features is None else list(self.features),
            "target": self.target,
            "time_ordered": self.time_ordered,
        }

    @classmethod
    def from_dict(cls, found: Any) -> Preprocessing:
        """What ``to_dict`` gave, after JSON; absent entries count as null. DataError says what is wrong with it."""
        known = [field.name for field in fields(cls)]
        if not isinstance(found, Mapping):
            raise DataError(f"has preprocessing {found!r:.80}; it is an object, or null")
        if unknown := sorted(set(map(str, found)) - set(known)):
            raise DataError(f"has preprocessing with the unknown {unknown[0]!r:.80}; known: {', '.join(known)}")
        scaling, features, target, time_ordered = (found.get(name) for name in known)
        if features is not None and not _are_names(features):
            raise DataError(f"has features {features!r:.80}; it is a list of names, or null")
        if not isinstance(target, str | None):
            raise DataError(f"has target {target!r:.80}; it is a name, or null")
        if not isinstance(time_ordered, bool | None):
            raise DataError(f"has time_ordered {time_ordered!r:.80}; it is true or false")
        return cls(
            None if scaling is None else Scaling.from_dict(scaling),
            None if features is None else tuple(features),
            target,
            bool(time_ordered),
        )


_ENOUGH = 8
_LOOKED_AT = 1000


def _column_names(x: Any) -> tuple[str, ...] | None:
    if library(x) != "pandas" or type(x).__name__ != "DataFrame" or not _are_names(list(x.columns)):
        return None
    return tuple(x.columns)


def _are_names(names: Any) -> bool:
    return isinstance(names, list) and all(isinstance(name, str) for name in names)
