"""Runs cases in a process of its own and says of each what came of it, before the next one begins.

    python -m tests.checkpoint.fuzz.worker FOLDER SEED FIRST LAST

A case follows from the seed and its number alone.
"""

from __future__ import annotations

import json
import sys
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any

import h5py
import numpy as np

import nnkit
from nnkit.errors import ArgumentError, FileError, ShapeError
from tests.checkpoint.files import checksum_of, replace
from tests.checkpoint.fuzz import bytewise, structural, texts
from tests.checkpoint.fuzz.bases import Base, bases

KINDS = ("bytes", "bytes", "structure", "text")
LARGEST = 10_000  # values in a row for which a network that was loaded is asked to predict


def make(all_bases: list[Base], seed: int, number: int, path: Path) -> tuple[Base, str]:
    """Write the file of a case; every second one as an attacker would. Gives what it was, and how it was changed."""
    draw = Random(f"{seed} {number}")
    base, other, kind = draw.choice(all_bases), draw.choice(all_bases), draw.choice(KINDS)
    attacker = bool(number % 2)
    if kind == "bytes":
        path.write_bytes(bytewise.mutated(draw, base, other, attacker))
    else:
        path.write_bytes(base.data)
        with h5py.File(path, "r+") as file:
            (structural.mutated if kind == "structure" else texts.mutated)(draw, file)
            if attacker:
                _made_right(file)
    return base, f"{base.name}, {kind}{', sums made right' if attacker else ''}"


def _made_right(file: h5py.File) -> None:
    """Let the checksums agree with what then stands there."""
    sums: dict[str, str] = {}

    def noted(name: str, thing: Any) -> None:
        try:
            sums.update(checksum_of(name, thing))
        except Exception:  # what cannot be read has none
            sums[name] = ""

    file.visititems(noted)
    if isinstance(file.get("checksums"), h5py.Dataset):
        replace(file, "checksums", json.dumps(sums).encode())


def tried(path: Path, base: Base, expected: dict[str, Any]) -> dict[str, Any]:
    """Load the file and say what came of it."""
    into = None if base.into is None else base.into()
    # A module that is given is told what is wrong with it as everywhere; the shape of the input is the file's.
    fine = (FileError, ArgumentError) if into is None else (FileError, ArgumentError, ShapeError)
    try:
        net = nnkit.load(path, into=into)
        found = net._model.values()
        same = found.keys() == expected.keys() and all(np.array_equal(found[name], expected[name]) for name in found)
        if not same and int(np.prod(net.input_shape, dtype=object)) <= LARGEST:
            net.predict(np.zeros((2, *net.input_shape)))
    except fine as error:
        return {"outcome": "refused" if len(str(error)) > 20 else "no message", "said": str(error)[:300]}
    except Exception as error:
        return {"outcome": "wrong error", "said": f"{type(error).__name__}: {error}"[:300]}
    return {"outcome": "same values" if same else "other values"}


@contextmanager
def watched(answer: dict[str, Any]) -> Iterator[None]:
    """Adds seconds of work and the growth of the process at its highest."""
    _reset()
    before, start = _memory("VmRSS"), time.process_time()
    yield
    answer |= {"work_s": time.process_time() - start, "growth_mb": _memory("VmHWM") - before}


def _reset() -> None:
    if sys.platform == "linux":
        Path("/proc/self/clear_refs").write_text("5")


def _memory(figure: str) -> float:
    if sys.platform != "linux":
        return 0.0
    return int(Path("/proc/self/status").read_text().split(f"{figure}:")[1].split()[0]) / 1000


def main() -> None:
    """The cases from FIRST up to, but not, LAST."""
    folder, (seed, first, last) = Path(sys.argv[1]), map(int, sys.argv[2:5])
    warnings.simplefilter("ignore")
    found = bases(folder)
    expected = {}
    for base in found:
        path = folder / f"{base.name}.h5"
        expected[base.name] = nnkit.load(path, into=None if base.into is None else base.into())._model.values()
    path = folder / "case.h5"
    for number in range(first, last):
        print(json.dumps({"number": number}), flush=True)
        base, what = make(found, seed, number, path)
        print(json.dumps({"number": number, "what": what}), flush=True)
        answer: dict[str, Any] = {"number": number, "what": what}
        with watched(answer):
            answer |= tried(path, base, expected[base.name])
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
