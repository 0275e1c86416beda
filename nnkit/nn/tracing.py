"""Calling a module inside a trace: on a shadow of its tree with traced arrays as leaves; the tree stays as it is."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from inspect import signature
from typing import Any, cast

from nnkit import constraints
from nnkit.errors import ArgumentError, ShapeError, TraceError
from nnkit.graph.shapes import fixed, show
from nnkit.graph.tracing import Trace, TracedArray
from nnkit.nn.leaves import INPUTS, Declared, Parameter, State
from nnkit.nn.module import Module, declared, join, members
from nnkit.nn.outputs import Outputs
from nnkit.ops import random_bits, random_normal, random_uniform, stop_gradient

Array = Any
GiveLeaf = Callable[[str, Declared, tuple[int, ...]], TracedArray]


class Run:
    """What a module may ask for while it is traced."""

    def __init__(
        self,
        trace: Trace,
        give_leaf: GiveLeaf,
        training: bool = False,
        randomness: tuple[TracedArray, TracedArray, TracedArray] | None = None,
    ) -> None:
        self.training = training
        self.updates: dict[str, TracedArray] = {}
        self.penalties: list[TracedArray] = []
        self.rows = 0
        self.outputs = Outputs()
        self._trace = trace
        self._give_leaf = give_leaf
        self._randomness = randomness
        self._draws: dict[str, int] = {}
        self._paths: dict[int, str] = {}
        self._leaves: dict[str, tuple[TracedArray, tuple[int, ...]]] = {}
        self._replaced: dict[int, Callable[[TracedArray], TracedArray]] = {}

    def random_bits(self, module: Module, shape: tuple[int, ...]) -> TracedArray:
        """32 random bits for each element, uint32, by seed, step, the module's path and how often it asked before."""
        path = _path_of(module)
        if self._randomness is None:
            raise TraceError(f"{_place(module)} asks for random numbers outside training; ask only if run.training")
        use = self._draws[path] = self._draws.get(path, -1) + 1
        digest = hashlib.sha256(f"{path}/{use}".encode()).digest()
        stream = (int.from_bytes(digest[:4], "little"), int.from_bytes(digest[4:8], "little"))
        low, high, step = self._randomness
        bits: TracedArray = random_bits((low, high), step, stream, shape)
        return bits

    def random(self, module: Module, shape: tuple[int, ...], dtype: str = "float32") -> TracedArray:
        """Uniform numbers in [0, 1)."""
        numbers: TracedArray = random_uniform(self.random_bits(module, shape), dtype)
        return numbers

    def normal(self, module: Module, shape: tuple[int, ...], dtype: str = "float32") -> TracedArray:
        """Normal numbers of mean 0 and variance 1."""
        first, second = self.random_bits(module, shape), self.random_bits(module, shape)
        numbers: TracedArray = random_normal(first, second, dtype)
        return numbers

    def penalty(self, module: Module, value: Array) -> None:
        """Add to the loss: ``value`` has one number for each row of the batch, or is one number for each row alike.

        The loss of a row and what is added to it are averaged together, with the weights of the samples if there are
        any, in training and in every loss that is reported.
        """
        if not isinstance(value, TracedArray) or value.shape not in ((), (self.rows,)):
            got = show(value.shape) if isinstance(value, TracedArray) else type(value).__name__
            raise ShapeError(
                f"{_place(module)}: run.penalty(self, value) takes an array of the trace with one number for each "
                f"of the {self.rows} rows of the batch, or of one number; got {got}: take xp.sum over the other axes"
            )
        self.penalties.append(value)

    def replaced(
        self, module: Module, x: Array, name: str, function: Callable[[TracedArray], TracedArray]
    ) -> TracedArray:
        """The output of a module for x with ``function`` of its leaf ``name`` in the place of that leaf."""
        leaf = vars(vars(module)["_shadow_of"]).get(name)
        if not isinstance(leaf, (Parameter, State)):
            raise TraceError(f"{_place(module)}: run.replaced(…, '{name}', …), but self.{name} is no leaf")
        self._replaced[id(leaf)] = function
        try:
            output: TracedArray = module(x, self)
        finally:
            del self._replaced[id(leaf)]
        return output

    def place(self, module: Module) -> str:
        """What messages call a layer: its path and its kind."""
        return _place(module)

    def update(self, module: Module, **values: Array) -> None:
        """New values of states that the module declares; they take effect after the step.

        A module that is called again in the same step goes on from them.
        """
        _path_of(module)  # which refuses what is not the layer itself
        tree = vars(module)["_shadow_of"]
        for name, value in values.items():
            leaf = vars(tree).get(name)
            if not isinstance(leaf, State):
                raise TraceError(f"{_place(module)}: run.update(self, {name}=…), but self.{name} is not a State")
            if not isinstance(value, TracedArray):
                raise TraceError(
                    f"{_place(module)}: run.update(self, {name}=…) needs an array of the trace, "
                    f"got {type(value).__name__}"
                )
            old = getattr(module, name)
            if (value.shape, value.dtype) != (old.shape, old.dtype):
                raise ShapeError(
                    f"{_place(module)}: state '{name}' is {old.dtype}{list(old.shape)}, "
                    f"its new value {value.dtype}{list(value.shape)}"
                )
            self.updates[self._paths[id(leaf)]] = value

    @contextmanager
    def _inside(self, path: str) -> Iterator[None]:
        before, self._trace.path = self._trace.path, path
        try:
            yield
        finally:
            self._trace.path = before

    def _leaf(self, path: str, leaf: Declared, owner: Module, x: Any) -> TracedArray:
        """The traced array of a leaf, its shape resolved by the input."""
        name = self._paths.setdefault(id(leaf), path)
        shape = tuple(_width(x, owner, path) if size == INPUTS else int(size) for size in leaf.shape)
        if name not in self._leaves:
            self._leaves[name] = (self._give_leaf(name, leaf, shape), shape)
        array, known = self._leaves[name]
        array = stop_gradient(self.updates[name]) if name in self.updates else array
        if INPUTS in leaf.shape and shape != known:
            which = leaf.shape.index(INPUTS)
            raise ShapeError(f"{_place(owner)} expects {known[which]} inputs, got {shape[which]}")
        return self._replacement(owner, path, array, self._replaced[id(leaf)]) if id(leaf) in self._replaced else array

    def _replacement(self, owner: Module, path: str, array: TracedArray, function: Callable[..., Any]) -> TracedArray:
        found = function(array)
        if (found.shape, found.dtype) != (array.shape, array.dtype):
            raise ShapeError(
                f"{_place(owner)}: '{path.rpartition('.')[2]}' is {array.dtype}{list(array.shape)}, "
                f"what replaces it {found.dtype}{list(found.shape)}"
            )
        return cast("TracedArray", found)


