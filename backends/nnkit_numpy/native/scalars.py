"""Elementwise operations as expressions on single numbers; each result is cast to the data type of its node."""

from __future__ import annotations

import numpy as np

from nnkit.backend import NoNativeFormError
from nnkit.graph.ir import Node

# The larger and the smaller keep NaN: what differs from itself wins, and so does a second operand that compares false.
OPERATORS = {
    "add": "{0} + {1}",
    "subtract": "{0} - {1}",
    "multiply": "{0} * {1}",
    "divide": "{0} / {1}",
    "negative": "-{0}",
    "square": "{0} * {0}",
    "maximum": "{0} if {0} > {1} or {0} != {0} else {1}",
    "minimum": "{0} if {0} < {1} or {0} != {0} else {1}",
    "less": "{0} < {1}",
    "less_equal": "{0} <= {1}",
    "greater": "{0} > {1}",
    "greater_equal": "{0} >= {1}",
    "equal": "{0} == {1}",
    "not_equal": "{0} != {1}",
    "logical_and": "{0} and {1}",
    "logical_or": "{0} or {1}",
    "logical_xor": "{0} != {1}",
    "logical_not": "not {0}",
    "bitwise_and": "{0} & {1}",
    "bitwise_or": "{0} | {1}",
    "bitwise_xor": "{0} ^ {1}",
    "bitwise_left_shift": "{0} << {1}",
    "bitwise_right_shift": "{0} >> {1}",
    "bitwise_invert": "~{0}",
    "isfinite": "{0} - {0} == 0",  # of infinity and NaN the difference is NaN; this form runs on whole vectors
    "isnan": "{0} != {0}",
    "isinf": "abs({0}) == inf",
    "where": "{1} if {0} else {2}",
    "stop_gradient": "{0}",
}
FUNCTIONS = {
    "abs", "exp", "expm1", "log", "log1p", "log2", "log10", "sqrt", "sin", "cos", "tan", "sinh", "cosh", "tanh",
    "asin", "acos", "atan", "asinh", "acosh", "atanh", "sign", "floor", "ceil", "trunc", "round",
    "pow", "floor_divide", "remainder", "atan2", "hypot", "logaddexp",
}  # fmt: skip
ROUNDING = ("floor", "ceil", "trunc", "round")


def expression(node: Node, operands: list[str], dtypes: list[str]) -> str:
    """The code of one element of a node."""
    name = node.operation
    if name == "astype":
        return cast(operands[0], dtypes[0], node.dtype)
    if name in ROUNDING and "int" in node.dtype:
        return operands[0]
    operands = _alike(operands, dtypes, first=1 if name == "where" else 0)
    if dtypes[0] == "bool" and name == "bitwise_invert":
        return f"not {operands[0]}"
    if name in OPERATORS:
        return typed(OPERATORS[name].format(*operands), node.dtype)
    if name in FUNCTIONS:
        return typed(f"{name}({', '.join(operands)})", node.dtype)
    raise NoNativeFormError(f"the operation '{name}' has no native form")


def _alike(operands: list[str], dtypes: list[str], first: int) -> list[str]:
    """All of one data type, from the first on that is a number."""
    common = str(np.result_type(*dtypes[first:]))
    others = zip(operands[first:], dtypes[first:], strict=True)
    return [*operands[:first], *(cast(code, dtype, common) for code, dtype in others)]


def typed(code: str, dtype: str) -> str:
    """Of exactly this data type."""
    return f"({code})" if dtype == "bool" else f"{dtype}({code})"


def cast(code: str, source: str, dtype: str) -> str:
    """Another data type."""
    return code if dtype == source else f"{dtype}({code})"
