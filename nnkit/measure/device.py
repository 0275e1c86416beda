"""What a run used of the GPU: utilisation, memory, energy and temperature, through NVML.

Tested against a stand-in for the pynvml module only: this file has never run on a real GPU.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from types import TracebackType
from typing import Any

from nnkit.backend import Share
from nnkit.measure import nvml as smi
from nnkit.measure.epochs import EpochEnergy
from nnkit.measure.sampler import Sampler
from nnkit.measure.series import RESET, Series, gaps, unavailable
from nnkit.measure.timeline import Timeline

NVML_TEMPERATURE_GPU = 0
DEVICE = "device"
ON_CPU = "the run was on the CPU"
OF_OTHERS = f"{ON_CPU}; the energy of this GPU is that of other work"
NO_ANSWER = "the driver did not answer"
NOT_SAID = "the device does not say what this process takes of it"
QUESTIONS = {
    "utilisation_percent": "busy",
    "power_w": "energy",
    "memory_used_bytes": "memory",
    "temperature_c": "heat",
    "process_memory_bytes": "own",
}
"""What is kept over time, with the question that it comes from."""


class DeviceProbe:
    """Figures of one NVIDIA GPU between `start` and `stop`, each a value or None with a reason.

    Args:
        device: the GPU's PCI bus id ("0000:3b:00.0") or UUID ("GPU-…"), which name it without doubt; or the network's
            device name. "cuda" and "cuda:0" are enough where the machine has one GPU. With "cpu" the first GPU is
            read if there is one: its figures then show what else it was doing during the run.
        share: asks the backend what this process takes of the device, and what was copied to it.

    All figures but those of `share` are of the whole GPU, other processes included; where NVML gives none of them,
    those of `share` are there all the same. NVML itself averages utilisation over 1/6 to 1 s, so
    runs shorter than that tell little. Energy is the difference of the GPU's counter, in joules; it is counted by
    epoch only for networks on the GPU. A figure counts if the last question was answered: when the GPU is lost
    half-way, all are None, and `over_time` has what was known until then.

    >>> probe = DeviceProbe("cpu")
    >>> probe.start()
    >>> figures = probe.stop()
    >>> figures is not None or "device" in probe.reasons
    True
    """

    def __init__(self, device: str = "cpu", share: Callable[[], Share | None] | None = None) -> None:
        self.device = device
        self._share = share
        self.reasons: dict[str, str] = {}
        self._name: str | None = None
        self._series: dict[str, Series] = {}
        self._sampler: Sampler | None = None
        self._session = ExitStack()
        self._mig = False
        self._epochs: EpochEnergy | None = None
        self._copied: Share | None = None
        self._result: dict[str, Any] | None = None

    def start(self) -> None:
        """Find the GPU and begin measuring, anew where it was measuring already. Never raises."""
        self._end_sampling()
        self._session.close()
        self.reasons, self._series, self._sampler, self._epochs, self._result = {}, {}, None, None, None
        self._name, self._mig = None, False
        asks = self._asks()
        if asks is None:
            return
        asks["own"], self._copied = self._own(), self._shared()
        self._series = {name: Series(ask, smi.explain) for name, ask in asks.items()}
        if self.device != "cpu":
            self._epochs = EpochEnergy(asks["energy"], smi.explain)
        self._timeline = Timeline(
            ("utilisation_percent", "power_w"), ("memory_used_bytes", "temperature_c", "process_memory_bytes")
        )
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

    def _asks(self) -> dict[str, Callable[[], float]] | None:
        """The questions to NVML. Without it they have no answers; None if there is nothing else to ask either."""
        try:
            nvml = self._session.enter_context(smi.session())
            handle = smi.find(nvml, self.device)
        except Exception as error:  # library, driver or GPU missing; the run goes on without the figures
            self._session.close()
            reason = smi.explain(error)
            if self._shared() is None:
                self._refuse(reason)
                return None
            self.reasons["device.name"] = reason
            return dict.fromkeys(("busy", "memory", "energy", "heat"), unavailable(reason))
        self._mig = smi.has_mig(nvml, handle)
        self._name = self._read_name(nvml, handle)
        return _questions(nvml, handle)

    def _shared(self) -> Share | None:
        """What this process has taken so far; None where the backend does not say."""
        try:
            return None if self._share is None else self._share()
        except Exception:  # as from every other library, whatever it is
            return None

    def _own(self) -> Callable[[], float]:
        """The question for the memory of this process."""
        share = self._share
        if share is None or self._shared() is None:
            return unavailable(ON_CPU if self.device == "cpu" else NOT_SAID)

        def ask() -> float:
            found = share()
            assert found is not None
            return found.memory_bytes

        return ask

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
        busy, memory, energy, heat, own = (
            self._series[name].sample() for name in ("busy", "memory", "energy", "heat", "own")
        )
        if busy is not None:
            self._busy += busy * (elapsed_s - self._asked_s)
            self._asked_s = elapsed_s
        self._timeline.add(elapsed_s, (None if busy is None else self._busy, energy), (memory, heat, own))

    def _figures(self) -> dict[str, Any]:
        busy, memory, energy, heat, own = (self._series[name] for name in ("busy", "memory", "energy", "heat", "own"))
        return {
            "name": self._name,
            "utilisation_percent_mean": self._value("utilisation_percent_mean", busy, Series.mean_after_first),
            "memory_used_bytes_peak": self._value("memory_used_bytes_peak", memory, lambda s: int(s.highest)),
            "process_memory_bytes_peak": self._value("process_memory_bytes_peak", own, lambda s: int(s.highest)),
            **self._transfer(),
            "energy_j": self._value("energy_j", energy, Series.difference),
            "energy_per_epoch_j": self._joules_of_epochs(),
            "temperature_c_max": self._value("temperature_c_max", heat, lambda s: s.highest),
            "over_time": self._over_time(),
        }

    def _transfer(self) -> dict[str, float | None]:
        """What was copied to the device since the start, and the seconds that the host waited for it."""
        before, after = self._copied, self._shared()
        if before is None or after is None:
            why = ON_CPU if self.device == "cpu" else NOT_SAID
            self.reasons |= dict.fromkeys(("device.copied_bytes", "device.copied_s"), why)
            return {"copied_bytes": None, "copied_s": None}
        return {
            "copied_bytes": after.copied_bytes - before.copied_bytes,
            "copied_s": after.copied_s - before.copied_s,
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


def _questions(nvml: Any, handle: Any) -> dict[str, Callable[[], float]]:
    """Return the questions that are repeated during the run. Memory is in bytes; NVML counts energy in millijoules."""
    return {
        "busy": lambda: nvml.nvmlDeviceGetUtilizationRates(handle).gpu,
        "memory": lambda: nvml.nvmlDeviceGetMemoryInfo(handle).used,
        "energy": lambda: float(nvml.nvmlDeviceGetTotalEnergyConsumption(handle)) / 1000,
        "heat": lambda: nvml.nvmlDeviceGetTemperature(handle, NVML_TEMPERATURE_GPU),
    }
