"""The parts of a matrix product that live in vector registers, written in LLVM's language."""

from __future__ import annotations

import platform
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any, NamedTuple

ITEMS = {"float32": 4, "float64": 8}


class Registers(NamedTuple):
    """The vector registers of a processor: bytes of each, and how many there are."""

    nbytes: int
    number: int

    @property
    def tile(self) -> tuple[int, int]:
        """Rows and vectors of a tile: its sums, a row of the right operand and one number of the left fit."""
        return (6, 4) if self.number >= 32 else (6, 2)


@cache
def registers() -> Registers:
    """Those of this processor."""
    from llvmlite import binding

    features = binding.get_host_cpu_features()
    if features.get("avx512f"):
        return Registers(64, 32)
    if features.get("avx"):
        return Registers(32, 16)
    return Registers(16, 32 if platform.machine().lower() in ("arm64", "aarch64") else 16)


@cache
def tiles(dtype: str) -> dict[str, Any]:
    """``tile<rows>x<vectors>`` for every number of rows, ``edge<rows>`` for a last vector not full, and ``turn``."""
    lanes = registers().nbytes // ITEMS[dtype]
    most, wide = registers().tile
    found = {"turn": _turn(dtype, lanes)}
    for rows in range(1, most + 1):
        for vectors in sorted({2, wide}):
            found[f"tile{rows}x{vectors}"] = _tile(dtype, lanes, rows, vectors, edge=False)
        found[f"edge{rows}"] = _tile(dtype, lanes, rows, 1, edge=True)
    return found


class _Vectors:
    """Instructions on vectors of one kind; addresses are numbers, steps are counted in elements."""

    def __init__(self, builder: Any, dtype: str, lanes: int) -> None:
        from llvmlite import ir

        self.ir, self.builder, self.lanes, self.size = ir, builder, lanes, ITEMS[dtype]
        self.real = ir.FloatType() if dtype == "float32" else ir.DoubleType()
        self.kind = ir.VectorType(self.real, lanes)
        self.zero = ir.Constant(self.kind, [0.0] * lanes)
        self.suffix = f"v{lanes}f{8 * self.size}"

    def call(self, name: str, result: Any, *arguments: Any) -> Any:
        from nnkit_numpy.jit.functions import declared

        function = declared(self.builder.module, name, result, [argument.type for argument in arguments])
        return self.builder.call(function, arguments)

    def held(self) -> Any:
        """A place for a vector, in a register if there is one."""
        with self.builder.goto_entry_block():
            return self.builder.alloca(self.kind)

    @contextmanager
    def times(self, count: Any) -> Iterator[Any]:
        """So many times; gives the number of each."""
        before, start, end = self.builder.block, *(self.builder.append_basic_block(name) for name in ("times", "after"))
        self.builder.cbranch(self.builder.icmp_signed(">", count, self.number(0)), start, end)
        self.builder.position_at_end(start)
        index = self.builder.phi(count.type)
        index.add_incoming(self.number(0), before)
        yield index
        following = self.builder.add(index, self.number(1))
        index.add_incoming(following, self.builder.block)
        self.builder.cbranch(self.builder.icmp_signed("<", following, count), start, end)
        self.builder.position_at_end(end)

    def number(self, value: int) -> Any:
        return self.ir.Constant(self.ir.IntType(64), value)

    def step(self, address: Any, elements: Any, times: int = 1) -> Any:
        """So many elements on."""
        return self.builder.add(address, self.builder.mul(elements, self.number(times * self.size)))

    def load(self, address: Any, mask: Any = None) -> Any:
        place = self.builder.inttoptr(address, self.kind.as_pointer())
        if mask is None:
            return self.builder.load(place, align=self.size)
        size = self.ir.Constant(self.ir.IntType(32), self.size)
        return self.call(f"llvm.masked.load.{self.suffix}.p0", self.kind, place, size, mask, self.zero)

    def store(self, value: Any, address: Any, mask: Any = None) -> None:
        place = self.builder.inttoptr(address, self.kind.as_pointer())
        if mask is None:
            self.builder.store(value, place, align=self.size)
            return
        size = self.ir.Constant(self.ir.IntType(32), self.size)
        self.call(f"llvm.masked.store.{self.suffix}.p0", self.ir.VoidType(), value, place, size, mask)

    def repeated(self, address: Any) -> Any:
        """One number in all lanes."""
        number = self.builder.load(self.builder.inttoptr(address, self.real.as_pointer()))
        return self.spread(number, self.kind)

    def spread(self, number: Any, kind: Any) -> Any:
        undefined, first = self.ir.Constant(kind, self.ir.Undefined), self.ir.Constant(self.ir.IntType(32), 0)
        one = self.builder.insert_element(undefined, number, first)
        return self.builder.shuffle_vector(one, undefined, self._order([0] * self.lanes))

    def multiply_add(self, a: Any, b: Any, c: Any) -> Any:
        """a·b + c, rounded once where the processor can."""
        return self.call(f"llvm.fmuladd.{self.suffix}", self.kind, a, b, c)

    def first(self, count: Any) -> Any:
        """A mask of the first so many lanes."""
        wide = self.ir.VectorType(self.ir.IntType(64), self.lanes)
        return self.builder.icmp_signed("<", self.ir.Constant(wide, list(range(self.lanes))), self.spread(count, wide))

    def shuffled(self, a: Any, b: Any, order: list[int]) -> Any:
        return self.builder.shuffle_vector(a, b, self._order(order))

    def _order(self, order: list[int]) -> Any:
        return self.ir.Constant(self.ir.VectorType(self.ir.IntType(32), self.lanes), order)


