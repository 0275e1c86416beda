import sys
import time

import pytest

from nnkit.measure import sampler
from nnkit.measure.device import DeviceProbe

QUERIES = (
    "nvmlDeviceGetName",
    "nvmlDeviceGetUtilizationRates",
    "nvmlDeviceGetMemoryInfo",
    "nvmlDeviceGetTotalEnergyConsumption",
    "nvmlDeviceGetTemperature",
)
FIGURES = ("name", "utilisation_percent_mean", "memory_used_bytes_peak", "energy_j", "temperature_c_max")


def measure(device="cuda", between=lambda: None):
    probe = DeviceProbe(device)
    probe.start()
    between()
    return probe, probe.stop()


def test_every_figure_in_the_order_of_the_record(nvml):
    probe, figures = measure()
    assert figures == {
        "name": "NVIDIA Test",
        "utilisation_percent_mean": 40,
        "memory_used_bytes_peak": 3_000_000,
        "energy_j": 0.5,
        "temperature_c_max": 61,
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


def test_every_query_refusing_gives_five_reasons(nvml):
    nvml.refuse("NotSupported", *QUERIES)
    probe, figures = measure()
    assert figures == dict.fromkeys(FIGURES)
    assert set(probe.reasons) == {f"device.{name}" for name in FIGURES}
    assert probe.reasons["device.energy_j"] == "this GPU does not report it (NVML_ERROR_NOT_SUPPORTED)"


def test_one_query_without_permission_leaves_the_others(nvml):
    nvml.refuse("NoPermission", "nvmlDeviceGetTotalEnergyConsumption")
    probe, figures = measure()
    assert figures["energy_j"] is None
    assert figures["temperature_c_max"] == 61
    assert probe.reasons == {"device.energy_j": "no permission to read it (NVML_ERROR_NO_PERMISSION)"}


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
    probe, figures = measure()
    assert figures is None
    assert words in probe.reasons["device"]


def test_without_the_library_there_is_none_and_a_reason(monkeypatch):
    monkeypatch.setitem(sys.modules, "pynvml", None)
    probe, figures = measure("cpu")
    assert figures is None
    assert probe.reasons["device"].startswith(
        "the run was on the CPU, and no GPU could be read: nvidia-ml-py cannot be"
    )


def test_a_gpu_lost_in_the_middle_ends_in_reasons(nvml):
    probe, figures = measure(between=lambda: nvml.refuse("GpuIsLost", *QUERIES[1:], "nvmlShutdown"))
    assert figures == {**dict.fromkeys(FIGURES), "name": "NVIDIA Test"}
    assert probe.reasons["device.memory_used_bytes_peak"] == "the GPU was lost (NVML_ERROR_GPU_IS_LOST)"
    assert nvml.users == 0


def test_a_refusal_that_passes_costs_no_figure(nvml):
    def hiccup():
        nvml.refuse("Timeout", *QUERIES)
        time.sleep(0.3)
        nvml.failing.clear()

    probe, figures = measure(between=hiccup)
    assert None not in figures.values()
    assert probe.reasons == {}


def test_an_energy_counter_that_was_reset_is_no_figure(nvml):
    probe, figures = measure(between=lambda: setattr(nvml, "energy_mj", 0))
    assert figures["energy_j"] is None
    assert probe.reasons["device.energy_j"] == "the GPU's energy counter was reset during the run"


def test_a_driver_that_hangs_does_not_hold_up_the_run(nvml, monkeypatch):
    monkeypatch.setattr(sampler.Sampler, "stop", lambda self: False)
    probe, figures = measure()
    assert figures["energy_j"] is None
    assert probe.reasons["device.energy_j"] == "the driver did not answer"
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
    probe, figures = measure("cuda:1")
    assert figures is None
    assert probe.reasons["device"] == "there are 2 GPUs; which one 'cuda:1' is takes its PCI bus id or UUID"
    assert measure("cpu")[1] is not None


def test_a_machine_without_gpus(nvml):
    nvml.count = 0
    probe, _ = measure("cpu")
    assert probe.reasons["device"] == "the run was on the CPU, and no GPU could be read: NVML lists no GPU"
    assert nvml.users == 0


def test_stop_without_start_stop_twice_and_start_twice(nvml):
    probe = DeviceProbe("cuda")
    assert probe.stop() is None
    assert probe.reasons == {"device": "the probe was not started"}
    probe.start()
    probe.start()
    assert nvml.users == 1
    assert probe.stop() == probe.stop()
    with probe:
        pass
    assert nvml.users == 0
