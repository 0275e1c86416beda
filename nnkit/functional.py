"""Differentiating plain functions: ``trace``, ``grad`` and ``value_and_grad``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from array_api_compat import array_namespace, is_array_api_obj
from array_api_compat import device as device_of

from nnkit.errors import ArgumentError
from nnkit.graph import Graph, Trace, TracedArray, gradients, interpret
from nnkit.graph.dtypes import kind
from nnkit.trees import flatten, rebuild

Array = Any


def dtype_name(array: Array) -> str:
    """The data type as the graph's name of it, whatever library the array comes from."""
    return str(array.dtype).removeprefix("torch.").rsplit(".", 1)[-1]


def trace(function: Callable[..., Any], *arguments: Any) -> Graph:
    """The graph of ``function`` for arguments of these shapes and dtypes; inputs are named ``0``, ``1.weight``, ….

    Arguments are arrays, or lists, tuples and dictionaries of arrays; ``function`` calls only the Array API standard
    and ``nnkit.ops`` on them.

    >>> import numpy as np
    >>> print(trace(lambda x: x * 2.0, np.zeros(3)))
    %0 = input(dtype=float64, name=0, role=data, shape=(3,)) : float64[3]  # (<doctest nnkit.functional.trace[1]>:1)
    %1 = constant(dtype=float64, value=2.0) : float64[]  # (<doctest nnkit.functional.trace[1]>:1)
    %2 = multiply(%0, %1) : float64[3]  # (<doctest nnkit.functional.trace[1]>:1)
    return value=%2
    """
    leaves = flatten(list(arguments))
    recorded = Trace()
    traced = _inputs(recorded, leaves)
    result = flatten(function(*rebuild(list(arguments), traced)))
    return recorded.graph({name or "value": array for name, array in result.items()})


def _inputs(recorded: Trace, leaves: dict[str, Array]) -> dict[str, TracedArray]:
    for name, leaf in leaves.items():
        if not is_array_api_obj(leaf):
            raise ArgumentError(
                f"argument {name} is {leaf!r} ({type(leaf).__name__}); pass arrays, for example numpy.asarray(values)"
            )
    return {name: recorded.input(name, "data", tuple(array.shape), dtype_name(array)) for name, array in leaves.items()}


def value_and_grad(function: Callable[..., Array], argument: int = 0) -> Callable[..., tuple[Array, Any]]:
    """A function that returns ``function(...)``, one number, and its gradient with respect to one argument.

    The gradient has the structure of that argument: an array, or lists, tuples and dictionaries of arrays. Works on
    arrays of any library with the standard, and inside a trace, so that gradients of gradients can be taken.

    >>> import numpy as np
    >>> value, slope = value_and_grad(lambda x: x @ x)(np.asarray([1.0, 3.0]))
    >>> float(value), slope.tolist()
    (10.0, [2.0, 6.0])
    """

    def differentiated(*arguments: Any) -> tuple[Array, Any]:
        leaves = flatten(list(arguments))
        if not 0 <= argument < len(arguments):
            raise ArgumentError(
                f"argument={argument}, but the function was called with {len(arguments)} positional arguments"
            )
        graph, wrt = _with_gradient(function, arguments, leaves, str(argument))
        outer = [leaf.trace for leaf in leaves.values() if isinstance(leaf, TracedArray)]
        if outer:
            outputs = interpret(graph, outer[0].namespace, leaves)
        else:
            first, *others = leaves.values()
            outputs = interpret(graph, array_namespace(first, *others), leaves, device_of(first))
        slopes = {name.removeprefix(str(argument)).removeprefix("."): outputs[f"grad:{name}"] for name in wrt}
        return outputs["value"], rebuild(arguments[argument], slopes)

    return differentiated


def _with_gradient(
    function: Callable[..., Array], arguments: tuple[Any, ...], leaves: dict[str, Array], chosen: str
) -> tuple[Graph, list[str]]:
    recorded = Trace()
    traced = _inputs(recorded, leaves)
    wrt = [name for name in leaves if name == chosen or name.startswith(f"{chosen}.")]
    for name in wrt:
        if kind(traced[name].dtype) != "float":
            raise ArgumentError(f"argument {name} is {traced[name].dtype}; gradients need floating-point arrays")
    value = function(*rebuild(list(arguments), traced))
    if not isinstance(value, TracedArray):
        raise ArgumentError(
            f"the function must return one array computed from its arguments, got {type(value).__name__}"
        )
    slopes = gradients(value, [traced[name] for name in wrt])
    return recorded.graph({"value": value} | {f"grad:{n}": s for n, s in zip(wrt, slopes, strict=True)}), wrt


def grad(function: Callable[..., Array], argument: int = 0) -> Callable[..., Any]:
    """Like :func:`value_and_grad`, without the value.

    >>> import numpy as np
    >>> float(grad(grad(lambda x: x**3.0))(np.asarray(2.0)))
    12.0
    """

    def slope(*arguments: Any) -> Any:
        return value_and_grad(function, argument)(*arguments)[1]

    return slope
