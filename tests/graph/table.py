"""The table of cases: at least one for each row of PRIMITIVES, with operands away from kinks and ends of domains."""

from __future__ import annotations

import math

import numpy as np

from nnkit import ops
from tests.graph import threefry
from tests.graph.cases import binary, bools, case, integers, reduction, spread, unary, whole

MATRIX = spread((2, 3))
CUBE = spread((2, 3, 4))
STRANGE = np.asarray([1.0, np.inf, -np.inf, np.nan, 0.0])


def product(a: tuple[int, ...], b: tuple[int, ...]) -> list:
    return case("matmul", lambda xp, x, y: x @ y, np.matmul, spread(a), spread(b, seed=1))


def flagged(a: tuple[int, ...], b: tuple[int, ...], left: bool, right: bool) -> list:
    """The product with the flags into which the planner folds transposes."""
    return case(
        "matmul",
        lambda xp, x, y: x.trace.record("matmul", (x, y), transpose_a=left, transpose_b=right),
        lambda x, y: (x.mT if left else x) @ (y.mT if right else y),
        spread(a),
        spread(b, seed=1),
        variant=f"transposed {left} {right}",
    )


def scattered(x: np.ndarray, indices: np.ndarray, shape: tuple[int, ...], axis: int) -> np.ndarray:
    total = np.zeros(shape, x.dtype)
    np.add.at(total, (slice(None),) * axis + (indices,), x)
    return total


def scatter(x: tuple[int, ...], indices: list[int], shape: tuple[int, ...], axis: int, dtype: str = "int64") -> list:
    return case(
        "scatter_add",
        lambda xp, x, i: ops.scatter_add(x, i, shape, axis),
        lambda x, i: scattered(x, i, shape, axis),
        spread(x),
        np.asarray(indices, dtype),
        variant=f"{shape} {axis}",
    )


def placed(x: np.ndarray, shape: tuple[int, ...], start: tuple[int, ...], step: tuple[int, ...]) -> np.ndarray:
    total = np.zeros(shape, x.dtype)
    spans = zip(start, x.shape, step, strict=True)
    total[tuple(slice(first, first + count * stride, stride) for first, count, stride in spans)] = x
    return total


def place(x: tuple[int, ...], *where: tuple[int, ...]) -> list:
    return case("place", lambda xp, x: xp.place(x, *where), lambda x: placed(x, *where), spread(x), variant=str(where))


def indexed(operation: str, *key: object) -> list:
    return case(operation, lambda xp, x: x[key], lambda x: x[key], CUBE, variant=str(key))


ELEMENTWISE = [
    *(c for name in ("exp", "expm1", "sin", "cos", "sinh", "cosh", "tanh", "atan", "asinh") for c in unary(name)),
    *(c for name in ("negative", "abs", "square", "sign", "floor", "ceil", "round", "trunc") for c in unary(name)),
    *(c for name in ("log", "log2", "log10", "sqrt") for c in unary(name, 0.2, 3.0)),
    *(c for name in ("asin", "acos", "atanh") for c in unary(name, -0.9, 0.9)),
    *unary("log1p", -0.8, 2.0),
    *unary("tan", -1.2, 1.2),
    *unary("acosh", 1.2, 3.0),
    *(c for name in ("isnan", "isinf", "isfinite") for c in whole(name, STRANGE)),
    *(c for name in ("add", "subtract", "multiply", "maximum", "minimum", "atan2", "logaddexp") for c in binary(name)),
    *(c for name in ("divide", "pow", "hypot", "remainder", "floor_divide") for c in binary(name, 0.4, 2.4)),
    *(
        c
        for name in ("equal", "not_equal", "less", "less_equal", "greater", "greater_equal")
        for a, b in ((MATRIX, MATRIX[0]), (integers((2, 3)), integers((3,), seed=1)))
        for c in whole(name, a, b)
    ),
    *(c for name in ("equal", "not_equal") for c in whole(name, bools((2, 3)), bools((3,), 1), variant="bool")),
    *(
        c
        for name in ("logical_and", "logical_or", "logical_xor", "bitwise_and", "bitwise_or", "bitwise_xor")
        for c in whole(name, bools((2, 3)), bools((3,), 1), variant="bool")
    ),
    *whole("logical_not", bools((2, 3))),
    *whole("bitwise_invert", bools((2, 3)), variant="bool"),
    *(
        c
        for dtype in ("int32", "int64", "uint8", "uint32")
        for name in (
            "add",
            "multiply",
            "maximum",
            "floor_divide",
            "remainder",
            "bitwise_and",
            "bitwise_or",
            "bitwise_xor",
        )
        for c in whole(name, integers((2, 3), dtype), integers((3,), dtype, seed=1), variant=dtype)
    ),
    *(
        c
        for dtype in ("int32", "uint8", "uint32")
        for c in whole("bitwise_invert", integers((3,), dtype), variant=dtype)
    ),
    *(
        c
        for dtype in ("int8", "int64")
        for name in ("abs", "negative", "sign", "square", "floor", "round", "trunc")
        for c in whole(name, integers((5,), dtype, -4, 5), variant=dtype)
    ),
    *(
        c
        for dtype in ("int32", "uint32")
        for name in ("bitwise_left_shift", "bitwise_right_shift")
        for c in whole(name, integers((2, 3), dtype), integers((3,), dtype, seed=1), variant=dtype)
    ),
    *whole("subtract", np.asarray([3], "uint32"), np.asarray([5], "uint32"), variant="wraps"),
    *whole("multiply", np.asarray([2**31 + 7], "uint32"), np.asarray([2**31 + 5], "uint32"), variant="wraps"),
    *whole("add", integers((3,), "int8"), integers((3,), "uint8"), variant="mixed"),
    *case("pow", lambda xp, x: x**3, lambda x: x**3, MATRIX, variant="integer"),
    *case("square", lambda xp, x: x**2, lambda x: x**2, MATRIX, variant="power"),
    *case("negative", lambda xp, x: -x - (+x), lambda x: -x - x, MATRIX, variant="operator"),
    *case("where", lambda xp, c, x, y: xp.where(c, x, y), np.where, bools((2, 1)), MATRIX, spread((3,), seed=1)),
    *case("where", lambda xp, c, x: xp.where(c, x, 0.5), lambda c, x: np.where(c, x, 0.5), bools((4, 1, 3)), MATRIX),
    *case("where", lambda xp, c, x: xp.where(c, 2, x), lambda c, x: np.where(c, 2, x), bools(()), MATRIX),
    *whole("where", bools((3,)), integers((2, 3)), integers((1,), seed=1), variant="integers"),
    *(
        c
        for source, target in (("float32", "int32"), ("int32", "float32"), ("bool", "float32"), ("int32", "uint8"))
        for c in case(
            "astype",
            lambda xp, x, target=target: xp.astype(x, target),
            lambda x, target=target: x.astype(target),
            integers((2, 3), source, -5 if target != "uint8" else 0, 5),
            variant=f"{source} to {target}",
            order=0,
        )
    ),
    *case("astype", lambda xp, x: xp.astype(x, xp.bool), lambda x: x != 0, integers((5,), low=-1, high=2)),
    *case("stop_gradient", lambda xp, x: ops.stop_gradient(x), lambda x: x, MATRIX, order=0),
    *(c for x in (MATRIX, 2.9 * MATRIX) for c in case("erf", lambda xp, x: ops.erf(x), np.vectorize(math.erf), x)),
]

