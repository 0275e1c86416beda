"""The files for TensorBoard, read back by a reader of their own and by TensorBoard where it is installed."""

from __future__ import annotations

import math
import os
import struct
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nnkit.callbacks import TensorBoardLog
from nnkit.errors import FileError
from nnkit.training.callbacks import event_file
from tests.training.small import blobs, fit, network

X, Y = blobs(50)


def crc32c(data: bytes) -> int:
    """CRC-32C by its definition, bit by bit."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def unmasked(crc: int) -> int:
    turned = (crc - 0xA282EAD8) & 0xFFFFFFFF
    return (turned << 15 | turned >> 17) & 0xFFFFFFFF


def records_of(path: Path) -> Iterator[bytes]:
    data = path.read_bytes()
    while data:
        (length,) = struct.unpack("<Q", data[:8])
        (first,) = struct.unpack("<I", data[8:12])
        assert unmasked(first) == crc32c(data[:8])
        body = data[12 : 12 + length]
        (second,) = struct.unpack("<I", data[12 + length : 16 + length])
        assert unmasked(second) == crc32c(body)
        yield body
        data = data[16 + length :]


def fields_of(data: bytes) -> Iterator[tuple[int, Any]]:
    """Number and value of each field of a message."""
    at = 0

    def varint() -> int:
        nonlocal at
        number = shift = 0
        while True:
            byte = data[at]
            at += 1
            number |= (byte & 0x7F) << shift
            shift += 7
            if not byte & 0x80:
                return number

    while at < len(data):
        number, kind = divmod(varint(), 8)
        if kind == 0:
            yield number, varint()
            continue
        size = {1: 8, 5: 4}.get(kind) or varint()
        piece = data[at : at + size]
        at += size
        yield number, struct.unpack("<d" if kind == 1 else "<f", piece)[0] if kind in (1, 5) else piece


def scalars_of(folder: Path) -> dict[str, list[tuple[int, float]]]:
    """(step, value) of every scalar, by tag."""
    (path,) = folder.iterdir()
    assert path.name.startswith("events.out.tfevents.")
    first, *rest = [dict(fields_of(record)) for record in records_of(path)]
    assert first[3] == b"brain.Event:2"
    found: dict[str, list[tuple[int, float]]] = {}
    for event in rest:
        assert abs(event[1] - path.stat().st_mtime) < 60
        for _, value in fields_of(event[5]):
            scalar = dict(fields_of(value))
            found.setdefault(scalar[1].decode(), []).append((event[2], scalar[2]))
    return found


def board(tmp_path: Path) -> tuple[Any, Path]:
    folder = tmp_path / "runs" / "a"
    run = fit(network(), X, Y, epochs=300, validation_split=0.2, learning_rate=0.05, callbacks=TensorBoardLog(folder))
    return run, folder


def test_scalars_can_be_read_back(tmp_path: Path) -> None:
    run, folder = board(tmp_path)
    train, validation = scalars_of(folder / "train"), scalars_of(folder / "validation")
    assert set(train) == {"loss", "accuracy", "learning_rate"}
    assert set(validation) == {"loss", "accuracy"}
    for found, prefix in ((train, ""), (validation, "val_")):
        for name in ("loss", "accuracy"):
            assert [step for step, _ in found[name]] == list(range(1, 301))
            assert [value for _, value in found[name]] == np.float32(run.history[prefix + name]).tolist()
    assert train["learning_rate"][0] == (1, float(np.float32(0.05)))


def test_tensorboard_reads_the_same(tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what other libraries warn of is theirs
        reader = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator", exc_type=ImportError)
        run, folder = board(tmp_path)
        for part, prefix in (("train", ""), ("validation", "val_")):
            events = reader.EventAccumulator(str(folder / part))
            events.Reload()
            found = [(event.step, event.value) for event in events.Scalars("loss")]
            assert found == list(enumerate(np.float32(run.history[f"{prefix}loss"]).tolist(), start=1))


def test_without_validation_there_is_one_file(tmp_path: Path) -> None:
    fit(network(), X, Y, epochs=2, callbacks=TensorBoardLog(tmp_path))
    assert os.listdir(tmp_path) == ["train"]


def test_two_trainings_write_two_files(tmp_path: Path) -> None:
    for _ in range(2):
        fit(network(), X, Y, epochs=2, callbacks=TensorBoardLog(tmp_path))
    assert len(os.listdir(tmp_path / "train")) == 2


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(FileError, match=r"TensorBoardLog: the folder .* cannot be made: .*; choose another place"):
        fit(network(), X, Y, epochs=2, callbacks=TensorBoardLog(tmp_path / "file" / "a"))


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 1e300, -1e300, 0.0])
def test_values_beyond_float32(value: float, tmp_path: Path) -> None:
    file = event_file.EventFile(tmp_path)
    file.write(2**40, {"a": value})
    file.close()
    ((step, found),) = scalars_of(tmp_path)["a"]
    with np.errstate(over="ignore"):
        np.testing.assert_equal(found, float(np.float32(value)))
    assert step == 2**40


def test_without_a_learning_rate_it_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nnkit.training.loop.learning_rate", lambda *_: None)
    fit(network(), X, Y, epochs=1, callbacks=TensorBoardLog(tmp_path))
    assert set(scalars_of(tmp_path / "train")) == {"loss", "accuracy"}
