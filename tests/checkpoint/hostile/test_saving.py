"""57 to 60 of the list: whatever ends a save, there is a whole file afterwards."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import nnkit
from nnkit.errors import FileError
from tests.checkpoint.files import ROWS

ROOT = Path(__file__).parents[3]
PREDICTED = {seed: nnkit.FeedForward(inputs=3, hidden=[50], outputs=2, seed=seed).predict(ROWS) for seed in (1, 2)}

KILLED = """
import os, signal, sys
import nnkit
from nnkit.checkpoint.stream import Stream

net = nnkit.FeedForward(inputs=3, hidden=[50], outputs=2, seed=2)
steps = {"write": 0, "replace": 0}
tried, replace = Stream._tried, os.replace

def step(kind, last):
    steps[kind] += 1
    if sum(steps.values()) == last:
        os.kill(os.getpid(), signal.SIGKILL)

def killed_at(last):
    def write(stream, action, *arguments):
        if action.__name__ == "write":
            step("write", last)
        return tried(stream, action, *arguments)
    def renamed(*arguments):
        step("replace", last)
        replace(*arguments)
        step("replace", last)
    Stream._tried, os.replace = write, renamed
    net.save(sys.argv[1])

last = 0
while True:
    last += 1
    child = os.fork()
    if not child:
        killed_at(last)
        os._exit(0)
    status = os.waitpid(child, 0)[1]
    seed = nnkit.load(sys.argv[1]).seed
    print(last, os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0, seed, flush=True)
    if not os.WIFSIGNALED(status):
        break
"""
SAVER = """
import sys, nnkit
net = nnkit.FeedForward(inputs=3, hidden=[50], outputs=2, seed=int(sys.argv[2]))
print("ready", flush=True)
sys.stdin.readline()
for _ in range(40):
    net.save(sys.argv[1])
"""


def _started(code: str, *words: str) -> subprocess.Popen[str]:
    paths = os.pathsep.join([str(ROOT), str(ROOT / "backends")])
    return subprocess.Popen(
        [sys.executable, "-W", "ignore::DeprecationWarning", "-c", code, *words],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": paths},
    )


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system cannot fork")
def test_57_killed_at_any_write(tmp_path: Path) -> None:
    """A full disk is in ``test_saving`` beside this folder."""
    path = tmp_path / "net.h5"
    nnkit.FeedForward(inputs=3, hidden=[50], outputs=2, seed=1).save(path)
    said = _started(KILLED, str(path)).communicate(timeout=120)[0].splitlines()
    found = [tuple(map(int, line.split())) for line in said]
    killed = [seed for _, signal, seed in found if signal == 9]
    assert len(killed) > 15
    assert killed == [1] * (len(killed) - 1) + [2]  # the last one was after the new file had taken its place
    assert found[-1][1:] == (0, 2)


def test_58_two_savers_at_once(tmp_path: Path) -> None:
    path = tmp_path / "net.h5"
    savers = [_started(SAVER, str(path), str(seed)) for seed in PREDICTED]
    for saver in savers:
        assert saver.stdout is not None
        assert saver.stdout.readline() == "ready\n"
    nnkit.FeedForward(inputs=3, hidden=[50], outputs=2, seed=1).save(path)
    for saver in savers:
        print(file=saver.stdin, flush=True)
    seen = set()
    while any(saver.poll() is None for saver in savers):
        net = nnkit.load(path)
        assert np.array_equal(net.predict(ROWS), PREDICTED[net.seed])
        seen.add(net.seed)
    for saver in savers:
        assert saver.communicate(timeout=60)[0] == ""
        assert saver.returncode == 0
    assert seen <= {1, 2}
    assert os.listdir(tmp_path) == ["net.h5"]


def test_59_a_target_that_is_read_only(saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = saved.read_bytes()
    saved.chmod(0o444)
    if os.access(saved, os.W_OK):  # for the administrator everything may be written
        monkeypatch.setattr(os, "access", lambda path, mode: not mode & os.W_OK)
    with pytest.raises(FileError, match=r"net.h5 is write-protected; save under another name, or allow writing to it"):
        nnkit.FeedForward(inputs=3, outputs=2).save(saved)
    assert saved.read_bytes() == before
    assert os.listdir(saved.parent) == ["net.h5"]


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights there")
def test_60_a_symbolic_link_as_target(saved: Path, tmp_path: Path) -> None:
    link, nowhere = tmp_path / "link.h5", tmp_path / "nowhere.h5"
    link.symlink_to("net.h5")
    nowhere.symlink_to("absent.h5")
    for place, real in ((link, saved), (nowhere, tmp_path / "absent.h5")):
        net = nnkit.FeedForward(inputs=3, hidden=[50], outputs=2, seed=2)
        net.save(place)
        assert place.is_symlink()
        assert not real.is_symlink()
        assert np.array_equal(nnkit.load(real).predict(ROWS), PREDICTED[2])
