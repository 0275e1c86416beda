"""Which pieces share a kernel.

Starting a kernel takes about as long as a small one runs. Small pieces follow each other in one block. And gradients of
parameters, which nothing but the update waits for, are computed side by side by blocks of one kernel.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from nnkit_cupy.source.guard import STATE
from nnkit_cupy.source.order import NOTHING, Touched
from nnkit_cupy.source.pieces import Piece, Product

TOGETHER = 16
"""Pieces of a kernel at most, beside those of one thread: so layers of one kind share kernels, and none takes long to
compile."""
SMALL = 4096
"""Elements that one block does at least as soon as another kernel would have started."""
THREADS = 256
"""Of a block of several strands at most: with more, each thread has too few registers for a product."""
Strand = list[Piece | Product]
"""Pieces that follow each other, or one product of the library."""


@dataclass
class _Kernel:
    """Strands of one kernel, and of them the last one that is still growing."""

    strands: list[Strand] = field(default_factory=list)
    touched: Touched = NOTHING
    small: bool = False

    def add(self, item: Piece | Product) -> None:
        """One more, after the others."""
        self.strands[-1].append(item)
        self.touched = self.touched.joined(item.touched)

    def takes(self, item: Piece | Product) -> bool:
        """Whether there is room for another small piece."""
        return self.small and _is_small(item) and sum(not _is_single(each) for each in self.strands[-1]) < TOGETHER

    @property
    def commits(self) -> bool:
        """Whether it writes states, or counts steps."""
        return any(item.commits or STATE in item.touched.writes for strand in self.strands for item in strand)

    def beside(self, other: _Kernel) -> bool:
        """Whether blocks of one kernel can do both, each with threads enough and not many more."""
        pieces = [item for kernel in (self, other) for strand in kernel.strands for item in strand]
        return all(isinstance(piece, Piece) and piece.least <= THREADS for piece in pieces)


def _is_single(item: Piece | Product) -> bool:
    return isinstance(item, Piece) and item.single


def _is_small(item: Piece | Product) -> bool:
    return isinstance(item, Piece) and item.work <= SMALL


def together(items: Sequence[Piece | Product]) -> list[list[Strand]]:
    """All items, kernel by kernel, in an order in which each comes after what it waits for.

    What does not wait for the gradients, such as the learning rate of the step, is computed before them.
    """
    kernels: list[_Kernel] = []
    for item in items:
        start = max(_first(kernels, item.touched) - 1, 0)  # what it waits for itself, if that is a kernel of small ones
        found = next((kernel for kernel in kernels[start:] if kernel.takes(item)), None)
        if found is None:
            found = _put_off(kernels, item) or _Kernel([[]], small=_is_small(item))
            kernels.append(found)
        found.add(item)
    return [kernel.strands for kernel in _side_by_side(kernels)]


def _first(kernels: Sequence[_Kernel], touched: Touched) -> int:
    """From which on the kernels are independent of what comes after them and touches this."""
    first = len(kernels)
    while first and not (kernels[first - 1].touched.before(touched) or touched.before(kernels[first - 1].touched)):
        first -= 1
    return first


def _put_off(kernels: list[_Kernel], item: Piece | Product) -> _Kernel | None:
    """A kernel of the update with room for a small piece, that nothing has waited for, taken out to come later."""
    for number, kernel in enumerate(kernels):
        waited = any(kernel.touched.before(other.touched) for other in kernels[number + 1 :])
        if kernel.commits and kernel.takes(item) and not waited:
            return kernels.pop(number)
    return None


def _side_by_side(kernels: Sequence[_Kernel]) -> Iterator[_Kernel]:
    """Kernels whose results only the update reads, and that wait for the same one, as one."""
    firsts: dict[int, _Kernel] = {}
    for number, kernel in enumerate(kernels):
        ready = _first(kernels[:number], kernel.touched)
        later = (other for other in kernels[number + 1 :] if not other.commits)
        if kernel.commits or any(kernel.touched.before(other.touched) for other in later):
            yield kernel
        elif ready in firsts and firsts[ready].beside(kernel):
            firsts[ready].strands += kernel.strands
            firsts[ready].touched = firsts[ready].touched.joined(kernel.touched)
        else:
            firsts[ready] = kernel
            yield kernel
