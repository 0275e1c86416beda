"""The layers' formulas against PyTorch, and their derivatives to the second order."""

from __future__ import annotations

import numpy as np
import pytest

from nnkit.gradient_check import check_graph
from nnkit.nn import Activation, BatchNorm, Dense, Dropout, Flatten, LayerNorm, PReLU, Sequential
from nnkit.nn.activations import ACTIVATIONS
from tests.nn.calling import Called
from tests.peers import peer

SHAPES = [(6, 3), (1, 3), (5, 1), (4, 2, 3)]


def module_of(torch, ours, called, width):
    """Torch's layer with the same leaves, in float64."""
    dtype = {"dtype": torch.float64}
    if isinstance(ours, Dense):
        theirs = torch.nn.Linear(width, ours.units, bias=ours.bias is not None, **dtype)
    elif isinstance(ours, LayerNorm):
        theirs = torch.nn.LayerNorm(width, eps=ours.eps, **dtype)
    elif isinstance(ours, BatchNorm):
        theirs = torch.nn.BatchNorm1d(width, eps=ours.eps, momentum=ours.momentum, **dtype)
    else:
        theirs = torch.nn.PReLU(width, **dtype)
    with torch.no_grad():
        for name in ("weight", "bias", "slope"):
            if name in called.values:
                leaf = getattr(theirs, "weight" if name == "slope" else name)
                leaf.copy_(torch.asarray(called.values[name].T))
    return theirs


LAYERS = {
    "dense": lambda: Dense(4),
    "dense without bias": lambda: Dense(4, bias=False),
    "layer norm": lambda: LayerNorm(),
    "layer norm, other ε": lambda: LayerNorm(eps=0.1),
    "prelu": lambda: PReLU(),
    "batch norm": lambda: BatchNorm(),
    "batch norm, other": lambda: BatchNorm(momentum=0.3, eps=0.1),
}


# Torch has the features of batch norm and PReLU second, and refuses a batch of one row.
CASES = [
    (name, shape)
    for name in LAYERS
    for shape in SHAPES
    if not (name.startswith(("batch", "prelu")) and (len(shape) > 2 or shape[0] == 1))
]


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize(("name", "shape"), CASES)
def test_outputs_and_gradients_agree_with_torch(name, shape, training):
    torch = peer("torch")
    layer = LAYERS[name]()
    called = Called(layer, shape, training=training, slopes=True)
    theirs = module_of(torch, layer, called, shape[-1]).train(training)
    x = torch.asarray(called.values["x"]).requires_grad_()
    y = theirs(x)
    weights = torch.asarray(np.random.default_rng(0).uniform(0.5, 1.5, tuple(y.shape)))
    (y * weights).sum().backward()
    got = called.run()
    np.testing.assert_allclose(got["y"], y.detach().numpy(), rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(got["grad:x"], x.grad.numpy(), rtol=1e-10, atol=1e-12)
    for leaf in called.leaves.keys() - {"mean", "variance"}:
        expected = getattr(theirs, "weight" if leaf == "slope" else leaf).grad.numpy().T
        np.testing.assert_allclose(got[f"grad:{leaf}"], expected, rtol=1e-10, atol=1e-12)


def test_running_statistics_agree_with_torch_over_several_steps():
    torch = peer("torch")
    called = Called(BatchNorm(momentum=0.2), (7, 3), training=True)
    theirs = module_of(torch, BatchNorm(momentum=0.2), called, 3).train()
    draw = np.random.default_rng(1)
    states = {"mean": np.zeros(3), "variance": np.ones(3)}
    for _ in range(5):
        x = draw.normal(2.0, 3.0, (7, 3))
        theirs(torch.asarray(x))
        states = {name: value for name, value in called.run(x=x, **states).items() if name != "y"}
    np.testing.assert_allclose(states["mean"], theirs.running_mean.numpy(), rtol=1e-13)
    np.testing.assert_allclose(states["variance"], theirs.running_var.numpy(), rtol=1e-13)
    plain = Called(BatchNorm(momentum=0.2), (7, 3))
    expected = theirs.eval()(torch.asarray(x)).detach().numpy()
    leaves = {name: called.values[name] for name in ("weight", "bias")}
    np.testing.assert_allclose(plain.run(x=x, **leaves, **states)["y"], expected, rtol=1e-12)


def test_batch_norm_of_one_row_stays_finite():
    got = Called(BatchNorm(), (1, 3), training=True, slopes=True).run()
    assert all(np.isfinite(value).all() for value in got.values())


def test_batch_norm_over_all_axes_but_the_last():
    called = Called(BatchNorm(), (4, 5, 3), training=True)
    flat = Called(BatchNorm(), (20, 3), training=True)
    got = called.run()
    same = flat.run(**{name: value.reshape(20, 3) if name == "x" else value for name, value in called.values.items()})
    np.testing.assert_allclose(got["y"].reshape(20, 3), same["y"], rtol=1e-13)
    np.testing.assert_allclose(got["variance"], same["variance"], rtol=1e-13)


# -- dropout


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.9])
def test_dropout_keeps_the_right_share_and_scales_it(rate):
    called = Called(Dropout(rate), (100, 200), training=True, dtype="float32")
    got = called.run(x=np.ones((100, 200), dtype="float32"))["y"]
    kept = got != 0.0
    np.testing.assert_allclose(got[kept], 1.0 / (1.0 - rate), rtol=1e-6)
    spread = (rate * (1.0 - rate) / 20_000) ** 0.5
    assert abs(kept.mean() - (1.0 - rate)) < 4.0 * spread
    for axis in (0, 1):  # no row or column is favoured
        assert abs(kept.mean(axis=axis) - (1.0 - rate)).max() < 6.0 * (rate * (1.0 - rate) / kept.shape[axis]) ** 0.5


