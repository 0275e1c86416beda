"""What a native function needs from the processor, in LLVM's own instructions."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable
from typing import Any

from llvmlite import ir

from nnkit_numpy.jit.functions import declared
from nnkit_numpy.jit.kinds import WORD

X86 = platform.machine().lower() in ("x86_64", "amd64")
SUBNORMALS_ARE_ZERO = 0x8040
"""Bits of the x86 register MXCSR: results below the smallest normal number, and operands, count as zero."""
BYTES = ir.IntType(8).as_pointer()


def intrinsics() -> dict[str, Callable[..., Any]]:
    """All of them by name."""
    return {
        "flush": flush,
        "restore": restore,
        "arrive": arrive,
        "arrived": arrived,
        "pause": pause,
        "rest": rest,
        "call": call,
        "ticks": ticks,
    }


def flush(builder: Any) -> Any:
    """From here on subnormal numbers count as zero; gives what ``restore`` wants.

    An optimiser's moments decay into them wherever a gradient stays zero, as at the rim of MNIST's images, and
    arithmetic on them takes a hundred times as long. The smallest normal number of float32 is 1e-38: no result changes
    visibly.
    """
    if not X86:
        return ir.Constant(WORD, 0)
    place = builder.alloca(ir.IntType(32))
    _move(builder, "stmxcsr", place)
    before = builder.load(place)
    builder.store(builder.or_(before, ir.Constant(before.type, SUBNORMALS_ARE_ZERO)), place)
    _move(builder, "ldmxcsr", place)
    return builder.zext(before, WORD)


def restore(builder: Any, before: Any) -> None:
    """The processor as ``flush`` found it."""
    if X86:
        place = builder.alloca(ir.IntType(32))
        builder.store(builder.trunc(before, ir.IntType(32)), place)
        _move(builder, "ldmxcsr", place)


def _move(builder: Any, name: str, place: Any) -> None:
    """Between the register and memory."""
    builder.call(
        declared(builder.module, f"llvm.x86.sse.{name}", ir.VoidType(), [BYTES]), [builder.bitcast(place, BYTES)]
    )


def arrive(builder: Any, gate: Any) -> Any:
    """Raise the number at this address by one; all that this thread wrote is seen by those who see it raised.

    Gives the number before.
    """
    return builder.atomic_rmw("add", builder.inttoptr(gate, WORD.as_pointer()), ir.Constant(WORD, 1), "acq_rel")


def arrived(builder: Any, gate: Any) -> Any:
    """The number."""
    return builder.load_atomic(builder.inttoptr(gate, WORD.as_pointer()), "acquire", 8)


def pause(builder: Any) -> None:
    """Look again a little later."""
    if X86:
        builder.call(declared(builder.module, "llvm.x86.sse2.pause", ir.VoidType(), []), [])
    else:
        rest(builder)


def rest(builder: Any) -> None:
    """Let another thread have the core."""
    name = "SwitchToThread" if os.name == "nt" else "sched_yield"
    builder.call(declared(builder.module, name, ir.IntType(32), [], pure=False), [])


def ticks(builder: Any) -> Any:
    """The processor's own clock, which runs evenly."""
    return builder.call(declared(builder.module, "llvm.readcyclecounter", WORD, []), [])


def call(builder: Any, at: Any, *numbers: Any) -> None:
    """The function at this address, of so many int64."""
    kind = ir.FunctionType(ir.VoidType(), [number.type for number in numbers])
    builder.call(builder.inttoptr(at, kind.as_pointer()), numbers)
