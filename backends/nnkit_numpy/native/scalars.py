"""Elementwise operations as expressions on single numbers; each result is cast to the data type of its node."""

from __future__ import annotations

from nnkit.backend import NoNativeFormError
from nnkit.graph.ir import Node
from nnkit.plan.scalars import OPERATORS as COMMON
from nnkit.plan.scalars import UNCHANGED, alike

# The larger and the smaller keep NaN: what differs from itself wins, and so does a second operand that compares false.
OPERATORS = COMMON | {
    "maximum": "{0} if {0} > {1} or {0} != {0} else {1}",
    "minimum": "{0} if {0} < {1} or {0} != {0} else {1}",
    "logical_and": "{0} and {1}",
    "logical_or": "{0} or {1}",
    "logical_not": "not {0}",
    "isinf": "abs({0}) == inf",
    "where": "{1} if {0} else {2}",
}
FUNCTIONS = {
    "abs", "exp", "expm1", "log", "log1p", "log2", "log10", "sqrt", "sin", "cos", "tan", "sinh", "cosh", "tanh",
    "asin", "acos", "atan", "asinh", "acosh", "atanh", "sign", "floor", "ceil", "trunc", "round",
    "pow", "floor_divide", "remainder", "atan2", "hypot", "logaddexp",
}  # fmt: skip


def expression(node: Node, operands: list[str], dtypes: list[str]) -> str:
    """The code of one element of a node."""
    name = node.operation
    if name == "astype":
        return cast(operands[0], dtypes[0], node.dtype)
    if name in UNCHANGED and "int" in node.dtype:
        return operands[0]
    operands, _ = alike(name, operands, dtypes, cast)
    if dtypes[0] == "bool" and name == "bitwise_invert":
        return f"not {operands[0]}"
    if name in OPERATORS:
        return typed(OPERATORS[name].format(*operands), node.dtype)
    if name in FUNCTIONS:
        return typed(f"{name}({', '.join(operands)})", node.dtype)
    raise NoNativeFormError(f"the operation '{name}' has no native form")


def typed(code: str, dtype: str) -> str:
    """Of exactly this data type."""
    return f"({code})" if dtype == "bool" else f"{dtype}({code})"


def cast(code: str, source: str, dtype: str) -> str:
    """Another data type."""
    return code if dtype == source else f"{dtype}({code})"
