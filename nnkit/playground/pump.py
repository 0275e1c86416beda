"""What looks on while a network trains for a page: frames in time, and an end when something else is asked."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from nnkit.callbacks import Callback, Training

if TYPE_CHECKING:
    from nnkit.playground.inbox import Inbox
    from nnkit.playground.lab import Lab

FRAME_S = 1 / 30
PERIODS = {"epoch": "1 epoch", "step": "1 step", "10 epochs": "10 epochs", "max": "0.02 s"}
ASKED, REACHED = "something was asked", "the goal is reached"


class Pump(Callback):
    """Keeps a lab's count of steps, lets it be shown 30 times a second, and trains no faster than the speed says.

    Args:
        lab: what trains.
        inbox: training stops when something is in it.
        attend: does what can be done in the middle of a training.
        show: shows the network; True ends training.
        once: training ends after one period.
    """

    def __init__(
        self, lab: Lab, inbox: Inbox, attend: Callable[[], None], show: Callable[[], bool], once: bool = False
    ) -> None:
        self.every = PERIODS["epoch" if once and lab.settings.speed != "step" else lab.settings.speed]
        self._lab, self._inbox, self._once = lab, inbox, once
        self._attend, self._show = attend, show
        self._paced = lab.settings.speed != "max"
        self._before = lab.step
        self._next = time.perf_counter()

    def due(self, training: Training) -> None:
        """Show it, and wait for the next turn."""
        self._lab.step = self._before + training.step
        now = time.perf_counter()
        if self._once:
            training.stop(ASKED)
        elif now >= self._next - 0.002:
            self._next = max(self._next + FRAME_S, now)
            if self._show():
                training.stop(REACHED)
        if self._paced and not self._once:
            self._inbox.wait(self._next - time.perf_counter())
        self._attend()
        if self._inbox:
            training.stop(ASKED)

    def end(self, training: Training) -> None:
        """Count the last steps."""
        self._lab.step = self._before + training.step
