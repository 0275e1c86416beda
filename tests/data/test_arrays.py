"""Every kind of array that users have becomes NumPy, and results go back where the features came from."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import array_api_strict
import numpy as np
import pytest

from nnkit.data.arrays import as_numpy, library, like, to_host
from nnkit.errors import DataError, TraceError

ROWS = [[1.0, 2.0], [3.0, 4.0]]
DEVICE_1 = array_api_strict.Device("device1")


class FakeCupy:
    """An array whose type says that it is CuPy's and that refuses the silent copy, as CuPy does."""

    __module__ = "cupy._core.core"

    def get(self) -> np.ndarray:
        return np.asarray(ROWS, dtype=np.float32)

    def __array__(self, dtype=None, copy=None):
        raise TypeError("Implicit conversion to a NumPy array is not allowed")


class FakeRow(FakeCupy):
    """One row of it, on a GPU of its own."""

    __module__ = "cupy._core.core"

    def __init__(self, number: int) -> None:
        self.number = number

    def get(self) -> np.ndarray:
        return np.asarray(ROWS[self.number], dtype=np.float32)


class OnGpu:
    """An array in a GPU's memory, of a library that is not known by name."""

    __cuda_array_interface__ = {"shape": (2, 2), "typestr": "<f4", "data": (4096, False), "version": 3}  # noqa: RUF012

    def __init__(self, method: str) -> None:
        setattr(self, method, lambda: np.asarray(ROWS, dtype=np.float32))

    def __array__(self, dtype=None, copy=None):
        raise TypeError("no silent copy")


def torch_tensors():
    torch = pytest.importorskip("torch")
    rows = torch.tensor(ROWS)
    return [rows, rows.clone().requires_grad_(), rows.to(torch.bfloat16), rows.to_sparse(), rows.T.contiguous().T]


def test_a_contiguous_numpy_array_is_not_copied() -> None:
    x = np.asarray(ROWS)
    x.flags.writeable = False
    assert np.shares_memory(to_host(x), x)


@pytest.mark.parametrize(
    "array", [np.asarray(ROWS).T.copy().T, np.asarray(ROWS)[::-1][::-1], np.asarray(ROWS, dtype=">f4")]
)
def test_other_layouts_become_contiguous_and_native(array: np.ndarray) -> None:
    result = to_host(array)
    assert result.flags.c_contiguous
    assert result.dtype.isnative
    np.testing.assert_array_equal(result, ROWS)


@pytest.mark.parametrize(
    "array",
    [
        ROWS,
        tuple(map(tuple, ROWS)),
        [np.asarray(row) for row in ROWS],
        np.ma.masked_array(ROWS),
        array_api_strict.asarray(ROWS),
        array_api_strict.asarray(ROWS, device=DEVICE_1),
        [array_api_strict.asarray(row, device=DEVICE_1) for row in ROWS],
        FakeCupy(),
        [FakeRow(0), FakeRow(1)],
        OnGpu("get"),
        OnGpu("copy_to_host"),
        OnGpu("to_numpy"),
    ],
    ids=lambda array: f"{library(array)}-{type(array).__name__}",
)
def test_numbers_from_anywhere(array: object) -> None:
    result = to_host(array)
    assert type(result) is np.ndarray
    np.testing.assert_array_equal(result, ROWS)


def test_torch_with_gradients_bfloat16_and_sparse_layout() -> None:
    for tensor in torch_tensors():
        np.testing.assert_array_equal(to_host(tensor), ROWS)


def test_jax_and_its_bfloat16() -> None:
    jnp = pytest.importorskip("jax.numpy")
    np.testing.assert_array_equal(to_host(jnp.asarray(ROWS)), ROWS)
    assert to_host(jnp.asarray(ROWS, dtype=jnp.bfloat16)).dtype == np.float32


def test_pandas_with_mixed_and_nullable_columns() -> None:
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame({"a": [1, 2], "b": [True, False], "c": [0.5, 1.5]})
    np.testing.assert_array_equal(to_host(frame), [[1, 1, 0.5], [2, 0, 1.5]])
    np.testing.assert_array_equal(to_host(frame[["a", "c"]]), [[1, 0.5], [2, 1.5]])
    assert to_host(frame["a"]).dtype.kind == "i"
    nullable = to_host(pd.DataFrame({"a": pd.array([1, None], dtype="Int64"), "b": [1.0, 2.0]}))
    np.testing.assert_array_equal(nullable, [[1, 1], [np.nan, 2]])
    np.testing.assert_array_equal(to_host(pd.Series([3, 4], dtype="category")), [3, 4])


def test_text_stays_text_in_as_numpy() -> None:
    assert as_numpy(["a", "b"]).dtype.kind == "U"


