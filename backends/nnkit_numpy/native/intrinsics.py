"""What a native function needs from the processor and numba has no name for."""

from __future__ import annotations

import platform
from functools import cache
from typing import Any

X86 = platform.machine().lower() in ("x86_64", "amd64")
SUBNORMALS_ARE_ZERO = 0x8040
"""Bits of the x86 register MXCSR: results below the smallest normal number, and operands, count as zero."""


@cache
def intrinsics() -> dict[str, Any]:
    """``pointer``, ``flush`` and ``restore`` by name; made when first needed, since numba takes long to import."""
    from numba.core import cgutils, types
    from numba.extending import intrinsic

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
        arithmetic on them takes a hundred times as long. The smallest normal number of float32 is 1e-38: no result
        changes visibly.
        """

        def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
            before = _stored(builder) if X86 else context.get_constant(types.uint32, 0)
            if X86:
                _load(builder, builder.or_(before, context.get_constant(types.uint32, SUBNORMALS_ARE_ZERO)))
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

    return {"pointer": pointer, "flush": flush, "restore": restore}


def _stored(builder: Any) -> Any:
    """The register's bits."""
    from llvmlite import ir
    from numba.core import cgutils

    place = cgutils.alloca_once(builder, ir.IntType(32))
    _move(builder, "stmxcsr", place)
    return builder.load(place)


def _load(builder: Any, value: Any) -> None:
    from numba.core import cgutils

    _move(builder, "ldmxcsr", cgutils.alloca_once_value(builder, value))


def _move(builder: Any, name: str, place: Any) -> None:
    """Between the register and memory."""
    from llvmlite import ir
    from numba.core import cgutils

    kind = ir.FunctionType(ir.VoidType(), [cgutils.voidptr_t])
    instruction = cgutils.get_or_insert_function(builder.module, kind, f"llvm.x86.sse.{name}")
    builder.call(instruction, [builder.bitcast(place, cgutils.voidptr_t)])
