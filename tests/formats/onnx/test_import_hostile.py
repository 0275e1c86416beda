"""ONNX files that were made to do harm: refused in a second, in 64 MB, with nothing else read; and mutated files."""

from __future__ import annotations

import json
import random
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nnkit
from nnkit.errors import FileError, NnkitWarning
from nnkit.formats.onnx import import_graph, import_recognising, import_wire
from nnkit.formats.onnx.import_wire import check_fields
from tests.formats.onnx.graphs import loaded, model, node, weights
from tests.peers import peer

n = node


def varint(number: int) -> bytes:
    found = b""
    while number > 127:
        found, number = found + bytes([number & 127 | 128]), number >> 7
    return found + bytes([number])


def field(number: int, content: bytes) -> bytes:
    """A field of the encoding that has a length."""
    return varint(number << 3 | 2) + varint(len(content)) + content


def graph(content: bytes) -> bytes:
    """A model whose graph has this encoding."""
    return b"\x08\x0a" + field(8, b"\x10\x15") + field(7, content)


def nested(depth: int) -> bytes:
    """A graph in an attribute of a node of a graph in an attribute …"""
    content = b""
    for _ in range(depth):
        content = field(1, field(5, field(6, content) + b"\xa0\x01\x05"))
    return graph(content)


def chained(count: int, kind: str = "Relu", **attributes: Any) -> bytes:
    names = ["x", *(f"a{place}" for place in range(count - 1)), "y"]
    nodes = [n(kind, names[place], names[place + 1], **attributes) for place in range(count)]
    return bytes(model(nodes).SerializeToString())


def growing(kind: str, **constants: Any) -> bytes:
    """Constants that make larger ones."""
    nodes = [n(kind, " ".join(constants), "made"), n("Add", "x made", "y")]
    return bytes(model(nodes, {name: np.asarray(value) for name, value in constants.items()}).SerializeToString())


def doubling(times: int) -> bytes:
    nodes = [n("Concat", f"c{place} c{place}", f"c{place + 1}", axis=0) for place in range(times)]
    return bytes(model([*nodes, n("Add", f"x c{times}", "y")], {"c0": weights(3)}).SerializeToString())


def outer_product() -> bytes:
    nodes = [n("Mul", "row column", "c"), n("Add", "x c", "y")]
    constants = {"row": np.ones((1, 50_000), np.float32), "column": np.ones((50_000, 1), np.float32)}
    return bytes(model(nodes, constants).SerializeToString())


def different(count: int) -> bytes:
    """Activations that are each to be tried anew."""
    nodes, constants = [], {}
    for place in range(count):
        before, after = f"a{place}" if place else "x", f"a{place + 1}" if place < count - 1 else "y"
        nodes += [n("Mul", f"{before} c{place}", f"m{place}"), n("Sigmoid", f"m{place}", after)]
        constants[f"c{place}"] = 1.0 + place / 7
    return bytes(model(nodes, constants).SerializeToString())


def spread_rows() -> bytes:
    nodes = [n("Expand", "x s", "e"), n("ReduceMean", "e a", "y", keepdims=0)]
    constants = {"s": np.array([100_000, 1, 1]), "a": np.array([0])}
    return bytes(model(nodes, constants, shape=("rows", 100)).SerializeToString())


def many_rows() -> bytes:
    nodes = [n("Reshape", "x s", "r"), n("ReduceMax", "r a", "y", keepdims=0)]
    constants = {"s": np.array([10**8, 3, 1]), "a": np.array([2])}
    return bytes(model(nodes, constants, shape=(10**8, 3)).SerializeToString())


def declared(**fields: Any) -> bytes:
    made = model([n("MatMul", "x w", "y")], {"w": weights(3, 4)})
    made.graph.initializer[0].ClearField("raw_data")
    made.graph.initializer[0].ClearField("dims")
    made.graph.initializer[0].dims.extend(fields["dims"])
    return bytes(made.SerializeToString())


