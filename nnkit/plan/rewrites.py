"""Graph → graph rewrites that need no knowledge of memory: each a decision that can be switched off by its name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import is_
from typing import Any

import numpy as host

from nnkit.graph.interpret import Eager
from nnkit.graph.ir import Graph, Node
from nnkit.graph.primitives import PRIMITIVES
from nnkit.graph.primitives.creation import Constant
from nnkit.graph.primitives.special import erf
from nnkit.graph.shapes import broadcast
from nnkit.graph.tracing import Trace, TracedArray
from nnkit.plan.target import Target

Rule = Callable[[Trace, Node, Sequence[TracedArray]], TracedArray | None]


def rewrite(graph: Graph, rule: Rule) -> Graph:
    """Rebuild the graph node by node; ``rule`` may give another value for a node, or None to keep it."""
    trace = Trace()
    new: list[TracedArray] = []
    for _, node in graph:
        operands = [new[i] for i in node.inputs]
        trace.phase, trace.cause = node.origin.phase, node
        value = rule(trace, node, operands)
        new.append(_kept(trace, node, operands) if value is None else value)
    made = trace.graph({name: new[i] for name, i in graph.outputs})
    unchanged = len(made) == len(graph) and all(map(is_, made.nodes, graph.nodes)) and made.outputs == graph.outputs
    return swept(graph if unchanged else made)


def _kept(trace: Trace, node: Node, operands: Sequence[TracedArray]) -> TracedArray:
    """The node as it is, on its new operands: their types are the old ones, so that there is nothing to infer."""
    trace.nodes.append(_on(node, tuple([operand.position for operand in operands])))
    return TracedArray(trace, len(trace.nodes) - 1, node.shape, node.dtype)


def _on(node: Node, inputs: tuple[int, ...]) -> Node:
    """The node with other operands; itself where they are the same, which is far quicker than another."""
    if inputs == node.inputs:
        return node
    return Node(node.operation, inputs, node.attributes, node.shape, node.dtype, node.origin)


def swept(graph: Graph) -> Graph:
    """Without the nodes that no output needs. Inputs stay: they are the graph's signature."""
    needed = graph.ancestors(graph.output.values()) | set(graph.inputs.values())
    if len(needed) == len(graph):
        return graph
    position = {old: new for new, old in enumerate(sorted(needed))}
    nodes = tuple(_on(node, tuple([position[o] for o in node.inputs])) for i, node in graph if i in needed)
    return Graph(nodes, tuple((name, position[i]) for name, i in graph.outputs))


def keep_unused(graph: Graph) -> Graph:
    """With every value that nobody reads as an output: the plan without the decision ``drop_unused``."""
    outputs = set(graph.output.values())
    sinks = [i for i, node in graph if not graph.users[i] and i not in outputs and node.operation != "input"]
    return Graph(graph.nodes, (*graph.outputs, *((f"unused:{i}", i) for i in sinks)))


def copy_old_states(graph: Graph) -> Graph:
    """An output that is a state as it was before the step is a copy of it: the state itself will have its new value."""
    nodes, outputs = list(graph.nodes), []
    for name, i in graph.outputs:
        if name not in graph.inputs and graph.state.get(i, i) != i:
            state = graph.nodes[i]
            nodes.append(Node("reshape", (i,), (("shape", state.shape),), state.shape, state.dtype, state.origin))
            i = len(nodes) - 1
        outputs.append((name, i))
    return Graph(tuple(nodes), tuple(outputs))


def expand(graph: Graph, target: Target) -> Graph:
    """Replace what the device has no kernel for by arithmetic, and drop the marks that only differentiation reads."""

    def rule(trace: Trace, node: Node, operands: Sequence[TracedArray]) -> TracedArray | None:
        if node.operation == "stop_gradient":
            return operands[0]
        if node.operation == "erf" and "erf" not in target.native:
            spelled_out: TracedArray = erf(trace.namespace, operands[0])
            return spelled_out
        return None

    return rewrite(graph, rule)


