"""Whole training steps as graphs, with values for everything that they read."""

from __future__ import annotations

import numpy as np
from hypothesis import assume

from nnkit.nn.leaves import first_values
from nnkit.training.graphs import training_graph
from nnkit.training.layout import Layout
from nnkit.training.objective import objective
from nnkit_numpy.device import NATIVE
from tests.peers import peer
from tests.plan.running import TARGET, Bench, close


class Job:
    """A module, its data, loss and optimiser. ``labels`` tells what the targets are, or is them."""

    def __init__(self, module, shape, loss, optimizer, labels="numbers", rows=23, weighted=False, dtype="float64"):
        self.layout = Layout.of(module, shape, dtype)
        self.objective = objective(module, loss)
        self.optimizer = optimizer.resolved(50)
        self.weighted, self.dtype = weighted, dtype
        draw = np.random.default_rng(5)
        self.x = draw.normal(size=(rows, *shape)).astype(dtype)
        self.y = labels if isinstance(labels, np.ndarray) else self.targets(labels, draw, rows)
        self.weight = draw.uniform(0.0, 2.0, rows).astype(dtype)

    def targets(self, labels, draw, rows):
        outputs, dtype = self.layout.output_shape, self.dtype
        return {
            "numbers": lambda: draw.normal(size=(rows, *outputs)).astype(dtype),
            "counts": lambda: draw.poisson(2.0, (rows, *outputs)).astype(dtype),
            "yes": lambda: (draw.random((rows, *outputs)) < 0.5).astype(dtype),
            "classes": lambda: draw.integers(0, outputs[-1], rows).astype("int32"),
            "shares": lambda: draw.dirichlet(np.ones(outputs[-1]), rows).astype(dtype),
        }[labels]()

    def graph(self, batch):
        target = (self.y.shape[1:], str(self.y.dtype))
        return training_graph(self.layout, self.objective, self.optimizer, target, batch, self.weighted)

    def values(self, graph):
        """First values of all inputs; the last row of the data is in no batch that the cursor reaches early."""
        known = {"x": self.x, "y": self.y, "weight": self.weight, "order": np.arange(len(self.x))[::-1].copy()}
        known |= {"parameter": self.first_parameters(), **self.layout.factors}
        known |= {f"setting.optimizer.{name}": value for name, value in self.optimizer.settings().items()}
        known |= self.states()
        known |= {"setting.seed_low": 7, "setting.seed_high": 0}
        values = {}
        for name, position in graph.inputs.items():
            node = graph.nodes[position]
            value = known.get(name, np.zeros(node.shape) if None not in node.shape else None)
            values[name] = np.asarray(value, dtype=node.dtype)
        return values

    def first_parameters(self):
        first = first_values(self.layout.declared, self.layout.shapes, 0)
        return np.concatenate([np.ravel(first[path]) for path in self.layout.parameters])

    def states(self):
        first = first_values(self.layout.declared, self.layout.shapes, 0)
        return {path: first[path] for path in self.layout.states}

    def bench(self, batch, disable=(), target=TARGET, **options):
        graph = self.graph(batch)
        return Bench(graph, self.values(graph), disable, target, **options)

    def split(self, flat):
        """The flat vector of parameters as arrays by path."""
        arrays, start = {}, 0
        for path, shape in self.layout.parameters.items():
            size = int(np.prod(shape, dtype=int))
            arrays[path] = flat[start : start + size].reshape(shape)
            start += size
        return arrays


def check_compiled(job, batch, steps=3):
    """Training steps of one native program beside those of the reference interpreter, states included."""
    peer("llvmlite")
    bench = job.bench(batch, target=NATIVE)
    for _ in range(steps):
        expected = bench.expected()
        assert bench.states
        close(bench.step(), expected, rtol=1e-9, atol=1e-11)


def steady(graph, values, steps=3):
    """What the interpreter says of each of some steps.

    Where the formulas themselves make much of a rounding error, as the normalisation of a constant column does, two
    right programs differ: such examples are passed over.
    """
    first, shaken = (Bench(graph, values) for _ in range(2))
    shaken.values["parameter"] = values["parameter"] * (1 + 1e-13 * np.cos(np.arange(values["parameter"].size)))
    for _ in range(steps):
        expected, moved = first.expected(), shaken.expected()
        assume(all(np.allclose(moved[name], expected[name], 1e-8, 1e-10, equal_nan=True) for name in expected))
        yield expected
