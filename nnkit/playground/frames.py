"""The bytes of a frame; ``docs/PLAYGROUND.md`` has the layout."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

FRAME, FILE, VERSION = 1, 2, 1
OUTPUT, CLASS, MAPS, PARAMETERS, GRADIENTS, LARGE, CONFUSION, ACTIVATIONS, FIGURES = range(1, 10)
_HEAD = struct.Struct("<BBHIddddddfI")
_SECTION = struct.Struct("<II")
_FILE = struct.Struct("<BBHI")


@dataclass(frozen=True)
class Frame:
    """What a page draws of one moment.

    ``figures`` are the losses of the training and the test rows, and the accuracy or R² of both.
    """

    lane: int
    number: int
    step: int
    epoch: float
    figures: tuple[float, float, float, float]
    steps_per_s: float
    sections: dict[int, bytes] = field(default_factory=dict)

    def written(self) -> bytes:
        """As bytes."""
        head = _HEAD.pack(
            FRAME, self.lane, VERSION, self.number, self.step, self.epoch, *self.figures, self.steps_per_s,
            len(self.sections),
        )  # fmt: skip
        parts = [head]
        for kind, content in self.sections.items():
            parts += [_SECTION.pack(kind, len(content)), content, bytes(-len(content) % 4)]
        return b"".join(parts)

    @classmethod
    def read(cls, data: bytes) -> Frame:
        """From bytes.

        >>> frame = Frame(0, 1, 50, 2.0, (0.5, 0.6, 1.0, 0.9), 1000.0, {PARAMETERS: bytes(6)})
        >>> Frame.read(frame.written()) == frame
        True
        """
        _, lane, _, number, step, epoch, *figures, speed, count = _HEAD.unpack_from(data)
        place, sections = _HEAD.size, {}
        for _ in range(count):
            kind, size = _SECTION.unpack_from(data, place)
            place += _SECTION.size
            sections[kind] = data[place : place + size]
            place += size + -size % 4
        return cls(lane, number, int(step), epoch, tuple(figures), speed, sections)


def head_of_file(data: bytes) -> bytes:
    """The JSON head of a file for the page; empty where the bytes are something else.

    >>> head_of_file(file(0, b'{"re":1}', b"content")), head_of_file(b"abc")
    (b'{"re":1}', b'')
    """
    if data[:1] != bytes([FILE]) or len(data) < _FILE.size:
        return b""
    *_, size = _FILE.unpack_from(data)
    return data[_FILE.size : _FILE.size + size]


def file(lane: int, head: bytes, content: bytes) -> bytes:
    """A file for the page; ``head`` is JSON."""
    return _FILE.pack(FILE, lane, VERSION, len(head)) + head + content
