"""The physical limit of a step on this machine: its products at the peak rate, its bytes at the bandwidth."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from math import prod
from typing import Any

import numpy as np

from nnkit import optimizers
from nnkit.backend import NoNativeFormError, Program, select
from nnkit.bench.job import Job
from nnkit.graph import Trace
from nnkit.network import Network
from nnkit.plan import Plan, plan
from nnkit.plan.cost import node_flops
from nnkit.training.planning import training_plan

LIMIT = "limit of the machine"
REPEATS = 7
SIDE = 2048
LONG = 1 << 26
"""Numbers in an array that no cache holds."""
CACHE = 1 << 21
"""Bytes of parameters, gradient and moments that a core keeps in its second-level cache."""


@dataclass(frozen=True)
class Rates:
    """What the processor does at best: floating-point operations and bytes of memory a second."""

    flops_per_s: float
    bytes_per_s: float

    @classmethod
    def measured(cls, dtype: str = "float32") -> Rates:
        """The rate of a large product, and that of a copy too large for any cache, what is read and what is written.

        Of NumPy's product and of that of native programs the faster one counts.
        """
        a = np.ones((SIDE, SIDE), dtype)
        result = np.empty_like(a)
        ways: list[Callable[[], object]] = [lambda: np.matmul(a, a, result)]
        with suppress(NoNativeFormError):
            product = _native_product(a)
            ways.append(lambda: product.run(1))
        flops = 2 * SIDE**3 / min(map(_shortest, ways))
        source = np.ones(LONG, np.float32)
        copy = np.empty_like(source)
        return cls(flops, 2 * source.nbytes / _shortest(lambda: np.copyto(copy, source)))

    def limit_s(self, network: Network, job: Job) -> float:
        """Seconds of a training step: the products that it needs, and the passes over the parameters that it needs.

        An optimiser reads parameter and gradient and writes the parameter, and reads and writes each of its moments.
        Networks that fit a cache can be faster than their bytes suggest: then only the products count.
        """
        made = training_plan(network._model, job.batch, job.optimizer, job.loss)
        kept = optimizers.get(job.optimizer).moment_shapes(network._model.layout.parts)
        parameters, moments = (
            count * np.dtype(job.dtype).itemsize for count in (job.values, sum(map(prod, kept.values())))
        )
        in_cache = 2 * parameters + moments <= CACHE
        moved = 0 if in_cache else 3 * parameters + 2 * moments
        return self.products_s(made) + moved / self.bytes_per_s

    def products_s(self, plan: Plan) -> float:
        """Seconds of all matrix products of a plan at the peak rate."""
        products = (node_flops(plan.graph, i) for i, node in plan.graph if node.operation == "matmul")
        return sum(products) / self.flops_per_s

    def to_dict(self) -> dict[str, float]:
        """Plain data for JSON."""
        return asdict(self)


def _native_product(a: Any) -> Program:
    """The program of a·a on the processor."""
    backend = select("cpu")
    target = backend.native_target()
    assert target is not None
    trace = Trace()
    x = trace.input("x", "data", a.shape, a.dtype.name)
    made = plan(trace.graph({"y": trace.namespace.matmul(x, x)}), target)
    return backend.compile(made).bind(backend.new_store(), {"x": a})


def _shortest(action: Callable[[], object]) -> float:
    """The shortest of several times: a limit is what the machine can do."""
    times = []
    for _ in range(REPEATS):
        began = time.perf_counter()
        action()
        times.append(time.perf_counter() - began)
    return min(times)
