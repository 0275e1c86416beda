"""Shows how far training is: a redrawn line in a terminal, a bar in a notebook, a few plain lines in a log file."""

from __future__ import annotations

import html
import importlib
import os
import shutil
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol, TextIO

from nnkit.measure.eta import RemainingTime
from nnkit.measure.units import clock_text, number_text, seconds_text

NEVER_S = float("inf")
NARROWEST_BAR, WIDEST_BAR = 6, 20
BLOCKS = " ▏▎▍▌▋▊▉█"  # eighths of a column
ASCII_BLOCKS = ".#"


@dataclass
class Frame:
    """What there is to show at one moment. `epoch` counts from 1, `step` is the steps done in it."""

    epochs: int
    steps: int
    epoch: int = 1
    step: int = 0
    values: Mapping[str, float] = field(default_factory=dict)
    elapsed_s: float = 0.0
    left_s: float | None = None

    @property
    def share(self) -> float:
        """How much of the whole training is done, 0 to 1."""
        whole = max(self.epochs * self.steps, 1)
        return min(((self.epoch - 1) * self.steps + self.step) / whole, 1.0)

    def head(self) -> str:
        """Return "epoch  3/30"; padded so that the line does not jump."""
        return f"epoch {self.epoch:{len(str(self.epochs))}}/{self.epochs}"

    def readings(self) -> list[str]:
        """Return "loss 0.1230", …"""
        return [f"{name} {number_text(value)}" for name, value in self.values.items()]

    def left(self) -> str:
        """Return "ETA 0:42", or the time so far where nothing is known or left."""
        if self.left_s is None or (self.share == 1.0 and self.left_s < 0.5):
            return seconds_text(self.elapsed_s)
        return f"ETA {clock_text(self.left_s)}"


class _Look(Protocol):
    """One way to show frames. What it raises when its stream is gone ends the display, not the training."""

    interval_s: float

    def step(self, frame: Frame) -> None:
        """Show a moment inside an epoch; called at most once per `interval_s`."""

    def epoch(self, frame: Frame) -> None:
        """Show the end of an epoch; called for every one."""

    def end(self, frame: Frame, message: str) -> None:
        """Show the last frame and the closing message."""


class _Terminal:
    """One line, redrawn in place and always shorter than the terminal is wide; it uses no colours and no codes."""

    interval_s = 0.1

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._blocks = BLOCKS if _can_write(stream, BLOCKS) else ASCII_BLOCKS
        self._drawn = 0

    def step(self, frame: Frame) -> None:
        room = _columns(self._stream) - 1
        line = self._line(frame, room)
        self._stream.write("\r" + line.ljust(min(self._drawn, room)))
        self._stream.flush()
        self._drawn = len(line)

    def epoch(self, frame: Frame) -> None:
        """Show nothing more: the line shows the new values as soon as it may be drawn again."""

    def end(self, frame: Frame, message: str) -> None:
        self.step(frame)
        self._stream.write(f"\n{message}\n" if message else "\n")
        self._stream.flush()
        self._drawn = 0

    def _line(self, frame: Frame, room: int) -> str:
        """Return the fullest line that fits: without steps, then without bar, then without the last values."""
        head, readings, left = frame.head(), frame.readings(), frame.left()
        count = f"{frame.step:{len(str(frame.steps))}}/{frame.steps}"
        for rest in ([count, *readings, left], [*readings, left]):
            width = min(room - len("  ".join([head, "[]", *rest])), WIDEST_BAR)
            if width >= NARROWEST_BAR:
                return "  ".join([head, _bar(frame.share, width, self._blocks), *rest])
        lines = ("  ".join([head, *readings[:kept], left]) for kept in range(len(readings), -1, -1))
        return next((line for line in lines if len(line) <= room), head[: max(room, 0)])


