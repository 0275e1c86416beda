"""Functions of mathematics in native code, beside NumPy's."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("llvmlite")

from nnkit_numpy.jit import functions
from nnkit_numpy.jit.machine import compiled

pytestmark = pytest.mark.usefixtures("native_cache")
NUMPY = {"abs": np.absolute, "round": np.rint, "asin": np.arcsin, "acos": np.arccos, "atan": np.arctan}
NUMPY |= {"asinh": np.arcsinh, "acosh": np.arccosh, "atanh": np.arctanh, "atan2": np.arctan2, "pow": np.power}
REAL = sorted({*functions.LLVM, *functions.C, *functions.REAL})
PAIRS = {"copysign", "pow", "hypot", "atan2", "remainder", "floor_divide", "logaddexp"}
NUMBERS = [0.0, -0.0, 1.0, -1.0, 0.5, -0.3, 2.5, -3.75, 7.0, 1e-3, -1e-6, 20.0, -20.0, 1e5, np.inf, -np.inf, np.nan]
INTEGERS = {
    "int32": [0, 1, -1, 2, -3, 7, -8, 100, 12345, -(2**31), 2**31 - 1],
    "uint8": [0, 1, 2, 3, 7, 200, 255],
}


def elementwise(name, *arrays):
    """The function of each element, or of each pair."""
    given = ", ".join(f"p{k}[i]" for k in range(len(arrays)))
    heads = "\n".join(f"    p{k} = array(a{k}, {array.dtype})" for k, array in enumerate(arrays))
    parameters = ", ".join(f"a{k}" for k in range(len(arrays)))
    text = f"""
@export
def f({parameters}, out, n) -> int64:
{heads}
    result = array(out, {arrays[0].dtype})
    for i in range(n):
        result[i] = {name}({given})
    return 0
"""
    out = np.empty_like(arrays[0])
    compiled(text).function("f", len(arrays) + 2)(*(a.ctypes.data for a in arrays), out.ctypes.data, out.size)
    return out


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", REAL)
def test_functions_of_numbers_with_a_fraction(name, dtype):
    x = np.asarray(NUMBERS, dtype)
    arrays = [np.repeat(x, x.size), np.tile(x, x.size)] if name in PAIRS else [x]
    with np.errstate(all="ignore"):
        expected = NUMPY.get(name, getattr(np, name, None))(*arrays)
    np.testing.assert_allclose(elementwise(name, *arrays), expected, rtol=4 * np.finfo(dtype).eps)


@pytest.mark.parametrize("dtype", INTEGERS)
@pytest.mark.parametrize("name", sorted(functions.SIGNED))
def test_functions_of_whole_numbers(name, dtype):
    x = np.asarray(INTEGERS[dtype], dtype)
    arrays = [x]
    if name in PAIRS:
        left, right = np.repeat(x, x.size), np.tile(x, x.size)
        keep = right >= 0 if name == "pow" else right == right
        arrays = [left[keep], right[keep]]
    with np.errstate(all="ignore"):
        expected = NUMPY.get(name, getattr(np, name, None))(*arrays)
    np.testing.assert_array_equal(elementwise(name, *arrays), expected)
