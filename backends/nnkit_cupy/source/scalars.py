"""Elementwise operations as expressions on single numbers; each result has the data type of its node."""

from __future__ import annotations

from nnkit.graph.dtypes import kind
from nnkit.graph.ir import Node
from nnkit.plan.scalars import OPERATORS as COMMON
from nnkit.plan.scalars import UNCHANGED, alike
from nnkit_cupy.source.types import TYPES, cast

# The larger and the smaller keep NaN: what differs from itself wins, and so does a second operand that compares false.
OPERATORS = COMMON | {
    "maximum": "{0} > {1} || {0} != {0} ? {0} : {1}",
    "minimum": "{0} < {1} || {0} != {0} ? {0} : {1}",
    "logical_and": "{0} && {1}",
    "logical_or": "{0} || {1}",
    "logical_not": "!{0}",
    "isinf": "{0} == INFINITY || {0} == -INFINITY",
    "where": "{0} ? {1} : {2}",
}
MATH = {
    "abs": "fabs", "round": "rint", "exp": "exp", "expm1": "expm1", "log": "log", "log1p": "log1p", "log2": "log2",
    "log10": "log10", "sqrt": "sqrt", "sin": "sin", "cos": "cos", "tan": "tan", "sinh": "sinh", "cosh": "cosh",
    "tanh": "tanh", "asin": "asin", "acos": "acos", "atan": "atan", "asinh": "asinh", "acosh": "acosh",
    "atanh": "atanh", "floor": "floor", "ceil": "ceil", "trunc": "trunc", "pow": "pow", "atan2": "atan2",
    "hypot": "hypot", "copysign": "copysign", "erf": "erf",
}  # fmt: skip
"""Functions of fractions that CUDA has, in single precision under the same name with an f."""
OWN = ("sign", "floor_divide", "remainder", "logaddexp", "abs", "pow")
"""Functions of the prelude, for the types that CUDA has none for."""


def expression(node: Node, operands: list[str], dtypes: list[str]) -> str:
    """The code of one element of a node."""
    name = node.operation
    if name == "astype":
        return f"({cast(operands[0], dtypes[0], node.dtype)})"
    if name in UNCHANGED and kind(node.dtype) != "float":
        return operands[0]
    operands, common = alike(name, operands, dtypes, cast)
    if dtypes[0] == "bool" and name == "bitwise_invert":
        return f"(!{operands[0]})"
    if name in OPERATORS:
        return f"({TYPES[node.dtype]})({OPERATORS[name].format(*(f'({code})' for code in operands))})"
    return f"({TYPES[node.dtype]}){_function(name, common)}({', '.join(operands)})"


def has(name: str) -> bool:
    """Whether there is code for an operation."""
    return name in OPERATORS or name in MATH or name in OWN or name == "astype"


def _function(name: str, dtype: str) -> str:
    if kind(dtype) == "float" and name in MATH:
        return MATH[name] + ("f" if dtype == "float32" else "")
    return f"nn_{name}"
