"""Compiled plans: kernels with their launches, and programs that replay whole steps as one graph."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from statistics import median
from typing import Any

import numpy as np

from nnkit.graph.dtypes import itemsize
from nnkit.graph.ir import Node
from nnkit.plan import Plan
from nnkit.plan.host import constant, view
from nnkit.plan.look import Look, fixed
from nnkit_cupy.memory import CupyStore
from nnkit_cupy.runtime import Array, NotRecordedError, Replay, Runtime, Work
from nnkit_cupy.source.guard import DONE, FORCED, STOPPED
from nnkit_cupy.source.launches import SCRATCH_BYTES, Launch, module
from nnkit_cupy.source.order import Placed, placed
from nnkit_cupy.source.pieces import Product
from nnkit_cupy.traffic import Traffic

MANY, LAUNCHES = 8, 256
"""Steps of a graph at most, where a run has so many, and launches."""
OVER = 20
"""Repetitions in a graph that is timed."""
STATE = 4
"""Numbers of the state of a program."""


class CupyExecutable:
    """The kernels of a plan, compiled when it is first bound."""

    def __init__(self, plan: Plan, runtime: Runtime, traffic: Traffic) -> None:
        self.plan, self.runtime, self.traffic = plan, runtime, traffic
        self.code = module(plan, runtime.ends)

    def bind(self, store: CupyStore, data: Mapping[str, Any]) -> CupyProgram:
        """A program with its own arena on the store's arrays and these data."""
        return CupyProgram(self, store, data)

    @cached_property
    def kernels(self) -> Callable[[str], Any]:
        """The functions of the module by their names."""
        return self.runtime.module(self.code.text)


