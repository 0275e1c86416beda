"""The module: a tree of layers and declared leaves, written as a pure function of its input."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from nnkit.arguments import KnownArguments
from nnkit.errors import ArgumentError, TraceError
from nnkit.nn.leaves import Declared, Parameter, State

if TYPE_CHECKING:
    from nnkit.nn.tracing import Run

Array = Any
UNKNOWN = "unknown"


class Module(KnownArguments, ABC):
    """A layer, or a whole network, without device, optimiser or file.

    Declare leaves in ``__init__`` and compute in ``__call__``, with the Array API standard and ``nnkit.ops``:

    >>> import nnkit
    >>> class Scale(nnkit.Module):
    ...     def __init__(self):
    ...         self.factor = nnkit.Parameter(("inputs",), initializer="ones")
    ...     def __call__(self, x, run):
    ...         return x * self.factor
    >>> nnkit.Network(Scale(), input_shape=(3,)).predict([[1.0, 2.0, 3.0]]).tolist()
    [[1.0, 2.0, 3.0]]

    ``run`` tells whether this is training (``run.training``), gives random numbers (uniform ones from
    ``run.random(self, shape)``, normal ones from ``run.normal(self, shape)``), takes new values of states
    (``run.update(self, mean=…)``) and what is to be added to the loss (``run.penalty(self, value)``). The call must
    change nothing on ``self``.
    """

    if not TYPE_CHECKING:  # the types are those of __init__

        def __new__(cls, *arguments: Any, **options: Any) -> Any:
            """A module that is still to be initialised; a class that nothing could call is refused."""
            if "__call__" in cls.__abstractmethods__:
                raise TraceError(_uncallable(cls))
            return super().__new__(cls, *arguments, **options)

    def __init__(self) -> None:
        """A module without arguments."""
        super().__init__()

    @abstractmethod
    def __call__(self, x: Array, run: Run) -> Array:
        """The module's output for the input ``x``, whose first axis is the batch."""

    def config(self) -> dict[str, Any] | None:
        """Constructor arguments as JSON-able values, for saving; None if the module's class is not nnkit's."""
        return None

    def outermost(self) -> Module:
        """The part that is done last: of layers one after the other the last, of a layer its activation."""
        return self

    def output_activation(self) -> str:
        """Name of the activation that is done last; of a module of one's own it is not known."""
        last = self.outermost()
        if last is not self:
            return last.output_activation()
        return UNKNOWN if self.config() is None else "identity"

    def without_output_activation(self) -> Module:
        """The same module, sharing its leaves, without that activation: losses are exact on what comes before it."""
        return self


def _uncallable(kind: type[Module]) -> str:
    other = next((name for name in ("forward", "call") if hasattr(kind, name)), None)
    fix = "define it" if other is None else f"it has '{other}', which nothing calls: rename that"
    return f"layer {kind.__name__} has no __call__(self, x, run), which computes its output for x; {fix}"


def members(value: Any) -> list[tuple[str, Any]]:
    """Named parts of a module, list, tuple or dictionary; of anything else, none."""
    if isinstance(value, Module):
        return list(vars(value).items())
    if isinstance(value, dict):
        return [(str(name), part) for name, part in value.items()]
    if isinstance(value, (list, tuple)):
        return [(str(number), part) for number, part in enumerate(value)]
    return []


def join(path: str, name: str) -> str:
    """A dotted path."""
    return f"{path}.{name}" if path else name


def walk(module: Module) -> Iterator[tuple[str, Any]]:
    """Every module and declared leaf of the tree with its path, parents first, in order of definition."""
    stack: list[tuple[str, Any, frozenset[int]]] = [("", module, frozenset())]
    while stack:
        path, value, above = stack.pop()
        if id(value) in above:
            raise ArgumentError(
                f"layer '{path}' ({type(value).__name__}) contains itself; a network is a tree, "
                "so let no part refer to what it is part of"
            )
        if isinstance(value, (Module, Parameter, State)):
            yield path, value
        parts = members(value)
        above = above | {id(value)} if parts else above
        stack.extend((join(path, name), part, above) for name, part in reversed(parts))


def declared(module: Module) -> dict[str, Declared]:
    """Leaves by path; a leaf that stands in several places is named by its first."""
    found: dict[int, tuple[str, Declared]] = {}
    for path, value in walk(module):
        if isinstance(value, (Parameter, State)):
            found.setdefault(id(value), (path, value))
    leaves: dict[str, Declared] = {}
    for path, leaf in found.values():
        if path in leaves:
            raise ArgumentError(f"two leaves have the path '{path}'; give their places names that differ, without dots")
        leaves[path] = leaf
    return leaves