HOSTILE: dict[str, tuple[Callable[[], bytes], str]] = {
    "millions of empty nodes": (lambda: graph(b"\x0a\x00" * 5_000_000), "has more than the 300,000 values"),
    "millions of empty attributes": (
        lambda: graph(field(1, b"\x2a\x00" * 5_000_000)),
        "has more than the 300,000 values",
    ),
    "millions of inputs": (lambda: graph(field(1, b"\x0a\x00" * 5_000_000)), "has more than the 300,000 values"),
    "millions of sizes": (lambda: graph(field(5, b"\x08\x01" * 5_000_000)), "has more than the 300,000 values"),
    "packed whole numbers": (
        lambda: graph(field(5, field(7, bytes(10_000_000)))),
        "more than 8 MB of whole numbers",
    ),
    "unknown fields": (lambda: b"\xf8\x3f\x01" * 3_000_000, "has more than the 300,000 values"),
    "graphs in graphs": (lambda: nested(500), "is nested more than 32 deep"),
    "graphs in graphs, not too deep": (lambda: nested(9), "has a graph in attribute"),
    "a terabyte declared": (lambda: declared(dims=[500_000, 500_000]), "takes 250,000,000,000 values, and 0 are there"),
    "sizes that overflow": (lambda: declared(dims=[2**32, 2**32, 4]), "takes 73,786,976,294,838,206,464 values"),
    "a length beyond the file": (lambda: b"\x08\x0a\x3a\xff\xff\xff\x7f", "ends in the middle of a value"),
    "a number without an end": (lambda: b"\xff" * 1_000_000, "ends in the middle of a value"),
    "a group": (lambda: b"\x0b" * 1_000, "has a value of the unknown kind 3 at byte 1"),
    "many nodes": (
        lambda: graph(field(1, n("Relu", "x", "y").SerializeToString()) * 25_000),
        "has 25,000 nodes, more than the 20,000 that are read",
    ),
    "many functions": (lambda: different(700), "has more than 250 functions that differ"),
    "a constant of a shape": (
        lambda: growing("ConstantOfShape", s=[10**6, 10**6]),
        "works on 1,000,000,000,000 numbers",
    ),
    "a constant spread": (lambda: growing("Expand", v=[1.0], s=[10**6, 10**6]), "works on 1,000,000,000,000 numbers"),
    "a range": (
        lambda: growing("Range", a=np.array(0), b=np.array(10**12), c=np.array(1)),
        "works on 1,000,000,000,001",
    ),
    "an endless range": (lambda: growing("Range", a=0.0, b=1.0, c=0.0), "works on 1,0"),
    "places taken often": (
        lambda: growing("Gather", v=np.ones((2, 10**4)), i=np.zeros(10**4, np.int64)),
        "works on 100,000,",
    ),
    "an outer product": (outer_product, "works on 2,500,000,000 numbers"),
    "an outer product by MatMul": (
        lambda: growing("MatMul", r=np.ones((50_000, 1), np.float32), c=np.ones((1, 50_000), np.float32)),
        "works on 2,500,000,000 numbers",
    ),
    "doubled again and again": (lambda: doubling(60), "works on [0-9,]+ numbers, more than this file should need"),
    "rows spread": (spread_rows, "works on 110,000,000 numbers|which mixes rows|none of nnkit's"),
    "a hundred million rows": (many_rows, "works on [0-9,]+ numbers"),
}

CHILD = """
import json, resource, sys, time
import numpy as np, onnx, nnkit
def peak(): return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
def load(path):
    before, began = peak(), time.process_time()
    try: nnkit.load(path)
    except nnkit.errors.FileError as error: text = str(error)
    else: text = "read"
    return text, time.process_time() - began, peak() - before
load(sys.argv[1])  # modules that only reading needs
print(json.dumps([load(path) for path in sys.argv[2:]]))
"""


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[str, float, int, int]]:
    """What a fresh process says to each file, its seconds of work, and by how many bytes it grew; the file's size."""
    folder = tmp_path_factory.mktemp("hostile")
    (folder / "fine.onnx").write_bytes(
        model([n("Gelu", "x", "g"), n("MatMul", "g w", "y")], {"w": weights(3, 4)}).SerializeToString()
    )
    paths = {}
    for place, (name, (make, _)) in enumerate(HOSTILE.items()):
        paths[name] = folder / f"{place}.onnx"
        paths[name].write_bytes(make())
    command = [sys.executable, "-c", CHILD, str(folder / "fine.onnx"), *map(str, paths.values())]
    root = Path(str(nnkit.__file__)).parent.parent
    done = subprocess.run(
        command, capture_output=True, text=True, cwd=root, env={"PYTHONPATH": f"{root}:{root / 'backends'}", "PATH": ""}
    )
    assert done.returncode == 0, done.stderr[-2000:]
    found = json.loads(done.stdout.splitlines()[-1])
    return {name: (*result, path.stat().st_size) for (name, path), result in zip(paths.items(), found, strict=True)}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_files_are_refused_quickly_and_in_little_memory(
    name: str, outcomes: dict[str, tuple[str, float, int, int]]
) -> None:
    text, seconds, growth, size = outcomes[name]
    assert re.search(HOSTILE[name][1], text), text
    assert growth < 64e6 + size, f"{growth / 1e6:.0f} MB"
    assert seconds < 1  # of the processor, whoever else it works for


