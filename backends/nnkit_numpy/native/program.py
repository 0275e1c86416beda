"""The compiled form of a plan, and the program that it becomes on real arrays."""

from __future__ import annotations

import time
from collections.abc import Mapping
from importlib.util import find_spec
from threading import Lock
from typing import Any

import numpy as np

from nnkit.backend import NoNativeFormError, Store
from nnkit.plan import Plan
from nnkit_numpy.memory import Array, aligned
from nnkit_numpy.native.helpers import Helpers, Run
from nnkit_numpy.native.kernels import ADDRESSES
from nnkit_numpy.native.pace import Pace
from nnkit_numpy.native.product import PRODUCTS, SCRATCH, SHARED, addresses
from nnkit_numpy.native.source import source
from nnkit_numpy.native.tiles import ITEMS
from nnkit_numpy.program import NumpyProgram
from nnkit_numpy.stopwatch import warm


class NativeExecutable:
    """One native function; compiled when it is first bound."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        if find_spec("llvmlite") is None:
            raise NoNativeFormError("native programs need llvmlite, from the extra 'fast': pip install 'nnkit[fast]'")
        self.source = source(plan)
        self._run: Run | None = None
        self._lock = Lock()

    def bind(self, store: Store, data: Mapping[str, Any]) -> NativeProgram:
        """A program with its own arena on the store's arrays and these data."""
        with self._lock:
            if self._run is None:
                self._run = compiled(self.source.text)
        return NativeProgram(self.plan, self._run, self.source.inputs, store, data)


def compiled(text: str) -> Run:
    """The function of a plan's source."""
    from nnkit_numpy.jit import machine

    function: Run = machine.compiled(text).function("run", 3)
    return function


class NativeProgram(NumpyProgram):
    """Runs many steps in one call, by several threads where the plan divides them."""

    def __init__(self, plan: Plan, run: Run, inputs: tuple[int, ...], store: Store, data: Mapping[str, Any]) -> None:
        self._bind(plan, store, data)
        self._native = run
        # Contiguous, as the code takes them to be; what had to be copied is data, which does not change.
        self._held = [np.ascontiguousarray(self._arrays[i]) for i in inputs]
        self._inputs = inputs
        pairs: list[int] = [number for array in self._held for number in _place(array)]
        self._gate = aligned(64 * (1 + plan.threads)).view(np.int64)
        self._scratch = aligned(SCRATCH * plan.threads + SHARED)
        self._ticks = np.zeros(len(plan.steps) + 1, np.int64)
        places = [array.ctypes.data for array in (self._arena, self._gate, self._scratch, self._ticks)]
        none = [0] * len(PRODUCTS)
        products = [at for dtype in ITEMS for at in (addresses(dtype) if _multiplies(plan, dtype) else none)]
        self._addresses = np.array([*places, *products, *pairs], dtype=np.int64)
        self._table = self._addresses.ctypes.data
        self._fed: dict[str, Array] = {}
        self._helpers, self._pace = Helpers(plan.threads - 1), Pace()

    def run(self, steps: int) -> int:
        """Run so many steps; returns how many ran before the guard refused to commit one."""
        if not self._helpers.count:
            return self._native(self._table, steps, ALONE)
        return self._pace.run(steps, self._go)

    def step_seconds(self, rounds: int) -> list[float]:
        """Seconds of each step of the plan within whole steps, by a function that also counts: means of warm rounds."""
        native, self._native = self._native, compiled(source(self._plan, timed=True).text)
        together = self._helpers.count > 0 and self._pace.together
        try:
            self._go(warm(rounds), together)
            self._ticks[:] = 0
            began = time.perf_counter()
            done = self._go(rounds - warm(rounds), together)
            elapsed = time.perf_counter() - began
        finally:
            self._native = native
        return [float(ticks) * elapsed / done / self._ticks.sum() for ticks in self._ticks[:-1]]

    def feed(self, name: str, array: Array) -> None:
        """The data of that name is this array itself if it lies in memory as the one that was bound, else a copy."""
        i = self._plan.graph.inputs[name]
        if i not in self._inputs:
            return
        place = self._inputs.index(i)
        bound = self._held[place]
        alike = (array.shape, array.dtype) == (bound.shape, bound.dtype)
        if not (alike and array.flags.c_contiguous and array.flags.aligned):
            np.copyto(bound, array)
            array = bound
        self._fed[name] = array  # which is kept as long as the code may read it
        self._addresses[len(ADDRESSES) + 2 * place] = array.ctypes.data

    def _go(self, steps: int, together: bool) -> int:
        if not together:
            return self._native(self._table, steps, ALONE)
        self._gate[0] = 0
        with self._helpers.beside(self._gate, self._native, self._table, steps):
            return self._native(self._table, steps, 0)


ALONE = -1
"""In place of a thread's number: it does the work of all."""


def _place(array: Array) -> tuple[int, int]:
    return array.ctypes.data, len(array) if array.ndim else 1


def _multiplies(plan: Plan, dtype: str) -> bool:
    """Whether there are products of this data type."""
    return any(node.operation == "matmul" and node.dtype == dtype for _, node in plan.graph)
