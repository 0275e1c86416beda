import sys
import time

import pytest

from nnkit.backend import Share
from nnkit.measure import sampler, timeline
from nnkit.measure.device import DeviceProbe

QUERIES = (
    "nvmlDeviceGetName",
    "nvmlDeviceGetUtilizationRates",
    "nvmlDeviceGetMemoryInfo",
    "nvmlDeviceGetTotalEnergyConsumption",
    "nvmlDeviceGetTemperature",
)
FIGURES = (
    "name",
    "utilisation_percent_mean",
    "memory_used_bytes_peak",
    "process_memory_bytes_peak",
    "copied_bytes",
    "copied_s",
    "energy_j",
    "energy_per_epoch_j",
    "temperature_c_max",
    "over_time",
)
COLUMNS = ("utilisation_percent", "power_w", "memory_used_bytes", "temperature_c")
OWN = {"process_memory_bytes_peak", "copied_bytes", "copied_s"}
ASKED = {name for name in FIGURES if name not in ("energy_per_epoch_j", "over_time")} - OWN
SHARE = Share(2_000_000, 500, 0.25)
UNSAID = {f"device.{name}" for name in OWN} | {"device.over_time.process_memory_bytes"}


def share():
    return SHARE


def measure(device="cuda", between=lambda: None, share=share):
    probe = DeviceProbe(device, share)
    probe.start()
    between()
    return probe, probe.stop()


def epochs(probe, seconds=(0.0, 0.0, 0.0), after=lambda: None):
    """Let so many epochs pass."""
    probe.boundary()
    for pause in seconds:
        time.sleep(pause)
        probe.boundary()
    after()


def test_every_figure_in_the_order_of_the_record(nvml):
    probe, figures = measure()
    (elapsed_s,) = figures["over_time"].pop("elapsed_s")
    (power_w,) = figures["over_time"].pop("power_w")
    assert 0 <= elapsed_s < 1
    assert power_w > 0.5
    assert figures == {
        "name": "NVIDIA Test",
        "utilisation_percent_mean": 40,
        "memory_used_bytes_peak": 3_000_000,
        "process_memory_bytes_peak": 2_000_000,
        "copied_bytes": 0,
        "copied_s": 0.0,
        "energy_j": 0.5,
        "energy_per_epoch_j": [],
        "temperature_c_max": 61,
        "over_time": {
            "utilisation_percent": [40.0],
            "memory_used_bytes": [3_000_000],
            "temperature_c": [61],
            "process_memory_bytes": [2_000_000],
        },
    }
    assert tuple(figures) == FIGURES
    assert probe.reasons == {}
    assert nvml.users == 0


def test_the_thread_samples_in_between(nvml):
    _, figures = measure(between=lambda: time.sleep(0.7))
    assert figures["energy_j"] >= 1.0  # the last sample and at least one in between, 500 mJ each


def test_utilisation_is_of_the_run_and_not_of_the_time_before(nvml, monkeypatch):
    answers = iter([100, 10])
    monkeypatch.setattr(nvml, "nvmlDeviceGetUtilizationRates", lambda h: type("R", (), {"gpu": next(answers)}))
    assert measure()[1]["utilisation_percent_mean"] == 10


def test_every_query_refusing_gives_a_reason_for_every_figure(nvml):
    nvml.refuse("NotSupported", *QUERIES)
    probe = DeviceProbe("cuda", share)
    probe.start()
    epochs(probe)
    figures = probe.stop()
    over_time = figures.pop("over_time")
    assert over_time.pop("process_memory_bytes") == [2_000_000]
    assert {figures.pop(name) for name in OWN} == {2_000_000, 0}
    assert set(figures.values()) == {None}
    assert over_time == {**dict.fromkeys(COLUMNS), "elapsed_s": over_time["elapsed_s"]}
    figures_missing = {f"device.{name}" for name in figures}
    assert set(probe.reasons) == figures_missing | {f"device.over_time.{name}" for name in COLUMNS}
    assert set(probe.reasons.values()) == {"this GPU does not report it (NVML_ERROR_NOT_SUPPORTED)"}
    assert probe.reasons["device.energy_j"] == "this GPU does not report it (NVML_ERROR_NOT_SUPPORTED)"


def test_one_query_without_permission_leaves_the_others(nvml):
    nvml.refuse("NoPermission", "nvmlDeviceGetTotalEnergyConsumption")
    probe, figures = measure()
    assert figures["energy_j"] is None
    assert figures["temperature_c_max"] == 61
    refused = "no permission to read it (NVML_ERROR_NO_PERMISSION)"
    assert probe.reasons == {"device.energy_j": refused, "device.over_time.power_w": refused}


