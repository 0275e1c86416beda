"""Parameters and states under nnkit's own names: every bit comes back, and the package reads the same."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nnkit
from nnkit import nn
from nnkit.data import Preprocessing, Scaling
from nnkit.errors import ArgumentError, DataError, FileError, NnkitWarning
from tests.formats.models import again, leaves, network, randomised, rows
from tests.nn.calling import Custom
from tests.nn.table import ROWS
from tests.peers import peer


@pytest.fixture
def net() -> nnkit.Network:
    return network([nn.Dense(4, "prelu"), nn.BatchNorm(), nn.Dense(2, bias=False)])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", ROWS)
def test_every_layer_comes_back(name: str, dtype: str, tmp_path: Path) -> None:
    row = ROWS[name]
    net = nnkit.Network(row.make(), row.shape[1:], dtype=dtype)
    randomised(net)
    net.export(tmp_path / "net.safetensors")
    other = again(net)
    assert leaves(other) != leaves(net) or not leaves(net)
    other.load_parameters(tmp_path / "net.safetensors")
    assert leaves(other) == leaves(net)
    np.testing.assert_array_equal(other.predict(rows(net)), net.predict(rows(net)))


def test_the_package_finds_names_shapes_and_types_as_they_are(net: nnkit.Network, tmp_path: Path) -> None:
    net.export(tmp_path / "net.safetensors")
    found = peer("safetensors.numpy").load_file(tmp_path / "net.safetensors")
    values = net._model.values()
    assert found.keys() == values.keys() == {*net.parameters(), "layers.1.mean", "layers.1.variance"}
    for name, value in values.items():
        assert (found[name].dtype, found[name].shape) == (value.dtype, value.shape)
        assert found[name].tobytes() == value.tobytes()
    with peer("safetensors").safe_open(tmp_path / "net.safetensors", "np") as file:
        said = file.metadata()
    assert (said["format"], said["layout"], said["nnkit"]) == ("nnkit", "nnkit", nnkit.__version__)
    assert '{"input_shape":[3],"module":{"layer":"Sequential"' in said["architecture"]


def test_what_the_package_writes_is_read(net: nnkit.Network, tmp_path: Path) -> None:
    peer("safetensors.numpy").save_file(net._model.values(), tmp_path / "net.safetensors")
    other = again(net)
    other.load_parameters(tmp_path / "net.safetensors")
    assert leaves(other) == leaves(net)


def test_two_exports_are_the_same_file(net: nnkit.Network, tmp_path: Path) -> None:
    for name in "ab":
        net.export(tmp_path / f"{name}.safetensors")
    assert (tmp_path / "a.safetensors").read_bytes() == (tmp_path / "b.safetensors").read_bytes()


def test_a_module_of_ones_own(tmp_path: Path) -> None:
    own = Custom(lambda self, x, run: self.inner(x, run) * self.factor, inner=nn.Dense(2), factor=nn.Parameter((2,)))
    net = nnkit.Network(own, (3,), seed=3)
    net.export(tmp_path / "net.safetensors")
    other = again(net)
    other.load_parameters(str(tmp_path / "net.safetensors"))
    assert leaves(other) == leaves(net)


def test_a_network_without_parameters(tmp_path: Path) -> None:
    net = nnkit.Sequential([nn.Activation("relu")], (3,))
    for layout in ("nnkit", "torch"):
        net.export(tmp_path / "net.safetensors", layout=layout)
        net.load_parameters(tmp_path / "net.safetensors")
        assert peer("safetensors.numpy").load_file(tmp_path / "net.safetensors") == {}


# -- types


@pytest.mark.parametrize("kind", ["float64", "float32", "float16", "bfloat16"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_floats_of_every_size_are_converted(kind: str, dtype: str, tmp_path: Path) -> None:
    torch, net = peer("torch"), network([nn.Dense(4)], dtype=dtype)
    values = {name: torch.randn(shape).to(getattr(torch, kind)) for name, shape in net._model.layout.shapes.items()}
    peer("safetensors.torch").save_file(values, tmp_path / "net.safetensors")
    net.load_parameters(tmp_path / "net.safetensors", layout="nnkit")
    for name, value in net.parameters().items():
        assert value.dtype == dtype
        np.testing.assert_array_equal(value, values[name].to(getattr(torch, dtype)).numpy(), err_msg=name)


@pytest.mark.parametrize("kind", ["int64", "int32", "int8", "uint8", "bool", "complex64"])
def test_what_is_no_float_is_refused(kind: str, net: nnkit.Network, tmp_path: Path) -> None:
    values = net._model.values() | {"layers.0.bias": np.ones(4, kind)}
    peer("safetensors.numpy").save_file(values, tmp_path / "net.safetensors")
    check_refused(net, tmp_path, r"net.safetensors: layers.0.bias has type \w+; F64, F32, F16, BF16 can be read; conve")


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("kind", ["float64", "float32", "float16"])
def test_what_is_not_finite_is_refused(wrong: float, kind: str, net: nnkit.Network, tmp_path: Path) -> None:
    values = net._model.values() | {"layers.1.variance": np.array([1, 2, 3, wrong], kind)}
    peer("safetensors.numpy").save_file(values, tmp_path / "net.safetensors")
    check_refused(net, tmp_path, "net.safetensors: layers.1.variance holds NaN or infinity; take one from before")


def test_what_is_beyond_the_type_is_refused(net: nnkit.Network, tmp_path: Path) -> None:
    values = net._model.values() | {"layers.1.mean": np.array([1, 2, 3, 1e39])}
    peer("safetensors.numpy").save_file(values, tmp_path / "net.safetensors")
    check_refused(net, tmp_path, r"layers.1.mean holds a number beyond float32; make the network with dtype='float64'")


# -- what does not fit


def check_refused(net: nnkit.Network, folder: Path, reason: str, **options: Any) -> None:
    before = leaves(net)
    with pytest.raises(FileError, match=reason):
        net.load_parameters(folder / "net.safetensors", **options)
    assert leaves(net) == before


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"layers.1.mean": None}, r"net.safetensors lacks layers.1.mean \(4,\); make the network as it was when the f"),
        (
            {"layers.1.mean": None, "layers.1.means": (4,)},
            r"lacks layers.1.mean \(4,\) \[nearest: layers.1.means\]; has layers.1.means \(4,\), which the network do",
        ),
        ({"b": (2,), "a": ()}, r"has a \(\), b \(2,\), which the network does not; make .* \(read as layout='nnkit'\)"),
        ({"layers.0.weight": (4, 3)}, r"has layers.0.weight \(4, 3\) where the network has \(3, 4\); make"),
        ({"layers.0.bias": (1, 4)}, r"has layers.0.bias \(1, 4\) where the network has \(4,\); make"),
        ({"layers.0.bias": ()}, r"has layers.0.bias \(\) where the network has \(4,\); make"),
    ],
)
def test_other_names_and_shapes(changes: dict[str, Any], reason: str, net: nnkit.Network, tmp_path: Path) -> None:
    values = net._model.values() | {name: shape and np.ones(shape, "f4") for name, shape in changes.items()}
    values |= {name: np.ones((), "f4") for name, shape in changes.items() if shape == ()}
    kept = {name: value for name, value in values.items() if value is not None}
    peer("safetensors.numpy").save_file(kept, tmp_path / "net.safetensors")
    check_refused(net, tmp_path, reason)


def test_the_file_of_another_network(net: nnkit.Network, tmp_path: Path) -> None:
    nnkit.FeedForward(inputs=3, outputs=2, hidden=[4, 4]).export(tmp_path / "net.safetensors")
    check_refused(
        net,
        tmp_path,
        r"lacks layers.0.activation.slope \(4,\), layers.1.mean \(4,\), layers.1.variance \(4,\); "
        r"has layers.2.bias \(2,\), which the network does not; has layers.1.weight \(4, 4\) where the network has",
    )


@pytest.mark.parametrize("layout", ["pytorch", "keras", "", 3])
def test_layouts_that_there_are_not(layout: Any, net: nnkit.Network, tmp_path: Path) -> None:
    with pytest.raises(
        ArgumentError, match=r"layout (must be a name|'.*'\.( Did you mean 'torch'\?)? Known: nnkit)|unkn"
    ):
        net.export(tmp_path / "net.safetensors", layout=layout)
    assert not list(tmp_path.iterdir())
    net.export(tmp_path / "net.safetensors")
    with pytest.raises(ArgumentError, match=r"unknown layout '.*'\..* Known: nnkit, torch|layout must be a name"):
        net.load_parameters(tmp_path / "net.safetensors", layout=layout)


# -- writing


def test_where_it_cannot_go(net: nnkit.Network, tmp_path: Path) -> None:
    (tmp_path / "folder.safetensors").mkdir()
    with pytest.raises(FileError, match=r"is a folder; add the name of a file, such as .*/net.safetensors"):
        net.export(tmp_path / "folder.safetensors")
    with pytest.raises(FileError, match=r"there is no folder .*absent to write net.safetensors to; create it, or"):
        net.export(tmp_path / "absent" / "net.safetensors")
    with pytest.raises(FileError, match="could not be written: File name too long; check free space and permissions"):
        net.export(tmp_path / f"{'n' * 300}.safetensors")


def test_a_failure_leaves_the_old_file(net: nnkit.Network, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "net.safetensors"
    net.export(path)
    before = path.read_bytes()

    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(FileError, match="could not be written: No space left on device; check free space"):
            again(net).export(path)
    with monkeypatch.context() as patch:
        patch.setattr(os, "access", lambda *_: False)
        with pytest.raises(FileError, match="is write-protected; save under another name, or allow writing to it"):
            again(net).export(path)
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == ["net.safetensors"]


def test_a_link_is_followed(net: nnkit.Network, tmp_path: Path) -> None:
    (tmp_path / "link.safetensors").symlink_to(tmp_path / "net.safetensors")
    net.export(tmp_path / "net.safetensors")
    again(net).export(tmp_path / "link.safetensors")
    assert (tmp_path / "link.safetensors").is_symlink()
    other = again(net)
    other.load_parameters(tmp_path / "net.safetensors")
    assert leaves(other) == leaves(again(net))


def test_nan_is_not_exported(net: nnkit.Network, tmp_path: Path) -> None:
    net._model.store.write({"layers.0.bias": np.array([1, 2, 3, np.nan], np.float32)})
    with pytest.raises(DataError, match=r"'layers.0.bias' holds NaN or infinity, and a network with that is not exp"):
        net.export(tmp_path / "net.safetensors")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("__metadata__", "the header of a safetensors file for this network has __metadata__ that is not an object of"),
        ("x" * 5_000_000, r"has 5,\d+,\d+ bytes, more than the 4,000,000 that are read"),
    ],
    ids=["metadata", "long"],
)
def test_names_that_cannot_be_written(name: str, reason: str, tmp_path: Path) -> None:
    own = Custom(lambda self, x, run: x * getattr(self, name), **{name: nn.Parameter((3,))})
    with pytest.raises(ArgumentError, match=reason):
        nnkit.Network(own, (3,)).export(tmp_path / "net.safetensors")
    assert not list(tmp_path.iterdir())


def test_more_parameters_than_a_header_can_name(tmp_path: Path) -> None:
    """Rather than a file that is not read back."""
    from nnkit.formats import tensor_file

    with pytest.raises(ValueError, match="more than the 4,000,000 that are read"):
        tensor_file.write(tmp_path / "x", {f"layers.{n}.weight": np.ones(1, "f4") for n in range(60_000)}, {})
    assert not list(tmp_path.iterdir())


def test_a_large_network_is_written_without_its_description(
    net: nnkit.Network, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nnkit.formats.safetensors.LONGEST", 100)
    for layout in ("nnkit", "torch"):
        net.export(tmp_path / "net.safetensors", layout=layout)
        with peer("safetensors").safe_open(tmp_path / "net.safetensors", "np") as file:
            assert file.metadata().keys() == {"format", "layout", "nnkit"}


def test_standardised_rows_are_spoken_of(net: nnkit.Network, tmp_path: Path) -> None:
    net.preprocessing = Preprocessing(Scaling(np.zeros(3), np.ones(3)))
    with pytest.warns(NnkitWarning, match=r"holds the parameters and not net.preprocessing.scaling, by which") as seen:
        net.export(tmp_path / "net.safetensors")
    assert seen[0].filename == __file__
    net.preprocessing = Preprocessing(features=("a", "b", "c"))
    net.export(tmp_path / "net.safetensors")


@pytest.mark.parametrize(
    ("name", "format_"), [("x.onnx", "ONNX"), ("x.SafeTensors", "safetensors"), ("x.weights.h5", "Keras weights")]
)
def test_save_writes_no_file_that_looks_like_another(name: str, format_: str, tmp_path: Path) -> None:
    net = nnkit.FeedForward(inputs=2, outputs=1, seed=0)
    with pytest.raises(ArgumentError, match=f"save: '{name}' ends like a file of {format_}, which net.export writes"):
        net.save(tmp_path / name)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("name", "tool"),
    [("n.pt", "PyTorch"), ("n.keras", "Keras"), ("n.JSON", "JSON"), ("n.pkl", "pickle"), ("n.npz", "NumPy")],
)
def test_nor_under_the_names_of_other_tools(name: str, tool: str, tmp_path: Path) -> None:
    net = nnkit.FeedForward(inputs=2, outputs=1, seed=0)
    rows, told = np.ones((4, 2)), "writes nnkit's own format, HDF5, to a name such as 'net.h5'"
    with pytest.raises(ArgumentError, match=rf"save: '{name}' ends like a file of {tool}.*; save {told}"):
        net.save(tmp_path / name)
    with pytest.raises(ArgumentError, match=rf"checkpoint: '{name}' ends like a file of {tool}.*; checkpoint {told}"):
        net.fit(rows, rows[:, :1], checkpoint=tmp_path / name, progress=False)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["net", "net.hdf5", "net.nnkit", "net.1", "net.pt.h5"])
def test_names_of_ones_own_are_fine(name: str, tmp_path: Path) -> None:
    net = nnkit.FeedForward(inputs=2, outputs=1, seed=0)
    net.save(tmp_path / name)
    assert nnkit.load(tmp_path / name).output_shape == (1,)


def test_the_record_of_a_run_is_read_elsewhere(tmp_path: Path) -> None:
    net = nnkit.FeedForward(inputs=2, outputs=1, seed=0)
    net.fit(np.ones((4, 2)), np.ones((4, 1)), epochs=1, progress=False).save(tmp_path / "run.json")
    with pytest.raises(
        ArgumentError, match=r"'run.json' ends like the record of a run, .*measure\.load_record\(path\)"
    ):
        nnkit.load(tmp_path / "run.json")
    assert len(nnkit.measure.load_record(tmp_path / "run.json")["history"]["loss"]) == 1