def _tile(dtype: str, lanes: int, rows: int, vectors: int, edge: bool) -> Any:
    """c = a·b, or c += a·b where there is ``more``, for a tile of c; of an edge, only the first columns are there.

    The sums stay in registers; each is of its products in order, one after the other, so that its bits depend on
    neither the tiles nor the threads nor the pieces in which a long sum is done.
    """

    def write(
        builder: Any, columns: Any, k: Any, a: Any, a_down: Any, a_along: Any, b: Any, b_down: Any, c: Any,
        c_down: Any, more: Any,
    ) -> None:  # fmt: skip
        do = _Vectors(builder, dtype, lanes)
        mask = do.first(columns) if edge else None
        across = [do.number(lanes * v * do.size) for v in range(vectors)]
        places = [[builder.add(do.step(c, c_down, r), v) for v in across] for r in range(rows)]
        sums = [[do.held() for _ in across] for _ in range(rows)]
        pairs = [(s, p) for row in zip(sums, places, strict=True) for s, p in zip(*row, strict=True)]
        with builder.if_else(builder.icmp_signed("!=", more, do.number(0))) as (going_on, beginning):
            with going_on:
                for total, place in pairs:
                    builder.store(do.load(place, mask), total)
            with beginning:
                for total, _ in pairs:
                    builder.store(do.zero, total)
        with do.times(k) as at:
            row = do.step(b, builder.mul(at, b_down))
            right = [do.load(builder.add(row, v), mask) for v in across]
            left = do.step(a, builder.mul(at, a_along))
            for r in range(rows):
                factor = do.repeated(do.step(left, a_down, r))
                for total, value in zip(sums[r], right, strict=True):
                    builder.store(do.multiply_add(factor, value, builder.load(total)), total)
        for total, place in pairs:
            do.store(builder.load(total), place, mask)

    return write


def _turn(dtype: str, lanes: int) -> Any:
    """A square block, as wide as a vector, transposed."""

    def write(builder: Any, source: Any, source_down: Any, target: Any, target_down: Any) -> None:
        do = _Vectors(builder, dtype, lanes)
        rows = [do.load(do.step(source, source_down, r)) for r in range(lanes)]
        for low, high, at in _stages(lanes):
            swapped = list(rows)
            for i in range(lanes):
                if not i & at:
                    swapped[i] = do.shuffled(rows[i], rows[i + at], low)
                    swapped[i + at] = do.shuffled(rows[i], rows[i + at], high)
            rows = swapped
        for r, row in enumerate(rows):
            do.store(row, do.step(target, target_down, r))

    return write


def _stages(lanes: int) -> Iterator[tuple[list[int], list[int], int]]:
    """Blocks of 1, 2, 4, … lanes of two rows change places: lanes of the upper row, the lower, and their distance."""
    at = 1
    while at < lanes:
        low = [i if not i & at else lanes + i - at for i in range(lanes)]
        high = [i + at if not i & at else lanes + i for i in range(lanes)]
        yield low, high, at
        at *= 2
