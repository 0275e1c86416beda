"""Each row of the README's table of requirements, by the test that the row names."""

from __future__ import annotations

import re
import time
from pathlib import Path

import h5py
import numpy as np
import pytest

import nnkit
from tests import mnist_files

ROOT = Path(__file__).parent.parent


def digits() -> nnkit.data.Dataset:
    pytest.importorskip("sklearn")
    return nnkit.data.load("digits")


def test_every_row_of_the_table_is_tested() -> None:
    table = (ROOT / "README.md").read_text().split("## What it is made to do")[1].split("\n## ")[0]
    rows = [line for line in table.splitlines() if line.startswith("| ") and not line.startswith("| requirement")]
    named = [re.search(r"`(test_\w+)` \|$", row) for row in rows]
    assert len(rows) == 15
    assert all(found is not None and found.group(1) in globals() for found in named)


def test_scalable() -> None:
    net = nnkit.FeedForward(inputs=1000, outputs=10, hidden=[512] * 12)
    assert sum(value.size for value in net.parameters().values()) == 1001 * 512 + 11 * 513 * 512 + 513 * 10
    deep = nnkit.FeedForward(inputs=3, outputs=1, hidden=[4] * 300, activation="tanh")
    run = deep.fit(np.zeros((4, 3)), np.zeros((4, 1)), epochs=1, progress=False)
    assert run.history["loss"] == [0.0]


def test_define_the_architecture() -> None:
    net = nnkit.Sequential(
        [nnkit.nn.Dense(48, activation="tanh"), nnkit.nn.Dropout(0.2), nnkit.nn.Dense(2)], input_shape=(12,)
    )
    assert {name: value.shape for name, value in net.parameters().items()} == {
        "layers.0.weight": (12, 48),
        "layers.0.bias": (48,),
        "layers.2.weight": (48, 2),
        "layers.2.bias": (2,),
    }


def test_inputs() -> None:
    assert nnkit.FeedForward(inputs=784, outputs=10, hidden=[128, 64]).input_shape == (784,)


def test_hidden_layers() -> None:
    listed = nnkit.FeedForward(inputs=784, outputs=10, hidden=[64, 64])
    counted = nnkit.FeedForward(inputs=784, outputs=10, hidden_layers=2, neurons=64)
    assert listed.parameters().keys() == counted.parameters().keys()
    assert len(listed.parameters()) == 6


def test_neurons_per_hidden_layer() -> None:
    parameters = nnkit.FeedForward(inputs=784, outputs=10, hidden=[128, 64]).parameters()
    assert parameters["layers.0.weight"].shape == (784, 128)
    assert parameters["layers.1.weight"].shape == (128, 64)


def test_outputs() -> None:
    net = nnkit.FeedForward(inputs=4, outputs=10, hidden=[8])
    assert net.output_shape == (10,)
    assert net.predict(np.zeros((3, 4))).shape == (3, 10)


def test_activation_of_a_given_hidden_layer() -> None:
    net = nnkit.FeedForward(inputs=2, outputs=3, hidden=[3, 3], activation=["relu", "tanh"])
    eye = {"layers.0.weight": np.eye(2, 3), "layers.1.weight": np.eye(3), "layers.2.weight": np.eye(3)}
    net.set_parameters(eye)
    out = net.predict([[-1.0, 2.0]])
    assert np.allclose(out, [[0.0, np.tanh(2.0), 0.0]])


def test_activation_of_the_output_layer() -> None:
    rows = np.random.default_rng(0).normal(size=(5, 4))
    assert np.allclose(nnkit.FeedForward(inputs=4, outputs=3, output_activation="softmax").predict(rows).sum(1), 1)
    plain = nnkit.FeedForward(inputs=4, outputs=3, output_activation="identity", seed=1).predict(rows)
    squashed = nnkit.FeedForward(inputs=4, outputs=3, output_activation="sigmoid", seed=1).predict(rows)
    assert np.allclose(squashed, 1 / (1 + np.exp(-plain)), atol=1e-6)


def test_easy_training() -> None:
    data = nnkit.data.load("circles", seed=1)
    net = nnkit.FeedForward(inputs=2, hidden=[16], outputs=2, output_activation="softmax")
    before = net.test(data.x_train, data.y_train)
    run = net.fit(data.x_train, data.y_train, epochs=20, learning_rate=0.02, progress=False)
    assert run.history["loss"][-1] < 0.5 * before.loss
    assert len(run.history["accuracy"]) == 20