def call_module(module: Module, x: TracedArray, run: Run) -> TracedArray:
    """The module's output, recorded in the trace of ``x``."""
    for path, leaf in declared(module).items():
        run._paths.setdefault(id(leaf), path)
    shadows: dict[int, Module] = {}
    shadow = _shadow(module, "", shadows)
    run.rows = fixed(x.shape, "x")[0]
    result = shadow(x, run)
    for original in shadows.values():
        _check_unchanged(original)
    if not isinstance(result, TracedArray):
        raise TraceError(f"module {_kind(module)} must return one array, got {type(result).__name__}")
    return result


def trace_shapes(
    module: Module, input_shape: tuple[int, ...], dtype: str
) -> tuple[dict[str, tuple[int, ...]], tuple[int, ...]]:
    """Shapes of all leaves by path, in order of definition, and of one row of the output, by one trace."""
    shapes: dict[str, tuple[int, ...]] = {}
    trace = Trace()

    def give_leaf(path: str, leaf: Declared, shape: tuple[int, ...]) -> TracedArray:
        shapes[path] = shape
        return trace.input(path, "state", shape, dtype)

    x = trace.input("x", "data", (2, *input_shape), dtype)
    output = call_module(module, x, Run(trace, give_leaf))
    rows, *row = fixed(output.shape, "output") or (0,)
    if rows != 2:
        raise ShapeError(
            f"module {_kind(module)} must keep the first axis, the batch: 2 rows went in, {show(output.shape)} came out"
        )
    ordered = {}
    for path, leaf in declared(module).items():
        if path not in shapes and INPUTS in leaf.shape:
            raise ArgumentError(
                f"leaf '{path}' is declared, but its module is never called, so that its shape is unknown"
            )
        ordered[path] = shapes.get(path) or tuple(int(size) for size in leaf.shape)
        if isinstance(leaf, Parameter) and leaf.constraint is not None:
            _check_constraint(path, leaf.constraint, ordered[path], dtype)
    return ordered, tuple(row)


