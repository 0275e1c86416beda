"""The end of a small network in one kernel, forward and back: scores, their loss and slopes, and the slopes before.

Scores of a few classes are a product with few columns, softmax with its derivative is a pass over their rows, and the
slopes of the layer before are a product of these with the same weights. All three need a row of the batch and the
weights, so that a block does them for its row: the weights come to shared memory once, and nothing waits for other
blocks. As three kernels they follow each other on the longest way through the step.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from nnkit.plan import Plan
from nnkit.plan.look import Look
from nnkit.plan.passes import phases
from nnkit_cupy.source.head_kernel import Head, HeadKernel
from nnkit_cupy.source.passes import FOLDS
from nnkit_cupy.source.pieces import Piece, Product
from nnkit_cupy.source.registers import may_be_held
from nnkit_cupy.source.together import SMALL

CLASSES = 32
"""Scores of a row at most: each thread has one, and a part of each."""
FEWEST = 64
"""Terms of a score at least, so that the threads of the block have something to do."""
WEIGHTS = 1 << 13
"""How many fit the shared memory of a block."""
LEAST, MOST = 4 * SMALL, 1 << 21
"""Multiplications: with fewer one block does many steps; with more it costs that each block reads all weights."""
Items = list[Piece | Product]


class Heads:
    """Finds them in the steps of a plan."""

    def __init__(self, plan: Plan, looks: dict[int, Look], aligned: Callable[[Look], bool]) -> None:
        self._plan, self._nodes, self._looks, self._aligned = plan, plan.graph.nodes, looks, aligned

    def taken(self, items: Items) -> Items:
        """The items of a step with such kernels in the place of products and passes."""
        found = list(items)
        for at in reversed(range(len(items))):
            places = self._places(found, at)
            if places is None or not _may_join(found, *places):
                continue
            first, passed, back = (found[place] for place in places)
            head = self._head(first, passed, back)
            if head is None:
                continue
            kernel = HeadKernel(self._plan, self._looks, head, self._aligned)
            touched = first.touched.joined(passed.touched).joined(back.touched)
            made = replace(kernel.piece(), step=back.step, touched=touched)
            found[at] = replace(made, ending=kernel.piece, index=("r", "column"))
            del found[places[2]], found[places[1]]
        return found

    def _places(self, items: Items, at: int) -> tuple[int, int, int] | None:
        """Where a product is, the first pass over its result, and the product of that with the same weights."""
        scores = self._product(items[at])
        if scores is None:
            return None
        passed = next((k for k in range(at + 1, len(items)) if self._reads(items[k], scores)), len(items))
        places = range(passed + 1, len(items))
        back = next((k for k in places if self._goes_back(self._product(items[k]), scores, items[passed])), None)
        return None if back is None else (at, passed, back)

    def _product(self, item: Piece | Product) -> int | None:
        """The node of a product by a kernel of our own."""
        (first, *others) = self._plan.steps[item.step].nodes
        own = isinstance(item, Piece) and item.ending is not None and not others
        return first if own and self._nodes[first].operation == "matmul" else None

    def _reads(self, item: Piece | Product, value: int) -> bool:
        return any(value in self._nodes[i].inputs for i in self._plan.steps[item.step].nodes)

    def _goes_back(self, product: int | None, scores: int, passed: Piece | Product) -> bool:
        if product is None:
            return False
        slopes, weights = self._nodes[product].inputs
        same = weights == self._nodes[scores].inputs[1] and self._flags(product) == (False, True)
        return same and slopes in self._plan.steps[passed.step].nodes

    def _flags(self, product: int) -> tuple[bool, bool]:
        options = self._nodes[product].options
        return bool(options.get("transpose_a")), bool(options.get("transpose_b"))

    def _head(self, first: Piece | Product, passed: Piece | Product, back: Piece | Product) -> Head | None:
        """The nodes, if the kernel can do them."""
        (scores,), (last,) = (self._plan.steps[item.step].nodes for item in (first, back))
        head = Head(scores, self._plan.steps[passed.step].nodes, self._nodes[last].inputs[0], last)
        return head if self._may_be_passed(passed, head) and self._fits(head) else None

    def _may_be_passed(self, item: Piece | Product, head: Head) -> bool:
        """Whether the pass goes over rows of scores alone, in registers."""
        if self._plan.steps[item.step].kernel != "fused" or item.commits or not isinstance(item, Piece):
            return False
        shape = self._looks[head.scores].shape
        rows = all(self._looks[i].shape in (shape, (shape[0], 1), shape[:1]) for i in head.passed)
        folds = any(self._nodes[i].operation in FOLDS for i in head.passed)
        whole = self._looks[head.slopes].shape == shape
        parts = phases(self._plan.graph, head.passed)
        return rows and whole and not folds and may_be_held(self._plan, parts, self._looks)

    def _fits(self, head: Head) -> bool:
        """Whether it is small, but not so small that one block does many steps, and the weights lie row by row."""
        x, weights = (self._looks[i] for i in self._nodes[head.scores].inputs)
        if self._flags(head.scores) != (False, False) or x.text or weights.text or x.strides[1] != 1:
            return False
        (rows, terms), classes = x.shape, weights.shape[1]
        few = classes <= CLASSES and terms >= FEWEST and terms * classes <= WEIGHTS
        return few and LEAST < rows * terms * classes <= MOST and weights.contiguous


def _may_join(items: Items, at: int, passed: int, back: int) -> bool:
    """Whether all can run where the first does: nobody else comes in between, and no row writes over another's."""
    first, middle, last = (items[place].touched for place in (at, passed, back))
    apart = not (first.overwritten(middle) or first.overwritten(last) or middle.overwritten(last))
    early = any(each.touched.before(middle) for each in items[at + 1 : passed])
    between: Sequence[Piece | Product] = [*items[at + 1 : passed], *items[passed + 1 : back]]
    return apart and not early and not any(each.touched.before(last) for each in between)
