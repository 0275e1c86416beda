"""The functions of mathematics: LLVM's own, those of the C library, and what neither has, in the language itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from llvmlite import ir

from nnkit_numpy.jit import transcendental
from nnkit_numpy.jit.kinds import LanguageError, is_real, is_signed, llvm

LLVM = {
    "abs": "fabs", "sqrt": "sqrt", "floor": "floor", "ceil": "ceil", "trunc": "trunc", "round": "rint",
    "copysign": "copysign", "log2": "log2", "log10": "log10", "sin": "sin", "cos": "cos", "pow": "pow",
}  # fmt: skip
C = ("tan", "sinh", "cosh", "hypot", "asin", "acos", "atan", "asinh", "acosh", "atanh", "atan2")

# Of numbers with a fraction, as NumPy has them.
REAL = {
    "sign": """
def NAME(x: DTYPE) -> DTYPE:
    return x if x != x else DTYPE(x > 0.0) - DTYPE(x < 0.0)
""",
    "remainder": """
def NAME(x: DTYPE, y: DTYPE) -> DTYPE:
    rest = x % y
    if rest == 0.0:
        return copysign(rest, y)
    return rest + y if (rest < 0.0) != (y < 0.0) else rest
""",
    "floor_divide": """
def NAME(x: DTYPE, y: DTYPE) -> DTYPE:
    if y == 0.0:
        return x / y
    rest = x % y
    quotient = (x - rest) / y
    if rest != 0.0 and (rest < 0.0) != (y < 0.0):
        quotient = quotient - 1.0
    if quotient == 0.0:
        return copysign(quotient, x / y)
    whole = floor(quotient)
    return whole + 1.0 if quotient - whole > 0.5 else whole
""",
    "logaddexp": """
def NAME(x: DTYPE, y: DTYPE) -> DTYPE:
    if x == y:
        return x + 0.6931471805599453
    between = x - y
    if between > 0.0:
        return x + log1p(exp(-between))
    return y + log1p(exp(between))
""",
}
# Of whole numbers: dividing by zero gives zero.
WHOLE = {
    "abs": """
def NAME(x: DTYPE) -> DTYPE:
    return x if x >= 0 else -x
""",
    "sign": """
def NAME(x: DTYPE) -> DTYPE:
    return DTYPE(x > 0) - DTYPE(x < 0)
""",
    "pow": """
def NAME(x: DTYPE, y: DTYPE) -> DTYPE:
    result = DTYPE(1)
    while y > 0:
        if y & 1 == 1:
            result = result * x
        x = x * x
        y = y >> 1
    return result
""",
}
SIGNED = WHOLE | {
    "remainder": """
def NAME(x: DTYPE, y: DTYPE) -> DTYPE:
    if y == 0 or y == -1:
        return DTYPE(0)
    rest = x % y
    return rest + y if rest != 0 and (rest < 0) != (y < 0) else rest
""",
    "floor_divide": """
def NAME(x: DTYPE, y: DTYPE) -> DTYPE:
    if y == 0:
        return DTYPE(0)
    if y == -1:
        return -x
    rest = x % y
    return x // y - DTYPE(rest != 0 and (rest < 0) != (y < 0))
""",
}
UNSIGNED = WHOLE | {
    "remainder": """
def NAME(x: DTYPE, y: DTYPE) -> DTYPE:
    if y == 0:
        return y
    return x % y
""",
    "floor_divide": """
def NAME(x: DTYPE, y: DTYPE) -> DTYPE:
    if y == 0:
        return y
    return x // y
""",
}


def _spelled_out(dtype: str) -> dict[str, str]:
    return REAL if is_real(dtype) else SIGNED if is_signed(dtype) else UNSIGNED


def is_spelled_out(name: str, dtype: str) -> bool:
    """Whether ``text`` has it."""
    return name in _spelled_out(dtype) or (is_real(dtype) and name in transcendental.TEXTS)


def text(name: str, full: str, dtype: str) -> str:
    """The function for numbers of this type, under the name ``full``."""
    found = transcendental.text(name, dtype) if name in transcendental.TEXTS else _spelled_out(dtype)[name]
    return found.replace("NAME", full).replace("DTYPE", dtype)


def call(builder: Any, name: str, dtype: str, values: Sequence[Any]) -> Any:
    """A function of LLVM or of the C library, which gives a number of the type that it takes."""
    if not is_real(dtype) or name not in (*LLVM, *C):
        raise LanguageError(f"no function {name} of {dtype}")
    single = dtype == "float32"
    known = f"llvm.{LLVM[name]}.{'f32' if single else 'f64'}" if name in LLVM else name + "f" * single
    return builder.call(declared(builder.module, known, llvm(dtype), [v.type for v in values]), values)


def declared(module: Any, name: str, result: Any, types: Sequence[Any], pure: bool = True) -> Any:
    """A function from outside the module; a pure one touches nothing but its numbers."""
    if name not in module.globals:
        function = ir.Function(module, ir.FunctionType(result, types), name)
        function.attributes.add("nounwind")
        if pure and not name.startswith("llvm."):
            function.attributes.add("readnone")
    return module.globals[name]
