"""A session: what one page has, its one or two lanes, and what must be known to start one of them again."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from nnkit._version import __version__
from nnkit.playground.server.aside import Aside
from nnkit.playground.server.browser import Browser
from nnkit.playground.server.lane import NAMES, Lane
from nnkit.playground.server.limits import Limits
from nnkit.playground.server.messages import Message, RefusedError
from nnkit.playground.server.pipes import Piece, decoded, text
from nnkit.playground.server.spare import Spare
from nnkit.playground.wire import TEXT

KEPT = ("drawn", "table")
"""Settings of ``data`` that say nothing of what the data are."""
DATA = "data"
"""Stands for a number in what the server itself asks: pages have whole numbers."""


class Session:
    """The lanes of one page. While its page is away, what its workers say goes nowhere, and they are told to pause."""

    def __init__(self, name: str, spare: Spare, limits: Limits, device: str) -> None:
        self.name = name
        self.lanes: dict[int, Lane] = {}
        self.browser: Browser | None = None
        self._spare, self._limits, self._device = spare, limits, device
        self._hello: Message | None = None
        self._resumed = False
        self._data: dict[str, Message] = {}
        self._ended = False
        self._aside = Aside()

    @property
    def resumable(self) -> bool:
        """Whether a page may go on with it: its network is there."""
        return not self._ended and 0 in self.lanes and not self.lanes[0].lost

    # -- a page comes and goes

    async def begin(self, hello: Message, browser: Browser) -> None:
        """Start the first lane for a page."""
        self.browser, self._hello = browser, hello
        self._tell_all(await self._start(0, hello.settings(), hello.number))

    def resume(self, hello: Message, browser: Browser) -> None:
        """Go on with a page that was here before."""
        self.browser, self._hello, self._resumed = browser, hello, True
        for lane in self.lanes.values():
            if lane.worker.alive:  # else it is being started again, and then told the same
                again = {"do": "hello", "resumed": True, "id": hello.number} if lane.number == 0 else {"do": "again"}
                lane.say(again)

    def away(self) -> None:
        """The page is gone, perhaps for a moment."""
        self.browser = self._hello = None
        for lane in self.lanes.values():
            if lane.worker.alive:
                lane.say({"do": "away"})

    async def end(self) -> None:
        """End all of it."""
        self._ended, self.browser = True, None
        lanes = list(self.lanes.values())
        self.lanes.clear()
        await asyncio.gather(*(lane.end() for lane in lanes), self._aside.done())

    # -- what the page says

    async def handle(self, message: Message) -> None:
        """Do what a message asks, or have the worker do it. Raises RefusedError."""
        if message.do == "race":
            await self._race(message)
        else:
            self._forward(message)

    async def _race(self, message: Message) -> None:
        if "settings" not in message.fields:
            raise RefusedError("race needs settings: an object of those that differ, or null to end it", message.number)
        ends = message.fields["settings"] is None
        settings = {} if ends else self._of(0, message).wanted | message.settings()
        if former := self.lanes.pop(1, None):
            await self._refuse(former, "the second network has ended")
            self._aside.start(former.end())
        if ends:
            await self._answer(message.number, ok=True)
            return
        self._tell_all(await self._start(1, settings, message.number))

    def _forward(self, message: Message) -> None:
        lane = self._of(message.lane, message)
        if message.do == "set":
            message.settings()  # right, or refused
        lane.check(message.piece, message.number)
        lane.ask(message)

    def _of(self, number: int, message: Message) -> Lane:
        if number not in self.lanes:
            raise RefusedError(f'there is no {NAMES[number].removeprefix("the ")}; "race" starts it', message.number)
        return self.lanes[number]

    # -- lanes

    async def _start(self, number: int, settings: dict[str, Any], answer: int | None) -> Lane:
        try:
            worker = await self._spare.take()
        except OSError as error:
            raise RefusedError(f"no process can be started for the network: {error}", answer) from None
        lane = Lane(number, worker, dict(settings), answer if number == 1 else None)
        if self._ended:  # meanwhile
            await lane.end()
            raise RefusedError("the session has ended", answer)
        if former := self.lanes.pop(number, None):  # started by a page that has another connection now
            self._aside.start(former.end())
        self.lanes[number] = lane
        lane.listener = asyncio.create_task(self._listen(lane))
        return lane

    def _tell_all(self, lane: Lane) -> None:
        """Tell a new process what it is: its settings, data that are not made from them, and once more the settings.

        What the data bring with them (their name, features) is as it was only when it is set after them. The last of
        these messages has the number of the answer; of the first network, where its page waits for one, the first.
        """
        known = {"settings": lane.settings, "device": self._device}
        answered = {} if lane.beginning is None else {"id": lane.beginning}
        data = [message.copied(lane.number, DATA).piece for message in self._data.values()]
        if lane.number == 0 and self._hello is not None:
            lane.say({"do": "hello", "id": self._hello.number, **known})
        else:
            lane.say({"do": "begin", **known, **({} if data else answered)})
        for piece in data:
            lane.worker.send(piece)
        if data:
            lane.say({"do": "set", "settings": lane.settings, **answered})

    async def _share(self, message: Message, told: Mapping[str, Any]) -> None:
        """Keep data that the first network has taken; who races with it does so on the same."""
        kind = told.get("settings", {}).get("data")
        if not _brings_data(message) or kind not in KEPT:
            return
        self._data.pop(kind, None)  # the order is that in which they came
        self._data[kind] = message
        lane, copy = self.lanes.get(1), message.copied(1, DATA)
        if lane is not None and lane.worker.alive:  # else it is told when it is started again
            try:
                lane.check(copy.piece, None)
            except RefusedError as error:
                await self._say("note", lane, message=f"{NAMES[1]} did not get these data: {error}")
            else:
                lane.ask(copy)

    async def _listen(self, lane: Lane) -> None:
        """Pass on what a lane says, for as long as it has a process."""
        while not lane.lost:
            piece = await lane.worker.next()
            if piece is None:
                await self._lose(lane)
                continue
            told = decoded(piece)
            done = lane.learn(told)
            if told.get("re") == DATA:
                if "error" in told:
                    await self._say(
                        "note", lane, message=f"{NAMES[lane.number]} did not take these data: {told['error']}"
                    )
                continue
            if done is not None and lane.number == 0:
                await self._share(done, told)
            if self.browser is not None:
                await self._pass_on(self.browser, lane, piece, told)

    async def _pass_on(self, browser: Browser, lane: Lane, piece: Piece, told: Mapping[str, Any]) -> None:
        if piece.kind != TEXT:
            await browser.binary(piece.body)
        elif self._hello is None or lane.number != 0 or told.get("re") != self._hello.number:
            await browser.text(piece.body)
        else:
            self._hello = None
            await browser.text(text({**told, **self._greeting()}).body)

    def _greeting(self) -> dict[str, Any]:
        """What the server adds to the answer to hello."""
        return {"session": self.name, "resumed": self._resumed, "version": __version__}

    async def _lose(self, lane: Lane) -> None:
        """A process has ended by itself: say so, and start the lane again, unless that was in vain."""
        why = f"the process of {NAMES[lane.number]} {lane.worker.ending}"
        await lane.worker.end()
        restart = lane.may_restart(self._limits)
        if restart:
            try:
                lane.take(await self._spare.take())
            except OSError as error:
                restart, why = False, f"{why}. No other can be started: {error}"
        if restart:
            await self._refuse(lane, why, beginning=False)
            self._tell_all(lane)
            await self._say("lost", lane, message=f"{why}. It was started again from its settings.")
        else:
            await self._give_up(lane, f"{why}. It has ended for good: that was once too often in a minute.")

    async def _give_up(self, lane: Lane, message: str) -> None:
        lane.lost = True
        if lane.number == 1:
            self.lanes.pop(1, None)
        else:
            hello, self._hello = self._hello, None
            await self._answer(None if hello is None else hello.number, error=message)
        await self._refuse(lane, message)
        await self._say("running", lane, running=False)
        await self._say("lost", lane, message=message)

    async def _refuse(self, lane: Lane, why: str, beginning: bool = True) -> None:
        """Answer what a process was asked and will not answer; what made the lane only if that does not go on."""
        numbers = [message.number for message in lane.unanswered()]
        for number in (*numbers, lane.beginning if beginning else None):
            await self._answer(number, error=why)

    async def _answer(self, number: int | None, **fields: Any) -> None:
        if self.browser is not None and number is not None:
            await self.browser.answer(number, **fields)

    async def _say(self, event: str, lane: Lane, **fields: Any) -> None:
        if self.browser is not None:
            await self.browser.event(event, lane=lane.number, **fields)


def _brings_data(message: Message) -> bool:
    """Whether a message may bring data that cannot be made again from the settings."""
    name = message.fields.get("name")
    file = message.do == "import" and isinstance(name, str) and name.lower().endswith((".csv", ".json"))
    return file or message.do == "points"
