"""Tracing: arrays that record what is done to them. One Trace belongs to one call in one thread; nothing is global."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NoReturn

from nnkit.errors import DtypeError, NnkitError, TraceError
from nnkit.graph.dtypes import kind, typed
from nnkit.graph.ir import Graph, Node, Origin, Shape
from nnkit.graph.primitives import PRIMITIVES, Type
from nnkit.graph.shapes import show
from nnkit.places import place

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nnkit.graph.namespace import Namespace

_LIBRARY = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
_ENGINE = tuple(os.path.join(_LIBRARY, part) for part in ("graph" + os.sep, "ops" + os.sep, "functional.py"))


class Trace:
    """Records primitive operations as Nodes. ``path`` and ``phase`` name where the code that runs belongs; with a
    ``cause``, that is where this node came from.
    """

    def __init__(self) -> None:
        from nnkit.graph.namespace import Namespace

        self.nodes: list[Node] = []
        self.namespace: Namespace = Namespace(self)
        self.path = ""
        self.phase = "forward"
        self.cause: Node | None = None

    def input(self, name: str, role: str, shape: Shape, dtype: str) -> TracedArray:
        """A new input of the graph."""
        return self.record("input", (), name=name, role=role, shape=tuple(shape), dtype=dtype)

    def record(
        self, operation: str, operands: Iterable[Any], origin: Origin | None = None, **options: Any
    ) -> TracedArray:
        """Append one primitive operation and return its value."""
        origin = origin or self._origin()
        try:
            arrays = self._traced(operation, tuple(operands))
            shape, dtype = PRIMITIVES[operation].infer(*(Type(a.shape, a.dtype) for a in arrays), **options)
        except NnkitError as error:
            raise self.located(error, origin) from None
        positions = tuple(array.position for array in arrays)
        self.nodes.append(Node(operation, positions, tuple(sorted(options.items())), shape, dtype, origin))
        return TracedArray(self, len(self.nodes) - 1, shape, dtype)

    def located(self, error: NnkitError, origin: Origin | None = None) -> NnkitError:
        """The error with the layer and the user's line in its message, added once: where it was first noticed."""
        if "located" in vars(error):
            return error
        origin = origin or self._origin()
        layer = f"layer '{origin.path}': " if origin.path else ""
        better = type(error)(f"{layer}{error} (at {origin.source})")
        vars(better)["located"] = True
        return better

    def graph(self, outputs: Mapping[str, TracedArray]) -> Graph:
        """What has been recorded, with these outputs."""
        arrays = self._traced("output", tuple(outputs.values()))
        return Graph(tuple(self.nodes), tuple(zip(outputs, (array.position for array in arrays), strict=True)))

    @contextmanager
    def within(self, phase: str) -> Iterator[None]:
        """Record the body as part of ``phase`` (forward, backward or update)."""
        before, self.phase = self.phase, phase
        try:
            yield
        finally:
            self.phase = before

    @contextmanager
    def because_of(self, node: Node) -> Iterator[None]:
        """Record the body as belonging where ``node`` came from."""
        before, self.cause = self.cause, node
        try:
            yield
        finally:
            self.cause = before

    def _origin(self) -> Origin:
        if self.cause is not None:
            return Origin(self.cause.origin.path, self.cause.origin.source, self.phase)
        return Origin(self.path, _user_line(), self.phase)

    def _traced(self, operation: str, operands: tuple[Any, ...]) -> list[TracedArray]:
        arrays = [operand for operand in operands if isinstance(operand, TracedArray)]
        for array in arrays:
            if array.trace is not self:
                raise TraceError(
                    f"{operation}: arrays of two traces meet; pass the outer array to the inner function as an argument"
                )
        return [
            operand if isinstance(operand, TracedArray) else self.scalar(operation, operand, arrays)
            for operand in operands
        ]

    def scalar(self, operation: str, value: Any, partners: list[TracedArray]) -> TracedArray:
        """A Python scalar takes the data type of the array it meets; it never widens it."""
        if type(value) not in (bool, int, float):
            raise TraceError(
                f"{operation}: got {value!r} of type {type(value).__name__} beside a traced array; "
                "only bool, int and float mix: write float(value) for a NumPy scalar, "
                "xp.asarray(value) for an array of constants"
            )
        if not partners:
            raise TraceError(f"{operation}: needs at least one array, got only Python scalars")
        dtype = partners[-1].dtype if operation == "where" else partners[0].dtype
        rank = {"bool": 0, "signed": 1, "unsigned": 1, "float": 2}
        if rank[{bool: "bool", int: "signed", float: "float"}[type(value)]] > rank[kind(dtype)]:
            fix = "convert with xp.astype first"
            if operation == "where" and len(partners) == 1:  # the condition alone
                fix = "where takes an array beside the condition, such as xp.full_like(x, a) for a number a"
            raise DtypeError(f"{operation}: the {type(value).__name__} {value!r} does not fit {dtype}; {fix}")
        return self.record("constant", (), value=typed(operation, value, dtype), dtype=dtype)


def _user_line() -> str:
    """File and line of the nearest caller outside the engine."""
    frame = sys._getframe(1)
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_ENGINE):
        frame = frame.f_back
    return place(frame.f_code.co_filename, frame.f_lineno)


