"""A module with its values on a device: what training and evaluation work on."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping
from threading import Lock
from typing import Any

import numpy as np

from nnkit.backend import Backend, Executable, Leaf, select
from nnkit.data.arrays import NUMBERS, as_numpy
from nnkit.errors import ArgumentError, DataError, ShapeError
from nnkit.graph import Graph
from nnkit.names import listed, nearest
from nnkit.nn import Module
from nnkit.nn.leaves import first_values
from nnkit.plan import Plan, Target
from nnkit.plan.known import planned
from nnkit.training.layout import Layout
from nnkit.training.point import Left

KEPT = 16
SHOWN = 50  # names in a message
SMALL = 10**8  # bytes that every machine has


class Model:
    """Module, seed, backend and store. Initial values come from (seed, path) alone, drawn on the host."""

    def __init__(self, module: Module, layout: Layout, device: str, seed: int) -> None:
        self.module = module
        self.layout = layout
        self.seed = seed
        self.backend: Backend = select(device)
        _require_memory(layout, self.backend)
        self.store = self.backend.new_store()
        self.store.allocate(layout.leaves())
        self.store.write(layout.factors)
        self.optimizer: Any = None
        self.epochs_done = 0
        self.steps_done = 0
        self.updates_before = 0
        self.as_drawn = False
        self.left: Left | None = None  # where training paused, if that is not what the network is
        self.busy = Lock()  # held while it is trained
        self._plans: OrderedDict[Any, tuple[Plan, Executable]] = OrderedDict()
        self._planning = Lock()

    def draw(self) -> None:
        """Put in the initial values that follow from the seed; they are zeros until then."""
        self.store.write(first_values(self.layout.declared, self.layout.shapes, self.seed))
        self.as_drawn = True  # until other values are put in

    def initial_parameters(self) -> dict[str, Any]:
        """The parameters that the seed gives, drawn again."""
        drawn = first_values(self.layout.declared, self.layout.shapes, self.seed)
        return {path: value for path, value in drawn.items() if path in self.layout.parameters}

    def values(self) -> dict[str, Any]:
        """Host copies of all lasting leaves, parameters and states."""
        return self.store.read(self.layout.shapes)

    def parameters(self) -> dict[str, Any]:
        """Host copies of the parameters, in order of definition."""
        return self.store.read(self.layout.parameters)

    def moments(self) -> tuple[list[Leaf], dict[str, Any]]:
        """The optimiser's moments: their names and shapes, and host copies."""
        leaves = [leaf for leaf in self.store.leaves() if leaf.role == "moment"]
        return leaves, self.store.read(leaf.name for leaf in leaves)

    def progress(self) -> dict[str, Any]:
        """All that training has made of a model: what ``carry_on`` puts into another one of the same module."""
        leaves, moments = self.moments()
        counts = {
            name: getattr(self, name)
            for name in ("optimizer", "epochs_done", "steps_done", "updates_before", "left", "as_drawn")
        }
        return {"values": self.values(), "leaves": leaves, "moments": moments, "counts": counts}

    def carry_on(self, progress: Mapping[str, Any]) -> None:
        """Be where the model was whose ``progress`` this is."""
        self.store.write(progress["values"])
        self.store.allocate(progress["leaves"])
        self.store.write(progress["moments"])
        vars(self).update(progress["counts"])

    def assign(self, values: Mapping[str, Any]) -> None:
        """Copy values into leaves; nothing is written unless all names, shapes and numbers are right."""
        if not isinstance(values, Mapping):
            raise ArgumentError(f"expected a mapping from path to array, as parameters() gives it, got {values!r}")
        self.store.write({path: self._checked(path, value) for path, value in values.items()})
        self.as_drawn = False

    def _checked(self, path: str, value: Any) -> Any:
        if path not in self.layout.shapes:
            raise ArgumentError(_unknown(str(path), list(self.layout.shapes)))
        array = as_numpy(value, path)
        if array.dtype.kind not in NUMBERS:
            raise DataError(f"the new value of '{path}' has dtype {array.dtype}; expected numbers")
        if array.shape != self.layout.shapes[path]:
            raise ShapeError(f"parameter '{path}' has shape {self.layout.shapes[path]}, got {array.shape}")
        with np.errstate(over="ignore"):
            stored = array.astype(self.layout.dtype)
        if not np.isfinite(stored).all():
            raise DataError(f"the new value of '{path}' holds NaN, infinity, or a number beyond {self.layout.dtype}")
        return stored

    def planned(
        self, key: Any, graph: Callable[[], Graph], target: Target | None = None, memory_limit: int | None = None
    ) -> tuple[Plan, Executable]:
        """The plan and the code of a graph, kept under ``key`` for the next time."""
        target = target or self.backend.target()
        key = (target.name, target.products, memory_limit, key)
        with self._planning:
            if key not in self._plans:
                made = planned(graph(), target, memory_limit)
                self._plans[key] = (made, self.backend.compile(made))
                if len(self._plans) > KEPT:
                    self._plans.popitem(last=False)
            self._plans.move_to_end(key)
            return self._plans[key]


def _require_memory(layout: Layout, backend: Backend) -> None:
    """Refuse what cannot fit before anything is allocated: a system may grant such memory and end the process later."""
    needed = layout.count * np.dtype(layout.dtype).itemsize
    if needed < SMALL:
        return
    there, where = backend.hardware().memory_bytes, f"device '{backend.name}'"
    if there is None:
        import psutil

        there, where = int(psutil.virtual_memory().total), "this machine"
    if needed > there:
        raise ArgumentError(
            f"the network has {layout.count:,} parameters, {needed / 1e9:,.0f} GB, and {where} has "
            f"{there / 1e9:,.0f} GB of memory; use fewer neurons"
        )


def _unknown(path: str, known: list[str]) -> str:
    near = nearest(path, known)
    hint = "" if near is None else f"; the nearest is '{near}'"
    return f"there is no parameter '{path}'; there are: {listed(known, SHOWN)}{hint}"
