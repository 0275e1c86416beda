"""Every primitive of the table has its ONNX form, and onnxruntime computes with it what the reference does."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from array_api_compat import numpy as host

from nnkit.errors import ArgumentError
from nnkit.formats.onnx.exporting.operators import FORMS
from nnkit.formats.onnx.exporting.spelled import FORMULAS, NATIVE, spelled_out
from nnkit.graph import Graph, Trace, interpret
from nnkit.graph.primitives import PRIMITIVES
from tests.formats.onnx_runs import close, newest, of_graph, session
from tests.graph.cases import Case
from tests.graph.table import TABLE

FIRST = {case.operation: case for case in reversed(TABLE)}
SPELLED = {name for name, known in FORMULAS.items() if "any" in known}
WORDS = ("bitwise_and", "bitwise_or", "bitwise_xor", "random_bits")


def graph_of(case: Case, arrays: tuple[Any, ...]) -> Graph:
    trace = Trace()
    inputs = [trace.input(str(i), "data", array.shape, str(array.dtype)) for i, array in enumerate(arrays)]
    return trace.graph({"output": case.call(trace.namespace, *inputs)})


def check(case: Case, arrays: tuple[Any, ...], opset: int) -> None:
    graph = graph_of(case, arrays)
    by_name = {str(i): array for i, array in enumerate(arrays)}
    expected = np.asarray(interpret(graph, host, by_name)["output"])
    spelled = spelled_out(graph)
    with np.errstate(all="ignore"):  # what is not chosen may be infinite
        close(np.asarray(interpret(spelled, host, by_name)["output"]), expected, 8)
    model = of_graph(graph, opset)
    given = {f"in{name}": np.asarray(by_name[name]) for name in graph.inputs}
    read = {each.name for each in model.graph.input}
    found = session(model).run(None, {name: array for name, array in given.items() if name in read})[0]
    close(found, expected, 8)


def test_every_primitive_has_a_form() -> None:
    """Its own, or a formula of those that have; an input is the file's, and a mark for derivatives leaves no trace.

    Nothing is left out as what no prediction has: random bits too can be computed from a constant seed.
    """
    assert PRIMITIVES.keys() - FORMS.keys() - SPELLED == {"input", "stop_gradient"}
    assert not FORMS.keys() & SPELLED


def test_tables_name_nothing_else() -> None:
    assert FORMS.keys() | FORMULAS.keys() | NATIVE.keys() <= PRIMITIVES.keys()


@pytest.mark.parametrize("case", TABLE, ids=str)
def test_as_it_is(case: Case) -> None:
    check(case, case.arrays, 21)


@pytest.mark.parametrize("case", [c for c in TABLE if any(a.dtype == np.float64 for a in c.arrays)], ids=str)
def test_in_single(case: Case) -> None:
    check(case, tuple(a.astype("float32") if a.dtype == np.float64 else a for a in case.arrays), 21)


@pytest.mark.parametrize("operation", FIRST)
def test_in_the_oldest_and_the_newest_version(operation: str) -> None:
    case = FIRST[operation]
    check(case, case.arrays, newest())
    if operation != "random_bits":
        check(case, case.arrays, 13)


@pytest.mark.parametrize("operation", WORDS)
def test_what_old_versions_lack_is_said(operation: str) -> None:
    case = next(c for c in TABLE if c.operation == operation and "bool" not in c.variant)
    wanted = "bitwise_xor" if operation == "random_bits" else operation
    with pytest.raises(
        ArgumentError,
        match=rf"the network \(at .*\) computes '{wanted}' of u?int\d+, which ONNX has since opset 18; export with",
    ):
        check(case, case.arrays, 17)


# -- where formulas are delicate

ENDS = np.asarray([0.0, -0.0, 1.0, -1.0, 0.3, -2.5, 7.0, 1e-9, -1e-9, 1e30, -1e30, np.inf, -np.inf, np.nan])
PAIRS = tuple(np.asarray(side.ravel()) for side in np.meshgrid(ENDS, ENDS))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    "operation",
    ["expm1", "log1p", "log2", "log10", "trunc", "isinf", "isfinite", "isnan", "square", "tan", "sinh", "cosh", "asin",
     "acos", "atan", "asinh", "acosh", "atanh", "erf", "abs", "sign", "floor", "round"],
)  # fmt: skip
def test_one_number_at_the_ends(operation: str, dtype: str) -> None:
    bounded = np.where((abs(ENDS) > 1e9) & (abs(ENDS) < np.inf), 9.0, ENDS) if operation in ("tan", "round") else ENDS
    few = bounded[~np.isinf(bounded)] if operation == "tan" else bounded
    values = few if operation != "sign" else few[~np.isnan(few)]  # of which onnxruntime says 0
    with np.errstate(all="ignore"):
        check(Case(operation, lambda xp, x: getattr(xp, operation)(x), abs, (values,)), (values.astype(dtype),), 21)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    "operation", ["atan2", "hypot", "logaddexp", "floor_divide", "remainder", "divide", "maximum", "minimum", "equal"]
)
def test_two_numbers_at_the_ends(operation: str, dtype: str) -> None:
    x, y = PAIRS
    if operation == "hypot":  # infinity wins over NaN in NumPy
        x, y = (side[~np.isnan(PAIRS[0]) & ~np.isnan(PAIRS[1])] for side in PAIRS)
    if operation in ("floor_divide", "remainder"):  # whole quotients that no fraction holds
        kept = ~((abs(x) > 1e9) & (abs(x) < np.inf) & (abs(y) < 1e9))
        x, y = x[kept], y[kept]
    with np.errstate(all="ignore"):
        arrays = (x.astype(dtype), y.astype(dtype))
        check(Case(operation, lambda xp, a, b: getattr(xp, operation)(a, b), abs, arrays), arrays, 21)


@pytest.mark.parametrize("dtype", ["int8", "int32", "int64", "uint8", "uint32", "uint64"])
@pytest.mark.parametrize(
    "operation",
    ["floor_divide", "remainder", "add", "multiply", "maximum", "minimum", "less", "greater_equal", "equal",
     "bitwise_right_shift", "bitwise_left_shift"],
)  # fmt: skip
def test_whole_numbers_at_the_ends(operation: str, dtype: str) -> None:
    """The lowest number by −1, and any by 0, end no process."""
    limits = np.iinfo(dtype)
    numbers = np.asarray([0, 1, 3, 7, limits.max, limits.max - 1, limits.min, limits.min + 1], dtype)
    x, y = (side.ravel() for side in np.meshgrid(numbers, numbers))
    if dtype.startswith("i"):
        x, y = np.concatenate([x, x]), np.concatenate([y, np.full(len(x), -1, dtype)])
    if operation.endswith("shift"):
        y = (y % np.asarray(8, dtype)).astype(dtype)
    with np.errstate(all="ignore"):
        check(Case(operation, lambda xp, a, b: getattr(xp, operation)(a, b), abs, (x, y)), (x, y), 21)


@pytest.mark.parametrize("dtype", ["int8", "int64", "uint8", "uint32", "uint64", "float16"])
@pytest.mark.parametrize("operation", ["max", "min", "argmax", "argmin", "argsort", "sum", "sign", "abs", "negative",
                                       "bitwise_invert", "round", "square", "cumulative_sum"])  # fmt: skip
def test_types_that_runtimes_lack(operation: str, dtype: str) -> None:
    values = np.asarray([[3, 1, 7, 1], [2, 2, 0, 5]], dtype)
    if dtype == "uint64" and operation != "sum":  # which goes by float64
        values[0, 2] = 2**63 + 5
    if dtype == "float16" and operation == "bitwise_invert":
        return
    options = {"axis": 1} if operation in ("argmax", "argmin", "argsort", "cumulative_sum", "max", "min") else {}
    check(Case(operation, lambda xp, x: getattr(xp, operation)(x, **options), abs, (values,)), (values,), 21)


def test_mixed_and_narrow_types_meet() -> None:
    truths, bytes_, words = np.asarray([True, False]), np.asarray([3, 250], "uint8"), np.asarray([-4, 9], "int16")
    halves = np.asarray([0.5, 3.0], "float16")
    for call, arrays in (
        (lambda xp, c, x, y: xp.where(c, x, y), (truths, bytes_, words)),
        (lambda xp, c, x: xp.where(c, c, xp.logical_not(c)) & (x > 4), (truths, bytes_)),
        (lambda xp, x, y: xp.concat([x, y]), (bytes_, words)),
        (lambda xp, x, y: xp.take(x, y), (halves, np.asarray([1, 0], "uint8"))),
        (lambda xp, x: xp.astype(xp.exp(x), "float32") + xp.log1p(xp.astype(x, "float32")), (halves,)),
        (lambda xp, x, y: x @ y, (np.ones((2, 2), "int8"), np.ones((2, 2), "uint8"))),
        (lambda xp, x, y: x**y, (np.asarray([2, -3], "int32"), np.asarray([3, 2], "int32"))),
    ):
        check(Case("mixed", call, abs, arrays), arrays, 21)
