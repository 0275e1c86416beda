"""Calling a module inside a trace, with an input for each of its leaves, and evaluating what was recorded."""

from __future__ import annotations

import numpy as np
from array_api_compat import numpy as host

from nnkit.graph import Trace, gradients, interpret
from nnkit.graph.dtypes import kind
from nnkit.nn import From, Module, Parameter, Run
from nnkit.nn.module import declared
from nnkit.nn.tracing import call_module


class Called:
    """The graph of one call: output ``y``, new states by path and, if asked for, the gradients of Σ y·w.

    ``values`` are inputs for it: leaves as declared (parameters random), x random, seed and step for randomness.
    """

    def __init__(self, module, shape, *, training=False, slopes=False, dtype="float64", seed=0):
        self.trace = trace = Trace()
        self.draw = np.random.default_rng(seed)
        self.values, self.leaves, self.dtype = {}, {}, dtype
        x = self.input("x", self.draw.normal(size=shape), dtype)
        words = tuple(self.input(name, value, "uint32") for name, value in (("low", 3), ("high", 0), ("step", 5)))
        run = Run(trace, self.leaf, training=training, randomness=words if training else None)
        y = call_module(module, x, run)
        self.outputs = {"y": y} | run.updates | {f"penalty:{n}": p for n, p in enumerate(run.penalties)}
        if slopes:
            weights = trace.namespace.asarray(np.random.default_rng(seed).uniform(0.5, 1.5, y.shape), dtype=dtype)
            total = trace.namespace.sum(y * weights)
            wanted = {"x": x} | {p: a for p, a in self.leaves.items() if isinstance(declared(module)[p], Parameter)}
            found = gradients(total, list(wanted.values()))
            self.outputs |= {"total": total} | {f"grad:{p}": g for p, g in zip(wanted, found, strict=True)}
        self.graph = trace.graph(self.outputs)
        self.follow(declared(module))

    def input(self, name, value, dtype):
        self.values[name] = np.asarray(value, dtype=dtype)
        return self.trace.input(name, "data", self.values[name].shape, dtype)

    def leaf(self, path, leaf, shape):
        random = isinstance(leaf, Parameter)
        value = (
            self.draw.normal(size=shape) if random or isinstance(leaf.initial, From) else np.full(shape, leaf.initial)
        )
        self.leaves[path] = self.input(path, value, self.dtype)
        return self.leaves[path]

    def follow(self, leaves):
        """States that begin as a function of other leaves are that function of the values that were drawn."""
        paths = {id(leaf): path for path, leaf in leaves.items()}
        for path, leaf in leaves.items():
            start = None if isinstance(leaf, Parameter) else leaf.initial
            if isinstance(start, From):
                found = start.function(*(self.values[paths[id(other)]] for other in start.leaves))
                self.values[path] = np.asarray(found, dtype=self.dtype)

    def run(self, **values):
        """The outputs by NumPy; values replace those that were drawn."""
        return interpret(self.graph, host, self.values | values)

    def on(self, library):
        """The outputs by another library, on the host."""
        given = {name: library.array(value) for name, value in self.values.items()}
        found = interpret(self.graph, library.xp, given, library.device)
        return {name: library.numpy(value) for name, value in found.items()}

    def floats(self):
        return [n for n in self.graph.inputs if kind(self.graph.nodes[self.graph.inputs[n]].dtype) == "float"]


class Custom(Module):
    """Leaves and layers by keyword; ``body(self, x, run)`` is the call."""

    def __init__(self, body, **members):
        vars(self).update(members)
        vars(self)["_body"] = body

    def __call__(self, x, run):
        return self._body(self, x, run)