def merge_common(graph: Graph) -> Graph:
    """One node for equal operations on equal operands."""
    seen: dict[Any, TracedArray] = {}

    def rule(trace: Trace, node: Node, operands: Sequence[TracedArray]) -> TracedArray | None:
        key = (node.operation, tuple(o.position for o in operands), repr(node.attributes), node.shape, node.dtype)
        if key not in seen:
            seen[key] = _kept(trace, node, operands)
        return seen[key]

    return rewrite(graph, rule)


def fold_transposes(graph: Graph) -> Graph:
    """A transpose that a matrix product reads becomes a flag of the product."""

    def rule(trace: Trace, node: Node, operands: Sequence[TracedArray]) -> TracedArray | None:
        if node.operation != "matmul":
            return None
        options = {"transpose_a": False, "transpose_b": False} | node.options
        folded = list(operands)
        for side, flag in enumerate(("transpose_a", "transpose_b")):
            producer = trace.nodes[operands[side].position]
            if producer.operation == "permute_dims" and _swaps_last_two(producer.options["axes"]):
                source = trace.nodes[producer.inputs[0]]
                folded[side] = TracedArray(trace, producer.inputs[0], source.shape, source.dtype)
                options[flag] = not options[flag]
        return trace.record("matmul", folded, node.origin, **options)

    return rewrite(graph, rule)


def _swaps_last_two(axes: tuple[int, ...]) -> bool:
    rank = len(axes)
    return rank >= 2 and axes == (*range(rank - 2), rank - 1, rank - 2)


def simplify(graph: Graph) -> Graph:
    """Remove arithmetic that changes nothing, repeated reshapes, and repetition that broadcasting does anyway."""
    rules = (_elide_broadcast, _neutral, _collapse_shape, _fold_constant)

    def rule(trace: Trace, node: Node, operands: Sequence[TracedArray]) -> TracedArray | None:
        for attempt in rules:
            value = attempt(trace, node, operands)
            if value is not None:
                return value
        return None

    return rewrite(graph, rule)


def _value(trace: Trace, position: int, producer: Node) -> TracedArray:
    return TracedArray(trace, position, producer.shape, producer.dtype)


def _elide_broadcast(trace: Trace, node: Node, operands: Sequence[TracedArray]) -> TracedArray | None:
    """An elementwise operation broadcasts by itself; what is repeated in all operands is computed once."""
    if PRIMITIVES[node.operation].family != "elementwise":
        return None
    bare = [_without_repetition(trace, operand) for operand in operands]
    if all(a.position == b.position for a, b in zip(bare, operands, strict=True)):
        return None
    if all(operand.size < node.size for operand in bare) and _shape_of(bare) != node.shape:
        return _computed_once(trace, node, bare)
    for kept in range(len(operands)):
        chosen = [operand if i == kept else bare[i] for i, operand in enumerate(operands)]
        chosen = bare if _shape_of(bare) == node.shape else chosen
        if _shape_of(chosen) == node.shape:
            again = _neutral(trace, node, chosen)
            return trace.record(node.operation, chosen, node.origin, **node.options) if again is None else again
    return None


def _computed_once(trace: Trace, node: Node, bare: Sequence[TracedArray]) -> TracedArray:
    """An operation on nothing but repeated values, and then the result repeated."""
    once = Node(node.operation, (), node.attributes, _shape_of(bare), node.dtype, node.origin)
    value = _fold_constant(trace, once, bare)
    if value is None:
        value = trace.record(node.operation, bare, node.origin, **node.options)
    if value.size == 1:  # it may have more axes than are wanted
        value = trace.record("reshape", (value,), node.origin, shape=())
    return trace.record("broadcast_to", (value,), node.origin, shape=node.shape)


