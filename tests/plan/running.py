"""Running a plan: its program, the interpreter, and the interpreter with the program's layouts."""

from __future__ import annotations

import numpy as np
from array_api_compat import numpy as host

from nnkit.backend import Leaf, select
from nnkit.graph.interpret import Eager, interpret
from nnkit.plan import plan

BACKEND = select("cpu")
TARGET = BACKEND.target()


def role(graph, name):
    return graph.nodes[graph.inputs[name]].options["role"]


class Bench:
    """A program of a graph on values of its own, with an arena full of NaN, and what the interpreter says of it."""

    def __init__(self, graph, values, disable=(), target=TARGET, memory_limit=None, backend=BACKEND):
        self.graph = graph
        self.plan = plan(graph, target, disable, memory_limit)
        self.lasting = [name for name in graph.inputs if role(graph, name) != "data"]
        self.states = [name for name in self.lasting if role(graph, name) == "state" and name in graph.output]
        self.others = [name for name in graph.output if name not in self.states]
        self.values = {name: np.array(value) for name, value in values.items()}
        self.store = backend.new_store()
        # A role of its own for each leaf: they may then have any shapes and data types.
        leaves = [(name, self.values[name]) for name in self.lasting]
        self.store.allocate(Leaf(name, f"role of {name}", value.shape, str(value.dtype)) for name, value in leaves)
        self.store.write(dict(leaves))
        data = {n: backend.to_device(value.copy()) for n, value in self.values.items() if n not in self.lasting}
        self.program = backend.compile(self.plan).bind(self.store, data)
        poison(self.program)

    def step(self):
        """One step of the program: outputs and states."""
        self.program.run(1)
        return self.program.read(self.others) | self.store.read(self.states)

    def expected(self):
        """The same step by the interpreter; its states are then the values of the next."""
        with np.errstate(all="ignore"):
            outputs = interpret(self.graph, host, self.values)
        return self._moved_on(outputs)

    def expected_bits(self):
        """The same step by the rows of the planned graph, each result laid out in memory as the program has it."""
        evaluate, values = Eager(host).evaluate, {}
        for i, node in self.plan.graph:
            given = (
                [self.values[node.options["name"]]] if node.operation == "input" else [values[o] for o in node.inputs]
            )
            with np.errstate(all="ignore"):
                value = scattered(node, *given) if node.operation == "scatter_add" else evaluate(node, given)
            view = self.plan.slots[i].kind == "view"
            values[i] = value if view else np.array(value, dtype=node.dtype, order="C")
        return self._moved_on(
            {name: values[i].copy() for name, i in self.plan.graph.outputs if name in self.graph.output}
        )

    def _moved_on(self, outputs):
        if bool(outputs.get("guard", True)):
            self.values |= {name: outputs[name] for name in self.states}
        else:
            outputs = outputs | {name: self.values[name] for name in self.states}
        return outputs


def scattered(node, x, indices):
    """The row multiplies by a matrix of hits; a program adds one after the other."""
    total = np.zeros(node.shape, node.dtype)
    np.add.at(total, (slice(None),) * node.options["axis"] + (indices,), x)
    return total


def poison(program):
    """Fill the arena with bytes that are NaN in every floating-point type: what is read before it is written shows."""
    program._arena[:] = 255


def same_bits(got, expected):
    for name in expected:
        np.testing.assert_array_equal(got[name], expected[name], err_msg=name, strict=True)


def close(got, expected, rtol=1e-9, atol=1e-9):
    for name in expected:
        np.testing.assert_allclose(got[name], expected[name], rtol, atol, err_msg=name)
        assert got[name].dtype == expected[name].dtype, name