LINALG = [
    *(
        c
        for shapes in (
            ((2, 3), (3, 4)), ((3,), (3, 4)), ((2, 3), (3,)), ((3,), (3,)), ((0, 3), (3, 2)), ((2, 0), (0, 3)),
            ((5, 2, 3), (3, 4)), ((2, 3), (5, 3, 4)), ((5, 1, 2, 3), (4, 3, 2)), ((5, 2, 3), (3,)),
            ((0, 2, 3), (1, 3, 2)),
        )
        for c in product(*shapes)
    ),
    *flagged((3, 2), (3, 4), True, False),
    *flagged((2, 3), (4, 3), False, True),
    *flagged((5, 3, 2), (4, 3), True, True),
    *whole("matmul", integers((2, 3)), integers((3, 2), seed=1), variant="int32"),
]  # fmt: skip

SHAPE = [
    *case("reshape", lambda xp, x: xp.reshape(x, (4, -1)), lambda x: x.reshape(4, 6), CUBE),
    *case("reshape", lambda xp, x: xp.expand_dims(x, axis=-2), lambda x: x[..., None, :], CUBE, variant="expand"),
    *case("reshape", lambda xp, x: xp.squeeze(x, axis=(0, -1)), lambda x: x[0, :, 0], spread((1, 3, 1))),
    *(
        c
        for axes in ((2, 0, 1), (0, -1, 1))
        for c in case(
            "permute_dims",
            lambda xp, x, axes=axes: xp.permute_dims(x, axes),
            lambda x, axes=axes: x.transpose(axes),
            CUBE,
            variant=str(axes),
        )
    ),
    *case("permute_dims", lambda xp, x: x.T, np.transpose, MATRIX, variant="T"),
    *case("permute_dims", lambda xp, x: x.mT, np.matrix_transpose, CUBE, variant="mT"),
    *(
        c
        for source, shape in (((3,), (2, 3)), ((2, 1), (4, 2, 3)), ((), (2,)), ((1,), (0,)))
        for c in case(
            "broadcast_to",
            lambda xp, x, shape=shape: xp.broadcast_to(x, shape),
            lambda x, shape=shape: np.broadcast_to(x, shape),
            spread(source),
            variant=str(shape),
        )
    ),
    *indexed("slice", 1),
    *indexed("slice", -1, ..., 2),
    *indexed("slice", slice(None), slice(1, None), slice(None, -1)),
    *indexed("slice", ..., slice(None, None, 2)),
    *indexed("slice", 0, None, slice(1, 3), slice(3, 0, -2)),
    *indexed("slice", slice(5, 2)),
    *indexed("flip", slice(None), slice(None, None, -1)),
    *indexed("slice", None, slice(None, None, -2), ..., slice(-2, -4, -1), None),
    *case("flip", lambda xp, x: xp.flip(x), np.flip, CUBE),
    *case("flip", lambda xp, x: xp.flip(x, axis=(0, -1)), lambda x: np.flip(x, (0, -1)), CUBE, variant="two axes"),
    *place((2, 3), (4, 8), (1, 0), (2, 3)),
    *place((2, 2), (2, 5), (0, 1), (1, 3)),
    *place((0, 3), (4, 3), (0, 0), (1, 1)),
    *place((2,), (5,), (3,), (1,)),
    *case("concat", lambda xp, x, y: xp.concat([x, y]), lambda x, y: np.concat([x, y]), MATRIX, spread((1, 3), seed=1)),
    *case("concat", lambda xp, x, y: xp.concat((y, x, y), axis=-1), lambda x, y: np.concat([y, x, y], -1), MATRIX,
          spread((2, 1), seed=1)),
    *case("concat", lambda xp, x, y: xp.concat([x, y], axis=None), lambda x, y: np.concat([x, y], None), MATRIX,
          spread((), seed=1)),
]  # fmt: skip

