"""A worker in a process of its own, spoken to as the server does."""

from __future__ import annotations

import json
import struct
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import Condition, Thread
from typing import Any

from nnkit.playground import wire
from nnkit.playground.frames import FILE, Frame

PATIENCE_S = 30


class Talk:
    """Keeps all that came, and acknowledges frames unless told otherwise."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "nnkit.playground.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        self.messages: list[dict[str, Any]] = []
        self.frames: list[Frame] = []
        self.files: list[tuple[dict[str, Any], bytes]] = []
        self.seeing = True
        self._arrived = Condition()
        self._number = 0
        Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        assert self.process.stdout is not None
        while (message := wire.read(self.process.stdout)) is not None:
            kind, content = message
            with self._arrived:
                if kind == wire.TEXT:
                    self.messages.append(json.loads(content) | {"frames before": len(self.frames)})
                elif content[0] == FILE:
                    (size,) = struct.unpack_from("<I", content, 4)
                    self.files.append((json.loads(content[8 : 8 + size]), content[8 + size :]))
                else:
                    self.frames.append(Frame.read(content))
                    if self.seeing:
                        self.say(do="seen", frame=self.frames[-1].number)
                self._arrived.notify_all()

    def say(self, **message: Any) -> None:
        self._write(wire.TEXT, json.dumps(message).encode())

    def _write(self, kind: int, content: bytes) -> None:
        assert self.process.stdin is not None
        with suppress(BrokenPipeError, ValueError):  # it has ended; tests see that elsewhere
            wire.write(self.process.stdin, kind, content)

    def ask(self, do: str, **more: Any) -> dict[str, Any]:
        """The answer."""
        self._number += 1
        number = self._number
        self.say(do=do, id=number, **more)
        return self._answer(number)

    def upload(self, name: str, content: bytes) -> dict[str, Any]:
        """The answer to a file."""
        self._number += 1
        head = json.dumps({"id": self._number, "do": "import", "name": name}).encode()
        self._write(wire.BINARY, struct.pack("<I", len(head)) + head + content)
        return self._answer(self._number)

    def _answer(self, number: int) -> dict[str, Any]:
        def found() -> list[dict[str, Any]]:
            return [message for message in self.messages if message.get("re") == number]

        self.until(lambda: bool(found()))
        return found()[0]

    def export(self, form: str) -> tuple[dict[str, Any], bytes]:
        """The file."""
        before = len(self.files)
        self._number += 1
        self.say(do="export", id=self._number, format=form)
        self.until(lambda: len(self.files) > before)
        return self.files[-1]

    def event(self, name: str, after: int = 0) -> dict[str, Any]:
        """The latest event of that name among the messages after the first so many."""

        def found() -> list[dict[str, Any]]:
            return [message for message in self.messages[after:] if message.get("event") == name]

        self.until(lambda: bool(found()))
        return found()[-1]

    def frame(self) -> Frame:
        """The next one."""
        before = len(self.frames)
        self.until(lambda: len(self.frames) > before)
        return self.frames[-1]

    def still(self) -> Frame:
        """The network at rest: the frame that follows when it has been told to pause."""
        before = self.ask("pause")["frames before"]
        self.until(lambda: len(self.frames) > before)
        return self.frames[-1]

    def until(self, holds: Callable[[], bool]) -> None:
        with self._arrived:
            if not self._arrived.wait_for(holds, PATIENCE_S):
                raise AssertionError(f"it did not come; the last messages are {str(self.messages[-3:])[:2000]}")

    def set(self, **settings: Any) -> dict[str, Any]:
        return self.ask("set", settings=settings)

    def end(self) -> int:
        assert self.process.stdin is not None
        self.process.stdin.close()
        try:
            return self.process.wait(10)
        finally:
            self.process.kill()
            for pipe in (self.process.stdout, self.process.stderr):
                assert pipe is not None
                pipe.close()


@contextmanager
def talk(**settings: Any) -> Iterator[Talk]:
    """A worker that has begun."""
    made = Talk()
    try:
        made.ask("begin", lane=0, settings=settings)
        yield made
    finally:
        made.end()
