"""A GPU whose memory does not suffice: refused before anything is allocated, and without a trace."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

import nnkit
from nnkit import nn
from nnkit.errors import ArgumentError, DeviceError, NnkitWarning
from nnkit.measure import check_layout
from nnkit.training.space import SHARE
from nnkit_cupy.device import CupyBackend
from tests.cuda.stand_in import HostRuntime, compiler, selected

DRAW = np.random.default_rng(0)
X = DRAW.normal(size=(1500, 16)).astype("float32")
Y = DRAW.normal(size=(1500, 4)).astype("float32")


@pytest.fixture
def runtime(monkeypatch: pytest.MonkeyPatch) -> HostRuntime:
    """A stand-in of this test's own, which ``device="cuda"`` selects."""
    if compiler() is None:
        pytest.skip("there is no C++ compiler here")
    made = HostRuntime()
    backend = CupyBackend("cuda", made)
    selected(monkeypatch, backend)
    return made


def network(layers: int = 3, **options: Any) -> nnkit.Network:
    return nnkit.FeedForward(16, 4, [32] * layers, device="cuda", seed=1, **options)


def fit(net: nnkit.Network, **options: Any) -> Any:
    return net.fit(X, Y, **({"epochs": 1, "batch_size": 1000, "progress": False} | options))


def leave(runtime: HostRuntime, nbytes: int) -> None:
    """Another process takes all but so much of what is free."""
    runtime.taken += runtime.free_bytes() - nbytes


def refused(net: nnkit.Network, **options: Any) -> str:
    before, used = net.parameters(), net._model.backend._runtime.used
    with pytest.raises(DeviceError) as error:
        fit(net, **options)
    for path, value in net.parameters().items():
        np.testing.assert_array_equal(value, before[path])
    assert net._model.backend._runtime.used <= used  # the few settings of an optimiser may be fewer
    return str(error.value)


@pytest.mark.slow
def test_what_does_not_fit_is_refused_with_a_batch_and_a_limit_that_do(runtime: HostRuntime) -> None:
    net = network(12)
    leave(runtime, 1_800_000)
    text = refused(net)
    assert re.match(r"the training needs [\d.]+ MB of device 'cuda' \([\d.]+ kB for parameters, moments and", text)
    assert "can be used; use batch_size=" in text
    batch, limit = (int(found) for found in re.findall(r"(?:batch_size|memory_limit)=(\d+)", text))
    assert batch < 1000
    assert len(fit(net, batch_size=batch).history["loss"]) == 1
    assert fit(net, memory_limit=limit).resources["plan"]["predicted_peak_bytes"] <= limit


VALIDATION = np.tile(X, (4, 1)) + 1, np.tile(Y, (4, 1))
TRAININGS: dict[str, dict[str, Any]] = {
    "as usual": {},
    "a batch for all": {"batch_size": 2000},
    "small batches": {"batch_size": 7, "optimizer": "adam"},
    "rows that validate": {"batch_size": 100, "validation_split": 0.2},
    "other rows that validate": {"batch_size": 100, "validation_data": VALIDATION},
    "all rows in a step": {"optimizer": "lbfgs"},
    "all rows in a step, and others validate": {"optimizer": "lbfgs", "validation_data": VALIDATION},
    "weights": {"batch_size": 100, "sample_weight": np.ones(len(X))},
    "a limit": {"memory_limit": "180KB", "batch_size": 300, "validation_split": 0.2},
}


def normalised() -> nnkit.Network:
    """With many short leaves, each of which begins at a place of its own."""
    layers = [layer for _ in range(4) for layer in (nn.Dense(8, "tanh"), nn.BatchNorm())]
    return nnkit.Sequential([*layers, nn.Dense(4)], (16,), device="cuda", seed=1)


def barely(make: Any, **options: Any) -> int:
    """The least free memory with which a training of a new network is not refused."""
    net = make()
    found = net.check(X, Y, **({"batch_size": 1000} | options))
    assert found.device is not None
    beside = int((found.device.least_bytes - found.lasting_bytes) / SHARE) + 1
    return beside + found.lasting_bytes - net._model.store.nbytes()