REFUSED = {
    "ragged list": ([[1, 2], [3]], r"y is ragged: row 0 has 2 values, row 1 has 1 values; all rows must have the same"),
    "mixed depth": ([1, [2]], r"row 0 has a single value, row 1 has 1 values"),
    "ragged deeper": ([[[1], [2]], [[1], [2, 3]]], r"its inner lists have different lengths"),
    "text": (["a", "b"], r"y holds text, such as 'a' \(<U1\); encode it as numbers"),
    "objects": (np.array([1, {}], dtype=object), r"y holds objects of type dict \(object\); pass numbers only"),
    "mixed with text": (np.array([1, "a"], dtype=object), r"y holds text, such as 'a'"),
    "missing": ([1.0, None], r"y has missing values \(None\); fill them in"),
    "numbers as objects": (np.array([1, 2], dtype=object), r"write numpy.asarray\(y, dtype='float64'\)"),
    "complex": ([1j, 2], r"y holds complex numbers \(complex128\); pass the real and imaginary parts"),
    "dates": (np.array(["2020-01-01"], dtype="M8[D]"), r"y holds dates or times \(datetime64\[D\]\)"),
    "empty": (np.zeros((0, 3)), r"y is empty: its shape is \(0, 3\); check the file"),
    "one number": (5, r"y is the single number 5; expected rows: write \[\[5\]\]"),
    "none": (None, r"y is None; expected an array"),
    "generator": ((i for i in range(3)), r"y is a generator; expected an array: .* numpy.array\(list\(y\)\)"),
    "masked": (np.ma.masked_array([1, 2], mask=[0, 1]), r"y has 1 masked values; fill them \(y.filled\(0\)\)"),
}


@pytest.mark.parametrize(("array", "message"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_trained_on_is_refused(array: object, message: str) -> None:
    with pytest.raises(DataError, match=message):
        to_host(array, "y")


def test_a_column_of_text_is_named() -> None:
    pd = pytest.importorskip("pandas")
    with pytest.raises(DataError, match=r"x\['city'\] holds text, such as 'Rome'"):
        to_host(pd.DataFrame({"age": [1, 2], "city": ["Rome", "Oslo"]}))


def test_sparse_matrices_are_refused_with_the_fix() -> None:
    sparse = pytest.importorskip("scipy.sparse")
    with pytest.raises(DataError, match=r"x is a sparse matrix of shape \(3, 3\); pass x.toarray\(\)"):
        to_host(sparse.eye(3))


def test_an_array_that_cannot_be_copied_is_named() -> None:
    class Stubborn:
        def __array__(self, dtype=None, copy=None):
            raise RuntimeError("no")

    with pytest.raises(DataError, match=r"x \(.*Stubborn\) cannot be converted to NumPy: no; pass a NumPy array"):
        to_host(Stubborn())


def test_errors_of_our_own_pass_through() -> None:
    class Traced:
        def __array__(self, dtype=None, copy=None):
            raise TraceError("inside a trace")

    with pytest.raises(TraceError, match="inside a trace"):
        to_host(Traced())


@pytest.mark.parametrize("device", [array_api_strict.Device("CPU_DEVICE"), DEVICE_1])
def test_like_keeps_library_and_device(device: object) -> None:
    back = like(array_api_strict.asarray(ROWS, device=device), np.ones(3, dtype=np.float32))
    assert library(back) == "array_api_strict"
    assert back.device == device
    assert back.dtype == array_api_strict.float32


def test_like_for_torch_and_jax() -> None:
    result = np.ones(3, dtype=np.float32)
    result.flags.writeable = False
    for tensor in torch_tensors():
        back = like(tensor, result)
        assert type(back) is type(tensor.detach())
        assert back.shape == (3,)
    jnp = pytest.importorskip("jax.numpy")
    array = jnp.asarray(ROWS)
    assert like(array, result).device == array.device


@pytest.mark.parametrize("original", [ROWS, np.ones(2), FakeCupy.get, None, Path("x")])
def test_like_gives_numpy_for_the_rest(original: object) -> None:
    result = np.ones(3)
    assert like(original, result) is result


def test_like_leaves_text_in_numpy() -> None:
    names = np.array(["cat"])
    assert like(array_api_strict.asarray(ROWS), names) is names


def test_no_array_library_is_imported() -> None:
    code = (
        "import sys, nnkit.data, nnkit.data.arrays as a; a.to_host([[1.0]]); "
        "optional = {'torch', 'jax', 'cupy', 'pandas', 'h5py', 'sklearn', 'urllib.request'}; "
        "print(sorted(optional & set(sys.modules)))"
    )
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == "[]"
