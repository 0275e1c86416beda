"""When the callbacks that declare ``every`` are due, and how far the steps may run until then."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from nnkit.training.callbacks import Callback
from nnkit.training.callbacks.period import Period

NEVER = 1 << 62


@dataclass
class _Entry:
    callback: Callback
    number: float
    due_s: float


class Agenda:
    """Made when training begins; ``now`` is a clock in seconds. Where nobody has declared anything it costs nothing."""

    def __init__(self, callbacks: Iterable[Callback], now: float) -> None:
        self._by: dict[str, list[_Entry]] = {"epoch": [], "step": [], "second": []}
        for callback in callbacks:
            if callback.every is not None:
                number, unit = Period.of(type(callback).__name__, callback.every)
                self._by[unit].append(_Entry(callback, number, now + number))

    def steps_left(self, step: int) -> int:
        """How many steps may run at once after so many."""
        return min((int(entry.number) - step % int(entry.number) for entry in self._by["step"]), default=NEVER)

    def after_steps(self, step: int, now: float) -> list[Callback]:
        """Who is due after so many steps, or at this time; time counts anew from here."""
        found = [entry.callback for entry in self._by["step"] if step % entry.number == 0]
        for entry in self._by["second"]:
            if now >= entry.due_s:
                entry.due_s = now + entry.number
                found.append(entry.callback)
        return found

    def after_epochs(self, epoch: int) -> list[Callback]:
        """Who is due after so many epochs."""
        return [entry.callback for entry in self._by["epoch"] if epoch % entry.number == 0]
