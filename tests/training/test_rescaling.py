"""Networks that end in a Rescaling: they learn as from standardised targets, and speak in the units of the targets."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nnkit
from nnkit import nn
from nnkit.errors import ArgumentError, ShapeError
from nnkit.training.objective import objective
from tests.checkpoint.going_on import Break, BrokenError

DRAW = np.random.default_rng(0)
X = DRAW.normal(size=(160, 3))
Y = np.stack([250_000 + 90_000 * X[:, 0] * X[:, 1], 0.02 + 0.001 * np.sin(X[:, 2])], axis=1)
SCALE, OFFSET = Y.std(axis=0), Y.mean(axis=0)
PLAIN = (Y - OFFSET) / SCALE


def network(*last: nn.Module, dtype: str = "float64", seed: int = 0) -> nnkit.Network:
    return nnkit.Sequential([nn.Dense(8, "tanh"), nn.Dense(2), *last], input_shape=(3,), dtype=dtype, seed=seed)


def units() -> nn.Rescaling:
    return nn.Rescaling(SCALE, OFFSET)


def fit(net: nnkit.Network, y: Any, **options: Any) -> nnkit.TrainingRun:
    return net.fit(X, y, **{"epochs": 4, "validation_split": 0.2, "progress": False} | options)


@pytest.mark.parametrize("loss", ["auto", "mae", "huber", "log_cosh", "quantile"])
@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
def test_it_is_training_on_standardised_targets(loss: str, optimizer: str) -> None:
    net, other = network(units()), network()
    run, twin = fit(net, Y, loss=loss, optimizer=optimizer), fit(other, PLAIN, loss=loss, optimizer=optimizer)
    for name, value in other.parameters().items():
        np.testing.assert_array_equal(net.parameters()[name], value)
    assert (run.history["loss"], run.history["val_loss"]) == (twin.history["loss"], twin.history["val_loss"])
    np.testing.assert_array_equal(net.predict(X), other.predict(X) * SCALE + OFFSET)
    assert net.test(X, Y).loss == other.test(X, PLAIN).loss
    for name, slope in other.gradients(X, PLAIN).items():
        np.testing.assert_array_equal(net.gradients(X, Y)[name], slope)


def test_metrics_are_in_the_units_of_the_targets() -> None:
    net = network(units())
    run = fit(net, Y, metrics=["mae", "rmse"])
    errors = np.abs(net.predict(X) - Y).mean()
    assert net.test(X, Y).mae == pytest.approx(errors, rel=1e-12)
    assert run.history["val_mae"][-1] == pytest.approx(errors, rel=0.3)
    assert run.history["mae"][-1] == pytest.approx(errors, rel=0.3)
    assert net.activations(X)["layers.2"] == pytest.approx(net.predict(X), rel=1e-12)


def test_as_the_activation_of_the_last_layer() -> None:
    net = nnkit.FeedForward(3, 2, [8], activation="tanh", output_activation=units(), dtype="float64")
    other = network(units())
    fit(net, Y)
    fit(other, Y)
    np.testing.assert_array_equal(net.predict(X), other.predict(X))


def test_targets_far_from_zero_keep_their_digits_in_float32() -> None:
    y = 2000.0 + 0.25 * np.sign(X[:, 0])  # exact in float32, whose numbers are 1e-4 apart there
    net = nnkit.Sequential([nn.Dense(1), nn.Rescaling(0.25, 2000.0)], input_shape=(3,))
    other = nnkit.Sequential([nn.Dense(1)], input_shape=(3,))
    fit(net, y)
    fit(other, (y - 2000) / 0.25)
    for name, value in other.parameters().items():
        np.testing.assert_array_equal(net.parameters()[name], value)


@pytest.mark.parametrize("loss", ["msle", "mape", "gaussian_nll", "cosine_similarity"])
def test_other_losses_read_the_predictions(loss: str) -> None:
    module = nn.Sequential([nn.Dense(2), nn.Rescaling(2.0, 1.0)])
    goal = objective(module, loss)
    assert goal.units is None
    assert goal.module is module


def test_elsewhere_it_is_a_layer_like_others() -> None:
    net = nnkit.Sequential([nn.Rescaling(1 / 255), nn.Dense(3, "softmax")], input_shape=(4,), dtype="float64")
    other = nnkit.Sequential([nn.Dense(3, "softmax")], input_shape=(4,), dtype="float64")
    other.set_parameters({name.replace("layers.1", "layers.0"): v for name, v in net.parameters().items()})
    rows = DRAW.integers(0, 256, (5, 4))
    np.testing.assert_allclose(net.predict(rows), other.predict(rows / 255), rtol=1e-12)


def test_compiled() -> None:
    net, other = network(units()), network(units())
    assert fit(net, Y, compile="first").record.training["program"]["kind"] == "native"
    fit(other, Y, compile="off")
    np.testing.assert_allclose(net.predict(X), other.predict(X), rtol=1e-9)


def test_two_networks_with_other_units_from_one_line_share_no_plan() -> None:
    found = []
    for factor in (1.0, 10.0):
        net = nnkit.Sequential([nn.Dense(1), nn.Rescaling(factor)], input_shape=(3,), dtype="float64")
        net.fit(X, X[:, 0], epochs=1, progress=False)
        found.append(net.predict(X))
    assert np.abs(found[0] - found[1]).max() > 0.1


def test_files(tmp_path: Path) -> None:
    net = network(units())
    fit(net, Y)
    net.save(tmp_path / "net.h5")
    np.testing.assert_array_equal(nnkit.load(tmp_path / "net.h5").predict(X), net.predict(X))
    net.export(tmp_path / "net.onnx")
    np.testing.assert_allclose(nnkit.load(tmp_path / "net.onnx").predict(X), net.predict(X), rtol=1e-9)
    for name in ("net.safetensors", "net.weights.h5"):
        net.export(tmp_path / name)
        other = network(units(), seed=1)
        other.load_parameters(tmp_path / name)
        np.testing.assert_array_equal(other.predict(X), net.predict(X))


def test_resuming_goes_on_to_the_same_bits(tmp_path: Path) -> None:
    whole, part = network(units()), network(units())
    fit(whole, Y, epochs=6)
    with pytest.raises(BrokenError):
        fit(part, Y, epochs=6, checkpoint=tmp_path / "run.h5", every="2 steps", callbacks=[Break(10)])
    gone_on = nnkit.resume(tmp_path / "run.h5", X, Y, callbacks=[Break()], progress=False).network
    for name, value in whole.parameters().items():
        np.testing.assert_array_equal(gone_on.parameters()[name], value)


def test_the_doctor_is_content_and_names_it_where_it_is_missing() -> None:
    assert not [f for f in fit(network(units()), Y).doctor() if f.name == "unscaled targets"]
    found = fit(network(), Y).doctor()
    assert "end the network with nn.Rescaling(y.std(), y.mean()), as nnkit train --standardize does" in str(found)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0,), "Rescaling: scale is 0, with which nothing can be told apart; expected no 0"),
        (([1, 0],), r"Rescaling: scale is \[1, 0\], with which nothing can be told apart"),
        ((float("nan"),), "Rescaling: scale is nan, expected a finite number, or one for each column"),
        ((True,), "Rescaling: scale is True, expected a finite number"),
        (("1e3x",), "Rescaling: scale is '1e3x', expected a finite number"),
        (([],), r"Rescaling: scale is \[\], expected a finite number"),
        (([[1.0, 2.0]],), "Rescaling: scale is .*, expected a finite number"),
        ((1.0, 10**400), "Rescaling: offset is 10.*, expected a finite number"),
    ],
)
def test_numbers_that_cannot_be_meant(arguments: tuple[Any, ...], message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        nn.Rescaling(*arguments)


def test_columns_that_do_not_fit() -> None:
    with pytest.raises(ShapeError, match="Rescaling: scale has 3 numbers, and its input has 2 columns; give one"):
        network(nn.Rescaling([1, 2, 3]))


@pytest.mark.parametrize("factors", [(1e-45, 0.0), (1e39, 0.0), (1.0, 1e39)])
def test_numbers_that_float32_has_no_place_for(factors: tuple[float, float]) -> None:
    with pytest.raises(ArgumentError, match=r"Rescaling: .* which float32 has no place for; use dtype='float64'"):
        network(nn.Rescaling(*factors), dtype="float32")
    network(nn.Rescaling(*factors))


def test_how_it_is_shown() -> None:
    assert repr(nn.Rescaling(2, [1, 2])) == "Rescaling(scale=2, offset=[1, 2])"
    assert repr(nn.Rescaling(range(1, 9))) == "Rescaling(scale=[1, 2, 3, 4, …], offset=0)"
    assert nn.Rescaling([3.0]).config() == {"scale": 3.0, "offset": 0.0}
