"""Networks as objects: seeds, shapes, parameters in and out, modules of the user's own, and what they print."""

from __future__ import annotations

import copy
import json
import pickle
from typing import Any

import numpy as np
import pytest

import nnkit
from nnkit.errors import ArgumentError, DataError, ShapeError
from tests.peers import peer
from tests.training.small import blobs, fit, network, same, values

X, Y = blobs(40)


# --- seeds


def test_a_seed_that_is_drawn_is_known_and_gives_the_same_again() -> None:
    drawn = network(seed=None)
    assert 0 <= drawn.seed < 2**32
    assert network(seed=None).seed != drawn.seed or network(seed=None).seed != drawn.seed
    run = fit(drawn, X, Y, epochs=2)
    assert run.record.training["seed"] == drawn.seed
    again = network(seed=drawn.seed)
    fit(again, X, Y, epochs=2)
    assert same(values(drawn), values(again))


@pytest.mark.parametrize("seed", [0, 2**64 - 1, np.int32(4), np.uint64(2**63)])
def test_seeds_of_every_size(seed: Any) -> None:
    net = network(seed=seed)
    assert type(net.seed) is int
    assert net.seed == int(seed)
    fit(net, X, Y, epochs=1)


@pytest.mark.parametrize("seed", [-1, 2**64, 1.5, "0", True, [1]])
def test_seeds_that_are_none(seed: Any) -> None:
    with pytest.raises(ArgumentError, match=r"seed must be None or a whole number from 0 to 2⁶⁴ − 1, got "):
        network(seed=seed)


def test_first_weights_come_from_seed_and_path_alone() -> None:
    short = nnkit.FeedForward(3, 2, [4], seed=1).parameters()
    long = nnkit.FeedForward(3, 2, [4, 5], seed=1).parameters()
    other = nnkit.FeedForward(3, 2, [4], seed=2).parameters()
    assert (short["layers.0.weight"] == long["layers.0.weight"]).all()
    assert (short["layers.0.weight"] != other["layers.0.weight"]).any()
    assert (short["layers.0.bias"] == 0).all()


# --- parameters


def test_names_and_order() -> None:
    layers = [nnkit.nn.Dense(4), nnkit.nn.Dropout(0.1), nnkit.nn.BatchNorm(), nnkit.nn.Dense(2, bias=False)]
    net = nnkit.Sequential(layers, (3,))
    shapes = {name: value.shape for name, value in net.parameters().items()}
    assert list(shapes)[:2] == ["layers.0.weight", "layers.0.bias"]
    assert list(shapes)[-1] == "layers.3.weight"
    assert shapes["layers.0.weight"] == (3, 4)
    assert not any(name.endswith((".mean", ".variance")) for name in shapes)


def test_what_was_set_is_there() -> None:
    net, other = network(), network(seed=6)
    other.set_parameters(net.parameters())
    assert same(values(net), values(other))
    assert (net.predict(X) == other.predict(X)).all()
    other.set_parameters({"layers.0.bias": [1, 2, 3, 4]})
    assert other.parameters()["layers.0.bias"].tolist() == [1, 2, 3, 4]
    assert (other.parameters()["layers.0.weight"] == net.parameters()["layers.0.weight"]).all()


@pytest.mark.parametrize("library", ["torch", "jax.numpy", "array_api_strict"])
def test_arrays_of_other_libraries_can_be_set(library: str) -> None:
    net = network(dtype="float32")
    value = np.arange(12, dtype=np.float32).reshape(3, 4)
    net.set_parameters({"layers.0.weight": peer(library).asarray(value)})
    assert (net.parameters()["layers.0.weight"] == value).all()


def test_tensors_with_gradients_and_transposed_ones() -> None:
    torch = peer("torch")
    layer = torch.nn.Linear(3, 4)
    net = network(dtype="float32")
    net.set_parameters({"layers.0.weight": layer.weight.T, "layers.0.bias": layer.bias})
    assert (net.parameters()["layers.0.weight"] == layer.weight.detach().numpy().T).all()


def test_states_can_be_set() -> None:
    net = nnkit.Sequential([nnkit.nn.BatchNorm(), nnkit.nn.Dense(2)], (3,))
    net.set_parameters({"layers.0.mean": [1.0, 2.0, 3.0]})
    assert values(net)["layers.0.mean"].tolist() == [1, 2, 3]