def test_links_are_not_followed(tmp_path: Path) -> None:
    """Nothing that a file names is opened: here the values would be there."""
    onnx = peer("onnx")
    made = model([n("MatMul", "x w", "y")], {"w": weights(300, 400)}, shape=("rows", 300))
    onnx.save(made, tmp_path / "net.onnx", save_as_external_data=True, location="values.bin")
    assert (tmp_path / "values.bin").exists()
    with pytest.raises(FileError, match=r"initialiser 'w', whose values are outside of the file, in 'values\.bin'"):
        nnkit.load(tmp_path / "net.onnx")


def test_limits_of_what_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """In this process; those of real size are measured in another one."""
    descriptor = peer("onnx").ModelProto.DESCRIPTOR
    for name, limit, content, text in (
        ("MOST_FIELDS", 3, chained(3), "has more than the 3 values that are read"),
        ("DEEPEST", 2, chained(3), "is nested more than 2 deep"),
        ("MOST_WHOLE_NUMBERS", 10, graph(field(5, field(7, bytes(20)))), "has more than 1e-05 MB of whole numbers"),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(import_wire, name, limit)
            with pytest.raises(ValueError, match=text):
                check_fields(content, descriptor)


def test_what_is_computed_is_counted(tmp_path: Path) -> None:
    for made in (growing("Range", a=0, b=10**12, c=1), growing("MatMul", r=np.ones((9000, 1)), c=np.ones((1, 9000)))):
        with pytest.raises(FileError, match=r"which works on [0-9,]+ numbers, more than this file should need"):
            loaded(made, tmp_path)
    small = [n("Range", "a b c", "r"), n("Cast", "r", "f", to=1), n("Add", "x f", "y")]
    network = loaded(model(small, {"a": np.array(0), "b": np.array(3), "c": np.array(1)}), tmp_path)
    assert network.preprocessing is not None


def test_what_is_counted_in_a_file() -> None:
    descriptor = peer("onnx").ModelProto.DESCRIPTOR
    check_fields(b"", descriptor)
    check_fields(chained(50), descriptor)
    check_fields(b"\x08\x09" + b"\xfd\x3f\x01\x02\x03\x04" + b"\xf9\x3f" + bytes(8), descriptor)
    with pytest.raises(ValueError, match="ends in the middle of a value, at byte 1"):
        check_fields(b"\x0a", descriptor)


def test_limits_can_be_reached(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_graph, "MOST_NODES", 3)
    assert isinstance(loaded(chained(3), tmp_path), nnkit.Network)
    with pytest.raises(FileError, match="has 4 nodes, more than the 3 that are read"):
        loaded(chained(4), tmp_path)
    monkeypatch.setattr(import_recognising, "_MOST_TRIALS", 2)
    with pytest.raises(FileError, match="has more than 2 functions that differ"):
        loaded(model([n("Relu", "x", "a"), n("Tanh", "a", "b"), n("Elu", "b", "y")]), tmp_path)
    norms = [n("LayerNormalization", f"{a} s", b) for a, b in (("x", "a"), ("a", "b"), ("b", "y"))]
    with pytest.raises(FileError, match="has more than 2 functions of rows; export a smaller network"):
        loaded(model(norms, {"s": weights(3)}), tmp_path)


def test_layers_do_not_multiply_what_a_file_has(tmp_path: Path) -> None:
    """One matrix that forty layers share would be forty."""
    constants = {"first": weights(3, 400), "w": weights(400, 400), "b": weights(400)}
    nodes = [node("Gemm", "x first b", "a0"), *(node("Gemm", f"a{at} w b", f"a{at + 1}") for at in range(39))]
    with pytest.raises(FileError, match=r"has 161,600 numbers in it, and its layers take 6,417,600, since they share"):
        loaded(model([*nodes, node("Gemm", "a39 w b", "y")], constants), tmp_path)
    tied = loaded(model([*nodes[:3], node("Gemm", "a2 w b", "y")], constants), tmp_path)
    assert tied.output_shape == (400,)


def test_a_long_chain_is_read(tmp_path: Path) -> None:
    """A thousand layers."""
    nodes, names = [], ["x", *(f"a{place}" for place in range(999)), "y"]
    for place in range(1000):
        nodes += [n("Gemm", f"{names[place]} w", f"g{place}"), n("Tanh", f"g{place}", names[place + 1])]
    network = loaded(model(nodes, {"w": weights(3, 3)}), tmp_path)
    assert len(network.parameters()) == 1000


# -- by mutation


def seeds() -> list[bytes]:
    """Files that are fine, of all that is read."""
    norm = [
        n("Gemm", "x w b", "a"),
        n("LayerNormalization", "a s o", "l"),
        n("Gelu", "l", "g"),
        n("MatMul", "g v", "m"),
    ]
    last = [n("MatMul", "g v", "m"), n("Add", "m c", "d"), n("Softmax", "d", "y")]
    constants = {
        "w": weights(3, 4),
        "b": weights(4),
        "s": weights(4),
        "o": weights(4),
        "v": weights(4, 2),
        "c": weights(2),
    }
    shapes = [
        n("Shape", "x", "h"),
        n("Gather", "h z", "r"),
        n("Unsqueeze", "r q", "u"),
        n("Concat", "u e", "s", axis=0),
    ]
    shapes += [n("Reshape", "x s", "f"), n("Sigmoid", "f", "i"), n("Mul", "f i", "j"), n("MatMul", "j w", "y")]
    sizes = {"z": np.array(0), "q": np.array([0]), "e": np.array([-1]), "w": weights(12, 2)}
    return [
        bytes(model([*norm, *last], constants).SerializeToString()),
        bytes(model(shapes, sizes, shape=("rows", 3, 4)).SerializeToString()),
    ]


def mutated(content: bytes, draw: random.Random) -> bytes:
    """With some bytes or bits changed, taken away, repeated, or moved."""
    found = bytearray(content)
    for _ in range(draw.choice((1, 1, 2, 5))):
        at, length = draw.randrange(len(found)), draw.choice((1, 1, 2, 4, 16))
        kind = draw.randrange(5)
        if kind == 0:
            found[at] ^= 1 << draw.randrange(8)
        elif kind == 1:
            found[at : at + length] = draw.randbytes(length)
        elif kind == 2 and len(found) > length + 10:
            del found[at : at + length]
        elif kind == 3:
            found[at:at] = found[at : at + length]
        else:
            found[at] = draw.choice((0, 1, 127, 128, 255))
    return bytes(found)


def fuzz(count: int, seed: int, folder: Path) -> dict[str, int]:
    """How many mutated files were read, and how many refused; anything else fails."""
    draw, counts, originals = random.Random(seed), {"read": 0, "refused": 0}, seeds()
    for _ in range(count):
        try:
            network = loaded(mutated(draw.choice(originals), draw), folder)
        except FileError:
            counts["refused"] += 1
        except NnkitWarning:
            counts["read"] += 1
        else:
            counts["read"] += 1
            assert all(np.isfinite(value).all() for value in network.parameters().values())
    return counts


@pytest.mark.filterwarnings("ignore::nnkit.errors.NnkitWarning")
@pytest.mark.parametrize(("count", "seed"), [(300, 1), pytest.param(10_000, 2, marks=pytest.mark.slow)])
def test_mutated_files_are_read_or_refused(count: int, seed: int, tmp_path: Path) -> None:
    counts = fuzz(count, seed, tmp_path)
    assert counts["refused"] > count / 4
    assert counts["read"] > count / 20
