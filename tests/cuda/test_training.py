"""Networks on the GPU beside networks on the processor."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import nnkit
from nnkit import nn
from nnkit_cupy.device import CupyBackend
from nnkit_cupy.runtime import NotRecordedError
from tests.cuda.stand_in import HostRuntime, selected

DATA = nnkit.data.load("moons")


@pytest.fixture
def elsewhere(device: CupyBackend, monkeypatch: pytest.MonkeyPatch) -> CupyBackend:
    """What ``device="cuda"`` selects."""
    selected(monkeypatch, device)
    return device


def network(device: str, dtype: str = "float64", seed: int = 3, dropout: float = 0.2) -> nnkit.Network:
    layers = [nn.Dense(12, "relu"), nn.Dropout(dropout), nn.BatchNorm(), nn.LayerNorm(), nn.Dense(2, "softmax")]
    return nnkit.Sequential(layers, input_shape=(2,), device=device, dtype=dtype, seed=seed)


def fit(net: nnkit.Network, **options: Any) -> Any:
    given = {"epochs": 3, "batch_size": 48, "validation_split": 0.1, "progress": False} | options
    return net.fit(DATA.x_train, DATA.y_train, **given)


@pytest.mark.parametrize("optimizer", ["adam", "sgd", "lion", "lbfgs"])
def test_trainings_agree(elsewhere: CupyBackend, optimizer: str) -> None:
    runs, nets = [], []
    for device in ("cpu", "cuda"):
        net = (
            network(device)
            if optimizer != "lbfgs"
            else nnkit.FeedForward(2, 2, [6], output_activation="softmax", device=device, dtype="float64", seed=1)
        )
        runs.append(fit(net, optimizer=optimizer))
        nets.append(net)
    for name, values in runs[0].history.items():
        np.testing.assert_allclose(runs[1].history[name], values, rtol=1e-8, err_msg=name)
    for path, value in nets[0].parameters().items():
        np.testing.assert_allclose(nets[1].parameters()[path], value, rtol=1e-6, atol=1e-9, err_msg=path)
    assert runs[1].record.training["program"]["kind"] == "native"
    assert nets[1].test(DATA.x_test, DATA.y_test).loss == pytest.approx(nets[0].test(DATA.x_test, DATA.y_test).loss)
    np.testing.assert_allclose(nets[1].predict(DATA.x_test), nets[0].predict(DATA.x_test), rtol=1e-6)


def test_first_weights_and_masks_are_the_same_to_the_bit(elsewhere: CupyBackend) -> None:
    a, b = (network(device, dtype="float32") for device in ("cpu", "cuda"))
    assert all((value == b.parameters()[path]).all() for path, value in a.parameters().items())
    kept = []
    for device in ("cpu", "cuda"):
        net = nnkit.Sequential([nn.Dropout(0.5), nn.Dense(1, bias=False)], (64,), device=device, seed=9)
        net.set_parameters({"layers.1.weight": np.zeros((64, 1), "float32")})
        net.fit(np.ones((8, 64)), np.ones(8), epochs=1, batch_size=8, optimizer="sgd", progress=False)
        kept.append(net.parameters()["layers.1.weight"])
    # Each weight has moved by a multiple of how many of the eight rows its input was kept in.
    assert (np.round(kept[0] / kept[0].max() * 8) == np.round(kept[1] / kept[1].max() * 8)).all()
    assert len(np.unique(kept[1])) > 3


def test_a_training_that_diverges_keeps_its_last_good_step(elsewhere: CupyBackend) -> None:
    found = []
    for device in ("cpu", "cuda"):
        net = nnkit.FeedForward(1, 1, device=device, dtype="float32", seed=0)
        x = np.ones((40, 1))
        x[25] = 1e30
        with pytest.warns(nnkit.errors.NnkitWarning):
            run = net.fit(x, x, epochs=2, batch_size=2, shuffle=False, optimizer="sgd", progress=False)
        found.append((run.stopped.split(";")[0], run.record.training["epochs_done"], net.parameters()))
    assert found[0][:2] == found[1][:2]
    for path, value in found[0][2].items():
        np.testing.assert_allclose(found[1][2][path], value, rtol=1e-6, err_msg=path)


def test_the_same_training_has_the_same_bits(elsewhere: CupyBackend) -> None:
    nets = [network("cuda", dtype="float32") for _ in range(2)]
    for net in nets:
        fit(net)
    assert all((value == nets[1].parameters()[path]).all() for path, value in nets[0].parameters().items())


def test_a_network_moves_between_devices_in_a_file(elsewhere: CupyBackend, tmp_path: Any) -> None:
    net = network("cuda")
    fit(net)
    net.save(tmp_path / "net.h5")
    again = nnkit.load(tmp_path / "net.h5", device="cpu")
    np.testing.assert_allclose(again.predict(DATA.x_test), net.predict(DATA.x_test), rtol=1e-9)
    back = nnkit.load(tmp_path / "net.h5", device="cuda")
    assert (back.predict(DATA.x_test) == net.predict(DATA.x_test)).all()


def test_predictions_of_few_and_many_rows(elsewhere: CupyBackend) -> None:
    net, other = network("cuda"), network("cpu")
    x = np.random.default_rng(0).normal(size=(2500, 2))
    np.testing.assert_allclose(net.predict(x), other.predict(x), rtol=1e-9)
    np.testing.assert_allclose(net.predict(x[:1]), other.predict(x[:1]), rtol=1e-9)


def test_outputs_of_layers_and_gradients_agree(elsewhere: CupyBackend) -> None:
    """In batches of which the last one is not full, on the host, and while a training goes on."""
    draw = np.random.default_rng(0)
    x, y, weight = draw.normal(size=(1500, 2)), draw.integers(0, 2, 1500), draw.uniform(size=1500)
    seen: dict[str, list[dict[str, Any]]] = {"cpu": [], "cuda": []}
    for device, found in seen.items():
        net = nnkit.FeedForward(
            2, 2, [6, 5], activation="tanh", output_activation="softmax", dropout=0.2, l2=0.1,
            device=device, dtype="float64", seed=1,
        )  # fmt: skip

        def look(training: Any, net: Any = net, found: Any = found) -> None:
            found.append(net.activations(x) | net.gradients(x, y, sample_weight=weight))

        fit(net, epochs=2, callbacks=[look])
        last = net.activations(x)["layers.4"]
        assert last.tobytes() == net.predict(x, compile="off").tobytes()
    assert len(seen["cuda"]) == 2
    for mine, other in zip(seen["cuda"], seen["cpu"], strict=True):
        assert list(mine) == list(other)
        for path, value in mine.items():
            assert type(value) is np.ndarray
            np.testing.assert_allclose(value, other[path], rtol=1e-7, atol=1e-10, err_msg=path)


def test_under_a_memory_limit(elsewhere: CupyBackend) -> None:
    layers = [nn.Dense(64, "tanh") for _ in range(8)] + [nn.Dense(2, "softmax")]
    free, tight = (nnkit.Sequential(layers, (2,), device="cuda", dtype="float64", seed=0) for _ in range(2))
    a = fit(free, epochs=1, batch_size=240, validation_split=0.0)
    b = fit(tight, epochs=1, batch_size=240, validation_split=0.0, memory_limit=1_900_000)
    assert b.resources["plan"]["predicted_peak_bytes"] <= 1_900_000 < a.resources["plan"]["predicted_peak_bytes"]
    np.testing.assert_allclose(a.history["loss"], b.history["loss"], rtol=1e-10)


WORKLOADS = [(784, 128, 10, 64), (784, 512, 512, 10, 128), (64, *[96] * 12, 4, 64), (2, 8, 8, 2, 32)]


@pytest.mark.parametrize("sizes", WORKLOADS, ids=str)
def test_a_step_runs_as_one_graph(elsewhere: CupyBackend, sizes: tuple[int, ...]) -> None:
    """As the record says; on the stand-in for the smallest ones only, for it is a processor."""
    *layers, batch = sizes
    on_gpu = not isinstance(elsewhere._runtime, HostRuntime)
    if not on_gpu and sum(layers) > 1000:
        layers = [min(size, 64) for size in layers]
    net = nnkit.FeedForward(layers[0], layers[-1], layers[1:-1], output_activation="softmax", device="cuda", seed=0)
    draw = np.random.default_rng(0)
    x, y = draw.normal(size=(3 * batch, layers[0])), draw.integers(0, layers[-1], 3 * batch)
    program = net.fit(x, y, epochs=2, batch_size=batch, progress=False).record.training["program"]
    assert (program["one_graph"], program["because"]) == (True, None)
    assert 1 <= program["launches"] <= 4 * len(layers) + 8


def test_steps_that_cannot_be_recorded_are_started_kernel_by_kernel(
    stand_in: CupyBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    selected(monkeypatch, stand_in)
    free, bound = (network("cuda", dtype="float32") for _ in range(2))
    fit(free)

    def refuse(*given: Any) -> Any:
        raise NotRecordedError("CUDARuntimeError: cudaErrorStreamCaptureUnsupported")

    monkeypatch.setattr(HostRuntime, "record", refuse)
    program = fit(bound).record.training["program"]
    assert program["one_graph"] is False
    assert program["because"] == "CUDARuntimeError: cudaErrorStreamCaptureUnsupported"
    assert all((value == bound.parameters()[path]).all() for path, value in free.parameters().items())


def test_a_step_that_is_not_repeated_needs_no_graph(elsewhere: CupyBackend) -> None:
    program = fit(network("cuda"), epochs=1, batch_size=500, validation_split=0.0).record.training["program"]
    assert (program["one_graph"], program["because"]) == (False, "no step was repeated")
    assert "one_graph" not in fit(network("cpu"), epochs=1).record.training["program"]