def _check_constraint(path: str, constraint: Any, shape: tuple[int, ...], dtype: str) -> None:
    """Refuse a constraint that does not fit its parameter, before anything is trained."""
    try:
        found = constraints.get(constraint)(Trace().input(path, "data", shape, dtype))
    except ShapeError as error:
        raise ShapeError(f"parameter '{path}': {error}") from None
    if (found.shape, found.dtype) != (shape, dtype):
        raise ShapeError(
            f"parameter '{path}': constraint {constraint!r} makes {found.dtype}{list(found.shape)} of "
            f"{dtype}{list(shape)}; it must keep shape and data type"
        )


# -- shadows


class _Shadow:
    """Mixed in before the module's own class: resolves leaves at the call, and refuses changes."""

    def __call__(self: Any, x: Any, *arguments: Any, **options: Any) -> Any:
        run = next((a for a in (*arguments, *options.values()) if isinstance(a, Run)), None)
        path = vars(self)["_shadow_path"]
        if run is None:
            raise TraceError(f"{_place(self)} was called without run; write self.layer(x, run)")
        for name, value in vars(vars(self)["_shadow_of"]).items():
            if _holds_leaf(value):
                vars(self)[name] = _resolved(value, join(path, name), self, x, run)
        call = super().__call__  # type: ignore[misc]
        _check_call(self, call, x, *arguments, **options)
        with run._inside(path), run.outputs.within(vars(self)["_shadow_of"]):
            try:
                output = call(x, *arguments, **options)
            except TypeError as error:
                remedy = _remedy(str(error))
                if remedy is None:
                    raise
                raise TraceError(f"{_place(self)} {remedy}") from None
        if output is None:
            raise TraceError(f"{_place(self)} returned nothing; end its __call__ with return and one array")
        run.outputs.note(path, output)
        return output

    def __delattr__(self: Any, name: str) -> None:
        raise TraceError(f"{_place(self)} deletes self.{name} during its call; a call must change nothing")

    def __setattr__(self: Any, name: str, value: Any) -> None:
        raise TraceError(
            f"{_place(self)} sets self.{name} during its call; "
            f"declare self.{name} = State(…) in __init__ and write run.update(self, {name}=…)"
        )


def _check_call(shadow: Module, call: Callable[..., Any], *arguments: Any, **options: Any) -> None:
    try:
        signature(call).bind(*arguments, **options)
    except TypeError as error:
        raise TraceError(
            f"{_place(shadow)} cannot be called as it is here: {error}; a layer is called with (x, run), so write "
            "def __call__(self, x, run)"
        ) from None


def _remedy(text: str) -> str | None:
    """What a layer does and is to do instead, where the text of the error in its call does not say so."""
    if "__array_ufunc__" in text:
        return "calls NumPy on a traced array; write xp = nnkit.ops.namespace(x), and the same function of xp"
    if re.search(r"of type (Parameter|State)\b", text):
        return (
            "computes with a Parameter or State that is not its own; create layers, parameters and states in __init__ "
            "and keep them as attributes of self"
        )
    return None


