"""What is saved comes back: to the bit, with everything that belongs to it."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nnkit
from nnkit import constraints, initializers, losses, optimizers
from nnkit.data import Preprocessing, Scaling
from nnkit.nn import Activation, BatchNorm, Dense, Dropout, Flatten, LayerNorm, Module, PReLU, Sequential
from nnkit.nn.activations import ACTIVATIONS
from tests.nn.table import ROWS
from tests.optimizers.schedule_cases import CASES as SCHEDULE_CASES

shared = Dense(3, "tanh")
slope = PReLU(0.1)

LAYERS: dict[str, list[Module]] = {
    **{f"dense {name}": [Dense(4, name), Dense(2)] for name in ACTIVATIONS},
    "none": [],
    "without leaves": [Flatten(), Dropout(0.2), Activation("tanh")],
    "prelu": [PReLU(0.3), Dense(2, PReLU(np.float32(0.1)))],
    "activations with parameters": [Activation("leaky_relu", slope=0.2), Dense(4, Activation("elu", alpha=2))],
    "pieces": [Dense(6, Activation("maxout", pieces=3))],
    "normalisation": [BatchNorm(0.2, 1e-3), LayerNorm(1e-4), Dense(2)],
    **{f"the layer {name}": [Dense(8), row.make(), Dense(2)] for name, row in ROWS.items() if "," not in name},
    "dropout": [Dense(4), Dropout(0.5), Dense(2)],
    "constraints": [Dense(4, constraint="max_norm", bias_constraint=constraints.UnitNorm(-1))],
    "no bias": [Dense(4, bias=False)],
    "initialisers": [
        Dense(4, initializer="xavier_normal"),
        Dense(4, initializer=initializers.Normal(0.02)),
        Dense(4, initializer=initializers.VarianceScaling(2, "fan_out", "uniform")),
        Dense(4, initializer=initializers.Orthogonal(0.5)),
    ],
    "penalties": [Dense(4, l1=1e-4), Dense(2, l2=1)],
    "nested": [Sequential([Dense(4), Sequential([Dense(3, "relu"), BatchNorm()])]), Dense(2)],
    "one layer in two places": [shared, Dropout(0.1), shared, Sequential([shared]), Dense(2)],
    "one slope in two layers": [Dense(3, slope), Dense(3, slope)],
    "more layers than fit in one node": [Dense(3, "tanh") for _ in range(40)],
}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", LAYERS)
def test_every_layer(name: str, dtype: str, tmp_path: Path) -> None:
    net = nnkit.Sequential(LAYERS[name], input_shape=(3,), dtype=dtype, seed=5)
    rng = np.random.default_rng(0)
    values = {leaf: rng.uniform(0.1, 1.0, value.shape) for leaf, value in net._model.values().items()}
    net.set_parameters(values)
    again = _again(net, tmp_path)
    assert repr(again) == repr(net)
    assert again._model.layout.shapes == net._model.layout.shapes
    assert again._model.layout.penalties == net._model.layout.penalties
    assert again._model.layout.constraints == net._model.layout.constraints
    for leaf, value in net._model.values().items():
        assert np.array_equal(again._model.values()[leaf], value)
        assert again._model.values()[leaf].dtype == dtype
    if net.parameters():
        rows = rng.normal(size=(7, 3))
        assert np.array_equal(again.predict(rows), net.predict(rows), equal_nan=True)


@pytest.mark.parametrize("name", initializers.INITIALIZERS)
def test_every_initialiser(name: str, tmp_path: Path) -> None:
    """By its name and as an object; and a network that is built again starts from the same weights."""
    chosen = (name, initializers.get(name))
    again = _again(nnkit.Sequential([Dense(3, initializer=one) for one in chosen], input_shape=(3,)), tmp_path)
    assert tuple(layer.initializer for layer in again.module.layers) == chosen
    fresh = nnkit.Network(again.module, input_shape=(3,), seed=again.seed).parameters()
    for path, value in again.parameters().items():
        assert value.tobytes() == fresh[path].tobytes()


def _again(net: nnkit.Network, folder: Path) -> nnkit.Network:
    net.save(folder / "net.h5")
    return nnkit.load(folder / "net.h5")


def test_the_bytes_of_a_file_are_a_function_of_the_network(tmp_path: Path) -> None:
    net = nnkit.Sequential([Dense(3, "relu"), BatchNorm(), Dense(2)], input_shape=(4,), seed=3)
    for name in ("one", "two"):
        net.save(tmp_path / name)
    nnkit.load(tmp_path / "one").save(tmp_path / "three")
    first, *others = ((tmp_path / name).read_bytes() for name in ("one", "two", "three"))
    assert others == [first, first]


def test_layers_stay_shared(tmp_path: Path) -> None:
    layer = Dense(3)
    again = _again(nnkit.Sequential([layer, layer], input_shape=(3,)), tmp_path)
    assert again.module.layers[0] is again.module.layers[1]


@pytest.mark.parametrize("shape", [(2, 3), (2, 3, 4)])
def test_rows_of_any_shape(shape: tuple[int, ...], tmp_path: Path) -> None:
    net = nnkit.Sequential([Flatten(), Dense(2)], input_shape=shape)
    assert _again(net, tmp_path).input_shape == shape


@pytest.mark.parametrize("seed", [0, 2**64 - 1])
def test_seed(seed: int, tmp_path: Path) -> None:
    assert _again(nnkit.FeedForward(inputs=2, outputs=1, seed=seed), tmp_path).seed == seed


@pytest.mark.parametrize("classes", [None, ("Ärger", "喜び", "🙂", "a\nb", "\0", "\ud800"), ("", "a")])
def test_classes(classes: tuple[str, ...] | None, tmp_path: Path) -> None:
    net = nnkit.FeedForward(inputs=2, outputs=6 if classes is None else len(classes))
    net.classes = classes
    assert _again(net, tmp_path).classes == classes


@pytest.mark.parametrize(
    "kept",
    [
        None,
        Preprocessing(Scaling(np.array([0.1, 1e-300]), np.array([1 / 3, 7.0])), ("länge", "b"), "art", True),
        Preprocessing(),
    ],
)
def test_preprocessing(kept: Preprocessing | None, tmp_path: Path) -> None:
    net = nnkit.FeedForward(inputs=2, outputs=1)
    net.preprocessing = kept
    assert _again(net, tmp_path).preprocessing == kept


@pytest.mark.parametrize("loss", ["auto", "huber", losses.Huber(0.01), "mae"])
def test_the_loss_of_the_last_fit(loss: Any, tmp_path: Path) -> None:
    x, y = np.random.default_rng(0).normal(size=(2, 20, 2))
    net = nnkit.FeedForward(inputs=2, hidden=[3], outputs=2, seed=0)
    net.fit(x, y, epochs=2, loss=loss, progress=False)
    again = _again(net, tmp_path)
    assert again.test(x, y).loss == net.test(x, y).loss
    assert _again(again, tmp_path).test(x, y).loss == net.test(x, y).loss


# An open end is kept open.
SCHEDULES = {"cosine, open": optimizers.schedules.Cosine(0.1)} | {
    name: case.schedule for name, case in SCHEDULE_CASES.items() if "," not in name
}


@pytest.mark.parametrize("name", SCHEDULES)
def test_the_optimiser_of_the_last_fit(name: str, tmp_path: Path) -> None:
    chosen = optimizers.ClipByGlobalNorm(optimizers.SGD(SCHEDULES[name], momentum=0.9), 1.0)
    net = nnkit.FeedForward(inputs=2, outputs=1, seed=0)
    net.fit(np.ones((4, 2)), np.ones((4, 1)), epochs=1, optimizer=chosen, progress=False)
    again = _again(_again(net, tmp_path), tmp_path)
    assert again._optimizer == chosen
    again.fit(np.ones((4, 2)), np.ones((4, 1)), epochs=1, progress=False)
    assert again._optimizer == optimizers.Adam()


def test_a_network_that_was_never_trained(tmp_path: Path) -> None:
    again = _again(nnkit.FeedForward(inputs=2, outputs=1), tmp_path)
    assert (again._loss, again._optimizer) == ("auto", None)


@dataclass(frozen=True)
class Cubic(losses.Loss):
    name = "cubic"
    targets = "numbers"
    domain = "any"

    def __call__(self, prediction: Any, target: Any) -> Any:
        return losses.get("mse")(prediction * prediction * prediction, target)


@dataclass(frozen=True)
class Huber(Cubic):
    """The name of one of nnkit's, and another formula."""

    name = "huber"
    delta: float = 1.0


