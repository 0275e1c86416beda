"""One worker that is started before it is needed: its imports are done when a page opens."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress

from nnkit.playground.server.child import Worker
from nnkit.playground.server.limits import Limits


class Spare:
    """Gives workers; keeps one that is warm."""

    def __init__(self, command: Sequence[str], limits: Limits) -> None:
        self._command, self._limits = command, limits
        self._warm: Worker | None = None
        self._refill: asyncio.Task[None] | None = None
        self._started: set[Worker] = set()

    def warm(self, delay_s: float = 0.0) -> None:
        """Start a worker for later, unless that is under way."""
        if self._refill is None or self._refill.done():
            self._refill = asyncio.create_task(self._fill(delay_s))

    async def take(self) -> Worker:
        """A worker: the warm one if it is there and alive. OSError where there can be no further process."""
        worker, self._warm = self._warm, None
        self.warm(self._limits.refill_s)
        if worker is None or not worker.alive:
            worker = await self._start()
        return worker

    async def close(self) -> None:
        """End the warm worker; ``take`` is not called after this."""
        if self._refill is not None:
            self._refill.cancel()
            await asyncio.wait([self._refill])
        if self._warm is not None:
            await self._warm.end()

    def kill(self) -> None:
        """Kill what is still there of all workers ever given, when no more can be waited for."""
        for worker in self._started:
            if worker.alive:
                worker.kill()

    async def _fill(self, delay_s: float) -> None:
        await asyncio.sleep(delay_s)
        if self._warm is None:
            with suppress(OSError):  # whoever needs one is told
                self._warm = await self._start()

    async def _start(self) -> Worker:
        self._started = {worker for worker in self._started if worker.alive}
        worker = await Worker.start(self._command, self._limits)
        self._started.add(worker)
        return worker
