"""Parameters from nnkit's own files, and which format a name means."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nnkit
from nnkit import nn
from nnkit.data import Preprocessing, Scaling
from nnkit.errors import ArgumentError, FileError, NnkitWarning
from tests.formats.models import again, leaves, network, randomised
from tests.nn.calling import Custom
from tests.nn.table import ROWS


@pytest.fixture
def net() -> nnkit.Network:
    return network([nn.Dense(4, "prelu"), nn.BatchNorm(), nn.Dense(2)])


@pytest.mark.parametrize("name", ROWS)
def test_every_layer_comes_back(name: str, tmp_path: Path) -> None:
    row = ROWS[name]
    net = nnkit.Network(row.make(), row.shape[1:])
    randomised(net)
    net.save(tmp_path / "net.h5")
    other = again(net)
    other.load_parameters(tmp_path / "net.h5")
    assert leaves(other) == leaves(net)


@pytest.mark.parametrize("name", ["net.h5", "net", "net.weights", "NET.HDF5"])
def test_whatever_its_name_is(name: str, net: nnkit.Network, tmp_path: Path) -> None:
    net.save(tmp_path / name)
    other = again(net)
    other.load_parameters(str(tmp_path / name))
    assert leaves(other) == leaves(net)


def test_another_data_type(net: nnkit.Network, tmp_path: Path) -> None:
    net.save(tmp_path / "net.h5")
    other = again(net, dtype="float64")
    other.load_parameters(tmp_path / "net.h5")
    for name, value in net._model.values().items():
        np.testing.assert_array_equal(other._model.values()[name], value)
    other.save(tmp_path / "net.h5")
    back = again(net)
    back.load_parameters(tmp_path / "net.h5")
    assert leaves(back) == leaves(net)
    other.set_parameters({"layers.2.bias": [1.0, 1e300]})
    other.save(tmp_path / "net.h5")
    check_refused(
        back, tmp_path, r"net.h5: layers.2.bias holds a number beyond float32; make the network with dtype='f"
    )


def check_refused(net: nnkit.Network, folder: Path, reason: str) -> None:
    before = leaves(net)
    with pytest.raises(FileError, match=reason):
        net.load_parameters(folder / "net.h5")
    assert leaves(net) == before


def test_another_network(net: nnkit.Network, tmp_path: Path) -> None:
    nnkit.FeedForward(inputs=3, hidden=[4], outputs=2).save(tmp_path / "net.h5")
    check_refused(
        net,
        tmp_path,
        r"net.h5 lacks layers.0.activation.slope \(4,\), layers.1.mean \(4,\), layers.1.variance \(4,\), layers.2.bias "
        r"\(2,\).*, layers.2.weight \(4, 2\).*; has layers.1.bias \(2,\) where the network has \(4,\), layers.1.weight "
        r"\(4, 2\) where the network has \(4,\); make the network as it was when it was saved, or call nnkit.load",
    )
    (tmp_path / "net.h5").write_bytes(b"")
    check_refused(net, tmp_path, "net.h5 is empty; use another copy")
    (tmp_path / "net.h5").unlink()
    check_refused(net, tmp_path, "net.h5 does not exist; check the name and the folder")


def test_a_module_of_ones_own(tmp_path: Path) -> None:
    def make(size: int) -> nnkit.Network:
        inner = nn.Dense(size)
        return nnkit.Network(Custom(lambda self, x, run: self.inner(x, run) * self.factor, inner=inner, factor=nn.Parameter((size,))), (3,), seed=size)  # fmt: skip # noqa: E501

    net = make(2)
    net.save(tmp_path / "net.h5")
    other = again(net)
    other.load_parameters(tmp_path / "net.h5")
    assert leaves(other) == leaves(net)
    check_refused(make(4), tmp_path, r"/parameters/\S+ has shape \(.*\), and \(.*\) is expected")


def test_standardised_rows_are_spoken_of(net: nnkit.Network, tmp_path: Path) -> None:
    net.preprocessing = Preprocessing(Scaling(np.zeros(3), np.ones(3)))
    net.save(tmp_path / "net.h5")
    other = again(net)
    with pytest.warns(
        NnkitWarning, match=r"'net.h5' has the parameters of a network that standardises its rows"
    ) as seen:
        other.load_parameters(tmp_path / "net.h5")
    assert seen[0].filename == __file__
    other.preprocessing = nnkit.load(tmp_path / "net.h5").preprocessing
    other.load_parameters(tmp_path / "net.h5")
    assert leaves(other) == leaves(net)


# -- by the name


@pytest.mark.parametrize("name", ["net.h5", "net.weights.h5"])
def test_a_layout_has_no_meaning_elsewhere(name: str, net: nnkit.Network, tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match=r"load_parameters: layout='torch' has no meaning in .* \('net"):
        net.load_parameters(tmp_path / name, layout="torch")


def test_an_onnx_file_holds_a_network(net: nnkit.Network, tmp_path: Path) -> None:
    with pytest.raises(
        ArgumentError, match=r"load_parameters: 'net.onnx' \(ONNX\) holds a network; nnkit.load reads it"
    ):
        net.load_parameters(tmp_path / "net.onnx")


@pytest.mark.parametrize("name", ["NET.SafeTensors", "net.weights.safetensors"])
def test_the_end_of_the_name_says_the_format(name: str, net: nnkit.Network, tmp_path: Path) -> None:
    net.export(tmp_path / name)
    other = again(net)
    other.load_parameters(tmp_path / name)
    assert leaves(other) == leaves(net)
    with pytest.raises(
        ArgumentError, match=r"'.*' \(safetensors\) holds parameters and no network; make the network, an"
    ):
        nnkit.load(tmp_path / name)


def test_options_of_other_formats(net: nnkit.Network, tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match=r"export: opset=17 has no meaning in safetensors \('net.safetensors'\)"):
        net.export(tmp_path / "net.safetensors", opset=17)
    with pytest.raises(
        ArgumentError, match=r"export: the end of 'net.pt' names no format; it can be .onnx, .safetensors"
    ):
        net.export(tmp_path / "net.pt")


@pytest.mark.parametrize("path", [3, None, b"net.safetensors", "a\0b"])
def test_what_is_no_name_of_a_file(path: Any, net: nnkit.Network) -> None:
    for call in (net.export, net.load_parameters):
        with pytest.raises(ArgumentError, match=r"path must be the name of a file"):
            call(path)
