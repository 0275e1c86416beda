"""The ONNX form of each primitive: what it is called there, and how its attributes are written."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from nnkit.errors import ArgumentError
from nnkit.formats.onnx.exporting.division import floor_divide, remainder
from nnkit.formats.onnx.exporting.rows import Extent, Line, place
from nnkit.formats.onnx.exporting.writer import Writer
from nnkit.graph.primitives.creation import Constant


class Operand(NamedTuple):
    """A value that a node reads: its name in the file, and what the graph knows of it."""

    name: str
    line: Line

    @property
    def shape(self) -> tuple[Any, ...]:
        """Sizes of its axes."""
        return self.line.shape

    @property
    def dtype(self) -> str:
        """Its data type."""
        return self.line.node.dtype


Form = Callable[[Writer, Line, list[Operand]], str]
"""Writes the nodes of one primitive; returns the name of its value."""
LAST_PLACE = -(2**63) + 1
"""Where a slice ends that goes backwards to the first place."""


def plain(operation: str, since: int = 13, **attributes: Any) -> Form:
    """An ONNX operator with the operands as they are."""

    def form(writer: Writer, line: Line, operands: list[Operand]) -> str:
        if writer.opset < since:
            raise ArgumentError(
                f"export: {place(line.node)} computes '{line.node.operation}' of {operands[0].dtype}, "
                f"which ONNX has since opset {since}; export with opset={since} or more"
            )
        return writer.node(operation, *(each.name for each in operands), where=line.where, **attributes)

    return form


def on_truths(operation: str, otherwise: Form) -> Form:
    """An operator for bool, and a form for numbers."""

    def form(writer: Writer, line: Line, operands: list[Operand]) -> str:
        truths = operands[0].dtype == "bool"
        return (plain(operation) if truths else otherwise)(writer, line, operands)

    return form


def _constant(writer: Writer, line: Line, operands: list[Operand]) -> str:
    value = line.options["value"]
    return writer.constant(value.array if isinstance(value, Constant) else value, line.node.dtype)


def _range(writer: Writer, line: Line, operands: list[Operand]) -> str:
    """In whole numbers, from which any data type is exact."""
    ends = [writer.constant(line.options[name], "int64") for name in ("start", "stop", "step")]
    found = writer.node("Range", *ends, where=line.where)
    return found if line.node.dtype == "int64" else writer.cast(found, line.node.dtype, line.where)


def _cast(writer: Writer, line: Line, operands: list[Operand]) -> str:
    return writer.cast(operands[0].name, line.node.dtype, line.where)


# -- reductions


def _reduced(operation: str, axes_since: int) -> Form:
    """Axes are an input since some version, and an attribute before."""

    def form(writer: Writer, line: Line, operands: list[Operand]) -> str:
        axes, keepdims = list(line.options["axis"]), int(line.options["keepdims"])
        name = operands[0].name
        if writer.opset < axes_since:
            return writer.node(operation, name, where=line.where, axes=axes, keepdims=keepdims)
        return writer.node(operation, name, writer.sizes(tuple(axes)), where=line.where, keepdims=keepdims)

    return form


def _place_of(operation: str) -> Form:
    def form(writer: Writer, line: Line, operands: list[Operand]) -> str:
        options = {"axis": line.options["axis"], "keepdims": int(line.options["keepdims"])}
        return writer.node(operation, operands[0].name, where=line.where, **options)

    return form


def _argsort(writer: Writer, line: Line, operands: list[Operand]) -> str:
    """All of the axis in order; equal values by their places."""
    axis, largest = line.options["axis"], int(line.options["descending"])
    count = writer.sizes((operands[0].shape[axis],))
    return writer.node("TopK", operands[0].name, count, where=line.where, outputs=2, axis=axis, largest=largest)


def _cumulative_sum(writer: Writer, line: Line, operands: list[Operand]) -> str:
    return writer.node("CumSum", operands[0].name, writer.constant(line.options["axis"], "int64"), where=line.where)


# -- shapes


def _reshape(writer: Writer, line: Line, operands: list[Operand]) -> str:
    """``Flatten`` where it is that; one size that depends on the number of rows is left to the operator."""
    before, shape = operands[0].shape, line.shape
    if len(before) > 1 and len(shape) == 2 and before[0] == shape[0] and 0 not in before:
        return writer.node("Flatten", operands[0].name, where=line.where, axis=1)
    if 0 in shape:  # which here means the size of the operand's axis
        return writer.node("Expand", writer.constant([0], line.node.dtype), writer.sizes(shape), where=line.where)
    varying = [size for size in shape if isinstance(size, Extent)]
    whole = tuple(-1 if isinstance(size, Extent) else size for size in shape) if len(varying) == 1 else shape
    return writer.node("Reshape", operands[0].name, writer.sizes(whole), where=line.where)


def _broadcast_to(writer: Writer, line: Line, operands: list[Operand]) -> str:
    return writer.node("Expand", operands[0].name, writer.sizes(line.shape), where=line.where)


def _permute(writer: Writer, line: Line, operands: list[Operand]) -> str:
    return writer.node("Transpose", operands[0].name, where=line.where, perm=list(line.options["axes"]))


def _slice(writer: Writer, line: Line, operands: list[Operand]) -> str:
    """Over the axes that are not whole."""
    spans = zip(*(line.options[name] for name in ("start", "stop", "step")), operands[0].shape, strict=True)
    cut = [(axis, *span) for axis, (*span, size) in enumerate(spans) if span != [0, size, 1]]
    if not cut:
        return writer.node("Identity", operands[0].name, where=line.where)
    axes, starts, stops, steps = zip(*cut, strict=True)
    places = (writer.sizes(each) for each in (starts, stops, axes, steps))
    return writer.node("Slice", operands[0].name, *places, where=line.where)


def _flip(writer: Writer, line: Line, operands: list[Operand]) -> str:
    axes = line.options["axis"]
    if not axes:
        return writer.node("Identity", operands[0].name, where=line.where)
    places = (writer.sizes(each) for each in ((-1,) * len(axes), (LAST_PLACE,) * len(axes), axes, (-1,) * len(axes)))
    return writer.node("Slice", operands[0].name, *places, where=line.where)


def _concat(writer: Writer, line: Line, operands: list[Operand]) -> str:
    return writer.node("Concat", *(each.name for each in operands), where=line.where, axis=line.options["axis"])


def _take(writer: Writer, line: Line, operands: list[Operand]) -> str:
    return writer.node("Gather", *(each.name for each in operands), where=line.where, axis=line.options["axis"])


def _bits(operation: str) -> Form:
    return plain(f"Bitwise{operation}", since=18)


FORMS: dict[str, Form] = {
    **{
        name: plain(name.capitalize())
        for name in ("exp", "log", "sqrt", "sin", "cos", "tan", "sinh", "cosh", "tanh", "asin", "acos", "atan")
    },
    **{name: plain(name.capitalize()) for name in ("asinh", "acosh", "atanh", "erf", "abs", "sign", "floor", "ceil")},
    **{name: plain(name.capitalize()) for name in ("round", "pow", "less", "greater", "equal", "where")},
    "negative": plain("Neg"),
    "isnan": plain("IsNaN"),
    "add": plain("Add"),
    "subtract": plain("Sub"),
    "multiply": plain("Mul"),
    "divide": plain("Div"),
    "maximum": plain("Max"),
    "minimum": plain("Min"),
    "less_equal": plain("LessOrEqual"),
    "greater_equal": plain("GreaterOrEqual"),
    "logical_not": plain("Not"),
    "logical_and": plain("And"),
    "logical_or": plain("Or"),
    "logical_xor": plain("Xor"),
    "bitwise_and": on_truths("And", _bits("And")),
    "bitwise_or": on_truths("Or", _bits("Or")),
    "bitwise_xor": on_truths("Xor", _bits("Xor")),
    "bitwise_invert": plain("Not"),
    "bitwise_left_shift": plain("BitShift", direction="LEFT"),
    "bitwise_right_shift": plain("BitShift", direction="RIGHT"),
    "remainder": lambda writer, line, operands: remainder(writer, line, *(each.name for each in operands)),
    "floor_divide": lambda writer, line, operands: floor_divide(writer, line, *(each.name for each in operands)),
    "matmul": plain("MatMul"),
    "astype": _cast,
    "constant": _constant,
    "arange": _range,
    "sum": _reduced("ReduceSum", 13),
    "max": _reduced("ReduceMax", 18),
    "min": _reduced("ReduceMin", 18),
    "argmax": _place_of("ArgMax"),
    "argmin": _place_of("ArgMin"),
    "argsort": _argsort,
    "cumulative_sum": _cumulative_sum,
    "reshape": _reshape,
    "broadcast_to": _broadcast_to,
    "permute_dims": _permute,
    "slice": _slice,
    "flip": _flip,
    "concat": _concat,
    "take": _take,
}
"""What is left when a graph is spelled out; its inputs are those of the file."""