QUICK = ("as usual", "rows that validate", "all rows in a step")
EVERY = [name if name in QUICK else pytest.param(name, marks=pytest.mark.slow) for name in TRAININGS]
NORMALISED = [name for name, options in TRAININGS.items() if options.get("optimizer") != "lbfgs"]


@pytest.mark.parametrize(
    ("name", "make"),
    [(name, network) for name in QUICK]
    + [pytest.param(name, network, marks=pytest.mark.slow) for name in TRAININGS if name not in QUICK]
    + [pytest.param(name, normalised, marks=pytest.mark.slow) for name in NORMALISED],
)
def test_what_is_not_refused_trains_in_that_memory(runtime: HostRuntime, name: str, make: Any) -> None:
    options = TRAININGS[name]
    there = barely(make, **options)
    net = make()
    leave(runtime, there - 2)
    refused(net, **options)
    runtime.taken = 0
    leave(runtime, there)
    foretold = net.check(X, Y, **({"batch_size": 1000} | options)).device
    run = fit(net, **options)
    assert len(run.history["loss"]) == 1
    assert foretold is not None
    assert run.resources["device"]["process_memory_bytes_peak"] <= foretold.least_bytes
    assert run.record.training["data_on_device"].partition(":")[0] == foretold.data.partition(":")[0]
    fit(net, **options)


@pytest.mark.parametrize("name", EVERY)
@pytest.mark.parametrize(
    "share", [pytest.param(0.4, marks=pytest.mark.slow), 0.7, pytest.param(0.95, marks=pytest.mark.slow)]
)
def test_whatever_is_named_trains(runtime: HostRuntime, name: str, share: float) -> None:
    options = TRAININGS[name]
    there = int(share * barely(network, **options))
    leave(runtime, there)
    text = refused(network(), **options)
    for key, value in re.findall(r"(batch_size|memory_limit)=(\d+)", text):
        runtime.taken = 0
        net = network()
        leave(runtime, there)
        assert len(fit(net, **(options | {key: int(value)})).history["loss"]) == 1


def test_a_check_says_that_data_will_be_streamed(runtime: HostRuntime) -> None:
    net = network()
    there = barely(network, batch_size=20)
    leave(runtime, there + 20_000)
    found = net.check(X, Y, batch_size=20)
    assert found.warning is None
    assert re.search(r"^data .*kB, streamed, \d+ rows at a time$", str(found), re.MULTILINE)
    assert re.search(r"^memory .* for a step, [\d.]+ kB of the device at least, .* are free$", str(found), re.MULTILINE)
    runtime.taken = 0
    assert ", all of them on the device\n" in str(net.check(X, Y, batch_size=20))


def test_a_check_says_what_fit_will_refuse(runtime: HostRuntime) -> None:
    net = network()
    leave(runtime, 100_000)
    with pytest.warns(NnkitWarning, match=r"^the training needs .* of device 'cuda' .* can be used; use ") as seen:
        found = net.check(X, Y, batch_size=1000)
    assert found.warning == str(seen[0].message) == refused(net)
    assert "streamed" not in str(found)


def test_rows_that_a_program_is_fed_count_as_copied(runtime: HostRuntime) -> None:
    net = network()
    before = net._model.backend.share().copied_bytes
    net.predict(np.tile(X, (3, 1)))
    assert net._model.backend.share().copied_bytes - before >= 3 * X.nbytes


def test_the_batch_that_is_named_is_a_large_one(runtime: HostRuntime) -> None:
    net = network()
    leave(runtime, 800_000)
    (batch,) = (int(found) for found in re.findall(r"batch_size=(\d+)", refused(net)))
    assert batch > 100
    assert f"batch_size={batch}" in refused(net, batch_size=2 * batch)


def test_lasting_values_that_do_not_fit_leave_no_advice_but_a_smaller_network(runtime: HostRuntime) -> None:
    net = network()
    leave(runtime, 2_000)
    assert refused(net).endswith("use fewer neurons, an optimizer with fewer moments such as 'sgd', or device='cpu'")


def test_data_count_where_each_step_reads_all_of_them(runtime: HostRuntime) -> None:
    net = network()
    leave(runtime, 400_000)
    text = refused(net, optimizer="lbfgs")
    assert "kB for the data" in text
    assert "an optimizer that works in batches" in text
    assert "batch_size=" not in text


