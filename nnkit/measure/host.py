"""What a run used of the host: processor time and memory of this process."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from types import TracebackType

from nnkit.measure.sampler import Sampler

NOT_STARTED = "the probe was not started"


class HostProbe:
    """CPU percent and peak resident memory of this process between `start` and `stop`.

    CPU percent = 100 · (user + system time of all threads) / wall time, so 100 is one core. Child processes do not
    count. The peak is the highest of the samples, taken about 4.5 times per second and at both ends; where the
    system's own high-water mark rose during the run, that exact figure is the peak.

    A figure that cannot be had is None, with its reason in `reasons` under the name that the run record uses.

    >>> probe = HostProbe()
    >>> probe.start()
    >>> sorted(probe.stop())
    ['cpu_percent_mean', 'peak_rss_bytes']
    """

    def __init__(self) -> None:
        self.reasons: dict[str, str] = {}
        self._result: dict[str, float | int | None] | None = None
        self._sampler: Sampler | None = None
        self._rss: Callable[[], int] | None = None
        self._peak_bytes = 0
        self._mark_bytes: int | None = None
        self._cpu_s = self._wall_s = 0.0

    def start(self) -> None:
        """Begin measuring, anew where it was measuring already. Never raises."""
        if self._sampler is not None:
            self._sampler.stop()
        self.reasons, self._result, self._peak_bytes = {}, None, 0
        self._rss = self._open_memory()
        self._mark_bytes = _high_water_bytes()
        self._sampler = Sampler(self._sample)
        self._try_sample()
        self._sampler.start()
        self._cpu_s, self._wall_s = time.process_time(), time.perf_counter()

    def stop(self) -> dict[str, float | int | None]:
        """End measuring and return both figures; a second call returns the same. Never raises."""
        if self._result is None:
            cpu_s, wall_s = time.process_time() - self._cpu_s, time.perf_counter() - self._wall_s
            if self._sampler is None:
                self.reasons = dict.fromkeys(("host.cpu_percent_mean", "host.peak_rss_bytes"), NOT_STARTED)
                return {"cpu_percent_mean": None, "peak_rss_bytes": None}
            self._sampler.stop()
            percent = 100.0 * cpu_s / max(wall_s, 1e-9)
            self._result = {"cpu_percent_mean": percent, "peak_rss_bytes": self._peak()}
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

    def _open_memory(self) -> Callable[[], int] | None:
        """Return the function that reads the resident bytes, or None with the reason kept."""
        try:
            import psutil

            process = psutil.Process()
        except Exception as error:  # missing, broken, or this process may not look at itself
            self.reasons["host.peak_rss_bytes"] = f"psutil cannot be used: {error}"
            return None
        return lambda: int(process.memory_info().rss)

    def _sample(self) -> None:
        if self._rss is not None:
            self._peak_bytes = max(self._peak_bytes, self._rss())

    def _try_sample(self) -> None:
        try:
            self._sample()
        except Exception as error:  # measuring must not stop what is measured
            self._lose(error)

    def _lose(self, error: Exception) -> None:
        self.reasons["host.peak_rss_bytes"] = f"sampling failed: {type(error).__name__}: {error}"

    def _peak(self) -> int | None:
        self._try_sample()
        if self._sampler is not None and self._sampler.error is not None:
            self._lose(self._sampler.error)
        mark = _high_water_bytes()
        if mark is not None and self._mark_bytes is not None and mark > self._mark_bytes:
            self.reasons.pop("host.peak_rss_bytes", None)
            return mark
        return None if self.reasons else self._peak_bytes


def _high_water_bytes() -> int | None:
    """Return the most memory that this process ever had resident, or None where the system does not say."""
    try:
        import resource
    except ImportError:  # Windows
        return None
    mark = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return mark if sys.platform == "darwin" else mark * 1024