GOOD = np.ones(4)
WRONG: dict[str, tuple[Any, type[Exception], str]] = {
    "name": (
        {"layers.9.weight": GOOD},
        ArgumentError,
        r"there is no parameter 'layers\.9\.weight'; there are: layers\.0",
    ),
    "near": (
        {"layers.0.wieght": GOOD},
        ArgumentError,
        r"'layers\.0\.wieght'; there are: layers\.0\.weight, .*; the nearest is 'layers\.0\.weight'$",
    ),
    "far": ({"x": GOOD}, ArgumentError, r"there is no parameter 'x'; there are: layers\.0\.weight, [^;]*bias$"),
    "number": ({3: GOOD}, ArgumentError, "there is no parameter '3'"),
    "shape": ({"layers.0.weight": np.ones((4, 3))}, ShapeError, r"has shape \(3, 4\), got \(4, 3\)"),
    "one number": ({"layers.0.bias": 1.0}, ShapeError, r"has shape \(4,\), got \(\)"),
    "empty": ({"layers.0.bias": []}, ShapeError, r"has shape \(4,\), got \(0,\)"),
    "nan": ({"layers.0.bias": GOOD * np.nan}, DataError, r"'layers\.0\.bias' holds NaN, infinity, or a number beyond"),
    "infinity": ({"layers.0.bias": GOOD * np.inf}, DataError, "holds NaN, infinity, or a number beyond float32"),
    "too large": ({"layers.0.bias": GOOD * 1e300}, DataError, "holds NaN, infinity, or a number beyond float32"),
    "text": ({"layers.0.bias": ["a"] * 4}, DataError, r"'layers\.0\.bias' has dtype <U1; expected numbers"),
    "complex": ({"layers.0.bias": GOOD * 1j}, DataError, r"has dtype complex128; expected numbers"),
    "None": ({"layers.0.bias": None}, DataError, r"layers\.0\.bias is None"),
    "ragged": ({"layers.0.bias": [[1], [1, 2]]}, DataError, r"layers\.0\.bias is ragged"),
    "list": ([GOOD], ArgumentError, r"expected a mapping from path to array, as parameters\(\) gives it, got \["),
    "nothing": (None, ArgumentError, r"expected a mapping from path to array, as parameters\(\) gives it, got None"),
}


def test_a_long_list_of_parameters_is_cut() -> None:
    net = nnkit.FeedForward(inputs=2, outputs=1, hidden=[2] * 40)
    with pytest.raises(ArgumentError, match=r"layers\.24\.bias and 32 more; the nearest is 'layers\.30\.bias'$"):
        net.set_parameters({"layers.30.bia": GOOD})


@pytest.mark.parametrize(("given", "error", "message"), WRONG.values(), ids=WRONG)
def test_what_cannot_be_set_changes_nothing(given: Any, error: type[Exception], message: str) -> None:
    net = network(dtype="float32")
    before = values(net)
    if isinstance(given, dict):
        given = {"layers.1.bias": np.ones(3)} | given  # this one is right, and comes first
    with pytest.raises(error, match=message):
        net.set_parameters(given)
    assert same(values(net), before)


def test_setting_between_trainings_keeps_the_programs() -> None:
    x, y = blobs(40)
    a, b = network(), network()
    fit(a, x, y, epochs=1)
    start = network().parameters()
    a.set_parameters(start)
    a._model.epochs_done = 0
    fit(a, x, y, epochs=1)
    fit(b, x, y, epochs=1)
    assert same(values(a), values(b))


# --- modules of the user's own


class Residual(nnkit.Module):
    """x + tanh(x · weight), times a gain that is one number; it counts its calls in training."""

    def __init__(self) -> None:
        self.weight = nnkit.Parameter(("inputs", "inputs"))
        self.gain = nnkit.Parameter((), initializer="ones")
        self.calls = nnkit.State(())
        self.inner = nnkit.nn.Dense(3)

    def __call__(self, x: Any, run: Any) -> Any:
        xp = x.__array_namespace__()
        if run.training:
            run.update(self, calls=self.calls + 1.0)
        return self.inner((x + xp.tanh(x @ self.weight)) * self.gain, run)


def test_a_module_of_ones_own() -> None:
    net = nnkit.Network(Residual(), input_shape=(3,), seed=0)
    assert list(net.parameters()) == ["weight", "gain", "inner.weight", "inner.bias"]
    assert net.output_shape == (3,)
    run = fit(net, X, np.eye(3)[Y], epochs=30, learning_rate=0.02, batch_size=20)
    assert net.test(X, np.eye(3)[Y]).r2 > 0.3
    assert values(net)["calls"] == 60
    assert run.result.train == net.test(X, np.eye(3)[Y]).to_dict()
    net.set_parameters({"gain": 2.0})
    assert net.parameters()["gain"] == 2.0
    assert net.parameters()["gain"].shape == ()


def test_a_module_of_ones_own_under_a_classifier() -> None:
    net = nnkit.Sequential([Residual(), nnkit.nn.Dense(3, activation="softmax")], input_shape=(3,), seed=0)
    run = fit(net, X, Y, epochs=30, learning_rate=0.05)
    assert run.history["accuracy"][-1] > 0.7
    assert run.result.train == net.test(X, Y).to_dict()