class _Log:
    """A line for an epoch, at most one in ten seconds, but always one for the first and for the last."""

    interval_s = 0.5
    pause_s = 10.0

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._due_s = 0.0
        self._kept: Frame | None = None

    def step(self, frame: Frame) -> None:
        """Show nothing: a log has no use for moments inside an epoch."""

    def epoch(self, frame: Frame) -> None:
        if frame.elapsed_s < self._due_s and frame.epoch < frame.epochs:
            self._kept = frame
            return
        self._write(frame)

    def end(self, frame: Frame, message: str) -> None:
        if self._kept is not None:
            self._write(self._kept)
        if message:
            self._stream.write(message + "\n")
            self._stream.flush()

    def _write(self, frame: Frame) -> None:
        self._stream.write("  ".join([frame.head(), *frame.readings(), frame.left()]) + "\n")
        self._stream.flush()
        self._kept, self._due_s = None, frame.elapsed_s + self.pause_s


class _Notebook:
    """A bar and the values in the output of a notebook's cell, updated in place."""

    interval_s = 0.25

    def __init__(self, display: Callable[..., Any]) -> None:
        self._display = display
        self._handle: Any = None

    def step(self, frame: Frame) -> None:
        self._show(_Picture(frame))

    def epoch(self, frame: Frame) -> None:
        """Show nothing more, as in a terminal."""

    def end(self, frame: Frame, message: str) -> None:
        self._show(_Picture(frame, message))

    def _show(self, picture: _Picture) -> None:
        if self._handle is None:
            self._handle = self._display(picture, display_id=True)
        else:
            self._handle.update(picture)


class _Silent:
    """Shows nothing."""

    interval_s = NEVER_S

    def step(self, frame: Frame) -> None:
        """Show nothing."""

    def epoch(self, frame: Frame) -> None:
        """Show nothing."""

    def end(self, frame: Frame, message: str) -> None:
        """Show nothing."""


class _Picture:
    """A frame as IPython shows it: HTML, or plain text where there is no HTML."""

    def __init__(self, frame: Frame, message: str = "") -> None:
        self._share = frame.share
        self._text = "  ".join([frame.head(), *frame.readings(), frame.left()])
        self._message = message

    def __repr__(self) -> str:
        return f"{self._text}\n{self._message}" if self._message else self._text

    def _repr_html_(self) -> str:
        bar = f'<progress value="{self._share:.4f}" max="1"></progress>'
        return f"<div>{bar} <code>{html.escape(self._text)}</code></div>" + (
            f"<div>{html.escape(self._message)}</div>" if self._message else ""
        )


