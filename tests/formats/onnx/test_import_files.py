"""Files under the name of an ONNX network that are something else, damaged, or not there."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nnkit
from nnkit.errors import ArgumentError, DeviceError, FileError, MissingExtraError
from nnkit.formats.onnx import import_file, import_network
from tests.formats.onnx.graphs import loaded, model, node, weights

n = node


def small() -> Any:
    """3 inputs, 4 neurons, with an activation."""
    return model([n("Gemm", "x w b", "a"), n("Relu", "a", "y")], {"w": weights(3, 4), "b": weights(4)})


CONTENTS: dict[str, tuple[bytes, str]] = {
    "nothing": (b"", r"is empty; export the network again"),
    "a byte": (b"\x08", r"is damaged, or no ONNX file: it ends in the middle of a value, at byte 1"),
    "text": (b"hello, this is no network", r"is damaged, or no ONNX file: it "),
    "a page": (b"<!DOCTYPE html><html>Not found</html>", r"is a page of text, as a download that failed leaves one"),
    "JSON": (b'{"ir_version": 8}', r"is JSON text; export"),
    "HDF5": (b"\x89HDF\r\n\x1a\n" + bytes(100), r"is an HDF5 file, such as net\.save and Keras write"),
    "a zip": (b"PK\x03\x04" + bytes(100), r"is a zip archive, such as torch\.save and numpy\.savez write"),
    "a pickle": (b"\x80\x04\x95" + bytes(100), r"is a pickle, which is never read"),
    "an array": (b"\x93NUMPY\x01\x00" + bytes(100), r"is an array of NumPy"),
    "gzip": (b"\x1f\x8b\x08" + bytes(100), r"is packed with gzip; unpack it"),
    "Git LFS": (b"version https://git-lfs.github.com/spec/v1\noid", r"is a pointer of Git LFS; fetch the file"),
    "zeros": (bytes(1000), r"is no ONNX file: it says no version|is damaged"),
    "noise": (np.random.default_rng(0).bytes(4000), r"is damaged, or no ONNX file"),
}


@pytest.mark.parametrize(("content", "text"), CONTENTS.values(), ids=CONTENTS)
def test_other_files(content: bytes, text: str, tmp_path: Path) -> None:
    with pytest.raises(FileError, match=rf"net\.onnx {text}"):
        loaded(content, tmp_path)


def test_values_of_another_kind_than_the_format_has(tmp_path: Path) -> None:
    with pytest.raises(FileError, match=r"is damaged, or no ONNX file: it has values of other kinds than the format"):
        loaded(b"\x00\x00", tmp_path)


@pytest.mark.parametrize("name", [b"gemm_output", b"Gemm", b"transB", b"kernel", b"output", b"input"])
def test_names_that_are_not_text(name: bytes, tmp_path: Path) -> None:
    made = model([n("Gemm", "x kernel", "output", transB=1)], {"kernel": weights(4, 3)}, outputs=("output",))
    made.graph.input[0].name = made.graph.node[0].input[0] = "input"
    content = made.SerializeToString()
    changed = content.replace(name, b"\xff" * len(name))
    assert changed != content
    with pytest.raises(FileError, match=r"net\.onnx has a name that is not UTF-8, "):
        loaded(changed, tmp_path)


def test_what_nothing_expects(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def surprised(*arguments: Any) -> None:
        raise KeyError("c")

    monkeypatch.setattr(import_network, "Recogniser", surprised)
    with pytest.raises(
        FileError, match=r"net\.onnx has something in it that no exporter writes \(KeyError: 'c'\); export"
    ):
        loaded(small(), tmp_path)


def test_a_file_cut_anywhere(tmp_path: Path) -> None:
    content = small().SerializeToString()
    for length in range(1, len(content), 3):
        with pytest.raises(FileError, match=r"net\.onnx "):
            loaded(content[:length], tmp_path)


def test_where_there_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(FileError, match=r"none\.onnx does not exist; check the name and the folder"):
        nnkit.load(tmp_path / "none.onnx")
    (tmp_path / "folder.onnx").mkdir()
    with pytest.raises(FileError, match=r"folder\.onnx is a folder; give the name of an ONNX file"):
        nnkit.load(tmp_path / "folder.onnx")
    os.mkfifo(tmp_path / "pipe.onnx")
    with pytest.raises(FileError, match=r"pipe\.onnx is no ordinary file"):
        nnkit.load(tmp_path / "pipe.onnx")


def test_a_file_that_is_too_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_file, "LARGEST", 100)
    with pytest.raises(
        FileError, match=r"net\.onnx has \d\d\d bytes, and an ONNX file with all its values in it has at most 1"
    ):
        loaded(small(), tmp_path)


def test_without_the_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = small()
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(MissingExtraError, match=r'reading \.onnx needs the package onnx: pip install "nnkit\[onnx\]"'):
        loaded(made.SerializeToString(), tmp_path)


def test_arguments_that_are_wrong(tmp_path: Path) -> None:
    loaded(small(), tmp_path)
    with pytest.raises(DeviceError):
        nnkit.load(tmp_path / "net.onnx", device="tpu")
    with pytest.raises(ArgumentError, match="into= is for files that"):
        nnkit.load(tmp_path / "net.onnx", into=nnkit.nn.Dense(2))


def test_names_that_act_on_a_terminal_are_shown_as_they_are_written(tmp_path: Path) -> None:
    made = small()
    made.graph.node[1].op_type, made.graph.node[1].name = "Conv", "\x1b[2J" + "a" * 10_000
    with pytest.raises(FileError) as caught:
        loaded(made, tmp_path)
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 1000
