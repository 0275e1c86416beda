"""The operations of the engine, each on arrays that several blocks and odd sizes of a device have to do with."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from nnkit import ops
from nnkit.graph import Trace, gradients
from nnkit.parity.case import Array, Case, drawn, given

Build = Callable[..., Any]
"""(namespace, operands) → a value, or several."""
SHAPE = (37, 131)
ROUNDED, SUMMED = 8.0, 64.0
"""Limits: of what is rounded a few times, and of sums."""

DOMAINS: dict[str, tuple[float, float]] = {
    **dict.fromkeys(("abs", "negative", "square", "sign", "floor", "ceil", "round", "trunc"), (-5.0, 5.0)),
    **dict.fromkeys(("exp", "sinh", "cosh", "tanh", "atan", "asinh", "sin", "cos"), (-4.0, 4.0)),
    **dict.fromkeys(("log", "log2", "log10", "sqrt"), (0.1, 9.0)),
    **dict.fromkeys(("asin", "acos", "atanh"), (-0.9, 0.9)),
    "expm1": (-2.0, 2.0),
    "log1p": (-0.8, 4.0),
    "tan": (-1.2, 1.2),
    "acosh": (1.1, 5.0),
}
PAIRS: dict[str, tuple[float, float]] = {
    **dict.fromkeys(("add", "subtract", "multiply", "maximum", "minimum", "atan2", "logaddexp"), (-2.0, 2.0)),
    **dict.fromkeys(("divide", "pow", "hypot", "remainder", "floor_divide"), (0.4, 2.4)),
    **dict.fromkeys(("equal", "not_equal", "less", "less_equal", "greater", "greater_equal"), (-2.0, 2.0)),
}
LOGICAL = ("logical_and", "logical_or", "logical_xor")
BITWISE = ("bitwise_and", "bitwise_or", "bitwise_xor", "bitwise_left_shift", "bitwise_right_shift")
STRANGE = np.array([0.0, -1.5, np.inf, -np.inf, np.nan] * 9, np.float32)
SOME = drawn(SHAPE)
CUBE = drawn((5, 33, 64), seed=1)
WHOLE = np.random.default_rng(0).integers(1, 9, SHAPE).astype(np.int32)
TRUTHS = np.random.default_rng(1).random(SHAPE) < 0.9


def primitives() -> Iterator[Case]:
    """Every operation at least once."""
    yield from _elementwise()
    yield from _products()
    yield from _reductions()
    yield from _moves()


def _case(name: str, limit: float, build: Build, *arrays: Array) -> Case:
    def graph(dtype: str) -> Any:
        trace = Trace()
        found = build(trace.namespace, *given(trace, arrays, dtype))
        results = found if isinstance(found, tuple) else (found,)
        return trace.graph({f"result {i}": value for i, value in enumerate(results)})

    return Case("operation", name, graph, {str(i): array for i, array in enumerate(arrays)}, limit)


def _named(name: str) -> Build:
    return lambda xp, *operands: getattr(xp, name)(*operands)


def _elementwise() -> Iterator[Case]:
    for name, (low, high) in DOMAINS.items():
        yield _case(name, ROUNDED, _named(name), drawn(SHAPE, low, high))
    for name, (low, high) in PAIRS.items():
        yield _case(name, ROUNDED, _named(name), drawn(SHAPE, low, high), drawn(SHAPE[1:], low, high, seed=2))
    for name in LOGICAL:
        yield _case(name, 0.0, _named(name), TRUTHS, TRUTHS[::-1].copy())
    for name in BITWISE:
        yield _case(name, 0.0, _named(name), WHOLE, WHOLE[::-1].copy())
    for name in ("isnan", "isinf", "isfinite"):
        yield _case(name, 0.0, _named(name), STRANGE)
    yield _case("logical_not", 0.0, lambda xp, x: xp.logical_not(x), TRUTHS)
    yield _case("bitwise_invert", 0.0, lambda xp, x: xp.bitwise_invert(x), WHOLE)
    yield _case("where", 0.0, lambda xp, c, x: xp.where(c, x, 0.5), TRUTHS, SOME)
    yield _case("astype", 0.0, lambda xp, x: (xp.astype(x, "int32"), xp.astype(x > 0, "uint8")), 9 * SOME)
    yield _case("stop_gradient", 0.0, lambda xp, x: ops.stop_gradient(x), SOME)
    yield _case("erf", ROUNDED, lambda xp, x: ops.erf(x), 2 * SOME)
    yield _case("remainder of whole numbers", 0.0, lambda xp, x: (x - 5) % 3, WHOLE)
    yield _case("constant", 0.0, lambda xp, x: x + xp.asarray(np.arange(131, dtype=np.int32)), WHOLE)
    yield _case("arange", 0.0, lambda xp, x: x + xp.arange(131, dtype=x.dtype), WHOLE)


def _products() -> Iterator[Case]:
    for m, n, k in ((1, 1, 1), (64, 128, 784), (64, 10, 128), (33, 65, 7), (130, 257, 96), (512, 512, 640)):
        a, b = drawn((m, k)), drawn((k, n), seed=1)
        yield _case(f"matmul {m}×{k}×{n}", SUMMED, lambda xp, a, b: xp.matmul(a, b), a, b)
    a, b = drawn((96, 200)), drawn((200, 56), seed=1)
    yield _case("matmul, left transposed", SUMMED, lambda xp, a, b: a.T @ b, a.T.copy(), b)
    yield _case("matmul, right transposed", SUMMED, lambda xp, a, b: a @ b.T, a, b.T.copy())
    yield _case("matmul of a stack", SUMMED, lambda xp, a, b: a @ b, CUBE, drawn((5, 64, 17), seed=2))
    yield _case("matmul of whole numbers", 0.0, lambda xp, x: x @ x.T, WHOLE)


def _reductions() -> Iterator[Case]:
    for axis in (None, 0, 1, 2, (0, 2)):
        yield _case(f"sum, axis {axis}", SUMMED, lambda xp, x, axis=axis: xp.sum(x, axis=axis), CUBE)
    for name in ("max", "min"):
        yield _case(name, 0.0, lambda xp, x, f=name: (getattr(xp, f)(x), getattr(xp, f)(x, axis=1)), CUBE)
    for name in ("all", "any"):
        yield _case(name, 0.0, lambda xp, x, f=name: (getattr(xp, f)(x), getattr(xp, f)(x, axis=1)), TRUTHS)
    for name in ("argmax", "argmin"):
        yield _case(name, 0.0, lambda xp, x, f=name: getattr(xp, f)(x, axis=-1), CUBE)
    yield _case("argsort", 0.0, lambda xp, x: xp.argsort(x), drawn((9, 40)))
    yield _case("cumulative_sum", SUMMED, lambda xp, x: xp.cumulative_sum(x, axis=1), SOME)
    yield _case("sum of a long array", SUMMED, lambda xp, x: xp.sum(x), drawn((200_003,), 0.0, 1.0))


def _moves() -> Iterator[Case]:
    picked = np.random.default_rng(3).integers(0, 37, 90)
    yield _case("take", 0.0, lambda xp, x, i: xp.take(x, i, axis=0), SOME, picked)
    summed = drawn((90, 131), seed=4)
    yield _case("scatter_add", SUMMED, lambda xp, x, i: ops.scatter_add(x, i, (37, 131), axis=0), summed, picked)
    yield _case("reshape", 0.0, lambda xp, x: xp.reshape(x.T, (-1,)), SOME)
    yield _case("permute_dims", 0.0, lambda xp, x: xp.permute_dims(x, (2, 0, 1)), CUBE)
    yield _case("broadcast_to", 0.0, lambda xp, x: xp.broadcast_to(x, (7, *SHAPE)), SOME)
    yield _case("slice", 0.0, lambda xp, x: x[1:, ::3], SOME)
    yield _case("flip", 0.0, lambda xp, x: xp.flip(x, axis=1), SOME)
    yield _case("place", ROUNDED, lambda xp, x: gradients(xp.sum(xp.square(x[1:, ::3])), [x])[0], SOME)
    yield _case("concat", 0.0, lambda xp, x: (xp.concat([x, x[:3]]), xp.concat([x, x], axis=1)), SOME)
    words = tuple(np.asarray(word, np.uint32) for word in (0x12345678, 0x9ABCDEF0, 77))
    yield _case("random_bits", 0.0, lambda xp, a, b, c: ops.random_bits((a, b), c, (3, 5), (1001,)), *words)