def _refuse(instead: str) -> Callable[..., NoReturn]:
    def method(self: TracedArray, *_: object, **__: object) -> NoReturn:
        where = f" in layer '{self.trace.path}'" if self.trace.path else ""
        raise TraceError(f"a traced array{where} has no values yet; {instead}")

    return method


def _binary(operation: str) -> tuple[Callable[..., Any], Callable[..., Any]]:
    def forward(self: TracedArray, other: Any) -> TracedArray:
        return self.trace.record(operation, (self, other))

    def reflected(self: TracedArray, other: Any) -> TracedArray:
        return self.trace.record(operation, (other, self))

    return forward, reflected


class TracedArray:
    """An array of the standard without values: it knows shape and dtype and records every operation on it."""

    __slots__ = ("dtype", "position", "shape", "trace")
    __array_ufunc__ = None  # NumPy arrays hand their operators over to ours, which refuse with a reason
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, trace: Trace, position: int, shape: Shape, dtype: str) -> None:
        self.trace = trace
        self.position = position
        self.shape = shape
        self.dtype = dtype

    def __array_namespace__(self, *, api_version: str | None = None) -> Namespace:
        return self.trace.namespace

    if not TYPE_CHECKING:  # mypy should still notice a wrong name

        def __getattr__(self, name: str) -> NoReturn:
            raise AttributeError(
                f"a traced array has no attribute '{name}'; "
                "functions are in xp = x.__array_namespace__(), for example xp.sum(x)"
            )

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """Number of elements."""
        return self.trace.nodes[self.position].size

    @property
    def device(self) -> str:
        """Traced arrays live nowhere yet."""
        return "traced"

    @property
    def T(self) -> TracedArray:  # noqa: N802  # the standard's name
        """The transpose of a matrix."""
        return self.trace.record("permute_dims", (self,), axes=(1, 0))

    @property
    def mT(self) -> TracedArray:  # noqa: N802  # the standard's name
        """The last two axes exchanged."""
        return self.trace.namespace.matrix_transpose(self)

    def __repr__(self) -> str:
        return f"TracedArray(shape={show(self.shape)}, dtype={self.dtype})"

    def __getitem__(self, key: Any) -> TracedArray:
        return self.trace.namespace.getitem(self, key)

    def __matmul__(self, other: Any) -> TracedArray:
        return self.trace.namespace.matmul(self, other)

    def __rmatmul__(self, other: Any) -> TracedArray:
        return self.trace.namespace.matmul(other, self)

    def __pow__(self, other: Any) -> TracedArray:
        return self.trace.namespace.pow(self, other)

    def __rpow__(self, other: Any) -> TracedArray:
        return self.trace.namespace.pow(other, self)

    def __neg__(self) -> TracedArray:
        return self.trace.record("negative", (self,))

    def __pos__(self) -> TracedArray:
        return self

    def __abs__(self) -> TracedArray:
        return self.trace.record("abs", (self,))

    def __invert__(self) -> TracedArray:
        return self.trace.record("logical_not" if self.dtype == "bool" else "bitwise_invert", (self,))

    __add__, __radd__ = _binary("add")
    __sub__, __rsub__ = _binary("subtract")
    __mul__, __rmul__ = _binary("multiply")
    __truediv__, __rtruediv__ = _binary("divide")
    __floordiv__, __rfloordiv__ = _binary("floor_divide")
    __mod__, __rmod__ = _binary("remainder")
    __and__, __rand__ = _binary("bitwise_and")
    __or__, __ror__ = _binary("bitwise_or")
    __xor__, __rxor__ = _binary("bitwise_xor")
    __lshift__, __rlshift__ = _binary("bitwise_left_shift")
    __rshift__, __rrshift__ = _binary("bitwise_right_shift")
    __eq__, _ = _binary("equal")
    __ne__, _ = _binary("not_equal")
    __lt__, _ = _binary("less")
    __le__, _ = _binary("less_equal")
    __gt__, _ = _binary("greater")
    __ge__, _ = _binary("greater_equal")

    __bool__ = _refuse(
        "Python's if, while, and, or, not and max cannot depend on values: "
        "write xp.where(condition, a, b), ops.relu or xp.maximum"
    )
    __float__ = __int__ = __index__ = __complex__ = _refuse(
        "keep it an array: arithmetic on 0-d arrays works like on numbers"
    )
    __array__ = _refuse("NumPy functions cannot take it: call the same function of xp = x.__array_namespace__()")
    __iter__ = _refuse("it cannot be looped over: use x[i, ...] with a known i, or an operation on the whole array")
    __len__ = _refuse("write x.shape[0] for its length")
    __setitem__ = _refuse("it cannot be changed in place: build a new array with xp.where or xp.concat")
    __iadd__ = __isub__ = __imul__ = __itruediv__ = __ifloordiv__ = __imod__ = __ipow__ = __imatmul__ = _refuse(
        "it cannot be changed in place: write x = x + y instead of x += y"
    )
    __iand__ = __ior__ = __ixor__ = __ilshift__ = __irshift__ = __iadd__
    __contains__ = _refuse("'in' looks at values: write xp.any(x == value)")
