"""Networks with modules of the user's own: saved as any other, and loaded into the module."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nnkit
from nnkit import Parameter, State, initializers
from nnkit.data import Preprocessing
from nnkit.errors import ArgumentError, FileError, ShapeError
from nnkit.nn import Dense, Module, Sequential
from nnkit.nn.serial import from_config, to_config

ROWS = np.random.default_rng(0).normal(size=(5, 3))


class Mixed(Module):
    """A shared leaf, a scalar, an empty array, a state, layers in a dictionary and in a tuple."""

    def __init__(self, width: int = 4, extra: bool = False) -> None:
        self.weight = Parameter(("inputs", width))
        self.again = self.weight
        self.scale = Parameter((), initializers.Constant(2.0))
        self.nothing = Parameter((0, 2))
        self.calls = State((), 3.0)
        self.parts = {"größe": Dense(2, "relu"), "rest": (Dense(2), Sequential([Dense(1)]))}
        if extra:
            self.extra = Parameter((2,))

    def __call__(self, x: Any, run: Any) -> Any:
        y = (x @ self.weight + x @ self.again) * self.scale
        y = self.parts["größe"](y, run)
        for part in self.parts["rest"]:
            y = part(y, run)
        return y * self.calls


class Doubled(Module):
    def __call__(self, x: Any, run: Any) -> Any:
        return x + x


def twice(x: Any) -> Any:
    return x * 2.0


class Ramp(initializers.Initializer):
    name = "ramp"

    def __call__(self, shape: tuple[int, ...], rng: np.random.Generator) -> Any:
        return np.arange(np.prod(shape), dtype=float).reshape(shape)

    def config(self) -> dict[str, Any]:
        return {"name": self.name}


def tied() -> Module:
    first, second = Dense(3), Dense(3)
    second.weight = first.weight
    return Sequential([first, second])


OWN = {
    "a tree of one's own": Mixed,
    "a layer among nnkit's": lambda: Sequential([Dense(3), Doubled(), Dense(2)]),
    "a function": lambda: Sequential([Dense(3, twice)]),
    "an initialiser": lambda: Dense(3, initializer=Ramp()),
    "tied weights": tied,
}


@pytest.mark.parametrize("name", OWN)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_into(name: str, dtype: str, tmp_path: Path) -> None:
    net = nnkit.Network(OWN[name](), input_shape=(3,), dtype=dtype, seed=2)
    net.set_parameters({leaf: value + 0.25 for leaf, value in net._model.values().items()})
    net.classes = [f"class {number}" for number in range(max(2, net.output_shape[0]))]
    net.preprocessing = Preprocessing(features=("a", "b", "c"))
    net.save(tmp_path / "net.h5")
    with pytest.raises(FileError, match=r"of your own, which a file cannot hold; build .* nnkit.load\(path, into="):
        nnkit.load(tmp_path / "net.h5")
    again = nnkit.load(tmp_path / "net.h5", into=OWN[name]())
    assert np.array_equal(again.predict(ROWS), net.predict(ROWS))
    assert (again.dtype, again.seed, again.classes, again.preprocessing) == (dtype, 2, net.classes, net.preprocessing)


def test_into_takes_nnkits_own_layers_too(saved: Path) -> None:
    layers = [Dense(4, "prelu"), nnkit.nn.BatchNorm(), Dense(2)]
    again = nnkit.load(saved, into=Sequential(layers))
    assert np.array_equal(again.predict(ROWS), nnkit.load(saved).predict(ROWS))


def test_the_same_values_that_predict_otherwise_are_refused(saved: Path) -> None:
    layers = [Dense(4, "prelu"), nnkit.nn.BatchNorm(), Dense(2, "tanh")]
    with pytest.raises(
        FileError, match=r"/sample is not what the network predicts here: the largest difference is 0\.4"
    ):
        nnkit.load(saved, into=Sequential(layers))


def test_the_paths_must_be_those_in_the_file(tmp_path: Path) -> None:
    path = tmp_path / "net.h5"
    nnkit.Network(Mixed(extra=True), input_shape=(3,)).save(path)
    with pytest.raises(FileError, match=r"has /parameters/extra, which .*; build into=Mixed\(…\) as it was"):
        nnkit.load(path, into=Mixed())
    nnkit.Network(Mixed(), input_shape=(3,)).save(path)
    with pytest.raises(FileError, match=r"the file lacks /parameters/extra; build into=Mixed\(…\) as it was"):
        nnkit.load(path, into=Mixed(extra=True))
    with pytest.raises(
        FileError,
        match=r"lacks /parameters/layers/0/bias, /parameters/layers/0/weight and has "
        r"/parameters/nothing, /parameters/parts/größe/bias, .*, /state/calls, which nothing here expects; build into=",
    ):
        nnkit.load(path, into=Sequential([Dense(2)]))
    nnkit.Sequential([Dense(1) for _ in range(6)], input_shape=(3,)).save(path)
    with pytest.raises(FileError, match=r"has /parameters/layers/1/bias, .*/5/weight, which nothing"):
        nnkit.load(path, into=Sequential([Dense(1)]))
    with pytest.raises(FileError, match=r"lacks .* and has .*/layers/4/weight and 2 more, which nothing here expects"):
        nnkit.load(path, into=Mixed())


def test_the_shapes_must_be_those_in_the_file(tmp_path: Path) -> None:
    nnkit.Network(Mixed(4), input_shape=(3,)).save(tmp_path / "net.h5")
    with pytest.raises(
        FileError, match=r"/parameters/\S+ has shape \(3, 4\), and \(3, 5\) is expected; build into=Mixed\(…\)"
    ):
        nnkit.load(tmp_path / "net.h5", into=Mixed(5))


def test_what_is_wrong_with_the_module_itself_is_told_as_everywhere(saved: Path) -> None:
    layer = Dense(2)
    with pytest.raises(ShapeError, match="expects 3 inputs, got 2"):
        nnkit.load(saved, into=Sequential([layer, layer]))


@pytest.mark.parametrize("into", [Dense, "Dense", {}])
def test_into_is_a_module(saved: Path, into: Any) -> None:
    with pytest.raises(ArgumentError, match=r"into must be a module, such as MyModule\(\) with its brackets, got"):
        nnkit.load(saved, into=into)


def test_names_that_no_file_can_have(tmp_path: Path) -> None:
    for name in ("a/b", "a..b", "\0"):
        module = Mixed()
        module.parts = {name: module.parts["größe"], **module.parts}
        net = nnkit.Network(module, input_shape=(3,))
        with pytest.raises(FileError, match=r"the leaf '.*' cannot be named in a file: '/', NUL and empty names"):
            net.save(tmp_path / "net.h5")
    assert list(tmp_path.iterdir()) == []


def test_descriptions_of_layers() -> None:
    slope = nnkit.nn.PReLU()
    layer = Dense(2, slope)
    config = to_config(Sequential([layer, layer, slope]))
    assert config["layers"][1:] == [{"same_as": "layers.0"}, {"same_as": "layers.0.activation"}]
    made = from_config(config)
    assert made.layers[1] is made.layers[0]
    assert made.layers[2] is made.layers[0].activation
    with pytest.raises(ArgumentError, match=r"'Doubled' is a layer of your own; build it .* into=module"):
        from_config(to_config(Doubled()))
    with pytest.raises(ArgumentError, match=r"unknown layer path 'layers\.1'"):
        from_config({"layer": "Sequential", "layers": [{"same_as": "layers.1"}, {"layer": "Flatten"}]})
