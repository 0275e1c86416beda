"""The extra primitives as functions: erf, scatter_add, stop_gradient, uniform and normal numbers from random bits."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from nnkit import ops
from nnkit.functional import grad, trace
from nnkit.graph import interpret
from tests.libraries import Library

GRID = np.concatenate([np.linspace(-7, 7, 20_011), np.geomspace(1e-300, 6.5, 2000), -np.geomspace(1e-300, 6.5, 2000)])


def test_erf_within_four_units_in_the_last_place() -> None:
    exact = np.asarray([math.erf(x) for x in GRID])
    assert (np.abs(ops.erf(GRID) - exact) / np.spacing(np.abs(exact))).max() <= 4


def test_erf_in_single_precision() -> None:
    x = GRID[np.abs(GRID) > 1e-30].astype("float32")
    exact = np.asarray([math.erf(float(v)) for v in x])
    value = ops.erf(x)
    assert value.dtype == np.float32
    assert (np.abs(value - exact) / np.spacing(np.abs(exact).astype("float32"))).max() <= 6


def test_erf_in_half_precision() -> None:
    x = np.linspace(-8, 8, 2001).astype("float16")
    value = ops.erf(x)
    assert value.dtype == np.float16
    np.testing.assert_allclose(value, [math.erf(float(v)) for v in x], atol=1e-3)


def test_erf_is_odd_bounded_and_exact_at_the_ends() -> None:
    ends = ops.erf(np.asarray([np.inf, -np.inf, np.nan, 0.0, 6.0, -6.0, 1e300]))
    np.testing.assert_array_equal(ends, [1.0, -1.0, np.nan, 0.0, 1.0, -1.0, 1.0])
    assert math.copysign(1.0, ops.erf(np.asarray([-0.0]))[0]) == -1.0
    np.testing.assert_array_equal(ops.erf(-GRID), -ops.erf(GRID))
    assert np.abs(ops.erf(GRID)).max() == 1.0
    assert (np.diff(ops.erf(np.linspace(-3, 3, 1001))) > 0).all()


def test_erf_on_every_library(library: Library) -> None:
    x = library.narrow(np.linspace(-3, 3, 101))
    rounding = 5e-7 if library.single else 1e-15
    expected = [math.erf(float(v)) for v in x]
    np.testing.assert_allclose(library.numpy(ops.erf(library.array(x))), expected, rtol=rounding)


@pytest.mark.parametrize(
    ("shape", "indices", "target", "axis"),
    [
        ((4, 3), [2, 0, 2, 2], (5, 3), 0),
        ((3, 4), [1, 1, 0, 1], (3, 2), 1),
        ((2, 3, 2), [0, 0, 0], (2, 1, 2), 1),
        ((3,), [-1, 1, -1], (4,), 0),
        ((0, 2), [], (3, 2), 0),
    ],
)
def test_scatter_add_sums_what_shares_an_index(
    library: Library, shape: tuple[int, ...], indices: list[int], target: tuple[int, ...], axis: int
) -> None:
    x = library.narrow(np.random.default_rng(2).normal(size=shape))
    expected = np.zeros(target, x.dtype)
    np.add.at(expected, (slice(None),) * axis + (np.asarray(indices, int),), x)
    eager = ops.scatter_add(library.array(x), library.array(np.asarray(indices, "int64")), target, axis)
    np.testing.assert_allclose(library.numpy(eager), expected, rtol=1e-6 if library.single else 1e-15)


def test_the_gradient_of_take_counts_negative_indices_from_the_end() -> None:
    def picked(x: Any, i: Any) -> Any:
        xp = ops.namespace(x)
        return xp.sum(xp.take(x, i, axis=0))

    assert grad(picked)(np.zeros(4), np.asarray([-1, 3, 0])).tolist() == [1.0, 0.0, 0.0, 2.0]


def test_scatter_and_take_are_transposes() -> None:
    draw = np.random.default_rng(4)
    x, y, i = draw.normal(size=(6, 2)), draw.normal(size=(4, 2)), draw.integers(0, 4, 6)
    assert np.sum(ops.scatter_add(x, i, (4, 2)) * y) == pytest.approx(np.sum(x * y[i]))


def test_stop_gradient_is_the_value_itself(library: Library) -> None:
    x = library.array(library.narrow(np.asarray([1.0, 2.0])))
    assert ops.stop_gradient(x) is x


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_uniform_numbers(library: Library, dtype: str) -> None:
    if library.single and dtype == "float64":
        pytest.skip("has no float64")
    words = np.asarray([0, 255, 256, 2**31, 2**32 - 1], "uint32")
    graph = trace(lambda bits: ops.random_uniform(bits, dtype), words)
    value = interpret(graph, library.xp, {"0": library.array(words)}, library.device)["value"]
    expected = np.asarray([0.0, 0.0, 2.0**-24, 0.5, 1 - 2.0**-24])
    np.testing.assert_array_equal(library.numpy(value), expected.astype(dtype))


def test_uniform_numbers_of_short_types_stay_below_one() -> None:
    words = np.asarray([0, 2**31, 2**32 - 1], "uint32")
    value = ops.random_uniform(words, np.float16)
    assert value.dtype == np.float16
    assert value.tolist() == [0.0, 0.5, 1 - 2.0**-11]
    graph = trace(lambda bits: ops.random_uniform(bits, "bfloat16"), words)
    shift, scale = (node.options["value"] for node in graph.nodes if node.operation == "constant")
    assert (shift, scale, graph.nodes[-1].dtype) == (24, 2.0**-8, "bfloat16")


def test_uniform_numbers_are_uniform() -> None:
    seed = [np.asarray(word, "uint32") for word in (1, 2)]
    value = ops.random_uniform(ops.random_bits(seed, np.asarray(3, "uint32"), (4, 5), (100_000,)), np.float32)
    assert value.dtype == np.float32
    assert value.min() >= 0
    assert value.max() < 1
    assert value.mean() == pytest.approx(0.5, abs=5 / math.sqrt(12e5))
    assert value.var() == pytest.approx(1 / 12, rel=0.02)


def test_namespace_of_traced_and_other_arrays(library: Library) -> None:
    assert ops.namespace(library.array(np.zeros(2, "float32"))) is library.xp
    seen = []
    trace(lambda x: seen.append(ops.namespace(x) is x.trace.namespace) or x, np.zeros(1))
    assert seen == [True]


def test_a_scalar_beside_a_traced_array_is_no_problem() -> None:
    graph = trace(lambda x: ops.scatter_add(x, ops.namespace(x).asarray([0, 0]), [3]), np.ones(2))
    assert graph.nodes[-1].shape == (3,)


# -- normal numbers


BITS = np.random.default_rng(5).integers(2**32, size=(2, 400_000), dtype="uint32")


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_normal_numbers_have_the_moments_and_the_distribution_of_normal_ones(dtype: str) -> None:
    values = ops.random_normal(*BITS, np.dtype(dtype))
    assert values.dtype == dtype
    count = values.size
    for power, moment, spread in ((1, 0.0, 1.0), (2, 1.0, 2.0), (3, 0.0, 15.0), (4, 3.0, 96.0)):
        assert abs(np.mean(values.astype("float64") ** power) - moment) < 5 * (spread / count) ** 0.5
    exact = [0.5 * (1 + math.erf(x / 2**0.5)) for x in np.linspace(-4, 4, 81)]
    below = np.searchsorted(np.sort(values), np.linspace(-4, 4, 81)) / count
    assert np.abs(below - exact).max() < 2.0 / count**0.5  # Kolmogorov: beyond with probability 0.0007


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_normal_numbers_are_finite_and_bounded_at_the_ends(dtype: str) -> None:
    ends = np.asarray([0, 0xFF, 0x100, 2**31, 2**32 - 256, 2**32 - 1], dtype="uint32")
    first, second = (part.ravel() for part in np.meshgrid(ends, ends))
    values = ops.random_normal(first, second, np.dtype(dtype))
    assert np.isfinite(values).all()
    assert np.abs(values).max() == pytest.approx((48 * math.log(2)) ** 0.5, rel=1e-6)


def test_normal_numbers_on_every_library(library: Library) -> None:
    bits = BITS[:, :500]
    dtype = "float32" if library.single else "float64"
    graph = trace(lambda first, second: ops.random_normal(first, second, dtype), *bits)
    given = {str(number): library.array(part) for number, part in enumerate(bits)}
    got = library.numpy(interpret(graph, library.xp, given, library.device)["value"])
    expected = np.sqrt(-2 * np.log(1 - (bits[0] >> 8) / 2**24)) * np.cos(2 * np.pi * ((bits[1] >> 8) / 2**24))
    assert str(got.dtype) == dtype
    rounding = {"rtol": 1e-5, "atol": 2e-6} if library.single else {"rtol": 1e-12, "atol": 1e-14}
    np.testing.assert_allclose(got, expected, **rounding)
