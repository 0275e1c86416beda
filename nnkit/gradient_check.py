"""Derivatives compared with finite differences, to the second order, along one random direction for each argument."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import reduce
from operator import add
from typing import Any

import numpy as np
from array_api_compat import numpy as host

from nnkit.errors import ArgumentError
from nnkit.functional import trace
from nnkit.graph import Graph, Trace, TracedArray, differentiate, interpret
from nnkit.graph.dtypes import kind
from nnkit.trees import flatten, rebuild

Array = np.ndarray[Any, np.dtype[Any]]

# The first step is the most accurate; the others are for functions with a kink within reach of it. A wrong derivative
# agrees with none of them.
STEPS = (2.0**-10, 2.0**-14, 2.0**-18)
# Rounding of a function's value, relative to it: generous, and far below any useful rtol after division by a step.
NOISE = 1e3 * 2.0**-52


def check_function(
    function: Callable[..., Any], *arrays: Any, order: int = 2, rtol: float = 1e-6, seed: int = 0
) -> None:
    """Compare the derivatives of ``function`` up to ``order`` with finite differences: AssertionError if they differ.

    ``function`` takes arrays, or lists, tuples and dictionaries of arrays, and returns the same; a sum of its outputs
    with random weights is what is differentiated. Floating-point arguments are taken in float64. They should be of
    order one, and at least 0.01 away from kinks, ties and ends of the domain. ``rtol`` is relative to the derivative.

    >>> import numpy as np
    >>> check_function(lambda x, y: x * y, np.asarray([1.0, 2.0]), np.asarray(3.0))
    """
    values = {name: _double(np.asarray(leaf)) for name, leaf in flatten(list(arrays)).items()}
    draw = np.random.default_rng((seed, 0))

    def weighted(*arguments: Any) -> Any:
        return _along([(result, _direction(draw, result.shape)) for result in flatten(function(*arguments)).values()])

    graph = trace(weighted, *rebuild(list(arrays), values))
    check_graph(graph, "value", values, order=order, rtol=rtol, seed=seed)


def check_graph(
    graph: Graph,
    output: str,
    values: Mapping[str, Array],
    wrt: Sequence[str] | None = None,
    *,
    order: int = 2,
    rtol: float = 1e-6,
    seed: int = 0,
) -> None:
    """The same for a 0-d output of a graph, at ``values`` of its inputs; ``wrt`` names inputs, by default all floats.

    Each order differentiates the derivative of the order before, taken along its random directions.
    """
    chosen = graph.inputs if wrt is None else wrt
    names = [name for name in chosen if kind(graph.nodes[graph.inputs[name]].dtype) == "float"]
    if not names:
        raise ArgumentError(f"a gradient check needs an argument of floating-point numbers, got {', '.join(chosen)}")
    for name in names:
        if values[name].dtype != np.float64:
            raise ArgumentError(f"a gradient check needs float64, got {values[name].dtype} for argument {name}")
    for present in range(1, order + 1):
        draw = np.random.default_rng((seed, present))
        along = {name: _direction(draw, values[name].shape) for name in names}
        slopes = differentiate(Graph(graph.nodes, ((output, graph.output[output]),)), output, names)
        _compare(slopes, output, values, along, f"the derivative of order {present}", rtol)
        graph, output = _slope_along(slopes, along), "slope"


def _compare(
    slopes: Graph, output: str, values: Mapping[str, Array], along: Mapping[str, Array], what: str, rtol: float
) -> None:
    computed = interpret(slopes, host, values)
    for name, direction in along.items():
        got = float(np.sum(computed[f"grad:{name}"] * direction))
        value = abs(float(computed[output]))
        misses = []
        for step in STEPS:
            expected = _difference(Graph(slopes.nodes, slopes.outputs[:1]), values, name, direction, step)
            allowed = rtol * abs(expected) + NOISE * value / step
            if abs(got - expected) <= allowed:
                break
            misses.append(
                f"{what} by argument {name} is wrong: differentiation gives {got!r}, finite differences give "
                f"{expected!r}; they differ by {abs(got - expected):.2g}, allowed is {allowed:.2g}"
            )
        else:
            raise AssertionError(misses[0])


def _difference(graph: Graph, values: Mapping[str, Array], name: str, direction: Array, step: float) -> float:
    """The central difference at two steps, extrapolated to step zero (Richardson): an error of the fourth order."""

    def at(offset: float) -> float:
        (value,) = interpret(graph, host, {**values, name: values[name] + offset * direction}).values()
        return float(value)

    wide, narrow = ((at(h) - at(-h)) / (2.0 * h) for h in (step, step / 2.0))
    return (4.0 * narrow - wide) / 3.0


def _slope_along(slopes: Graph, along: Mapping[str, Array]) -> Graph:
    """The graph whose output is the derivative along the directions, summed over arguments."""
    recorded = Trace()
    inputs = {name: recorded.input(**slopes.nodes[position].options) for name, position in slopes.inputs.items()}
    outputs = interpret(slopes, recorded.namespace, inputs)
    return recorded.graph({"slope": _along([(outputs[f"grad:{name}"], weight) for name, weight in along.items()])})


def _along(pairs: Sequence[tuple[TracedArray, Array]]) -> TracedArray:
    """Σ array · weight, over all elements of all pairs."""
    xp = pairs[0][0].trace.namespace
    return reduce(add, [xp.sum(array * xp.asarray(weight)) for array, weight in pairs])


def _direction(draw: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """Random numbers of both signs, none near zero."""
    return np.asarray(draw.choice((-1.0, 1.0), shape) * draw.uniform(0.5, 1.0, shape))


def _double(array: Array) -> Array:
    return array.astype(np.float64) if array.dtype.kind == "f" else array
