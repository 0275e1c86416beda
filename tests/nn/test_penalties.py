"""Penalties on values: what a layer adds to the loss, in training and in every loss that is reported."""

from __future__ import annotations

import numpy as np
import pytest

import nnkit
from nnkit import nn
from nnkit.errors import ArgumentError, ShapeError
from nnkit.ops import namespace
from nnkit.optimizers import SGD
from nnkit.training import evaluation
from tests.nn.calling import Called, Custom
from tests.peers import keras, peer
from tests.training.steps import Job

DRAW = np.random.default_rng(0)
X, Y, WEIGHT = DRAW.normal(size=(23, 3)), DRAW.normal(size=(23, 2)), DRAW.uniform(0.1, 2.0, 23)


def network(*layers, **options):
    given = {"input_shape": (3,), "dtype": "float64", "seed": 1} | options
    return nnkit.Sequential([nn.Dense(4, "tanh"), *layers, nn.Dense(2)], **given)


def expected_loss(net, x, y, weight=None):
    """The mean squared error and the penalty of each row, averaged together."""
    values = list(net.parameters().values())
    hidden = np.tanh(x @ values[0] + values[1])
    per_row = np.square(hidden @ values[2] + values[3] - y).mean(axis=-1)
    penalty = 0.1 * np.abs(hidden).sum(axis=-1) + 0.2 * np.square(hidden).sum(axis=-1)
    return np.average(per_row + penalty, weights=weight)


def test_each_row_brings_its_own():
    called = Called(nn.ActivityRegularization(0.5, 0.25), (4, 2, 3))
    got, x = called.run(), called.values["x"]
    np.testing.assert_array_equal(got["y"], x)
    np.testing.assert_allclose(got["penalty:0"], 0.5 * np.abs(x).sum(axis=(1, 2)))
    np.testing.assert_allclose(got["penalty:1"], 0.25 * np.square(x).sum(axis=(1, 2)))
    assert Called(nn.ActivityRegularization(), (4, 3)).run().keys() == {"y"}


@pytest.mark.filterwarnings("ignore")  # what Keras warns of is its own
def test_the_mean_over_the_rows_is_keras_loss():
    layer = keras("layers").ActivityRegularization(l1=0.5, l2=0.25, dtype="float64")
    x = DRAW.normal(size=(7, 3))
    layer(x)
    called = Called(nn.ActivityRegularization(0.5, 0.25), (7, 3))
    got = called.run(x=x)
    ours = (got["penalty:0"] + got["penalty:1"]).mean()
    np.testing.assert_allclose(ours, float(sum(layer.losses)), rtol=1e-12)


WEIGHTS = {"l1": (0.3, 0.0), "l2": (0.0, 0.2), "l1 and l2": (0.3, 0.2)}


@pytest.mark.parametrize("name", WEIGHTS)
def test_penalties_on_weights_are_keras_and_their_derivatives_torchs(name):
    """In the loss that is reported, and in the step that is taken."""
    torch, (l1, l2) = peer("torch"), WEIGHTS[name]
    net, bare = (nnkit.Sequential([nn.Dense(2, **o)], (3,), dtype="float64") for o in ({"l1": l1, "l2": l2}, {}))
    weight = net.parameters()["layers.0.weight"]
    bare.set_parameters(net.parameters())
    penalty = net.test(X, Y).loss - bare.test(X, Y).loss
    assert penalty == pytest.approx(float(keras("regularizers").L1L2(l1, l2)(weight)), rel=1e-6)
    theirs = torch.asarray(weight).requires_grad_()
    (l1 * theirs.abs().sum() + l2 * theirs.square().sum()).backward()
    for one in (net, bare):
        one.fit(X, Y, epochs=1, batch_size=23, optimizer=SGD(0.1), progress=False)
    moved = bare.parameters()["layers.0.weight"] - net.parameters()["layers.0.weight"]
    np.testing.assert_allclose(moved, 0.1 * theirs.grad.numpy(), rtol=1e-10, atol=1e-13)


@pytest.mark.parametrize("name", WEIGHTS)
def test_penalties_on_weights_in_float32_stay_there(name):
    """In double are only the running means, with penalties and without."""
    in_double = []
    for l1, l2 in (WEIGHTS[name], (0.0, 0.0)):
        job = Job(nn.Dense(2, l1=l1, l2=l2), (3,), "mse", SGD(0.1), dtype="float32")
        graph = job.graph(5)
        assert len(job.layout.factors) == (l1 > 0) + (l2 > 0)
        assert graph.nodes[graph.output["parameter"]].dtype == "float32"
        in_double.append([node.operation for _, node in graph if node.dtype == "float64"])
    assert in_double[0] == in_double[1]


@pytest.mark.parametrize("weight", [None, WEIGHT], ids=["", "weighted"])
def test_the_loss_of_a_test_has_it(weight, monkeypatch):
    monkeypatch.setattr(evaluation, "ROWS", 5)  # the last of several pieces is padded with other rows
    net = network(nn.ActivityRegularization(0.1, 0.2))
    got = net.test(X, Y, sample_weight=weight).loss
    assert got == pytest.approx(expected_loss(net, X, Y, weight), rel=1e-12)


