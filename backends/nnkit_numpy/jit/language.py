"""The language: functions over 64-bit numbers and flat arrays, in Python's syntax, as a module for LLVM.

A function's parameters are ``int64`` where nothing else is said (``x: float32[:]``), and it gives what it says after
the arrow, or nothing. There are ``=``, ``+=`` and the like, ``for`` over a ``range``, ``while``, ``if``, ``return``,
arithmetic, comparisons, ``and``/``or``/``not``, conditional expressions, ``x[i]``, and calls: of the text's functions,
of data types (``float32(x)``), of ``array(address, dtype)``, ``bitcast(x, dtype)`` and ``min``, and of what
``functions`` and ``intrinsics`` have.

A variable has one type, that of its first value. Both sides of an operator have one type; a literal takes the other's.
``//`` and ``%`` of whole numbers are those of the processor, towards zero. Indices do not count from the end.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from llvmlite import ir

from nnkit_numpy.jit import functions
from nnkit_numpy.jit.expressions import Callables, Expressions, Generator
from nnkit_numpy.jit.kinds import WORD, Value, llvm, settled

LOOSE = ("reassoc", "contract", "nsz")
"""How sums may be reordered in a function that says ``@loose``."""


def module(text: str, more: Mapping[str, Generator]) -> Any:
    """All functions of the text; those without the mark ``@export`` can only be called from within.

    ``more`` are functions of int64 that are written in LLVM's instructions.
    """
    made, known = ir.Module("nnkit"), Callables({}, more)
    defined = [node for node in ast.parse(text).body if isinstance(node, ast.FunctionDef)]
    for node in defined:
        _declare(made, known, node)
    for node in defined:
        Function(made, known, node).write()
    return made


def _declare(made: Any, known: Callables, node: ast.FunctionDef) -> None:
    """Its name and types."""
    types = tuple(ast.unparse(a.annotation) if a.annotation else "int64" for a in node.args.args)
    result = ast.unparse(node.returns) if node.returns else ""
    kind = ir.FunctionType(llvm(result) if result else ir.VoidType(), [llvm(t) for t in types])
    function = ir.Function(made, kind, node.name)
    marks = _marks(node)
    function.linkage = "" if "export" in marks else "internal"
    function.attributes.add("nounwind")
    if "apart" in marks:
        function.attributes.add("noinline")
    if "inline" in marks:
        function.attributes.add("alwaysinline")
    known.functions[node.name] = function, types, result


def _marks(node: ast.FunctionDef) -> set[str]:
    return {ast.unparse(mark) for mark in node.decorator_list}


class Function(Expressions):
    """Writes one function, each kind of statement by its ``_do_…``."""

    def __init__(self, made: Any, known: Callables, node: ast.FunctionDef) -> None:
        function, types, self.result = known.functions[node.name]
        self.function, self.node = function, node
        self.entry = function.append_basic_block("entry")
        builder = ir.IRBuilder(function.append_basic_block("body"))
        super().__init__(node.name, builder, known, LOOSE if "loose" in _marks(node) else ())
        self._module = made
        for argument, code, dtype in zip(node.args.args, function.args, types, strict=True):
            self._assign(argument.arg, Value(dtype, code))

    def write(self) -> None:
        """All of it."""
        self._all(self.node.body)
        if not self.builder.block.is_terminated:
            self.builder.unreachable() if self.result else self.builder.ret_void()
        ir.IRBuilder(self.entry).branch(self.function.blocks[1])

    def library(self, name: str, dtype: str) -> str:
        """Written when it is first called."""
        full = f"{name}_{dtype}"
        if full not in self.known.functions:
            (node,) = ast.parse(functions.text(name, full, dtype)).body
            assert isinstance(node, ast.FunctionDef)
            _declare(self._module, self.known, node)
            Function(self._module, self.known, node).write()
        return full

    def _all(self, statements: Sequence[ast.stmt]) -> None:
        for statement in statements:
            self._by_kind("_do_", statement)

    def _do_expr(self, node: ast.Expr) -> None:
        if not isinstance(node.value, ast.Constant):
            self._value(node.value)

    def _do_pass(self, node: ast.Pass) -> None:
        pass

    def _do_assign(self, node: ast.Assign) -> None:
        (target,) = node.targets
        if isinstance(target, ast.Tuple):
            assert isinstance(node.value, ast.Tuple)
            values = [self._value(value) for value in node.value.elts]
            for each, value in zip(target.elts, values, strict=True):
                self._store(each, value)
        else:
            self._store(target, self._value(node.value))

    def _do_augassign(self, node: ast.AugAssign) -> None:
        self._store(node.target, self._arithmetic(node.op, self._value(node.target), self._value(node.value)))

    def _do_return(self, node: ast.Return) -> None:
        if node.value is None:
            self.builder.ret_void()
        else:
            self.builder.ret(self._exactly(self._value(node.value), self.result).code)
        self.builder.position_at_end(self.function.append_basic_block("after_return"))

    def _do_if(self, node: ast.If) -> None:
        condition = self._truth(node.test)
        if node.orelse:
            with self.builder.if_else(condition) as (then, otherwise):
                with then:
                    self._all(node.body)
                with otherwise:
                    self._all(node.orelse)
        else:
            with self.builder.if_then(condition):
                self._all(node.body)

    def _do_while(self, node: ast.While) -> None:
        with self._loop(lambda: self._truth(node.test)):
            self._all(node.body)

    def _do_for(self, node: ast.For) -> None:
        assert isinstance(node.target, ast.Name)
        assert isinstance(node.iter, ast.Call)
        start, stop, step = self._range([self._whole(value) for value in node.iter.args])
        self._assign(node.target.id, Value("int64", start))
        place = self.variables[node.target.id][1]
        with self._loop(lambda: self.builder.icmp_signed("<", self.builder.load(place), stop)):
            self._all(node.body)
            self.builder.store(self.builder.add(self.builder.load(place), step, flags=("nsw",)), place)

    def _range(self, bounds: list[Any]) -> list[Any]:
        if len(bounds) == 1:
            bounds = [_number(0), *bounds]
        return bounds if len(bounds) == 3 else [*bounds, _number(1)]

    @contextmanager
    def _loop(self, condition: Callable[[], Any]) -> Iterator[None]:
        """While the condition holds."""
        test, body, end = (self.function.append_basic_block(name) for name in ("test", "loop", "end"))
        self.builder.branch(test)
        self.builder.position_at_end(test)
        self.builder.cbranch(condition(), body, end)
        self.builder.position_at_end(body)
        yield
        self.builder.branch(test)
        self.builder.position_at_end(end)

    def _store(self, target: ast.expr, value: Value) -> None:
        if isinstance(target, ast.Name):
            self._assign(target.id, value)
            return
        assert isinstance(target, ast.Subscript)
        place, dtype = self._place(target)
        code = self._exactly(value, dtype).code
        self.builder.store(self.builder.zext(code, ir.IntType(8)) if dtype == "bool" else code, place)

    def _assign(self, name: str, value: Value) -> None:
        known = self.variables.get(name)
        value = settled(value, known[0] if known else "")
        if known is None:
            place = ir.IRBuilder(self.entry).alloca(llvm(value.dtype), name=name)
            known = self.variables[name] = (value.dtype, place)
        self.builder.store(self._exactly(value, known[0]).code, known[1])


def _number(value: int) -> Any:
    return ir.Constant(WORD, value)
