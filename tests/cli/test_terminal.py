"""The look in a real terminal: bold labels, one redrawn line, nothing wider than the terminal, and NO_COLOR."""

from __future__ import annotations

import os
import re
import struct
import subprocess
import sys

import pytest

pytest.importorskip("pty", reason="there are no pseudo-terminals on this system")

COMMAND = [sys.executable, "-m", "nnkit", "train", "--data", "moons", "--epochs", "3", "--hidden", "8"]


def test_labels_are_bold_and_progress_is_one_line(environment: dict[str, str]) -> None:
    shown = _in_terminal(environment | {"TERM": "xterm"}, columns=110)
    assert "\x1b[1mtime" in shown
    assert "\x1b[1mdevice" in shown
    assert re.search(r"\repoch 3/3  \[█+\]", shown)
    assert shown.count("\nepoch") == 0


def test_no_color_is_respected(environment: dict[str, str]) -> None:
    assert "\x1b" not in _in_terminal(environment | {"TERM": "xterm", "NO_COLOR": "1"}, columns=80)
    assert "\x1b" not in _in_terminal(environment | {"TERM": "dumb"}, columns=80)


def test_a_narrow_terminal(environment: dict[str, str]) -> None:
    shown = _in_terminal(environment | {"TERM": "xterm"}, columns=40)
    before_commands = re.sub(r"\x1b\[\d+m", "", shown.partition("what to try next")[0])
    assert max(len(line) for line in re.split("[\r\n]+", before_commands)) <= 40


def test_a_pipe_gets_plain_text(environment: dict[str, str]) -> None:
    done = subprocess.run(COMMAND, capture_output=True, text=True, env=environment | {"TERM": "xterm"}, check=True)
    assert "\x1b" not in done.stdout + done.stderr
    assert "\r" not in done.stdout + done.stderr


def _in_terminal(environment: dict[str, str], columns: int) -> str:
    """Everything that the command shows in a terminal of this width."""
    import fcntl
    import pty
    import termios

    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    process = subprocess.Popen(COMMAND, stdin=theirs, stdout=theirs, stderr=theirs, env=environment)
    os.close(theirs)
    shown = b""
    try:
        while piece := os.read(ours, 65536):
            shown += piece
    except OSError:  # Linux says so when the other end is closed
        pass
    os.close(ours)
    assert process.wait(timeout=60) == 0, shown
    return shown.decode("utf-8")
