"""ONNX files with something else than a network that nnkit reads: each is refused with what was found, and where."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nnkit.errors import FileError
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
