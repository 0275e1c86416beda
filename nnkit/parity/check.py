"""Every case on a device beside the reference interpreter in float64."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from typing import Any, NamedTuple

import numpy as np

from nnkit.backend import Backend, Leaf, select
from nnkit.graph import Graph, interpret
from nnkit.parity.case import Array, Case
from nnkit.plan import plan

EPS = float(np.finfo(np.float32).eps)


class Row(NamedTuple):
    """The largest error of a case, in units in the last place of float32 at the largest value of a result."""

    kind: str
    name: str
    error_ulp: float
    limit_ulp: float
    reason: str | None = None
    """Why there is no result, if there is none."""

    @property
    def right(self) -> bool:
        """Whether the error keeps to its limit."""
        return self.reason is None and self.error_ulp <= self.limit_ulp

    def __str__(self) -> str:
        found = self.reason or f"{self.error_ulp:8.2f} of {self.limit_ulp:g} ulp"
        return f"{'right' if self.right else 'WRONG'}  {self.kind:10} {self.name:34} {found}"


class Parity(NamedTuple):
    """What ``check_device`` found; ``print`` shows every row."""

    device: str
    rows: tuple[Row, ...]

    @property
    def right(self) -> bool:
        """Whether all errors keep to their limits."""
        return all(row.right for row in self.rows)

    def __str__(self) -> str:
        wrong = sum(not row.right for row in self.rows)
        said = "all right" if not wrong else f"{wrong} wrong"
        return "\n".join([*map(str, self.rows), f"{len(self.rows)} checks on '{self.device}' beside float64: {said}"])


def check_device(device: str = "cuda", progress: Callable[[Row], None] | None = None) -> Parity:
    """Compute every operation, activation, layer, loss and optimiser on a device, in float32, beside float64.

    An error counts in units in the last place of float32 at the largest value of a result; truths and whole numbers
    have to be equal. ``progress`` is told of each row.

    >>> import nnkit
    >>> found = nnkit.check_device("cpu")
    >>> found.right, len(found.rows) > 150
    (True, True)
    """
    backend = select(device)
    rows = []
    with ThreadPoolExecutor(_compilers(backend)) as pool:
        for row in pool.map(lambda case: checked(backend, case), cases()):
            rows.append(row)
            if progress is not None:
                progress(row)
    return Parity(backend.name, tuple(rows))


def _compilers(backend: Backend) -> int:
    """How many cases run side by side: kernels of a GPU are compiled, which takes a core most of a second."""
    elsewhere = backend.hardware().memory_bytes is not None
    return max(1, (os.cpu_count() or 1) // 2) if elsewhere else 1


def cases() -> Iterator[Case]:
    """Everything that is computed; the tables are read when somebody asks."""
    from nnkit.parity.networks import networks
    from nnkit.parity.primitives import primitives

    return chain(primitives(), networks())


def checked(backend: Backend, case: Case) -> Row:
    """One case; what a device raises is its result."""
    from array_api_compat import numpy as host

    exact = case.graph("float64")
    with np.errstate(all="ignore"):
        expected = interpret(exact, host, {name: _as(exact, name, value) for name, value in case.values.items()})
    try:
        found = computed(backend, case.graph("float32"), case)
    except Exception as error:  # whatever it is, the other rows are worth knowing
        return Row(case.kind, case.name, np.inf, case.limit, f"{type(error).__name__}: {error}"[:200])
    return Row(case.kind, case.name, max(_errors(found, expected)), case.limit)


def computed(backend: Backend, graph: Graph, case: Case) -> dict[str, Array]:
    """The outputs of a graph by the program of a device."""
    given = {name: _as(graph, name, case.values[name]) for name in graph.inputs}
    roles = {name: graph.nodes[i].options["role"] for name, i in graph.inputs.items()}
    lasting = {name: value for name, value in given.items() if roles[name] != "data"}
    store = backend.new_store()
    # A role of its own for each: they may then have any shapes and data types.
    store.allocate(Leaf(name, f"role of {name}", value.shape, str(value.dtype)) for name, value in lasting.items())
    store.write(lasting)
    data = {name: backend.to_device(value) for name, value in given.items() if roles[name] == "data"}
    program = backend.compile(plan(graph, backend.target())).bind(store, data)
    program.run(1)
    found: dict[str, Array] = program.read(graph.output)
    return found


def _as(graph: Graph, name: str, value: Array) -> Array:
    return np.asarray(value, dtype=graph.nodes[graph.inputs[name]].dtype)


def _errors(found: dict[str, Array], expected: dict[str, Any]) -> Iterator[float]:
    for name, exact in expected.items():
        got = found[name]
        if got.dtype.kind != "f":
            yield 0.0 if np.array_equal(got, exact) else np.inf
        elif got.size:
            scale = max(float(np.max(np.abs(exact))), float(np.finfo(np.float32).tiny))
            off = float(np.max(np.abs(got.astype(np.float64) - exact))) / (EPS * scale)
            yield off if np.isfinite(off) else np.inf
        else:
            yield 0.0