def test_dropout_changes_with_seed_and_step_and_repeats_with_them():
    called = Called(Dropout(0.5), (8, 32), training=True)
    masks = [
        called.run(x=np.ones((8, 32)), **change)["y"]
        for change in ({}, {}, {"step": np.uint32(6)}, {"low": np.uint32(4)}, {"high": np.uint32(1)})
    ]
    assert (masks[0] == masks[1]).all()
    assert all((masks[0] != mask).mean() > 0.3 for mask in masks[2:])


@pytest.mark.parametrize(("rate", "training"), [(0.5, False), (0.0, True)])
def test_dropout_does_nothing_outside_training_or_at_rate_zero(rate, training):
    called = Called(Dropout(rate), (3, 4), training=training)
    assert called.outputs["y"].position == called.graph.inputs["x"]


def test_the_gradient_goes_through_the_same_mask():
    called = Called(Dropout(0.5), (8, 8), training=True, slopes=True)
    got = called.run()
    assert ((got["y"] == 0.0) == (got["grad:x"] == 0.0)).all()
    assert 0.3 < (got["y"] == 0.0).mean() < 0.7


# -- the others


def test_flatten():
    called = Called(Flatten(), (4, 2, 3), slopes=True)
    np.testing.assert_array_equal(called.run()["y"], called.values["x"].reshape(4, 6))
    assert called.run()["grad:x"].shape == (4, 2, 3)
    assert Called(Flatten(), (4, 3)).run()["y"].shape == (4, 3)


def test_sequential_is_its_layers_in_order():
    called = Called(Sequential([Dense(4), Activation("tanh"), Sequential([Dense(2)])]), (3, 5))
    v = called.values
    hidden = np.tanh(v["x"] @ v["layers.0.weight"] + v["layers.0.bias"])
    np.testing.assert_allclose(called.run()["y"], hidden @ v["layers.2.layers.0.weight"] + v["layers.2.layers.0.bias"])
    assert Called(Sequential([]), (3, 5)).outputs["y"].shape == (3, 5)


SMOOTH = ["tanh", "gelu", "softplus", "softmax", "mish", "identity"]


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize(
    "module",
    [
        *(lambda name=name: Sequential([Dense(4, name), Dense(3)]) for name in SMOOTH),
        lambda: Sequential([Dense(4), BatchNorm(), Activation("tanh"), Dense(2)]),
        lambda: Sequential([Dense(4, "tanh"), LayerNorm(), Dense(2)]),
        lambda: Sequential([Dense(4), Dropout(0.4), Activation("tanh"), Dense(2)]),
        lambda: Sequential([Flatten(), Dense(3, "sigmoid")]),
    ],
)
def test_derivatives_to_the_second_order(module, training):
    called = Called(module(), (5, 3), training=training, slopes=True)
    check_graph(called.graph, "total", called.values, called.floats(), rtol=1e-5)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_every_activation_is_a_layer_and_an_argument(name):
    alone = Called(Activation(name), (3, 4)).run
    within = Called(Dense(4, name), (3, 4))
    expected = alone(x=within.values["x"] @ within.values["weight"] + within.values["bias"])["y"]
    np.testing.assert_allclose(within.run()["y"], expected, rtol=1e-12, atol=1e-14)
