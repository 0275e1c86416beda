"""How long a training run will still take, from how fast it has been going lately."""

from __future__ import annotations

import math
from collections import deque

MEMORY_S = (2.0, 60.0)  # the rate forgets over a quarter of the time so far, within these limits
LEAST_KEPT = 0.7  # weight that the past keeps in one observation, however long it took
STEEPEST = 4.0  # one observation counts at most as this many times slower than the rate so far
EPOCHS_KEPT = 5


class RemainingTime:
    """Estimates the seconds until the last epoch ends.

        remaining = (steps left) · (seconds per step) + (epoch ends left) · (other seconds per epoch)

    Seconds per step is a mean over recent observations with exponentially falling weights. One slow observation
    (another program, a laptop asleep) is cut to `STEEPEST` times the rate; a real slow-down is followed in a few of
    them. The first observation, with compilation and warm-up in it, is dropped as soon as there is a second one.
    What an epoch took beyond its steps (validation, checkpoints) is the mean of the last five epochs.

    Times are seconds of any clock that does not run backwards.

    >>> left = RemainingTime(epochs=2, steps=10, now=0.0)
    >>> for step in range(1, 6):
    ...     left.observe(epoch=1, step=step, now=float(step))
    >>> left.seconds(now=5.0)
    15.0
    """

    def __init__(self, epochs: int, steps: int, now: float) -> None:
        self._epochs, self._steps = epochs, steps
        self._begun = self._seen = self._epoch_begun = now
        self._epoch, self._step, self._epoch_step = 1, 0, 0
        self._sum_s = self._sum_steps = 0.0
        self._epoch_sum_s = self._epoch_sum_steps = 0.0
        self._others: deque[float] = deque(maxlen=EPOCHS_KEPT)
        self._observed = 0

    def observe(self, epoch: int, step: int, now: float) -> None:
        """Tell that `step` steps of epoch `epoch` (from 1) are done at time `now`."""
        self._epoch = epoch
        steps, spent_s = step - self._step, now - self._seen
        if steps <= 0:
            return
        self._step, self._seen = step, now
        self._observed += 1
        if self._observed == 1:
            self._epoch_begun, self._epoch_step = now, step
            self._add(steps, spent_s, now)
            return
        if self._observed == 2:
            self._sum_s = self._sum_steps = 0.0
        elif self.step_s is not None:
            spent_s = min(spent_s, STEEPEST * steps * self.step_s)
        self._add(steps, spent_s, now)
        self._epoch_sum_s += spent_s
        self._epoch_sum_steps += steps

    def end_epoch(self, epoch: int, now: float) -> None:
        """Tell that epoch `epoch`, validation included, ended at time `now`."""
        spent_s, steps = now - self._epoch_begun, self._steps - self._epoch_step
        if self.step_s is None:  # an epoch too short to be observed inside
            self._add(steps, spent_s, now)
        rate = self._epoch_sum_s / self._epoch_sum_steps if self._epoch_sum_steps else self.step_s
        self._others.append(spent_s - steps * (rate or 0.0))
        self._epoch_sum_s = self._epoch_sum_steps = 0.0
        self._epoch, self._step, self._epoch_step = epoch + 1, 0, 0
        self._epoch_begun = self._seen = now

    @property
    def step_s(self) -> float | None:
        """Seconds per step lately; None before the first observation."""
        return self._sum_s / self._sum_steps if self._sum_steps else None

    def seconds(self, now: float) -> float | None:
        """Seconds left at time `now`; None as long as nothing is known."""
        if self.step_s is None:
            return None
        epochs_left = self._epochs - self._epoch + 1
        steps_left = epochs_left * self._steps - self._step
        other_s = sum(self._others) / len(self._others) if self._others else 0.0
        return max(0.0, steps_left * self.step_s + epochs_left * other_s - (now - self._seen))

    def _add(self, steps: float, spent_s: float, now: float) -> None:
        shortest, longest = MEMORY_S
        memory_s = min(max((now - self._begun) / 4, shortest), longest)
        kept = max(math.exp(-spent_s / memory_s), LEAST_KEPT)
        self._sum_s = kept * self._sum_s + spent_s
        self._sum_steps = kept * self._sum_steps + steps
