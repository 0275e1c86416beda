"""What a run used of the GPU: utilisation, memory, energy and temperature, through NVML.

Tested against a stand-in for the pynvml module only: this file has never run on a real GPU.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from types import TracebackType
from typing import Any

from nnkit.measure import nvml as smi
from nnkit.measure.epochs import EpochEnergy
from nnkit.measure.sampler import Sampler
from nnkit.measure.series import RESET, Series, gaps
from nnkit.measure.timeline import Timeline

NVML_TEMPERATURE_GPU = 0
DEVICE = "device"
ON_CPU = "the run was on the CPU"
OF_OTHERS = f"{ON_CPU}; the energy of this GPU is that of other work"
NO_ANSWER = "the driver did not answer"
QUESTIONS = {
    "utilisation_percent": "busy",
    "power_w": "energy",
    "memory_used_bytes": "memory",
    "temperature_c": "heat",
}
"""What is kept over time, with the question that it comes from."""


class DeviceProbe:
    """Figures of one NVIDIA GPU between `start` and `stop`, each a value or None with a reason.

    Args:
        device: the GPU's PCI bus id ("0000:3b:00.0") or UUID ("GPU-…"), which name it without doubt; or the network's
            device name. "cuda" and "cuda:0" are enough where the machine has one GPU. With "cpu" the first GPU is
            read if there is one: its figures then show what else it was doing during the run.

    The figures are of the whole GPU, other processes included. NVML itself averages utilisation over 1/6 to 1 s, so
    runs shorter than that tell little. Energy is the difference of the GPU's counter, in joules; it is counted by
    epoch only for networks on the GPU. A figure counts if the last question was answered: when the GPU is lost
    half-way, all are None, and `over_time` has what was known until then.

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
        self._epochs: EpochEnergy | None = None
        self._result: dict[str, Any] | None = None

    def start(self) -> None:
        """Find the GPU and begin measuring, anew where it was measuring already. Never raises."""
        self._end_sampling()
        self._session.close()
        self.reasons, self._series, self._sampler, self._epochs, self._result = {}, {}, None, None, None
        try:
            nvml = self._session.enter_context(smi.session())
            handle = smi.find(nvml, self.device)
        except Exception as error:  # library, driver or GPU missing; the run goes on without the figures
            self._refuse(smi.explain(error))
            self._session.close()
            return
        self._mig = smi.has_mig(nvml, handle)
        self._name = self._read_name(nvml, handle)
        energy = _energy(nvml, handle)
        self._series = _questions(nvml, handle) | {"energy": Series(energy, smi.explain)}
        if self.device != "cpu":
            self._epochs = EpochEnergy(energy, smi.explain)
        self._timeline = Timeline(("utilisation_percent", "power_w"), ("memory_used_bytes", "temperature_c"))
        self._began_s, self._asked_s, self._busy = time.perf_counter(), 0.0, 0.0
        self._sample()
        self._sampler = Sampler(self._sample)
        self._sampler.start()

    def boundary(self) -> None:
        """Say that the first epoch begins, and then that an epoch has ended: energy is counted from one to the next.

        It waits for the driver, as the network on this GPU does all the time.
        """
        if self._epochs is not None:
            self._epochs.boundary()

    def stop(self) -> dict[str, Any] | None:
        """End measuring; the figures, or None where no GPU could be read. A second call returns the same."""
        if self._sampler is None:
            self.reasons.setdefault(DEVICE, "the probe was not started")
            return None
        if self._result is None:
            if self._end_sampling():
                self._sample()
                if self._epochs is not None:
                    self._epochs.close()
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
            series.refuse(NO_ANSWER)
        if self._epochs is not None:
            self._epochs.abandon(NO_ANSWER)

    def _refuse(self, reason: str) -> None:
        self.reasons[DEVICE] = f"{ON_CPU}, and no GPU could be read: {reason}" if self.device == "cpu" else reason

    def _read_name(self, nvml: Any, handle: Any) -> str | None:
        try:
            return smi.text(nvml.nvmlDeviceGetName(handle))
        except Exception as error:  # as for every other question
            self.reasons["device.name"] = smi.explain(error)
            return None

    def _sample(self) -> None:
        """Ask everything once. NVML's utilisation is of the time just past, so it adds up to a total as energy does."""
        elapsed_s = time.perf_counter() - self._began_s
        busy, memory, energy, heat = (self._series[name].sample() for name in ("busy", "memory", "energy", "heat"))
        if busy is not None:
            self._busy += busy * (elapsed_s - self._asked_s)
            self._asked_s = elapsed_s
        self._timeline.add(elapsed_s, (None if busy is None else self._busy, energy), (memory, heat))

    def _figures(self) -> dict[str, Any]:
        busy, memory, energy, heat = (self._series[name] for name in ("busy", "memory", "energy", "heat"))
        return {
            "name": self._name,
            "utilisation_percent_mean": self._value("utilisation_percent_mean", busy, Series.mean_after_first),
            "memory_used_bytes_peak": self._value("memory_used_bytes_peak", memory, lambda s: int(s.highest)),
            "energy_j": self._value("energy_j", energy, Series.difference),
            "energy_per_epoch_j": self._joules_of_epochs(),
            "temperature_c_max": self._value("temperature_c_max", heat, lambda s: s.highest),
            "over_time": self._over_time(),
        }

    def _value(self, name: str, series: Series, fold: Callable[[Series], float | None]) -> float | None:
        found = fold(series) if series.reason is None else None
        if found is None:
            self.reasons[f"device.{name}"] = self._because(series.reason or RESET)
        return found

    def _joules_of_epochs(self) -> list[float | None] | None:
        found = None if self._epochs is None else self._epochs.figure()
        if found is None or None in found:
            reason = OF_OTHERS if self._epochs is None else self._because(str(self._epochs.reason))
            self.reasons["device.energy_per_epoch_j"] = reason
        return found

    def _over_time(self) -> dict[str, Any]:
        columns = self._timeline.columns()
        asked = {name: self._series[question] for name, question in QUESTIONS.items()}
        lacking = gaps(columns, asked, "device.over_time")
        self.reasons |= {name: self._because(reason) for name, reason in lacking.items()}
        return columns

    def _because(self, reason: str) -> str:
        return reason + (" while the GPU is partitioned (MIG)" if self._mig else "")


def _energy(nvml: Any, handle: Any) -> Callable[[], float]:
    """Return the function that reads the counter of energy, in joules; NVML's is in millijoules."""
    return lambda: float(nvml.nvmlDeviceGetTotalEnergyConsumption(handle)) / 1000


def _questions(nvml: Any, handle: Any) -> dict[str, Series]:
    """Return the other questions that are repeated during the run. Memory is in bytes."""
    asks: dict[str, Callable[[], float]] = {
        "busy": lambda: nvml.nvmlDeviceGetUtilizationRates(handle).gpu,
        "memory": lambda: nvml.nvmlDeviceGetMemoryInfo(handle).used,
        "heat": lambda: nvml.nvmlDeviceGetTemperature(handle, NVML_TEMPERATURE_GPU),
    }
    return {name: Series(ask, smi.explain) for name, ask in asks.items()}