def test_a_partitioned_gpu_says_so(nvml, monkeypatch):
    monkeypatch.setattr(nvml, "nvmlDeviceGetMigMode", lambda handle: [1, 1])
    nvml.refuse("NotSupported", "nvmlDeviceGetUtilizationRates")
    probe, _ = measure()
    assert probe.reasons["device.utilisation_percent_mean"].endswith("while the GPU is partitioned (MIG)")


def test_a_gpu_that_cannot_be_partitioned_is_no_problem(nvml):
    nvml.refuse("NotSupported", "nvmlDeviceGetMigMode")
    assert measure()[0].reasons == {}


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("LibraryNotFound", "no NVIDIA driver is installed"),
        ("DriverNotLoaded", "driver is not loaded"),
        ("LibRmVersionMismatch", "restart the machine"),
        ("Unknown", "NVMLError_Unknown: Unknown"),
    ],
)
def test_without_a_driver_there_is_none_and_a_reason(nvml, kind, words):
    nvml.refuse(kind, "nvmlInit")
    probe, figures = measure(share=None)
    assert figures is None
    assert words in probe.reasons["device"]


def test_without_the_library_there_is_none_and_a_reason(monkeypatch):
    monkeypatch.setitem(sys.modules, "pynvml", None)
    probe, figures = measure("cpu", share=lambda: None)
    assert figures is None
    assert probe.reasons["device"].startswith(
        "the run was on the CPU, and no GPU could be read: nvidia-ml-py cannot be"
    )


def test_a_gpu_lost_in_the_middle_ends_in_reasons(nvml):
    probe, figures = measure(between=lambda: nvml.refuse("GpuIsLost", *QUERIES[1:], "nvmlShutdown"))
    assert {name for name in ASKED if figures[name] is not None} == {"name"}
    assert figures["over_time"]["temperature_c"] is None
    assert probe.reasons["device.memory_used_bytes_peak"] == "the GPU was lost (NVML_ERROR_GPU_IS_LOST)"
    assert nvml.users == 0


def test_a_refusal_that_passes_costs_no_figure(nvml):
    def hiccup():
        nvml.refuse("Timeout", *QUERIES)
        time.sleep(0.3)
        nvml.failing.clear()

    probe, figures = measure(between=hiccup)
    assert not {name for name in ASKED if figures[name] is None}
    assert set(probe.reasons) <= {f"device.over_time.{name}" for name in COLUMNS}


def test_a_refusal_that_passes_is_a_gap_over_time(nvml, monkeypatch):
    monkeypatch.setattr(timeline, "INTERVAL_S", 0.0)  # every sample is a point of its own
    probe = DeviceProbe("cuda", share)
    probe.start()
    nvml.refuse("Timeout", *QUERIES)
    probe._sample()
    nvml.failing.clear()
    heat = probe.stop()["over_time"]["temperature_c"]
    assert heat[0] is None
    assert heat[-1] == 61
    assert set(probe.reasons) == {f"device.over_time.{name}" for name in COLUMNS}
    assert probe.reasons["device.over_time.power_w"] == "NVMLError_Timeout: Timeout"


def test_an_energy_counter_that_was_reset_is_no_figure(nvml):
    probe, figures = measure(between=lambda: setattr(nvml, "energy_mj", 0))
    assert figures["energy_j"] is None
    assert probe.reasons["device.energy_j"] == "the energy counter was reset during the run"
    assert figures["over_time"]["power_w"] is None
    assert probe.reasons["device.over_time.power_w"] == probe.reasons["device.energy_j"]


def test_energy_is_counted_by_epoch_in_joules(nvml):
    probe = DeviceProbe("cuda", share)
    probe.start()
    epochs(probe, (0.25, 0.25))
    figures = probe.stop()
    # 500 mJ for each question: that at the end of the epoch, and those of the thread in between
    assert len(figures["energy_per_epoch_j"]) == 2
    assert min(figures["energy_per_epoch_j"]) >= 0.5
    assert sum(figures["energy_per_epoch_j"]) <= figures["energy_j"]
    assert probe.reasons == {}


