# ruff: noqa: E501  # a table: one row, one line
"""Everything that a trace refuses, with the message that says what to write instead."""

from __future__ import annotations

import re
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from nnkit import ops
from nnkit.errors import ArgumentError, DtypeError, ShapeError, TraceError
from nnkit.graph import Graph, Trace, gradients, interpret
from nnkit.graph.differentiate import differentiate


@pytest.fixture
def o() -> SimpleNamespace:
    """Operands of one trace."""
    trace = Trace()

    def given(name: str, shape: Any, dtype: str) -> Any:
        return trace.input(name, "data", shape, dtype)

    return SimpleNamespace(
        trace=trace,
        xp=trace.namespace,
        x=given("x", (2, 3), "float32"),
        v=given("v", (3,), "float64"),
        s=given("s", (), "float32"),
        i=given("i", (3,), "int32"),
        u=given("u", (2,), "uint8"),
        b=given("b", (2, 3), "bool"),
        rows=given("rows", (None, 3), "float32"),
        word=given("word", (), "uint32"),
        empty=given("empty", (0, 3), "float32"),
    )


def assigned(x: Any) -> None:
    x[0] = 1.0


def in_place(operator: str) -> Callable[[Any], None]:
    return lambda o: exec(f"x {operator} 2", {"x": o.x})


