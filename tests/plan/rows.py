"""Formulas with values of rows, for passes that go over them in phases."""

from __future__ import annotations

import numpy as np

from nnkit.graph import Trace
from tests.plan.running import TARGET, Bench

X = np.random.default_rng(0).normal(size=(40, 40))


def bench_of(build, target=TARGET, x=X, disable=()):
    trace = Trace()
    given = trace.input("x", "data", x.shape, str(x.dtype))
    return Bench(trace.graph(build(trace.namespace, given)), {"x": x}, disable, target)


def layer_norm(xp, x):
    centred = x * 2.0 - xp.mean(x * 2.0, axis=-1, keepdims=True)
    return centred / xp.sqrt(xp.mean(xp.square(centred), axis=-1, keepdims=True) + 1e-5)


def cross_entropy(xp, x):
    """One value of each row in a shape without the last axis, and again with it."""
    total = xp.sum(xp.exp(x - xp.max(x, axis=-1, keepdims=True)), axis=-1)
    return x * xp.expand_dims(xp.log(total), axis=-1)


def of_rows_first(xp, x):
    """What begins with a value of each row that the elements need later."""
    total = xp.sum(xp.exp(x), axis=1)
    return xp.tanh(x) / xp.expand_dims(xp.sqrt(total), axis=1)


def two_ways(xp, x):
    """Two branches, of which the second is recorded after something that cannot join."""
    y = xp.sin(x)
    top = xp.max(y, axis=1, keepdims=True)
    other = xp.cumulative_sum(x, axis=0)
    return xp.where(y > top * 0.5, y - xp.min(y, axis=1, keepdims=True), xp.cos(x)) + other


def along_the_other_axis(xp, x):
    """Of a square, sums of rows repeated down the columns: each row needs all of them."""
    return xp.sin(x) * xp.sum(xp.sin(x), axis=1)


def upside_down(xp, x):
    y = xp.sin(x)
    return y * xp.flip(xp.sum(y, axis=1, keepdims=True), axis=0)


def its_own_transpose(xp, x):
    total = xp.sum(xp.sin(x), axis=1, keepdims=True)
    return xp.sin(x) / total + total.T


def shapes_back_and_forth(xp, x):
    total = xp.sum(xp.sin(x), axis=1)
    column = xp.tanh(xp.expand_dims(total, axis=1)) * 2.0
    back = xp.reshape(column, (-1,)) + total
    return xp.sin(x) * xp.expand_dims(back, axis=1)


def with_all_in_one(xp, x):
    y = xp.exp(x)
    fine = xp.all(xp.isfinite(y))
    return xp.where(fine, y / xp.sum(y, axis=1, keepdims=True), y)


def integers(xp, x):
    y = xp.astype(xp.floor(x * 10.0), "int32")
    return y - xp.max(y, axis=1, keepdims=True)


def three_axes(xp, x):
    y = xp.sin(xp.reshape(x, (8, 5, 40)))
    total = xp.sum(y, axis=2)
    return y / xp.expand_dims(total, axis=2) + total[0, 0]


CASES = [
    layer_norm, cross_entropy, of_rows_first, two_ways, along_the_other_axis, upside_down, its_own_transpose,
    shapes_back_and_forth, with_all_in_one, integers, three_axes,
]  # fmt: skip


def down_the_columns(target, x=X):
    """A state that each row reads all of, and whose new values are those of the rows."""
    trace = Trace()
    given = trace.input("x", "data", x.shape, str(x.dtype))
    state = trace.input("state", "state", x.shape[:1], str(x.dtype))
    xp = trace.namespace
    new = xp.tanh(xp.sum(xp.sin(given + state), axis=1))
    return Bench(trace.graph({"state": new}), {"x": x, "state": x[:, 0]}, target=target)
