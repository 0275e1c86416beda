"""What a constraint is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar

from nnkit.arguments import KnownArguments
from nnkit.hyperparameters import config_of

Array = Any


class Constraint(KnownArguments, ABC):
    """The nearest values that are allowed, as a function of a parameter, in the standard's functions.

    Applied to the parameter after every update, inside the step; the first values are taken as they are. Subclasses are
    frozen dataclasses whose fields are the hyper-parameters.
    """

    name: ClassVar[str]

    @abstractmethod
    def __call__(self, weight: Array) -> Array:
        """The parameter as it is to be, of the shape and dtype of ``weight``."""

    def config(self) -> dict[str, Any]:
        """The constraint as plain data for JSON; ``constraints.from_config`` reads it back."""
        return config_of(self)
