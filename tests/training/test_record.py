"""The record that a training leaves: complete, consistent, right about the machine, and cheap."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nnkit
from nnkit.data import dataset
from nnkit.measure import HostProbe, check_layout, load_record
from nnkit.optimizers import SGD, ClipByGlobalNorm, schedules
from tests.training.small import blobs, fit, network

X, Y = blobs(300)


def busy(seconds: float, rows: int = 4000) -> Any:
    """A training on one thread that takes about so long."""
    x, y = blobs(rows)
    net = nnkit.FeedForward(3, 3, [32], output_activation="softmax", seed=0)
    began = time.perf_counter()
    enough = lambda t: time.perf_counter() - began > seconds and t.stop("enough")  # noqa: E731
    return fit(net, x, y, epochs=10**6, compile="off", callbacks=enough)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"validation_split": 0.2},
        {"epochs": 0},
        {"validation_data": blobs(50, seed=8), "sample_weight": np.ones(300), "class_weight": "balanced"},
        {"optimizer": ClipByGlobalNorm(SGD(schedules.Cosine(0.1, warmup=3), momentum=0.9), 1.0)},
        {"loss": nnkit.losses.CrossEntropy(label_smoothing=0.1), "shuffle": False, "compile": "off"},
    ],
    ids=["plain", "split", "no epochs", "weights", "clipped", "smoothed"],
)
def test_it_has_the_layout(options: dict[str, Any]) -> None:
    run = fit(network(), X, Y, **({"epochs": 2} | options))
    record = run.to_dict()
    assert check_layout(record) == []
    assert json.loads(json.dumps(record, allow_nan=False)) == record
    assert "it was not recorded" not in record["resources"]["reasons"].values()


def test_what_ran() -> None:
    net = network(seed=17)
    run = fit(net, X, Y, epochs=3, batch_size=50, optimizer=SGD(0.05, momentum=0.9), validation_split=0.1)
    training = run.to_dict()["training"]
    expected = {"epochs": 3, "batch_size": 50, "learning_rate": 0.05, "seed": 17, "compile": "auto", "epochs_done": 3}
    assert expected.items() <= training.items()
    assert nnkit.optimizers.from_config(training["optimizer"]) == SGD(0.05, momentum=0.9)
    assert nnkit.losses.from_config(training["loss"]) == nnkit.losses.CrossEntropy()
    assert len(training["program"]["fingerprint"]) >= 16
    assert training["program"]["fallbacks"] == []
    architecture = run.to_dict()["architecture"]
    assert architecture["input_shape"] == [3]
    assert architecture["dtype"] == "float64"
    assert architecture["module"]["layer"] == "Sequential"
    data = run.to_dict()["data"]
    assert (data["train"], data["validation"], data["test"], data["classes"]) == (270, 30, None, 3)
    assert len(data["validation_indices"]) == 30


def test_the_same_program_has_the_same_fingerprint() -> None:
    marks = [
        fit(network(seed=seed), X, Y, epochs=1, batch_size=batch).record.training["program"]["fingerprint"]
        for seed, batch in ((1, 50), (2, 50), (1, 60))
    ]
    assert marks[0] == marks[1] != marks[2]


def test_times_add_up() -> None:
    run = busy(0.6)
    times = run.record.time
    phases = [times[f"{name}_s"] for name in ("prepare", "compile", "train", "validate")]
    assert all(seconds >= 0 for seconds in phases)
    assert sum(phases) <= run.elapsed_s
    assert sum(phases) > 0.8 * run.elapsed_s
    assert len(times["epochs_s"]) == len(run.history["loss"])
    assert sum(times["epochs_s"]) == pytest.approx(times["train_s"], rel=0.1)
    rows = 4000 * len(run.history["loss"])
    assert run.samples_per_s == pytest.approx(rows / times["train_s"], rel=1e-9)
    steps = 125 * len(run.history["loss"])
    assert times["step_median_s"] * steps == pytest.approx(times["train_s"], rel=0.5)
    assert 0 <= times["step_spread_s"] < 20 * times["step_median_s"]


def test_validation_has_its_own_time() -> None:
    x, y = blobs(20000, seed=2)
    times = fit(network(), X, Y, epochs=3, validation_data=(x, y)).record.time
    assert times["validate_s"] > times["train_s"]


def test_epochs_end_one_after_the_other() -> None:
    times = fit(network(), X, Y, epochs=4, callbacks=lambda _: time.sleep(0.02)).record.time
    ends, lengths = times["epochs_end_s"], times["epochs_s"]
    assert len(ends) == len(lengths) == 4
    gaps = np.diff([times["prepare_s"] + times["compile_s"], *ends])
    assert (gaps >= np.array(lengths) * 0.999).all()
    assert (gaps[1:] >= 0.02).all()  # callbacks are told after an epoch
    assert ends[-1] <= times["elapsed_s"]


def test_resources_over_time() -> None:
    run = busy(0.8)
    over_time = run.resources["host"]["over_time"]
    assert 2 <= len(over_time["elapsed_s"]) <= 256
    assert over_time["elapsed_s"][-1] <= run.elapsed_s
    assert max(over_time["rss_bytes"]) <= run.resources["host"]["peak_rss_bytes"]
    assert max(over_time["cpu_percent"]) > run.resources["host"]["cpu_percent_mean"] * 0.9


def test_energy_of_each_epoch_by_a_counter_of_the_processor(monkeypatch: pytest.MonkeyPatch) -> None:
    began = time.perf_counter()
    asked: list[float] = []

    def joules() -> float:
        asked.append(time.perf_counter() - began)
        return 100.0 * asked[-1]

    monkeypatch.setattr("nnkit.measure.host.Rapl", lambda: joules)
    run = fit(network(), X, Y, epochs=40, batch_size=1)
    host, lengths = run.resources["host"], run.record.time["epochs_s"]
    assert len(host["energy_per_epoch_j"]) == 40
    assert sum(host["energy_per_epoch_j"]) == pytest.approx(100 * sum(lengths), rel=0.2)
    assert sum(host["energy_per_epoch_j"]) <= host["energy_j"] <= 100 * run.elapsed_s
    assert len(asked) <= 4 + 2 * run.elapsed_s / 0.2  # not once a step, nor once for each short epoch
    assert "J an epoch" in str(run)


def test_samples_of_an_epoch_that_was_not_completed_count() -> None:
    x, y = blobs(20000)

    def interrupted(training: Any) -> None:
        raise AssertionError("the epoch was not to end")

    x[-10:] = 1e308  # the last batch overflows
    net = nnkit.Sequential([nnkit.nn.BatchNorm(), nnkit.nn.Dense(3, "softmax")], (3,), dtype="float64")
    with pytest.warns(nnkit.NnkitWarning):
        run = fit(net, x, y, epochs=1, batch_size=10, shuffle=False, callbacks=interrupted)
    assert run.samples_per_s == pytest.approx(19990 / run.record.time["train_s"], rel=1e-9)


def test_the_plan_says_what_it_expects() -> None:
    small, large = (
        fit(nnkit.FeedForward(3, 3, [width], output_activation="softmax"), X, Y, epochs=1).resources["plan"]
        for width in (10, 1000)
    )
    assert large["flops_per_step"] > 50 * small["flops_per_step"]
    # forward, gradient of the weights, and of the hidden layer: three products of the second layer, two of the first
    products = 2 * 32 * 1000 * (3 * 3 + 2 * 3)
    assert products < large["flops_per_step"] < 3 * products
    assert large["predicted_step_s"] > small["predicted_step_s"] > 0
    parameters = 4 * (3 * 1000 + 1000 + 1000 * 3 + 3)
    assert 3 * parameters < large["predicted_peak_bytes"] < 3 * parameters + 4 * 32 * 1000 * 8


def test_a_run_that_sleeps_uses_no_processor() -> None:
    run = fit(network(), X, Y, epochs=5, callbacks=lambda _: time.sleep(0.15))
    assert 0 <= run.resources["host"]["cpu_percent_mean"] < 20


def test_a_run_that_works_uses_one() -> None:
    began, used = time.perf_counter(), time.process_time()
    run = busy(0.8)
    granted = 100 * (time.process_time() - used) / (time.perf_counter() - began)
    found = run.resources["host"]["cpu_percent_mean"]
    assert found == pytest.approx(granted, rel=0.1)  # a crowded machine grants less than a core
    assert found > 80 or granted < 85


def test_the_probe_costs_next_to_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    probes: list[HostProbe] = []
    start = HostProbe.start

    def kept(self: HostProbe) -> None:
        probes.append(self)
        start(self)

    monkeypatch.setattr(HostProbe, "start", kept)
    run = busy(1.0)
    assert len(probes) == 1
    assert probes[0].sampler_cpu_s < 0.01 * run.elapsed_s


def test_memory_is_that_of_the_process() -> None:
    psutil = pytest.importorskip("psutil")
    peak = fit(network(), X, Y, epochs=1).resources["host"]["peak_rss_bytes"]
    assert peak == pytest.approx(psutil.Process().memory_info().rss, rel=0.5)


def test_the_processor_has_no_gpu_and_says_so() -> None:
    resources = fit(network(), X, Y, epochs=1).to_dict()["resources"]
    assert resources["device"] is None
    assert resources["reasons"]["device"]


def test_a_figure_that_is_there_has_no_reason() -> None:
    run = fit(network(), X, Y, epochs=3)
    assert run.to_dict()["resources"]["reasons"]["data.test"] == "no test was added"
    assert "time.samples_per_s" not in run.to_dict()["resources"]["reasons"]
    run.add_test(run.network.test(X, Y))
    assert "data.test" not in run.to_dict()["resources"]["reasons"]


def test_saved_and_read_back(tmp_path: Path) -> None:
    run = fit(network(), X, Y, epochs=2, validation_split=0.1)
    run.add_test(run.network.test(X, Y))
    assert run.to_dict()["data"]["test"] == 300
    run.save(tmp_path / "run.json")
    assert load_record(tmp_path / "run.json") == run.to_dict()
    assert load_record(tmp_path / "run.json")["history"]["loss"] == run.history["loss"]


def test_the_data_are_hashed_when_that_is_read_and_not_before(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []
    digest = dataset.content_hash

    def counted(*arrays: Any) -> str:
        calls.append(len(arrays))
        return digest(*arrays)

    monkeypatch.setattr("nnkit.training.recording.content_hash", counted)
    run = fit(network(), X, Y, epochs=1)
    assert run.result.train.loss > 0
    assert calls == []
    assert len(run.record.data_sha256) == 64
    assert run.record.data_sha256 == run.to_dict()["data"]["sha256"]
    assert calls == [2]


def test_equal_data_have_equal_hashes() -> None:
    first, again, other = (
        fit(network(), x, Y, epochs=0).record.data_sha256 for x in (X, X.tolist(), np.where(X > 2, 0, X))
    )
    assert first == again != other


def test_the_closing_table_and_the_short_form() -> None:
    run = fit(network(), X, Y, epochs=2, validation_split=0.1)
    assert str(run).splitlines()[0].split() == ["loss", "accuracy", "precision", "recall", "f1"]
    assert repr(run).startswith("<run: 2 epochs in 0.")
    assert repr(fit(network(), X, Y, epochs=1)).startswith("<run: 1 epoch in 0.")
    assert f"val_loss {run.history['val_loss'][-1]:.4f}" in repr(run)


def test_a_module_of_ones_own_is_recorded_by_its_name() -> None:
    class Scale(nnkit.Module):
        def __init__(self) -> None:
            self.factor = nnkit.Parameter(("inputs",), initializer="ones")

        def __call__(self, x: Any, run: Any) -> Any:
            return x * self.factor

    run = fit(nnkit.Network(Scale(), (3,)), X, 2 * X, epochs=1)
    assert run.to_dict()["architecture"]["module"] == {"layer": "Scale", "custom": True}
    assert check_layout(run.to_dict()) == []