def test_the_system_determines_the_back_propagation() -> None:
    text = nnkit.FeedForward(inputs=784, hidden=[128], outputs=10, output_activation="softmax").explain()
    assert "The naive plan of the same step" in text
    assert "BACKWARD" in text
    for decision in ("drop_unused", "fold_transposes", "fuse", "in_place", "reuse_memory"):
        assert decision in text


def test_easy_testing() -> None:
    data = digits()
    net = nnkit.FeedForward(inputs=64, hidden=[64, 32], outputs=10, output_activation="softmax", seed=0)
    net.fit(data.x_train, data.y_train, epochs=30, learning_rate=0.003, progress=False)
    result = net.test(data.x_test, data.y_test)
    assert type(result.accuracy) is float
    assert result.accuracy > 0.95
    assert result.accuracy == np.mean(net.predict(data.x_test).argmax(axis=1) == data.y_test)
    assert result.confusion.sum() == 360


def test_digits_reach_97_percent_in_under_ten_seconds() -> None:
    data = digits()
    found, seconds = [], []
    for seed in (0, 1, 2):
        net = nnkit.FeedForward(inputs=64, hidden=[64, 32], outputs=10, output_activation="softmax", seed=seed)
        run = net.fit(
            data.x_train,
            data.y_train,
            epochs=30,
            batch_size=32,
            learning_rate=0.003,
            validation_split=0.1,
            progress=False,
        )
        found.append(net.test(data.x_test, data.y_test).accuracy)
        seconds.append(run.elapsed_s)
    assert np.median(found) >= 0.97
    assert max(seconds) < 10


def test_saved_in_a_standard_format(tmp_path: Path) -> None:
    net = nnkit.FeedForward(inputs=4, hidden=[8], outputs=2, seed=3)
    path = tmp_path / "net.h5"
    net.save(path)
    with h5py.File(path) as file:
        assert np.array_equal(file["parameters/layers/0/weight"][()], net.parameters()["layers.0.weight"])
    rows = np.random.default_rng(0).normal(size=(7, 4))
    assert np.array_equal(nnkit.load(path).predict(rows), net.predict(rows))


def test_training_time() -> None:
    net = nnkit.FeedForward(inputs=4, outputs=1)
    began = time.perf_counter()
    run = net.fit(np.zeros((100, 4)), np.zeros((100, 1)), epochs=3, progress=False)
    assert 0 < run.elapsed_s <= time.perf_counter() - began
    assert run.samples_per_s > 0
    record = run.to_dict()["time"]
    assert len(record["epochs_s"]) == 3
    assert record["step_median_s"] > 0
    assert record["elapsed_s"] >= record["prepare_s"] + record["compile_s"] + record["train_s"]


def test_training_resources() -> None:
    net = nnkit.FeedForward(inputs=4, outputs=1)
    run = net.fit(np.zeros((100, 4)), np.zeros((100, 1)), epochs=3, progress=False)
    assert run.resources["host"]["peak_rss_bytes"] > 1_000_000
    assert run.resources["host"]["cpu_percent_mean"] >= 0
    assert run.resources["plan"]["flops_per_step"] > 0
    resources = run.to_dict()["resources"]
    assert resources["device"] is not None or resources["reasons"]["device"]


@pytest.mark.skipif(not mnist_files.FOUND, reason="no MNIST files: name their folder in NNKIT_DATA_DIR")
def test_mnist() -> None:
    data = nnkit.data.load("mnist", data_dir=mnist_files.FOLDER)
    assert data.x_train.shape == (60_000, 784)
    net = nnkit.FeedForward(inputs=784, hidden=[128], outputs=10, output_activation="softmax", seed=0)
    net.fit(data.x_train[:12_800], data.y_train[:12_800], epochs=3, batch_size=64, progress=False)
    assert net.test(data.x_test, data.y_test).accuracy > 0.93


@pytest.mark.slow
@pytest.mark.skipif(not mnist_files.FOUND, reason="no MNIST files: name their folder in NNKIT_DATA_DIR")
def test_mnist_reaches_97_3_percent_in_five_epochs() -> None:
    data = nnkit.data.load("mnist", data_dir=mnist_files.FOLDER)
    found = []
    for seed in (0, 1, 2):
        net = nnkit.FeedForward(inputs=784, hidden=[128], outputs=10, output_activation="softmax", seed=seed)
        net.fit(data.x_train, data.y_train, epochs=5, batch_size=64, learning_rate=0.003, progress=False)
        found.append(net.test(data.x_test, data.y_test).accuracy)
    assert np.median(found) >= 0.973
