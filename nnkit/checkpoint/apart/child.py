"""The process that reads a file for another one: it answers questions about it until nobody asks any more."""

from __future__ import annotations

import io
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from nnkit.checkpoint.apart import wire
from nnkit.checkpoint.apart.limits import LONGEST_ERROR, confine
from nnkit.checkpoint.container import Container, opened_stream
from nnkit.errors import FileError

Answer = Callable[..., Any]
ANSWERS: dict[str, Answer] = {
    "text": Container.text,
    "whole_number": Container.whole_number,
    "has": Container.has,
    "holds": Container.holds,
    "listed": Container.listed,
    "top": lambda file, expected: sorted(file.top(expected)),
    "check_top": lambda file, names: file.check_top(set(names)),
    "check_tree": lambda file, leaves, groups, fix: file.check_tree(set(leaves), set(groups), fix),
    "check_sizes": lambda file, shapes, dtype, fix: file.check_sizes(
        {place: tuple(shape) for place, shape in shapes.items()}, dtype, fix=fix
    ),
    "numbers": Container.numbers,
}
"""What may be asked; what the parent makes of the answers is in ``remote``."""


def main() -> None:
    """Read the file whose handle is the first argument; questions come in on standard input."""
    write = _answers_alone()
    handle = int(sys.argv[1])
    size = os.fstat(handle).st_size
    path = Path(json.loads(_asked()))
    stream = io.FileIO(handle, "r")
    _warm_up()
    confine(size)
    try:
        with opened_stream(path, stream, size) as file:
            wire.sent(write, wire.PLAIN, b"null")
            while question := _asked():
                _reply(write, file, *json.loads(question))
    except Exception as error:
        _failed(write, error)
    os._exit(0)


def _answers_alone() -> Callable[[memoryview], int]:
    """Writes to what was standard output, where nothing else is written any more."""
    handle = os.dup(1)
    os.dup2(2, 1)
    return lambda data: os.write(handle, data)


def _asked() -> bytes:
    """The next question; nothing at the end."""
    data = b""
    while len(data) < wire.HEAD.size:
        if not (more := os.read(0, wire.HEAD.size - len(data))):
            return b""
        data += more
    _, size = wire.HEAD.unpack(data)
    parts, left = [], size
    while left and (more := os.read(0, left)):
        parts.append(more)
        left -= len(more)
    return b"".join(parts)


def _reply(write: Callable[[memoryview], int], file: Container, name: str, arguments: list[Any]) -> None:
    try:
        found = ANSWERS[name](file, *arguments)
    except Exception as error:
        _failed(write, error)
        return
    if isinstance(found, bytes):
        wire.sent(write, wire.RAW, found)
    elif isinstance(found, np.ndarray):
        wire.sent(write, wire.RAW, memoryview(found.reshape(-1).view(np.uint8)))  # type: ignore[arg-type]
    else:
        wire.sent(write, wire.PLAIN, json.dumps(found).encode())


def _failed(write: Callable[[memoryview], int], error: Exception) -> None:
    """Say what went wrong, as far as there is memory for it."""
    if isinstance(error, MemoryError):
        wire.sent(write, wire.FULL)
    elif isinstance(error, FileError):
        wire.sent(write, wire.REFUSED, str(error).encode("utf-8", "backslashreplace")[:LONGEST_ERROR])
    else:
        raise error


def _warm_up() -> None:
    """Whatever is imported or opened when it is first needed: it cannot be later."""
    import codecs

    import h5py

    for name in ("ascii", "utf-8"):
        codecs.lookup(name)
    with h5py.File(memory := io.BytesIO(), "w") as file:
        file.create_dataset("x", data=np.ones((4, 4)), chunks=(2, 2), compression="gzip", shuffle=True)
        file["text"] = np.array(b"text").astype(h5py.string_dtype("utf-8", 4))
        file["link"] = h5py.SoftLink("/x")
        file["objects"] = np.array(["x"], dtype=object)
    with opened_stream(Path("warm-up"), memory, len(memory.getvalue())) as again:
        for ask in (again.text, lambda place: again.numbers(place, "")):
            for place in ("x", "text", "link", "objects", "absent"):
                try:
                    ask(place)
                except FileError as error:
                    str(error)
