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
    """⌊x/y⌋ of whole numbers: ``Div`` drops the fraction, which is one too much where there is one below 0."""
    dtype, where = line.node.dtype, line.where
    safe = _safe(writer, line, y)
    quotient = writer.node("Div", x, safe, where=where)
    if kind(dtype) == "signed":
        zero = writer.constant(0, dtype)
        sides = (writer.node("Less", value, zero, where=where) for value in (x, safe))
        below = writer.node("Xor", *sides, where=where)
        broken = writer.node("Not", _is(writer, line, writer.node("Mod", x, safe, where=where), 0), where=where)
        dropped = writer.cast(writer.node("And", below, broken, where=where), dtype, where)
        quotient = writer.node("Sub", quotient, dropped, where=where)
    sign = writer.constant(1, dtype)  # 0 for the divisor 0, −1 for −1
    for value, lack in _stand_ins(dtype):
        sign = writer.node("Sub", sign, _times(writer, line, _is(writer, line, y, value), lack), where=where)
    return writer.node("Mul", quotient, sign, where=where)


def _safe(writer: Writer, line: Line, y: str) -> str:
    """The divisor, and 1 in the place of 0 and −1."""
    safe = y
    for value, lack in _stand_ins(line.node.dtype):
        part = _times(writer, line, _is(writer, line, y, value), lack)
        safe = writer.node("Add", safe, part, where=line.where)
    return safe


def _stand_ins(dtype: str) -> tuple[tuple[int, int], ...]:
    """Divisors for which 1 stands in, and what they lack to it."""
    return ((-1, 2), (0, 1)) if kind(dtype) == "signed" else ((0, 1),)


def _is(writer: Writer, line: Line, y: str, value: int) -> str:
    """Whether it has this value."""
    return writer.node("Equal", y, writer.constant(value, line.node.dtype), where=line.where)


def _times(writer: Writer, line: Line, hit: str, number: int) -> str:
    """The number where the condition holds, else 0: ``Where`` has no kernel for uint64."""
    dtype, where = line.node.dtype, line.where
    return writer.node("Mul", writer.cast(hit, dtype, where), writer.constant(number, dtype), where=where)
