"""A quiet background thread that calls a function a few times per second and can say what that cost."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

INTERVAL_S = 0.22  # 4.5 Hz
CPU_SHARE = 0.005  # of one core; half of the 1 % that the probes may use


class Sampler:
    """Calls `sample` from a daemon thread until `stop`; never more often than `CPU_SHARE` of one core allows.

    An exception in `sample` ends the sampling and is kept in `error`; it never reaches the run.

    >>> seen = []
    >>> sampler = Sampler(lambda: seen.append(1), interval_s=0.001)
    >>> sampler.start(); sampler.stop()
    True
    """

    def __init__(self, sample: Callable[[], None], interval_s: float = INTERVAL_S) -> None:
        self._sample = sample
        self._interval_s = interval_s
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None
        self.cpu_s = 0.0
        self.error: Exception | None = None

    def start(self) -> None:
        """Start the thread; where the system grants none, `error` says so."""
        thread = threading.Thread(target=self._work, name="nnkit-probe", daemon=True)
        try:
            thread.start()
        except RuntimeError as error:
            self.error = error
        else:
            self._thread = thread

    def stop(self, patience_s: float = 2.0) -> bool:
        """End the thread; False if it did not end within `patience_s` (a driver call that hangs)."""
        self._ended.set()
        if self._thread is None:
            return True
        self._thread.join(patience_s)
        return not self._thread.is_alive()

    def _work(self) -> None:
        calls = 0
        wait_s = self._interval_s
        while not self._ended.wait(wait_s):
            try:
                self._sample()
            except Exception as error:  # whatever it was, the run must go on
                self.error = error
                return
            calls += 1
            self.cpu_s = time.thread_time()
            wait_s = max(self._interval_s, self.cpu_s / calls / CPU_SHARE)
