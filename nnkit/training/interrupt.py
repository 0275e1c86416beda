"""Ctrl-C as a wish that is granted between two steps, so that no step is half done."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType, TracebackType
from typing import Any


class Interruption:
    """While it is open in the main thread, Ctrl-C sets ``wanted``. In other threads no signals arrive."""

    def __init__(self) -> None:
        self.wanted = False
        self._before: Any = None
        self._ours = False
        self._outside = False

    @contextmanager
    def outside(self) -> Iterator[None]:
        """While code of the user's runs, which may hang, a second Ctrl-C raises KeyboardInterrupt there."""
        self._outside = True
        try:
            yield
        finally:
            self._outside = False

    def __enter__(self) -> Interruption:
        if threading.current_thread() is threading.main_thread():
            self._before = signal.getsignal(signal.SIGINT)
            # None: a handler that Python did not set and could not put back. Ignored: a job in the background.
            if self._before not in (None, signal.SIG_IGN):
                signal.signal(signal.SIGINT, self._note)
                self._ours = True
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._ours:
            signal.signal(signal.SIGINT, self._before)

    def _note(self, number: int, frame: FrameType | None) -> None:
        if self.wanted and self._outside:
            raise KeyboardInterrupt
        self.wanted = True
