"""A lane of a session: the place of one network, which has its settings and, one after the other, its processes."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Mapping
from functools import reduce
from operator import or_
from typing import Any

from nnkit.playground.server.child import Worker
from nnkit.playground.server.limits import Limits
from nnkit.playground.server.messages import Message, RefusedError
from nnkit.playground.server.meter import Meter
from nnkit.playground.server.pipes import Piece, text

NAMES = ("the first network", "the second network")


class Lane:
    """One network of a session: its process told ``settings`` last, and has been asked for more since.

    ``beginning`` is the number of the answer to the race that made it, until that is given.
    """

    def __init__(self, number: int, worker: Worker, settings: dict[str, Any], beginning: int | None = None) -> None:
        self.number, self.settings, self.beginning = number, settings, beginning
        self._asked: list[Message] = []
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

    @property
    def wanted(self) -> dict[str, Any]:
        """The settings that it is to have once all that was asked is done."""
        return reduce(or_, (asked.settings() for asked in self._asked if asked.do == "set"), self.settings)

    def ask(self, message: Message) -> None:
        """Pass a message on."""
        if message.number is not None:
            self._asked.append(message)
        self.worker.send(message.piece)

    def learn(self, told: Mapping[str, Any]) -> Message | None:
        """Keep what its process tells: its settings, and what is answered; gives the message that was done."""
        if isinstance(told.get("settings"), dict):
            self.settings = told["settings"]
        number = told.get("re")
        if number is None:
            return None
        if number == self.beginning:
            self.beginning = None
        place = next((at for at, asked in enumerate(self._asked) if asked.number == number), None)
        if place is None:
            return None
        message = self._asked[place]
        del self._asked[: place + 1]  # it answers in order
        return message if told.get("ok") else None

    def unanswered(self) -> list[Message]:
        """What it was asked and will not answer any more."""
        asked, self._asked = self._asked, []
        return asked

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
