"""What came in from ONNX is a network like any other: it is shown, trained on, saved, copied, and exported again."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nnkit
from tests.formats.onnx.graphs import loaded, model, node, rows, runtime, weights

n = node


def made() -> Any:
    """Scaled inputs, activations with and without parameters, normalisation, dropout, and classes."""
    nodes = [
        n("Sub", "x m", "c"),
        n("Div", "c s", "d"),
        n("Gemm", "d w b", "g"),
        n("LeakyRelu", "g", "r", alpha=0.2),
        n("BatchNormalization", "r one zero zero one", "bn"),
        n("MatMul", "bn v", "h"),
        n("PRelu", "h p", "q"),
        n("LayerNormalization", "q ls lo", "ln"),
        n("Dropout", "ln rate", "dr"),
        n("Gemm", "dr u", "z"),
        n("Softmax", "z", "y"),
    ]
    constants = {"m": [0.5, -1.0, 0.0], "s": [1.0, 2.0, 0.5], "w": weights(3, 8), "b": weights(8), "v": weights(8, 6)}
    constants |= {"one": np.ones(8, np.float32), "zero": np.zeros(8, np.float32), "p": weights(6), "u": weights(6, 2)}
    return model(nodes, constants | {"ls": weights(6), "lo": weights(6, seed=1), "rate": 0.25})


@pytest.fixture
def network(tmp_path: Path) -> nnkit.Network:
    return loaded(made(), tmp_path)


def test_it_is_a_chain_of_nnkits_own_layers(network: nnkit.Network) -> None:
    assert isinstance(network.module, nnkit.nn.Sequential)
    kinds = [type(layer).__name__ for layer in network.module.layers]
    assert kinds == ["Dense", "BatchNorm", "Dense", "LayerNorm", "Dropout", "Dense"]
    assert "layers.0" in network.summary()
    assert network.device == "cpu"
    assert network.seed == 0


def test_it_is_saved_and_loaded_again(network: nnkit.Network, tmp_path: Path) -> None:
    network.classes = ("no", "yes")
    network.save(tmp_path / "net.h5")
    again = nnkit.load(tmp_path / "net.h5")
    assert repr(again.module) == repr(network.module)
    assert again.classes == network.classes
    assert again.preprocessing == network.preprocessing
    np.testing.assert_array_equal(again.predict(rows(9)), network.predict(rows(9)))


def test_it_is_copied(network: nnkit.Network) -> None:
    again = pickle.loads(pickle.dumps(network))
    np.testing.assert_array_equal(again.predict(rows(9)), network.predict(rows(9)))


def test_it_is_trained_on(network: nnkit.Network) -> None:
    x = rows(200)
    y = (x[:, 0] * x[:, 1] > 0).astype(int)
    before = network.test(x, y).loss
    network.fit(x, y, epochs=30, learning_rate=0.01, progress=False)
    assert network.test(x, y).loss < before * 0.7


def test_no_part_of_the_file_is_kept(network: nnkit.Network) -> None:
    """Parameters are copies that can be changed."""
    values = network.parameters()
    network.set_parameters({name: value * 2 for name, value in values.items()})
    np.testing.assert_array_equal(network.parameters()["layers.0.weight"], values["layers.0.weight"] * 2)


def test_two_loads_are_two_networks(tmp_path: Path) -> None:
    first, second = loaded(made(), tmp_path), loaded(made(), tmp_path)
    first.set_parameters({"layers.0.bias": np.zeros(8)})
    np.testing.assert_allclose(second.predict(rows(5)), runtime(made(), rows(5)), rtol=1e-5, atol=1e-6)


def test_the_path_may_be_text_and_end_in_capitals(tmp_path: Path) -> None:
    (tmp_path / "NET.ONNX").write_bytes(made().SerializeToString())
    assert nnkit.load(str(tmp_path / "NET.ONNX")).output_shape == (2,)
