"""Which rows a gather takes, computed where they are taken: so the batch waits for the cursor alone.

The index of a batch is a gather itself, order[cursor + (0, 1, 2, …)]. Nothing of that is written to memory.
"""

from __future__ import annotations

from collections.abc import Mapping

from nnkit.plan import Plan
from nnkit.plan.look import Look
from nnkit.plan.passes import is_elementwise
from nnkit_cupy.source.order import Region, region
from nnkit_cupy.source.scalars import expression

DEEP = 8
"""Values that an index may be made of."""


class RowsTaken:
    """Indices of gathers that are computed in place."""

    def __init__(self, plan: Plan, looks: Mapping[int, Look]) -> None:
        self._plan, self._nodes, self._looks = plan, plan.graph.nodes, looks
        self._outputs = set(plan.graph.output.values())
        self._chains = {i: chain for i, node in plan.graph if node.operation == "take" if (chain := self._chain(i))}
        self.skipped = {i for chain in self._chains.values() for i in chain if self._unread(i)}
        """Values that nobody reads from memory."""

    def code(self, take: int, index: str) -> str | None:
        """The row that a gather takes at an index; None where it stands in memory."""
        return self._element(self._nodes[take].inputs[1], index) if take in self._chains else None

    def reads(self, take: int) -> tuple[Region, ...]:
        """The memory that such an index is read from."""
        chain = self._chains.get(take, ())
        leaves = dict.fromkeys(o for i in chain for o in self._nodes[i].inputs if o not in chain)
        return tuple(place for o in leaves for place in region(self._plan, o, {}))

    def _chain(self, take: int) -> tuple[int, ...]:
        """What the index of a gather is made of, if that is little: gathers and arithmetic on numbers and lines."""
        found: dict[int, None] = {}
        waiting = [self._nodes[take].inputs[1]]
        while waiting:
            i = waiting.pop()
            if self._lasts(i):
                continue
            node = self._nodes[i]
            line = node.operation == "take" and self._is_line(node.inputs[0])
            if not (line or is_elementwise(node)) or len(node.shape) > 1 or len(found) == DEEP:
                return ()
            found[i] = None
            waiting += node.inputs[1:] if line else node.inputs
        return tuple(found)

    def _is_line(self, i: int) -> bool:
        return self._lasts(i) and len(self._nodes[i].shape) == 1

    def _lasts(self, i: int) -> bool:
        """Whether a value stays what it is during the step. Numbers of the state do: they are copied at its end."""
        kind, changes = self._plan.slots[i].kind, i in self._plan.graph.state
        return kind == "constant" or (kind == "input" and (not changes or self._nodes[i].shape == ()))

    def _element(self, i: int, index: str) -> str:
        node, look = self._nodes[i], self._looks[i]
        index = "0" if node.shape == (1,) else index  # which is repeated
        if self._lasts(i):
            return look.at([index] if look.shape else [])
        if node.operation != "take":
            operands = [self._element(o, index) for o in node.inputs]
            return f"({expression(node, operands, [self._nodes[o].dtype for o in node.inputs])})"
        x = self._looks[node.inputs[0]]
        return x.at([f"nn_row({self._element(node.inputs[1], index)}, {x.rows or x.shape[0]})"])

    def _unread(self, i: int) -> bool:
        """Whether all who use a value compute it themselves."""
        return i not in self._outputs and all(self._inside(user, i) for user in self._plan.graph.users[i])

    def _inside(self, user: int, i: int) -> bool:
        if self._nodes[user].operation == "take" and self._nodes[user].inputs[0] == i:
            return False  # whose rows are read from memory
        if user in self._chains and self._nodes[user].inputs[1] == i:
            return True
        return any(user in chain for chain in self._chains.values()) and self._unread(user)