class CupyProgram:
    """Runs steps on the device. The first is launched kernel by kernel; then the step is recorded and replayed."""

    def __init__(self, executable: CupyExecutable, store: CupyStore, data: Mapping[str, Any]) -> None:
        self._plan, self._runtime, self._data = executable.plan, executable.runtime, dict(data)
        self._traffic = executable.traffic
        zeros, code = self._runtime.zeros, executable.code
        self._arena = zeros((max(self._plan.arena_bytes, 1),), "uint8")
        self._state = zeros((STATE,), "int32")
        self._told = code.truths
        self._truths = zeros((max(len(self._told), 1),), "bool")
        self._scratch = zeros((SCRATCH_BYTES,), "uint8")
        held = ((i, node) for i, node in self._plan.graph if self._plan.slots[i].kind in ("input", "constant"))
        self._arrays = {i: self._array(node, store) for i, node in held}
        self._work = [self._bound(item, executable.kernels) for item in code.launches]
        self._first = [self._bound(item, executable.kernels) for item in code.first]
        self._store, self._mirrored = store, code.mirrored
        self._known: list[int] | None = None  # versions of the states that are mirrored
        self._touched = [launch.touched for launch in code.launches]
        self._large = [isinstance(launch, Launch) and launch.blocks > 1 for launch in code.launches]
        self._replays: dict[int, Replay] = {}
        self._unrecorded: str | None = None  # why steps are started kernel by kernel, if they are
        self._ran = False

    def run(self, steps: int) -> int:
        """Run so many steps; returns how many ran before the guard refused one."""
        if steps < 1:
            return 0
        guarded = self._plan.guard is not None
        self._runtime.overwrite(self._state, _begun())
        self._mirror()
        try:
            self._all(steps)
        finally:
            self._wrote()
        return int(self._runtime.download(self._state)[DONE]) if guarded else steps

    def feed(self, name: str, array: Array) -> None:
        """From the next step on the data of that name are a copy of this host array."""
        if array is not self._data[name]:
            with self._traffic.waiting(int(self._data[name].nbytes)):
                self._runtime.overwrite(self._data[name], array)

    def read(self, names: Iterable[str]) -> dict[str, Array]:
        """Host copies of outputs that are not states, as the last step left them."""
        return {name: self._output(self._plan.graph.output[name]) for name in names}

    def started(self) -> dict[str, Any]:
        """Whether a step runs as one graph, or why not, and of how many kernels and library products it consists."""
        because = self._unrecorded or (None if self._replays else "no step was repeated")
        return {
            "one_graph": because is None,
            "because": because,
            "launches": len(self._work),
            "steps_of_a_graph": self._together,
        }

    def memory(self) -> int:
        """Bytes of the program's own buffers."""
        return self._plan.arena_bytes + int(self._state.nbytes + self._truths.nbytes + self._scratch.nbytes)

    def step_seconds(self, rounds: int) -> list[float]:
        """Seconds of each step of the plan: of graphs of one kernel many times over, the medians of so many rounds.

        Small steps that follow each other are one kernel, whose time is that of the first of them.
        """
        self.run(1)
        states = {i: self._runtime.download(self._arrays[i]) for i in self._plan.graph.state}
        seconds = [0.0] * len(self._plan.steps)
        for (number, work), large in zip(self._work, self._large, strict=True):
            # Kernels of many blocks write, as they do in a step. Small ones do not: so the cursor stays in the data.
            self._runtime.overwrite(self._state, _begun(timed=True, forced=large))
            replay = self._runtime.record([work] * OVER, [Placed(0, ())] * OVER)
            taken = [self._runtime.seconds(replay.launch) / OVER for _ in range(1 + rounds)]
            seconds[number] += median(taken[1:])
        for i, value in states.items():
            self._runtime.overwrite(self._arrays[i], value)
        self._known = None
        return seconds

    # -- inside

    def _mirror(self) -> None:
        """Convert the states of which the last step has left conversions, if anybody has written them since."""
        if self._known != [self._store.version(name) for name in self._mirrored]:
            for _, work in self._first:
                work(0)

    def _wrote(self) -> None:
        """Say that a run has written its states: to other programs, whose conversions are old now."""
        nodes = self._plan.graph.nodes
        self._store.written(nodes[i].options["name"] for i in self._plan.graph.state)
        self._known = [self._store.version(name) for name in self._mirrored]

    @property
    def _together(self) -> int:
        """Steps of one graph."""
        return max(1, min(MANY, LAUNCHES // max(len(self._work), 1)))

    def _all(self, left: int) -> None:
        """So many steps, in graphs as large as may be."""
        if not self._ran:  # the library prepares itself in its first call, which cannot be recorded
            self._step()
            self._ran, left = True, left - 1
        for count in (self._together, 1):
            for _ in range(left // count):
                self._steps(count)
            left %= count

    def _steps(self, count: int) -> None:
        """So many steps: as one graph, or kernel by kernel where they cannot be recorded."""
        if self._unrecorded is None:
            try:
                self._recorded(count).launch()
                return
            except NotRecordedError as reason:
                self._unrecorded = str(reason)
        for _ in range(count):
            self._step()

    def _recorded(self, count: int) -> Replay:
        """So many steps as one graph, in which a step begins while what it does not need of the last one still runs."""
        if count not in self._replays:
            works = [work for _, work in self._work] * count
            self._replays[count] = self._runtime.record(works, placed(self._touched * count))
        return self._replays[count]

    def _step(self) -> None:
        for _, work in self._work:
            work(0)

    def _array(self, node: Node, store: CupyStore) -> Any:
        if node.operation != "input":
            return self._runtime.upload(constant(node))
        name = node.options["name"]
        return self._data[name] if node.options["role"] == "data" else store.array(name)

    def _bound(self, item: Launch | Product, kernels: Callable[[str], Any]) -> tuple[int, Work]:
        runtime = self._runtime
        if isinstance(item, Product):
            looks = [(item.a, item.read), (item.b, item.read), (item.out, item.written)]
            looks += [] if item.bias is None else [(item.bias, item.written)]
            places = [self._address(look, dtype) for look, dtype in looks]
            return item.step, runtime.product(item, places)
        kernel, own = kernels(item.kernel), (self._arena, self._state, self._truths, self._scratch)
        arguments = [runtime.address(array) for array in own]
        arguments += [runtime.address(self._arrays[i]) for i in item.inputs]
        arguments += [int(self._arrays[i].shape[0]) for i in item.rows]
        arguments += item.offsets
        return item.step, lambda lane: runtime.launch(kernel, item.blocks, item.threads, arguments, lane)

    def _address(self, look: Look, dtype: str) -> int:
        array = self._arena if look.buffer.startswith("a_") else self._arrays[int(look.buffer[1:])]
        return self._runtime.address(array) + look.offset * itemsize(dtype)

    def _output(self, i: int) -> Array:
        slots, node = self._plan.slots, self._plan.graph.nodes[i]
        if i in self._told:
            start = self._told[i].offset
            return self._runtime.download(self._truths[start : start + 1]).reshape(fixed(node.shape))
        if slots[i].kind == "view":
            return np.ascontiguousarray(view(node, self._output(slots[i].ref)))
        if slots[i].kind in ("input", "constant"):
            return self._runtime.download(self._arrays[i])
        if slots[i].kind == "state":
            return self._runtime.download(self._arrays[slots[i].ref])
        start = slots[i].offset
        flat = self._runtime.download(self._arena[start : start + node.nbytes])
        return flat.view(node.dtype).reshape(fixed(node.shape))


def _begun(timed: bool = False, forced: bool = False) -> Array:
    """The state before a run: nothing was refused, and no step is done. Kernels that are ``timed`` write if forced."""
    state = np.zeros(STATE, np.int32)
    state[FORCED], state[STOPPED] = forced, timed
    return state
