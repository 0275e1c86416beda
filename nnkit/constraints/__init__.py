"""Constraints: what a parameter is brought back to after every update of the optimiser."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from nnkit import hyperparameters
from nnkit.constraints.constraint import Constraint
from nnkit.constraints.lengths import MaxNorm, MinMaxNorm, UnitNorm
from nnkit.constraints.signs import NonNegative
from nnkit.names import lookup

__all__ = [
    "ALIASES",
    "CONSTRAINTS",
    "Constraint",
    "MaxNorm",
    "MinMaxNorm",
    "NonNegative",
    "UnitNorm",
    "from_config",
    "get",
]

CONSTRAINTS: dict[str, Callable[[], Constraint]] = {
    made.name: made for made in (MaxNorm, MinMaxNorm, NonNegative, UnitNorm)
}
ALIASES = {
    "maxnorm": "max_norm",
    "minmaxnorm": "min_max_norm",
    "min_max": "min_max_norm",
    "non_neg": "non_negative",
    "nonneg": "non_negative",
    "nonnegative": "non_negative",
    "unitnorm": "unit_norm",
}


def get(constraint: str | Constraint) -> Constraint:
    """A constraint by name or alias; an object is returned as it is.

    >>> get("max_norm")
    MaxNorm(max_value=2.0, axis=0)
    """
    if isinstance(constraint, Constraint):
        return constraint
    return lookup("constraint", constraint, CONSTRAINTS, ALIASES)()


def from_config(config: Mapping[str, Any]) -> Constraint:
    """The constraint that ``Constraint.config`` described.

    >>> from_config(MaxNorm(3.0).config())
    MaxNorm(max_value=3.0, axis=0)
    """
    return hyperparameters.from_config("constraint", config, CONSTRAINTS)
