"""Schedules with an end: a shape that is stretched over so many updates, or over the whole training."""

from __future__ import annotations

from dataclasses import replace
from typing import Self

from nnkit.errors import ArgumentError
from nnkit.hyperparameters import check_count
from nnkit.optimizers.schedules.schedule import Schedule


class Stretched(Schedule):
    """A schedule of N = ``steps`` − ``warmup`` updates after the warm-up; it stays where it then is.

    ``steps`` counts all updates, warm-up included; ``None`` stands for the whole training, and :meth:`resolved` puts
    its length in. Subclasses are frozen dataclasses with the field ``steps``.
    """

    steps: int | None

    def resolved(self, total_steps: int) -> Self:
        """The schedule over ``total_steps`` updates if it was left open, else itself."""
        return replace(self, steps=total_steps) if self.steps is None else self  # type: ignore[type-var]

    @property
    def length(self) -> int:
        """N, once it is known."""
        if self.steps is None:
            raise ArgumentError(
                f"{type(self).__name__}: steps is None, the whole training, whose length is unknown here; "
                "give steps= or use resolved(total_steps)"
            )
        return self.steps - self.warmup

    def check_steps(self) -> None:
        """Refuse a warm-up that leaves no updates; for the end of a subclass's construction."""
        if self.steps is None:
            return
        owner = type(self).__name__
        check_count(owner, "steps", self.steps, at_least=1)
        if self.steps <= self.warmup:
            raise ArgumentError(
                f"{owner}: warmup is {self.warmup} of {self.steps} steps, which leaves none to fall in; "
                "shorten the warm-up"
            )
