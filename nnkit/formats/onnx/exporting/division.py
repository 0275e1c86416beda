"""Division with a remainder, as several nodes: of fractions by ``fmod``, of whole numbers without what stops a process.

Whole numbers divided by 0 give 0, as NumPy has it. In a runtime that, and the lowest number divided by −1, would be a
fault of the processor; so both are computed with the divisor 1.
"""

from __future__ import annotations

from nnkit.formats.onnx.exporting.rows import Line
from nnkit.formats.onnx.exporting.writer import Writer
from nnkit.graph.dtypes import kind


def remainder(writer: Writer, line: Line, x: str, y: str) -> str:
    """x − y ⌊x/y⌋, with the sign of y."""
    dtype, where = line.node.dtype, line.where
    if kind(dtype) != "float":
        return writer.node("Mod", x, _safe(writer, line, y), where=where)
    zero = writer.constant(0, dtype)
    rest = writer.node("Mod", x, y, where=where, fmod=1)
    sides = (writer.node("Less", value, zero, where=where) for value in (rest, y))
    wrong = writer.node("Xor", *sides, where=where)
    nothing = writer.node("Equal", rest, zero, where=where)
    turned = writer.node("And", wrong, writer.node("Not", nothing, where=where), where=where)
    return writer.node("Where", turned, writer.node("Add", rest, y, where=where), rest, where=where)


def floor_divide(writer: Writer, line: Line, x: str, y: str) -> str:
    """⌊x/y⌋ of whole numbers: without the remainder, x is a multiple of y."""
    dtype, where = line.node.dtype, line.where
    safe = _safe(writer, line, y)
    multiple = writer.node("Sub", x, writer.node("Mod", x, safe, where=where), where=where)
    quotient = writer.node("Div", multiple, safe, where=where)
    sign = writer.constant(1, dtype)  # 0 for the divisor 0, −1 for −1
    for value, lack in _stand_ins(dtype):
        part = writer.node("Mul", _is(writer, line, y, value), writer.constant(lack, dtype), where=where)
        sign = writer.node("Sub", sign, part, where=where)
    return writer.node("Mul", quotient, sign, where=where)


def _safe(writer: Writer, line: Line, y: str) -> str:
    """The divisor, and 1 in the place of 0 and −1."""
    for value, lack in _stand_ins(line.node.dtype):
        part = writer.node("Mul", _is(writer, line, y, value), writer.constant(lack, line.node.dtype), where=line.where)
        y = writer.node("Add", y, part, where=line.where)
    return y


def _stand_ins(dtype: str) -> tuple[tuple[int, int], ...]:
    """Divisors for which 1 stands in, and what they lack to it."""
    return ((-1, 2), (0, 1)) if kind(dtype) == "signed" else ((0, 1),)


def _is(writer: Writer, line: Line, y: str, value: int) -> str:
    """1 where the divisor has this value, else 0, as a number of its kind."""
    hit = writer.node("Equal", y, writer.constant(value, line.node.dtype), where=line.where)
    return writer.cast(hit, line.node.dtype, line.where)
