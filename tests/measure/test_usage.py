import time

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
