"""A step of a plan."""

from __future__ import annotations

from dataclasses import dataclass

from nnkit.plan.cost import Cost


@dataclass(frozen=True, slots=True)
class Step:
    """One kernel: the nodes it computes in order, the rows of a tile (0: all at once), its phase and cost.

    Threads divide a ``shared`` one among them.
    """

    kernel: str
    nodes: tuple[int, ...]
    tile: int
    phase: str
    cost: Cost
    shared: bool = False