def test_short_epochs_cost_one_question_together(nvml):
    probe = DeviceProbe("cuda", share)
    probe.start()
    before = nvml.energy_mj
    epochs(probe, (0.0,) * 50)
    assert nvml.energy_mj - before <= 2 * 500
    found = probe.stop()["energy_per_epoch_j"]
    assert len(found) == 50
    assert min(found) > 0


def test_a_network_on_the_cpu_has_no_energy_of_the_gpu_by_epoch(nvml):
    probe = DeviceProbe("cpu")
    probe.start()
    before = nvml.energy_mj
    epochs(probe)
    assert nvml.energy_mj == before
    figures = probe.stop()
    assert figures["energy_per_epoch_j"] is None
    assert figures["energy_j"] > 0
    assert {figures[name] for name in OWN} == {None}
    assert probe.reasons == {
        "device.energy_per_epoch_j": "the run was on the CPU; the energy of this GPU is that of other work",
        **dict.fromkeys(UNSAID, "the run was on the CPU"),
    }


def test_the_memory_of_this_process_and_what_was_copied(nvml):
    shares = iter([Share(1, 10, 0.5), Share(1, 10, 0.5), Share(7_000_000, 0, 0.0), *[Share(5_000_000, 40, 1.25)] * 3])
    probe, figures = measure(share=lambda: next(shares))
    assert figures["process_memory_bytes_peak"] == 7_000_000
    assert figures["over_time"]["process_memory_bytes"] == [5_000_000]
    assert (figures["copied_bytes"], figures["copied_s"]) == (30, 0.75)
    assert probe.reasons == {}


def test_without_nvml_the_memory_of_this_process_is_known_all_the_same(nvml):
    nvml.refuse("NotFound", "nvmlDeviceGetHandleByPciBusId")
    probe, figures = measure("0000:3b:00.0")
    assert figures["process_memory_bytes_peak"] == 2_000_000
    assert figures["name"] is figures["memory_used_bytes_peak"] is figures["energy_j"] is None
    assert "device" not in probe.reasons
    refused = "NVML does not show this GPU, as in some containers (NVML_ERROR_NOT_FOUND)"
    assert probe.reasons["device.name"] == probe.reasons["device.over_time.power_w"] == refused
    assert nvml.users == 0


def test_a_backend_that_fails_costs_only_its_own_figures(nvml):
    def broken():
        raise RuntimeError("the pool is gone")

    probe, figures = measure(share=broken)
    assert figures["temperature_c_max"] == 61
    assert {figures[name] for name in OWN} == {None}
    assert probe.reasons == dict.fromkeys(UNSAID, "the device does not say what this process takes of it")


def test_a_driver_that_hangs_does_not_hold_up_the_run(nvml, monkeypatch):
    monkeypatch.setattr(sampler.Sampler, "stop", lambda self: False)
    probe = DeviceProbe("cuda", share)
    probe.start()
    epochs(probe, (0.0,))
    figures = probe.stop()
    assert figures["energy_j"] is figures["energy_per_epoch_j"] is None
    assert set(probe.reasons.values()) == {"the driver did not answer"}
    monkeypatch.undo()
    probe._sampler.stop()


@pytest.mark.parametrize(
    ("device", "asked"),
    [
        ("0000:3b:00.0", "0000:3b:00.0"),
        ("GPU-8d3f", "GPU-8d3f"),
        ("MIG-11", "MIG-11"),
        ("cuda:0", 0),
        ("cpu", 0),
    ],
)
def test_the_gpu_is_found_by_bus_uuid_or_as_the_only_one(nvml, device, asked):
    measure(device)
    assert nvml.asked == [asked]


def test_a_number_does_not_say_which_of_several_gpus(nvml):
    nvml.count = 2
    probe, figures = measure("cuda:1", share=None)
    assert figures is None
    assert probe.reasons["device"] == "there are 2 GPUs; which one 'cuda:1' is takes its PCI bus id or UUID"
    assert measure("cpu")[1] is not None


def test_a_machine_without_gpus(nvml):
    nvml.count = 0
    probe, _ = measure("cpu", share=None)
    assert probe.reasons["device"] == "the run was on the CPU, and no GPU could be read: NVML lists no GPU"
    assert nvml.users == 0


def test_stop_without_start_stop_twice_and_start_twice(nvml):
    probe = DeviceProbe("cuda", share)
    assert probe.stop() is None
    assert probe.reasons == {"device": "the probe was not started"}
    probe.start()
    probe.start()
    assert nvml.users == 1
    assert probe.stop() == probe.stop()
    with probe:
        pass
    assert nvml.users == 0
