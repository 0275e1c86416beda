"""What a native function needs from the processor and numba has no name for. Importing this imports numba."""

from __future__ import annotations

import platform
from typing import Any

from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

X86 = platform.machine().lower() in ("x86_64", "amd64")
SUBNORMALS_ARE_ZERO = 0x8040
"""Bits of the x86 register MXCSR: results below the smallest normal number, and operands, count as zero."""


@intrinsic  # type: ignore[untyped-decorator]
def pointer(typing: Any, address: Any) -> Any:
    """An address as a pointer."""

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        return builder.inttoptr(values[0], cgutils.voidptr_t)

    return types.voidptr(address), generate


@intrinsic  # type: ignore[untyped-decorator]
def flush(typing: Any) -> Any:
    """From here on subnormal numbers count as zero; gives what ``restore`` wants.

    An optimiser's moments decay into them wherever a gradient stays zero, as at the rim of MNIST's images, and
    arithmetic on them takes a hundred times as long. The smallest normal number of float32 is 1e-38: no result changes
    visibly.
    """

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        if not X86:
            return ir.Constant(ir.IntType(32), 0)
        before = _stored(builder)
        _load(builder, builder.or_(before, ir.Constant(ir.IntType(32), SUBNORMALS_ARE_ZERO)))
        return before

    return types.uint32(), generate


@intrinsic  # type: ignore[untyped-decorator]
def restore(typing: Any, before: Any) -> Any:
    """The processor as ``flush`` found it."""

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        if X86:
            _load(builder, values[0])
        return context.get_dummy_value()

    return types.void(before), generate


def _stored(builder: Any) -> Any:
    place = cgutils.alloca_once(builder, ir.IntType(32))
    builder.call(_instruction(builder, "stmxcsr"), [builder.bitcast(place, cgutils.voidptr_t)])
    return builder.load(place)


def _load(builder: Any, value: Any) -> None:
    place = cgutils.alloca_once_value(builder, value)
    builder.call(_instruction(builder, "ldmxcsr"), [builder.bitcast(place, cgutils.voidptr_t)])


def _instruction(builder: Any, name: str) -> Any:
    kind = ir.FunctionType(ir.VoidType(), [cgutils.voidptr_t])
    return cgutils.get_or_insert_function(builder.module, kind, f"llvm.x86.sse.{name}")
