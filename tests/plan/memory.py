"""A check of a plan's memory that knows nothing of the planner: every byte remembers who wrote it last."""

from __future__ import annotations

import numpy as np

from nnkit.graph.dtypes import itemsize
from nnkit.plan.passes import space
from nnkit.plan.planner import part_offset


class Memory:
    """The arena and the states as bytes with the number of the value that each belongs to."""

    def __init__(self, plan):
        self.plan, self.graph = plan, plan.graph
        self.arena = np.full(plan.arena_bytes, -1)
        self.inputs = {
            i: np.full(node.nbytes, i) for i, node in self.graph if node.operation == "input" and None not in node.shape
        }

    def root(self, i):
        while self.plan.slots[i].kind == "view":
            i = self.plan.slots[i].ref
        return i

    def reshaped(self, i):
        """Whether a view has the rows of what it looks at."""
        first = self.graph.nodes[i].shape[:1]
        while self.plan.slots[i].kind == "view" and self.graph.nodes[i].operation == "reshape":
            i = self.plan.slots[i].ref
        return i == self.root(i) and self.graph.nodes[i].shape[:1] == first

    def cells(self, i, rows=None):
        """The bytes of a value, or of some of its rows."""
        slot, node = self.plan.slots[i], self.graph.nodes[i]
        if slot.kind in ("input", "state"):
            whole = self.inputs.get(slot.ref if slot.kind == "state" else i)
            first = 0
        else:
            whole, first = self.arena[slot.offset : slot.offset + slot.nbytes], 0
            assert slot.offset % itemsize(node.dtype) == 0
            assert len(whole) == slot.nbytes, "outside the arena"
        if rows is None or whole is None:
            assert not slot.tiled
            return whole
        row = node.nbytes // node.shape[0]
        first = 0 if slot.tiled else rows[0] * row
        count = (rows[1] - rows[0]) * row
        assert first + count <= len(whole), "outside the slot"
        return whole[first : first + count]

    def read(self, i, rows=None):
        if self.plan.slots[i].kind == "view":
            # In another shape of as many rows each is its own; other views are read as a whole.
            i, rows = self.root(i), rows if self.reshaped(i) else None
        if self.plan.slots[i].kind == "constant":
            return
        cells = self.cells(i, rows)
        if cells is not None:
            owners = self.owners(i)
            if rows is not None:
                row = len(owners) // self.graph.nodes[i].shape[0]
                owners = owners[rows[0] * row : rows[1] * row]
            np.testing.assert_array_equal(cells, owners, err_msg=f"%{i} is lost")

    def owners(self, i):
        """Who must have written the bytes of a value: itself, or the parts that were computed at their place in it."""
        node = self.graph.nodes[i]
        owners = np.full(node.nbytes, i)
        if node.operation == "concat" and node.options["axis"] == 0:
            first = 0
            for part in node.inputs:
                size = self.graph.nodes[part].nbytes
                if part_offset(self.graph, part, self.plan.slots) == self.plan.slots[i].offset + first:
                    owners[first : first + size] = self.owners(self.root(part))
                first += size
        return owners

    def write(self, i, rows=None):
        cells = self.cells(i, rows)
        if self.graph.nodes[i].operation == "concat":
            own = self.owners(i) == i
            cells[own] = i
        else:
            cells[:] = i


def check_memory(plan):
    """Run the plan on owners instead of values."""
    memory = Memory(plan)
    for step in plan.steps:
        whole = space(plan.graph, step.nodes)
        rows = whole[0] if step.tile else 1
        for start in range(0, rows, step.tile or 1):
            span = (start, min(start + step.tile, rows)) if step.tile else None
            for i in step.nodes:
                for operand in plan.graph.nodes[i].inputs:
                    shape = plan.graph.nodes[operand].shape
                    alike = len(shape) == len(plan.graph.nodes[i].shape) and shape[:1] == (rows,)
                    memory.read(operand, span if step.tile and (alike or shape == whole) else None)
                memory.write(i, span)
    for name, i in plan.graph.outputs:
        if name not in plan.graph.inputs:
            memory.read(i)
    staged = {copy.state for copy in plan.copies if copy.stage >= 0}
    for copy in plan.copies:
        if copy.state in staged:
            memory.read(copy.new)
    for copy in plan.copies:
        if copy.state not in staged:
            memory.read(copy.new)
        memory.inputs[copy.state][:] = copy.new
    for state, new in plan.graph.state.items():
        over = plan.slots[new].kind == "state" and plan.slots[new].ref == state
        copied = any(copy.state == state and copy.new == new for copy in plan.copies)
        assert over or copied or new == state
        assert set(memory.inputs[state]) <= {new}
