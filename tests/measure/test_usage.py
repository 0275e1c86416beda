import time
from types import SimpleNamespace

from nnkit.backend import Hardware, Share, select
from nnkit.measure import Usage


def test_both_probes_hear_of_the_epochs(nvml):
    usage = Usage("cuda")
    usage.start()
    usage.boundary()
    for _ in range(3):
        time.sleep(0.01)
        usage.boundary()
    found = usage.stop()
    assert len(found["device"]["energy_per_epoch_j"]) == 3
    assert found["host"]["energy_per_epoch_j"] is None or len(found["host"]["energy_per_epoch_j"]) == 3
    assert found["host"]["cpu_percent_mean"] >= 0
    assert nvml.users == 0


def test_the_reasons_of_both_are_together(nvml):
    nvml.refuse("DriverNotLoaded", "nvmlInit")
    usage = Usage("cuda")
    usage.start()
    usage.boundary()
    found = usage.stop()
    assert found["device"] is None
    assert found["reasons"]["device"] == "the NVIDIA driver is not loaded"
    assert found["host"]["energy_j"] is not None or "host.energy_j" in found["reasons"]


def test_the_gpu_of_a_backend_is_found_by_its_bus(nvml):
    nvml.count = 2
    hardware = Hardware("0000:3B:00.0", 8_000_000_000, "9.0")
    backend = SimpleNamespace(name="cuda:1", hardware=lambda: hardware, share=lambda: Share(9, 0, 0.0))
    usage = Usage.of(backend)
    usage.start()
    found = usage.stop()
    assert nvml.asked == ["0000:3B:00.0"]
    assert found["device"]["process_memory_bytes_peak"] == 9


def test_the_processor_takes_nothing_of_a_gpu(nvml):
    usage = Usage.of(select("cpu"))
    usage.start()
    found = usage.stop()
    assert found["device"]["process_memory_bytes_peak"] is None
    assert found["reasons"]["device.process_memory_bytes_peak"] == "the run was on the CPU"
