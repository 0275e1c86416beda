"""A lane of a session: the place of one network, which has its settings and, one after the other, its processes."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from contextlib import suppress
from typing import Any

from nnkit.playground.server.child import Worker
from nnkit.playground.server.limits import Limits
from nnkit.playground.server.messages import RefusedError
from nnkit.playground.server.meter import Meter
from nnkit.playground.server.pipes import Piece, text
from nnkit.playground.wire import TEXT

STATE = b'{"event":"state"'
NAMES = ("the first network", "the second network")


class Lane:
    """One network of a session. ``settings`` are those that it would begin with again."""

    def __init__(self, number: int, worker: Worker, settings: dict[str, Any]) -> None:
        self.number, self.settings = number, settings
        self.lost = False
        self._deaths: deque[float] = deque()
        self.listener: asyncio.Task[None] | None = None
        self.take(worker)

    def take(self, worker: Worker) -> None:
        """Have this process from now on."""
        self.worker = worker
        self.meter = Meter(worker.pid)

    def say(self, message: dict[str, Any]) -> None:
        """Tell its process something, however much waits for it."""
        self.worker.send(text({"lane": self.number, **message}))

    def learn(self, piece: Piece) -> None:
        """Keep the settings that its process tells after each change: those of files and other tabs too."""
        if piece.kind == TEXT and piece.body.startswith(STATE):
            with suppress(ValueError):
                settings = json.loads(piece.body).get("settings")
                self.settings = settings if isinstance(settings, dict) else self.settings

    def check(self, piece: Piece, number: int | None) -> None:
        """Raise RefusedError where its process cannot be told this."""
        if self.lost:
            raise RefusedError(f"the process of {NAMES[self.number]} has ended for good; reload the page", number)
        if not self.worker.alive:
            raise RefusedError(f"the process of {NAMES[self.number]} ended and is being started again", number)
        if not self.worker.has_room(piece):
            raise RefusedError(f"busy: too much waits for {NAMES[self.number]} already; ask again later", number)

    def may_restart(self, limits: Limits) -> bool:
        """Note that its process has died; whether it is to have another."""
        now = asyncio.get_running_loop().time()
        while self._deaths and self._deaths[0] <= now - limits.restarts_within_s:
            self._deaths.popleft()
        self._deaths.append(now)
        return len(self._deaths) <= limits.restarts

    async def end(self) -> None:
        """End its process; nothing that it says is passed on any more."""
        if self.listener is not None:
            self.listener.cancel()
            await asyncio.wait([self.listener])
        await self.worker.end()
