"""Stands in for a worker: says what it was told, and does what a test asks in ``draw``. Only the standard library."""

from __future__ import annotations

import json
import os
import signal
import struct
import subprocess
import sys
import time
from typing import Any, BinaryIO

HEAD = struct.Struct("<IB")
SLEEP = "import time; time.sleep(600)"


def main(stubborn: bool) -> None:
    """Serve standard input until it ends; a stubborn one goes on after that."""
    heard: list[Any] = []
    settings: dict[str, Any] = {}
    while header := sys.stdin.buffer.read(HEAD.size):
        length, kind = HEAD.unpack(header)
        body = sys.stdin.buffer.read(length)
        if kind == 1:
            size = struct.unpack_from("<I", body)[0]
            message = {**json.loads(body[4 : 4 + size]), "content": body[4 + size :].decode()}
        else:
            message = json.loads(body)
        heard.append(message)
        settings |= message.get("settings", {}) | kind_of_data(message)
        if message["do"] == "draw":
            act(message["pixels"])
        if message["do"] == "seen":
            continue
        if "id" in message:
            say(
                {
                    "re": message["id"],
                    "ok": True,
                    "settings": settings,
                    "pid": os.getpid(),
                    "heard": heard,
                }
            )
        else:
            say({"event": "told", "lane": message["lane"], "heard": message, "pid": os.getpid()})
    while stubborn:
        time.sleep(1)


def kind_of_data(message: dict[str, Any]) -> dict[str, Any]:
    """What comes to be the data."""
    if message["do"] == "points":
        return {"data": "drawn"}
    return {"data": "table"} if message.get("name", "").endswith(".csv") else {}


def act(wish: Any) -> None:
    """Misbehave, or say much."""
    match wish:
        case {"exit": status}:
            print("something went wrong", file=sys.stderr, flush=True)
            os._exit(status)
        case "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        case "hang":
            time.sleep(600)
        case "garble":
            sys.stdout.write("hello, this is a print\n" * 3)
            sys.stdout.flush()
            time.sleep(600)
        case "child":
            child = subprocess.Popen([sys.executable, "-S", "-c", SLEEP])
            say({"event": "child", "pid": child.pid})
        case {"state": settings, "then_s": seconds}:
            say({"event": "state", "settings": settings})
            time.sleep(seconds)
        case {"frames": count, "bytes": size}:
            for number in range(count):
                send(1, struct.pack("<BBHI", 1, 0, 1, number) + bytes(size - 8))
        case {"file": size}:
            send(1, b"\x02" + bytes(size - 1))


def say(message: dict[str, Any]) -> None:
    """Send text."""
    send(0, json.dumps(message).encode())


def send(kind: int, body: bytes) -> None:
    """Send a message."""
    out: BinaryIO = sys.stdout.buffer
    out.write(HEAD.pack(len(body), kind) + body)
    out.flush()


if __name__ == "__main__":
    if "stubborn" in sys.argv:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    main("stubborn" in sys.argv)
