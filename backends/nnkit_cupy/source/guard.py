"""What a step may write: every kernel that writes states asks for itself whether loss and gradients were finite.

So the update waits for nothing but the last gradient. What is asked are truths in memory of their own. After the
update they are counted up: how many steps were done, and whether one was refused, after which none is done any more.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping

from nnkit.plan import Plan
from nnkit.plan.look import Look, fixed, steps
from nnkit_cupy.source.order import Region, Touched
from nnkit_cupy.source.passes import FOLDS
from nnkit_cupy.source.pieces import Lines, Piece, block

FORCED, STOPPED, DONE = range(3)
"""Places in the state of a program: whether it writes anyway, whether a step was refused, and how many were done."""
STATE, TRUTHS = Region("state"), Region("truths")
JOINED = {"bitwise_and": "&", "logical_and": "&", "bitwise_or": "|", "logical_or": "|"}


class Guard:
    """Where the truths of a plan stand, and what they make of a step."""

    def __init__(self, plan: Plan) -> None:
        self._plan, self._nodes = plan, plan.graph.nodes
        fused = [i for step in plan.steps if step.kernel == "fused" for i in step.nodes]
        self.told = [i for i in fused if self._nodes[i].operation in FOLDS]
        asked = [] if plan.guard is None else list(self._leaves(plan.guard, JOINED))
        computed = {i for step in plan.steps for i in step.nodes}
        self.places = list(dict.fromkeys([*self.told, *(i for i in asked if i in computed)]))

    def looks(self) -> dict[int, Look]:
        """Of the values that are truths."""
        shapes = {i: fixed(self._nodes[i].shape) for i in self.places}
        return {i: Look("truths", place, shapes[i], steps(shapes[i])) for place, i in enumerate(self.places)}

    def reset(self) -> Iterator[Piece]:
        """What stands there before a step, where it is changed only by who sees the unusual."""
        if self.told:
            lines = [f"if (TID == 0) truths[{k}] = {FOLDS[self._nodes[i].operation]};" for k, i in enumerate(self.told)]
            yield Piece(lines, 1, 32, 1, touched=Touched(writes=(TRUTHS,)), single=True)

    def condition(self, looks: Mapping[int, Look]) -> str:
        """In code: whether what is written now may be; without short cuts, as below."""
        if self._plan.guard is None:
            return ""
        return f"state[{FORCED}] | (!state[{STOPPED}] & {self._text(self._plan.guard, looks)})"

    def counted(self, looks: Mapping[int, Look]) -> Iterator[Piece]:
        """The end of a step."""
        if self._plan.guard is None:
            return
        fine = f"if (!state[{STOPPED}] & {self._text(self._plan.guard, looks)}) state[{DONE}]++;"
        lines: Lines = [fine, f"else state[{STOPPED}] = 1;"]
        last = max(len(self._plan.steps) - 1, 0)
        touched = Touched((STATE, TRUTHS), (STATE,))
        yield Piece(block("if (TID == 0)", lines), 1, 32, 1, last, touched=touched, single=True)

    def _inner(self, i: int, operations: Container[str]) -> bool:
        return self._nodes[i].operation in operations and self._nodes[i].size == 1

    def _leaves(self, i: int, operations: Container[str]) -> Iterator[int]:
        """What is joined by these operations alone, from the first."""
        waiting = [i]
        while waiting:
            i = waiting.pop()
            if self._inner(i, operations):
                waiting += reversed(self._nodes[i].inputs)
            else:
                yield i

    def _text(self, i: int, looks: Mapping[int, Look]) -> str:
        """The guard in code; without short cuts, so that all truths are read at once.

        What one operation joins stands in one pair of brackets: a deep network has more of it than compilers nest.
        """
        operation = self._nodes[i].operation
        look = looks.get(i)
        if look is not None and look.buffer == "truths":  # all kernels ask for the same, so that none gets their places
            return f"truths[{look.offset}]"
        if not self._inner(i, JOINED):
            return f"({looks[i].at(['0'] * len(looks[i].shape))})"
        alike = [name for name, sign in JOINED.items() if sign == JOINED[operation]]
        parts = dict.fromkeys(self._text(o, looks) for o in self._leaves(i, alike))
        return f"({f' {JOINED[operation]} '.join(parts)})"
