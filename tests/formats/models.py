"""Networks with other parameters and states than they begin with, and the models of PyTorch that equal them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

import nnkit
from nnkit.formats.torch_names import equivalent
from tests.peers import peer


def network(layers: list[nnkit.nn.Module], inputs: int | tuple[int, ...] = 3, dtype: str = "float32") -> nnkit.Network:
    """With other numbers in every leaf."""
    shape = inputs if isinstance(inputs, tuple) else (inputs,)
    net = nnkit.Sequential(layers, input_shape=shape, seed=1, dtype=dtype)
    randomised(net)
    return net


def randomised(net: nnkit.Network, seed: int = 0) -> None:
    """Other numbers in every leaf, all but weights from 0.1 to 1: variances are positive."""
    draw = np.random.default_rng(seed)
    values = {name: draw.uniform(0.1, 1.0, shape) for name, shape in net._model.layout.shapes.items()}
    for name in values:
        if name.endswith("weight") and values[name].ndim == 2:
            values[name] -= 0.5
    for name in values:
        if name.rpartition(".")[2] == "u":  # singular vectors of spectral norms, for these weights
            path = name[:-1]
            left, _, right = np.linalg.svd(values[f"{path}module.weight"])
            values |= {f"{path}u": right[0], f"{path}v": left[:, 0]}
    net.set_parameters(values)


def again(net: nnkit.Network, dtype: str | None = None) -> nnkit.Network:
    """The same network with other numbers."""
    fresh = nnkit.Network(net.module, net.input_shape, dtype=dtype or net.dtype, seed=9)
    randomised(fresh, seed=3)
    return fresh


def leaves(net: nnkit.Network) -> dict[str, bytes]:
    """The bits of everything."""
    return {name: value.tobytes() for name, value in net._model.values().items()}


def rows(net: nnkit.Network, count: int = 7) -> Any:
    """Inputs for it."""
    return np.random.default_rng(5).normal(size=(count, *net.input_shape)).astype(net.dtype)


def in_torch(net: nnkit.Network, path: Path) -> Any:
    """The equivalent model, with the values of a file."""
    torch, files = peer("torch"), peer("safetensors.torch")
    model = eval(equivalent(net), {"nn": torch.nn})
    model.load_state_dict(files.load_file(path), strict=True)
    return model.eval()


def agree(net: nnkit.Network, model: Any) -> None:
    """Both predict the same: equal in float64 to 1e-11, and in float32 to a few roundings of the products in them."""
    torch, x = peer("torch"), rows(net)
    rtol, atol = (1e-11, 1e-12) if net.dtype == "float64" else (1e-4, 1e-5)
    with torch.no_grad():
        expected = model(torch.asarray(x)).numpy()
    np.testing.assert_allclose(net.predict(x), expected, rtol=rtol, atol=atol)
