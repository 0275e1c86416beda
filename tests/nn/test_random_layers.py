"""Layers with random numbers: their distributions, that they repeat, and what self-normalising networks need."""

from __future__ import annotations

import numpy as np
import pytest

from nnkit import nn
from nnkit.nn import AlphaDropout, GaussianDropout, GaussianNoise, Sequential
from tests.nn.calling import Called, Custom
from tests.peers import peer

ROWS, COLUMNS = 400, 250
MANY = ROWS * COLUMNS


def output(layer, x, **change):
    return Called(layer, x.shape, training=True, dtype=str(x.dtype)).run(x=x, **change)["y"]


def normal(seed=0, dtype="float32"):
    return np.random.default_rng(seed).normal(size=(ROWS, COLUMNS)).astype(dtype)


@pytest.mark.parametrize("rate", [0.05, 0.3, 0.8])
def test_alpha_dropout_takes_torchs_values(rate):
    """In PyTorch each value also goes to one of two; the masks differ."""
    torch, x = peer("torch"), normal(dtype="float64")
    ours = output(AlphaDropout(rate), x)
    torch.manual_seed(0)
    theirs = torch.nn.functional.alpha_dropout(torch.asarray(x), rate, training=True).numpy()
    lowest = 1.7580993408473766
    scale = 1 / ((1 - rate) * (1 + rate * lowest**2)) ** 0.5
    dropped = scale * rate * lowest - scale * lowest
    kept, their_kept = (np.abs(found - dropped) > 1e-9 for found in (ours, theirs))
    both = kept & their_kept
    assert both.sum() > 0.02 * MANY
    np.testing.assert_allclose(ours[both], theirs[both], rtol=1e-9, atol=1e-12)
    for mask in (kept, their_kept):
        assert abs(mask.mean() - (1 - rate)) < 5 * (rate * (1 - rate) / MANY) ** 0.5


@pytest.mark.parametrize("rate", [0.05, 0.3, 0.8])
def test_alpha_dropout_keeps_mean_and_variance(rate):
    got = output(AlphaDropout(rate), normal())
    assert abs(got.mean()) < 0.02
    assert got.var() == pytest.approx(1.0, abs=0.02)


def test_selu_with_alpha_dropout_keeps_mean_and_variance_from_layer_to_layer():
    """After sixteen layers, on average over units, from weights of LeCun's initialiser."""
    width = 128
    layers = [part for _ in range(16) for part in (nn.Dense(width, "selu", bias=False), AlphaDropout(0.05))]
    called = Called(Sequential(layers), (500, width), training=True)
    draw = np.random.default_rng(0)
    weights = {path: draw.normal(size=(width, width)) / width**0.5 for path in called.leaves}
    got = called.run(x=draw.normal(size=(500, width)), **weights)["y"]
    assert abs(got.mean()) < 0.1
    assert got.var() == pytest.approx(1.0, abs=0.25)
    plain = Called(
        Sequential([p if isinstance(p, nn.Dense) else nn.Dropout(0.05) for p in layers]), (500, width), training=True
    )
    assert abs(plain.run(x=draw.normal(size=(500, width)), **weights)["y"].var() - 1.0) > abs(got.var() - 1.0)


@pytest.mark.parametrize("std", [0.1, 2.0])
def test_gaussian_noise_is_added(std):
    noise = output(GaussianNoise(std), normal(dtype="float64")) - normal(dtype="float64")
    assert abs(noise.mean()) < 5 * std / MANY**0.5
    assert noise.std() == pytest.approx(std, rel=0.01)
    assert abs(np.corrcoef(noise.ravel(), normal().ravel())[0, 1]) < 0.02


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.9])
def test_gaussian_dropout_multiplies(rate):
    """By numbers with the mean and variance of dropout's factors: 1 and rate / (1 − rate)."""
    factor = output(GaussianDropout(rate), np.ones((ROWS, COLUMNS)))
    variance = rate / (1 - rate)
    assert abs(factor.mean() - 1.0) < 5 * (variance / MANY) ** 0.5
    assert factor.var() == pytest.approx(variance, rel=0.02)
    np.testing.assert_allclose(output(GaussianDropout(rate), np.full((ROWS, COLUMNS), -3.0)), -3.0 * factor)


@pytest.mark.parametrize("layer", [AlphaDropout(0.5), GaussianNoise(1.0), GaussianDropout(0.5)], ids=repr)
def test_they_change_with_seed_and_step_and_repeat_with_them(layer):
    x = np.ones((8, 32))
    changes = ({}, {}, {"step": np.uint32(6)}, {"low": np.uint32(4)}, {"high": np.uint32(1)})
    first, again, *others = (output(layer, x, **change) for change in changes)
    assert (first == again).all()
    assert all((first != other).mean() > 0.3 for other in others)


@pytest.mark.parametrize("make", [AlphaDropout, GaussianNoise, GaussianDropout])
def test_they_do_nothing_outside_training_or_at_zero(make):
    for layer, training in ((make(0.5), False), (make(0.0), True)):
        called = Called(layer, (3, 4), training=training)
        assert called.outputs["y"].position == called.graph.inputs["x"]


def test_each_draw_of_a_layer_is_another():
    twice = Custom(lambda self, x, run: run.normal(self, x.shape, x.dtype) - run.normal(self, x.shape, x.dtype))
    got = Called(twice, (ROWS, COLUMNS), training=True).run()["y"]
    assert got.std() == pytest.approx(2**0.5, rel=0.02)  # neither equal nor opposite
