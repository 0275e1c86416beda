"""What a run used of the host: processor time and memory of this process, and the processor's energy."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any

from nnkit.measure.epochs import EpochEnergy
from nnkit.measure.rapl import Rapl
from nnkit.measure.sampler import Sampler
from nnkit.measure.series import Series, gaps, unavailable
from nnkit.measure.timeline import Timeline

NOT_STARTED = "the probe was not started"
FIGURES = ("cpu_percent_mean", "peak_rss_bytes", "energy_j", "energy_per_epoch_j", "over_time")


class HostProbe:
    """CPU percent and peak resident memory of this process between `start` and `stop`, and energy of the processor.

    CPU percent = 100 · (user + system time of all threads) / wall time, so 100 is one core. Child processes do not
    count. The peak is the highest of the samples, taken about 4.5 times per second and at both ends; where the
    system's own high-water mark rose during the run, that exact figure is the peak. The samples themselves are
    `over_time`, in a bounded number of points (`Timeline`). Energy is that of all processor packages, other
    processes included, where Linux lets it be read (`Rapl`).

    A figure that cannot be had is None, with its reason in `reasons` under the name that the run record uses.

    >>> probe = HostProbe()
    >>> probe.start()
    >>> sorted(probe.stop())
    ['cpu_percent_mean', 'energy_j', 'energy_per_epoch_j', 'over_time', 'peak_rss_bytes']
    """

    def __init__(self) -> None:
        self.reasons: dict[str, str] = {}
        self._result: dict[str, Any] | None = None
        self._sampler: Sampler | None = None
        self._mark_bytes: int | None = None
        self._cpu_s = self._wall_s = 0.0

    def start(self) -> None:
        """Begin measuring, anew where it was measuring already. Never raises."""
        if self._sampler is not None:
            self._sampler.stop()
        self.reasons, self._result = {}, None
        self._timeline = Timeline(("cpu_percent", "power_w"), ("rss_bytes",))
        self._memory = Series(self._open_memory(), _explain)
        counter = _open_energy()
        self._energy = Series(counter, _explain)
        self._epochs = EpochEnergy(counter, _explain)
        self._mark_bytes = _high_water_bytes()
        self._sampler = Sampler(self._sample)
        self._cpu_s, self._wall_s = time.process_time(), time.perf_counter()
        self._sample()
        self._sampler.start()

    def boundary(self) -> None:
        """Say that the first epoch begins, and then that an epoch has ended: energy is counted from one to the next."""
        if self._sampler is not None and self._energy.count:
            self._epochs.boundary()

    def stop(self) -> dict[str, Any]:
        """End measuring and return the figures; a second call returns the same. Never raises."""
        if self._result is None:
            cpu_s, wall_s = time.process_time() - self._cpu_s, time.perf_counter() - self._wall_s
            if self._sampler is None:
                self.reasons = {f"host.{name}": NOT_STARTED for name in FIGURES}
                return dict.fromkeys(FIGURES)
            self._epochs.close()
            self._sampler.stop()
            self._sample()
            percent = 100.0 * cpu_s / max(wall_s, 1e-9)
            found = (percent, self._peak(), self._joules(), self._joules_of_epochs(), self._over_time())
            self._result = dict(zip(FIGURES, found, strict=True))
        return dict(self._result)

    @property
    def sampler_cpu_s(self) -> float:
        """Processor time that the sampling itself has used so far."""
        return self._sampler.cpu_s if self._sampler else 0.0

    def __enter__(self) -> HostProbe:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    def _open_memory(self) -> Callable[[], float]:
        """Return the function that reads the resident bytes."""
        try:
            import psutil

            process = psutil.Process()
        except Exception as error:  # missing, broken, or this process may not look at itself
            return unavailable(f"psutil cannot be used: {error}")
        return lambda: int(process.memory_info().rss)

    def _sample(self) -> None:
        """Ask everything once; what is refused never stops what is measured."""
        percent_s = 100.0 * (time.process_time() - self._cpu_s)
        elapsed_s = time.perf_counter() - self._wall_s
        self._timeline.add(elapsed_s, (percent_s, self._energy.sample()), (self._memory.sample(),))

    def _peak(self) -> int | None:
        if self._sampler is not None and self._sampler.error is not None:
            self._memory.refuse(_explain(self._sampler.error))
        mark = _high_water_bytes()
        if mark is not None and self._mark_bytes is not None and mark > self._mark_bytes:
            return mark
        if self._memory.reason is None:
            return int(self._memory.highest)
        self.reasons["host.peak_rss_bytes"] = self._memory.reason
        return None

    def _joules(self) -> float | None:
        if self._energy.reason is None:
            return self._energy.difference()
        self.reasons["host.energy_j"] = self._energy.reason
        return None

    def _joules_of_epochs(self) -> list[float | None] | None:
        """Return a number for each epoch; None from a counter that never answered."""
        found = self._epochs.figure() if self._energy.count else None
        if found is None or None in found:
            self.reasons["host.energy_per_epoch_j"] = self._epochs.reason or str(self._energy.refusal)
        return found

    def _over_time(self) -> dict[str, Any]:
        columns = self._timeline.columns()
        self.reasons |= gaps(columns, {"rss_bytes": self._memory, "power_w": self._energy}, "host.over_time")
        return columns


def _open_energy() -> Callable[[], float]:
    """Return the function that reads the processor's energy, in joules."""
    try:
        return Rapl()
    except Exception as error:  # no counters, no permission, or files of another form
        return unavailable(str(error))


def _explain(error: Exception) -> str:
    if isinstance(error, LookupError):
        return str(error)
    return f"sampling failed: {type(error).__name__}: {error}"


def _high_water_bytes() -> int | None:
    """Return the most memory that this process ever had resident, or None where the system does not say."""
    try:
        import resource
    except ImportError:  # Windows
        return None
    mark = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return mark if sys.platform == "darwin" else mark * 1024