REDUCTION = [
    *(c for name in ("sum", "max", "min") for c in reduction(name, CUBE)),
    *reduction("sum", spread((0, 3, 2)), ({}, {"axis": 0}, {"axis": 1})),
    *(
        c
        for dtype in ("int32", "uint8")
        for c in reduction("sum", integers((2, 3), dtype, 100, 200), ({}, {"axis": 0}))
    ),
    *reduction("max", integers((2, 3, 4)), ({}, {"axis": (0, 2)})),
    *(c for name in ("all", "any") for c in reduction(name, bools((2, 3, 4)))),
    *(c for name in ("all", "any") for c in reduction(name, bools((0, 3)), ({}, {"axis": 0}))),
    *(
        c
        for name in ("argmax", "argmin")
        for c in reduction(name, CUBE, ({}, {"axis": 1}, {"axis": -1, "keepdims": True}, {"keepdims": True}))
    ),
    *case("argsort", lambda xp, x: xp.argsort(x), np.argsort, CUBE),
    *case("argsort", lambda xp, x: xp.argsort(x, axis=0, descending=True), lambda x: np.argsort(-x, 0), CUBE),
    *reduction("cumulative_sum", CUBE, ({"axis": 1}, {"axis": -1, "include_initial": True})),
    *reduction("cumulative_sum", integers((4,), "int8", 100, 120), ({}, {"dtype": "int32"})),
]

INDEXING = [
    *(
        c
        for indices, axis in (([1, 0, 1, 1], 0), ([2, 2, 0], 1), ([3, 1], -1), ([], 0))
        for c in case(
            "take",
            lambda xp, x, i, axis=axis: xp.take(x, i, axis=axis),
            lambda x, i, axis=axis: np.take(x, i, axis),
            CUBE,
            np.asarray(indices, "int64"),
            variant=str(axis),
        )
    ),
    *case("take", lambda xp, x, i: x[i], lambda x, i: x[i], CUBE, np.asarray([1, 1, 0], "int32"), variant="x[i]"),
    *scatter((4, 3), [2, 0, 2, 2], (5, 3), 0),
    *scatter((2, 3, 4), [1, 1, 0], (2, 2, 4), 1),
    *scatter((3,), [6, 6, 1], (300,), 0, "uint8"),
    *scatter((0, 2), [], (3, 2), 0),
]

CREATION = [
    *case("input", lambda xp, x: x, lambda x: x, MATRIX),
    *case("constant", lambda xp, x: x * 2 + 0.5, lambda x: x * 2 + 0.5, MATRIX),
    *case("constant", lambda xp, x: xp.asarray([[1, 2], [3, 4]]), lambda x: np.asarray([[1, 2], [3, 4]]), MATRIX),
    *case("constant", lambda xp, x: xp.asarray(np.zeros((0, 3), "int32")), lambda x: np.zeros((0, 3), "int32"), MATRIX),
    *case("arange", lambda xp, x: x + xp.arange(3, dtype=x.dtype), lambda x: x + np.arange(3.0), MATRIX),
    *case("arange", lambda xp, x: xp.arange(7, 0, -2), lambda x: np.arange(7, 0, -2), MATRIX, variant="down"),
    *case("arange", lambda xp, x: xp.arange(3, 3), lambda x: np.arange(3, 3), MATRIX, variant="empty"),
]

SEED = tuple(np.asarray(word, "uint32") for word in (0x12345678, 0x9ABCDEF0, 77))
RANDOM = [
    c
    for stream, shape in (((0, 0), (3, 3)), ((2**32 - 1, 5), (8,)), ((1, 2), ()), ((1, 2), (0, 2)))
    for c in case(
        "random_bits",
        lambda xp, low, high, step, s=stream, shape=shape: ops.random_bits((low, high), step, s, shape),
        lambda low, high, step, s=stream, shape=shape: threefry.bits(low, high, step, s, shape),
        *SEED,
        variant=f"{stream} {shape}",
    )
]

TABLE = [*ELEMENTWISE, *LINALG, *SHAPE, *REDUCTION, *INDEXING, *CREATION, *RANDOM]
