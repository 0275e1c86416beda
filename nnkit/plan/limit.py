"""The refusal of a memory limit that no plan can meet."""

from __future__ import annotations

from nnkit.errors import ArgumentError


class MemoryLimitError(ArgumentError):
    """A plan's arena cannot be as small as asked; ``least`` is the smallest that it can be, in bytes."""

    def __init__(self, limit: int, least: int) -> None:
        super().__init__(f"memory_limit: the values of one step need at least {least:,} bytes, got {limit:,}")
        self.limit, self.least = limit, least
