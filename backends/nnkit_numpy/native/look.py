"""Looks with numbers in the language of native programs."""

from __future__ import annotations

from nnkit.backend import NoNativeFormError
from nnkit.plan import Plan
from nnkit.plan.look import Look
from nnkit.plan.look import looks as looks_with


def literal(value: float | bool, dtype: str) -> str:
    """A number in code, of exactly this data type."""
    if dtype == "bool":
        return str(bool(value))
    if dtype.startswith("uint"):
        return f"{dtype}({int(value) % (1 << int(dtype[4:]))})"
    return f"{dtype}({value})"


def looks(plan: Plan) -> dict[int, Look]:
    """The look of every value of a plan."""
    small = next((node.dtype for _, node in plan.graph if node.dtype in ("float16", "bfloat16")), None)
    if small is not None:
        raise NoNativeFormError(f"{small} has no native arithmetic on this processor")
    return looks_with(plan, literal)
