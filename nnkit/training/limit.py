"""A limit on the memory of a training: what counts, and the refusal that says what is possible."""

from __future__ import annotations

from dataclasses import dataclass

from nnkit.errors import ArgumentError
from nnkit.plan.limit import MemoryLimitError


@dataclass(frozen=True, slots=True)
class MemoryLimit:
    """``nbytes`` for the ``lasting`` bytes of a network and the arena of a program together; None: no limit."""

    nbytes: int | None
    lasting: int

    @property
    def arena(self) -> int | None:
        """What is left for the arena of a program; less than nothing where the lasting values alone are too large."""
        return None if self.nbytes is None else self.nbytes - self.lasting

    def refusal(self, reason: MemoryLimitError, rows: int) -> ArgumentError:
        """The error for a person, with the smallest limit that can be met."""
        least = f"{reason.least + self.lasting:,} bytes"
        smaller = ", or a smaller batch_size" if rows > 1 else ""
        return ArgumentError(
            f"memory_limit: a training in batches of {rows} needs at least {least}, {self.lasting:,} of them for "
            f"parameters, moments and the like; got {self.nbytes:,}; give {least}{smaller}, or use fewer neurons"
        )
