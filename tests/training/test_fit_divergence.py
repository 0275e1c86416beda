"""Numbers that leave their range: training warns, stops, and keeps its last good step in every respect."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import nnkit
from nnkit.errors import NnkitWarning
from nnkit.measure import check_layout
from nnkit.optimizers import SGD, Adam
from tests.training.small import blobs, fit, same, values

X, Y = blobs(60)


def normalised(seed: int = 0) -> nnkit.Network:
    layers = [nnkit.nn.Dense(8, activation="relu"), nnkit.nn.BatchNorm(), nnkit.nn.Dense(3, activation="softmax")]
    return nnkit.Sequential(layers, (3,), seed=seed)


def everything(net: nnkit.Network) -> dict[str, Any]:
    """All that lasts: parameters, states, moments and counters."""
    store = net._model.store
    return store.read(leaf.name for leaf in store.leaves() if leaf.role in ("parameter", "state", "moment", "counter"))


def test_a_huge_learning_rate_warns_and_keeps_the_last_good_step() -> None:
    net = normalised()
    with pytest.warns(
        NnkitWarning, match="the loss or a gradient became NaN or infinite in epoch 1, step 2; the network"
    ) as seen:
        run = fit(net, X, Y, epochs=5, batch_size=10, optimizer=SGD(1e30))
    assert seen[0].filename.endswith("small.py")  # where net.fit stands
    assert all(np.isfinite(value).all() for value in values(net).values())
    assert net._model.steps_done == 1
    assert run.stopped == str(seen[0].message)
    assert run.history == {"loss": [], "accuracy": []}
    assert not run.interrupted
    record = run.to_dict()
    assert record["stopped"] == run.stopped
    assert record["training"]["epochs_done"] == 0
    assert check_layout(record) == []
    assert record["time"]["samples_per_s"] > 0
    assert net.predict(X).shape == (60, 3)


def test_it_is_the_state_after_exactly_the_steps_before() -> None:
    """One batch in the middle of the second epoch has a row that overflows; all lasting values are those before it."""
    broken, whole = normalised(), normalised()
    x = X.astype(np.float32)
    spoilt = np.concatenate([x, np.full((10, 3), 3e38, dtype=np.float32)])
    labels = np.concatenate([Y, Y[:10]])
    options: dict[str, Any] = {"epochs": 1, "batch_size": 10, "shuffle": False}
    good, bad = Adam(0.01), Adam(0.01)
    fit(whole, x, Y, optimizer=good, **options)  # six steps
    with pytest.warns(NnkitWarning) as seen:
        run = fit(broken, spoilt, labels, optimizer=bad, **options)  # six steps, and one that cannot be done
    assert "epoch 1, step 7;" in str(run.stopped)
    assert any("step 7" in str(one.message) for one in seen)
    a, b = everything(broken), everything(whole)
    assert "moment.first" in a
    assert "layers.1.mean" in a
    assert {"counter.step", "counter.update"} <= a.keys()
    assert same(a, b)
    assert all(np.isfinite(value).all() for value in a.values())


def test_training_can_go_on_with_better_data() -> None:
    broken, whole = normalised(), normalised()
    x = X.astype(np.float32)
    spoilt = x.copy()
    spoilt[-1] = 3e38
    with pytest.warns(NnkitWarning):
        fit(broken, spoilt, Y, epochs=3, batch_size=60)  # the first step fails
    assert same(values(broken), values(whole))
    fit(broken, x, Y, epochs=2)
    fit(whole, x, Y, epochs=2)
    assert same(values(broken), values(whole))


def test_moments_survive_with_the_optimizer_that_they_belong_to() -> None:
    broken, whole = normalised(), normalised()
    spoilt = X.copy()
    spoilt[-1] = 3e38
    ours, theirs = Adam(0.01), Adam(0.01)
    fit(broken, X, Y, epochs=2, optimizer=ours)
    fit(whole, X, Y, epochs=2, optimizer=theirs)
    with pytest.warns(NnkitWarning):
        fit(broken, spoilt, Y, epochs=1, batch_size=60, optimizer=ours)
    fit(broken, X, Y, epochs=2, optimizer=ours)
    fit(whole, X, Y, epochs=2, optimizer=theirs)
    assert same(everything(broken), everything(whole))


def test_the_warning_names_the_epoch() -> None:
    net = nnkit.FeedForward(3, 1, [4], activation="identity", seed=0)

    def faster(training: Any) -> None:
        if training.epoch == 2:
            net._model.store.write({"setting.optimizer.learning_rate": 1e20})

    with pytest.warns(
        NnkitWarning, match=r"in epoch 3, step \d; the network keeps its last good step\..*Try a smaller learning"
    ):
        run = fit(net, X, X[:, 0], epochs=9, batch_size=10, optimizer=SGD(0.01), callbacks=faster)
    assert len(run.history["loss"]) == 2
    assert all(np.isfinite(value).all() for value in values(net).values())


def test_a_result_that_is_no_number_has_its_reason() -> None:
    net = nnkit.FeedForward(3, 1, [4], activation="identity", seed=0)
    with pytest.warns(NnkitWarning):
        run = fit(net, X, X[:, 0], epochs=1, batch_size=10, optimizer=SGD(1e20))
    assert not np.isfinite(net.predict(X)).all()  # finite weights, so large that what they give is not
    record = run.to_dict()
    assert record["result"]["train"]["loss"] is None
    assert record["resources"]["reasons"]["result.train.loss"] in ("it was nan", "it was inf")
    assert check_layout(record) == []
