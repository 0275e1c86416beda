"""``.npz`` and ``.h5`` files: what becomes of their arrays, and what is refused before it does harm."""

from __future__ import annotations

import io
import pickle
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest

from nnkit.data import load
from nnkit.data.files import read_features
from nnkit.errors import ArgumentError, DataError, FileError, ShapeError

X = np.arange(120, dtype=np.float64).reshape(40, 3)
Y = np.arange(40) % 4
SUFFIXES = [".npz", ".h5", ".hdf5"]


@pytest.fixture(params=SUFFIXES)
def write(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[..., Path]:
    """Writes named arrays to a file of each kind."""

    def write(**arrays: object) -> Path:
        path = tmp_path / f"data{request.param}"
        if request.param == ".npz":
            np.savez(path, **arrays)
            return path
        with h5py.File(path, "w") as file:
            for name, array in arrays.items():
                text = np.asarray(array).dtype.kind == "U"
                values = np.asarray(array, dtype=h5py.string_dtype()) if text else array
                file.create_dataset(name, data=values)
        return path

    return write


def test_x_and_y_are_split(write: Callable[..., Path]) -> None:
    data = load(write(x=X, y=Y, other=np.ones(3)))
    assert (data.x_train.shape, data.x_test.shape) == ((32, 3), (8, 3))
    assert data.x_train.dtype == np.float32
    assert data.y_train.dtype == np.int32
    assert data.classes == ("0", "1", "2", "3")
    assert np.bincount(data.y_test).tolist() == [2, 2, 2, 2]
    np.testing.assert_array_equal(data.x_test[:, 0] // 3 % 4, data.y_test)
    assert (data.scaling, data.features, data.target) == (None, None, None)


def test_a_split_is_kept(write: Callable[..., Path]) -> None:
    data = load(write(x_train=X, y_train=Y * 0.5, x_test=-X[1:6], y_test=Y[:5] * 0.5, x=X, y=Y))
    np.testing.assert_array_equal(data.x_test, -X[1:6])
    np.testing.assert_array_equal(data.y_train, Y * 0.5)
    assert data.classes is None


def test_images_keep_their_shape(write: Callable[..., Path]) -> None:
    assert load(write(x=np.arange(1000.0).reshape(40, 5, 5, 1), y=Y)).x_train.shape == (32, 5, 5, 1)


TARGETS = {
    "text": (np.array(["b", "a"] * 20), ("a", "b")),
    "bytes": (np.array([b"b", b"a"] * 20), ("a", "b")),
    "bools": (np.arange(40) % 2 == 0, ("0", "1")),
    "a column": (Y[:, None], ("0", "1", "2", "3")),
    "one-hot": (np.eye(4)[Y], ("0", "1", "2", "3")),
    "not from zero": (Y * 10 + 5, ("5", "15", "25", "35")),
    "beyond int64": (2**63 + np.arange(40, dtype=np.uint64) % 2, (str(2**63), str(2**63 + 1))),
    "floats": (Y.astype(float), None),
    "many whole numbers": (np.arange(40) * 3, None),
    "two columns": (np.stack([Y, Y], axis=1) * 0.5, None),
}


@pytest.mark.parametrize(("y", "classes"), TARGETS.values(), ids=TARGETS)
def test_what_makes_targets_classes(write: Callable[..., Path], y: np.ndarray, classes: tuple[str, ...] | None) -> None:
    data = load(write(x=X, y=y))
    assert data.classes == classes
    assert data.y_train.shape == ((32, 2) if y.ndim == 2 and classes is None else (32,))


def test_many_classes_counted_from_zero(write: Callable[..., Path]) -> None:
    data = load(write(x=np.arange(180.0).reshape(90, 2), y=np.arange(90) % 30))
    assert len(data.classes or ()) == 30


WRONG = {
    "nothing": (
        {"a": X},
        DataError,
        r"data\.\w+ lacks x, y; it has a, expected x, y or x_train, y_train, x_test, y_test",
    ),
    "no y": ({"x": X}, DataError, r"lacks y; it has x"),
    "half a split": ({"x_train": X, "y_train": Y}, DataError, r"lacks x_test, y_test; it has x_train, y_train"),
    "rows": ({"x": X, "y": Y[:5]}, ShapeError, r"x has 40 rows and y has 5; each row needs its target"),
    "one target": ({"x": X, "y": 3}, ShapeError, r"x has 40 rows and y has no; each row"),
    "split rows": (
        {"x_train": X, "y_train": Y, "x_test": X, "y_test": Y[1:]},
        ShapeError,
        r"x_test has 40 rows and y_test has 39",
    ),
    "split columns": (
        {"x_train": X, "y_train": Y, "x_test": X[:, :2], "y_test": Y},
        ShapeError,
        r"rows of x_train and x_test have the shapes \(3,\) and \(2,\), of y \(\) and \(\); training and test rows",
    ),
    "nan": (
        {"x": X, "y": np.where(Y > 2, np.nan, Y)},
        DataError,
        r"y has NaN at row 3 \(10 such values in all\); leave those rows out$",
    ),
    "nan in x": ({"x": X * np.nan, "y": Y}, DataError, r"data\.\w+: x has NaN at row 0, column 0 \(120 such values"),
    "beyond float32": (
        {"x": X * 1e100, "y": Y},
        DataError,
        r": x has 1e\+100 at row 0, column 1, too large for float32",
    ),
    "one class": ({"x": X, "y": Y * 0}, DataError, r"y is '0' in every row"),
    "each class once": (
        {"x": X[:3], "y": np.array(["a", "b", "c"])},
        DataError,
        r"data\.\w+ has 3 rows of 3 classes, too few to keep one for testing; each class needs two rows or more",
    ),
    "table of text": ({"x": X, "y": np.array([["a", "b"]] * 40)}, DataError, r"y holds text of shape \(40, 2\)"),
    "text and numbers": (
        {"x_train": X, "y_train": Y.astype(str), "x_test": X + 1, "y_test": Y},
        DataError,
        r"y_train holds (<U\d+|object) and y_test int64, one of which is text and the other numbers; store both as",
    ),
    "numbers and text": (
        {"x_train": X, "y_train": Y, "x_test": X + 1, "y_test": Y.astype(str)},
        DataError,
        r"y_train holds int64 and y_test (<U\d+|object), one of which is text",
    ),
    "one axis": (
        {"x": X[:, 0], "y": Y},
        ShapeError,
        r": x has shape \(40,\), expected rows and columns; store x.reshape\(-1, 1\) for one feature, or x.resh",
    ),
    "empty": ({"x": X[:0], "y": Y[:0]}, (DataError, FileError), r"x (is empty|declares the shape)"),
}


@pytest.mark.parametrize(("arrays", "error", "message"), WRONG.values(), ids=WRONG)
def test_arrays_that_do_not_make_a_data_set(
    write: Callable[..., Path], arrays: dict, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        load(write(**arrays))


def test_a_target_column_makes_no_sense_here(write: Callable[..., Path]) -> None:
    with pytest.raises(
        ArgumentError, match=r"target='y' names a column of a CSV file; in data\.\w+ the target is y: leave"
    ):
        load(write(x=X, y=Y), target="y")


def test_features_for_prediction(write: Callable[..., Path]) -> None:
    assert read_features(write(x=X)).dtype == np.float32
    assert read_features(write(x_test=X[:2])).shape == (2, 3)
    with pytest.raises(DataError, match=r"has no x to predict from; it has y; name the array x"):
        read_features(write(y=Y))
    with pytest.raises(
        ShapeError, match=r"data\.\w+: x_test has shape \(3,\), expected rows and columns; store x_test"
    ):
        read_features(write(x_test=X[0]))


CONTENTS = {"empty": b"", "text": b"x,y\n1,2\n", "pickle": pickle.dumps([1]), "html": b"<html></html>" * 99}


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("content", CONTENTS.values(), ids=CONTENTS)
def test_files_that_are_not_what_their_name_says(tmp_path: Path, suffix: str, content: bytes) -> None:
    (tmp_path / f"data{suffix}").write_bytes(content)
    with pytest.raises(FileError, match=r"is damaged or no (.npz|HDF5) file: .*; write it with (numpy.savez|h5py)"):
        load(tmp_path / f"data{suffix}")


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_file_that_is_not_there(tmp_path: Path, suffix: str) -> None:
    with pytest.raises(FileError, match=r"absent\.\w+ does not exist.*; check the path"):
        load(tmp_path / f"absent{suffix}")


def test_truncated_files(write: Callable[..., Path]) -> None:
    path = write(x=X, y=Y)
    content = path.read_bytes()
    for part in range(1, 16):
        path.write_bytes(content[: len(content) * part // 16])
        with pytest.raises((FileError, DataError)):
            load(path)


# --- .npz


def test_pickled_objects_are_not_loaded(tmp_path: Path) -> None:
    np.savez(tmp_path / "data.npz", x=np.array([{}, []], dtype=object), y=np.ones(2))
    with pytest.raises(
        FileError, match=r"x cannot be read: it holds Python objects, and nnkit loads no pickle; store plain"
    ):
        load(tmp_path / "data.npz")


def npz_with(path: Path, header: str, data: bytes, compression: int = zipfile.ZIP_DEFLATED) -> Path:
    """A .npz whose x has this header text, whatever it holds."""
    member = np.lib.format.magic(1, 0) + len(header).to_bytes(2, "little") + header.encode() + data
    with zipfile.ZipFile(path, "w", compression) as archive:
        archive.writestr("x.npy", member)
        buffer = io.BytesIO()
        np.save(buffer, np.ones(4))
        archive.writestr("y.npy", buffer.getvalue())
    return path


def header_of(shape: str, descr: str = "<f8") -> str:
    return f"{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}}}\n"


HOSTILE = {
    "a terabyte declared": (
        header_of("(10**12,)".replace("10**12", str(10**12))),
        b"\0" * 64,
        r"x declares 8\d+ bytes and has 64",
    ),
    "an overflowing shape": (
        header_of(f"({2**40}, {2**40})"),
        b"\0" * 64,
        r"x declares \d+ bytes and has 64; it is damaged",
    ),
    "too much data": (header_of("(4,)"), b"\0" * 64, r"x declares 32 bytes and has 64"),
    "code in the header": ("__import__('os')", b"", r"x cannot be read: .*; store plain numbers or text"),
    "a broken type": (header_of("(4,)", "bad"), b"\0" * 32, r"x cannot be read"),
    "a negative shape": (header_of("(-4,)"), b"\0" * 32, r"x declares -32 bytes"),
}


@pytest.mark.parametrize(("header", "data", "message"), HOSTILE.values(), ids=HOSTILE)
def test_hostile_headers(tmp_path: Path, header: str, data: bytes, message: str) -> None:
    path = npz_with(tmp_path / "data.npz", header, data)
    tracemalloc.start()
    with pytest.raises(FileError, match=message):
        load(path)
    assert tracemalloc.get_traced_memory()[1] < 10_000_000
    tracemalloc.stop()


def test_other_versions_of_the_member_format(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "data.npz", "w") as archive:
        archive.writestr("x.npy", b"\x93NUMPY\x09\x00" + bytes(64))
        archive.writestr("y.npy", b"")
    with pytest.raises(FileError, match=r"x cannot be read: version \(9, 0\) of the .npy format is not supported"):
        load(tmp_path / "data.npz")


def test_a_claim_that_no_compression_could_keep(tmp_path: Path) -> None:
    path = npz_with(tmp_path / "data.npz", header_of("(8,)"), bytes(64), zipfile.ZIP_STORED)
    content = path.read_bytes()
    at = content.index(b"PK\x01\x02") + 24  # the unpacked size of x in the central directory
    path.write_bytes(content[:at] + (2**31).to_bytes(4, "little") + content[at + 4 :])
    with pytest.raises(FileError, match=r"x claims 2147483648 bytes and stores \d+; it is damaged"):
        load(path)


# --- .h5


@pytest.fixture
def h5(tmp_path: Path) -> Callable[..., Path]:
    """Makes an HDF5 file with y, and whatever the function puts into it for x."""

    def make(put_x: Callable[[h5py.File], object]) -> Path:
        with h5py.File(tmp_path / "other.h5", "w") as other:
            other["x"] = X
        with h5py.File(tmp_path / "data.h5", "w") as file:
            file["y"] = Y
            put_x(file)
        return tmp_path / "data.h5"

    return make


def _virtual(file: h5py.File) -> None:
    layout = h5py.VirtualLayout((40, 3), "f8")
    layout[:] = h5py.VirtualSource("other.h5", "x", (40, 3))
    file.create_virtual_dataset("x", layout)


def _huge_chunk(file: h5py.File) -> None:
    chunks = {"chunks": (10**4, 10**4), "maxshape": (None, None), "compression": "gzip"}
    file.create_dataset("x", (40, 3), "f8", **chunks).id.write_direct_chunk((0, 0), bytes(10**6))


HOSTILE_H5 = {
    "external link": (
        lambda f: f.__setitem__("x", h5py.ExternalLink("other.h5", "/x")),
        r"x is a link; store the array",
    ),
    "soft link": (lambda f: f.__setitem__("x", h5py.SoftLink("/y")), r"x is a link; store the array itself"),
    "group": (lambda f: f.create_group("x"), r"x is not an array stored in this file; store the array itself"),
    "virtual": (_virtual, r"x is not an array stored in this file"),
    "external storage": (
        lambda f: f.create_dataset("x", (40,), "f8", external=[("raw.bin", 0, 320)]),
        r"x is not an array stored in this file",
    ),
    "a terabyte, nothing stored": (
        lambda f: f.create_dataset("x", (10**6, 125_000), "f8", chunks=(100, 100)),
        r"x declares the shape \(1000000, 125000\) and stores 0 bytes; it is damaged",
    ),
    "a huge chunk": (
        _huge_chunk,
        r"x has chunks of shape \(10000, 10000\) for an array of \(40, 3\); it is damaged",
    ),
    "compound": (
        lambda f: f.create_dataset("x", (3,), [("a", "f8")]),
        r"x has the type .*; store plain numbers or text",
    ),
    "complex": (lambda f: f.create_dataset("x", data=X + 1j), r"x has the type complex128"),
    "references": (lambda f: f.create_dataset("x", (3,), h5py.ref_dtype), r"x has the type object"),
}


@pytest.mark.parametrize(("put_x", "message"), HOSTILE_H5.values(), ids=HOSTILE_H5)
def test_hostile_h5(h5: Callable[..., Path], put_x: Callable[[h5py.File], object], message: str) -> None:
    with pytest.raises(FileError, match=message):
        load(h5(put_x))


def test_compressed_data_is_read(h5: Callable[..., Path]) -> None:
    x = np.repeat(np.arange(40, dtype="f4"), 5000).reshape(40, 5000)
    path = h5(lambda f: f.create_dataset("x", data=x, compression="gzip", compression_opts=9))
    assert load(path).x_train.shape == (32, 5000)
