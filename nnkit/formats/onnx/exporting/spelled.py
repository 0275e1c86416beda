"""A graph in operations and data types for which ONNX runtimes have kernels: the rest is spelled out by those."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from nnkit.formats.onnx.exporting import formulas as f
from nnkit.graph import Graph, Node, Trace, TracedArray
from nnkit.graph.dtypes import KNOWN, kind, promote
from nnkit.graph.primitives import PRIMITIVES
from nnkit.plan.rewrites import rewrite

FLOATS, WHOLE = ("float32", "float64"), ("int32", "int64")
NUMBERS = (*FLOATS, *WHOLE)
WORDS = ("uint32", "uint64")
HALVES = ("float16", "bfloat16")
BYTES = tuple(name for name in KNOWN if kind(name) in ("signed", "unsigned"))

# The data types that onnxruntime computes in, of the first operand (of ``where``, the second). What is not named here
# moves values only, which works for all. It takes powers and sums of whole numbers by float64: exact below 2⁵³.
NATIVE: dict[str, Sequence[str]] = {
    **dict.fromkeys(("exp", "log", "sqrt", "sin", "cos", "tanh", "isnan", "divide"), FLOATS),
    **dict.fromkeys(("floor", "ceil", "round"), FLOATS),
    **dict.fromkeys(("tan", "sinh", "cosh", "asin", "acos", "atan", "asinh", "acosh", "atanh", "erf"), ("float32",)),
    **dict.fromkeys(("abs", "sign", "negative", "pow"), NUMBERS),
    **dict.fromkeys(("add", "subtract", "multiply", "maximum", "minimum", "matmul"), (*NUMBERS, *WORDS)),
    **dict.fromkeys(("less", "less_equal", "greater", "greater_equal"), NUMBERS),
    **dict.fromkeys(("remainder", "floor_divide"), (*NUMBERS, "uint64")),
    **dict.fromkeys(("logical_and", "logical_or", "logical_xor", "logical_not"), ("bool",)),
    **dict.fromkeys(("bitwise_and", "bitwise_or", "bitwise_xor"), ("bool", *BYTES)),
    **dict.fromkeys(("bitwise_left_shift", "bitwise_right_shift"), ("uint64",)),
    **dict.fromkeys(("sum", "max", "min", "argsort", "cumulative_sum", "where"), NUMBERS),
    **dict.fromkeys(("argmax", "argmin"), (*FLOATS, "int32")),
    "equal": (*NUMBERS, "bool"),
}

# By the operand's data type, or by its kind, or "any".
FORMULAS: dict[str, Mapping[str, f.Formula]] = {
    **{name: {"any": getattr(f, name)} for name in ("expm1", "log1p", "log2", "log10", "atan2", "hypot", "logaddexp")},
    **{name: {"any": getattr(f, name)} for name in ("square", "isinf", "isfinite", "not_equal", "trunc")},
    **{
        name: {"float64": getattr(f, name)}
        for name in ("tan", "sinh", "cosh", "asin", "acos", "atan", "asinh", "acosh", "atanh")
    },
    "erf": {"float64": f.inlined("erf")},
    **{name: {"signed": f.same, "unsigned": f.same} for name in ("floor", "ceil", "round")},
    "abs": {"unsigned": f.same},
    "sign": {"unsigned": f.sign_of_unsigned},
    "negative": {"unsigned": f.negative},
    "where": {"bool": f.choose},
    "all": {"any": f.all_of},
    "any": {"any": f.any_of},
    **{name: {"uint64": f.ordered(name)} for name in ("less", "less_equal", "greater", "greater_equal", "argsort")},
    **{name: {"uint64": f.ordered(name, back=True)} for name in ("max", "min")},
    **{
        name: dict.fromkeys(("int8", "int16", "int64", "unsigned"), f.first_of_sorted(name == "argmax"))
        for name in ("argmax", "argmin")
    },
    "floor_divide": {"float": f.floor_divide},
    "bitwise_left_shift": dict.fromkeys((*f.SHORTER, "signed"), f.shifted_left),
    "bitwise_right_shift": dict.fromkeys((*f.SHORTER, "signed"), f.shifted_right),
    "bitwise_invert": {"signed": f.inverted, "unsigned": f.inverted},
    **{name: {"any": f.inlined(name)} for name in ("place", "scatter_add", "random_bits")},
}
ALIKE = ("concat", "matmul")
"""Not elementwise, and yet of operands of one data type."""


def spelled_out(graph: Graph) -> Graph:
    """The graph without what no kernel computes, and without the marks that only differentiation reads."""
    while True:
        step = _Step()
        graph = rewrite(graph, step.rule)
        if not step.changed:
            return graph


class _Step:
    """One pass over a graph; a formula may bring operations that the next one spells out."""

    def __init__(self) -> None:
        self.changed = False

    def rule(self, trace: Trace, node: Node, operands: Sequence[TracedArray]) -> TracedArray | None:
        """What stands for a node; None for itself."""
        value = _replacement(trace, node, operands)
        self.changed = self.changed or value is not None
        return value


def _replacement(trace: Trace, node: Node, operands: Sequence[TracedArray]) -> TracedArray | None:
    options = node.options
    if not operands:
        return None
    if node.operation == "stop_gradient" or options.get("axis") == ():
        return operands[0]
    if options.pop("ties", None):
        return trace.record(node.operation, operands, **options)
    if node.operation == "matmul" and options:
        flagged: TracedArray = f.product(operands[0], operands[1], **options)
        return flagged
    xp, dtype = trace.namespace, _computed_in(node.operation, operands)
    alike = _of_one_type(xp, node, operands)
    if alike is not None:
        return trace.record(node.operation, alike, **options)
    formula = _formula(node.operation, dtype)
    native = dtype in NATIVE.get(node.operation, KNOWN) and formula is None
    if dtype in HALVES and (node.operation in NATIVE or formula is not None):
        return _widened(trace, node, operands, dtype, "float32")
    if formula is not None:
        found: TracedArray = formula(xp, *operands, **options)
        return found
    return None if native else _widened(trace, node, operands, dtype, "int64")


def _widened(trace: Trace, node: Node, operands: Sequence[TracedArray], dtype: str, wide: str) -> TracedArray:
    """The operation on wider operands, and its result as narrow as it was."""
    xp = trace.namespace
    result = trace.record(
        node.operation, [xp.astype(o, wide) if o.dtype == dtype else o for o in operands], **node.options
    )
    return result if result.dtype == node.dtype else xp.astype(result, node.dtype)


def _computed_in(operation: str, operands: Sequence[TracedArray]) -> str:
    return operands[1 if operation == "where" else 0].dtype


def _of_one_type(xp: Any, node: Node, operands: Sequence[TracedArray]) -> list[TracedArray] | None:
    """The operands in their common data type, as ONNX's operators want them; None if they are."""
    if node.operation == "take":
        return None if operands[1].dtype in WHOLE else [operands[0], xp.astype(operands[1], "int64")]
    if PRIMITIVES[node.operation].family != "elementwise" and node.operation not in ALIKE:
        return None
    first = 1 if node.operation == "where" else 0
    found = {operand.dtype for operand in operands[first:]}
    if len(found) == 1:
        return None
    common = promote(node.operation, *found)
    return [*operands[:first], *(xp.astype(operand, common) for operand in operands[first:])]


def _formula(operation: str, dtype: str) -> f.Formula | None:
    known = FORMULAS.get(operation, {})
    return next((known[key] for key in (dtype, kind(dtype), "any") if key in known), None)
