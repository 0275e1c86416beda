"""A safetensors file that is not trusted: refused with its reason, in time and memory that small files take."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nnkit
from nnkit import nn
from nnkit.checkpoint import save
from nnkit.errors import FileError
from nnkit.formats.tensor_file import TensorFile, write
from nnkit.formats.tensor_header import BYTES, MOST_AXES
from tests.formats.models import leaves, network
from tests.peers import peer

Header = dict[str, Any]


def tensor(begin: int, end: int, shape: Any = None, dtype: Any = "F32") -> Header:
    shape = [(end - begin) // 4] if shape is None else shape
    return {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}


GOOD: Header = {"weight": tensor(0, 24, [3, 2]), "bias": tensor(24, 32)}


def file(path: Path, header: Header | bytes, data: bytes = bytes(32), length: int | None = None) -> Path:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    path.write_bytes((len(text) if length is None else length).to_bytes(8, "little") + text + data)
    return path


@pytest.fixture
def net() -> nnkit.Network:
    return nnkit.Network(nn.Dense(2), (3,), seed=1)


def check_refused(net: nnkit.Network, path: Path, reason: str) -> None:
    before, there = leaves(net), sorted(os.listdir(path.parent))
    with pytest.raises(FileError, match=reason) as caught:
        net.load_parameters(path, layout="nnkit")
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 1500
    assert (leaves(net), sorted(os.listdir(path.parent))) == (before, there)


def test_the_good_one_is_read(net: nnkit.Network, tmp_path: Path) -> None:
    data = np.arange(8, dtype="<f4").tobytes()
    net.load_parameters(file(tmp_path / "net.safetensors", GOOD, data), layout="nnkit")
    assert net.parameters()["weight"].tolist() == [[0, 1], [2, 3], [4, 5]]
    assert net.parameters()["bias"].tolist() == [6, 7]


HEADERS: dict[str, tuple[Header | bytes, str]] = {
    "an array": (b"[]", "is not a safetensors file, or damaged at its start"),
    "not JSON": (
        b'{"a": ',
        "is damaged: the header is not JSON: Expecting value.*; use another copy, or write it agai",
    ),
    "not UTF-8": (b'{"\xff": 1}', "the header is not UTF-8"),
    "spaces first": (b"  {}", "is not a safetensors file, or damaged at its start"),
    "text after it": (b"{} {}", "the header is not JSON: Extra data"),
    "NaN": (b'{"weight": NaN}', "the header holds NaN, which is no number in JSON"),
    "a number of many digits": (b'{"weight": ' + b"1" * 5000 + b"}", "the header has a whole number of 5,000 digits"),
    "deeply nested": (b'{"weight": ' + b"[" * 100_000 + b"}", "the header is nested more than 32 deep"),
    "a name twice": (
        json.dumps(GOOD).encode()[:-1] + b', "bias": {"dtype": "F32", "shape": [2], "data_offsets": [24, 32]}}',
        "the header names 'bias' twice",
    ),
    "metadata that is no object": (
        GOOD | {"__metadata__": []},
        "the header has __metadata__ that is not an object of t",
    ),
    "metadata with numbers": (
        GOOD | {"__metadata__": {"a": 1}},
        "the header has __metadata__ that is not an object of",
    ),
    "a number as tensor": (GOOD | {"bias": 3}, "has bias, which is not an object of dtype, shape and data_offsets"),
    "an entry less": (GOOD | {"bias": {"dtype": "F32", "shape": [2]}}, "has bias, which is not an object of dtype, sh"),
    "an entry more": (GOOD | {"bias": tensor(24, 32) | {"x": 1}}, "has bias, which is not an object of dtype, shape"),
    "an unknown type": (GOOD | {"bias": tensor(24, 32, dtype="F128")}, "has bias of the unknown type 'F128'"),
    "a type that is a list": (
        GOOD | {"bias": tensor(24, 32, dtype=["F32"])},
        r"has bias of the unknown type .'F32'.",
    ),
    "a negative size": (GOOD | {"bias": tensor(24, 32, [-2])}, r"has bias of shape \[-2\]; it is a list"),
    "a size with a point": (
        GOOD | {"bias": tensor(24, 32, [2.0])},
        r"has bias of shape \[2.0\]; it is a list of",
    ),
    "true as size": (
        GOOD | {"bias": tensor(24, 28, [True])},
        r"has bias of shape \[True\]; it is a list",
    ),
    "a shape that is a number": (GOOD | {"bias": tensor(24, 32, 2)}, "has bias of shape 2; it is a list"),
    "many axes": (GOOD | {"bias": tensor(24, 32, [1] * 32 + [2])}, "has bias of shape .*; it is a list"),
    "a trillion elements": (
        GOOD | {"bias": tensor(24, 32, [10**6, 10**6])},
        r"has bias at 24 to 32; F32 of shape \[1000000, 1000000\] needs 4,000,000,000,000 bytes",
    ),
    "a product that overflows": (GOOD | {"bias": tensor(24, 32, [2**62, 4, 2])}, "has bias at 24 to 32; F32 of shape"),
    "three offsets": (
        GOOD | {"bias": tensor(24, 32) | {"data_offsets": [24, 32, 40]}},
        r"has bias at \[24, 32, 40\]; a place is its first byte and the one after its last",
    ),
    "a negative offset": (GOOD | {"bias": tensor(-8, 0, [2])}, r"has bias at \[-8, 0\]; a place is its first byte and"),
    "offsets turned round": (
        GOOD | {"bias": tensor(32, 24, [2])},
        "has bias at 32 to 24; F32 of shape .2. needs 8",
    ),
    "offsets beyond the file": (GOOD | {"bias": tensor(10**12, 10**12 + 8)}, "which leaves a gap before it, up to 24"),
    "one over another": (GOOD | {"bias": tensor(16, 24)}, "has bias at 16, which overlaps the one before it, up to 24"),
    "a gap": ({"weight": tensor(0, 24, [3, 2])}, "describes 24 bytes of values, and 32 follow it"),
    "one alone at the end": ({"bias": tensor(24, 32)}, "has bias at 24, which leaves a gap before it, up to 0"),
    "more than the file has": (
        GOOD | {"more": tensor(32, 40)},
        "the header describes 40 bytes of values, and 32 follow",
    ),
    "no tensors for the bytes": ({}, "the header describes 0 bytes of values, and 32 follow it"),
    "the path of a file": (
        GOOD | {"../../etc/passwd": tensor(32, 32, [0])},
        r"has ../../etc/passwd \(0,\), which the net",
    ),
    "marks for a terminal": (
        GOOD | {"\x1b[2J\u202e": tensor(32, 32, [0])},
        r"has '\\x1b\[2J\\u202e' \(0,\), which the",
    ),
    "half a surrogate": (GOOD | {"a\ud800": tensor(32, 32, [0])}, r"has 'a\\ud800' \(0,\), which the network does not"),
    "a name without end": (GOOD | {"x" * 100_000: tensor(0, 0, "\x00")}, r"has xxx.*\.\.\. of shape '\\x00'"),
    "marks in a type": (GOOD | {"bias": tensor(24, 32, dtype="\x1b[2J")}, r"has bias of the unknown type '\\x1b\[2J'"),
    "a long name twice": (
        b'{"' + b"\\u001b" * 900 + b'": 1, "' + b"\\u001b" * 900 + b'": 1}',
        "names '.x1b.*\\.\\.\\.",
    ),
}


@pytest.mark.parametrize(("header", "reason"), HEADERS.values(), ids=HEADERS)
def test_headers(header: Header | bytes, reason: str, net: nnkit.Network, tmp_path: Path) -> None:
    check_refused(net, file(tmp_path / "net.safetensors", header), reason)


def test_the_axes_that_are_read(tmp_path: Path) -> None:
    shape = [1] * (MOST_AXES - 1) + [2]
    path = file(tmp_path / "net.safetensors", {"a": tensor(0, 8, shape)}, bytes(8))
    assert TensorFile(path, 1).numbers("a", "float32").shape == tuple(shape)


@pytest.mark.parametrize("dtype", BYTES)
def test_types_have_the_sizes_that_the_package_knows(dtype: str, tmp_path: Path) -> None:
    package = peer("safetensors")
    for size in (1, 2, 4, 8):
        path = file(tmp_path / f"{size}", {"a": tensor(0, 3 * size, [3], dtype)}, bytes(3 * size))
        if size == BYTES[dtype]:
            assert TensorFile(path, 1).shapes == {"a": (3,)}
            assert package.deserialize(path.read_bytes())[0][1]["shape"] == [3]
        else:
            with pytest.raises(FileError, match=f"has a at 0 to {3 * size}; {dtype} of shape .3. needs"):
                TensorFile(path, 1)
            with pytest.raises(package.SafetensorError):
                package.deserialize(path.read_bytes())


@pytest.mark.parametrize("size", [0, 1, 7, 8, 9, 20, 100])
def test_cut_off(size: int, net: nnkit.Network, tmp_path: Path) -> None:
    path = file(tmp_path / "net.safetensors", GOOD)
    path.write_bytes(path.read_bytes()[:size])
    reason = {0: "is empty", 1: "is not a saf", 7: "is not a saf", 8: "is not a saf"}.get(
        size, "is cut off: its header"
    )
    check_refused(net, path, f"net.safetensors {reason}.*; use another copy, or write it again")


def test_cut_off_in_the_values_at_every_byte(net: nnkit.Network, tmp_path: Path) -> None:
    path = file(tmp_path / "net.safetensors", GOOD)
    whole = path.read_bytes()
    for size in range(len(whole) - 32, len(whole)):
        path.write_bytes(whole[:size])
        check_refused(net, path, "the header describes 32 bytes of values, and [0-9]+ follow it")


@pytest.mark.parametrize("length", [2**63, 2**64 - 1, 10**12, 5_000_000])
def test_lengths_beyond_the_file(length: int, net: nnkit.Network, tmp_path: Path) -> None:
    path = file(tmp_path / "net.safetensors", GOOD, length=length)
    check_refused(net, path, rf"is cut off: its header has {length:,} bytes, and the file [0-9]+; use another copy")


def test_a_header_larger_than_the_network_can_need(net: nnkit.Network, tmp_path: Path) -> None:
    path = file(tmp_path / "net.safetensors", b"{}" + b" " * 1_001_000, b"")
    check_refused(net, path, "has a header of 1,001,002 bytes; 1,000,600 are the most for this network")


def _pickle(path: Path) -> None:
    path.write_bytes(pickle.dumps(GOOD))


def _zip(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("data.pkl", b"x" * 100)


OTHERS: dict[str, tuple[Callable[[Path], object], str]] = {
    "torch.save": (
        lambda path: peer("torch").save({"weight": peer("torch").ones(2)}, path),
        r"is no safetensors file but a zip file, as torch.save writes it; write safetensors.torch.save_file\(mod",
    ),
    "zip": (_zip, "is no safetensors file but a zip file"),
    "pickle": (
        _pickle,
        "is no safetensors file but a pickle, which can run anything and is never read; write",
    ),
    "HDF5": (
        lambda path: save(nnkit.Network(nn.Dense(2), (3,)), path),
        "is no safetensors file but an HDF5 file; give it the name that its kind has, .h5 or .weights.h5",
    ),
    "text": (lambda path: path.write_text("Hello, {name}. How are you?"), "is not a safetensors file, or damaged at"),
    "zeros": (lambda path: path.write_bytes(bytes(1000)), "is not a safetensors file, or damaged at its start"),
    "JSON": (lambda path: path.write_text(json.dumps(GOOD)), "is not a safetensors file, or damaged at its start"),
    "a folder": (lambda path: path.mkdir(), "is a folder; give the name of a safetensors file"),
    "nothing": (lambda path: None, "does not exist; check the name and the folder"),
}


@pytest.mark.parametrize(("make", "reason"), OTHERS.values(), ids=OTHERS)
def test_other_things_of_that_name(
    make: Callable[[Path], object], reason: str, net: nnkit.Network, tmp_path: Path
) -> None:
    make(tmp_path / "net.safetensors")
    check_refused(net, tmp_path / "net.safetensors", reason)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no named pipes")
def test_a_pipe_is_not_opened(net: nnkit.Network, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "net.safetensors")
    check_refused(net, tmp_path / "net.safetensors", "is no ordinary file; give the name of a safetensors file")


def test_a_file_that_may_not_be_read(net: nnkit.Network, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = file(tmp_path / "net.safetensors", GOOD)

    def refused(*_: Any, **__: Any) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refused)
    check_refused(net, path, "cannot be read: Permission denied; check its permissions")


def test_a_file_that_shrinks_while_it_is_read(tmp_path: Path) -> None:
    path = file(tmp_path / "net.safetensors", GOOD)
    opened = TensorFile(path, 2)
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(FileError, match=r"net.safetensors became shorter while it was read; use another copy"):
        opened.numbers("bias", "float32")


# -- time and memory

MEASURED = """
import re, sys, time
import nnkit
from nnkit.errors import FileError
net = nnkit.Network(nnkit.nn.Dense(2), (3,), seed=1)
def peak_mb():
    with open("/proc/self/status") as status:
        return int(re.search("VmHWM:\\s*(\\d+) kB", status.read())[1]) / 1e3
