"""Schedules one after the other."""

from __future__ import annotations

import collections.abc
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from nnkit.errors import ArgumentError
from nnkit.hyperparameters import check_ascending, check_count
from nnkit.ops import namespace
from nnkit.optimizers.schedules.constant import Constant
from nnkit.optimizers.schedules.schedule import Schedule

Array = Any


@dataclass(frozen=True)
class Sequence(Schedule):
    """The first of the ``schedules`` until the first of the ``boundaries``, then the second, and so on.

    Boundaries count updates from the end of the warm-up. At its boundary a schedule starts as if it were alone, with a
    warm-up of its own if it has one; one that was left open is stretched to the next boundary, and the last one to the
    end of the training. The setting ``learning_rate`` is the highest of their rates, and changing it scales them all.

    >>> parts = Sequence([Constant(1.0), Constant(0.5), Constant(0.1)], boundaries=[2, 3])
    >>> [parts.at(step) for step in (1, 2, 3, 4, 5)]
    [1.0, 1.0, 0.5, 0.1, 0.1]
    """

    schedules: collections.abc.Sequence[Schedule]
    boundaries: collections.abc.Sequence[int]
    warmup: int = 0

    name: ClassVar[str] = "sequence"

    def __post_init__(self) -> None:
        given: Any = self.schedules
        schedules = tuple(given) if isinstance(given, collections.abc.Iterable) else (given,)
        for number, part in enumerate(schedules):
            if not isinstance(part, Schedule):
                raise ArgumentError(f"Sequence: schedules[{number}] is {part!r}, expected a schedule object")
        boundaries = check_ascending("Sequence", "boundaries", self.boundaries)
        if len(schedules) != len(boundaries) + 1:
            raise ArgumentError(
                f"Sequence: {len(schedules)} schedules and {len(boundaries)} boundaries; expected one boundary between "
                "each two schedules, and so one less"
            )
        check_count("Sequence", "warmup", self.warmup, at_least=0)
        object.__setattr__(self, "schedules", schedules)
        object.__setattr__(self, "boundaries", boundaries)

    @classmethod
    def piecewise(cls, boundaries: collections.abc.Sequence[int], rates: collections.abc.Sequence[float]) -> Sequence:
        """Constant rates: the first for as many updates as the first boundary says, and so on.

        >>> [Sequence.piecewise([1, 3], [0.1, 0.01, 0.001]).at(step) for step in (1, 2, 3, 4)]
        [0.1, 0.01, 0.01, 0.001]
        """
        return cls([Constant(rate) for rate in rates], boundaries)

    @property
    def learning_rate(self) -> float:  # type: ignore[override]  # a schedule made of others has no rate of its own
        """The highest rate of its schedules."""
        return max(part.learning_rate for part in self.schedules)

    def resolved(self, total_steps: int) -> Schedule:
        """With all that was left open stretched between the boundaries."""
        starts = (0, *self.boundaries)
        ends = (*self.boundaries, max(total_steps - self.warmup, starts[-1] + 1))
        lengths = [end - start for start, end in zip(starts, ends, strict=True)]
        parts = [part.resolved(length) for part, length in zip(self.schedules, lengths, strict=True)]
        return replace(self, schedules=tuple(parts))

    def own_settings(self) -> dict[str, float]:
        """The numbers that the formulas read, by the number of the part."""
        found = {"scale": 1.0 / self.learning_rate if self.learning_rate else 1.0}
        for number, part in enumerate(self.schedules):
            found |= {f"part_{number}.{name}": value for name, value in part.settings().items()}
        return found | {f"boundary_{number + 1}": float(value) for number, value in enumerate(self.boundaries)}

    def rate(self, finished: Array, settings: Mapping[str, Array]) -> Array:
        """The rate of the part that it falls into."""
        xp, rate = namespace(finished), finished * 0.0
        for number, part in enumerate(self.schedules):
            own = {name: settings[f"part_{number}.{name}"] for name in part.settings()}
            start = settings[f"boundary_{number}"] if number else 0.0
            value = part(xp.maximum(finished - start, 0.0) + 1.0, own)
            rate = xp.where(finished >= start, value, rate)
        return rate * (settings["learning_rate"] * settings["scale"])