def test_a_batch_of_one_shape_trains_for_another() -> None:
    net = nnkit.Network(nnkit.nn.Sequential([nnkit.nn.Flatten(), nnkit.nn.Dense(2)]), input_shape=(2, 3))
    assert (net.input_shape, net.output_shape) == ((2, 3), (2,))
    assert net.predict(np.zeros((5, 2, 3))).shape == (5, 2)


# --- what it refuses, and what it says


@pytest.mark.parametrize("module", [3, nnkit.nn.Dense, None, [nnkit.nn.Dense(2)]])
def test_it_needs_a_module(module: Any) -> None:
    with pytest.raises(ArgumentError, match=r"Network needs a module such as nnkit\.nn\.Dense\(8\), got "):
        nnkit.Network(module, (3,))


@pytest.mark.parametrize("shape", ["abc", (0,), (-1,), (1.5,), (True,), None, 2.0, [[3]]])
def test_it_needs_an_input_shape(shape: Any) -> None:
    with pytest.raises(
        ArgumentError, match=r"input_shape must be a tuple of whole numbers from 1, such as \(784,\), got "
    ):
        nnkit.Network(nnkit.nn.Dense(2), shape)


@pytest.mark.parametrize("shape", [3, [3], (3,), np.int64(3), (np.int64(3),)])
def test_input_shapes_that_can_be_meant(shape: Any) -> None:
    assert nnkit.Network(nnkit.nn.Dense(2), shape).input_shape == (3,)


@pytest.mark.parametrize("device", [None, 5, [], ""])
def test_a_device_is_a_name(device: Any) -> None:
    with pytest.raises(ArgumentError, match="device must be a name such as 'cpu' or 'cuda', got "):
        network(device=device)


def test_a_network_that_could_not_fit_is_refused_before_it_is_built() -> None:
    with pytest.raises(
        ArgumentError, match=r"the network has 100,000,010,000,000 parameters, 400,000 GB, and this machine"
    ):
        nnkit.FeedForward(10**7, 10**7)


def test_nothing_to_train() -> None:
    net = nnkit.Sequential([nnkit.nn.Dropout(0.5)], (3,))
    with pytest.raises(ArgumentError, match="the network has no parameters to train; add a Dense layer"):
        fit(net, X, X)


def test_outputs_of_two_dimensions_cannot_be_trained() -> None:
    net = nnkit.Network(nnkit.nn.Dense(2), (4, 3))
    with pytest.raises(
        ShapeError, match=r"the network's output has shape \(rows, 4, 2\); end it with nnkit\.nn\.Flatten"
    ):
        fit(net, np.zeros((5, 4, 3)), np.zeros((5, 4, 2)))
    assert net.predict(np.zeros((5, 4, 3))).shape == (5, 4, 2)


def test_the_summary_counts_every_value() -> None:
    layers = [nnkit.nn.Dense(4, "relu"), nnkit.nn.BatchNorm(), nnkit.nn.Dropout(0.5), nnkit.nn.Dense(2, "softmax")]
    net = nnkit.Sequential(layers, (3,))
    text = net.summary()
    lines = text.splitlines()
    assert lines[0].split() == ["layer", "kind", "parameters", "values"]
    assert [line.split()[0] for line in lines[2:-1]] == [f"layers.{number}" for number in range(4)]
    assert "weight 3×4, bias 4" in lines[2]
    assert lines[2].endswith("16")
    count = sum(value.size for value in net.parameters().values())
    assert lines[-1] == f"3 inputs, 2 outputs, {count} trained values of float32"


def test_the_short_form_says_what_it_is() -> None:
    text = repr(network(device="cpu:0"))
    assert text.startswith("Network(Sequential(")
    assert text.endswith("input_shape=(3,), dtype='float64', device='cpu', seed=5)")


def test_the_explanation_does_not_train() -> None:
    net = network()
    before = values(net)
    assert "matmul" in net.explain(batch_size=16)
    assert same(values(net), before)
    with pytest.raises(ArgumentError, match="explain: batch_size is 0, expected a whole number from 1 up"):
        net.explain(batch_size=0)


def test_the_explanation_has_what_it_says_as_data() -> None:
    """And it stays with it in copies and pickles."""
    explained = network().explain(batch_size=16)
    data = explained.data
    assert json.loads(json.dumps(data)) == data
    assert f"{data['total']['kernels']} kernels" in explained.splitlines()[0]
    assert len(data["steps"]) == data["total"]["kernels"]
    assert [row["what"] for row in data["steps"] if "@" in row["what"]][:2] == ["16×3 @ 3×4", "16×4 @ 4×3"]
    for copied in (copy.deepcopy(explained), pickle.loads(pickle.dumps(explained))):
        assert copied == explained
        assert copied.data == data
