"""``net.check``: what a training will take, before it starts, by the plans that it then runs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import nnkit
from nnkit.display import preformatted
from nnkit.errors import ArgumentError, NnkitWarning, ShapeError
from nnkit.optimizers import SGD, Adam
from tests.training.small import blobs

X, Y = blobs(110)


def network(**more: Any) -> nnkit.Network:
    return nnkit.FeedForward(3, 3, [16], output_activation="softmax", **{"seed": 0} | more)


@pytest.mark.parametrize("mode", ["off", "first"])
def test_it_says_what_fit_then_records(mode: str) -> None:
    if mode == "first":
        pytest.importorskip("llvmlite")
    options: dict[str, Any] = {"epochs": 3, "batch_size": 20, "validation_split": 0.1, "compile": mode}
    net = network()
    found = net.check(X, Y, **options)
    run = net.fit(X, Y, progress=False, **options)
    plan = run.record.resources["plan"]
    assert found.program == run.record.training["program"]["kind"]
    assert found.step_s == plan["predicted_step_s"]
    assert (found.rows, found.steps, found.epochs) == (99, 5, 3)
    assert found.lasting_bytes == net._model.store.nbytes()
    assert found.arena_bytes >= plan["predicted_peak_bytes"] - found.lasting_bytes
    assert found.epoch_s > 4 * found.step_s
    assert found.total_s == found.compile_s + 3 * found.epoch_s
    assert (found.compile_s > 0) == (mode == "first")
    assert found.data_bytes == 110 * (3 * 4 + 4)


def test_nothing_changes() -> None:
    net = network()
    before, leaves = net.parameters(), net._model.store.leaves()
    net.check(X, Y, optimizer=SGD(0.1, momentum=0.9), epochs=100)
    assert net._model.store.leaves() == leaves
    assert net._model.optimizer is None
    for path, value in net.parameters().items():
        np.testing.assert_array_equal(value, before[path])


def test_the_optimizer_counts() -> None:
    plain, moments = (network().check(X, Y, optimizer=method) for method in (SGD(0.1), Adam(0.1)))
    assert moments.lasting_bytes - plain.lasting_bytes >= 2 * 4 * (3 * 16 + 16 + 16 * 3 + 3)


def test_what_does_not_fit_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nnkit_numpy.device.NumpyBackend.free_bytes", lambda backend: 1000)
    with pytest.warns(
        NnkitWarning, match=r"the training needs .* beside the data, and 1 kB of memory are free"
    ) as seen:
        found = network().check(X, Y)
    assert seen[0].filename == __file__
    assert found.warning == str(seen[0].message)
    assert "memory_limit=" in found.warning
    assert f"warning   {found.warning}" in str(found)


def test_fit_says_so_too_and_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nnkit_numpy.device.NumpyBackend.free_bytes", lambda backend: 1000)
    with pytest.warns(NnkitWarning, match="of memory are free; use a smaller batch_size") as seen:
        run = network().fit(X, Y, epochs=1, progress=False)
    assert seen[0].filename == __file__
    assert len(run.history["loss"]) == 1


def test_where_the_memory_is_not_known_nothing_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nnkit_numpy.device.NumpyBackend.free_bytes", lambda backend: None)
    found = network().check(X, Y)
    assert found.available_bytes is None
    assert found.warning is None
    assert "free" not in str(found)


def test_text() -> None:
    found = network().check(X, Y, epochs=4, batch_size=50)
    text = str(found)
    first, second, third = text.splitlines()
    assert first.startswith("data      110 rows, 3 steps an epoch, ")
    assert second.startswith("time      ")
    assert second.endswith("in all, as predicted (plain program)")
    assert third.startswith("memory    ")
    assert found._repr_html_() == preformatted(text)


def test_the_checks_are_those_of_fit() -> None:
    with pytest.raises(ShapeError):
        network().check(X[:, :2], Y)
    with pytest.raises(ArgumentError, match="batch_size must be a whole number from 1"):
        network().check(X, Y, batch_size=0)
    with pytest.raises(ArgumentError, match=r"check has no argument 'epoch'\. Did you mean 'epochs'"):
        network().check(X, Y, epoch=3)
    with pytest.raises(ArgumentError, match="memory_limit: a training in batches of 32 needs at least"):
        network().check(X, Y, memory_limit=100)
    with pytest.raises(ArgumentError, match="metric"):
        network().check(X, Y, metrics=["nonsense"])
    with pytest.raises(ArgumentError, match="callbacks"):
        network().check(X, Y, callbacks=[3])
