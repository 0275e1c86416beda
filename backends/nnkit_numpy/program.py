"""From a plan to Python source, and from the source to a program on real arrays."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from nnkit.backend import Store
from nnkit.graph.ir import Node
from nnkit.plan import Plan, Step
from nnkit.plan.host import constant, view
from nnkit.plan.passes import goes_along, space
from nnkit.plan.planner import part_offset
from nnkit.plan.schedule import VIEWS
from nnkit_numpy import kernels
from nnkit_numpy.memory import Array, aligned
from nnkit_numpy.random import RandomBits
from nnkit_numpy.stopwatch import step_seconds

NAMES = {name: getattr(np, name) for name in dir(np) if isinstance(getattr(np, name), np.ufunc)} | {"copyto": np.copyto}


class NumpyExecutable:
    """The code of a plan: one line of NumPy for each primitive, tiles as loops over views that are made at binding."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.source = _source(plan)
        self._code = compile(self.source, f"<nnkit plan {plan.fingerprint[:12]}>", "exec")

    def bind(self, store: Store, data: Mapping[str, Any]) -> NumpyProgram:
        """A program with its own arena on the store's arrays and these data."""
        return NumpyProgram(self.plan, self._code, store, data)


class NumpyProgram:
    """Runs steps; holds every view that the code names, so that a step makes no array."""

    def __init__(self, plan: Plan, code: Any, store: Store, data: Mapping[str, Any]) -> None:
        self._bind(plan, store, data)
        self._names: dict[str, Any] = dict(NAMES)
        for i, node in plan.graph:
            self._names[f"v{i}"] = self._arrays[i]
            self._add_helpers(i, node)
        for number, step in enumerate(plan.steps):
            if step.tile:
                self._names[f"tiles{number}"] = self._tiles(step)
        for copy in plan.copies:
            if copy.stage >= 0:
                self._names[f"stage{copy.state}"] = self._view(copy.stage, plan.graph.nodes[copy.new])
        exec(code, self._names)
        self._step = self._names["step"]

    def _bind(self, plan: Plan, store: Store, data: Mapping[str, Any]) -> None:
        """The arena, and every value as an array."""
        self._plan = plan
        self._arena = aligned(plan.arena_bytes)
        self._arrays: dict[int, Array] = {}
        for i, node in plan.graph:
            self._arrays[i] = self._place(i, node, store, data)

    def run(self, steps: int) -> int:
        """Run so many steps; returns how many ran before the guard refused to commit one."""
        step = self._step
        with np.errstate(all="ignore"):  # overflow shows in the values, and the guard looks at them
            for done in range(steps):
                if not step():
                    return done
        return steps

    def feed(self, name: str, array: Array) -> None:
        """The data of that name is a copy of this array."""
        bound = self._arrays[self._plan.graph.inputs[name]]
        if array is not bound:
            np.copyto(bound, array)

    def read(self, names: Iterable[str]) -> dict[str, Array]:
        """Copies of outputs that are not states."""
        return {name: self._arrays[self._plan.graph.output[name]].copy() for name in names}

    def step_seconds(self, rounds: int) -> list[float]:
        """Seconds of each step of the plan by itself: medians of so many rounds, in which the guard is not asked."""
        bodies = [step_lines(self._plan, number) for number in range(len(self._plan.steps))]
        return step_seconds(bodies, self._names, rounds)

    def started(self) -> dict[str, Any]:
        """The host runs every step itself."""
        return {}

    def memory(self) -> int:
        """Bytes of the arena."""
        return self._plan.arena_bytes

    def _place(self, i: int, node: Node, store: Store, data: Mapping[str, Any]) -> Array:
        slot = self._plan.slots[i]
        if slot.kind == "input":
            name = node.options["name"]
            array: Array = data[name] if node.options["role"] == "data" else store.array(name)
            return array
        if slot.kind == "constant":
            return constant(node)
        if slot.kind == "view":
            viewed: Array = view(node, self._arrays[slot.ref])
            return viewed
        if slot.kind == "state":
            return self._arrays[slot.ref]
        return self._view(slot.offset, node, slot.nbytes if slot.tiled else None)

    def _view(self, offset: int, node: Node, nbytes: int | None = None) -> Array:
        """The arena at ``offset`` as an array of the node's type, or of as many rows as fit ``nbytes``."""
        dtype = np.dtype(node.dtype)
        rows, rest = (node.shape[:1], node.shape[1:]) if node.shape else ((), ())
        if nbytes is not None:
            rows = (nbytes // max(1, node.nbytes // (node.shape[0] or 1)),)
        shape = tuple(extent or 0 for extent in (*rows, *rest))
        count = int(np.prod(shape, dtype=np.int64))
        return self._arena[offset : offset + count * dtype.itemsize].view(dtype).reshape(shape)

    def _add_helpers(self, i: int, node: Node) -> None:
        """The further views that some kernels write to or read from."""
        out, names = self._arrays[i], self._names
        if node.operation == "matmul":
            for operand in node.inputs:
                names[f"v{operand}_transposed"] = self._arrays[operand].swapaxes(-1, -2)
        if self._plan.slots[i].kind != "arena":
            return
        if node.operation == "random_bits":
            names[f"v{i}_draw"] = RandomBits(out, node.options["stream"])
        elif node.operation == "place":
            spans = zip(node.options["start"], node.options["step"], self._arrays[node.inputs[0]].shape, strict=True)
            names[f"v{i}_inner"] = out[tuple(slice(a, a + s * (n - 1) + 1 if n else a, s) for a, s, n in spans)]
        elif node.operation == "concat":
            start, axis = 0, node.options["axis"]
            for part, operand in enumerate(node.inputs):
                extent = self._arrays[operand].shape[axis]
                names[f"v{i}_part{part}"] = out[(slice(None),) * axis + (slice(start, start + extent),)]
                start += extent
        elif node.operation in VIEWS:
            source = self._arrays[node.inputs[0]]
            reshaped = node.operation == "reshape"  # of what cannot be looked at in another shape: the result can
            names[f"v{i}_source"] = source if reshaped else view(node, source)
            names[f"v{i}_target"] = out.reshape(source.shape, copy=False) if reshaped else out

    def _tiles(self, step: Step) -> list[tuple[Array, ...]]:
        """For each tile, the views that the step's loop unpacks, in the order of ``_tiled_values``."""
        plan = self._plan
        extent = space(plan.graph, step.nodes)[0] or 0
        rows = []
        for start in range(0, extent, step.tile):
            count = min(step.tile, extent - start)
            views = []
            for i in _tiled_values(plan, step):
                scratch = plan.slots[i].kind == "arena" and plan.slots[i].tiled
                views.append(self._arrays[i][:count] if scratch else self._arrays[i][start : start + count])
            rows.append(tuple(views))
        return rows


def _source(plan: Plan) -> str:
    """``def step()``: the compute phase, the guard, the commit phase."""
    body: list[str] = []
    for number in range(len(plan.steps)):
        if number == plan.computed and plan.guard is not None:
            body.append(f"if not v{plan.guard}: return False")
        body += step_lines(plan, number)
    if plan.computed == len(plan.steps) and plan.guard is not None:
        body.append(f"if not v{plan.guard}: return False")
    body += [f"copyto(stage{copy.state}, v{copy.new})" for copy in plan.copies if copy.stage >= 0]
    body += [f"copyto(v{c.state}, {f'stage{c.state}' if c.stage >= 0 else f'v{c.new}'})" for c in plan.copies]
    return "\n    ".join(["def step():", *body, "return True"]) + "\n"


def step_lines(plan: Plan, number: int) -> list[str]:
    """The code of one step."""
    step = plan.steps[number]
    return _loop(plan, number, step) if step.tile else _straight(plan, step)


def _straight(plan: Plan, step: Step) -> list[str]:
    graph = plan.graph
    body = []
    for i in step.nodes:
        node = graph.nodes[i]
        operands = [f"v{operand}" for operand in node.inputs]
        if node.operation == "matmul":
            operands = [
                f"v{operand}_transposed" if node.options.get(flag) else f"v{operand}"
                for operand, flag in zip(node.inputs, ("transpose_a", "transpose_b"), strict=True)
            ]
        if node.operation == "concat":
            body += _unjoined(plan, i)
            continue
        out = f"v{i}"
        same = node.operation == "where" and plan.slots[i] == plan.slots[node.inputs[2]]
        body += kernels.lines(node, out, [*operands[:2], out] if same else operands)
    return body


def _unjoined(plan: Plan, i: int) -> list[str]:
    """Copies of the parts that were not computed in their place."""
    copies = kernels.lines(plan.graph.nodes[i], f"v{i}", [f"v{operand}" for operand in plan.graph.nodes[i].inputs])
    offset = plan.slots[i].offset
    kept = []
    for line, part in zip(copies, plan.graph.nodes[i].inputs, strict=True):
        in_place = plan.graph.nodes[i].options["axis"] == 0 and part_offset(plan.graph, part, plan.slots) == offset
        kept += [] if in_place else [line]
        offset += plan.graph.nodes[part].nbytes
    return kept


def _tiled_values(plan: Plan, step: Step) -> list[int]:
    """Values of the step of which a tile has its own rows, in a fixed order."""
    touched = ((i, v) for i in step.nodes for v in (i, *plan.graph.nodes[i].inputs))
    return list(dict.fromkeys(v for i, v in touched if goes_along(plan.graph, step.nodes, i, v)))


def _loop(plan: Plan, number: int, step: Step) -> list[str]:
    body = [f"for {', '.join(f't{i}' for i in _tiled_values(plan, step))}, in tiles{number}:"]
    for i in step.nodes:
        node = plan.graph.nodes[i]
        names = {v: f"t{v}" if goes_along(plan.graph, step.nodes, i, v) else f"v{v}" for v in (i, *node.inputs)}
        operands = [names[operand] for operand in node.inputs]
        if node.operation == "where" and plan.slots[i] == plan.slots[node.inputs[2]]:
            operands[2] = names[i]
        body += [f"    {line}" for line in kernels.lines(node, names[i], operands)]
    return body
