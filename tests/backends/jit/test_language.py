"""The small language: what each construct means, against Python itself."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("llvmlite")

from nnkit_numpy.jit.kinds import LanguageError
from nnkit_numpy.jit.machine import compiled

pytestmark = pytest.mark.usefixtures("native_cache")
WORDS = st.integers(-(2**30), 2**30)


def run(text, *numbers):
    """The result of the exported function ``f``."""
    return compiled(text).function("f", len(numbers))(*numbers)


PROGRAMS = {
    "loops": """
@export
def f(a, b) -> int64:
    total = 0
    for i in range(a % 9 + 9):
        for j in range(2, 20, 3):
            total += i * j
        if total > b:
            total -= b
        elif total == 7:
            pass
        else:
            total = total + 1
    return total
""",
    "while": """
@export
def f(a, b) -> int64:
    steps = 0
    left = a if a > 0 else -a
    while left > 1 and steps < 1000:
        left = left // 2 if left % 2 == 0 else 3 * left + 1
        steps += 1
    return steps
""",
    "early": """
def helper(x) -> bool:
    if x < 10:
        return True
    return not x != 12 or x > 1000

@export
def f(a, b) -> int64:
    first, second = b, a
    if helper(first) and second != 3:
        return min(first, second)
    return first & 255 | second ^ 7
""",
}


@pytest.mark.parametrize("name", PROGRAMS)
@settings(max_examples=50, deadline=None)
@given(a=WORDS, b=WORDS)
def test_programs_do_what_python_does(name, a, b):
    text = PROGRAMS[name]
    names = {}
    plain = text.replace("@export\n", "").replace(" -> int64", "").replace(" -> bool", "")
    exec(plain, names)
    if name == "loops" and a < 0:
        a = -a  # // and % go towards zero, as the processor's do
    assert run(text, a, b) == names["f"](a, b)


def test_division_goes_towards_zero():
    text = "@export\ndef f(a, b) -> int64:\n    return 100 * (a // b) + a % b\n"
    assert run(text, -7, 2) == -301
    assert run(text, 7, -2) == -299


def test_what_an_and_does_not_reach_is_not_read():
    """The address is nobody's memory."""
    text = """
@export
def f(a) -> int64:
    x = array(8, int64)
    return 1 if a > 0 and x[0] > 0 else 2 if a < 0 else x[0]
"""
    assert run(text, -1) == 2


@pytest.mark.parametrize(
    "dtype", ["bool", "int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "float32", "float64"]
)
def test_arrays_of_every_data_type(dtype):
    x = np.asarray([0, 1, 1, 0] if dtype == "bool" else [3, 0, 100, 7], dtype)
    y = np.zeros_like(x)
    text = f"""
@export
def f(x, y, n) -> int64:
    source, target = array(x, {dtype}), array(y, {dtype})
    for i in range(n):
        target[n - 1 - i] = source[i]
    return int64(target[1])
"""
    assert run(text, x.ctypes.data, y.ctypes.data, 4) == int(x[2])
    np.testing.assert_array_equal(y, x[::-1])


CASTS = [("float64", "int32", -2.75), ("float64", "float32", 0.1), ("int32", "uint8", 300), ("uint8", "float32", 200)]
CASTS += [("int8", "int64", -5), ("uint8", "int64", 251), ("float32", "bool", 0.5), ("int64", "bool", 0)]
CASTS += [("bool", "float64", True), ("float64", "bool", float("nan")), ("int64", "uint64", -1)]


@pytest.mark.parametrize(("source", "target", "number"), CASTS)
def test_conversions_are_those_of_numpy(source, target, number):
    x = np.asarray([number], source)
    y = np.zeros(1, target)
    text = f"""
@export
def f(x, y) -> int64:
    given, result = array(x, {source}), array(y, {target})
    result[0] = {target}(given[0])
    return 0
"""
    run(text, x.ctypes.data, y.ctypes.data)
    assert y[0] == x.astype(target)[0]


def test_literals_take_the_type_of_their_neighbour():
    x = np.asarray([250, 10], np.uint8)
    text = """
@export
def f(x) -> int64:
    given = array(x, uint8)
    s = given[0]
    s += 1 + 2
    given[0] = s + 5 if s > -1 + 2 else 1
    given[1] = 2 * given[1]
    return 0
"""
    run(text, x.ctypes.data)
    np.testing.assert_array_equal(x, [2, 20])


def test_infinity_and_nan():
    x = np.zeros(3, np.float32)
    text = """
@export
def f(x) -> int64:
    y = array(x, float32)
    y[0] = -inf
    y[1] = nan
    y[2] = float32(1.5 if y[1] == y[1] else 2)
    return 0
"""
    run(text, x.ctypes.data)
    np.testing.assert_array_equal(x, [-np.inf, np.nan, 2])


WRONG = {
    "    return b": "f: nothing is called b yet",
    "    x = float32(a)\n    return a + x": "f: int64 beside float32",
    "    x = float32(a)\n    return 1 if a < x else 0": "f: int64 beside float32",
    "    return min(a, float64(a))": "f: int64 beside float64",
    "    return float64(a)": "f: float64 where int64 is wanted",
    "    x = 1.5\n    x = a\n    return a": "f: int64 where float64 is wanted",
    "    return a[0]": "f: a is no array",
    "    return nobody(a)": "no function nobody of int64",
    "    with a:\n        pass": "f: With has no meaning here",
    "    return [a][0]": "f: List has no meaning here",
}


@pytest.mark.parametrize("body", WRONG, ids=str.strip)
def test_text_that_is_not_of_the_language(body):
    with pytest.raises(LanguageError) as refusal:
        compiled(f"@export\ndef f(a) -> int64:\n{body}\n")
    assert str(refusal.value) == WRONG[body]
