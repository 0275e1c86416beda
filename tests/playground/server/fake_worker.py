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
        if message["do"] == "draw":
            if act(message["pixels"]):
                continue
        elif message["do"] == "begin":
            begun(message["settings"])
        if message["do"] == "seen":
            continue
        if refused(message):
            say({"re": message["id"], "error": f"{message['name']} is no table"})
            continue
        settings |= message.get("settings", {}) | kind_of_data(message)
        if "id" in message:
            answer = {"re": message["id"], "ok": True, "settings": settings, "pid": os.getpid(), "heard": heard}
            say(answer)
        else:
            say({"event": "told", "lane": message["lane"], "heard": message, "pid": os.getpid()})
    while stubborn:
        time.sleep(1)


def kind_of_data(message: dict[str, Any]) -> dict[str, Any]:
    """What comes to be the data."""
    if message["do"] == "points":
        return {"data": "drawn"}
    name = message.get("name", "").lower()
    if name.endswith(".json"):
        return dict(json.loads(message["content"]))
    return {"data": "table"} if name.endswith(".csv") else {}


def refused(message: dict[str, Any]) -> bool:
    """Whether it is a file that this network does not take."""
    name = message.get("name", "")
    return name.startswith("bad") or (name.startswith("for the first") and message["lane"] == 1)


def begun(settings: dict[str, Any]) -> None:
    """What a second network does at its start: hang, die, or die where a file was not there yet."""
    if settings.get("hangs"):
        time.sleep(600)
    once = settings.get("dies_once")
    if settings.get("dies") or (once and not os.path.exists(once)):
        if once:
            os.close(os.open(once, os.O_CREAT))
        os.kill(os.getpid(), signal.SIGKILL)


def act(wish: Any) -> bool:
    """Misbehave, or say much; whether that was the answer."""
    match wish:
        case {"answer": number}:
            head = json.dumps({"re": number}).encode()
            send(1, b"\x02\x00\x01\x00" + struct.pack("<I", len(head)) + head)
            return True
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
    return False


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
