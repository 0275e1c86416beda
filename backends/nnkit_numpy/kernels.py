"""One line of NumPy for each primitive, writing into memory that is already there."""

from __future__ import annotations

from collections.abc import Callable

from nnkit.graph.ir import Node
from nnkit.plan.schedule import VIEWS

Emit = Callable[[Node, str, list[str]], list[str]]
"""(node, name of the output array, names of the operand arrays) → lines of code."""

# The standard's names where NumPy's ufuncs have others.
UFUNCS = {
    "abs": "absolute",
    "pow": "power",
    "asin": "arcsin",
    "acos": "arccos",
    "atan": "arctan",
    "asinh": "arcsinh",
    "acosh": "arccosh",
    "atanh": "arctanh",
    "atan2": "arctan2",
    "bitwise_left_shift": "left_shift",
    "bitwise_right_shift": "right_shift",
    "bitwise_invert": "invert",
}
REDUCTIONS = {"sum": "add", "max": "maximum", "min": "minimum", "all": "logical_and", "any": "logical_or"}


def elementwise(node: Node, out: str, operands: list[str]) -> list[str]:
    """A ufunc with its output given. The two extrema take theirs by keyword only."""
    name = UFUNCS.get(node.operation, node.operation)
    output = f"out={out}" if name in ("maximum", "minimum") else out
    return [f"{name}({', '.join(operands)}, {output})"]


def _astype(node: Node, out: str, operands: list[str]) -> list[str]:
    return [f"copyto({out}, {operands[0]}, 'unsafe')"]


def _round(node: Node, out: str, operands: list[str]) -> list[str]:
    # NumPy's rint knows no integers, which are round already.
    return [f"copyto({out}, {operands[0]})"] if "int" in node.dtype else [f"rint({operands[0]}, {out})"]


def _where(node: Node, out: str, operands: list[str]) -> list[str]:
    condition, x, y = operands
    fill = [] if out == y else [f"copyto({out}, {y})"]
    return [*fill, f"copyto({out}, {x}, where={condition})"]


def _matmul(node: Node, out: str, operands: list[str]) -> list[str]:
    return [f"matmul({operands[0]}, {operands[1]}, {out})"]


def _reduction(node: Node, out: str, operands: list[str]) -> list[str]:
    axis, keepdims = node.options["axis"], node.options["keepdims"]
    chosen = axis[0] if len(axis) == 1 else axis
    widens = node.operation == "sum" and "int" in node.dtype  # NumPy sums small integers in large ones
    dtype = f"{out}.dtype" if widens else None
    return [f"{REDUCTIONS[node.operation]}.reduce({operands[0]}, {chosen}, {dtype}, {out}, {keepdims})"]


def _index(node: Node, out: str, operands: list[str]) -> list[str]:
    return [f"{operands[0]}.{node.operation}({node.options['axis']}, {out}, keepdims={node.options['keepdims']})"]


def _take(node: Node, out: str, operands: list[str]) -> list[str]:
    # Indices were checked on entry; without NumPy's own check the gather is several times faster. Those from -n count
    # from the end, as in the standard.
    return [f"{operands[0]}.take({operands[1]}, {node.options['axis']}, {out}, 'wrap')"]


def _scatter_add(node: Node, out: str, operands: list[str]) -> list[str]:
    before = ", ".join([":"] * node.options["axis"] + [operands[1]])
    return [f"{out}.fill(0)", f"add.at({out}, ({before.replace(':', 'slice(None)')},), {operands[0]})"]


def _place(node: Node, out: str, operands: list[str]) -> list[str]:
    return [f"{out}.fill(0)", f"copyto({out}_inner, {operands[0]})"]


def _cumulative_sum(node: Node, out: str, operands: list[str]) -> list[str]:
    return [f"add.accumulate({operands[0]}, {node.options['axis']}, None, {out})"]


def _argsort(node: Node, out: str, operands: list[str]) -> list[str]:
    # NumPy sorts indices only into new memory.
    flipped = f"negative({operands[0]})" if node.options["descending"] else operands[0]
    return [f"copyto({out}, {flipped}.argsort({node.options['axis']}, 'stable'))"]


def _copy(node: Node, out: str, operands: list[str]) -> list[str]:
    return [f"copyto({out}_target, {out}_source)"]


def _concat(node: Node, out: str, operands: list[str]) -> list[str]:
    return [f"copyto({out}_part{i}, {operand})" for i, operand in enumerate(operands)]


def _random_bits(node: Node, out: str, operands: list[str]) -> list[str]:
    return [f"{out}_draw({', '.join(operands)})"]


KERNELS: dict[str, Emit] = {
    "astype": _astype,
    "round": _round,
    "where": _where,
    "matmul": _matmul,
    **dict.fromkeys(REDUCTIONS, _reduction),
    "argmax": _index,
    "argmin": _index,
    "take": _take,
    "scatter_add": _scatter_add,
    "place": _place,
    "cumulative_sum": _cumulative_sum,
    "argsort": _argsort,
    **dict.fromkeys(VIEWS, _copy),
    "concat": _concat,
    "random_bits": _random_bits,
}


def lines(node: Node, out: str, operands: list[str]) -> list[str]:
    """The code of one node."""
    return KERNELS.get(node.operation, elementwise)(node, out, operands)
