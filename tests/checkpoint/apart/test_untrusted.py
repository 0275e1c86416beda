"""``untrusted=True``: the same networks, the same errors, from a process of its own."""

from __future__ import annotations

import inspect
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nnkit
from nnkit.checkpoint.apart import child, remote
from nnkit.checkpoint.container import Container
from nnkit.checkpoint.readable import Readable
from nnkit.errors import ArgumentError, FileError
from tests.checkpoint.files import ROWS, WEIGHT, edited, replace, small
from tests.checkpoint.hostile.case import Case
from tests.checkpoint.hostile.table import CASES
from tests.checkpoint.hostile.test_cases import placed
from tests.checkpoint.test_into import Mixed

pytestmark = pytest.mark.skipif(os.name != "posix", reason="limits are as POSIX has them")
QUICK = (11, 19, 23, 36, 41, 50)
FIRST = {case.number: case for case in reversed(CASES) if not case.warns and case.number != 7}
LAST = {case.number: case for case in CASES if not case.warns}


def test_the_same_network(saved: Path) -> None:
    net, plain = nnkit.load(saved, untrusted=True), nnkit.load(saved)
    assert np.array_equal(net.predict(ROWS), plain.predict(ROWS))
    assert (net.seed, net.dtype, net.input_shape, net.classes) == (plain.seed, plain.dtype, plain.input_shape, None)


def test_with_a_module_of_ones_own(tmp_path: Path) -> None:
    """Scalars and empty arrays too."""
    net = nnkit.Network(Mixed(), input_shape=(3,), dtype="float64", seed=2)
    net.save(tmp_path / "net.h5")
    again = nnkit.load(tmp_path / "net.h5", into=Mixed(), untrusted=True)
    assert np.array_equal(again.predict(ROWS), net.predict(ROWS))
    with pytest.raises(FileError, match=r"has /parameters/nothing, .*; build into=Sequential\(…\) as it was when the"):
        nnkit.load(tmp_path / "net.h5", into=small().module, untrusted=True)


def test_packed_arrays(saved: Path) -> None:
    values = small().parameters()["layers.0.weight"]
    edited(saved, lambda f: replace(f, WEIGHT, values, compression="gzip", shuffle=True, chunks=(2, 3)))
    assert np.array_equal(nnkit.load(saved, untrusted=True).predict(ROWS), small().predict(ROWS))


def test_more_than_the_pipe_holds(tmp_path: Path) -> None:
    net = nnkit.FeedForward(inputs=1000, hidden=[2000], outputs=3, seed=3)
    net.save(tmp_path / "net.h5")
    again = nnkit.load(tmp_path / "net.h5", untrusted=True)
    assert all(np.array_equal(value, again.parameters()[name]) for name, value in net.parameters().items())


def test_nan_is_refused(saved: Path) -> None:
    edited(saved, lambda file: file[WEIGHT].write_direct(np.full((3, 4), np.nan, np.float32)))
    with pytest.raises(
        FileError, match=f"/{WEIGHT} holds 12 NaN and 0 infinite of 12 values; nnkit saves none, so that"
    ):
        nnkit.load(saved, untrusted=True)


def _check_same(case: Case, folder: Path) -> None:
    """The message, word by word, with what h5py says of a stream in place of a path."""
    small().save(folder / "good.h5")
    path = placed(folder / "case", (folder / "good.h5").read_bytes(), case.make)
    said = []
    for untrusted in (False, True):
        with pytest.raises(FileError) as caught:
            nnkit.load(path, untrusted=untrusted)
        said.append(str(caught.value).partition("cannot be read (")[0])
    assert said[0] == said[1]


@pytest.mark.parametrize("number", QUICK)
def test_the_same_errors(number: int, tmp_path: Path) -> None:
    _check_same(LAST[number], tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("case", [*FIRST.values(), *LAST.values()], ids=lambda case: case.name)
def test_the_same_errors_for_every_number(case: Case, tmp_path: Path) -> None:
    _check_same(case, tmp_path)


def test_files_that_are_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(FileError, match=r"absent.h5 does not exist; check the name and the folder"):
        nnkit.load(tmp_path / "absent.h5", untrusted=True)
    monkeypatch.setattr(remote, "check_file", lambda path: 100)  # and then another file takes its place
    (os.mkfifo if hasattr(os, "mkfifo") else Path.mkdir)(tmp_path / "pipe")
    with pytest.raises(FileError, match=r"pipe is no ordinary file; give the name of a file that net.save wrote"):
        nnkit.load(tmp_path / "pipe", untrusted=True)
    with pytest.raises(FileError, match=r"absent.h5 cannot be read: No such file or directory; check its permissions"):
        nnkit.load(tmp_path / "absent.h5", untrusted=True)


def test_other_formats_are_read_here(tmp_path: Path) -> None:
    with pytest.raises(
        ArgumentError, match=r"untrusted=True is for files that net.save wrote, .*'net.onnx' \(ONNX\) is"
    ):
        nnkit.load(tmp_path / "net.onnx", untrusted=True)


def test_nothing_stays_open(saved: Path) -> None:
    if not os.path.isdir("/proc/self/fd"):
        pytest.skip("the system does not list open files")
    before = len(os.listdir("/proc/self/fd"))
    nnkit.load(saved, untrusted=True)
    saved.write_bytes(saved.read_bytes()[:-1])
    with pytest.raises(FileError):
        nnkit.load(saved, untrusted=True)
    assert len(os.listdir("/proc/self/fd")) == before


def test_a_module_beside_the_script_does_not_take_the_place_of_a_library(saved: Path) -> None:
    """The folder that one is in is not where the process looks for modules."""
    (saved.parent / "h5py.py").write_text("raise SystemExit(7)")
    root = Path(__file__).parents[3]
    code = (
        f"import sys; sys.path[1:1] = {[str(root), str(root / 'backends')]}; import h5py, nnkit, os; sys.path[0] = '';"
    )
    code += f"os.chdir({str(saved.parent)!r}); print(nnkit.load('net.h5', untrusted=True).seed)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd="/", check=False)
    assert (done.stdout, done.stderr) == ("1\n", "")


def test_from_the_folder_of_the_checkout(saved: Path) -> None:
    """Where ``import nnkit`` finds it in the folder that one is in."""
    root = Path(__file__).parents[3]
    code = f"import sys; sys.path.append({str(root / 'backends')!r}); import nnkit; "
    code += f"print(nnkit.load({str(saved)!r}, untrusted=True).seed)"
    plain = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=root, env=plain, check=False
    )
    assert (done.stdout, done.stderr) == ("1\n", "")


def test_whatever_the_container_can_can_be_asked() -> None:
    """A new method of one needs its twin: a row in ``child``, a method in ``remote`` that checks the answer."""

    def public(kind: Any) -> dict[str, str]:
        return {
            name: str(inspect.signature(thing))
            for name, thing in vars(kind).items()
            if not name.startswith("_") and callable(thing)
        }

    elsewhere = {"shape", "walked"}  # for the files of other tools, which are read in this process
    assert {name: text for name, text in public(Container).items() if name not in elsewhere} == public(remote.Remote)
    assert public(Container).items() >= public(Readable).items()
    assert child.ANSWERS.keys() == public(remote.Remote).keys() - {"refused", "check_digest", "pieces"}
