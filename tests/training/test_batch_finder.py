"""The largest batch that fits: exactly, from plans alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import psutil
import pytest

import nnkit
from nnkit.errors import ArgumentError
from nnkit.optimizers import SGD
from nnkit.training.batch_finder import largest_batch
from nnkit.training.layout import lasting_bytes
from nnkit.training.planning import training_plan
from tests.training.small import blobs, fit, same, values


def small(**options: Any) -> nnkit.Network:
    return nnkit.FeedForward(3, 3, [20, 20], output_activation="softmax", **options)


def needed(net: nnkit.Network, rows: int, optimizer: Any) -> int:
    return training_plan(net._model, rows, optimizer, "auto").arena_bytes + lasting_bytes(net._model.layout, optimizer)


@pytest.mark.parametrize("memory", [20_000, 100_000, 1_000_000])
def test_it_fits_and_one_row_more_does_not(memory: int) -> None:
    net, optimizer = small(), SGD(0.1)
    found = nnkit.find_batch_size(net, memory, optimizer=optimizer)
    assert found.nbytes == needed(net, found.batch_size, optimizer) <= memory
    assert needed(net, found.batch_size + 1, optimizer) > memory
    assert found.memory == memory


def test_a_training_with_that_limit_takes_it_as_it_is() -> None:
    net, x, y = small(), *blobs(2000)
    found = nnkit.find_batch_size(net, "200 kB")
    run = fit(net, x, y, epochs=1, batch_size=found, memory_limit="200 kB", compile="off")
    assert run.resources["plan"]["predicted_peak_bytes"] <= 200_000
    assert run.record.training["batch_size"] == found.batch_size == int(found)


def test_nothing_is_trained_or_allocated() -> None:
    net = small()
    before, leaves = values(net), net._model.store.leaves()
    nnkit.find_batch_size(net, "1 GB")
    assert same(values(net), before)
    assert net._model.store.leaves() == leaves


def test_auto_is_most_of_what_is_free(monkeypatch: pytest.MonkeyPatch) -> None:
    class Memory:
        available = 1_000_000

    monkeypatch.setattr(psutil, "virtual_memory", Memory)
    assert nnkit.find_batch_size(small()).memory == 900_000


def test_larger_ones_are_not_looked_at() -> None:
    found = nnkit.find_batch_size(small(), "1 GB", largest=300)
    assert found.batch_size == 300
    assert str(found).endswith("of 1 GB; larger ones were not looked at")
    assert nnkit.find_batch_size(small(), "1 GB", largest=1).batch_size == 1


@pytest.mark.parametrize(
    "nbytes",
    [
        lambda n: 100 + 7 * n,
        lambda n: 64 * -(-n * 7 // 64),
        lambda n: n * n,
        lambda n: 500 if n > 3 else 1,
        lambda n: 9,
    ],
    ids=["line", "steps", "square", "jump", "flat"],
)
@pytest.mark.parametrize("memory", [107, 499, 1000, 12_345])
def test_of_any_growing_function_it_is_the_largest(nbytes: Callable[[int], int], memory: int) -> None:
    calls: list[int] = []

    def counted(rows: int) -> int:
        calls.append(rows)
        return nbytes(rows)

    found = largest_batch(counted, memory, 5000)
    assert found.batch_size == max(n for n in range(1, 5001) if nbytes(n) <= memory)
    assert len(calls) < 30


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"memory": 100},
            r"a batch of 1 needs [\d,]+ bytes, got memory=100; use fewer neurons, or fit\(…, memory_limit",
        ),
        ({"memory": "lots"}, "find_batch_size: memory must be a number of bytes from 1 to"),
        ({"memory": 0}, "find_batch_size: memory must be a number of bytes from 1 to"),
        ({"largest": 0}, "find_batch_size: largest is 0, expected a whole number from 1 up"),
    ],
)
def test_what_is_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        nnkit.find_batch_size(small(), **options)


def test_auto_is_not_known_for_other_devices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nnkit_numpy.device.NumpyBackend.free_bytes", lambda backend: None)
    with pytest.raises(ArgumentError, match="device 'cpu' does not say how much memory is free; give it, such as"):
        nnkit.find_batch_size(small())
