"""A failed step as a file: it comes back to the bit, and a file that is something else is refused."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

import numpy as np
import pytest

import nnkit
from nnkit.diagnosis import Failure
from nnkit.errors import DataError, FileError, NnkitWarning


@pytest.fixture(scope="module")
def failure() -> Any:
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(30, 4)).astype(np.float32), rng.integers(0, 3, size=30)
    x[7] = 3e38
    layers = [nnkit.nn.Dense(6, "relu"), nnkit.nn.BatchNorm(), nnkit.nn.Dropout(0.3), nnkit.nn.Dense(3, "softmax")]
    with pytest.warns(NnkitWarning):
        return nnkit.Sequential(layers, (4,), seed=1).fit(x, y, batch_size=15, progress=False).failure


def test_it_comes_back_as_it_was(failure: Any, tmp_path: Any) -> None:
    failure.save(tmp_path / "step.npz")
    again = Failure.read(tmp_path / "step.npz")
    assert again.step.graph == failure.step.graph
    assert [node.origin for _, node in again.step.graph] == [node.origin for _, node in failure.step.graph]
    assert (again.step.rows, again.step.epoch, again.step.number) == (failure.step.rows, 1, failure.step.number)
    assert dict(again.step.parameters) == dict(failure.step.parameters)
    for name, value in failure.step.inputs.items():
        np.testing.assert_array_equal(again.step.inputs[name], value, strict=True)
    assert (str(again), again.lines, again.blame) == (str(failure), failure.lines, failure.blame)
    assert again.path == str(tmp_path / "step.npz")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["step.npz"]


def changed(path: Any, change: Any) -> None:
    """The file with another header."""
    with np.load(path) as file:
        arrays = {name: file[name] for name in file.files}
    header = json.loads(str(arrays["step"][()]))
    change(header)
    np.savez(path, **arrays | {"step": np.array(json.dumps(header))})


def set_at(key: str, value: Any) -> Any:
    return lambda header: header.__setitem__(key, value)


def set_node(place: int, part: int, value: Any) -> Any:
    return lambda header: header["nodes"][place].__setitem__(part, value)


HEADERS = {
    "another format": (set_at("format", 9), "has format 9; this version of nnkit reads 1"),
    "no nodes": (set_at("nodes", None), "TypeError"),
    "an operation that there is not": (set_node(0, 0, "system"), "there is no operation 'system'"),
    "an operand that comes later": (set_node(5, 1, [10**6]), "operation 5 reads what is not there"),
    "a negative operand": (set_node(5, 1, [-1]), "operation 5 reads what is not there"),
    "an operand that is no number": (set_node(5, 1, [True]), "operation 5 reads what is not there"),
    "no rows": (set_at("rows", ["x"]), "ValueError"),
}


@pytest.mark.parametrize("case", HEADERS)
def test_a_header_that_is_not_right_is_refused(case: str, failure: Any, tmp_path: Any) -> None:
    change, message = HEADERS[case]
    path = tmp_path / "step.npz"
    failure.save(path)
    changed(path, change)
    with pytest.raises(DataError, match=message):
        Failure.read(path)


def test_a_file_of_another_kind_is_refused(tmp_path: Any) -> None:
    path = tmp_path / "other"
    for content in (b"", b"text", zipped({"a.txt": b"hello"}), zipped({"step.npy": b"no array"})):
        path.write_bytes(content)
        with pytest.raises(DataError, match=r"is not a step that nnkit kept.*pass the file that the warning"):
            Failure.read(path)
    np.savez(path.with_suffix(".npz"), step=np.array({"a": 1}, dtype=object))
    with pytest.raises(DataError, match="is not a step that nnkit kept"):
        Failure.read(path.with_suffix(".npz"))
    with pytest.raises(
        FileError, match=r"cannot read the step '.*missing.npz': No such file or directory; pass the fi"
    ):
        Failure.read(tmp_path / "missing.npz")


def test_a_damaged_file_is_refused(failure: Any, tmp_path: Any) -> None:
    path = tmp_path / "step.npz"
    failure.save(path)
    content = bytearray(path.read_bytes())
    middle = content.index(b"step.npy") + 100
    content[middle : middle + 64] = bytes(64)
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"is not a step that nnkit kept \(error: Error -3 while decompressing"):
        Failure.read(path)


def zipped(files: dict[str, bytes]) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return made.getvalue()


def test_a_failed_write_leaves_nothing(failure: Any, tmp_path: Any, monkeypatch: Any) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    (tmp_path / "step.npz").write_bytes(b"before")
    monkeypatch.setattr(np, "savez_compressed", full)
    with pytest.raises(OSError, match="No space left"):
        failure.save(tmp_path / "step.npz")
    assert [path.name for path in tmp_path.iterdir()] == ["step.npz"]
    assert (tmp_path / "step.npz").read_bytes() == b"before"
