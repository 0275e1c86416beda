"""Expressions of the language, as LLVM's instructions."""

from __future__ import annotations

import ast
import operator
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from llvmlite import ir

from nnkit_numpy.jit import functions
from nnkit_numpy.jit.kinds import (
    ARRAY,
    DTYPES,
    LanguageError,
    Value,
    alike,
    converted,
    element,
    is_array,
    is_real,
    is_signed,
    llvm,
    settled,
)

Generator = Callable[..., Any]
"""(builder, numbers) → number or None: a function written in LLVM's own instructions."""
COMPARISONS = {ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Eq: "==", ast.NotEq: "!="}
REAL = {ast.Add: "fadd", ast.Sub: "fsub", ast.Mult: "fmul", ast.Div: "fdiv", ast.Mod: "frem"}
WHOLE = {ast.Add: "add", ast.Sub: "sub", ast.Mult: "mul", ast.LShift: "shl"}
WHOLE |= {ast.BitAnd: "and_", ast.BitOr: "or_", ast.BitXor: "xor"}
LITERAL = {ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul}
BY_SIGN = {ast.FloorDiv: ("udiv", "sdiv"), ast.Mod: ("urem", "srem"), ast.RShift: ("lshr", "ashr")}


class Callables(NamedTuple):
    """What a text can call: its functions (LLVM's, types of the parameters, type of the result or "") and more."""

    functions: dict[str, tuple[Any, tuple[str, ...], str]]
    more: Mapping[str, Generator]


