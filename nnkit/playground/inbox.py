"""What arrives while a network trains: messages in their order, and leave to send frames."""

from __future__ import annotations

import json
import os
from collections import deque
from collections.abc import Callable, Collection
from threading import Condition, Thread
from typing import Any, BinaryIO

from nnkit.playground import wire

Message = dict[str, Any]
AHEAD = 2
"""Frames that may be under way."""


class Inbox:
    """Read by a thread, so that training can look whether something is there; the process ends with the pipe."""

    def __init__(self, pipe: BinaryIO) -> None:
        self._pipe = pipe
        self._messages: deque[Message | Callable[[], None]] = deque()
        self._changed = Condition()
        self._sent = self._seen = 0
        self._away = False

    def start(self) -> None:
        """Begin to read."""
        Thread(target=self._read, daemon=True).start()

    def __bool__(self) -> bool:
        return bool(self._messages)

    def put(self, what: Message | Callable[[], None]) -> None:
        """Have something done when its turn comes."""
        with self._changed:
            self._messages.append(what)
            self._changed.notify_all()

    def take(self, kinds: Collection[str] | None = None) -> Message | Callable[[], None] | None:
        """The next message, or what else is to be done; with ``kinds`` only if it is one of these messages."""
        with self._changed:
            if not self._messages:
                return None
            first = self._messages[0]
            if kinds is not None and (callable(first) or first["do"] not in kinds):
                return None
            return self._messages.popleft()

    def wait(self, seconds: float | None, leave: bool = False) -> None:
        """Wait for a message, or with ``leave`` also for leave to send a frame."""
        with self._changed:
            self._changed.wait_for(lambda: self._messages or (leave and self.may_send), seconds)

    @property
    def may_send(self) -> bool:
        """Whether the page has drawn enough of the frames that were sent."""
        return self._sent - self._seen < AHEAD and not self._away

    def next_frame(self) -> int:
        """The number of a frame that is sent now."""
        self._sent += 1
        return self._sent

    def _read(self) -> None:
        while (message := wire.read(self._pipe)) is not None:
            self._arrived(_message(*message))
        os._exit(0)  # nobody is there any more, whatever the main thread does

    def _arrived(self, message: Message) -> None:
        with self._changed:
            if message["do"] == "seen":
                self._seen = max(self._seen, min(self._sent, _whole(message.get("frame"))))
                self._changed.notify_all()
                return
            self._away = message["do"] == "away"
            if message.get("resumed") or message["do"] == "again":
                self._seen = self._sent  # frames that were under way are lost
        self.put(message)


def _message(kind: int, content: bytes) -> Message:
    """A message with what came with it; the server has seen to its form."""
    if kind == wire.TEXT:
        found: Message = json.loads(content)
        return found
    (size,) = wire.LENGTH.unpack_from(content)
    head: Message = json.loads(content[wire.LENGTH.size : wire.LENGTH.size + size])
    return head | {"content": content[wire.LENGTH.size + size :]}


def _whole(value: Any) -> int:
    return value if type(value) is int else 0
