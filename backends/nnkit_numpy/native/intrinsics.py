"""What a native function needs from the processor and numba has no name for."""

from __future__ import annotations

import os
import platform
from functools import cache
from typing import Any

X86 = platform.machine().lower() in ("x86_64", "amd64")
SUBNORMALS_ARE_ZERO = 0x8040
"""Bits of the x86 register MXCSR: results below the smallest normal number, and operands, count as zero."""


@cache
def intrinsics() -> dict[str, Any]:
    """All of them by name; made when first needed, since numba takes long to import."""
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

    @intrinsic  # type: ignore[untyped-decorator]
    def apart(typing: Any) -> Any:
        """Keep the function that says so a function of its own: copied into every place that calls it, a kernel would
        be compiled as often."""

        def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
            builder.function.attributes.add("noinline")
            return context.get_dummy_value()

        return types.void(), generate

    found = {"pointer": pointer, "flush": flush, "restore": restore, "apart": apart, "product": _product()}
    return found | _meeting()


def _meeting() -> dict[str, Any]:
    """What threads need to wait for each other: a number in memory that each of them raises and looks at."""
    from llvmlite import ir
    from numba.core import cgutils, types
    from numba.extending import intrinsic

    word = ir.IntType(64)

    @intrinsic  # type: ignore[untyped-decorator]
    def arrive(typing: Any, gate: Any) -> Any:
        """Raise the number by one; all that this thread wrote is seen by those who see it raised."""

        def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
            place = builder.inttoptr(values[0], word.as_pointer())
            builder.atomic_rmw("add", place, ir.Constant(word, 1), "acq_rel")
            return context.get_dummy_value()

        return types.void(types.int64), generate

    @intrinsic  # type: ignore[untyped-decorator]
    def arrived(typing: Any, gate: Any) -> Any:
        """The number."""

        def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
            return builder.load_atomic(builder.inttoptr(values[0], word.as_pointer()), "acquire", 8)

        return types.int64(types.int64), generate

    def calling(name: str, result: Any) -> Any:
        @intrinsic  # type: ignore[untyped-decorator]
        def call(typing: Any) -> Any:
            def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
                kind = ir.FunctionType(result, [])
                builder.call(cgutils.get_or_insert_function(builder.module, kind, name), [])
                return context.get_dummy_value()

            return types.void(), generate

        return call

    # To pause is to look again a little later; to rest is to let another thread have the core.
    rest = calling("SwitchToThread" if os.name == "nt" else "sched_yield", ir.IntType(32))
    pause = calling("llvm.x86.sse2.pause", ir.VoidType()) if X86 else rest
    return {"arrive": arrive, "arrived": arrived, "pause": pause, "rest": rest}


def _product() -> Any:
    """A function of twelve numbers, by its address: see ``product.address``."""
    from llvmlite import ir
    from numba.core import types
    from numba.extending import intrinsic

    @intrinsic  # type: ignore[untyped-decorator]
    def call(
        typing: Any, at: Any, m: Any, n: Any, k: Any, a: Any, a_down: Any, a_along: Any, b: Any, b_down: Any,
        b_along: Any, c: Any, c_down: Any, scratch: Any,
    ) -> Any:  # fmt: skip
        def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
            at, *rest = values
            kind = ir.FunctionType(ir.VoidType(), [value.type for value in rest])
            builder.call(builder.inttoptr(at, kind.as_pointer()), rest)
            return context.get_dummy_value()

        return types.void(*[types.int64] * 13), generate

    return call


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
