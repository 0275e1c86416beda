"""Reverse-mode differentiation: one walk back over the nodes, with the derivative rule of each row."""

from __future__ import annotations

from collections.abc import Sequence

from nnkit.errors import ArgumentError
from nnkit.graph.dtypes import kind
from nnkit.graph.interpret import interpret
from nnkit.graph.ir import Graph
from nnkit.graph.primitives import PRIMITIVES
from nnkit.graph.primitives.shape import unbroadcast
from nnkit.graph.shapes import fixed, show
from nnkit.graph.tracing import Trace, TracedArray


def gradients(output: TracedArray, wrt: Sequence[TracedArray]) -> list[TracedArray]:
    """∂output/∂w for each w of ``wrt``, recorded in the same trace; ``output`` is 0-d.

    Only values on a path from ``wrt`` to ``output`` get a gradient; what does not depend on a w gets zeros.
    """
    if output.shape != ():
        raise ArgumentError(
            f"a gradient needs an output of one number, got shape {show(output.shape)}; use xp.sum or xp.mean"
        )
    if kind(output.dtype) != "float":
        raise ArgumentError(f"a gradient needs a floating-point output, got {output.dtype}")
    for w in wrt:
        if kind(w.dtype) != "float":
            raise ArgumentError(f"a gradient needs floating-point arrays to differentiate by, got {w.dtype}")
    trace, xp = output.trace, output.trace.namespace
    trace._traced("gradient", (output, *wrt))
    active = _between(trace, output.position, {w.position for w in wrt})
    with trace.within("backward"):
        cotangents = {output.position: xp.ones_like(output)}
        for position in sorted(active, reverse=True):
            if position in cotangents:
                _walk_back(trace, position, active, cotangents)
        return [
            cotangents[w.position] if w.position in cotangents else xp.zeros(fixed(w.shape, "gradient"), dtype=w.dtype)
            for w in wrt
        ]


def differentiate(graph: Graph, output: str, wrt: Sequence[str]) -> Graph:
    """The graph with one more output for each input of ``wrt``: ``grad:<name>``, the derivative of ``output``.

    Where a name is taken, by the first derivative of a second one, each gets one more ``grad:`` in front.
    """
    unknown = sorted({output} - graph.output.keys()) + sorted(set(wrt) - graph.inputs.keys())
    if unknown:
        raise ArgumentError(
            f"differentiate: the graph has no {', '.join(unknown)}; "
            f"its outputs are {', '.join(graph.output)}, its inputs {', '.join(graph.inputs)}"
        )
    prefix = "grad:"
    while any(prefix + name in graph.output for name in wrt):
        prefix += "grad:"
    trace = Trace()
    inputs = {}
    for name, position in graph.inputs.items():
        inputs[name] = trace.input(**graph.nodes[position].options)
    outputs = interpret(graph, trace.namespace, inputs)
    slopes = gradients(outputs[output], [inputs[name] for name in wrt])
    return trace.graph(outputs | {prefix + name: slope for name, slope in zip(wrt, slopes, strict=True)})


def _between(trace: Trace, output: int, wrt: set[int]) -> set[int]:
    """Positions of floating-point values that depend on ``wrt`` and that ``output`` depends on."""
    depends = set(wrt)
    for position in range(min(wrt, default=output), output + 1):
        node = trace.nodes[position]
        if kind(node.dtype) == "float" and any(operand in depends for operand in node.inputs):
            depends.add(position)
    needed = {output} & depends
    for position in sorted(depends, reverse=True):
        if position in needed:
            needed.update(operand for operand in trace.nodes[position].inputs if operand in depends)
    return needed


def _walk_back(trace: Trace, position: int, active: set[int], cotangents: dict[int, TracedArray]) -> None:
    """Add to the cotangents of a node's operands what its own contributes."""
    node = trace.nodes[position]
    row = PRIMITIVES[node.operation]
    operands = [TracedArray(trace, i, trace.nodes[i].shape, trace.nodes[i].dtype) for i in node.inputs]
    out = TracedArray(trace, position, node.shape, node.dtype)
    for number, operand in enumerate(operands):
        rule = row.derivatives[number] if operand.position in active else None
        if rule is None:
            continue
        with trace.because_of(node):
            slope = rule(trace.namespace, cotangents[position], out, *operands, **node.options)
            if row.family == "elementwise":
                slope = unbroadcast(trace.namespace, slope, fixed(operand.shape, "gradient"))
            slope = trace.namespace.astype(slope, operand.dtype)  # the other operand may have been wider
            known = cotangents.get(operand.position)
            cotangents[operand.position] = slope if known is None else known + slope