@lru_cache(maxsize=256)
def _shadow_class(kind: type[Module]) -> type[Module]:
    return type(kind.__name__, (_Shadow, kind), {"__module__": kind.__module__})


def _shadow(module: Module, path: str, shadows: dict[int, Module]) -> Module:
    """A copy of the tree; a module that stands in several places has one shadow, named by its first place."""
    if id(module) in shadows:
        return shadows[id(module)]
    copy = object.__new__(_shadow_class(type(module)))
    shadows[id(module)] = copy
    vars(copy).update(_shadow_path=path, _shadow_of=module)
    for name, value in vars(module).items():
        vars(copy)[name] = _shadow_value(value, join(path, name), shadows)
    containers = [name for name, value in vars(module).items() if isinstance(value, (list, tuple, dict))]
    vars(copy)["_shadow_parts"] = {name: _contents(vars(copy)[name]) for name in containers}
    return copy


def _shadow_value(value: Any, path: str, shadows: dict[int, Module]) -> Any:
    if isinstance(value, Module):
        return _shadow(value, path, shadows)
    if isinstance(value, dict):
        return {name: _shadow_value(part, join(path, str(name)), shadows) for name, part in value.items()}
    if isinstance(value, (list, tuple)):
        return _rebuilt(value, [_shadow_value(part, join(path, str(i)), shadows) for i, part in enumerate(value)])
    return value


def _rebuilt(sequence: Any, parts: list[Any]) -> Any:
    """A list or a tuple, plain or named, with other parts."""
    make = getattr(type(sequence), "_make", list if isinstance(sequence, list) else tuple)
    return make(parts)


def _holds_leaf(value: Any) -> bool:
    if isinstance(value, (Parameter, State)):
        return True
    return not isinstance(value, Module) and any(_holds_leaf(part) for _, part in members(value))


def _resolved(value: Any, path: str, owner: Module, x: Any, run: Run) -> Any:
    """The value with each leaf replaced by its traced array."""
    if isinstance(value, (Parameter, State)):
        return run._leaf(path, value, owner, x)
    if isinstance(value, dict):
        return {name: _resolved(part, join(path, str(name)), owner, x, run) for name, part in value.items()}
    if isinstance(value, (list, tuple)):
        return _rebuilt(value, [_resolved(part, join(path, str(i)), owner, x, run) for i, part in enumerate(value)])
    return value


def _contents(value: Any) -> Any:
    """What a container holds, at any depth, by identity, to notice what a call put there. Leaves become arrays."""
    if isinstance(value, (list, tuple, dict)):
        return [(key, _contents(part)) for key, part in members(value)]
    return "leaf" if isinstance(value, (Parameter, State, TracedArray)) else id(value)


def _check_unchanged(shadow: Module) -> None:
    for name, parts in vars(shadow)["_shadow_parts"].items():
        if _contents(vars(shadow)[name]) != parts:
            raise TraceError(
                f"{_place(shadow)} changed self.{name} during its call; a call must change "
                "nothing: declare a State and use run.update, or compute the value in __init__"
            )


def _place(module: Module) -> str:
    path = _path_of(module)
    return f"layer '{path}' ({_kind(module)})" if path else f"the network's module ({_kind(module)})"


def _path_of(module: Module) -> str:
    try:
        return str(vars(module)["_shadow_path"])
    except KeyError:
        raise TraceError(f"pass self to run, not another {_kind(module)}") from None


def _kind(module: object) -> str:
    return type(module).__name__


def _width(x: Any, owner: Module, path: str) -> int:
    if not isinstance(x, TracedArray) or x.ndim < 2:
        shape = show(x.shape) if isinstance(x, TracedArray) else type(x).__name__
        raise ShapeError(f"{_place(owner)}: the shape of '{path}' needs an input of rows and columns, got {shape}")
    return fixed(x.shape, path)[-1]
