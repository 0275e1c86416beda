"""The outputs of layers: which there are, by what name, and that they are those of the prediction."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import nnkit
from nnkit import nn
from nnkit.errors import DataError, ShapeError
from nnkit.training import evaluation
from tests.nn.table import ROWS as LAYERS
from tests.peers import peer
from tests.training.small import blobs, fit, network, same, values

X, Y = blobs(40)


def by_hand(net: nnkit.Network, x: np.ndarray) -> np.ndarray:
    """The first layer of ``network()``."""
    held = net.parameters()
    return np.tanh(x @ held["layers.0.weight"] + held["layers.0.bias"])


@pytest.mark.parametrize("rows", [1, 7, 32, 33, 64, 100])
def test_every_layer_has_its_output_for_every_row(monkeypatch: pytest.MonkeyPatch, rows: int) -> None:
    """In one batch, in several, and where the last one is not full."""
    monkeypatch.setattr(evaluation, "ROWS", 32)
    net = network()
    x = np.random.default_rng(1).normal(size=(rows, 3))
    found = net.activations(x)
    assert {path: value.shape for path, value in found.items()} == {"layers.0": (rows, 4), "layers.1": (rows, 3)}
    np.testing.assert_allclose(found["layers.0"], by_hand(net, x), rtol=1e-13)
    assert found["layers.1"].tobytes() == net.predict(x, compile="off").tobytes()


@pytest.mark.parametrize("row", LAYERS)
def test_the_last_layer_of_every_kind_gives_the_prediction(row: str) -> None:
    case = LAYERS[row]
    net = nnkit.Sequential([nn.Dense(case.shape[-1], "tanh"), case.make()], case.shape[1:], seed=0)
    x = np.random.default_rng(2).normal(size=case.shape)
    found = net.activations(x)
    assert {"layers.0", "layers.1"} == {path for path in found if path.count(".") == 1}
    assert list(found)[-1] == "layers.1"
    assert found["layers.1"].tobytes() == net.predict(x, compile="off").tobytes()


def test_in_order_of_execution_and_in_the_networks_dtype() -> None:
    net = nnkit.FeedForward(3, 2, [5] * 12, seed=0)
    found = net.activations(X)
    assert list(found) == [f"layers.{number}" for number in range(13)]
    assert {value.dtype for value in found.values()} == {np.dtype("float32")}


def test_as_in_prediction() -> None:
    """Without dropout, with running statistics, and on rows that are standardised as those of the training were."""
    layers = [nn.Dropout(0.5), nn.BatchNorm(), nn.Dense(3, "softmax")]
    net = nnkit.Sequential(layers, (3,), dtype="float64", seed=0)
    fit(net, 50 * X + 7, Y, epochs=3, standardize=True)
    found = net.activations(50 * X + 7)
    scaling = net.preprocessing.scaling
    np.testing.assert_allclose(found["layers.0"], scaling.apply(50 * X + 7, "float64"), rtol=1e-12)
    held = values(net)
    spread = np.sqrt(held["layers.1.variance"] + 1e-5)
    normal = (found["layers.0"] - held["layers.1.mean"]) / spread * held["layers.1.weight"] + held["layers.1.bias"]
    np.testing.assert_allclose(found["layers.1"], normal, rtol=1e-10, atol=1e-12)
    assert found["layers.2"].tobytes() == net.predict(50 * X + 7, compile="off").tobytes()


def test_arrays_come_back_in_the_library_that_they_came_from() -> None:
    net = network(dtype="float32")
    x = peer("array_api_strict").asarray(X.astype("float32"))
    found = net.activations(x)
    assert all(type(value) is type(x) for value in found.values())
    np.testing.assert_array_equal(np.asarray(found["layers.0"]), net.activations(X)["layers.0"])


def test_new_weights_are_seen_and_nothing_is_planned_again(monkeypatch: pytest.MonkeyPatch) -> None:
    net = network()
    first = net.activations(X)
    kept = {path: value.copy() for path, value in first.items()}
    monkeypatch.setattr(net._model, "planned", lambda *given: pytest.fail("it was planned again"))
    net.set_parameters({"layers.0.bias": np.ones(4)})
    np.testing.assert_allclose(net.activations(X)["layers.0"], by_hand(net, X), rtol=1e-13)
    assert same(first, kept)


def test_the_programs_that_were_used_last_are_kept() -> None:
    net = network()
    for rows in (1, *range(2, 20)):
        net.activations(X[:rows])
        net.activations(X[:1])
    keys = list(net._evaluator._bound)
    assert len(keys) == evaluation.KEPT
    assert keys[-1] == ("activations", 1)
    assert keys[0] == ("activations", 13)


def test_inside_a_callback() -> None:
    net = network()
    seen = []
    fit(net, X, Y, epochs=2, callbacks=[lambda training: seen.append((net.activations(X), net.parameters()))])
    assert len(seen) == 2
    for found, held in seen:
        hidden = np.tanh(X @ held["layers.0.weight"] + held["layers.0.bias"])
        np.testing.assert_allclose(found["layers.0"], hidden, rtol=1e-13)
    assert same(seen[1][1], net.parameters())


def test_errors_are_those_of_predictions() -> None:
    with pytest.raises(ShapeError, match=r"layer 'layers\.0' \(Dense\) expects 3 inputs, got 2"):
        network().activations(np.zeros((4, 2)))
    with pytest.raises(DataError, match="x is empty"):
        network().activations(np.zeros((0, 3)))


# --- which modules are layers


@pytest.mark.parametrize("module", [nn.Dense(2, "relu"), nn.Flatten(), nn.Sequential([]), nn.WeightNorm(nn.Dense(2))])
def test_a_network_of_one_layer_has_the_name_of_the_summary(module: nnkit.Module) -> None:
    net = nnkit.Network(module, (3,), seed=0)
    found = net.activations(X)
    assert list(found) == ["(whole)"]
    assert found["(whole)"].tobytes() == net.predict(X, compile="off").tobytes()


def test_the_summary_says_whole_too() -> None:
    assert nnkit.Network(nn.Dense(2), (3,)).summary().splitlines()[2].startswith("(whole)")


def test_a_layer_of_nnkits_own_is_one_entry_whatever_it_is_made_of() -> None:
    shared = nn.Activation("tanh")
    layers = [nn.WeightNorm(nn.Dense(4, "relu")), nn.Dense(3, nn.PReLU()), nn.Dense(3, shared), shared]
    net = nnkit.Sequential(layers, (3,), seed=0)
    found = net.activations(X)
    # An activation that stands in two places has the path of the first, as its parameters would have.
    assert list(found) == ["layers.0", "layers.1", "layers.2", "layers.2.activation"]
    np.testing.assert_allclose(found["layers.2.activation"], np.tanh(found["layers.2"]), rtol=1e-6)


class Block(nnkit.Module):
    """x + body(x), with a table that has no rows of the batch, and a part that gives two arrays."""

    def __init__(self) -> None:
        self.body = nn.Sequential([nn.Dense(3, "tanh"), nn.Dense(3)])
        self.pair = Pair()
        self.table = Table()
        self.unused = nn.Activation("relu")

    def __call__(self, x: Any, run: Any) -> Any:
        low, high = self.pair(x, run)
        return self.body(low, run) + high + self.table(x, run)[0]


class Pair(nnkit.Module):
    def __call__(self, x: Any, run: Any) -> Any:
        return x, x * 2.0


class Table(nnkit.Module):
    def __init__(self) -> None:
        self.rows = nnkit.Parameter((5, 3))

    def __call__(self, x: Any, run: Any) -> Any:
        return self.rows * 2.0


@pytest.mark.parametrize("rows", [1, 4, 5, 6])
def test_modules_of_ones_own_are_looked_into(rows: int) -> None:
    """Parts before what they are part of; the table has as many rows as the batch in one case, and no entry in any."""
    net = nnkit.Sequential([Block(), nn.Dense(2)], (3,), dtype="float64", seed=0)
    found = net.activations(X[:rows])
    assert list(found) == ["layers.0.body.layers.0", "layers.0.body.layers.1", "layers.0.body", "layers.0", "layers.1"]
    assert (found["layers.0.body"] == found["layers.0.body.layers.1"]).all()
    table = 2 * net.parameters()["layers.0.table.rows"][0]
    np.testing.assert_allclose(found["layers.0"], found["layers.0.body"] + 2 * X[:rows] + table, rtol=1e-12)


class Again(nnkit.Module):
    """One layer three times, and what comes after the last of them."""

    def __init__(self) -> None:
        self.inner = nn.Dense(3, "tanh")

    def __call__(self, x: Any, run: Any) -> Any:
        for _ in range(3):
            x = self.inner(x, run)
        return x * 10.0


def test_further_calls_of_a_module_are_numbered() -> None:
    net = nnkit.Network(Again(), (3,), dtype="float64", seed=0)
    found = net.activations(X)
    assert list(found) == ["inner", "inner:2", "inner:3"]
    held = net.parameters()
    np.testing.assert_allclose(
        found["inner:2"], np.tanh(found["inner"] @ held["inner.weight"] + held["inner.bias"]), rtol=1e-12
    )
    np.testing.assert_allclose(10 * found["inner:3"], net.predict(X), rtol=1e-12)


def test_a_layer_in_two_places_has_the_path_of_the_first() -> None:
    layer = nn.Dense(3, "tanh")
    found = nnkit.Sequential([layer, nn.Dense(3), layer], (3,), seed=0).activations(X)
    assert list(found) == ["layers.0", "layers.1", "layers.0:2"]


class Counter(nnkit.Module):
    """A module whose names are those of other things in the graph, and which has a state but no parameter."""

    def __init__(self) -> None:
        self.output = nnkit.State((), 3.0)
        self.parameter = nn.Activation("tanh")

    def __call__(self, x: Any, run: Any) -> Any:
        return self.parameter(x, run) + self.output


def test_names_of_layers_write_over_nothing() -> None:
    net = nnkit.Network(Counter(), (3,), dtype="float64")
    before = values(net)
    found = net.activations(X)
    np.testing.assert_allclose(found["parameter"], np.tanh(X), rtol=1e-13)
    assert same(values(net), before)
    np.testing.assert_allclose(net.predict(X), np.tanh(X) + 3.0, rtol=1e-13)
