"""Many trainings in a row, and several at once."""

from __future__ import annotations

import gc
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import psutil
import pytest

import nnkit
from nnkit.errors import ArgumentError
from tests.training.small import blobs, fit, network, same, values

X, Y = blobs(200)


@pytest.mark.slow
def test_a_hundred_networks_leave_no_memory_behind() -> None:
    process = psutil.Process()
    resident = []
    for number in range(100):
        net = nnkit.FeedForward(3, 3, [100], output_activation="softmax", seed=number)
        run = fit(net, X, Y, epochs=1, batch_size=len(X), optimizer="sgd")
        if number % 10 == 0:
            run.to_dict()
        del net, run
        if number % 10 == 9:
            gc.collect()
            resident.append(process.memory_info().rss)
    assert resident[-1] - resident[1] < 4e6  # bytes; a network with its programs takes more than 200 kB


@pytest.mark.slow
def test_two_hundred_trainings_of_one_network_leave_no_memory_behind() -> None:
    process = psutil.Process()
    net = nnkit.FeedForward(3, 3, [64], output_activation="softmax", seed=0)
    resident = []
    for number in range(200):
        run = fit(net, X, Y, epochs=1, batch_size=(100, 200)[number % 2])
        net.predict(X[: 1 + number % 3])
        if number % 20 == 19:
            gc.collect()
            resident.append(process.memory_info().rss)
    assert run.stopped is None
    assert resident[-1] - resident[1] < 4e6


def test_programs_of_many_batch_sizes_are_not_all_kept() -> None:
    net = nnkit.FeedForward(3, 3, output_activation="softmax", seed=0)
    for rows in range(1, 30):
        net.predict(X[:rows])
    assert len(net._model._plans) <= 16
    assert len(net._evaluator._bound) <= 8


def test_no_threads_are_left() -> None:
    before = threading.active_count()
    for _ in range(5):
        fit(network(), X, Y, epochs=1)
    assert threading.active_count() == before


def test_networks_in_several_threads_are_trained_as_if_alone() -> None:
    def work(seed: int) -> dict[str, np.ndarray]:
        net = nnkit.Sequential(
            [nnkit.nn.Dense(16), nnkit.nn.BatchNorm(), nnkit.nn.Dropout(0.2), nnkit.nn.Dense(3, "softmax")],
            input_shape=(3,),
            seed=seed,
        )
        fit(net, X, Y, epochs=10, validation_split=0.1)
        return values(net)

    alone = [work(seed) for seed in range(4)]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(work, range(4)))
    assert all(same(a, b) for a, b in zip(alone, together, strict=True))


def test_networks_that_share_a_module_are_apart() -> None:
    module = nnkit.nn.Sequential([nnkit.nn.Dense(4, "tanh"), nnkit.nn.Dense(3, "softmax")])
    nets = [nnkit.Network(module, (3,), seed=seed) for seed in (1, 2)]
    expected = [nnkit.Network(module, (3,), seed=seed) for seed in (1, 2)]
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda net: fit(net, X, Y, epochs=5), nets))
    for a, b in zip(nets, expected, strict=True):
        fit(b, X, Y, epochs=5)
        assert same(values(a), values(b))


def test_many_threads_predict_with_one_network() -> None:
    net = network()
    inputs = [blobs(rows, seed=rows)[0] for rows in (1, 7, 50, 1030)]
    expected = [net.predict(x) for x in inputs]
    with ThreadPoolExecutor(8) as pool:
        for number, found in enumerate(pool.map(lambda i: net.predict(inputs[i % 4]), range(200))):
            assert (found == expected[number % 4]).all()


def test_predicting_in_one_thread_while_another_trains() -> None:
    net, alone = network(), network()
    ended = threading.Event()

    def train() -> None:
        fit(net, X, Y, epochs=200)
        ended.set()

    thread = threading.Thread(target=train)
    thread.start()
    while not ended.is_set():
        assert np.isfinite(net.predict(X[:5])).all()
        assert net.test(X, Y).rows == 200
    thread.join()
    fit(alone, X, Y, epochs=200)
    assert same(values(net), values(alone))


def test_training_one_network_in_two_threads_is_refused() -> None:
    net = network()
    started, release = threading.Event(), threading.Event()

    def wait(_: object) -> None:
        started.set()
        release.wait(10)

    thread = threading.Thread(target=lambda: fit(net, X, Y, epochs=1, callbacks=wait))
    thread.start()
    started.wait(10)
    with pytest.raises(ArgumentError, match="this network is being trained already, by another thread"):
        fit(net, X, Y, epochs=1)
    release.set()
    thread.join()
    fit(net, X, Y, epochs=1)
    assert net._model.epochs_done == 2