NO_VALUES = "a traced array has no values yet; "
REFUSED = [
    (lambda o: bool(o.s > 0), TraceError, f"{NO_VALUES}Python's if, while, and, or, not and max cannot depend on values"),
    (lambda o: max(o.s, 0.0), TraceError, "write xp.where(condition, a, b), ops.relu or xp.maximum"),
    (lambda o: 0 < o.s < 1, TraceError, "Python's if, while, and, or, not"),
    *(
        (lambda o, to=to: to(o.s), TraceError, f"{NO_VALUES}keep it an array")
        for to in (float, int, complex, range, lambda s: [1, 2][s])
    ),
    *(
        (lambda o, to=to: to(o.x), TraceError, f"{NO_VALUES}NumPy functions cannot take it: call the same function of xp")
        for to in (np.asarray, np.array, np.linalg.norm)
    ),
    *((lambda o, to=to: to(o.x), TraceError, f"{NO_VALUES}it cannot be looped over: use x[i, ...]") for to in (list, sum)),
    (lambda o: len(o.x), TraceError, f"{NO_VALUES}write x.shape[0] for its length"),
    (lambda o: assigned(o.x), TraceError, f"{NO_VALUES}it cannot be changed in place: build a new array with xp.where"),
    *(
        (in_place(operator), TraceError, "it cannot be changed in place: write x = x + y instead of x += y")
        for operator in ("+=", "-=", "*=", "/=", "//=", "%=", "**=", "@=", "&=", "|=", "^=", "<<=", ">>=")
    ),
    (lambda o: 1.0 in o.x, TraceError, "'in' looks at values: write xp.any(x == value)"),
    (lambda o: o.x.sum(), AttributeError, "a traced array has no attribute 'sum'; functions are in xp = x.__array_namespace"),
    (lambda o: o.xp.einsum, AttributeError, "nnkit traces no function 'einsum'; it has: abs, acos"),
    # -- what may stand beside a traced array
    (lambda o: o.x + np.float64(1.0), TraceError, "add: got np.float64(1.0) of type float64 beside a traced array; only bool"),
    (lambda o: np.float32(2.0) * o.x, TraceError, "multiply: got np.float32(2.0) of type float32 beside a traced array"),
    (lambda o: np.ones(3) - o.x, TraceError, "xp.asarray(value) for an array of constants"),
    (lambda o: o.x @ np.ones(3), TraceError, "matmul: got array([1., 1., 1.]) of type ndarray"),
    (lambda o: o.x == None, TraceError, "equal: got None of type NoneType"),  # noqa: E711
    (lambda o: o.x + 1j, TraceError, "got 1j of type complex"),
    (lambda o: o.x + Trace().input("y", "data", (), "float32"), TraceError, "add: arrays of two traces meet; pass the outer"),
    (lambda o: o.xp.maximum(1.0, 2.0), TraceError, "maximum: needs at least one array, got only Python scalars"),
    (lambda o: o.i + 0.5, DtypeError, "add: the float 0.5 does not fit int32; convert with xp.astype first"),
    (lambda o: o.b & 1, DtypeError, "bitwise_and: the int 1 does not fit bool"),
    (lambda o: o.u - (-1), DtypeError, "subtract: the int -1 does not fit uint8"),
    (lambda o: o.u + 256, DtypeError, "add: the int 256 does not fit uint8"),
    (lambda o: o.xp.where(o.b, 1.0, 0.0), DtypeError, "does not fit bool; where takes an array beside the condition"),
    # -- data types
    (lambda o: o.x + o.i, DtypeError, "add: cannot mix float32 and int32; convert one side with xp.astype(array, dtype)"),
    (lambda o: o.xp.exp(o.i), DtypeError, "exp: works on float arrays, got int32; convert with xp.astype"),
    (lambda o: o.b < o.b, DtypeError, "less: works on float and signed and unsigned arrays, got bool"),
    (lambda o: o.x & o.x, DtypeError, "bitwise_and: works on signed and unsigned and bool arrays, got float32"),
    (lambda o: o.xp.sum(o.b), DtypeError, "sum: works on float and signed and unsigned arrays, got bool"),
    (lambda o: o.xp.argmax(o.b), DtypeError, "argmax: works on float and signed and unsigned arrays, got bool"),
    (lambda o: o.xp.mean(o.i), DtypeError, "divide: works on float arrays, got int64"),
    (lambda o: o.xp.where(o.x, o.x, o.x), DtypeError, "where: the condition must be bool, got float32; compare first"),
    (lambda o: o.b @ o.b.T, DtypeError, "matmul: works on numbers, got bool; convert with xp.astype"),
    (lambda o: o.xp.astype(o.x, "float"), DtypeError, "unknown data type 'float'; write xp.float32 or its name: bool, float16"),
    (lambda o: o.xp.zeros(3, dtype=np.float32), DtypeError, "unknown data type <class 'numpy.float32'>"),
    (lambda o: o.xp.asarray(np.ones(3), dtype=np.dtype("float32")), DtypeError, "unknown data type dtype('float32')"),
    (lambda o: o.trace.input("c", "data", (), "complex128"), DtypeError, "unknown data type 'complex128'"),
    (lambda o: o.trace.record("constant", (), value=1.0, dtype="real"), DtypeError, "unknown data type 'real'"),
    (lambda o: o.xp.asarray(300, dtype="uint8"), DtypeError, "asarray: the int 300 does not fit uint8"),
    (lambda o: o.xp.arange(300, dtype="uint8"), DtypeError, "arange: the int 299 does not fit uint8"),
    (lambda o: o.xp.finfo(o.i), DtypeError, "finfo: describes floating-point data types, got int32; use xp.iinfo"),
    (lambda o: o.xp.asarray(1j), TraceError, "asarray: cannot make a constant of complex with data type complex128"),
    (lambda o: o.xp.take(o.x, o.x, axis=0), DtypeError, "take: indices must be one dimension of integers, got float32 of"),
    (lambda o: o.x[o.word], DtypeError, "take: indices must be one dimension of integers, got uint32 of shape ()"),
    (
        lambda o: ops.random_bits((o.word, o.s), o.word, (0, 0), (3,)),
        DtypeError,
        "random_bits: seed and step must be 0-d uint32, got float32[]",
    ),
    *(
        (
            lambda o, stream=stream: ops.random_bits((o.word, o.word), o.word, stream, (3,)),
            ArgumentError,
            "random_bits: stream must be two integers from 0 to 2**32 - 1, got ",
        )
        for stream in ((0,), (-1, 0), (0, 2**32))
    ),
    # -- shapes
    (lambda o: o.x + o.x.T, ShapeError, "add: shapes (2, 3) and (3, 2) do not broadcast; compared from the right, each pair"),
    (lambda o: o.xp.broadcast_shapes((2,), (3,)), ShapeError, "broadcast_shapes: shapes (2,) and (3,) do not broadcast"),
    (lambda o: o.x @ o.x, ShapeError, "matmul: (2, 3) @ (2, 3): the last size of the left, 3, must equal the second-last of the right, 2"),
    (lambda o: o.x @ 2.0, ShapeError, "matmul: operands need at least one dimension, got (2, 3) and ()"),
    (lambda o: o.xp.sum(o.x, axis=2), ShapeError, "sum: axis must be an int in range for an array of 2 dimensions, got 2"),
    (lambda o: o.xp.sum(o.x, axis=np.int64(0)), ShapeError, "sum: axis must be an int in range for an array of 2 dimensions, got np"),
    (lambda o: o.xp.sum(o.x, axis=(0, -2)), ShapeError, "sum: axis (0, -2) names an axis twice"),
    (lambda o: o.xp.max(o.empty), ShapeError, "max: there is no max over no elements; the array has shape (0, 3)"),
    (lambda o: o.xp.argmin(o.empty, axis=0), ShapeError, "argmin: there is no argmin over no elements"),
    (lambda o: o.xp.cumulative_sum(o.x), ShapeError, "cumulative_sum: an array of 2 dimensions needs axis="),
    (lambda o: o.xp.take(o.x, o.i), ShapeError, "take: an array of 2 dimensions needs axis="),
    (lambda o: o.xp.take_along_axis(o.x, o.i), ShapeError, "take_along_axis: indices need 2 dimensions like the array, got (3,)"),
    (lambda o: o.xp.reshape(o.x, (4, -1)), ShapeError, "reshape: 6 elements do not fit the shape (4, -1)"),
    (lambda o: o.xp.reshape(o.x, (-1, -1)), ShapeError, "reshape: 6 elements do not fit the shape (-1, -1)"),
    (lambda o: o.xp.zeros((2, -1)), ShapeError, "broadcast_to: () cannot become (2, -1)"),
    (lambda o: o.xp.broadcast_to(o.x, (3,)), ShapeError, "broadcast_to: (2, 3) cannot become (3,)"),
    (lambda o: o.xp.permute_dims(o.x, (0, 0)), ShapeError, "permute_dims: axes (0, 0) must name each of the 2 axes of (2, 3) once"),
    (lambda o: o.v.T, ShapeError, "permute_dims: axes (1, 0) must name each of the 1 axes of (3,) once"),
    (lambda o: o.v.mT, ShapeError, "matrix_transpose: needs at least two dimensions, got (3,)"),
    (lambda o: o.xp.tril(o.v), ShapeError, "tril, triu: need at least two dimensions, got (3,)"),
    (lambda o: o.xp.squeeze(o.x, axis=0), ShapeError, "squeeze: axes (0,) of (2, 3) are not all of size 1"),
    (lambda o: o.xp.tensordot(o.x, o.x.T), ShapeError, "tensordot: the sizes (2, 3) and (3, 2) of the axes to sum over differ"),
    (lambda o: o.xp.vecdot(o.x, o.x[:, :1]), ShapeError, "vecdot: the sizes 3 and 1 of axis -1 differ"),
    (lambda o: o.xp.concat([]), ShapeError, "concat: needs at least one array"),
    (lambda o: o.xp.stack([]), ShapeError, "concat: needs at least one array"),
    (lambda o: o.xp.concat([o.x, o.x.T]), ShapeError, "concat: shapes (2, 3) and (3, 2) differ outside axis 0"),
    (lambda o: o.xp.concat([o.v, 1.0]), ShapeError, "concat: shapes (3,) and () differ outside axis 0"),
    (lambda o: ops.scatter_add(o.x, o.i, (4, 3)), ShapeError, "scatter_add: (2, 3) does not fit (4, 3) along axis 0"),
    # -- indexing
    (lambda o: o.x[2], ShapeError, "indexing: index 2 is out of range for axis 0 of (2, 3)"),
    (lambda o: o.x[0, 0, 0], ShapeError, "indexing: 3 indices for an array of 2 dimensions, (2, 3)"),
    (lambda o: o.x[..., ...], ShapeError, "indexing: only one Ellipsis (...) may stand in an index"),
    (lambda o: o.x[o.b], TraceError, "x[mask] has a shape that depends on values; write xp.where(mask, x, 0) or multiply"),
    *(
        (lambda o, key=key: o.x[key], TraceError, f"indexing: {key!r} ({type(key).__name__}) cannot index a traced array")
        for key in ([0, 1], 1.0, True, np.int64(1))
    ),
    (lambda o: o.x[:, o.i], TraceError, "(TracedArray) cannot index a traced array; use integers, slices, None or Ellipsis, or xp.take"),
    # -- the free number of rows
    (lambda o: o.rows + 1.0, ShapeError, "an array whose number of rows is free, (…, 3), can only be read with xp.take"),
    (lambda o: o.rows[0], ShapeError, "indexing: an array whose number of rows is free"),
    (lambda o: o.rows @ o.x.T, ShapeError, "matmul: an array whose number of rows is free"),
    (lambda o: o.xp.take(o.rows, o.i, axis=1), ShapeError, "take: only axis 0 may be free, got shape (…, 3) along axis 1"),
    (
        lambda o: gradients(o.xp.sum(o.xp.take(o.rows, o.i, axis=0)), [o.rows]),
        ShapeError,
        "the gradient of take: an array whose number of rows is free",
    ),
    # -- gradients
    (lambda o: gradients(o.x, [o.x]), ArgumentError, "a gradient needs an output of one number, got shape (2, 3); use xp.sum"),
    (lambda o: gradients(o.word, [o.x]), ArgumentError, "a gradient needs a floating-point output, got uint32"),
    (lambda o: gradients(o.s, [o.i]), ArgumentError, "a gradient needs floating-point arrays to differentiate by, got int32"),
    (
        lambda o: gradients(o.s, [Trace().input("y", "data", (), "float32")]),
        TraceError,
        "gradient: arrays of two traces meet",
    ),
    (
        lambda o: differentiate(o.trace.graph({"loss": o.s}), "cost", ["x", "y"]),
        ArgumentError,
        "differentiate: the graph has no cost, y; its outputs are loss, its inputs x, v",
    ),
    (lambda o: interpret(o.trace.graph({"s": o.s}), np, {}), ArgumentError, "interpret: the graph needs the inputs b, empty, i"),
]  # fmt: skip


