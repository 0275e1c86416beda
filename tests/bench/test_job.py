"""What is measured as plain data: it survives JSON, holds the same data everywhere, and says what peers cannot do."""

from __future__ import annotations

import json

import numpy as np
import pytest

import nnkit
from nnkit.bench import Job
from nnkit.errors import ArgumentError


def job(**options: object) -> Job:
    return Job.of(nnkit.FeedForward(**{"inputs": 3, "hidden": [5, 4], "outputs": 2, **options}), batch=8)  # type: ignore[arg-type]


def test_it_survives_json_and_builds_the_same_network() -> None:
    network = nnkit.FeedForward(inputs=3, hidden=[5], outputs=2, seed=0)
    made = Job.of(network, batch=8)
    again = Job.from_dict(json.loads(json.dumps(made.to_dict())))
    assert again == made
    for name, value in again.network().parameters().items():
        np.testing.assert_array_equal(value, network.parameters()[name])


def test_a_block_is_as_long_as_the_clock_needs_it() -> None:
    small, large = job(), Job.of(nnkit.FeedForward(inputs=784, hidden=[2048] * 2, outputs=10), batch=256)
    assert small.steps == 1024
    assert large.steps == large.batches == 2
    assert small.calls(1) == 500
    assert small.calls(10_000) < 50
    assert large.calls(10_000) == 1


@pytest.mark.parametrize(
    ("options", "shape", "kind"),
    [
        ({"output_activation": "softmax"}, (), "i"),
        ({"output_activation": "sigmoid"}, (2,), "f"),
        ({"output_activation": "exponential"}, (2,), "f"),
        ({}, (2,), "f"),
    ],
)
def test_targets_are_such_as_the_loss_reads(options: dict[str, str], shape: tuple[int, ...], kind: str) -> None:
    made = job(**options)
    x, y, order = made.data()
    rows = made.batches * made.batch
    assert x.shape == (rows, 3)
    assert (y.shape, y.dtype.kind) == ((rows, *shape), kind)
    assert y.min() >= 0
    assert sorted(order) == list(range(rows))


@pytest.mark.parametrize(
    ("loss", "shape", "dtype"),
    [
        ("triplet", (), "int32"),
        ("margin_ranking", (1,), "float32"),
        ("gaussian_nll", (1,), "float32"),
        ("hinge", (2,), "float32"),
        ("mean_squared_logarithmic_error", (2,), "float32"),
    ],
)
def test_targets_may_be_of_another_width_than_the_outputs(loss: str, shape: tuple[int, ...], dtype: str) -> None:
    network = nnkit.FeedForward(inputs=3, outputs=2)
    made = Job.of(network, batch=8, loss=loss)
    x, y, _ = made.data()
    assert (y.shape, y.dtype) == ((len(x), *shape), dtype)
    network.fit(x, y, epochs=1, loss=loss, progress=False)


def test_a_row_of_the_input_may_be_an_image() -> None:
    module = nnkit.nn.Sequential([nnkit.nn.Flatten(), nnkit.nn.Dense(2)])
    made = Job.of(nnkit.Network(module, (4, 5)), batch=8)
    assert made.name == "20-2 b8"
    assert made.rows(3).shape == (3, 4, 5)
    assert made.flat_data()[0].shape[1:] == (20,)
    assert made.dense_layers() == [(2, "identity")]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"l2": 0.1}, "peers train plain Dense layers, and this network has a Dense layer with a penalty or without a"),
        ({"dtype": "float64"}, "peers train float32 networks that end in softmax with cross_entropy, .*; got float64"),
        ({"output_activation": "relu"}, "got float32, relu with mean_squared_error; leave out the peers"),
    ],
)
def test_what_peers_do_not_train(options: dict[str, object], message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        job(**options).dense_layers()


def test_other_layers_are_not_for_peers() -> None:
    dense = nnkit.nn.Dense(3)
    for layers, name in (([nnkit.nn.Dropout(0.5), dense], "Dropout"), ([dense, dense], "a layer in several places")):
        made = Job.of(nnkit.Sequential(layers, input_shape=(3,)), batch=8)
        with pytest.raises(ArgumentError, match=f"plain Dense layers, and this network has {name}; leave out"):
            made.dense_layers()
