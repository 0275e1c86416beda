"""``precision=`` in ``fit`` on the CPU, and the loss scale in whole trainings: skipped steps, and their trace."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import nnkit
from nnkit import nn
from nnkit.errors import ArgumentError, NnkitWarning
from nnkit.measure import check_layout
from nnkit.optimizers import (
    LBFGS,
    SGD,
    Accumulate,
    Adam,
    ExponentialMovingAverage,
    LossScale,
    Optimizer,
    get,
)
from nnkit.optimizers.schedules import Cosine
from tests.training.small import blobs, fit, network, same, values
from tests.training.test_fit_divergence import everything, normalised

X, Y = blobs(48)
BOTH = pytest.mark.parametrize("mode", ["off", "first"])


def single(**options: Any) -> nnkit.Network:
    return network(dtype="float32", **options)


def own(net: nnkit.Network) -> dict[str, float]:
    """The moments of the loss scale."""
    return {
        name: float(net._model.store.read([f"moment.scale_{name}"])[f"moment.scale_{name}"])
        for name in ("ratio", "good", "skipped")
    }


def moments(net: nnkit.Network) -> dict[str, np.ndarray]:
    """Those of the optimiser inside."""
    return {name: v for name, v in everything(net).items() if name.startswith("moment.") and "scale_" not in name}


# -- the precision that is asked for, on a device that has only one


@BOTH
@pytest.mark.parametrize("precision", ["tf32", "mixed_bfloat16"])
def test_the_processor_computes_in_float32_to_the_bit(precision: str, mode: str) -> None:
    nets = [normalised(), normalised()]
    for net, asked in zip(nets, ("float32", precision), strict=True):
        run = fit(net, X, Y, epochs=3, batch_size=10, precision=asked, compile=mode, validation_split=0.2)
        trained = run.to_dict()["training"]
        assert (trained["precision"], trained["products"], trained["loss_scale"]) == (asked, "float32", None)
        assert check_layout(run.to_dict()) == []
    assert same(everything(nets[0]), everything(nets[1]))


def test_with_float16_the_optimizer_gets_a_loss_scale() -> None:
    """By itself, or as it was given; and the weights are those of float32, since a power of two changes no digit."""
    nets = [single() for _ in range(3)]
    plain = fit(nets[0], X, Y, epochs=3, batch_size=10, optimizer=Adam(0.01))
    alone = fit(nets[1], X, Y, epochs=3, batch_size=10, optimizer=Adam(0.01), precision="mixed_float16")
    given = LossScale(Adam(0.01), 8.0, 4)
    scaled = fit(nets[2], X, Y, epochs=3, batch_size=10, optimizer=given, precision="mixed_float16")
    assert alone.record.training["loss_scale"] == {"scale": 65536.0, "skipped": 0}
    assert alone.record.training["optimizer"] == LossScale(Adam(0.01)).config()
    assert scaled.record.training["loss_scale"] == {"scale": 64.0, "skipped": 0}  # doubled 3 times in 15 steps
    assert scaled.record.training["learning_rate"] == 0.01
    for net, run in zip(nets[1:], (alone, scaled), strict=True):
        np.testing.assert_allclose(run.history["loss"], plain.history["loss"], rtol=1e-6)
        for name, value in values(nets[0]).items():
            np.testing.assert_allclose(values(net)[name], value, rtol=1e-4, atol=1e-6, err_msg=name)


def test_a_schedule_without_an_end_inside_of_the_scale() -> None:
    run = fit(single(), X, Y, epochs=2, batch_size=10, optimizer=Adam(Cosine(0.01)), precision="mixed_float16")
    assert run.record.training["loss_scale"] == {"scale": 65536.0, "skipped": 0}
    assert run.record.training["optimizer"]["optimizer"]["learning_rate"]["steps"] is None


@pytest.mark.parametrize("given", [Adam(0.02), LossScale(Adam(0.02), 4.0, 3)])
def test_the_same_optimizer_again_goes_on_with_moments_and_scale(given: Optimizer) -> None:
    whole, parts = single(), single()
    options: dict[str, Any] = {"batch_size": 10, "optimizer": given, "precision": "mixed_float16"}
    run = fit(whole, X, Y, epochs=7, **options)
    fit(parts, X, Y, epochs=3, **options)
    half = fit(parts, X, Y, epochs=4, **options)
    assert same(everything(whole), everything(parts))
    assert half.record.training["loss_scale"] == run.record.training["loss_scale"]
    assert own(parts)["good"] > 0
    other = LossScale(Adam(0.02))
    assert fit(parts, X, Y, epochs=0, optimizer=other).record.training["loss_scale"]["scale"] == other.initial
    assert not any(value.any() for value in moments(parts).values())


def test_a_file_keeps_the_scale_of_the_optimizer(tmp_path: Any) -> None:
    net = single()
    fit(net, X, Y, epochs=1, optimizer=Adam(0.01), precision="mixed_float16")
    net.save(tmp_path / "net.h5")
    loaded = nnkit.load(tmp_path / "net.h5")
    assert loaded._optimizer == LossScale(Adam(0.01))
    fit(loaded, X, Y, epochs=1, optimizer=loaded._optimizer)


@pytest.mark.parametrize(
    ("options", "dtype", "message"),
    [
        ({"precision": "float16"}, "float32", "precision must be one of 'float32', 'tf32', .*, got 'float16'"),
        ({"precision": None}, "float32", "precision must be one of .*, got None"),
        ({"precision": ["tf32"]}, "float32", r"precision must be one of .*, got \['tf32'\]"),
        ({"precision": "tf32"}, "float64", "precision='tf32' is for networks in float32, and this one is in float64"),
        ({"precision": "mixed_float16"}, "float64", "make the network with dtype='float32'"),
        (
            {"precision": "mixed_float16", "optimizer": "lbfgs"},
            "float32",
            r"precision='mixed_float16' scales the loss from step to step, and LBFGS\(.*\) searches for its own steps; "
            "use precision='float32' with it",
        ),
    ],
)
def test_what_is_refused(options: dict[str, Any], dtype: str, message: str) -> None:
    net = network(dtype=dtype)
    before = values(net)
    for call in (
        lambda: fit(net, X, Y, epochs=1, **options),
        lambda: net.explain(**options),
    ):
        with pytest.raises(ArgumentError, match=message):
            call()
    assert same(values(net), before)
    assert net._model.optimizer is None


def test_float64_without_rounding_and_lbfgs_with_the_other_precisions_train() -> None:
    assert fit(network(), X, Y, epochs=1, precision="float32").record.training["products"] == "float32"
    runs = [fit(single(), X, Y, epochs=2, optimizer=LBFGS(), precision=p) for p in ("float32", "tf32")]
    assert runs[0].history == runs[1].history


# -- steps that are skipped

HUGE = 2.0**126
"""A scale with which gradients of more than about 4 overflow float32."""
FAR, FARTHER = 30.0 * X[:, 0], 1e6 * X[:, 0]
"""Targets with such gradients; with the second ones it takes 16 halvings at least."""


def numbers(**options: Any) -> nnkit.Network:
    return single(outputs=1, output_activation="identity", **options)


@BOTH
@pytest.mark.parametrize("inner", [SGD(1e-3, momentum=0.9), Adam(0.02), Accumulate(Adam(0.02), 2)])
def test_a_step_that_overflows_is_skipped(inner: Optimizer, mode: str) -> None:
    """All that is trained keeps its bits, the scale is halved, and then training goes as it does without a scale."""
    net, plain = numbers(), numbers()
    seen: list[dict[int, Any]] = [{}, {}]
    method = LossScale(inner, HUGE, 1000)

    def look(place: int, of: nnkit.Network) -> Any:
        def kept(_: object) -> None:
            seen[place][len(seen[place]) + 1] = (values(of), moments(of), own(of) if of is net else {})

        return kept

    options: dict[str, Any] = {"batch_size": 48, "shuffle": False, "compile": mode}
    before = values(net)
    run = fit(net, X, FAR, epochs=20, optimizer=method, callbacks=look(0, net), **options)
    skipped = int(own(net)["skipped"])
    assert 2 <= skipped <= 10
    for step in range(1, skipped + 1):
        weights, kept, scale = seen[0][step]
        assert same(weights, before)
        assert not any(value.any() for value in kept.values())
        assert scale == {"ratio": 0.5**step, "good": 0, "skipped": step}
    assert run.record.training["loss_scale"] == {"scale": HUGE * 0.5**skipped, "skipped": skipped}
    assert run.stopped is None
    fit(plain, X, FAR, epochs=20 - skipped, optimizer=inner, callbacks=look(1, plain), **options)
    for step, (weights, kept, _) in seen[1].items():
        found = seen[0][step + skipped]
        for name, value in {**weights, **kept}.items():
            np.testing.assert_allclose({**found[0], **found[1]}[name], value, rtol=2e-4, atol=1e-6, err_msg=name)
    assert own(net)["good"] == 20 - skipped


def test_the_scale_grows_after_good_steps_until_a_gradient_overflows() -> None:
    """Up and down around what float32 holds, while the network learns."""
    net, scales = numbers(), []
    method = LossScale(Adam(0.05), 2.0**115, 3)

    def look(_: object) -> None:
        scales.append(2.0**115 * own(net)["ratio"])

    run = fit(net, X, FAR, epochs=100, batch_size=48, optimizer=method, callbacks=look)
    changes = np.log2(np.asarray(scales[1:]) / scales[:-1])
    assert set(changes) == {-1.0, 0.0, 1.0}
    assert scales[:7] == [2.0**k for k in (115, 115, 116, 116, 116, 117, 117)]
    skipped = run.record.training["loss_scale"]["skipped"]
    assert np.count_nonzero(changes == -1.0) == skipped > 3
    assert np.isfinite(scales).all()
    assert run.history["loss"][-1] < 0.8 * run.history["loss"][0]


def test_an_epoch_of_skipped_steps_has_the_loss_of_the_weights_that_it_leaves() -> None:
    """Means are over all rows, with the weights at each moment."""
    net, before = numbers(), values(numbers())
    run = fit(net, X, FARTHER, epochs=2, batch_size=7, optimizer=LossScale(Adam(0.02), HUGE))
    assert run.record.training["loss_scale"]["skipped"] == 14
    assert same(values(net), before)
    assert run.history["loss"] == pytest.approx([net.test(X, FARTHER).loss] * 2, rel=1e-6)
    assert net._model.steps_done == 14


def test_running_statistics_count_the_batch_of_a_skipped_step() -> None:
    """The forward pass was good: they are those of a training that sees the batch and moves nothing."""
    found = []
    for optimizer in (LossScale(SGD(0.1), HUGE), SGD(0.0)):
        layers = [nn.Dense(8, "relu"), nn.BatchNorm(), nn.Dropout(0.2), nn.Dense(1)]
        net = nnkit.Sequential(layers, (3,), seed=0)
        fit(net, X, FARTHER, epochs=3, batch_size=20, optimizer=optimizer)
        found.append(values(net))
    assert same(*found)
    assert (found[0]["layers.1.variance"] != 1.0).any()


@BOTH
def test_constraints_move_nothing_in_a_skipped_step(mode: str) -> None:
    """Weights that are not within them yet stay as they are until an update is made."""
    layers = [nn.Dense(4, "tanh", constraint="unit_norm"), nn.Dense(1, constraint="non_negative")]
    net = nnkit.Sequential(layers, (3,), seed=1)
    before = values(net)
    run = fit(net, X, FARTHER, epochs=2, batch_size=48, optimizer=LossScale(SGD(0.1), HUGE), compile=mode)
    assert run.record.training["loss_scale"]["skipped"] == 2
    assert same(values(net), before)
    fit(net, X, FAR, epochs=1, batch_size=48, optimizer=LossScale(SGD(1e-3)), compile=mode)
    norms = np.linalg.norm(values(net)["layers.0.weight"], axis=0)
    np.testing.assert_allclose(norms, 1.0, rtol=1e-6)
    assert (before["layers.1.weight"] < 0.0).any()
    assert (values(net)["layers.1.weight"] >= 0.0).all()


def test_averages_of_weights_count_updates_only() -> None:
    """With nothing but skipped steps the network is what it was."""
    inner = ExponentialMovingAverage(SGD(0.01), 0.9)
    net, before = numbers(), values(numbers())
    fit(net, X, FARTHER, epochs=2, batch_size=48, optimizer=LossScale(inner, HUGE))
    assert same(values(net), before)
    nets = [numbers(), numbers()]
    options: dict[str, Any] = {"batch_size": 48, "shuffle": False}
    fit(nets[0], X, FAR, epochs=12, optimizer=LossScale(inner, HUGE), **options)
    skipped = int(own(nets[0])["skipped"])
    assert 2 <= skipped <= 10
    fit(nets[1], X, FAR, epochs=12 - skipped, optimizer=inner, **options)
    for name, value in values(nets[1]).items():
        np.testing.assert_allclose(values(nets[0])[name], value, rtol=1e-4, atol=1e-5, err_msg=name)


def steep() -> nnkit.Network:
    """The loss is finite where the gradient of the first weight is not."""
    net = nnkit.FeedForward(1, 1, [1], activation="identity", output_activation="identity", seed=0)
    shapes = {name: value.shape for name, value in net.parameters().items()}
    given = {name: np.full(shape, 3e38 if name == "layers.1.weight" else 0.0) for name, shape in shapes.items()}
    net.set_parameters(given)
    return net


@BOTH
@pytest.mark.parametrize(("initial", "skipped"), [(1.0, 0), (0.5, 0), (4.0, 2)])
def test_a_gradient_that_is_infinite_by_itself_ends_the_training(initial: float, skipped: int, mode: str) -> None:
    """At a scale of 1 there is nothing to halve any more: the usual warning, and the last good step."""
    x, y = np.asarray([[2.0], [3.0], [4.0], [5.0]]), np.ones((4, 1))
    net = steep()
    before = values(net)
    options: dict[str, Any] = {"loss": "mean_absolute_error", "batch_size": 4, "compile": mode}
    with pytest.warns(NnkitWarning, match=f"a gradient became NaN or infinite in epoch {skipped + 1}, step 1; the net"):
        run = fit(net, x, y, epochs=9, optimizer=LossScale(Adam(0.1), initial), **options)
    assert same(values(net), before)
    assert net._model.steps_done == skipped == len(run.history["loss"])
    assert run.record.training["loss_scale"] == {"scale": min(initial, 1.0), "skipped": skipped}
    assert not any(value.any() for value in moments(net).values())
    assert check_layout(run.to_dict()) == []


def test_a_loss_that_is_infinite_is_no_matter_of_the_scale() -> None:
    x = X.copy()
    x[-1] = 3e38
    net = single(activation="relu")
    before = values(net)
    with pytest.warns(NnkitWarning):
        run = fit(net, x, Y, epochs=3, batch_size=48, precision="mixed_float16")
    assert same(values(net), before)
    assert "the loss or a gradient became NaN or infinite in epoch 1, step 1;" in str(run.stopped)
    assert run.record.training["loss_scale"] == {"scale": 65536.0, "skipped": 0}


def test_a_rate_that_a_callback_sets_reaches_the_optimizer_inside() -> None:
    class Lower(nnkit.callbacks.Callback):
        def epoch(self, training: Any) -> None:
            training.set(learning_rate=0.0)

    net, seen = single(), []
    options: dict[str, Any] = {"optimizer": get("sgd", 0.1), "precision": "mixed_float16"}
    fit(net, X, Y, epochs=3, callbacks=[Lower(), lambda _: seen.append(values(net))], **options)
    assert same(seen[0], seen[2])


def test_the_forecast_counts_the_moments_of_the_scale() -> None:
    net = single()
    ahead = net.check(X, Y, optimizer="sgd", precision="mixed_float16")
    fit(net, X, Y, epochs=1, optimizer="sgd", precision="mixed_float16")
    assert ahead.lasting_bytes == net._model.store.nbytes()
