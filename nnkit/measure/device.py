"""What a run used of the GPU: utilisation, memory, energy and temperature, through NVML.

Tested against a stand-in for the pynvml module only: this file has never run on a real GPU.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from types import TracebackType
from typing import Any

from nnkit.measure import nvml as smi
from nnkit.measure.sampler import Sampler

NVML_TEMPERATURE_GPU = 0
DEVICE = "device"
ON_CPU = "the run was on the CPU"


class Series:
    """One question put again and again: running statistics of its answers, or why the last try got none."""

    def __init__(self, ask: Callable[[], float]) -> None:
        self._ask = ask
        self.count = 0
        self.total = self.first = self.last = 0.0
        self.highest = float("-inf")
        self.reason: str | None = "it was never asked"

    def sample(self) -> None:
        """Ask once more."""
        try:
            value = self._ask()
        except Exception as error:  # NVML raises a class for each kind of refusal
            self.reason = smi.explain(error)
            return
        self.reason = None
        self.first = value if self.count == 0 else self.first
        self.last = value
        self.highest = max(self.highest, value)
        self.total += value
        self.count += 1

    def mean_after_first(self) -> float:
        """Return the mean without the first answer, which is about the time before the run."""
        return (self.total - self.first) / (self.count - 1) if self.count > 1 else self.first


class DeviceProbe:
    """Figures of one NVIDIA GPU between `start` and `stop`, each a value or None with a reason.

    Args:
        device: the GPU's PCI bus id ("0000:3b:00.0") or UUID ("GPU-…"), which name it without doubt; or the network's
            device name. "cuda" and "cuda:0" are enough where the machine has one GPU. With "cpu" the first GPU is
            read if there is one: its figures then show what else it was doing during the run.

    The figures are of the whole GPU, other processes included. NVML itself averages utilisation over 1/6 to 1 s, so
    runs shorter than that tell little. Energy is the difference of the GPU's counter, in joules. A figure counts if
    the last question was answered: when the GPU is lost half-way, all are None.

    >>> probe = DeviceProbe("cpu")
    >>> probe.start()
    >>> figures = probe.stop()
    >>> figures is not None or "device" in probe.reasons
    True
    """

    def __init__(self, device: str = "cpu") -> None:
        self.device = device
        self.reasons: dict[str, str] = {}
        self._name: str | None = None
        self._series: dict[str, Series] = {}
        self._sampler: Sampler | None = None
        self._session = ExitStack()
        self._mig = False
        self._result: dict[str, Any] | None = None

    def start(self) -> None:
        """Find the GPU and begin measuring, anew where it was measuring already. Never raises."""
        self._end_sampling()
        self._session.close()
        self.reasons, self._series, self._sampler, self._result = {}, {}, None, None
        try:
            nvml = self._session.enter_context(smi.session())
            handle = smi.find(nvml, self.device)
        except Exception as error:  # library, driver or GPU missing; the run goes on without the figures
            self._refuse(smi.explain(error))
            self._session.close()
            return
        self._mig = smi.has_mig(nvml, handle)
        self._name = self._read_name(nvml, handle)
        self._series = _questions(nvml, handle)
        self._sample()
        self._sampler = Sampler(self._sample)
        self._sampler.start()

    def stop(self) -> dict[str, Any] | None:
        """End measuring; the figures, or None where no GPU could be read. A second call returns the same."""
        if self._sampler is None:
            self.reasons.setdefault(DEVICE, "the probe was not started")
            return None
        if self._result is None:
            if self._end_sampling():
                self._sample()
                self._session.close()
            else:
                self._hang()
            self._result = self._figures()
        return dict(self._result)

    def __enter__(self) -> DeviceProbe:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    def _end_sampling(self) -> bool:
        return self._sampler is None or self._sampler.stop()

    def _hang(self) -> None:
        """Give up on a driver call that never returned; asking once more would hang the run as well."""
        for series in self._series.values():
            series.reason = "the driver did not answer"

    def _refuse(self, reason: str) -> None:
        self.reasons[DEVICE] = f"{ON_CPU}, and no GPU could be read: {reason}" if self.device == "cpu" else reason

    def _read_name(self, nvml: Any, handle: Any) -> str | None:
        try:
            return smi.text(nvml.nvmlDeviceGetName(handle))
        except Exception as error:  # as for every other question
            self.reasons["device.name"] = smi.explain(error)
            return None

    def _sample(self) -> None:
        for series in self._series.values():
            series.sample()

    def _figures(self) -> dict[str, Any]:
        busy, memory, energy, heat = (self._series[name] for name in ("busy", "memory", "energy", "heat"))
        return {
            "name": self._name,
            "utilisation_percent_mean": self._value("utilisation_percent_mean", busy, Series.mean_after_first),
            "memory_used_bytes_peak": self._value("memory_used_bytes_peak", memory, lambda s: int(s.highest)),
            "energy_j": self._value("energy_j", energy, lambda s: (s.last - s.first) / 1000),
            "temperature_c_max": self._value("temperature_c_max", heat, lambda s: s.highest),
        }

    def _value(self, name: str, series: Series, fold: Callable[[Series], float]) -> float | None:
        reason = series.reason
        if reason is None and series.last < series.first and name == "energy_j":
            reason = "the GPU's energy counter was reset during the run"
        if reason is None:
            return fold(series)
        self.reasons[f"device.{name}"] = reason + (" while the GPU is partitioned (MIG)" if self._mig else "")
        return None


def _questions(nvml: Any, handle: Any) -> dict[str, Series]:
    """Return the questions that are repeated during the run. Energy is in millijoules, memory in bytes."""
    return {
        "busy": Series(lambda: nvml.nvmlDeviceGetUtilizationRates(handle).gpu),
        "memory": Series(lambda: nvml.nvmlDeviceGetMemoryInfo(handle).used),
        "energy": Series(lambda: nvml.nvmlDeviceGetTotalEnergyConsumption(handle)),
        "heat": Series(lambda: nvml.nvmlDeviceGetTemperature(handle, NVML_TEMPERATURE_GPU)),
    }
