"""The product of matrices that native programs call, and the tiles that it is made of."""

from __future__ import annotations

import ctypes
import gc
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("llvmlite")

from nnkit_numpy.memory import aligned
from nnkit_numpy.native import product, tiles

SCRATCH = aligned(product.SCRATCH)
pytestmark = pytest.mark.usefixtures("native_cache")


def multiply(a, b, out):
    """By the address, as compiled code does it; any strides of a and b."""
    size = out.itemsize
    call = ctypes.CFUNCTYPE(None, *[ctypes.c_int64] * 12)(product.addresses(out.dtype.name)[0])
    (m, k), n = a.shape, b.shape[1]
    sides = [n for x in (a, b) for n in (x.ctypes.data, *(stride // size for stride in x.strides))]
    call(m, n, k, *sides, out.ctypes.data, out.strides[0] // size, SCRATCH.ctypes.data)


def laid(draw, shape, dtype, layout):
    """Random numbers that lie in memory by rows, by columns, reversed, or spread out."""
    rows, columns = shape
    values = draw.normal(size=shape).astype(dtype)
    if layout == "columns":
        return np.asfortranarray(values)
    if layout == "spread":
        wide = np.zeros((rows, 3 * columns + 1), dtype)
        wide[:, : 3 * columns : 3] = values
        return wide[:, : 3 * columns : 3]
    return values[::-1] if layout == "reversed" else values


LAYOUTS = st.sampled_from(["rows", "columns", "spread", "reversed"])


@settings(deadline=None, max_examples=200)
@given(
    st.integers(1, 70), st.integers(1, 150), st.integers(1, 80), LAYOUTS, LAYOUTS,
    st.sampled_from(["float32", "float64"]), st.integers(0, 2**31),
)  # fmt: skip
def test_products_of_any_shape_and_layout(m, n, k, left, right, dtype, seed):
    draw = np.random.default_rng(seed)
    a, b = laid(draw, (m, k), dtype, left), laid(draw, (k, n), dtype, right)
    out = np.full((m + 1, n + 2), 7, dtype)
    multiply(a, b, out[:m, :n])
    exact = a.astype(np.float64) @ b.astype(np.float64)
    bound = k * np.finfo(dtype).eps * (np.abs(a).astype(np.float64) @ np.abs(b).astype(np.float64))
    assert (np.abs(out[:m, :n] - exact) <= bound).all()
    assert (out[m] == 7).all()
    assert (out[:, n:] == 7).all()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("shape", [(800, 70, 1100), (60, 1024, 300)])  # in pieces in every direction; crowded
def test_bits_depend_on_the_order_of_the_sum_alone(monkeypatch, dtype, turned, shape):
    """A product in pieces, by packed operands, has the bits of each of its rows and columns alone."""
    draw = np.random.default_rng(0)
    m, n, k = shape
    a = draw.normal(size=(m, k)).astype(dtype)
    b = draw.normal(size=(n, k) if turned else (k, n)).astype(dtype)
    b = b.T if turned else b
    whole = np.empty((m, n), dtype)
    multiply(a, b, whole)
    for rows in (slice(0, 1), slice(5, 12), slice(m - 40, m)):
        part = np.empty((rows.stop - rows.start, n), dtype)
        multiply(a[rows], b, part)
        np.testing.assert_array_equal(part, whole[rows])
    for columns in (slice(0, 1), slice(3, 40)):
        part = np.empty((m, columns.stop - columns.start), dtype)
        multiply(a, b[:, columns], part)
        np.testing.assert_array_equal(part, whole[:, columns])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("threads", [1, 2, 3])
@pytest.mark.parametrize("shape", [(1100, 1030, 1100), (150, 300, 400), (2, 70, 9)])
def test_threads_together_find_the_bits_of_one(dtype, turned, threads, shape):
    """Again and again, whoever comes first, and however much each takes: packed by all, by rows, with none for some."""
    draw = np.random.default_rng(0)
    m, n, k = shape  # with narrower tiles at the end
    a = draw.normal(size=(k, m) if turned else (m, k)).astype(dtype)
    b = draw.normal(size=(n, k) if turned else (k, n)).astype(dtype)
    a, b = (a.T, b.T) if turned else (a, b)
    alone = np.empty((m, n), dtype)
    multiply(a, b, alone)
    call = ctypes.CFUNCTYPE(None, *[ctypes.c_int64] * 15)(product.addresses(dtype)[1])
    memory = aligned(threads * product.SCRATCH + product.SHARED)
    at, size = memory.ctypes.data, alone.itemsize
    sides = [n for x in (a, b) for n in (x.ctypes.data, *(stride // size for stride in x.strides))]

    def part(rank, out):
        place = out.ctypes.data, n
        call(rank, threads, m, n, k, *sides, *place, at + rank * product.SCRATCH, at + threads * product.SCRATCH)

    with ThreadPoolExecutor(threads) as pool:
        for _ in range(5):
            out = np.full((m, n), np.nan, dtype)
            list(pool.map(part, range(threads), [out] * threads))
            np.testing.assert_array_equal(out, alone)


def test_the_code_stays_while_its_address_is_known():
    at = product.addresses("float32")
    gc.collect()
    a = np.ones((30, 30), np.float32)
    out = np.empty_like(a)
    multiply(a, a, out)
    assert product.addresses("float32") == at
    assert (out == 30).all()


def test_what_is_not_finite_spreads_as_in_numpy():
    a, b = np.ones((7, 9), np.float32), np.ones((9, 20), np.float32)
    a[2, 3], b[4, 5], b[4, 17] = np.nan, np.inf, -np.inf
    out = np.empty((7, 20), np.float32)
    multiply(a, b, out)
    np.testing.assert_array_equal(out, a @ b)


@pytest.mark.parametrize("registers", [tiles.Registers(16, 16), tiles.Registers(32, 16), tiles.Registers(16, 32)])
def test_other_processors(monkeypatch, registers):
    """The code for vectors of another length, which this processor can do as well."""
    monkeypatch.setattr(product, "registers", lambda: registers)
    monkeypatch.setattr(tiles, "registers", lambda: registers)
    for cached in (product._code, tiles.tiles):
        cached.cache_clear()
    try:
        draw = np.random.default_rng(1)
        for m, n, k in ((13, 37, 11), (6, 64, 5), (1, 3, 40)):
            for turned in (False, True):
                a, b = draw.normal(size=(m, k)), draw.normal(size=(n, k)).T if turned else draw.normal(size=(k, n))
                out = np.empty((m, n))
                multiply(a, b, out)
                np.testing.assert_allclose(out, a @ b, rtol=1e-12, atol=1e-13)
    finally:
        for cached in (product._code, tiles.tiles):
            cached.cache_clear()
