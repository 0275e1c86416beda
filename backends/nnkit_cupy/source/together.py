"""Which pieces share a kernel: small ones join the first kernel of small ones that comes after what they wait for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from nnkit_cupy.source.order import NOTHING, Touched
from nnkit_cupy.source.pieces import Piece, Product

TOGETHER = 16
"""Pieces of a kernel at most: so layers of one kind share kernels, and none takes long to compile."""
SMALL = 4096
"""Elements that one block does at least as soon as another kernel would have started."""


@dataclass
class _Kernel:
    """Pieces of one kernel, or a product of the library."""

    items: list[Piece | Product] = field(default_factory=list)
    touched: Touched = NOTHING
    small: bool = False

    def add(self, item: Piece | Product) -> None:
        """One more, after the others."""
        self.items.append(item)
        self.touched = self.touched.joined(item.touched)

    @property
    def has_room(self) -> bool:
        """Whether there is room for another small piece."""
        return self.small and len(self.items) < TOGETHER


def together(items: Sequence[Piece | Product]) -> list[list[Piece | Product]]:
    """All items, kernel by kernel, in an order in which each comes after what it waits for.

    What does not wait for the gradients, such as the learning rate of the step, is computed before them.
    """
    kernels: list[_Kernel] = []
    for item in items:
        small = isinstance(item, Piece) and item.work <= SMALL
        first = len(kernels)
        while first and not kernels[first - 1].touched.before(item.touched):
            first -= 1
        start = max(first - 1, 0)  # what it waits for itself, if that is a kernel of small ones
        found = next((kernel for kernel in kernels[start:] if small and kernel.has_room), None)
        if found is None:
            found = _Kernel(small=small)
            kernels.append(found)
        found.add(item)
    return [kernel.items for kernel in kernels]
