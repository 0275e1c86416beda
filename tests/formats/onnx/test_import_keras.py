"""Files that Keras writes, by its PyTorch backend in a process of its own: predictions beside Keras's.

Keras exports by TensorFlow, PyTorch or jax2onnx; a process has one backend, and these tests run on JAX. Layer and root
mean square normalisation, which it fails to export by PyTorch, are tested as TensorFlow's and PyTorch's exporters write
them, in test_import_rows.py.
"""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

import nnkit
from nnkit.errors import FileError
from tests.formats.onnx.graphs import layers, runtime
from tests.peers import peer

WRITE = """
import sys, warnings
warnings.simplefilter("ignore")
import keras, numpy as np
from keras import layers as L

def dense(activation, units=4): return [L.Dense(units, activation)]
NETS = {name: dense(name) for name in (
    "relu relu6 leaky_relu elu selu gelu silu mish softplus softsign tanh sigmoid hard_sigmoid hard_tanh hard_silu "
    "exponential softmax log_softmax log_sigmoid tanh_shrink soft_shrink hard_shrink squareplus glu linear").split()}
NETS |= {
    "batch_norm": [L.Dense(4, "relu"), L.BatchNormalization(), L.Dropout(0.2), L.Dense(3, "softmax")],
    "group_norm": [L.Dense(8), L.GroupNormalization(2, epsilon=0.01), L.Dense(2)],
    "prelu": [L.Dense(4), L.PReLU(), L.Dense(2)],
    "leaky": [L.Dense(4), L.LeakyReLU(0.2)],
    "rescaling": [L.Rescaling(1 / 4, offset=-0.5), L.Dense(4)],
    "normalization": [L.Normalization(mean=[1.0, -1, 0.5, 0, 1, 2], variance=[1.0, 4, 9, 1, 4, 9]), L.Dense(4)],
    "reshape": [L.Reshape((2, 3)), L.Flatten(), L.Dense(2)],
    "picture": [L.Flatten(), L.Dense(4, "relu"), L.Dense(3, "softmax")],
    "bounded": [L.Dense(4), L.ReLU(max_value=6.0, negative_slope=0.1)],
}
draw = np.random.default_rng(0)
for name in sys.argv[2:]:
    parts = NETS[name]
    shape = (5, 4) if name == "picture" else (6,)
    net = keras.Sequential([L.Input(shape), *parts])
    for weight in net.weights:
        if "float" in str(weight.dtype) and weight.path.split("/")[-1] not in ("mean", "variance"):
            value = draw.normal(size=weight.shape)
            weight.assign(np.abs(value) + 0.1 if "variance" in weight.path else value)
    x = (draw.normal(size=(9, *shape)) * 2).astype("float32")
    y = net(x, training=False).detach().cpu().numpy()
    net.export(f"{sys.argv[1]}/{name}.onnx", format="onnx", verbose=False)
    np.savez(f"{sys.argv[1]}/{name}.npz", x=x, y=y)
"""
PLAIN = """
relu relu6 elu selu gelu silu mish softplus softsign tanh sigmoid hard_sigmoid hard_tanh exponential softmax
log_softmax log_sigmoid tanh_shrink soft_shrink hard_shrink squareplus glu
"""
EXPECTED = {name: f"Dense(4, activation='{name}')" for name in PLAIN.split()} | {
    "linear": "Dense(4, activation='identity')",
    "leaky_relu": "Dense(4, activation=Activation('leaky_relu', slope=0.2))",
    "hard_silu": "Dense(4, activation='hard_swish')",
    "batch_norm": "Dense(4, activation='relu'), Dense(3, activation='softmax')",
    "group_norm": "Dense(8, activation='identity'), GroupNorm(2, eps=0.01), Dense(2, activation='identity')",
    "prelu": "Dense(4, activation=PReLU(initial=0.25)), Dense(2, activation='identity')",
    "leaky": "Dense(4, activation=Activation('leaky_relu', slope=0.2))",
    "rescaling": "Dense(4, activation='identity')",
    "normalization": "Dense(4, activation='identity')",
    "reshape": "Dense(2, activation='identity')",
    "picture": "Flatten(), Dense(4, activation='relu'), Dense(3, activation='softmax')",
}


QUICK = ["gelu", "batch_norm", "group_norm", "normalization", "picture"]
"""The others are slow tests: an export takes a while."""


def written(names: list[str], target: Path) -> Path:
    """A folder with the files of some networks, and rows with what Keras predicts for them."""
    peer("torch")
    if find_spec("keras") is None:  # imported in the other process alone, where its backend is another
        peer("keras")
    environment = {**os.environ, "KERAS_BACKEND": "torch", "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-c", WRITE, str(target), *names]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    return target


@pytest.fixture(scope="module")
def quick(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Some networks, and one that is refused."""
    return written([*QUICK, "bounded"], tmp_path_factory.mktemp("keras"))


@pytest.fixture(scope="module")
def others(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The rest."""
    return written(sorted(set(EXPECTED) - set(QUICK)), tmp_path_factory.mktemp("keras"))


def check(name: str, folder: Path) -> None:
    """The layers, and predictions beside Keras and onnxruntime, all in float32."""
    path = folder / f"{name}.onnx"
    network = nnkit.load(path)
    kept = np.load(folder / f"{name}.npz")
    found = network.predict(kept["x"])
    np.testing.assert_allclose(found, kept["y"], rtol=5e-5, atol=5e-5)
    np.testing.assert_allclose(found, runtime(path.read_bytes(), kept["x"]), rtol=5e-5, atol=5e-5)
    assert layers(network) == EXPECTED[name]
    assert network.dtype == "float32"
    assert (network.preprocessing is not None) == (name in ("rescaling", "normalization"))


@pytest.mark.parametrize("name", QUICK)
def test_a_network_of_keras(name: str, quick: Path) -> None:
    check(name, quick)


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(set(EXPECTED) - set(QUICK)))
def test_other_networks_of_keras(name: str, others: Path) -> None:
    check(name, others)


def test_what_nnkit_has_no_layer_for(quick: Path) -> None:
    with pytest.raises(FileError, match=r"bounded\.onnx has node '/Neg' \(Neg\), .*together are none of nnkit's"):
        nnkit.load(quick / "bounded.onnx")