@pytest.mark.parametrize(("attempt", "error", "text"), REFUSED, ids=[text for *_, text in REFUSED])
def test_refused(o: SimpleNamespace, attempt: Callable[[Any], Any], error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=re.escape(text)):
        attempt(o)


def test_numpy_functions_leave_traced_arrays_alone(o: SimpleNamespace) -> None:
    with pytest.raises(TypeError, match="does not support ufuncs"):
        np.exp(o.x)


@pytest.mark.parametrize(
    "attempt",
    [
        lambda o: o.x @ o.x,
        lambda o: o.x + np.float64(1.0),
        lambda o: o.xp.reshape(o.x, (7,)),
        lambda o: o.xp.stack([o.x, o.xp.squeeze(o.x, axis=0)]),
        lambda o: o.x[5],
        lambda o: ops.softmax(o.x, axis=4),
    ],
)
def test_an_error_names_the_layer_and_the_line_once(o: SimpleNamespace, attempt: Callable[[Any], Any]) -> None:
    o.trace.path = "layers.1"
    line = attempt.__code__.co_firstlineno
    with pytest.raises((ShapeError, TraceError)) as caught:
        attempt(o)
    text = str(caught.value)
    assert text.startswith("layer 'layers.1': ")
    assert text.endswith(f" (at test_errors.py:{line})")
    assert text.count("layer '") == text.count("(at ") == 1


def test_a_refusal_names_the_layer(o: SimpleNamespace) -> None:
    o.trace.path = "layers.0"
    with pytest.raises(TraceError, match=r"a traced array in layer 'layers\.0' has no values yet; write x\.shape\[0\]"):
        len(o.x)


def test_a_failed_operation_leaves_nothing_behind(o: SimpleNamespace) -> None:
    before = len(o.trace.nodes)
    with pytest.raises(ShapeError):
        _ = o.x + o.x.T[:, :1] @ o.xp.ones((7, 7), dtype="float32")
    graph: Graph = o.trace.graph({"y": o.x * 2.0})
    assert graph.nodes[-1].operation == "multiply"
    assert len(o.trace.nodes) > before