def test_what_another_process_takes_meanwhile_leaves_the_network_as_it_was(
    runtime: HostRuntime, monkeypatch: pytest.MonkeyPatch
) -> None:
    net = network()
    fit(net, optimizer="adam")
    optimizer, moments = net._model.optimizer, net._model.moments()[1]
    monkeypatch.setattr("nnkit.training.fit.refusal", lambda *given: None)
    leave(runtime, 150_000)
    text = refused(net, optimizer="sgd", validation_split=0.2)
    assert text.startswith("the GPU has no memory for ")
    assert "kB" not in text
    assert net._model.optimizer is optimizer
    for name, value in net._model.moments()[1].items():
        np.testing.assert_array_equal(value, moments[name])
    runtime.taken = 0
    fit(net, optimizer=optimizer)


def test_a_first_training_that_fails_leaves_no_moments(runtime: HostRuntime, monkeypatch: pytest.MonkeyPatch) -> None:
    net = network()
    monkeypatch.setattr("nnkit.training.fit.refusal", lambda *given: None)
    leave(runtime, 150_000)
    with pytest.raises(DeviceError, match="the GPU has no memory for"):
        fit(net)
    assert net._model.moments() == ([], {})
    assert net._model.optimizer is None


def test_a_network_that_does_not_fit_is_no_network(runtime: HostRuntime) -> None:
    leave(runtime, 1_000)
    with pytest.raises(DeviceError, match=r"the GPU has no memory for 0.0 MB, 0.0 MB are free"):
        network()


def test_parameters_are_compared_with_the_memory_of_the_gpu(runtime: HostRuntime) -> None:
    runtime.memory = 2 * 10**9
    with pytest.raises(
        ArgumentError, match=r"parameters, 4 GB, and device 'cuda' has 2 GB of memory; use fewer neurons"
    ):
        nnkit.FeedForward(10**5, 10**4, device="cuda")


def test_the_memory_that_counts_is_that_of_the_gpu(runtime: HostRuntime) -> None:
    net = network()
    leave(runtime, 2_000_000)
    assert nnkit.find_batch_size(net).memory == 1_800_000
    assert net.check(X, Y, batch_size=16).available_bytes == 2_000_000


def test_a_run_says_what_it_took_of_the_gpu(runtime: HostRuntime) -> None:
    run = fit(network(), epochs=2)
    found, plan = run.resources["device"], run.resources["plan"]
    assert found["process_memory_bytes_peak"] >= plan["predicted_peak_bytes"] + X.nbytes + Y.nbytes
    assert found["copied_bytes"] >= X.nbytes + Y.nbytes + 8 * len(X)
    assert found["copied_s"] > 0
    assert check_layout(run.to_dict()) == []


def test_a_network_of_the_gpu_is_loaded_where_there_is_none(runtime: HostRuntime, tmp_path: Any) -> None:
    net = network(dtype="float64")
    fit(net)
    net.save(tmp_path / "net.h5")
    expected = net.predict(X)
    again = nnkit.load(tmp_path / "net.h5")
    assert again.device == "cpu"
    np.testing.assert_allclose(again.predict(X), expected, rtol=1e-9)


def test_arrays_of_a_gpu_train_a_network_of_a_gpu(runtime: HostRuntime) -> None:
    class OnGpu:
        __module__ = "cupy._core.core"

        def __init__(self, values: Any) -> None:
            self.get = lambda: values

    net, other = network(), network()
    net.fit(OnGpu(X), OnGpu(Y), epochs=1, progress=False)
    other.fit(X, Y, epochs=1, progress=False)
    for path, value in net.parameters().items():
        np.testing.assert_array_equal(other.parameters()[path], value)


def test_layers_of_one_row_have_no_smaller_batch(runtime: HostRuntime) -> None:
    net = nnkit.Sequential([nn.Dense(64, "tanh") for _ in range(30)], (16,), device="cuda", seed=0)
    leave(runtime, 5 * net._model.store.nbytes())
    x, y = X[:1], np.zeros((1, 64), "float32")
    leave(runtime, net._model.store.nbytes() * 3)
    with pytest.raises(DeviceError) as error:
        net.fit(x, y, epochs=1, batch_size=1, progress=False)
    assert "batch_size=" not in str(error.value)
