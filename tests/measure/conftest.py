"""A stand-in for the pynvml module, whose every answer a test can change."""

import sys
from types import ModuleType, SimpleNamespace

import pytest


class FakeNvml(ModuleType):
    """Two GPUs' worth of the NVML functions that nnkit calls."""

    def __init__(self):
        super().__init__("pynvml")
        self.NVMLError = type("NVMLError", (Exception,), {})
        self.count = 1
        self.users = 0
        self.asked = []
        self.failing = {}  # function name → exception
        self.energy_mj = 1_000

    def refusal(self, kind):
        return type(f"NVMLError_{kind}", (self.NVMLError,), {})(kind)

    def refuse(self, kind, *names):
        self.failing.update(dict.fromkeys(names, self.refusal(kind)))

    def _answer(self, name, value):
        if name in self.failing:
            raise self.failing[name]
        return value

    def nvmlInit(self):
        self._answer("nvmlInit", None)
        self.users += 1

    def nvmlShutdown(self):
        self.users -= 1
        self._answer("nvmlShutdown", None)

    def nvmlSystemGetDriverVersion(self):
        return self._answer("nvmlSystemGetDriverVersion", "570.10")

    def nvmlDeviceGetCount(self):
        return self._answer("nvmlDeviceGetCount", self.count)

    def nvmlDeviceGetHandleByIndex(self, index):
        self.asked.append(index)
        return f"handle {index}"

    def nvmlDeviceGetHandleByUUID(self, uuid):
        self.asked.append(uuid)
        return "by uuid"

    def nvmlDeviceGetHandleByPciBusId(self, bus):
        self.asked.append(bus)
        return self._answer("nvmlDeviceGetHandleByPciBusId", "by bus")

    def nvmlDeviceGetName(self, handle):
        return self._answer("nvmlDeviceGetName", b"NVIDIA Test")

    def nvmlDeviceGetMigMode(self, handle):
        return self._answer("nvmlDeviceGetMigMode", [0, 0])

    def nvmlDeviceGetUtilizationRates(self, handle):
        return SimpleNamespace(gpu=self._answer("nvmlDeviceGetUtilizationRates", 40))

    def nvmlDeviceGetMemoryInfo(self, handle):
        return SimpleNamespace(used=self._answer("nvmlDeviceGetMemoryInfo", 3_000_000))

    def nvmlDeviceGetTotalEnergyConsumption(self, handle):
        self.energy_mj += 500
        return self._answer("nvmlDeviceGetTotalEnergyConsumption", self.energy_mj)

    def nvmlDeviceGetTemperature(self, handle, sensor):
        assert sensor == 0
        return self._answer("nvmlDeviceGetTemperature", 61)


@pytest.fixture
def nvml(monkeypatch):
    fake = FakeNvml()
    monkeypatch.setitem(sys.modules, "pynvml", fake)
    return fake
