"""Functions of mathematics in native code, beside NumPy's."""

from __future__ import annotations

import re

import numpy as np
import pytest

pytest.importorskip("llvmlite")

from nnkit_numpy.jit import functions, machine, transcendental
from nnkit_numpy.jit.language import module
from nnkit_numpy.jit.machine import compiled

pytestmark = pytest.mark.usefixtures("native_cache")
NUMPY = {"abs": np.absolute, "round": np.rint, "asin": np.arcsin, "acos": np.arccos, "atan": np.arctan}
NUMPY |= {"asinh": np.arcsinh, "acosh": np.arccosh, "atanh": np.arctanh, "atan2": np.arctan2, "pow": np.power}
REAL = sorted({*functions.LLVM, *functions.C, *functions.REAL, *transcendental.TEXTS})
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


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", sorted(transcendental.TEXTS))
def test_errors_stay_below_four_units_in_the_last_place(name, dtype):
    draw = np.random.default_rng(0)
    most = {"float32": 80, "float64": 700}[dtype]
    x = np.concatenate([draw.uniform(-most, most, 20000), draw.normal(size=20000), 1e-3 * draw.normal(size=20000)])
    x = np.concatenate([x, 10.0 ** draw.uniform(-30, 30, 20000), 2.0 ** np.arange(-most, most)]).astype(dtype)
    if name in ("log", "log1p"):
        x = np.concatenate([np.abs(x), -draw.uniform(0, 0.999, 10000).astype(dtype)]) if name == "log1p" else np.abs(x)
    with np.errstate(over="ignore"):
        exact = getattr(np, name)(x.astype(np.longdouble))
        units = np.spacing(np.abs(exact.astype(dtype)))
    inside = np.isfinite(units) & (np.abs(exact) > np.finfo(dtype).tiny)
    errors = np.abs(elementwise(name, x)[inside].astype(np.longdouble) - exact[inside]) / units[inside]
    assert errors.max() < 4


def test_exponentials_run_on_whole_vectors():
    """A loop over them calls nothing."""
    text = """
@export
def f(x, n) -> int64:
    p = array(x, float32)
    for i in range(n):
        p[i] = tanh(log1p(exp(p[i])))
    return 0
"""
    parsed = str(machine.optimised(str(module(text, {})), machine.target()))
    assert re.search(r"<\d+ x float> @llvm.copysign", parsed)
    called = {name.split(".")[1] for name in re.findall(r"@(llvm\.\w+|\w+)[.(]", parsed) if name.startswith("llvm")}
    assert called == {"fabs", "copysign"}
    assert not re.search(r"@\w+f\(", parsed.replace("@f(", ""))


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