try:
    net.load_parameters("absent.safetensors")
except FileError:
    before = peak_mb()
for path in sys.argv[1:]:
    began = time.process_time()
    try:
        net.load_parameters(path)
    except FileError:
        print(time.process_time() - began)
print(peak_mb() - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the peak of the memory is read as Linux has it")
def test_hostile_files_take_little_time_and_memory(tmp_path: Path) -> None:
    many = ",".join(f'"{number:x}":0' for number in range(90_000))
    tensors = ",".join(f'"{number:x}":{{"dtype":"F32","shape":[0],"data_offsets":[0,0]}}' for number in range(17_000))
    alike = ",".join(
        f'"{"ab" * 30}.{number}":{{"dtype":"F32","shape":[0],"data_offsets":[0,0]}}' for number in range(7_000)
    )
    texts = {
        "keys": f"{{{many}}}",
        "tensors": f"{{{tensors}}}",
        "alike": f"{{{alike}}}",
        "metadata": f'{{"__metadata__": {{{many.replace(":0", ":" + chr(34) * 2)}}}}}',
        "lists": '{"a":[' + "[]," * 199_000 + "[]]}",
        "spaces": "{}" + " " * 1_000_000,
        "huge": "{}" + " " * 50_000_000,
        "trillion": json.dumps({"a": tensor(0, 0, [10**12])}),
    }
    paths = [file(tmp_path / f"{name}.safetensors", text.encode(), b"") for name, text in texts.items()]
    roots = os.pathsep.join(str(Path(__file__).parents[2] / part) for part in (".", "backends"))
    done = subprocess.run(
        [sys.executable, "-c", MEASURED, *map(str, paths)],
        capture_output=True, text=True, timeout=60, check=False, env={**os.environ, "PYTHONPATH": roots},
    )  # fmt: skip
    assert done.stderr == ""
    *seconds, grown_mb = map(float, done.stdout.split())
    assert len(seconds) == len(texts)
    assert max(seconds) < 1
    assert grown_mb < 64


# -- beside the package


def test_both_read_what_both_write(tmp_path: Path) -> None:
    package, draw = peer("safetensors.numpy"), np.random.default_rng(0)
    arrays = {
        "float32": draw.normal(size=(3, 5)).astype("f4"),
        "a count": np.array(7),
        "float64, transposed": draw.normal(size=(4, 3)).T,
        "nothing": np.ones((0, 3), "f4"),
        "one": np.ones((), "f4"),
        "naïve ☃": np.ones(1, "f4"),
    }
    write(tmp_path / "ours.safetensors", arrays, {"a": "b"})
    found = package.load_file(tmp_path / "ours.safetensors")
    package.save_file({name: value.copy() for name, value in arrays.items()}, tmp_path / "theirs")
    ours, theirs = (TensorFile(tmp_path / name, 6) for name in ("ours.safetensors", "theirs"))
    assert ours.metadata == {"a": "b"}
    assert ours.shapes == theirs.shapes == {name: value.shape for name, value in arrays.items()}
    for name, value in arrays.items():
        assert found[name].dtype == value.dtype
        np.testing.assert_array_equal(found[name], value, err_msg=name)
        if value.dtype.kind == "f":
            for opened in (ours, theirs):
                np.testing.assert_array_equal(opened.numbers(name, "float64"), value, err_msg=name)


def test_each_array_stands_at_a_multiple_of_its_size(tmp_path: Path) -> None:
    net = network([nn.Dense(3), nn.BatchNorm()], inputs=1)
    net.export(tmp_path / "net.safetensors", layout="torch")
    data = (tmp_path / "net.safetensors").read_bytes()
    length = int.from_bytes(data[:8], "little")
    assert length % 8 == 0
    header = json.loads(data[8 : 8 + length])
    assert [
        entry["data_offsets"][0] % BYTES[entry["dtype"]] for name, entry in header.items() if name != "__metadata__"
    ] == [0] * 7


def test_changed_bits_are_refused_or_harmless(net: nnkit.Network, tmp_path: Path) -> None:
    draw = np.random.default_rng(0)
    net.export(tmp_path / "net.safetensors")
    whole = (tmp_path / "net.safetensors").read_bytes()
    refused = 0
    for _ in range(600):
        changed = bytearray(whole)
        for place in draw.integers(len(whole) - 32, size=draw.integers(1, 4)):
            changed[place] ^= 1 << draw.integers(8)
        (tmp_path / "changed.safetensors").write_bytes(changed)
        try:
            net.load_parameters(tmp_path / "changed.safetensors")
        except FileError as error:
            refused += 1
            shown = str(error)
            assert shown.isprintable(), shown
    assert 300 < refused < 600