def _without_repetition(trace: Trace, operand: TracedArray) -> TracedArray:
    """The operand before broadcast_to, and a lone number before it was reshaped to ones."""
    producer = trace.nodes[operand.position]
    while producer.operation == "broadcast_to" or (producer.operation == "reshape" and producer.size == 1):
        source = producer.inputs[0]
        operand = _value(trace, source, trace.nodes[source])
        producer = trace.nodes[source]
    return operand


def _shape_of(operands: Sequence[TracedArray]) -> tuple[int, ...]:
    return broadcast("simplify", *(operand.shape for operand in operands))


_NEUTRAL = {"multiply": 1, "divide": 1, "add": 0, "subtract": 0}


def _neutral(trace: Trace, node: Node, operands: Sequence[TracedArray]) -> TracedArray | None:
    """x·1, 1·x, x/1, x + 0, x − 0, −(−x)."""
    if node.operation == "negative":
        inner = trace.nodes[operands[0].position]
        if inner.operation == "negative":
            return _value(trace, inner.inputs[0], trace.nodes[inner.inputs[0]])
    if node.operation not in _NEUTRAL:
        return None
    for side, other in ((1, 0), (0, 1)):
        constant = scalar_value(trace, operands[side])
        commutes = side == 1 or node.operation in ("multiply", "add")
        alike = (operands[other].shape, operands[other].dtype) == (node.shape, node.dtype)
        if commutes and constant == _NEUTRAL[node.operation] and alike:
            return operands[other]
    return None


def scalar_value(trace: Trace, operand: TracedArray) -> Any:
    """The value of a constant number, or None."""
    producer = trace.nodes[operand.position]
    value = producer.options["value"] if producer.operation == "constant" else None
    return None if isinstance(value, Constant) else value


def _collapse_shape(trace: Trace, node: Node, operands: Sequence[TracedArray]) -> TracedArray | None:
    """Shape operations that undo each other or do nothing; sums over axes of size 1 are reshapes."""
    if node.operation in ("reshape", "permute_dims", "slice", "broadcast_to", "astype"):
        inner = trace.nodes[operands[0].position]
        unchanged = node.operation != "permute_dims" or node.options["axes"] == tuple(range(len(node.shape)))
        if node.shape == operands[0].shape and node.dtype == operands[0].dtype and unchanged:
            return operands[0]
        if inner.operation == node.operation == "reshape":
            source = _value(trace, inner.inputs[0], trace.nodes[inner.inputs[0]])
            return (
                source
                if source.shape == node.shape
                else trace.record("reshape", (source,), node.origin, shape=node.shape)
            )
        if inner.operation == node.operation == "permute_dims":
            axes = tuple(inner.options["axes"][axis] for axis in node.options["axes"])
            source = _value(trace, inner.inputs[0], trace.nodes[inner.inputs[0]])
            return trace.namespace.permute_dims(source, axes) if axes != tuple(range(len(axes))) else source
    if node.operation in ("sum", "max", "min") and all(operands[0].shape[a] == 1 for a in node.options["axis"]):
        return trace.namespace.reshape(operands[0], tuple(node.shape))  # type: ignore[arg-type]
    return None


def _fold_constant(trace: Trace, node: Node, operands: Sequence[TracedArray]) -> TracedArray | None:
    """Arithmetic on known numbers is done now, in the data type of the graph."""
    if not operands or node.shape != () or PRIMITIVES[node.operation].family != "elementwise":
        return None
    known = [scalar_value(trace, operand) for operand in operands]
    if any(value is None for value in known) or "bfloat16" in (node.dtype, *(o.dtype for o in operands)):
        return None
    arrays = [host.asarray(v, dtype=o.dtype) for v, o in zip(known, operands, strict=True)]
    with host.errstate(all="ignore"):
        result = PRIMITIVES[node.operation].evaluate(Eager(host), *arrays, **node.options)
    return trace.record("constant", (), node.origin, value=result.item(), dtype=node.dtype)


def unshaped(nodes: Sequence[Node], i: int) -> int:
    """A value before it was reshaped."""
    while nodes[i].operation == "reshape":
        i = nodes[i].inputs[0]
    return i
