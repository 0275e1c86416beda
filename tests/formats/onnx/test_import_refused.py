"""ONNX files with something else than a network that nnkit reads: each is refused with what was found, and where."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nnkit
from nnkit.errors import ArgumentError, DeviceError, FileError, MissingExtraError
from nnkit.formats.onnx import import_file, import_network
from tests.formats.onnx.graphs import loaded, model, node, weights
from tests.peers import peer

n = node
W, B = weights(3, 4), weights(4)
Edit = Callable[[Any], object]


def small(**options: Any) -> Any:
    """3 inputs, 4 neurons, with an activation."""
    nodes = [n("Gemm", "x w b", "a"), n("Relu", "a", "y")]
    return model(nodes, {"w": W, "b": B}, **options)


def tensor(**fields: Any) -> Any:
    """An initialiser "w" with these fields."""
    made = peer("onnx").TensorProto(name="w", data_type=1)
    for name, value in fields.items():
        getattr(made, name).extend(value) if isinstance(value, list) else setattr(made, name, value)
    return made


def with_weight(**fields: Any) -> Edit:
    return lambda made: made.graph.initializer[0].CopyFrom(tensor(**fields))


def external(made: Any) -> None:
    first = made.graph.initializer[0]
    first.ClearField("raw_data")
    first.data_location = 1
    first.external_data.add(key="location", value="../../etc/passwd")


def renamed(kind: str) -> Edit:
    def edit(made: Any) -> None:
        made.graph.node[1].op_type = kind

    return edit


def attribute(number: int, **fields: Any) -> Edit:
    """With one more attribute on a node."""

    def edit(made: Any) -> None:
        made.graph.node[number].attribute.append(peer("onnx").AttributeProto(**fields))

    return edit


def twice(where: str) -> Edit:
    return lambda made: getattr(made.graph, where).append(getattr(made.graph, where)[0])


def version(**fields: int) -> Edit:
    def edit(made: Any) -> None:
        for name, value in fields.items():
            target = made if name == "ir_version" else made.opset_import[0]
            setattr(target, "ir_version" if name == "ir_version" else "version", value)

    return edit


def shaped(*sizes: Any) -> Edit:
    """The input with another shape; text is a name for a free size."""

    def edit(made: Any) -> None:
        info = peer("onnx").helper.make_tensor_value_info("x", 1, sizes)
        made.graph.input[0].CopyFrom(info)

    return edit


def sub_graph(made: Any) -> None:
    graph = peer("onnx").AttributeProto(name="then_branch", type=5)
    graph.g.CopyFrom(made.graph)
    made.graph.node[1].op_type = "If"
    made.graph.node[1].attribute.append(graph)


def local_function(made: Any) -> None:
    made.functions.add(name="MyGelu", domain="mine")


def sparse(made: Any) -> None:
    made.graph.sparse_initializer.add()


def attribute_outside(made: Any) -> None:
    constant = n("Constant", "", "c", value=tensor(dims=[3, 4], data_location=1))
    made.graph.node.insert(0, constant)


def no_shape(made: Any) -> None:
    made.graph.input[0].type.tensor_type.ClearField("shape")


def text_input(made: Any) -> None:
    made.graph.input[0].type.tensor_type.elem_type = 8


def sequence_input(made: Any) -> None:
    made.graph.input[0].type.sequence_type.elem_type.tensor_type.elem_type = 1


def input_name(name: str, number: int = 0, place: int = 0) -> Edit:
    def edit(made: Any) -> None:
        made.graph.node[number].input[place] = name

    return edit


def output_name(name: str, number: int) -> Edit:
    def edit(made: Any) -> None:
        made.graph.node[number].output[0] = name

    return edit


def swapped(made: Any) -> None:
    nodes = list(made.graph.node)
    del made.graph.node[:]
    made.graph.node.extend(reversed(nodes))


def cleared(place: str) -> Edit:
    def edit(made: Any) -> None:
        target = made.graph if place in ("node", "input", "output", "initializer") else made
        target.ClearField(place)

    return edit


def graph_output(name: str) -> Edit:
    def edit(made: Any) -> None:
        made.graph.output.append(made.graph.output[0])
        made.graph.output[1].name = name

    return edit


def only_output(name: str) -> Edit:
    def edit(made: Any) -> None:
        made.graph.output[0].name = name

    return edit


def passing_on(made: Any) -> None:
    made.graph.node.append(n("Identity", "x", "z"))
    made.graph.output[0].name = "z"


NAN = np.full((3, 4), np.nan, np.float32)
WRONG: dict[str, tuple[Edit, str]] = {
    "opset too old": (version(version=6), r"has opset 6, and this nnkit reads 7 to 28; export with a newer one"),
    "opset too new": (version(version=99), r"has opset 99, and this nnkit reads 7 to 28; install a newer nnkit, or"),
    "opset negative": (version(version=-1), r"has opset -1, and this nnkit reads"),
    "IR too new": (version(ir_version=99), r"has IR version 99, and this nnkit reads 3 to 14"),
    "IR too old": (version(ir_version=2), r"has IR version 2, and this nnkit reads 3 to 14"),
    "no IR version": (cleared("ir_version"), r"is no ONNX file: it says no version or has no graph"),
    "no graph": (cleared("graph"), r"is no ONNX file: it says no version or has no graph"),
    "no opset": (cleared("opset_import"), r"does not say which version of ONNX's operators it uses"),
    "no nodes": (cleared("node"), r"has no nodes, so there is no network in it"),
    "no outputs": (cleared("output"), r"has no outputs; export"),
    "no input": (cleared("input"), r"has 0 inputs, and nnkit reads networks of one"),
    "no initialisers": (cleared("initializer"), r"whose input 'w' is nowhere in the file"),
    "two outputs": (graph_output("a"), r"has 2 outputs \('y', 'a'\), and nnkit reads networks of one"),
    "an output that is not there": (only_output("q"), r"has the output 'q', which no node makes"),
    "an output that is the input": (passing_on, r"gives its input, or a constant, as its output"),
    "functions": (local_function, r"has functions of its own \('MyGelu'\).*inline_local_functions"),
    "a graph in a node": (sub_graph, r"has a graph in attribute 'then_branch' of node 'relu_y' \(If\); loops"),
    "sparse initialisers": (sparse, r"has sparse initialisers"),
    "external values": (external, r"initialiser 'w', whose values are outside of the file, in '\.\./\.\./etc/passwd'"),
    "external values in a node": (
        attribute_outside,
        r"attribute 'value' of node 'constant_c' \(Constant\), whose values",
    ),
    "an input of text": (text_input, r"has the input 'x', which is no array of numbers"),
    "an input of sequences": (sequence_input, r"has the input 'x', which is no array of numbers"),
    "an input without a shape": (no_shape, r"does not say which shape the input 'x' has"),
    "an input without rows": (shaped(3), r"takes the input 'x' of shape \(3,\), and nnkit reads .*rows in their first"),
    "an input that is one number": (shaped(), r"takes the input 'x' of shape \(\), and nnkit reads"),
    "an input of negative size": (shaped("rows", -3), r"takes the input 'x' of shape \(\?, -3\); a row has"),
    "a terabyte of inputs": (
        shaped("rows", 10**12),
        r"of shape \(\?, 1,000,000,000,000\); a row has from 1 to 10,000,000",
    ),
    "free sizes": (shaped("rows", "height", 3), r"leaves sizes of its input free: a row is \(\?, 3\)"),
    "another width": (shaped("rows", 5), r"'gemm_a' \(Gemm\), whose matrix is for 3 inputs, and rows of shape \[5\]"),
    "an input that is not there": (input_name("q", 1), r"has node 'relu_y' \(Relu\), whose input 'q' is nowhere"),
    "a circle": (
        input_name("y", 0),
        r"'gemm_a' \(Gemm\), whose input 'y' is made after it, so that the nodes form a circle",
    ),
    "nodes out of order": (swapped, r"'relu_y' \(Relu\), whose input 'a' is made after it"),
    "a value made twice": (output_name("a", 1), r"'relu_y' \(Relu\), which makes 'a' a second time"),
    "a value that is a constant": (output_name("w", 1), r"which makes 'w' a second time"),
    "an initialiser twice": (twice("initializer"), r"has two of initialiser 'w'"),
    "an input twice": (twice("input"), r"has 2 inputs \('x', 'x'\)"),
    "a nameless initialiser": (
        lambda made: setattr(made.graph.initializer[0], "name", ""),
        r"has a nameless initialiser",
    ),
    "an attribute twice": (
        lambda made: [attribute(0, name="alpha", type=1, f=1.0)(made) for _ in range(2)],
        r"'gemm_a' \(Gemm\) with two attributes 'alpha'",
    ),
    "an odd attribute": (attribute(1, name="a", type=13), r"attribute 'a' of node 'relu_y' \(Relu\) of kind 13"),
    "text for a number": (
        attribute(0, name="alpha", type=3, s=b"one"),
        r"'alpha' of node 'gemm_a' \(Gemm\) with the value 'one'",
    ),
    "numbers for a number": (
        attribute(0, name="alpha", type=6, floats=[1.0, 2.0]),
        r"with the value \(1\.0, 2\.0\); a number",
    ),
    "no number": (attribute(0, name="alpha", type=1, f=float("nan")), r"with the value nan; a number is expected"),
    "an unknown operator": (
        renamed("Conv"),
        r"operators that no layer of nnkit's stands for: Conv \('relu_y'\)\. nnkit reads",
    ),
    "transposed rows": (attribute(0, name="transA", type=2, i=1), r"'gemm_a' \(Gemm\), which transposes its rows"),
    "NaN": (with_weight(dims=[3, 4], raw_data=NAN.tobytes()), r"has NaN or infinity in 'w'"),
    "infinity": (with_weight(dims=[3, 4], float_data=[np.inf] * 12), r"has NaN or infinity in 'w'"),
    "too few values": (
        with_weight(dims=[3, 4], raw_data=b"1234"),
        r"'w' of shape \[3, 4\], which takes 48 bytes, and 4 are",
    ),
    "too many values": (with_weight(dims=[3, 4], float_data=[1.0] * 13), r"takes 12 values, and 13 are there"),
    "no values": (with_weight(dims=[3, 4]), r"takes 12 values, and 0 are there"),
    "a terabyte declared": (with_weight(dims=[500_000, 500_000]), r"takes 250,000,000,000 values, and 0 are there"),
    "a size beyond 64 bits": (with_weight(dims=[2**62, 2**62]), r"'w' of shape \[4611686018427387904, 46116860184273"),
    "a negative size": (with_weight(dims=[-3, 4]), r"'w' of shape \[-3, 4\], which no array has"),
    "many axes": (with_weight(dims=[1] * 200), r"which no array has"),
    "values twice": (with_weight(dims=[3, 4], raw_data=W.tobytes(), float_data=[1.0]), r"whose values are there twice"),
    "a segment": (
        lambda made: made.graph.initializer[0].segment.SetInParent(),
        r"'w' of data type 1, which is not read",
    ),
    "complex numbers": (
        with_weight(dims=[3, 4], data_type=14),
        r"'w' of data type 14, which is not read, as quantised",
    ),
    "whole numbers": (
        with_weight(dims=[3, 4], data_type=7, int64_data=[1] * 12),
        r"matrix B is int64\[3, 4\]; expected",
    ),
    "text": (
        with_weight(dims=[3, 4], data_type=8, string_data=[b"a"] * 12),
        r"matrix B is object\[3, 4\]; expected are",
    ),
    "numbers beyond their type": (
        with_weight(dims=[1], data_type=3, int32_data=[300]),
        r"initialiser 'w', whose numbers are not int8",
    ),
    "another rank": (
        with_weight(dims=[12], raw_data=W.tobytes()),
        r"matrix B is float32\[12\]; expected are numbers in 2",
    ),
    "nothing in it": (with_weight(dims=[3, 0]), r"matrix B is float32\[3, 0\]; expected are numbers"),
    "another bias": (
        lambda made: made.graph.initializer[1].CopyFrom(
            peer("onnx").numpy_helper.from_array(np.ones(5, np.float32), "b")
        ),
        r"'gemm_a' \(Gemm\), whose vector C has shape \[5\]; expected are 4 numbers, one for each column",
    ),
    "a matrix from the input": (input_name("x", 0, 1), r"'gemm_a' \(Gemm\), whose matrix B is computed from the input"),
    "no matrix": (
        lambda made: made.graph.node[0].ClearField("input"),
        r"has node 'gemm_a' \(Gemm\) without inputs",
    ),
}


@pytest.mark.parametrize(("edit", "text"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_said(edit: Edit, text: str, tmp_path: Path) -> None:
    made = small()
    edit(made)
    with pytest.raises(FileError, match=text) as caught:
        loaded(made, tmp_path)
    assert str(caught.value).startswith(str(tmp_path / "net.onnx"))


NODES: dict[str, tuple[list[Any], dict[str, Any], str]] = {
    "several unknown operators": (
        [n("LSTM", "x w w w", "a"), n("Conv", "a w", "b"), n("Conv", "b w", "c"), n("Odd", "c", "y", domain="mine")],
        {"w": W},
        r"stands for: Conv \('conv_b', 'conv_c'\); LSTM \('lstm_a'\); mine\.Odd \('odd_y'\)\. nnkit reads feed-forward",
    ),
    "more than five of a kind": (
        [n("Conv", "x w", "c0"), *(n("Conv", f"c{i} w", f"c{i + 1}") for i in range(6)), n("Relu", "c6", "y")],
        {"w": W},
        r"Conv \('conv_c0', 'conv_c1', 'conv_c2', 'conv_c3', 'conv_c4' and 2 more\)",
    ),
    "a shortcut": (
        [n("Gemm", "x w", "a"), n("Relu", "a", "r"), n("Add", "x r", "y")],
        {"w": weights(3, 3)},
        r"'add_y' \(Add\), where branches meet that part at 'x'; nnkit reads chains of layers",
    ),
    "branches": (
        [n("Gemm", "x w", "a"), n("Gemm", "x v", "b"), n("Concat", "a b", "y", axis=1)],
        {"w": W, "v": weights(3, 2)},
        r"'concat_y' \(Concat\), where branches meet that part at 'x'",
    ),
    "a product of branches": (
        [n("Gemm", "x w", "a"), n("Gemm", "x w", "b"), n("Mul", "a b", "y")],
        {"w": W},
        r"'mul_y' \(Mul\), where branches meet",
    ),
    "the input as a matrix": (
        [n("MatMul", "w x", "y")],
        {"w": W},
        r"'matmul_y' \(MatMul\), whose right-hand matrix is comp",
    ),
    "a layer between constants": (
        [n("Gemm", "w v", "c"), n("MatMul", "x c", "y")],
        {"w": W, "v": weights(4, 2)},
        r"'gemm_c' \(Gemm\) between constants, which is not read; export with constants folded",
    ),
    "batch normalisation of pictures": (
        [n("BatchNormalization", "x s s s s", "y")],
        {"s": [1.0, 2.0, 3.0]},
        r"'batchnormalization_y' \(BatchNormalization\) for rows of shape \[3, 4\], whose first axis",
    ),
    "slopes for something else": (
        [n("PRelu", "x s", "y")],
        {"s": weights(3, 1)},
        r"\(PRelu\), whose slope has shape \[3, 1\]",
    ),
    "dropout of everything": (
        [n("Dropout", "x r", "y")],
        {"r": 1.0},
        r"'dropout_y' \(Dropout\), whose ratio is 1; it is",
    ),
    "a constant without a value": (
        [n("Constant", "", "c"), n("Add", "x c", "y")],
        {},
        r"'constant_c' \(Constant\) without",
    ),
    "a cast to whole numbers": ([n("Cast", "x", "c", to=7), n("Relu", "c", "y")], {}, r"none of nnkit's activations"),
    "a cast to text": ([n("Cast", "x", "c", to=8), n("Relu", "c", "y")], {}, r"it casts to the data type 8"),
    "an axis that is not there": (
        [n("ReduceMean", "x a", "m"), n("Sub", "x m", "y")],
        {"a": np.array([9])},
        r"axis 9 is none",
    ),
    "a running sum from the end": (
        [n("CumSum", "x a", "c", reverse=1), n("Softmax", "c", "y")],
        {"a": np.array(1)},
        r"a running sum from the end",
    ),
    "a slice without bounds": (
        [n("Slice", "x _ _", "y")],
        {},
        r"'slice_y' \(Slice\), which cannot be computed.*no bounds",
    ),
    "a split that does not fit": (
        [n("Split", "x s", "p q", axis=1), n("Mul", "p q", "y")],
        {"s": np.array([2, 3])},
        r"4 places are split into \[2, 3\]",
    ),
}


@pytest.mark.parametrize(("nodes", "constants", "text"), NODES.values(), ids=NODES)
def test_nodes_that_are_no_layers(nodes: list[Any], constants: dict[str, Any], text: str, tmp_path: Path) -> None:
    shape = (
        ("rows", 3, 4) if "BatchNorm" in text or "slope" in text else ("rows", 4) if "split" in text else ("rows", 3)
    )
    with pytest.raises(FileError, match=text):
        loaded(model(nodes, constants, shape=shape), tmp_path)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"s": weights(5)}, r"\(BatchNormalization\), whose weight has 5 numbers for 3 features"),
        ({"v": [-1.0, 1.0, 1.0]}, r"whose epsilon or variance is not positive"),
        ({"m": weights(3, 1)}, r"whose mean is float32\[3, 1\]; expected are numbers in 1 axis"),
    ],
)
def test_batch_normalisation_that_does_not_fit(change: dict[str, Any], text: str, tmp_path: Path) -> None:
    constants = {"s": weights(3), "o": weights(3), "m": weights(3), "v": [1.0, 1.0, 1.0]} | change
    with pytest.raises(FileError, match=text):
        loaded(model([n("BatchNormalization", "x s o m v", "y")], constants), tmp_path)


@pytest.mark.parametrize("field", ["scale", "offset"])
def test_a_scaler_that_does_not_fit(field: str, tmp_path: Path) -> None:
    nodes = [n("Scaler", "x", "y", domain="ai.onnx.ml", **{field: [1.0, 2.0]})]
    with pytest.raises(
        FileError, match=rf"'scaler_y' \(ai\.onnx\.ml\.Scaler\), whose {field} has 2 numbers for 3 columns"
    ):
        loaded(model(nodes, ml=True), tmp_path)


def test_an_ml_opset_that_is_too_new(tmp_path: Path) -> None:
    made = model([n("Relu", "x", "y")], ml=True)
    made.opset_import[1].version = 50
    with pytest.raises(FileError, match=r"has opset of ai\.onnx\.ml 50, and this nnkit reads 1 to 5"):
        loaded(made, tmp_path)


# -- files that are something else


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