class Progress:
    """Shows the progress of training where the user is looking.

    In a terminal one line is redrawn, at most ten times per second: bar, epoch, step, values, and the time left. In
    a notebook the same is an output that changes in place. Anything else (a file, a pipe, TERM=dumb) gets plain lines,
    one for an epoch and at most one in ten seconds, always with the first and the last epoch. No colours are used.
    A stream that breaks ends the display and never the training.

    Args:
        stream: where to write; standard error if None. A notebook is used only if this is None.
        enabled: False shows nothing.
        clock: seconds of a clock that does not run backwards.

    >>> now = iter(range(100))
    >>> progress = Progress(sys.stdout, clock=lambda: float(next(now)))
    >>> progress.begin(epochs=2, steps_per_epoch=1)
    >>> for epoch in (1, 2):
    ...     progress.update(epoch, 1, {"loss": 1 / epoch})
    ...     progress.epoch_end(epoch, {"loss": 1 / epoch})
    epoch 1/2  loss 1.000  ETA 0:02
    epoch 2/2  loss 0.5000  4 s
    >>> progress.end()
    """

    def __init__(
        self, stream: TextIO | None = None, enabled: bool = True, *, clock: Callable[[], float] = time.perf_counter
    ) -> None:
        self._stream, self._enabled, self._clock = stream, enabled, clock
        self._look: _Look = _Silent()
        self._due_s = NEVER_S
        self._begun_s = 0.0
        self._frame = Frame(0, 0)
        self._left = RemainingTime(0, 0, 0.0)
        self._kept: Mapping[str, float] = {}

    def begin(self, epochs: int, steps_per_epoch: int) -> None:
        """Start showing a training of `epochs` epochs with `steps_per_epoch` steps each."""
        now = self._clock()
        self._begun_s, self._kept = now, {}
        self._left = RemainingTime(epochs, steps_per_epoch, now)
        self._frame = Frame(epochs, steps_per_epoch)
        self._look = _choose(self._stream) if self._enabled else _Silent()
        self._due_s = now + self._look.interval_s
        self._show(self._look.step, self._frame)

    def update(self, epoch: int, step: int, values: Mapping[str, float]) -> None:
        """Tell that `step` steps of epoch `epoch` (from 1) are done; returns at once when it is too early to redraw."""
        now = self._clock()
        if now < self._due_s:
            return
        self._due_s = now + self._look.interval_s
        self._left.observe(epoch, step, now)
        earlier = {name: value for name, value in self._kept.items() if name not in values}
        self._move(epoch, step, {**values, **earlier}, now)
        self._show(self._look.step, self._frame)

    def epoch_end(self, epoch: int, values: Mapping[str, float]) -> None:
        """Tell that epoch `epoch` is over, validation included. What only `values` has stays in the line."""
        now = self._clock()
        self._left.end_epoch(epoch, now)
        self._kept = dict(values)
        self._move(epoch, self._frame.steps, self._kept, now)
        if now >= self._due_s:
            self._due_s = now + self._look.interval_s
            self._show(self._look.step, self._frame)
        self._show(self._look.epoch, self._frame)

    def end(self, message: str = "") -> None:
        """Show the final state and `message`, whether training came to its end or not."""
        last = replace(self._frame, elapsed_s=self._clock() - self._begun_s, left_s=None)
        self._show(self._look.end, last, message)
        self._look, self._due_s = _Silent(), NEVER_S

    def _move(self, epoch: int, step: int, values: Mapping[str, float], now: float) -> None:
        elapsed_s, left_s = now - self._begun_s, self._left.seconds(now)
        self._frame = Frame(self._frame.epochs, self._frame.steps, epoch, step, values, elapsed_s, left_s)

    def _show(self, draw: Callable[..., None], *what: object) -> None:
        try:
            draw(*what)
        except Exception:  # a broken pipe, a closed stream, a notebook that is gone: training goes on unseen
            self._look, self._due_s = _Silent(), NEVER_S


def _choose(stream: TextIO | None) -> _Look:
    """Pick the look that suits where the output goes."""
    display = _notebook_display() if stream is None else None
    if display is not None:
        return _Notebook(display)
    stream = stream or sys.stderr
    if stream is None:  # a program without a console
        return _Silent()
    return _Terminal(stream) if _redraws(stream) else _Log(stream)


def _notebook_display() -> Callable[..., Any] | None:
    """Return IPython's display function in a notebook. IPython is looked at only if the program runs in it."""
    ipython: Any = sys.modules.get("IPython")
    if ipython is None:
        return None
    try:
        kinds = type(ipython.get_ipython()).__mro__
        if not any(kind.__name__ == "ZMQInteractiveShell" for kind in kinds):
            return None
        display: Callable[..., Any] = importlib.import_module("IPython.display").display
    except Exception:  # some other thing of that name
        return None
    return display


def _redraws(stream: TextIO) -> bool:
    try:
        return stream.isatty() and os.environ.get("TERM") != "dumb"
    except (AttributeError, ValueError):  # closed, or not quite a stream
        return False


def _columns(stream: TextIO) -> int:
    try:
        columns = os.get_terminal_size(stream.fileno()).columns
    except (AttributeError, OSError, ValueError):
        columns = 0
    return columns or shutil.get_terminal_size().columns


def _can_write(stream: TextIO, text: str) -> bool:
    try:
        text.encode(stream.encoding or "ascii")
    except (AttributeError, LookupError, UnicodeError):
        return False
    return True


def _bar(share: float, width: int, blocks: str) -> str:
    """Return a bar of `width` columns; the column in which it ends shows its part by one of `blocks`."""
    parts = len(blocks) - 1
    full, part = divmod(int(share * width * parts), parts)
    edge = blocks[part] if full < width else ""
    return "[" + (blocks[-1] * full + edge).ljust(width, blocks[0]) + "]"