class Expressions(ABC):
    """Values of expressions inside one function, each kind by its ``_of_…``."""

    def __init__(self, name: str, builder: Any, known: Callables, flags: tuple[str, ...]) -> None:
        self.name, self.builder, self.known = name, builder, known
        self.flags = flags
        self.variables: dict[str, tuple[str, Any]] = {}  # type and place of each

    @abstractmethod
    def library(self, name: str, dtype: str) -> str:
        """The name of a function that is spelled out in the language, after it was written for this type."""

    def _value(self, node: ast.expr) -> Value:
        found: Value = self._by_kind("_of_", node)
        return found

    def _by_kind(self, what: str, node: ast.AST) -> Any:
        method = getattr(self, what + type(node).__name__.lower(), None)
        if method is None:
            raise LanguageError(f"{self.name}: {type(node).__name__} has no meaning here")
        return method(node)

    def _exactly(self, value: Value, dtype: str) -> Value:
        value = settled(value, dtype)
        if value.dtype != dtype:
            raise LanguageError(f"{self.name}: {value.dtype or 'a literal'} where {dtype} is wanted")
        return value

    def _whole(self, node: ast.expr) -> Any:
        return self._exactly(self._value(node), "int64").code

    def _truth(self, node: ast.expr) -> Any:
        return self._exactly(self._value(node), "bool").code

    def _of_constant(self, node: ast.Constant) -> Value:
        return Value("", node.value)

    def _of_name(self, node: ast.Name) -> Value:
        if node.id in ("inf", "nan"):
            return Value("", float(node.id))
        if node.id not in self.variables:
            raise LanguageError(f"{self.name}: nothing is called {node.id} yet")
        dtype, place = self.variables[node.id]
        return Value(dtype, self.builder.load(place))

    def _of_subscript(self, node: ast.Subscript) -> Value:
        place, dtype = self._place(node)
        code = self.builder.load(place)
        return Value(dtype, self.builder.trunc(code, ir.IntType(1)) if dtype == "bool" else code)

    def _place(self, node: ast.Subscript) -> tuple[Any, str]:
        """Address and type of an element."""
        held = self._value(node.value)
        if not is_array(held.dtype):
            raise LanguageError(f"{self.name}: {ast.unparse(node.value)} is no array")
        dtype = element(held.dtype)
        kind = llvm("uint8" if dtype == "bool" else dtype)
        return self.builder.gep(held.code, [self._whole(node.slice)], inbounds=True, source_etype=kind), dtype

    def _of_unaryop(self, node: ast.UnaryOp) -> Value:
        value = self._value(node.operand)
        if not value.dtype and isinstance(node.op, ast.USub):
            return Value("", -value.code)
        if isinstance(node.op, ast.Not):
            return Value("bool", self.builder.not_(self._exactly(value, "bool").code))
        if isinstance(node.op, ast.Invert):
            return Value(value.dtype, self.builder.not_(value.code))
        assert isinstance(node.op, ast.USub)
        return Value(value.dtype, (self.builder.fneg if is_real(value.dtype) else self.builder.neg)(value.code))

    def _of_binop(self, node: ast.BinOp) -> Value:
        return self._arithmetic(node.op, self._value(node.left), self._value(node.right))

    def _arithmetic(self, op: ast.operator, left: Value, right: Value) -> Value:
        if not left.dtype and not right.dtype:
            return Value("", LITERAL[type(op)](left.code, right.code))
        left, right = self._alike(left, right)
        dtype, kind = left.dtype, type(op)
        if is_real(dtype):
            return Value(dtype, getattr(self.builder, REAL[kind])(left.code, right.code, flags=self.flags))
        if kind in BY_SIGN:
            return Value(dtype, getattr(self.builder, BY_SIGN[kind][is_signed(dtype)])(left.code, right.code))
        # Places in memory are reckoned in int64, and never pass its ends.
        flags = ("nsw",) if dtype == "int64" and WHOLE[kind] in ("add", "sub", "mul") else ()
        return Value(dtype, getattr(self.builder, WHOLE[kind])(left.code, right.code, flags=flags))

    def _alike(self, left: Value, right: Value) -> tuple[Value, Value]:
        try:
            return alike(left, right)
        except LanguageError as wrong:
            raise LanguageError(f"{self.name}: {wrong}") from None

    def _of_compare(self, node: ast.Compare) -> Value:
        (op,), (other,) = node.ops, node.comparators
        left, right = self._alike(self._value(node.left), self._value(other))
        sign = COMPARISONS[type(op)]
        if is_real(left.dtype):
            compare = self.builder.fcmp_unordered if sign == "!=" else self.builder.fcmp_ordered
        else:
            compare = self.builder.icmp_signed if is_signed(left.dtype) else self.builder.icmp_unsigned
        return Value("bool", compare(sign, left.code, right.code))

    def _of_boolop(self, node: ast.BoolOp) -> Value:
        """What follows is looked at only where it matters: it may read memory that is not there."""
        first, *rest = node.values
        if not rest:
            return Value("bool", self._truth(first))
        others = ast.BoolOp(node.op, rest)
        nothing = ast.Constant(isinstance(node.op, ast.Or))
        return self._chosen(first, nothing, others) if nothing.value else self._chosen(first, others, nothing)

    def _of_ifexp(self, node: ast.IfExp) -> Value:
        return self._chosen(node.test, node.body, node.orelse)

    def _chosen(self, test: ast.expr, body: ast.expr, otherwise: ast.expr) -> Value:
        condition = self._truth(test)
        if not any(isinstance(n, ast.Subscript | ast.Call) for side in (body, otherwise) for n in ast.walk(side)):
            left, right = self._alike(self._value(body), self._value(otherwise))
            return Value(left.dtype, self.builder.select(condition, left.code, right.code))
        blocks = []
        with self.builder.if_else(condition) as branches:
            for branch, side in zip(branches, (body, otherwise), strict=True):
                with branch:
                    blocks.append((self._value(side), self.builder.block))
        left, right = self._alike(*(value for value, _ in blocks))
        joined = self.builder.phi(llvm(left.dtype))
        for value, (_, block) in zip((left, right), blocks, strict=True):
            joined.add_incoming(value.code, block)
        return Value(left.dtype, joined)

    def _of_call(self, node: ast.Call) -> Value:
        assert isinstance(node.func, ast.Name)
        name = node.func.id
        if name == "array":
            address, dtype = node.args
            kind = f"{ast.unparse(dtype)}{ARRAY}"
            return Value(kind, self.builder.inttoptr(self._whole(address), llvm(kind)))
        if name == "bitcast":
            number, target = node.args
            return Value(ast.unparse(target), self.builder.bitcast(self._value(number).code, llvm(ast.unparse(target))))
        values = [self._value(argument) for argument in node.args]
        if name in self.known.functions:
            return self._called(name, values)
        if name in DTYPES:
            return converted(self.builder, values[0], name)
        if name == "min":
            left, right = self._alike(*values)
            less = self.builder.icmp_signed("<", left.code, right.code)
            return Value(left.dtype, self.builder.select(less, left.code, right.code))
        if name in self.known.more:
            given = self.known.more[name](self.builder, *(self._exactly(v, "int64").code for v in values))
            return Value("int64", given)
        return self._computed(name, values)

    def _called(self, name: str, values: Sequence[Value]) -> Value:
        function, types, result = self.known.functions[name]
        given = [self._exactly(value, dtype).code for value, dtype in zip(values, types, strict=True)]
        return Value(result, self.builder.call(function, given))

    def _computed(self, name: str, values: Sequence[Value]) -> Value:
        """A function of mathematics."""
        values = [settled(value, next((v.dtype for v in values if v.dtype), "float64")) for value in values]
        dtype = values[0].dtype
        if functions.is_spelled_out(name, dtype):
            return self._called(self.library(name, dtype), values)
        return Value(dtype, functions.call(self.builder, name, dtype, [v.code for v in values]))