@dataclass(frozen=True)
class Mine(optimizers.SGD):
    name = "mine"


@pytest.mark.parametrize("loss", [Cubic(), Huber()])
def test_a_loss_of_the_users_own_is_told_of(loss: Cubic, tmp_path: Path) -> None:
    x, y = np.ones((4, 2)), np.ones((4, 1))
    net = nnkit.FeedForward(inputs=2, outputs=1)
    net.fit(x, y, epochs=1, loss=loss, optimizer=Mine(0.1), progress=False)
    net.save(tmp_path / "net.h5")
    with pytest.warns(
        nnkit.NnkitWarning, match=rf"your own loss '{loss.name}', .* give it to net.test\(x, y, loss=…\)"
    ):
        again = nnkit.load(tmp_path / "net.h5")
    assert again.test(x, y, loss=loss).loss == net.test(x, y).loss
    assert again._optimizer is None


def test_loading_neither_warns_nor_trains_on(tmp_path: Path) -> None:
    x, y = np.random.default_rng(0).normal(size=(2, 20, 2))
    net = nnkit.FeedForward(inputs=2, hidden=[3], outputs=2, seed=0)
    net.fit(x, y, epochs=2, progress=False)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        again = _again(net, tmp_path)
    again.fit(x, y, epochs=1, progress=False)
    assert not np.array_equal(again.predict(x), net.predict(x))
