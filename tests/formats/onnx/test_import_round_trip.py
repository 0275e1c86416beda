"""What nnkit writes as ONNX it reads again, with the same predictions."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import nnkit
from nnkit import nn
from nnkit.nn.activations import ACTIVATIONS
from tests.nn.table import ROWS

LAYERS = [name for name in ROWS if "more axes" not in name]


@pytest.mark.parametrize("name", [*ACTIVATIONS, *LAYERS])
def test_there_and_back(name: str, tmp_path: Path) -> None:
    middle = nn.Activation(name) if name in ACTIVATIONS else ROWS[name].make()
    net = nnkit.Sequential([nn.Dense(8), middle, nn.Dense(2)], input_shape=(5,), seed=1)
    net.set_parameters({path: value + 0.1 for path, value in net._model.values().items()})
    net.export(tmp_path / "net.onnx")
    again = nnkit.load(tmp_path / "net.onnx")
    x = np.random.default_rng(0).normal(size=(20, 5)).astype(np.float32) * 2
    expected = net.predict(x)
    assert np.allclose(again.predict(x), expected, rtol=0, atol=2e-6 * max(1.0, float(np.abs(expected).max())))