@pytest.mark.parametrize("weight", [None, WEIGHT], ids=["", "weighted"])
def test_the_losses_of_a_training_have_it(weight):
    net = network(nn.ActivityRegularization(0.1, 0.2))
    validation = (X[:9] + 0.5, Y[:9])
    run = net.fit(X, Y, epochs=2, batch_size=5, learning_rate=1e-12, validation_data=validation, sample_weight=weight,
                  progress=False)  # fmt: skip
    np.testing.assert_allclose(run.history["loss"], expected_loss(net, X, Y, weight), rtol=1e-9)
    np.testing.assert_allclose(run.history["val_loss"], expected_loss(net, *validation), rtol=1e-9)
    assert run.result.train["loss"] == pytest.approx(expected_loss(net, X, Y, weight), rel=1e-9)


def test_steps_are_torchs():
    torch = peer("torch")
    net = network(nn.ActivityRegularization(0.1, 0.2))
    leaves = [torch.asarray(value.copy()).requires_grad_() for value in net.parameters().values()]
    x, y = torch.asarray(X), torch.asarray(Y)
    stepper = torch.optim.SGD(leaves, lr=0.1)
    for _ in range(5):
        stepper.zero_grad()
        hidden = torch.tanh(x @ leaves[0] + leaves[1])
        loss = (hidden @ leaves[2] + leaves[3] - y).square().mean()
        (loss + (0.1 * hidden.abs().sum() + 0.2 * hidden.square().sum()) / len(x)).backward()
        stepper.step()
    net.fit(X, Y, epochs=5, batch_size=23, optimizer=SGD(0.1), shuffle=False, progress=False)
    for ours, theirs in zip(net.parameters().values(), leaves, strict=True):
        np.testing.assert_allclose(ours, theirs.detach().numpy(), rtol=1e-11, atol=1e-13)


def test_the_output_can_be_penalised_and_predictions_stay():
    layers = [nn.Dense(2, "softmax"), nn.ActivityRegularization(l2=0.3)]
    net = nnkit.Sequential(layers, input_shape=(3,), dtype="float64")
    plain = nnkit.Sequential(layers[:1], input_shape=(3,), dtype="float64")
    np.testing.assert_array_equal(net.predict(X), plain.predict(X))
    shares = np.square(net.predict(X)).sum(axis=1).mean()
    assert net.test(X, Y).loss == pytest.approx(plain.test(X, Y, loss="mean_squared_error").loss + 0.3 * shares)


class Taxed(nn.Module):
    """Penalties of a module of one's own: one for each row, and one number made of its leaves."""

    def __init__(self, value):
        self.weight = nn.Parameter(("inputs", 2))
        self.value = value

    def __call__(self, x, run):
        run.penalty(self, self.value(namespace(x), x, self.weight))
        return x @ self.weight


def test_a_module_of_ones_own_may_add_one_number():
    def orthogonality(xp, x, w):
        gram = xp.matmul(xp.matrix_transpose(w), w)
        return xp.sum(xp.square(gram - xp.asarray(np.eye(2))))

    net = nnkit.Network(Taxed(orthogonality), input_shape=(3,), dtype="float64")
    w = net.parameters()["weight"]
    bare = np.square(X @ w - Y).mean()
    assert net.test(X, Y).loss == pytest.approx(bare + np.square(w.T @ w - np.eye(2)).sum(), rel=1e-12)
    nnkit.check_gradients(net, X, Y)
    net.fit(X, X[:, :2] * 0.0, epochs=40, learning_rate=0.02, loss=nnkit.losses.MeanSquaredError(), progress=False)
    assert np.isfinite(net.parameters()["weight"]).all()


def test_in_float32_the_loss_stays_float32():
    net = network(nn.ActivityRegularization(0.1, 0.2), dtype="float32")
    run = net.fit(X, Y, epochs=1, batch_size=23, progress=False)
    assert {str(value.dtype) for value in net.parameters().values()} == {"float32"}
    assert run.history["loss"][0] > 0


@pytest.mark.parametrize(
    ("value", "got"),
    [
        (lambda xp, x, w: xp.square(x), r"got \(2, 3\)"),
        (lambda xp, x, w: xp.sum(w, axis=1), r"got \(3,\)"),
        (lambda xp, x, w: 0.5, "got float"),
    ],
)
def test_a_penalty_of_another_shape_is_refused(value, got):
    expected = (
        r"the network's module \(Taxed\): run.penalty\(self, value\) takes an array of the trace with one number "
    )
    with pytest.raises(
        ShapeError, match=expected + f"for each of the 2 rows of the batch, or of one number; {got}: take xp.sum"
    ):
        nnkit.Network(Taxed(value), input_shape=(3,))


def test_factors_are_checked():
    with pytest.raises(ArgumentError, match="l1 must be a finite number that is not negative, got -1"):
        nn.ActivityRegularization(-1)
    with pytest.raises(ArgumentError, match="l2 must be a finite number that is not negative, got nan"):
        nn.ActivityRegularization(l2=float("nan"))


def test_both_places_of_a_shared_layer_count():
    layer = nn.ActivityRegularization(l2=1.0)
    twice = Called(Custom(lambda self, x, run: self.layer(self.layer(x, run) * 2.0, run), layer=layer), (3, 2))
    got, x = twice.run(), twice.values["x"]
    np.testing.assert_allclose(got["penalty:0"] * 4, got["penalty:1"])
    np.testing.assert_allclose(got["penalty:0"], np.square(x).sum(axis=1))
