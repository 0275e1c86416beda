"""A limit on the memory of a training: what counts, and the refusal that says what is possible."""

from __future__ import annotations

from dataclasses import dataclass

from nnkit.errors import ArgumentError
from nnkit.measure.units import bytes_text
from nnkit.plan.limit import MemoryLimitError

IN_BATCHES = "an optimizer that works in batches"


def shortage(needed: int, free: int | None, by_steps: bool = True) -> str | None:
    """What there is to say of a training that needs so many bytes beside its data; None if it fits."""
    if free is None or needed <= free:
        return None
    smaller = "a smaller batch_size (nnkit.find_batch_size gives the largest that fits)" if by_steps else IN_BATCHES
    return (
        f"the training needs {bytes_text(needed)} beside the data, and {bytes_text(free)} of memory are free; use "
        f"{smaller}, or memory_limit=, which computes values again instead of keeping them"
    )


@dataclass(frozen=True, slots=True)
class MemoryLimit:
    """``nbytes`` for the ``lasting`` bytes of a network and the arena of a program together; None: no limit."""

    nbytes: int | None
    lasting: int

    @property
    def arena(self) -> int | None:
        """What is left for the arena of a program; less than nothing where the lasting values alone are too large."""
        return None if self.nbytes is None else self.nbytes - self.lasting

    def refusal(self, reason: MemoryLimitError, rows: int, by_steps: bool = True) -> ArgumentError:
        """The error for a person, with the smallest limit that can be met; for steps of so many rows."""
        least = f"{reason.least + self.lasting:,} bytes"
        smaller = ", or a smaller batch_size" if rows > 1 else ""
        smaller = smaller if by_steps else f", or {IN_BATCHES}"
        return ArgumentError(
            f"memory_limit: a training in batches of {rows} needs at least {least}, {self.lasting:,} of them for "
            f"parameters, moments and the like; got {self.nbytes:,}; give {least}{smaller}, or use fewer neurons"
        )
